"""The hub with its defence taken away: it forgets which deliveries are in doubt, and sends them again unasked.

Run as ``python -m tests.proofs.careless up ...``; the negative control of the kill proof.
"""

import sys
from dataclasses import replace
from typing import Any

from hub.__main__ import main
from hub.delivery import taking

_honest = taking._taken


def _forgetful(row: Any, vault: Any) -> taking.Taken:
    return replace(_honest(row, vault), in_doubt=False, refs=())


if __name__ == "__main__":
    taking._taken = _forgetful
    sys.argv[0] = "cthub"
    main()
