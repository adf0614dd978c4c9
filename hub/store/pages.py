"""What visitors do with numbers on pages, and what the script finds there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from hub.store.tables import PageEvent, PageSeen, TrackingNumber, Visit, Visitor, table_of
from hub.store.tx import Tx, insert_or

_event, _seen, _number = table_of(PageEvent), table_of(PageSeen), table_of(TrackingNumber)
_visit, _visitor = table_of(Visit), table_of(Visitor)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the script found on one page when it was there last."""

    page: str
    found: Mapping[str, int]
    images: int
    at: datetime


def save_event(
    tx: Tx, tenant_id: int, site_id: int, token: str, visit_id: int, kind: str, e164: str, now: datetime
) -> bool:
    """Keep what a visitor did; False when the visit is not his."""
    his = (
        select(_visit.c.id)
        .join(_visitor, _visitor.c.id == _visit.c.visitor_id)
        .where(_visit.c.tenant_id == tenant_id, _visit.c.site_id == site_id, _visit.c.id == visit_id)
        .where(_visitor.c.tenant_id == tenant_id, _visitor.c.token == token)
    )
    if tx.execute(his).first() is None:
        return False
    number_id = tx.execute(
        select(_number.c.id).where(_number.c.tenant_id == tenant_id, _number.c.e164 == e164)
    ).scalar()
    row = {"tenant_id": tenant_id, "visit_id": visit_id, "number_id": number_id, "kind": kind, "at": now}
    tx.execute(insert(_event).values(**row))
    return True


def save_seen(tx: Tx, tenant_id: int, site_id: int, seen: Seen, most: int = 500) -> None:
    """Keep what the script found on a page; a site's pages beyond ``most`` are not kept."""
    known = select(_seen.c.page).where(_seen.c.tenant_id == tenant_id, _seen.c.site_id == site_id).limit(most)
    pages = {row.page for row in tx.execute(known)}
    if len(pages) >= most and seen.page not in pages:
        return
    told = {"found": dict(seen.found), "images": seen.images, "at": seen.at}
    tx.execute(
        insert_or(tx, _seen)
        .values(tenant_id=tenant_id, site_id=site_id, page=seen.page, **told)
        .on_conflict_do_update(index_elements=["tenant_id", "site_id", "page"], set_=told)
    )


def pages_seen(tx: Tx, tenant_id: int, site_id: int) -> list[Seen]:
    """Return what the script found, the latest page first."""
    rows = tx.execute(
        select(_seen.c.page, _seen.c.found, _seen.c.images, _seen.c.at)
        .where(_seen.c.tenant_id == tenant_id, _seen.c.site_id == site_id)
        .order_by(_seen.c.at.desc(), _seen.c.page)
    )
    return [Seen(**row._asdict()) for row in rows]
