"""Call events as received (T2), and the calls, matches and goals made of them (T3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, select, update

from hub.store.tables import Call, CallEvent, Goal, Inbox, Match, Refusal, Visit, table_of
from hub.store.tx import Tx, insert_or
from hub.store.vault import Vault
from tracking_core import call as domain
from tracking_core.match import Match as MatchFound
from tracking_core.phone import masked

_event, _inbox, _call, _match = (table_of(model) for model in (CallEvent, Inbox, Call, Match))
_goal, _refusal, _visit = table_of(Goal), table_of(Refusal), table_of(Visit)
_facts: TypeAdapter[domain.CallEvent] = TypeAdapter(domain.CallEvent)


@dataclass(frozen=True, slots=True)
class Account:
    """The telephony account a request came to."""

    id: int
    tenant_id: int
    adapter: str
    zone: str
    secrets: dict[str, str]


def keep_events(
    tx: Tx, account: Account, events: Sequence[domain.CallEvent], raw: bytes, now: datetime, vault: Vault
) -> int:
    """Write new events and put their calls into the inbox; return how many were new."""
    fresh = 0
    for event in events:
        names = (account.tenant_id, account.id, event.dedupe_key)
        written = tx.execute(
            insert_or(tx, _event)
            .values(
                tenant_id=account.tenant_id,
                account_id=account.id,
                provider_call_id=event.provider_call_id,
                dedupe_key=event.dedupe_key,
                kind=event.kind.value,
                occurred_at=event.occurred_at,
                received_at=now,
                facts=vault.seal(_facts.dump_json(event).decode(), *names, "facts"),
                raw=vault.seal(raw.decode("utf-8", "replace"), *names, "raw"),
            )
            .on_conflict_do_nothing()
            .returning(_event.c.id)
        )
        if written.first():
            fresh += 1
            look_at(tx, account.tenant_id, account.id, event.provider_call_id, now)
    return fresh


def look_at(tx: Tx, tenant_id: int, account_id: int, provider_call_id: str, due_at: datetime) -> None:
    """Put a call into the inbox, or make it due earlier; waits for whoever is looking at it now."""
    sooner = insert_or(tx, _inbox).values(
        tenant_id=tenant_id,
        account_id=account_id,
        provider_call_id=provider_call_id,
        due_at=due_at,
        tries=0,
        trouble="",
    )
    tx.execute(
        sooner.on_conflict_do_update(
            index_elements=["account_id", "provider_call_id"], set_={"due_at": due_at, "tries": 0}
        )
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A call of the inbox whose moment has come, locked by this transaction."""

    tenant_id: int
    account_id: int
    provider_call_id: str
    tries: int


def take_due(tx: Tx, now: datetime) -> Due | None:
    """Lock the inbox row that waits longest; other processes skip it."""
    row = tx.execute(
        select(_inbox)
        .where(_inbox.c.due_at <= now)
        .order_by(_inbox.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    return Due(row.tenant_id, row.account_id, row.provider_call_id, row.tries) if row else None


def _this(due: Due) -> Any:
    return (
        (_inbox.c.tenant_id == due.tenant_id)
        & (_inbox.c.account_id == due.account_id)
        & (_inbox.c.provider_call_id == due.provider_call_id)
    )


def done(tx: Tx, due: Due, again_at: datetime | None) -> None:
    """Take a call out of the inbox, or let it come back when its fallback moment comes."""
    if again_at is None:
        tx.execute(delete(_inbox).where(_this(due)))
    else:
        tx.execute(update(_inbox).where(_this(due)).values(due_at=again_at, tries=0, trouble=""))


def next_due(tx: Tx) -> datetime | None:
    """Return when the next call of the inbox comes due; None when it is empty."""
    return tx.execute(select(_inbox.c.due_at).order_by(_inbox.c.due_at).limit(1)).scalar()


def postpone(tx: Tx, due: Due, until: datetime, trouble: str) -> None:
    """Leave a call that made trouble in the inbox for later, with what went wrong."""
    tx.execute(update(_inbox).where(_this(due)).values(due_at=until, tries=due.tries + 1, trouble=trouble[:500]))


def events_of(tx: Tx, due: Due, vault: Vault) -> list[domain.CallEvent]:
    """Return every event of a call."""
    rows = tx.execute(
        select(_event.c.dedupe_key, _event.c.facts)
        .where(_event.c.tenant_id == due.tenant_id, _event.c.account_id == due.account_id)
        .where(_event.c.provider_call_id == due.provider_call_id)
    ).all()
    return [
        _facts.validate_json(vault.open(row.facts, due.tenant_id, due.account_id, row.dedupe_key, "facts"))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A call as it stands after saving it."""

    id: int
    first_time: bool
    had_ended: bool  # before this look


def save_call(
    tx: Tx,
    due: Due,
    call: domain.Call,
    *,
    site_id: int | None,
    first_time: bool,
    verdict: tuple[bool, str],
    vault: Vault,
) -> KeptCall:
    """Write the folded call over what we knew of it."""
    key = vault.fingerprint(call.caller, due.tenant_id) if call.caller else None
    place = (due.tenant_id, due.account_id, due.provider_call_id)
    columns = {
        "site_id": site_id,
        "direction": call.direction.value,
        "dialled": call.did,
        "caller": vault.seal(call.caller, *place, "caller") if call.caller else None,
        "caller_key": key,
        "caller_masked": masked(call.caller) if call.caller else "",
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "talk_s": call.talk_s,
        "wait_s": call.wait_s,
        "status": call.status.value,
        "operator": call.operator,
        "recording": vault.seal(call.recording_url, *place, "recording") if call.recording_url else None,
        "first_time": first_time,
        "qualified": verdict[0],
        "qualified_why": verdict[1],
    }
    known = tx.execute(
        select(_call.c.id, _call.c.ended_at).where(
            _call.c.tenant_id == due.tenant_id,
            _call.c.account_id == due.account_id,
            _call.c.provider_call_id == due.provider_call_id,
        )
    ).first()
    if known:
        tx.execute(update(_call).where(_call.c.tenant_id == due.tenant_id, _call.c.id == known.id).values(**columns))
        return KeptCall(known.id, first_time, known.ended_at is not None)
    new = {"tenant_id": due.tenant_id, "account_id": due.account_id, "provider_call_id": due.provider_call_id}
    call_id = tx.execute(insert(_call).values(**new, **columns).returning(_call.c.id)).scalar_one()
    return KeptCall(call_id, first_time, had_ended=False)


def called_before(tx: Tx, tenant_id: int, caller_key: str, before: datetime) -> bool:
    """Say whether this caller called earlier."""
    earlier = select(_call.c.id).where(
        _call.c.tenant_id == tenant_id,
        _call.c.caller_key == caller_key,
        _call.c.started_at < before,
        _call.c.direction == domain.Direction.INBOUND.value,
    )
    return tx.execute(earlier.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class RememberedMatch:
    """The last visit this caller was matched to."""

    visitor_id: int
    visit_id: int
    confidence: float
    called_at: datetime


def remembered(tx: Tx, tenant_id: int, caller_key: str, before: datetime, since: datetime) -> RememberedMatch | None:
    """Return the last visit this caller was matched to, within the window of memory."""
    row = tx.execute(
        select(_visit.c.visitor_id, _match.c.visit_id, _match.c.confidence, _call.c.started_at)
        .join(_visit, (_visit.c.id == _match.c.visit_id) & (_visit.c.tenant_id == _match.c.tenant_id))
        .join(_call, (_call.c.id == _match.c.call_id) & (_call.c.tenant_id == _match.c.tenant_id))
        .where(_match.c.tenant_id == tenant_id, _match.c.superseded_at.is_(None), _match.c.visit_id.is_not(None))
        .where(_call.c.caller_key == caller_key, _call.c.started_at < before, _call.c.started_at >= since)
        .order_by(_call.c.started_at.desc())
        .limit(1)
    ).first()
    return RememberedMatch(*row) if row else None


def save_match(tx: Tx, tenant_id: int, call_id: int, found: MatchFound, now: datetime) -> None:
    """Write the match of a call; a different one before it is kept as superseded."""
    here = (_match.c.tenant_id == tenant_id, _match.c.call_id == call_id, _match.c.superseded_at.is_(None))
    told = {
        "visit_id": int(found.visit_id) if found.visit_id else None,
        "placement_id": int(found.placement_id) if found.placement_id else None,
        "confidence": found.confidence,
        "reason": found.reason.value,
    }
    current = tx.execute(select(*(_match.c[name] for name in told)).where(*here)).first()
    if current:
        if current._asdict() == told:
            return
        tx.execute(update(_match).where(*here).values(superseded_at=now))
    others = [[int(other.visit_id), round(other.probability, 6)] for other in found.candidates]
    row = {"tenant_id": tenant_id, "call_id": call_id, "words": found.reason_words, "candidates": others}
    tx.execute(insert(_match).values(**row, **told, made_at=now))


def save_goal(tx: Tx, goal: dict[str, Any]) -> None:
    """Write a goal once; a repeated one changes its value and brings a withdrawn one back."""
    tx.execute(
        insert_or(tx, _goal)
        .values(**goal, withdrawn_at=None)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name", "subject"],
            set_={
                "value_minor": goal["value_minor"],
                "occurred_at": goal["occurred_at"],
                "withdrawn_at": None,
            },
        )
    )


def withdraw_goal(tx: Tx, tenant_id: int, name: str, subject: str, now: datetime) -> None:
    """Mark a goal as no longer true, such as a reopened deal."""
    tx.execute(
        update(_goal)
        .where(_goal.c.tenant_id == tenant_id, _goal.c.name == name, _goal.c.subject == subject)
        .where(_goal.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def count_refusal(tx: Tx, door: str, reason: str, now: datetime) -> None:
    """Count a refused request; nothing else of it is kept."""
    row = insert_or(tx, _refusal).values(day=now.date(), door=door, reason=reason, times=1)
    tx.execute(
        row.on_conflict_do_update(index_elements=["day", "door", "reason"], set_={"times": _refusal.c.times + 1})
    )


def refusals(tx: Tx) -> list[dict[str, Any]]:
    """Return the counted refusals, newest day first."""
    return [dict(row._mapping) for row in tx.execute(select(_refusal).order_by(_refusal.c.day.desc(), _refusal.c.door))]
