"""The hub with its defence taken away: it forgets which deliveries are in doubt, and sends them again unasked.

Run as ``python -m tests.proofs.careless up ...``; the negative control of the kill proof. After SIGUSR1 it dies as soon
as the CRM has answered for a batch.
"""

import signal
import sys
from dataclasses import replace
from typing import Any

from hub import failpoints
from hub.__main__ import main
from hub.delivery import taking
from hub.failpoints import Deed

_honest = taking._taken


def _forgetful(row: Any, vault: Any) -> taking.Taken:
    return replace(_honest(row, vault), in_doubt=False, refs=())


def _arm(*_signal: Any) -> None:
    failpoints.arm("answer.known", Deed.DIE)


if __name__ == "__main__":
    taking._taken = _forgetful
    signal.signal(signal.SIGUSR1, _arm)
    sys.argv[0] = "cthub"
    main()
