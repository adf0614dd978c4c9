"""The journeys of the report: which visits led to each enquiry, and which led to none."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, Subquery, case, func, select, type_coerce

from hub.store.enquiries import its_match
from hub.store.moment import Identifier
from hub.store.reports import Span, deal_figures, enquiry_figures, source_named, with_source
from hub.store.tables import Enquiry, Match, Placement, Visit, Visitor, table_of
from hub.store.ties import is_he
from hub.store.tx import Tx, of_few
from tracking_core.attribution import Journey, Touch
from tracking_core.attribution_data import Step
from tracking_core.attribution_report import Brought
from tracking_core.channel import Channel

_enquiry, _match, _placement = (table_of(model) for model in (Enquiry, Match, Placement))
_visit, _visitor = table_of(Visit), table_of(Visitor)
_MICROSECOND = timedelta(microseconds=1)


_is_direct = (_visit.c.channel == Channel.DIRECT.value).label("is_direct")
_matched, _he = _visit.alias("matched"), _visitor.alias("he")


def visits_of(tenant_id: int) -> Subquery:
    """Return the tenant's visits, each with the person who made it: the first of his visitors."""
    return (
        select(
            _visit.c.id,
            func.coalesce(_visitor.c.person_id, _visitor.c.id).label("person_id"),
            _visit.c.started_at,
            source_named.label("source"),
            _visit.c.campaign,
        )
        .join(_visitor, (_visitor.c.id == _visit.c.visitor_id) & (_visitor.c.tenant_id == _visit.c.tenant_id))
        .where(_visit.c.tenant_id == tenant_id)
        .subquery()
    )


def brought(tx: Tx, span: Span, look_back: timedelta) -> list[Brought]:
    """Return what each enquiry of the span brought, with its journey: four statements, however many there are.

    The journey is the visits of the matched person up to the enquiry, or the placement whose number was dialled; it
    is empty where nobody was matched.
    """
    visited = _visited(tx, span, look_back)
    enquiries = {row.id: row for row in tx.execute(enquiry_figures(span, _enquiry.c.id))}
    deals = {row.id: row for row in tx.execute(deal_figures(span, _enquiry.c.id))}
    rows = tx.execute(
        select(_enquiry.c.id, _enquiry.c.at, _placement.c.source, _placement.c.campaign)
        .select_from(with_source)
        .where(_enquiry.c.tenant_id == span.tenant_id, _enquiry.c.at >= span.start, _enquiry.c.at < span.end)
    )
    found = []
    for enquiry_id, at, source, campaign in rows:
        placed = [Touch((source, campaign), at)] if source is not None else []
        journey = Journey(tuple(visited.get(enquiry_id, placed)), at)
        found.append(Brought(journey, **_figures(enquiries.get(enquiry_id)), **_figures(deals.get(enquiry_id))))
    return found


def _figures(row: Any) -> dict[str, int]:
    return {name: int(value) for name, value in row._asdict().items() if name != "id"} if row else {}


def _visited(tx: Tx, span: Span, look_back: timedelta) -> dict[int, list[Touch]]:
    age = type_coerce(_enquiry.c.at, Identifier) - type_coerce(_visit.c.started_at, Identifier)
    rows = tx.execute(
        select(_enquiry.c.id, source_named, _visit.c.campaign, _visit.c.started_at, _is_direct)
        .join(_match, its_match)
        .join(_matched, (_matched.c.id == _match.c.visit_id) & (_matched.c.tenant_id == _match.c.tenant_id))
        .join(_he, (_he.c.id == _matched.c.visitor_id) & (_he.c.tenant_id == _matched.c.tenant_id))
        .join(_visitor, is_he(_he, _visitor))
        .join(_visit, (_visit.c.visitor_id == _visitor.c.id) & (of_few(_visit.c.tenant_id) == _visitor.c.tenant_id))
        .where(_enquiry.c.tenant_id == span.tenant_id, _enquiry.c.at >= span.start, _enquiry.c.at < span.end)
        .where(age.between(0, look_back // _MICROSECOND))
        .order_by(_enquiry.c.id, _visit.c.started_at, _visit.c.id)
    )
    found: dict[int, list[Touch]] = {}
    for enquiry_id, source, campaign, at, is_direct in rows:
        found.setdefault(enquiry_id, []).append(Touch((source, campaign), at, is_direct=bool(is_direct)))
    return found


def lost_steps(tx: Tx, span: Span, look_back: timedelta) -> list[Step]:
    """Count the steps in the journeys of people who visited in the span and did not turn to us in it.

    The database counts them, so that no journey is left out and as many rows come as there are kinds of steps.
    """
    visit = visits_of(span.tenant_id)
    since = min(span.start, span.end - look_back)
    order: dict[str, Any] = {"partition_by": visit.c.person_id, "order_by": (visit.c.started_at, visit.c.id)}
    step = (
        select(
            func.lag(visit.c.source).over(**order).label("from_source"),
            func.lag(visit.c.campaign).over(**order).label("from_campaign"),
            visit.c.source,
            visit.c.campaign,
            case((func.lead(visit.c.id).over(**order).is_(None), 1), else_=0).label("is_last"),
        )
        .where(visit.c.started_at >= since, visit.c.started_at < span.end)
        .where(visit.c.person_id.in_(_who_came(span)))
        .where(visit.c.person_id.not_in(_who_turned_to_us(span)))
        .subquery()
    )
    kinds = (step.c.from_source, step.c.from_campaign, step.c.source, step.c.campaign)
    rows = tx.execute(select(*kinds, func.count(), func.sum(step.c.is_last)).group_by(*kinds))
    return [made for *kind, times, ended in rows for made in _steps(kind, times, int(ended))]


def _who_came(span: Span) -> Select[Any]:
    visit = visits_of(span.tenant_id)
    return select(visit.c.person_id).where(visit.c.started_at >= span.start, visit.c.started_at < span.end)


def _who_turned_to_us(span: Span) -> Select[Any]:
    visit = visits_of(span.tenant_id)
    return (
        select(visit.c.person_id)
        .join(_match, (_match.c.visit_id == visit.c.id) & (_match.c.tenant_id == span.tenant_id))
        .join(_enquiry, (_enquiry.c.id == _match.c.enquiry_id) & (_enquiry.c.tenant_id == span.tenant_id))
        .where(_match.c.superseded_at.is_(None), _enquiry.c.at >= span.start, _enquiry.c.at < span.end)
    )


def _steps(kind: Sequence[str | None], times: int, ended: int) -> Iterator[Step]:
    from_source, from_campaign, source, campaign = kind
    before = None if from_source is None else (from_source, from_campaign or "")
    here = (source or "", campaign or "")
    yield Step(before, here, times)
    if ended:
        yield Step(here, None, ended)
