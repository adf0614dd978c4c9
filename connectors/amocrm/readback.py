"""Reads what became of deals: a walk down the list of deals, last changed first (walk.py), then events.

Deletions and merges are in no list: they come from events, as do changes the list does not show, for instance of a deal
whose ``updated_at`` another integration set back (sheet 3.5, 3.17, 4.7). Events also tell which stages a deal
passed, and that an invoice was hung on it or taken off; the invoices themselves are a list of their own (invoices.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.amocrm.api import Api, Json, author, ids_within, linked, objects, whole
from connectors.amocrm.find import deals, values_of
from connectors.amocrm.invoices import Books, Reading, looked_for, on_deal, paid
from connectors.amocrm.mappings import (
    CARDS,
    DEAL_DELETED,
    DEAL_EVENTS,
    DEAL_RESTORED,
    LINK_EVENTS,
    MARKER_CODE,
    STAGE_EVENT,
    STAGE_OUTCOME,
)  # fmt: skip
from connectors.amocrm.money import minor, number
from connectors.amocrm.trouble import trouble
from connectors.amocrm.walk import OVERLAP_S, Cursor, Stretch, Walk, events_since, seconds, walk
from connectors.amocrm.work import reference
from connectors.errors import ConnectorError
from connectors.protocol import DealChange, Page, StagePassed

READ_ONE_BY_ONE = 100  # deals fetched because of events, per call
QUICK_OVERLAP_S = 5  # of events, from one quick walk to the next
_LIST_SHOWS = frozenset({"lead_added", STAGE_EVENT, "sale_field_changed"})


@dataclass(frozen=True, slots=True)
class _Told:
    """What events told: the next cursor, whether to come back, vanished deals with times, and stages passed."""

    cursor: Cursor
    more: bool
    gone: dict[str, int]
    stages: tuple[StagePassed, ...] = ()


async def changes(api: Api, marker_field: str | None, currency: str, cursor: str | None) -> Page:
    """Return deals and payments changed since ``cursor`` and the next one; raises ``InstallationError``."""
    start, before = Cursor.load(cursor), Books.load(cursor)
    try:
        books = await looked_for(api, before, max(start.walk.whole_at, start.events))
        if books.catalog not in (0, before.catalog):  # which invoices stand on deals that were read already
            start = replace(start, walk=Walk())
        on, found = await walk(api.deals_page, start.walk)
        told = _Told(replace(start, walk=on, events=start.events or on.floor(found.clock)), True, {})
        if found.is_over:
            told = await _events(api, told.cursor, found, books.catalog, is_whole=start.walk.end == 0)
        if books is not before:
            books = replace(books, asked=max(found.clock, told.cursor.events, 1))
        reading = Reading()
        if not (told.more and books.catalog):
            books, reading = await paid(api, books, before, currency, found.clock)
    except ConnectorError as error:
        raise trouble(error) from None
    changed = [_change(api.address, deal, marker_field, currency, books.catalog) for deal in found.cards.values()]
    deleted = [_deleted(api.address, id_, at, currency, books.catalog) for id_, at in told.gone.items()]
    return Page(
        deals=(*changed, *deleted),
        payments=reading.payments,
        cursor=told.cursor.dump(invoices=books.kept()),
        more=told.more,
        stages=told.stages,
        all_payments=reading.is_all,
    )


async def deals_now(api: Api, marker_field: str | None, currency: str, ids: Sequence[str]) -> list[DealChange]:
    """Return those of these deals that are there, as they are now; raises ``InstallationError``."""
    try:
        found = await deals(api, ids)
    except ConnectorError as error:
        raise trouble(error) from None
    return [_change(api.address, deal, marker_field, currency, catalog=0) for deal in found.values()]


# -- what the list cannot show


async def _events(api: Api, here: Cursor, found: Stretch, catalog: int, *, is_whole: bool) -> _Told:
    """Read events since the last ones.

    When the walk took several calls (``is_whole`` is false) what it showed earlier is not known here any
    more, so only events the list can never show are followed.
    """
    types = [one for one in DEAL_EVENTS if not (found.is_quick and one in _LIST_SHOWS)]
    types += LINK_EVENTS if catalog else ()
    since = here.events - OVERLAP_S
    if found.is_quick:
        since = max(since, here.followed - QUICK_OVERLAP_S)
    events = await events_since(api, min(since, here.left or since), types, "lead")
    newest = max((seconds(event, "created_at") for event in events), default=0)
    stages = tuple(_stages(events))
    recent = (event for event in events if is_whole and seconds(event, "created_at") >= since)
    wanted = [*recent, *(event for event in events if event.get("type") not in _LIST_SHOWS)]
    times = _times(wanted, set(found.cards))
    deleted = {id_: at for id_, at in _deletions(events).items() if id_ in times}
    now, left = _portion({id_: at for id_, at in times.items() if id_ not in deleted})
    known = await deals(api, now)
    found.cards |= known
    gone = deleted | {id_: at for id_, at in now.items() if id_ not in known}
    until = here.events if found.is_quick else max(newest, here.events)
    # With events left the next call comes at once, goes down no further than any other, and follows some more.
    return _Told(Cursor(here.walk.ended(found, newest), until, found.clock, left or 0), bool(left), gone, stages)


def _stages(events: Sequence[Json]) -> Iterator[StagePassed]:
    """Yield the stages that deals left and came to, the first left first; a left one is told when it was left."""
    moved = [event for event in events if event.get("type") == STAGE_EVENT and event.get("entity_type") == "lead"]
    for event in sorted(moved, key=lambda one: (seconds(one, "created_at"), str(one.get("id")))):
        for told in (*objects(event.get("value_before")), *objects(event.get("value_after"))):
            stage = told.get("lead_status")
            if isinstance(stage, dict) and whole(stage.get("id")) and whole(stage.get("pipeline_id")):
                deal, pipeline = str(event.get("entity_id")), str(stage["pipeline_id"])
                yield StagePassed(deal, pipeline, str(stage["id"]), _time(event, "created_at"))


def _deletions(events: Sequence[Json]) -> dict[str, int]:
    """Return the deals that were deleted and not restored since, with when; of one second the events tell no order."""
    deleted, restored = (_newest(events, type_) for type_ in (DEAL_DELETED, DEAL_RESTORED))
    return {id_: at for id_, at in deleted.items() if at > restored.get(id_, -1)}


def _newest(events: Sequence[Json], type_: str) -> dict[str, int]:
    times: dict[str, int] = {}
    for event in events:
        if event.get("type") == type_ and event.get("entity_type") == "lead":
            id_ = str(event.get("entity_id"))
            times[id_] = max(times.get(id_, 0), seconds(event, "created_at"))
    return times


def _times(events: Sequence[Json], seen: set[str]) -> dict[str, int]:
    """Return the deals events speak of and the list did not show, each with its newest time."""
    times: dict[str, int] = {}
    for event in events:
        if event.get("type") in LINK_EVENTS and not _names_an_invoice(event):
            continue
        ids = [event.get("entity_id")] if event.get("entity_type") == "lead" else []
        if event.get("type") == "entity_merged":
            # Which side an event of a merge names is not documented: each id in it is looked at.
            ids += [*ids_within(event.get("value_before")), *ids_within(event.get("value_after"))]
        for id_ in (str(one) for one in ids):
            if id_.isdigit() and id_ not in seen:
                times[id_] = max(times.get(id_, 0), seconds(event, "created_at"))
    return times


def _names_an_invoice(event: Json) -> bool:
    """Says whether what was linked may be an invoice: how events call one is not documented."""
    links = [told.get("link") for told in (*objects(event.get("value_before")), *objects(event.get("value_after")))]
    named = [link.get("entity") for link in links if isinstance(link, dict)]
    return any(isinstance(one, dict) and one.get("type") not in CARDS for one in named)


def _portion(times: dict[str, int]) -> tuple[dict[str, int], int | None]:
    """Return the oldest deals to read now, never splitting a second, and the time of the first one left."""
    ordered = sorted(times.items(), key=lambda one: one[1])
    cut = READ_ONE_BY_ONE
    while cut < len(ordered) and ordered[cut][1] == ordered[cut - 1][1]:
        cut += 1
    return dict(ordered[:cut]), ordered[cut][1] if cut < len(ordered) else None


# -- their deal -> ours


def _change(address: str, deal: Json, marker_field: str | None, currency: str, catalog: int) -> DealChange:
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
        contacts=tuple(str(contact["id"]) for contact in linked(deal, "contacts")),
        responsible=str(deal["responsible_user_id"]) if deal.get("responsible_user_id") else None,
        payments=() if deleted and catalog else on_deal(deal, catalog),
        author=author(deal),
    )


def _deleted(address: str, id_: str, at: int, currency: str, catalog: int) -> DealChange:
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
        payments=() if catalog else None,
    )


def amount_minor(deal: Json) -> int:
    """Return the price in hundredths of the currency.

    ``price`` is a whole number. ``price_with_minor_units`` exists in newer accounts and is not described: it
    is taken as units or as hundredths, whichever agrees with ``price``, and ignored when neither does.
    """
    price = number(deal.get("price"))
    exact = number(deal.get("price_with_minor_units"))
    if exact and abs(exact - price) < 1:
        return minor(exact)
    if exact and abs(exact / 100 - price) < 1:
        return round(exact)
    return minor(price)


def _time(found: Json, key: str) -> datetime:
    return datetime.fromtimestamp(seconds(found, key), UTC)
