"""The hub that dies where it is told: at SIGUSR1 ``python -m tests.proofs.fragile up ...`` reads CRASH_FILE.

The file says ``{"batch.taken": 1}``: the moment, and the how-manieth time it comes. With CRASH_HASTY set the hub's arrow
is reversed, too: it settles before it sends; the negative control of the proof of crash points. With CRASH_FORGETFUL it
saves the cursor of what it reads back before the rows; that of the proof of read-back.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connectors.protocol import CrmSession, Delivery, Outcome, Status
from hub import failpoints, readback
from hub.__main__ import main
from hub.clock import Clock
from hub.delivery import serving
from hub.delivery.queue import Taken
from hub.failpoints import Deed
from hub.store import crm
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.vault import Vault


async def settle_first(lane: serving.Serving, session: CrmSession, taken: Sequence[Taken]) -> None:
    """Send a batch with the arrow reversed: what a crash between the two leaves behind is a call that nobody sends."""
    await lane._settle(taken, {delivery.id: Outcome(Status.DELIVERED) for delivery in taken})
    await session.deliver([Delivery(d.id, d.marker, d.plan, d.attempt, d.in_doubt, d.refs, d.nearby) for d in taken])


async def cursor_first(db: Db, clock: Clock, session: CrmSession, of: Installed, vault: Vault) -> bool:
    """Read back with the arrow reversed: what a crash between the two leaves behind is never read again."""
    page = await session.changes(of.cursor)
    await db.write(crm.save_cursor, of, page.cursor)
    failpoints.reach("page.read")
    await db.write(readback.save_page, of, page, clock.now(), vault)
    failpoints.reach("page.saved")
    return page.more


def _arm(*_signal: Any) -> None:
    for point, turn in json.loads(Path(os.environ["CRASH_FILE"]).read_text(encoding="utf-8")).items():
        failpoints.arm(point, Deed.DIE, turn=turn)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _arm)
    if "CRASH_HASTY" in os.environ:
        serving.Serving._send = settle_first  # type: ignore[method-assign]
    if "CRASH_FORGETFUL" in os.environ:
        readback.pull = cursor_first
    sys.argv[0] = "cthub"
    main()
