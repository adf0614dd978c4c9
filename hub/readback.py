"""Pull changes by cursor: deals, payments and the cursor in one transaction (T6), and the goals they are worth (T7)."""

from datetime import datetime

from connectors.protocol import CrmSession, DealChange, Page
from hub.clock import Clock
from hub.store import crm, goals, reports
from hub.store.crm import Installed, KeptDeal
from hub.store.db import Db
from hub.store.tx import Tx

_PAGES = 20  # of one turn, so that read-back never keeps deliveries waiting for long


async def pull(db: Db, clock: Clock, session: CrmSession, of: Installed) -> bool:
    """Read what changed since the cursor; True when there is more to read at once."""
    cursor = of.cursor
    for _ in range(_PAGES):
        page = await session.changes(cursor)
        await db.write(save_page, of, page, clock.now())
        cursor = page.cursor
        if not page.more:
            return False
    return True


def save_page(tx: Tx, of: Installed, page: Page, now: datetime) -> None:
    """Write a page of changes and its cursor."""
    for change in page.deals:
        kept = crm.save_deal(tx, of, change)
        if kept:
            _goal(tx, of, change, kept, now)
    for payment in page.payments:
        crm.save_payment(tx, of, payment)
    crm.save_cursor(tx, of, page.cursor)


def _goal(tx: Tx, of: Installed, change: DealChange, kept: KeptDeal, now: datetime) -> None:
    subject = f"deal:{kept.id}"
    if change.outcome != "won" or change.deleted:
        goals.withdraw_goal(tx, of.tenant_id, "deal_won", subject, now)
        return
    goals.save_goal(
        tx,
        {
            "tenant_id": of.tenant_id,
            "name": "deal_won",
            "subject": subject,
            "enquiry_id": kept.enquiry_id,
            "visit_id": reports.visit_of_enquiry(tx, of.tenant_id, kept.enquiry_id),
            "value_minor": change.amount_minor,
            "currency": change.currency,
            "occurred_at": change.closed_at or change.updated_at,
        },
    )
