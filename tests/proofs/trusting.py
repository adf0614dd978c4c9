"""The hub with its defence taken away: it answers 200 to a call event that its database did not take.

Run as ``python -m tests.proofs.trusting up ...``; the negative control of the proofs of a database that goes away and
of a full disk.
"""

import sys
from typing import Any

from hub.__main__ import main
from hub.errors import DatabaseAway
from hub.store import calls
from hub.store.db import Db

_honest = Db.write


async def _write(db: Db, work: Any, *told: Any) -> Any:
    try:
        return await _honest(db, work, *told)
    except DatabaseAway:
        if work is calls.keep_events:
            return 0
        raise


if __name__ == "__main__":
    Db.write = _write  # type: ignore[method-assign,assignment]
    sys.argv[0] = "cthub"
    main()
