"""Pull changes by cursor: deals, payments and the cursor in one transaction (T6), and the goals they are worth (T7)."""

from collections.abc import Iterable
from datetime import datetime

from connectors.protocol import CrmSession, Page, StagePassed
from hub import failpoints, goals
from hub.clock import Clock
from hub.store import contacts, crm, judging, payments
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
    passed = _by_deal(page.stages)
    saved = [(change, kept) for change in crm.news(tx, of, page.deals) if (kept := crm.save_deal(tx, of, change))]
    contacts.save_deals(tx, of, [change for change, _ in saved])
    for change, kept in saved:
        payments.save_deal(tx, of, change)
        goals.of_deal(tx, of, change, kept, rules, now, passed.pop(change.id, ()))
    goals.of_stages(tx, of, passed, page.deals, rules, now)
    payments.save(tx, of, page.payments, are_all=page.all_payments)
    crm.save_cursor(tx, of, page.cursor)


def _by_deal(stages: Iterable[StagePassed]) -> dict[str, list[StagePassed]]:
    passed: dict[str, list[StagePassed]] = {}
    for stage in stages:
        passed.setdefault(stage.deal, []).append(stage)
    return passed
