"""`python -m sandbox <vendor> [options]` starts one simulator."""

import importlib
import sys
from collections.abc import Sequence

VENDORS = {"amocrm": "sandbox.amocrm.cli", "bitrix24": "sandbox.bitrix24.cli"}


def main(argv: Sequence[str]) -> int:
    """Hands the options to the named vendor's simulator and returns its exit code."""
    if not argv or argv[0] not in VENDORS:
        print(f"Usage: python -m sandbox VENDOR [options]. Vendors: {', '.join(VENDORS)}.", file=sys.stderr)
        return 2
    vendor = importlib.import_module(VENDORS[argv[0]])
    code: int = vendor.main(argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
