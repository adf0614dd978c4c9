"""What goals ask of deals: the stages a deal stood in, and what the deal of an enquiry is worth; minor units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam as value
from sqlalchemy import select

from connectors.protocol import DealChange
from hub.store.tables import Deal, DealStage, table_of
from hub.store.tx import Tx, insert_or

_deal, _stage = table_of(Deal), table_of(DealStage)


def save_stage(tx: Tx, tenant_id: int, deal_id: int, pipeline: str, stage: str, at: datetime) -> bool:
    """Write that a deal stood in a stage, True when that is news; since when is what was told first."""
    row = {"deal_id": deal_id, "pipeline": pipeline, "stage": stage}
    new = insert_or(tx, _stage).values(tenant_id=tenant_id, at=at, **row).on_conflict_do_nothing()
    return tx.execute(new.returning(_stage.c.deal_id)).first() is not None


def stages_of(tx: Tx, tenant_id: int, deal_id: int) -> Mapping[tuple[str, str], datetime]:
    """Return the stages a deal stood in, as (pipeline, stage), and since when."""
    rows = tx.execute(
        select(_stage.c.pipeline, _stage.c.stage, _stage.c.at)
        .where(_stage.c.tenant_id == tenant_id, _stage.c.deal_id == deal_id)
        .order_by(_stage.c.at)
    )
    return {(row.pipeline, row.stage): row.at for row in rows}


@dataclass(frozen=True, slots=True)
class DealOfEnquiry:
    """A deal that came of an enquiry as the CRM had it when it was read last, but for its tags and contacts."""

    id: int
    enquiry_id: int
    change: DealChange


def of_enquiries(tx: Tx, tenant_id: int, installation_id: int, external_ids: Iterable[str]) -> list[DealOfEnquiry]:
    """Return those deals, by their ids in the CRM, that came of an enquiry."""
    rows = tx.execute(
        select(_deal)
        .where(_deal.c.tenant_id == tenant_id, _deal.c.installation_id == installation_id)
        .where(_deal.c.external_id.in_(list(external_ids)), _deal.c.enquiry_id.is_not(None))
        .order_by(_deal.c.id)
    )
    return [DealOfEnquiry(row.id, row.enquiry_id, _as_read(row)) for row in rows]


_KEPT = [one.name for one in fields(DealChange) if one.name in _deal.c and one.name != "id"]


def _as_read(row: Any) -> DealChange:
    return DealChange(row.external_id, **{name: getattr(row, name) for name in _KEPT})


_THERE = (
    select(_deal)
    .where(_deal.c.tenant_id == value("tenant_id"), _deal.c.installation_id == value("installation_id"))
    .where(_deal.c.deleted.is_(False), _deal.c.id > value("after"))
    .order_by(_deal.c.id)
    .limit(value("most"))
)


def there(tx: Tx, tenant_id: int, installation_id: int, after: int, most: int) -> list[tuple[int, DealChange]]:
    """Return the next deals of an account that are not deleted, in the order of our ids, from ``after`` on.

    Each stands beside our id as the CRM had it when it was read last, but for its tags and contacts.
    """
    asked = {"tenant_id": tenant_id, "installation_id": installation_id, "after": after, "most": most}
    return [(row.id, _as_read(row)) for row in tx.execute(_THERE, asked)]


_WORTH = (
    select(_deal.c.amount_minor, _deal.c.currency)
    .where(_deal.c.tenant_id == value("tenant_id"), _deal.c.enquiry_id == value("enquiry_id"))
    .where(_deal.c.deleted.is_(False), _deal.c.outcome != "lost")
    .order_by(_deal.c.id.desc())
    .limit(1)
)


def worth_of_enquiry(tx: Tx, tenant_id: int, enquiry_id: int) -> tuple[int, str]:
    """Return amount and currency of the last deal of an enquiry that is not lost; nothing while there is none."""
    row = tx.execute(_WORTH, {"tenant_id": tenant_id, "enquiry_id": enquiry_id}).first()
    return (row.amount_minor, row.currency) if row else (0, "")
