"""Reads what became of deals: a walk down the list of deals, last changed first, then events.

The filter by time is a paid option that is silently ignored where it is off, so the walk itself stops at
the first deal older than the cursor. Pages shift while they are read: a changed deal moves to the top (the
next walk, which goes further down, meets it again), a deleted one pulls the rest up - so each page overlaps
the one before, and a page without a common deal is read again from further back. Deletions and merges are
in no list: they come from events, as do changes the list does not show, for instance of a deal whose
``updated_at`` another integration set back (sheet 3.5, 3.17, 4.7).

All times are the vendor's own, so no clock of ours matters.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

from connectors.amocrm.api import PAGE, Api, Json, linked, whole
from connectors.amocrm.find import deals, values_of
from connectors.amocrm.mappings import MARKER_CODE, STAGE_OUTCOME
from connectors.amocrm.trouble import trouble
from connectors.amocrm.work import reference
from connectors.errors import ConnectorError
from connectors.http import Answer
from connectors.protocol import DealChange, Page

OVERLAP_S = 60  # of the time of change: writes become visible a little late
SHARED = 25  # deals two neighbouring pages have in common
MOST_BACK = 5  # times one walk goes back to find its place again
SMALL_PAGE = 200  # the smallest page used to make pages overlap
PAGES_PER_CALL = 4
MOST_EVENT_PAGES = 400
READ_ONE_BY_ONE = 40  # deals fetched because of events, per call
_LIST_SHOWS = frozenset({"lead_added", "lead_status_changed", "sale_field_changed"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading stands; times are Unix seconds of the vendor.

    A walk goes down to ``since``; ``top`` is where the next one will stop, ``end`` how many deals this one
    has passed, ``tail`` the last of them, ``back`` how often it lost its place. Events were read up to ``events``.
    """

    since: int = 0
    top: int = 0
    end: int = 0
    tail: tuple[str, ...] = ()
    events: int = 0
    back: int = 0

    def dump(self) -> str:
        """Return the text the hub keeps."""
        return json.dumps({"v": 1, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        """Return the cursor of a text; one that is not ours starts again from everything."""
        try:
            kept = json.loads(text or "")
            numbers = {name: int(kept[name]) for name in ("since", "top", "end", "events", "back")}
            return cls(tail=tuple(str(one) for one in kept["tail"]), **numbers)
        except (ValueError, KeyError, TypeError, RecursionError):
            return cls()


@dataclass(slots=True)
class _Found:
    """What one call has read: deals by id, the vendor's clock if it told it, and whether the walk is over."""

    deals: dict[str, Json]
    clock: int = 0
    is_over: bool = False


async def changes(api: Api, marker_field: str | None, currency: str, cursor: str | None) -> Page:
    """Return deals changed since ``cursor`` and the next one; raises ``InstallationError``."""
    start = Cursor.load(cursor)
    try:
        found = _Found({})
        here = await _walk(api, start, found)
        gone: dict[str, int] = {}
        more = True
        if found.is_over:
            here, more, gone = await _events(api, here, found, is_whole=start.end == 0)
    except ConnectorError as error:
        raise trouble(error) from None
    changed = [_change(api.address, deal, marker_field, currency) for deal in found.deals.values()]
    deleted = [_deleted(api.address, id_, at, currency) for id_, at in gone.items()]
    return Page(deals=(*changed, *deleted), payments=(), cursor=here.dump(), more=more)


# -- the list


async def _walk(api: Api, here: Cursor, found: _Found) -> Cursor:
    """Read some pages down from where the walk stands; returns where it stands then."""
    for _ in range(PAGES_PER_CALL):
        page, limit = window(here.end)
        listed, has_next, answer = await api.deals_page(page, limit, here.since)
        found.clock = max(found.clock, _clock(answer))
        listed = [deal for deal in listed if isinstance(deal.get("id"), int)]
        ids = [str(deal["id"]) for deal in listed]
        if here.end == 0:
            top = max((_seconds(deal, "updated_at") for deal in listed), default=here.top)
            started = min(top, found.clock) if found.clock else top
            here = replace(here, top=top, events=here.events or started)
        elif listed and here.tail and not set(ids) & set(here.tail) and here.back < MOST_BACK:
            here = replace(here, end=max(here.end - PAGE, 0), tail=(), back=here.back + 1)
            continue
        fresh = [deal for deal in listed if _seconds(deal, "updated_at") >= here.since]
        found.deals |= {str(deal["id"]): deal for deal in fresh}
        is_below = bool(listed) and _seconds(listed[-1], "updated_at") < here.since
        found.is_over = is_below or not has_next or not listed
        here = replace(here, end=page * limit, tail=tuple(ids[-SHARED:]))
        if found.is_over:
            break
    return here


def window(end: int) -> tuple[int, int]:
    """Return page and limit that continue after ``end`` deals, overlapping by ``SHARED`` or a little more."""
    offset = end - SHARED
    if offset <= 0:
        return 1, PAGE
    # A page can only start at a multiple of its size: take the size whose multiple comes nearest.
    before = min(range(-(-offset // PAGE), offset // SMALL_PAGE + 2), key=lambda pages: offset % pages)
    return before + 1, offset // before


def _clock(answer: Answer) -> int:
    try:
        return int(parsedate_to_datetime(answer.headers.get("date", "")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return 0


# -- what the list cannot show


async def _events(api: Api, here: Cursor, found: _Found, *, is_whole: bool) -> tuple[Cursor, bool, dict[str, int]]:
    """Read events since the last ones; returns the next cursor, whether to come back, and vanished deals
    with times.

    When the walk took several calls (``is_whole`` is false) what it showed earlier is not known here any
    more, so only events the list can never show are followed.
    """
    events = await _events_since(api, max(here.events - OVERLAP_S, 0))
    newest = max((_seconds(event, "created_at") for event in events), default=0)
    wanted = [event for event in events if is_whole or event.get("type") not in _LIST_SHOWS]
    times = _times(wanted, set(found.deals))
    now, left = _portion(times)
    known = await deals(api, now)
    found.deals |= known
    gone = {id_: at for id_, at in now.items() if id_ not in known}
    if left:
        # The next call walks a short list again and goes on with the events not followed yet.
        return replace(here, end=0, tail=(), back=0, events=left + OVERLAP_S), True, gone
    clock = max(newest, found.clock)
    floor = min(here.top, clock) if clock else here.top
    return Cursor(since=max(floor - OVERLAP_S, 0), top=floor, events=max(newest, here.events)), False, gone


async def _events_since(api: Api, since: int) -> list[Json]:
    found: list[Json] = []
    for page in range(1, MOST_EVENT_PAGES + 1):
        events, has_next = await api.events_page(page, since)
        found += [event for event in events if _seconds(event, "created_at") >= since]
        if not has_next or not events:
            break
    return found


def _times(events: Sequence[Json], seen: set[str]) -> dict[str, int]:
    """Return the deals events speak of and the list did not show, each with its newest time."""
    times: dict[str, int] = {}
    for event in events:
        ids = [event.get("entity_id")] if event.get("entity_type") == "lead" else []
        if event.get("type") == "entity_merged":
            # Which side an event of a merge names is not documented: each id in it is looked at.
            ids += [*_ids(event.get("value_before"), 6), *_ids(event.get("value_after"), 6)]
        for id_ in (str(one) for one in ids):
            if id_.isdigit() and id_ not in seen:
                times[id_] = max(times.get(id_, 0), _seconds(event, "created_at"))
    return times


def _ids(found: object, depth: int) -> list[object]:
    """Return every value called ``id`` inside a side of an event, down to ``depth``."""
    if depth == 0:
        return []
    if isinstance(found, list):
        return [id_ for one in found for id_ in _ids(one, depth - 1)]
    if not isinstance(found, dict):
        return []
    own = [found["id"]] if isinstance(found.get("id"), int | str) else []
    return own + [id_ for one in found.values() for id_ in _ids(one, depth - 1)]


def _portion(times: dict[str, int]) -> tuple[dict[str, int], int | None]:
    """Return the oldest deals to read now, never splitting a second, and the time of the first one left."""
    ordered = sorted(times.items(), key=lambda one: one[1])
    cut = READ_ONE_BY_ONE
    while cut < len(ordered) and ordered[cut][1] == ordered[cut - 1][1]:
        cut += 1
    return dict(ordered[:cut]), ordered[cut][1] if cut < len(ordered) else None


# -- their deal -> ours


def _change(address: str, deal: Json, marker_field: str | None, currency: str) -> DealChange:
    id_, updated = str(deal["id"]), _time(deal, "updated_at")
    deleted = bool(deal.get("is_deleted"))
    marker = next(iter(values_of(deal, MARKER_CODE, marker_field)), None)
    return DealChange(
        id=id_,
        url=reference(address, "deal", id_).url,
        pipeline=str(deal.get("pipeline_id") or ""),
        stage=str(deal.get("status_id") or ""),
        outcome="lost" if deleted else STAGE_OUTCOME.get(whole(deal.get("status_id")), "open"),
        amount_minor=0 if deleted else amount_minor(deal),
        currency=currency,
        created_at=_time(deal, "created_at") if deal.get("created_at") else updated,
        updated_at=updated,
        closed_at=_time(deal, "closed_at") if deal.get("closed_at") else None,
        marker=marker,
        deleted=deleted,
        tags=tuple(str(tag["name"]) for tag in linked(deal, "tags") if tag.get("name")),
    )


def _deleted(address: str, id_: str, at: int, currency: str) -> DealChange:
    when = datetime.fromtimestamp(at, UTC)
    return DealChange(
        id=id_,
        url=reference(address, "deal", id_).url,
        pipeline="",
        stage="",
        outcome="lost",
        amount_minor=0,
        currency=currency,
        created_at=when,
        updated_at=when,
        closed_at=when,
        marker=None,
        deleted=True,
    )


def amount_minor(deal: Json) -> int:
    """Return the price in hundredths of the currency.

    ``price`` is a whole number. ``price_with_minor_units`` exists in newer accounts and is not described: it
    is taken as units or as hundredths, whichever agrees with ``price``, and ignored when neither does.
    """
    price = _decimal(deal.get("price"))
    exact = _decimal(deal.get("price_with_minor_units"))
    if exact and abs(exact - price) < 1:
        return round(exact * 100)
    if exact and abs(exact / 100 - price) < 1:
        return round(exact)
    return round(price * 100)


def _decimal(value: object) -> Decimal:
    try:
        number = Decimal(str(value or 0))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and abs(number) < 10**15 else Decimal(0)


def _seconds(found: Json, key: str) -> int:
    value = found.get(key)
    return value if isinstance(value, int) and 0 <= value < 2**33 else 0


def _time(found: Json, key: str) -> datetime:
    return datetime.fromtimestamp(_seconds(found, key), UTC)
