"""What the page of accuracy counts: how surely calls were matched, and calls whose caller is known otherwise."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, type_coerce
from sqlalchemy import bindparam as value

from hub.store.enquiries import its_call, its_match, its_visit
from hub.store.moment import Identifier
from hub.store.reports import Span
from hub.store.tables import Call, Enquiry, Match, PageEvent, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from tracking_core.calibration import EDGES
from tracking_core.habits import TAP_WINDOW

_enquiry, _call, _match = (table_of(model) for model in (Enquiry, Call, Match))
_number, _visit, _event = (table_of(model) for model in (TrackingNumber, Visit, PageEvent))
_written = _enquiry.alias("written")
_MICROSECOND = timedelta(microseconds=1)

NEAR = timedelta(days=1)  # a form and a call of one phone, so close together, are of one visitor
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 1440))  # between the visit and the call

_MATCHED = (
    _enquiry.join(_call, its_call)
    .join(_match, its_match)
    .outerjoin(_number, and_(_number.c.e164 == _call.c.dialled, _number.c.tenant_id == _call.c.tenant_id))
)


_DAYS = (_enquiry.c.at >= value("start"), _enquiry.c.at < value("end"))
_OF_SPAN = (_enquiry.c.tenant_id == value("tenant_id"), _call.c.direction == "inbound", *_DAYS)


def _its(span: Span) -> dict[str, Any]:
    return {"tenant_id": span.tenant_id, "start": span.start, "end": span.end}


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls matched for one reason, with confidences of one band: how many, and the sum of their confidences."""

    reason: str
    band: int
    calls: int
    confidence: float


def kinds(tx: Tx, span: Span) -> list[Kind]:
    """Count the calls of a span to numbers of the pools, by reason and band of confidence."""
    band = case(*((_match.c.confidence >= edge, place) for place, edge in reversed(list(enumerate(EDGES)))), else_=0)
    by = (_match.c.reason, band)
    here = (*_OF_SPAN, _number.c.pool_id.is_not(None))
    asked = select(*by, func.count(), func.sum(_match.c.confidence)).select_from(_MATCHED).where(*here).group_by(*by)
    rows = tx.execute(asked, _its(span))
    return [Kind(reason, int(place), calls, float(total)) for reason, place, calls, total in rows]


def elsewhere(tx: Tx, span: Span) -> Mapping[str, int]:
    """Count the calls of a span to other numbers: of placements, for overflow, and such as nobody was ever shown."""
    where = case((_number.c.id.is_(None), "own"), (_number.c.placement_id.is_not(None), "placement"), else_="overflow")
    here = (*_OF_SPAN, _number.c.pool_id.is_(None))  # which is so of a number that is not ours, too
    rows = tx.execute(select(where, func.count()).select_from(_MATCHED).where(*here).group_by(where), _its(span))
    return {row[0]: row[1] for row in rows}


def delays(tx: Tx, span: Span) -> list[int]:
    """Count the matched calls of a span by how long after the visit they came: one count more than ``DELAYS`` has."""
    late = type_coerce(_enquiry.c.at, Identifier) - type_coerce(_visit.c.last_seen_at, Identifier)
    place = case(*((late < one // _MICROSECOND, n) for n, one in enumerate(DELAYS)), else_=len(DELAYS))
    here = (*_OF_SPAN, _number.c.pool_id.is_not(None))
    asked = select(place, func.count()).select_from(_MATCHED.join(_visit, its_visit)).where(*here).group_by(place)
    rows = tx.execute(asked, _its(span))
    found = {int(at): calls for at, calls in rows}
    return [found.get(n, 0) for n in range(len(DELAYS) + 1)]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A call to a number of a pool whose caller is known otherwise than by who was shown the number."""

    witness: str  # person | telephony | tap | form
    key: str
    at: datetime
    dialled: str
    visitor_id: int | None  # none: a person said that it was nobody's we know of


def witnessed(tx: Tx, span: Span, most: int) -> list[Witnessed]:
    """Return the latest calls whose visit a person named, telephony, a tap, or a form of the same phone within a day.

    A person's word goes before all others; a call that the others tell differently of is left out.
    """
    found: dict[str, list[Witnessed]] = defaultdict(list)
    for witness, asked in WITNESSES.items():
        for row in tx.execute(asked, {**_its(span), "most": most}):
            found[row.key].append(Witnessed(witness, *row))
    agreed = [told[0] for told in found.values() if _agree(told)]
    return sorted(agreed, key=lambda one: one.at, reverse=True)[:most]


def _agree(told: Sequence[Witnessed]) -> bool:
    return told[0].witness == "person" or len({one.visitor_id for one in told}) == 1


def _asked(from_: Any, *conditions: Any) -> Select[Any]:
    columns = (_enquiry.c.key, _enquiry.c.at, _call.c.dialled, _visit.c.visitor_id)
    here = (*_OF_SPAN, _number.c.pool_id.is_not(None), *conditions)
    latest = select(*columns).select_from(from_).where(*here).order_by(_enquiry.c.at.desc())
    return latest.limit(value("most"))


def _visit_by(key: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(_visit.c.id == key, _visit.c.tenant_id == _enquiry.c.tenant_id)


def _within(moment: ColumnElement[Any], before: timedelta, after: timedelta) -> ColumnElement[bool]:
    late = type_coerce(_enquiry.c.at, Identifier) - type_coerce(moment, Identifier)
    return late.between(literal(-(after // _MICROSECOND), Identifier), literal(before // _MICROSECOND, Identifier))


_BY_TAP = and_(
    _event.c.tenant_id == _enquiry.c.tenant_id, _event.c.number_id == _number.c.id, _event.c.kind == "tel_tap"
)
_BY_FORM = and_(_written.c.tenant_id == _enquiry.c.tenant_id, _written.c.phone_key == _enquiry.c.phone_key)

WITNESSES: Mapping[str, Select[Any]] = {
    "person": _asked(
        _MATCHED.outerjoin(_visit, _visit_by(_enquiry.c.corrected_visit_id)), _enquiry.c.corrected_by.is_not(None)
    ),
    "telephony": _asked(_MATCHED.join(_visit, _visit_by(_match.c.visit_id)), _match.c.reason == "visit_id"),
    "tap": _asked(
        _MATCHED.join(_event, _BY_TAP).join(_visit, _visit_by(_event.c.visit_id)),
        _within(_event.c.at, TAP_WINDOW, timedelta()),
    ),
    "form": _asked(
        _MATCHED.join(_written, _BY_FORM).join(_visit, _visit_by(_written.c.named_visit_id)),
        _written.c.kind != "call",
        _within(_written.c.at, NEAR, NEAR),
    ),
}
