"""What visitors do with numbers on pages, and what the script finds there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select, update

from hub.store import calls, heat, inbox, site_habits
from hub.store.inbox import CALL
from hub.store.tables import PageEvent, PageSeen, TrackingNumber, Visit, Visitor, table_of
from hub.store.tx import Tx, insert_or
from tracking_core.habits import TAP_WINDOW, Interest

_event, _seen, _number = table_of(PageEvent), table_of(PageSeen), table_of(TrackingNumber)
_visit, _visitor = table_of(Visit), table_of(Visitor)
_KEEN = ("tel_tap", "copy")  # what one does who is about to call
_KEPT = timedelta(days=30)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


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
        select(_visit.c.visitor_id)
        .join(_visitor, _visitor.c.id == _visit.c.visitor_id)
        .where(_visit.c.tenant_id == tenant_id, _visit.c.site_id == site_id, _visit.c.id == visit_id)
        .where(_visitor.c.tenant_id == tenant_id, _visitor.c.token == token)
    )
    visitor_id = tx.execute(his).scalar()
    if visitor_id is None:
        return False
    number_id = tx.execute(
        select(_number.c.id).where(_number.c.tenant_id == tenant_id, _number.c.e164 == e164)
    ).scalar()
    row = {"tenant_id": tenant_id, "visit_id": visit_id, "number_id": number_id, "kind": kind, "at": now}
    tx.execute(insert(_event).values(**row))
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id, _visit.c.last_seen_at < now)
    tx.execute(update(_visit).where(*here).values(last_seen_at=now))
    if number_id is not None and kind == "tel_tap":
        for key in calls.just_begun(tx, tenant_id, e164, now - TAP_WINDOW):  # told of before the tap was
            inbox.look_at(tx, tenant_id, CALL, key, now)
    if number_id is not None and kind in _KEEN:
        habits = site_habits.habits_of(tx, tenant_id, site_id)
        heat.warm(tx, tenant_id, number_id, visitor_id, habits.idle_since(now, Interest.KEEN))
    return True


def save_seen(tx: Tx, tenant_id: int, site_id: int, seen: Seen, most: int = 500) -> None:
    """Keep what the script found on a page; of a site's pages the latest ``most``, none older than 30 days."""
    here = _seen.c.tenant_id == tenant_id, _seen.c.site_id == site_id
    told = {"found": dict(seen.found), "images": seen.images, "at": seen.at}
    tx.execute(
        insert_or(tx, _seen)
        .values(tenant_id=tenant_id, site_id=site_id, page=seen.page, **told)
        .on_conflict_do_update(index_elements=["tenant_id", "site_id", "page"], set_=told)
    )
    latest = select(_seen.c.at).where(*here).order_by(_seen.c.at.desc()).offset(most).limit(1)
    oldest = max(tx.execute(latest).scalar() or _LONG_AGO, seen.at - _KEPT)
    tx.execute(delete(_seen).where(*here, _seen.c.at <= oldest))


def pages_seen(tx: Tx, tenant_id: int, site_id: int) -> list[Seen]:
    """Return what the script found, the latest page first."""
    rows = tx.execute(
        select(_seen.c.page, _seen.c.found, _seen.c.images, _seen.c.at)
        .where(_seen.c.tenant_id == tenant_id, _seen.c.site_id == site_id)
        .order_by(_seen.c.at.desc(), _seen.c.page)
    )
    return [Seen(**row._asdict()) for row in rows]
