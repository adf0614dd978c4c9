"""What a reconciliation reads, page by page: events, enquiries, their deliveries, and what the ledger tells of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from hub.store.enquiries import its_call
from hub.store.inbox import CALL, key_of_call
from hub.store.ledger import Kind
from hub.store.tables import Call, CallEvent, Delivery, Enquiry, Inbox, Installation, LedgerEntry, table_of
from hub.store.tx import Tx, of_few

PAGE = 200
_enquiry, _call, _event = table_of(Enquiry), table_of(Call), table_of(CallEvent)
_delivery, _inbox, _entry, _installation = (table_of(one) for one in (Delivery, Inbox, LedgerEntry, Installation))
_of_call = and_(
    _event.c.tenant_id == _call.c.tenant_id,
    _event.c.account_id == _call.c.account_id,
    _event.c.provider_call_id == _call.c.provider_call_id,
)
After = tuple[datetime, int]  # moment and id of the last row of the page before


@dataclass(frozen=True, slots=True)
class Waits:
    """What the inbox says of an enquiry: when it is looked at again, and what went wrong the last time."""

    due_at: datetime
    trouble: str


# -- accounts


@dataclass(frozen=True, slots=True)
class Connected:
    """An account, and since when enquiries are for it, too: connecting it again does not begin anew.

    Up to ``erased_at`` nobody knows on which cards deliveries are: the customer had that deleted.
    """

    id: int
    connector: str
    name: str
    status: str
    since: datetime
    erased_at: datetime | None = None


def connected(tx: Tx, tenant_id: int) -> list[Connected]:
    """Return the tenant's accounts."""
    first = func.min(_entry.c.at, type_=_entry.c.at.type)
    given = select(_entry.c.installation_id, first).where(
        _entry.c.tenant_id == tenant_id, _entry.c.kind == Kind.GRANT_GIVEN
    )
    firsts = {row[0]: row[1] for row in tx.execute(given.group_by(_entry.c.installation_id))}
    erased = _erased(tx, tenant_id)
    rows = tx.execute(select(_installation).where(_installation.c.tenant_id == tenant_id).order_by(_installation.c.id))
    return [
        Connected(
            row.id,
            row.connector,
            row.facts.get("name") or row.host,
            row.status,
            min(row.connected_at, firsts.get(row.id, row.connected_at)),
            erased.get(row.id),
        )
        for row in rows
    ]


def _erased(tx: Tx, tenant_id: int) -> dict[int, datetime]:
    """Return when what was read from accounts was last deleted, wholly, or until somebody called it off."""
    last = func.max(_entry.c.at, type_=_entry.c.at.type)
    kinds = (Kind.ERASED, Kind.ERASURE_CALLED_OFF)
    told = select(_entry.c.installation_id, last).where(_entry.c.tenant_id == tenant_id, _entry.c.kind.in_(kinds))
    return {row[0]: row[1] for row in tx.execute(told.group_by(_entry.c.installation_id))}


# -- events


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of telephony; ``enquiry_id`` is its call's, None before its first look."""

    id: int
    received_at: datetime
    key: str
    enquiry_id: int | None


@dataclass(frozen=True, slots=True)
class Events:
    """A page of events, those among them that no look has taken in, and what the inbox says of their calls."""

    rows: Sequence[Heard]
    unseen: Sequence[Heard]
    waits: dict[tuple[str, str], Waits]


def events(tx: Tx, tenant_id: int, since: datetime, after: After | None) -> Events:
    """Return the next events received since a moment."""
    asked = (
        select(_event.c.id, _event.c.received_at, _event.c.account_id, _event.c.provider_call_id, _call.c.enquiry_id)
        .select_from(_event.outerjoin(_call, _of_call))
        .where(_event.c.tenant_id == tenant_id, *_next(_event.c.received_at, _event.c.id, since, after))
        .order_by(_event.c.received_at, _event.c.id)
        .limit(PAGE)
    )
    rows = [Heard(one.id, one.received_at, key_of_call(*one[2:4]), one.enquiry_id) for one in tx.execute(asked)]
    unseen = _unseen(tx, tenant_id, rows)
    return Events(rows, unseen, _waits(tx, tenant_id, [(CALL, one.key) for one in unseen]))


def _unseen(tx: Tx, tenant_id: int, rows: Sequence[Heard]) -> list[Heard]:
    ids = {one.enquiry_id for one in rows if one.enquiry_id is not None}
    here = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id.in_(ids), _entry.c.kind == Kind.EVENTS_TAKEN)
    taken = tx.execute(select(_entry.c.facts).where(*here)).scalars()
    seen = {one for facts in taken for one in _events_in(facts)}
    return [one for one in rows if one.id not in seen]


def _events_in(facts: str) -> Sequence[int]:
    try:
        told = json.loads(facts)
    except ValueError:  # somebody changed it, and the chain says so
        return ()
    return told.get("events", ()) if isinstance(told, dict) else ()


def _next(at: Any, id_: Any, since: datetime, after: After | None) -> list[Any]:
    if after is None:
        return [at >= since]
    return [at >= after[0], or_(at > after[0], id_ > after[1])]


# -- enquiries


@dataclass(frozen=True, slots=True)
class Asking:
    """An enquiry as a reconciliation needs it; ``direction`` and ``ended_at`` are a call's."""

    id: int
    kind: str
    key: str
    at: datetime
    direction: str | None
    ended_at: datetime | None

    @property
    def is_ours(self) -> bool:
        """Says whether we called him, or one another: no CRM is told of that."""
        return self.direction not in (None, "inbound")

    @property
    def is_over(self) -> bool:
        """Says whether it is as it will stay: a call that has ended, or anything written."""
        return self.kind != CALL or self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery of an enquiry."""

    id: str
    enquiry_id: int
    installation_id: int
    state: str
    created_at: datetime
    refs: Sequence[dict[str, Any]]
    why: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Note:
    """What an entry of the ledger tells."""

    kind: str
    at: datetime
    enquiry_id: int
    delivery_id: str | None
    installation_id: int | None


@dataclass(frozen=True, slots=True)
class Enquiries:
    """A page of enquiries with their deliveries, entries of the ledger, and what the inbox says of them."""

    rows: Sequence[Asking]
    sent: Sequence[Sent]
    notes: Sequence[Note]
    waits: dict[tuple[str, str], Waits]


def enquiries(tx: Tx, tenant_id: int, since: datetime, after: After | None, *, late: bool) -> Enquiries:
    """Return the next enquiries since a moment; ``late`` ones are older and were told only since then.

    What depends on another is read after it, so that what happens meanwhile makes no gap.
    """
    asked = (
        select(*(_enquiry.c[name] for name in ("id", "kind", "key", "at")), _call.c.direction, _call.c.ended_at)
        .select_from(_enquiry.outerjoin(_call, its_call))
        .where((of_few(_enquiry.c.tenant_id) if late else _enquiry.c.tenant_id) == tenant_id)
        .order_by(_enquiry.c.at, _enquiry.c.id)
        .limit(PAGE)
    )
    if late:
        asked = asked.where(_enquiry.c.at < since, _enquiry.c.id.in_(_told_late(tenant_id, since)))
        asked = asked.where(*(_next(_enquiry.c.at, _enquiry.c.id, since, after) if after else ()))
    else:
        asked = asked.where(*_next(_enquiry.c.at, _enquiry.c.id, since, after))
    rows = [Asking(*row) for row in tx.execute(asked)]
    ids = [one.id for one in rows]
    sent, notes = _sent(tx, tenant_id, ids), _notes(tx, tenant_id, ids)
    return Enquiries(rows, sent, notes, _waits(tx, tenant_id, [(one.kind, one.key) for one in rows]))


def _told_late(tenant_id: int, since: datetime) -> Any:
    """Select calls whose first event, and letters that, came since a moment."""
    earlier = _event.alias("earlier")
    known = select(earlier.c.id).where(
        of_few(earlier.c.tenant_id) == _event.c.tenant_id,
        earlier.c.account_id == _event.c.account_id,
        earlier.c.provider_call_id == _event.c.provider_call_id,
        earlier.c.received_at < since,
    )
    calls = (
        select(_call.c.enquiry_id)
        .join(_event, _of_call)
        .where(_event.c.tenant_id == tenant_id, _event.c.received_at >= since, ~known.exists())
    )
    taken = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id.is_not(None), _entry.c.at >= since)
    letters = select(_entry.c.enquiry_id).where(*taken, _entry.c.kind == Kind.ENQUIRY_TAKEN)
    return calls.union_all(letters)


def _sent(tx: Tx, tenant_id: int, ids: Sequence[int]) -> list[Sent]:
    here = (of_few(_delivery.c.tenant_id) == tenant_id, _delivery.c.enquiry_id.in_(ids))
    asked = select(*(_delivery.c[name] for name in Sent.__slots__)).where(*here)
    return [Sent(*row) for row in tx.execute(asked.order_by(_delivery.c.id))]


_NOTED = (Kind.ENQUIRY_TAKEN, Kind.JUDGED, Kind.PLANNED, Kind.NOT_ASKED, Kind.DELIVERED)


def _notes(tx: Tx, tenant_id: int, ids: Sequence[int]) -> list[Note]:
    here = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id.in_(ids), _entry.c.kind.in_(_NOTED))
    return [Note(*row) for row in tx.execute(select(*(_entry.c[name] for name in Note.__slots__)).where(*here))]


def _waits(tx: Tx, tenant_id: int, of: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Waits]:
    here = (_inbox.c.tenant_id == tenant_id, _inbox.c.kind.in_({kind for kind, _ in of}))
    rows = tx.execute(select(_inbox).where(*here, _inbox.c.key.in_({key for _, key in of})))
    return {(row.kind, row.key): Waits(row.due_at, row.trouble) for row in rows}
