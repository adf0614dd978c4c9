"""The hub with its defence taken away: it forgets which deliveries are in doubt, and sends them again unasked.

Run as ``python -m tests.proofs.careless up ...``; the negative control of the kill proof.
"""

import sys
from dataclasses import replace
from typing import Any

from hub.__main__ import main
from hub.delivery import queue

_honest = queue._taken


def _forgetful(row: Any, nearby: Any, vault: Any) -> queue.Taken:
    return replace(_honest(row, nearby, vault), in_doubt=False, refs=())


if __name__ == "__main__":
    queue._taken = _forgetful
    sys.argv[0] = "cthub"
    main()
