"""One enquiry's story: what was told, whom it was matched to, what was planned, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from connectors.deciding import Decision, load_decision
from connectors.scenario import Plan, load_plan
from hub.store import call_backs, enquiries
from hub.store.call_backs import MadeBack
from hub.store.enquiry_rows import EnquiryRow, row_of
from hub.store.goals_told import GoalLine, goals_of
from hub.store.tables import (
    Attempt,
    CallEvent,
    Delivery,
    Installation,
    Match,
    Placement,
    TelephonyAccount,
    Visit,
    table_of,
)
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault

_event, _match, _visit, _placement = (table_of(model) for model in (CallEvent, Match, Visit, Placement))
_delivery, _attempt = table_of(Delivery), table_of(Attempt)
_installation, _account = table_of(Installation), table_of(TelephonyAccount)


@dataclass(frozen=True, slots=True)
class EventTold:
    """One fact telephony told, when it happened and when we heard of it."""

    kind: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class VisitSeen:
    """A visit that may have led to the enquiry, with how likely it is."""

    id: int
    probability: float | None
    channel: str
    source: str
    campaign: str
    term: str
    landing: str
    region: str | None
    started_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class PlacementNamed:
    """The placement an enquiry came from, and the days it stood."""

    name: str
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class MatchMade:
    """A match of the enquiry; an older one was superseded when later facts came."""

    confidence: float
    reason: str
    words: str
    made_at: datetime
    superseded_at: datetime | None
    visit: VisitSeen | None
    placement: PlacementNamed | None
    others: tuple[VisitSeen, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a delivery; no status while it is under way."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    status: str | None
    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery of the enquiry: its plan, its attempts, and where it is; no plan when our keys do not open it."""

    id: str
    connector: str
    account: str
    facts: dict[str, Any]
    state: str
    created_at: datetime
    due_at: datetime
    why: str
    sentence: str
    scenario_version: int
    plan: Plan | None
    decision: Decision | None
    refs: tuple[dict[str, Any], ...]
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything known about one enquiry; ``told`` is what the person wrote, by name of the field.

    ``called_back`` is our call that answered a missed one or an order, if there was one.
    """

    enquiry: EnquiryRow
    telephony: str
    told: Mapping[str, str]
    events: tuple[EventTold, ...]
    matches: tuple[MatchMade, ...]
    sent: tuple[Sent, ...]
    called_back: MadeBack | None
    goals: tuple[GoalLine, ...]


def story(tx: Tx, tenant_id: int, enquiry_id: int, vault: Vault) -> Story | None:
    """Return the story of an enquiry; None when this tenant has no such enquiry."""
    row = row_of(tx, tenant_id, enquiry_id)
    if row is None:
        return None
    named = (_account.c.tenant_id == tenant_id, _account.c.id == row.account_id)
    return Story(
        enquiry=row,
        telephony=tx.execute(select(_account.c.name).where(*named)).scalar_one() if row.is_call else "",
        told={} if row.is_call else _told(tx, tenant_id, row, vault),
        events=_events(tx, tenant_id, row) if row.is_call else (),
        matches=_matches(tx, tenant_id, enquiry_id),
        sent=_sent(tx, tenant_id, enquiry_id, vault),
        called_back=call_backs.answered_by(tx, tenant_id, enquiry_id) if row.waits_for_a_call else None,
        goals=tuple(goals_of(tx, tenant_id, enquiry_id)),
    )


def _told(tx: Tx, tenant_id: int, row: EnquiryRow, vault: Vault) -> Mapping[str, str]:
    """Return what the person wrote; nothing when our keys do not open it."""
    try:
        about = enquiries.written(tx, tenant_id, row.kind, row.key, vault).about
    except Unopenable:
        return {}
    return {**about.told, **({"email": about.person.email} if about.person.email else {})}


def _events(tx: Tx, tenant_id: int, call: EnquiryRow) -> tuple[EventTold, ...]:
    rows = tx.execute(
        select(_event.c.kind, _event.c.occurred_at, _event.c.received_at)
        .where(_event.c.tenant_id == tenant_id, _event.c.account_id == call.account_id)
        .where(_event.c.provider_call_id == call.provider_call_id)
        .order_by(_event.c.occurred_at, _event.c.id)
    )
    return tuple(EventTold(*row) for row in rows)


def _matches(tx: Tx, tenant_id: int, enquiry_id: int) -> tuple[MatchMade, ...]:
    here = (_match.c.tenant_id == tenant_id, _match.c.enquiry_id == enquiry_id)
    rows = tx.execute(select(_match).where(*here).order_by(_match.c.id.desc())).all()
    wanted = {int(one[0]) for row in rows for one in row.candidates} | {row.visit_id for row in rows if row.visit_id}
    visits = _visits(tx, tenant_id, wanted)
    return tuple(_made(tx, tenant_id, row, visits) for row in rows)


def _made(tx: Tx, tenant_id: int, row: Any, visits: dict[int, Any]) -> MatchMade:
    likely = {int(visit_id): float(probability) for visit_id, probability in row.candidates}
    others = [visit_id for visit_id in likely if visit_id != row.visit_id and visit_id in visits]
    return MatchMade(
        confidence=row.confidence,
        reason=row.reason,
        words=row.words,
        made_at=row.made_at,
        superseded_at=row.superseded_at,
        visit=_seen(visits[row.visit_id], row.confidence) if row.visit_id in visits else None,
        placement=_placed(tx, tenant_id, row.placement_id) if row.placement_id else None,
        others=tuple(_seen(visits[visit_id], likely[visit_id]) for visit_id in others),
    )


def _placed(tx: Tx, tenant_id: int, placement_id: int) -> PlacementNamed | None:
    columns = [_placement.c[name] for name in PlacementNamed.__slots__]
    named = (_placement.c.tenant_id == tenant_id, _placement.c.id == placement_id)
    row = tx.execute(select(*columns).where(*named)).first()
    return PlacementNamed(*row) if row else None


def _visits(tx: Tx, tenant_id: int, ids: set[int]) -> dict[int, Any]:
    rows = tx.execute(select(_visit).where(_visit.c.tenant_id == tenant_id, _visit.c.id.in_(ids)))
    return {row.id: row for row in rows}


def _seen(row: Any, probability: float | None) -> VisitSeen:
    names = [name for name in VisitSeen.__slots__ if name != "probability"]
    return VisitSeen(**{name: getattr(row, name) for name in names}, probability=probability)


def _sent(tx: Tx, tenant_id: int, enquiry_id: int, vault: Vault) -> tuple[Sent, ...]:
    of = (_installation.c.id == _delivery.c.installation_id) & (_installation.c.tenant_id == _delivery.c.tenant_id)
    rows = tx.execute(
        select(_delivery, _installation.c.connector, _installation.c.account, _installation.c.facts)
        .select_from(_delivery.join(_installation, of))
        .where(_delivery.c.tenant_id == tenant_id, _delivery.c.enquiry_id == enquiry_id)
        .order_by(_delivery.c.created_at, _delivery.c.id)
    ).all()
    names = [name for name in Sent.__slots__ if name not in ("plan", "decision", "refs", "tries")]
    return tuple(
        Sent(
            **{name: getattr(row, name) for name in names},
            plan=_plan(row, vault),
            decision=load_decision(row.decision) if row.decision else None,
            refs=tuple(row.refs),
            tries=_tries(tx, tenant_id, row.id),
        )
        for row in rows
    )


def _plan(row: Any, vault: Vault) -> Plan | None:
    try:
        return load_plan(vault.open(row.plan, row.tenant_id, row.id, "plan").encode())
    except Unopenable:
        return None


def _tries(tx: Tx, tenant_id: int, delivery_id: str) -> tuple[Try, ...]:
    here = (_attempt.c.tenant_id == tenant_id, _attempt.c.delivery_id == delivery_id)
    rows = tx.execute(select(_attempt).where(*here).order_by(_attempt.c.number))
    return tuple(Try(**{name: getattr(row, name) for name in Try.__slots__}) for row in rows)
