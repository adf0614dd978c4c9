"""Pull changes by cursor: deals, payments and the cursor in one transaction (T6), and the goals they are worth (T7)."""

from datetime import datetime

from connectors.protocol import CrmSession, Page
from hub import failpoints, goals
from hub.clock import Clock
from hub.store import crm, judging
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

_PAGES = 20  # of one turn, so that read-back never keeps deliveries waiting for long


async def pull(db: Db, clock: Clock, session: CrmSession, of: Installed, vault: Vault) -> bool:
    """Read what changed since the cursor; True when there is more to read at once."""
    cursor = of.cursor
    for _ in range(_PAGES):
        page = await session.changes(cursor)
        failpoints.reach("page.read")
        await db.write(save_page, of, page, clock.now(), vault)
        failpoints.reach("page.saved")
        cursor = page.cursor
        if not page.more:
            return False
    return True


def save_page(tx: Tx, of: Installed, page: Page, now: datetime, vault: Vault) -> None:
    """Write a page of changes and its cursor."""
    rules = judging.rules_of(tx, of.tenant_id, vault)
    for change in page.deals:
        kept = crm.save_deal(tx, of, change)
        if kept:
            goals.of_deal(tx, of, change, kept, rules, now)
    for payment in page.payments:
        crm.save_payment(tx, of, payment)
    crm.save_cursor(tx, of, page.cursor)
