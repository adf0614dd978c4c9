"""Goals that the CRM's own automation asks for: noted at its door, looked at with our own access, counted once.

What asks is not signed. So it says only which deal and which goal; that the deal is there, whose enquiry it came from
and what it is worth is read from the account.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from connectors.protocol import CrmSession, DealChange, InstallationError, Why
from hub import goals
from hub.clock import Clock
from hub.store import asked_goals, cards, contacts, crm, judging
from hub.store.asked_goals import Asked, CameTo
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

_AT_ONCE = 50  # deals of one look: most accounts tell them in one request
_THE_ACCOUNTS = (Why.THROTTLED, Why.UNAUTHORIZED, Why.FORBIDDEN, Why.UNAVAILABLE)


async def look(db: Db, clock: Clock, session: CrmSession, of: Installed, vault: Vault) -> None:
    """Look at the deals that wait to count as goals; raises ``InstallationError`` when the account is in trouble.

    Deals it cannot answer for wait by themselves: whoever can ask must not be able to stop the account's deliveries.
    """
    asked = await db.read(asked_goals.due, of.tenant_id, of.id, clock.now(), _AT_ONCE)
    if not asked:
        return
    try:
        found = await session.deals(sorted({one.deal for one in asked}))
    except InstallationError as error:
        if error.why in _THE_ACCOUNTS:
            raise
        log.warning("goals.unanswered", installation=of.id, why=error.why, asked=len(asked))
        await db.write(asked_goals.postpone, of, asked, clock.now())
    else:
        await db.write(settle, of, asked, found, clock.now(), vault)


def settle(
    tx: Tx, of: Installed, asked: Sequence[Asked], found: Sequence[DealChange], now: datetime, vault: Vault
) -> None:
    """Write the deals as they were found, and the goals of those that came from an enquiry of ours."""
    rules = judging.rules_of(tx, of.tenant_id, vault)
    there = {change.id: change for change in found if not change.deleted}
    saved = [(change, kept) for change in there.values() if (kept := crm.save_deal(tx, of, change))]
    contacts.save_deals(tx, of, [change for change, _ in saved])
    for change, kept in saved:
        goals.of_deal(tx, of, change, kept, rules, now)
    for one in asked:
        asked_goals.settle(tx, of, one, _came_to(tx, of, one, there.get(one.deal), rules, now), now)


def _came_to(tx: Tx, of: Installed, asked: Asked, change: DealChange | None, rules: str, now: datetime) -> CameTo:
    if change is None:
        return CameTo.GONE
    kept = crm.kept_deal(tx, of, change.id)
    enquiry_id = kept.enquiry_id or cards.first_on(tx, of.tenant_id, of.id, "deal", change.id)
    if enquiry_id is None:
        return CameTo.NOT_OURS
    goals.send(tx, of, change, (kept.id, enquiry_id), asked.name, asked.asked_at, rules, now)
    return CameTo.GOAL
