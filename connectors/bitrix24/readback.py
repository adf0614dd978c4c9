"""Reads what became of deals and leads: walks over what changed (walk.py), the history of stages, and what is gone.

All of it shares requests. Stages come from a history to which the vendor only adds. Deletions come from the queue that
the portal keeps for us where an administrator let it (sheet 4.11, 6.5); without it, and after merges, of which no event
tells (6.4), the hub asks which of its cards are gone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from connectors.bitrix24 import payments, there
from connectors.bitrix24.api import PAGE, Api, Json, Replies
from connectors.bitrix24.cards import named, parted, whole
from connectors.bitrix24.changed import change, gone, marker_of
from connectors.bitrix24.encoding import Link, command, result
from connectors.bitrix24.mappings import DEAL, DELETIONS, INVOICE, LEAD, LEADS
from connectors.bitrix24.trouble import trouble
from connectors.bitrix24.walk import Walk, in_turn, seconds
from connectors.errors import ConnectorError
from connectors.protocol import DealChange, Page, PaymentChange, StagePassed

SELECT = (
    "id",
    "categoryId",
    "stageId",
    "stageSemanticId",
    "opportunity",
    "currencyId",
    "contactId",
    "contactIds",
    "assignedById",
    "originatorId",
    "originId",
    "leadId",
    "orderStage",
    "createdTime",
    "createdBy",
    "updatedTime",
    "movedTime",
)
_OF_LEADS = tuple(name for name in SELECT if name not in ("categoryId", "leadId", "orderStage"))
_PAGES = {DEAL: 10, LEAD: 10, INVOICE: 4}  # of one call while there is much to read, 50 each
_FEW_PAGES = 2  # once only news is read: each page is a search, also where there is nothing left to find
_HISTORY_PAGES = 3
_NAMES = {DEAL: "deals", LEAD: "leads", INVOICE: "bills"}
_SELECTS = {DEAL: SELECT, LEAD: _OF_LEADS, INVOICE: payments.INVOICE_SELECT}
_NONE = Walk()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading stands: a walk for each kind of cards, the last row of each history, the last deletion heard of."""

    walks: Mapping[int, Walk] = field(default_factory=dict)
    passed: Mapping[int, int] = field(default_factory=dict)
    gone: int = 0
    orders: int = 0  # below which deal the look for orders goes on; 0 is the top

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        """Return the cursor of a text; what is not ours is read as the beginning, so that nothing is lost."""
        try:
            kept = json.loads(text or "")
            walks = {int(kind): Walk.load(one) for kind, one in kept["walks"].items()}
            passed = {int(kind): int(one) for kind, one in kept["passed"].items()}
            return cls(walks, passed, int(kept["gone"]), int(kept["orders"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()

    def dump(self) -> str:
        """Return it as a text."""
        walks = {str(kind): one.kept() for kind, one in self.walks.items()}
        passed = {str(kind): one for kind, one in self.passed.items()}
        kept = {"walks": walks, "passed": passed, "gone": self.gone, "orders": self.orders}
        return json.dumps(kept, separators=(",", ":"))

    def walk(self, kind: int) -> Walk:
        """Return the walk of one kind of cards."""
        return self.walks.get(kind, _NONE)


async def changes(api: Api, currency: str, cursor: str | None, *, has_leads: bool) -> Page:
    """Return deals, leads and payments changed since ``cursor`` and the next one; raises ``InstallationError``."""
    start = Cursor.load(cursor)
    kinds = (DEAL, LEAD, INVOICE) if has_leads else (DEAL, INVOICE)
    try:
        told = await api.ask(_asked(start, kinds))
        on, found, more = _walked(start, told, kinds)
        stages, on, is_more = _stages(on, start, told, kinds)
        vanished, on = await _deleted(api, on, start, told, found)
        ordered, goes_on = payments.with_orders(told, start.orders)
        on = replace(on, orders=goes_on)
        paid = await payments.of_deals(api, [*ordered, *found[DEAL]])
        paid += await payments.of_invoices(api, found.get(INVOICE, ()))
        changed = await _changes(api, found, currency)
    except ConnectorError as error:
        raise trouble(error) from None
    at = datetime.fromtimestamp(told.clock, UTC)
    changed += [gone(api.address, kind, id_, at, currency) for kind, id_ in vanished if kind != INVOICE]
    paid += [payments.withdrawn(id_, at, currency) for kind, id_ in vanished if kind == INVOICE]
    is_more |= len(told.rows("gone", "events")) >= PAGE
    is_more |= more
    return Page(tuple(changed), _once(paid), on.dump(), is_more, tuple(stages), tells_gone=False)


async def deals_now(api: Api, currency: str, ids: Sequence[str]) -> list[DealChange]:
    """Return those of these deals and leads that are there, as they are now; raises ``InstallationError``."""
    try:
        found = await there.by_id(api, [parted(id_) for id_ in ids], _SELECTS)
        return await _changes(api, found, currency)
    except ConnectorError as error:
        raise trouble(error) from None


# -- the first request


def _asked(start: Cursor, kinds: Sequence[int]) -> dict[str, str]:
    asked: dict[str, str] = {}
    for kind in kinds:
        walk = start.walk(kind)
        most = _PAGES[kind] if walk.is_first or walk.after else _FEW_PAGES
        asked |= walk.pages(_NAMES[kind], kind, _SELECTS[kind], most)
        if kind != INVOICE:
            asked |= _history(kind, start.passed.get(kind))
    over = {} if start.walk(DEAL).is_first else payments.looked_over(start.orders)  # the first walk meets them all
    return asked | over | {"gone": _queue(start.gone)}


def _history(kind: int, last: int | None) -> dict[str, str]:
    """Ask for the stages passed since a row of the history; at first only where it ends."""
    if last is None:
        return {f"end{kind}": _stage_rows(kind, {}, "DESC")}
    asked: dict[str, str] = {}
    after: int | Link = last
    for place in range(_HISTORY_PAGES):
        key = f"passed{kind}x{place}"
        asked[key] = _stage_rows(kind, {">ID": after}, "ASC")
        after = result(key, "items", str(PAGE - 1), "ID")
    return asked


def _stage_rows(kind: int, chosen: Mapping[str, object], order: str) -> str:
    asked = {"entityTypeId": kind, "filter": chosen, "order": {"ID": order}, "start": -1}
    return command("crm.stagehistory.list", asked)


def _queue(last: int) -> str:
    return command("event.offline.list", {"filter": {">ID": last}, "order": {"ID": "ASC"}})


def _walked(start: Cursor, told: Replies, kinds: Sequence[int]) -> tuple[Cursor, dict[int, list[Json]], bool]:
    """Return where the walks stand, what they met by kind, and whether there is more."""
    found: dict[int, list[Json]] = {}
    walks: dict[int, Walk] = {}
    more = False
    for kind in kinds:
        walk, keys = start.walk(kind), [key for key in _asked(start, kinds) if key.startswith(_NAMES[kind])]
        if keys[0] not in told.results and kind != DEAL:
            walks[kind] = walk  # an account without leads or invoices, or without the right to see them
            continue
        rows, is_over = in_turn(there.readable(told, keys[0]), keys, walk.after)
        found[kind] = rows
        walks[kind] = walk.on(rows, is_over=is_over, clock=told.clock)
        more |= not is_over
    return replace(start, walks=walks), found, more


def _stages(on: Cursor, start: Cursor, told: Replies, kinds: Sequence[int]) -> tuple[list[StagePassed], Cursor, bool]:
    """Return the stages passed, the oldest first, and whether there are more."""
    passed, stages, more = dict(start.passed), list[StagePassed](), False
    for kind in kinds:
        if f"end{kind}" in told.results:
            passed[kind] = max((whole(row.get("ID")) for row in told.rows(f"end{kind}")), default=0)
        last = start.passed.get(kind)
        keys = [f"passed{kind}x{place}" for place in range(_HISTORY_PAGES)]
        if last is None or keys[0] not in told.results:
            continue
        rows, is_over = in_turn(told, keys, last, "ID")
        more |= not is_over
        passed[kind] = max([last, *(whole(row.get("ID")) for row in rows)])
        stages += [one for row in rows if (one := _stage(kind, row))]
    return sorted(stages, key=lambda one: one.at), replace(on, passed=passed), more


def _stage(kind: int, row: Json) -> StagePassed | None:
    stage, at = str(row.get("STAGE_ID") or row.get("STATUS_ID") or ""), seconds(row.get("CREATED_TIME"))
    if not stage or not at or not whole(row.get("OWNER_ID")):
        return None
    pipeline = LEADS if kind == LEAD else str(whole(row.get("CATEGORY_ID")))
    return StagePassed(named(kind, whole(row["OWNER_ID"])), pipeline, stage, datetime.fromtimestamp(at, UTC))


async def _deleted(
    api: Api, on: Cursor, start: Cursor, told: Replies, found: Mapping[int, Sequence[Json]]
) -> tuple[list[tuple[int, int]], Cursor]:
    """Return the kinds and ids of cards the queue says are gone, once they really are.

    What went before the first walk began, and was not met by its first step, nobody here has heard of.
    """
    rows = told.rows("gone", "events")
    last = max([start.gone, *(whole(row.get("ID")) for row in rows)])
    ids = list(dict.fromkeys(place for row in rows if (place := _named_in(row)) and place[1]))
    if start.walk(DEAL) == _NONE:
        met = there.places(found)
        ids = [place for place in ids if place in met]
    if not ids:
        return [], replace(on, gone=last)
    left = there.places(await there.by_id(api, ids))
    return [place for place in ids if place not in left], replace(on, gone=last)


def _named_in(row: Json) -> tuple[int, int] | None:
    told, name = row.get("EVENT_DATA"), str(row.get("EVENT_NAME") or "").upper()
    fields = told.get("FIELDS") if isinstance(told, dict) else None
    if not isinstance(fields, dict):
        return None
    kind = DELETIONS.get(name) or DELETIONS.get(f"{name}_{whole(fields.get('ENTITY_TYPE_ID'))}")
    return (kind, whole(fields.get("ID"))) if kind else None


# -- as the hub keeps them


async def _changes(api: Api, found: Mapping[int, Sequence[Json]], currency: str) -> list[DealChange]:
    """Return deals and leads as the hub keeps them; a deal that was a lead of ours has the lead's mark."""
    marks = await _marks_of_leads(api, found.get(DEAL, ()))
    changed = []
    for kind in (LEAD, DEAL):
        for card in found.get(kind, ()):
            marker = marker_of(card) or marks.get(whole(card.get("leadId")))
            changed.append(change(api.address, kind, card, marker, currency))
    return changed


async def _marks_of_leads(api: Api, deals: Sequence[Json]) -> dict[int, str]:
    ids = {whole(one.get("leadId")) for one in deals if not marker_of(one)} - {0}
    if not ids:
        return {}
    cards = (await there.by_id(api, [(LEAD, id_) for id_ in ids], _SELECTS)).get(LEAD, ())
    return {whole(card.get("id")): marker for card in cards if (marker := marker_of(card))}


def _once(paid: Sequence[PaymentChange]) -> tuple[PaymentChange, ...]:
    return tuple({one.id: one for one in paid}.values())
