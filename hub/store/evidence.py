"""Where it is known from who a visitor is: enquiries, the contacts they were delivered to, the site itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam as value
from sqlalchemy import select

from hub.store.tables import Delivery, Enquiry, Visit, Visitor, table_of
from hub.store.tx import Tx, of_few
from tracking_core.ties import TieKind

_enquiry, _delivery = table_of(Enquiry), table_of(Delivery)
_visit, _visitor = table_of(Visit), table_of(Visitor)

OnSite = tuple[int, int]  # a visitor, and his site


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where it is known from: an enquiry, or the site itself, which tells its users' ids."""

    enquiry_id: int | None
    at: datetime


_CONTACTS = select(_delivery.c.installation_id, _delivery.c.refs).where(
    of_few(_delivery.c.tenant_id) == value("tenant"), _delivery.c.enquiry_id == value("enquiry")
)


def contacts_of(tx: Tx, tenant_id: int, enquiry_id: int) -> set[tuple[int, str]]:
    """Return the contacts an enquiry was delivered to: installation, and its id of the contact."""
    rows = tx.execute(_CONTACTS, {"tenant": tenant_id, "enquiry": enquiry_id})
    return {(at, ref["id"]) for at, refs in rows for ref in refs if ref["kind"] == TieKind.CONTACT}


_EVIDENCE = (
    select(_delivery.c.id, _enquiry.c.id, _enquiry.c.at)
    .join(_delivery, (_delivery.c.enquiry_id == _enquiry.c.id) & (_delivery.c.tenant_id == _enquiry.c.tenant_id))
    .where(_delivery.c.tenant_id == value("tenant"), _delivery.c.id.in_(value("deliveries", expanding=True)))
)


def of_deliveries(tx: Tx, tenant_id: int, delivery_ids: Iterable[str]) -> dict[str, tuple[int, datetime]]:
    """Return the enquiries that deliveries tell of and when those were, by delivery."""
    rows = tx.execute(_EVIDENCE, {"tenant": tenant_id, "deliveries": list(delivery_ids)})
    return {delivery_id: (enquiry_id, at) for delivery_id, enquiry_id, at in rows}


def visitors_of(tx: Tx, tenant_id: int, token: str, site_id: int | None) -> list[OnSite]:
    """Return who has a token: on one site, or on all of the tenant's."""
    asked = select(_visitor.c.id, _visitor.c.site_id).where(_visitor.c.tenant_id == tenant_id)
    if site_id is not None:
        asked = asked.where(_visitor.c.site_id == site_id)
    return [(row.id, row.site_id) for row in tx.execute(asked.where(_visitor.c.token == token))]


def whose_visit(tx: Tx, tenant_id: int, visit_id: int) -> list[OnSite]:
    """Return whose visit it is."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)
    return [
        (row.visitor_id, row.site_id) for row in tx.execute(select(_visit.c.visitor_id, _visit.c.site_id).where(*here))
    ]
