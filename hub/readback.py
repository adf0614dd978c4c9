"""Pull changes by cursor: deals, payments and the cursor in one transaction (T6), and the goals they are worth (T7).

Where a CRM does not tell of every deal that goes, each reading ends with a look at some of those we hold, all of them
in turn: a deal that was merged into another must not be revenue for ever.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from connectors.protocol import CrmSession, DealChange, Page, Ref, StagePassed
from hub import failpoints, goals
from hub.clock import Clock
from hub.store import contacts, crm, deals, judging, payments
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

_PAGES = 20  # of one turn, so that read-back never keeps deliveries waiting for long
_LOOK = 500  # deals of one look: what a vendor that batches is asked with one request


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
            if not page.tells_gone:
                await _look(db, clock, session, of, vault, page.cursor)
            return False
    return True


async def _look(db: Db, clock: Clock, session: CrmSession, of: Installed, vault: Vault, cursor: str) -> None:
    """Ask which of the next deals are gone, and save those as deleted with the place where the next look begins."""
    held = await db.read(_next, of)
    if not held:
        return
    looked_to = held[-1][0] if len(held) == _LOOK else None
    missing = await session.missing([Ref("deal", change.id) for _, change in held])
    lost = {ref.id for ref in missing}
    gone = tuple(replace(change, deleted=True) for _, change in held if change.id in lost)
    if gone or looked_to != of.looked_to:
        await db.write(_save_look, of, Page(gone, (), cursor, more=False), looked_to, clock.now(), vault)


def _next(tx: Tx, of: Installed) -> list[tuple[int, DealChange]]:
    """Return the deals after the last look's, at the end again the first ones."""
    here = (tx, of.tenant_id, of.id)
    return deals.there(*here, of.looked_to or 0, _LOOK) or (deals.there(*here, 0, _LOOK) if of.looked_to else [])


def _save_look(tx: Tx, of: Installed, gone: Page, looked_to: int | None, now: datetime, vault: Vault) -> None:
    save_page(tx, of, gone, now, vault)
    crm.save_looked(tx, of, looked_to)


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
