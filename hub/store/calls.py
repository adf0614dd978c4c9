"""Call events as received (T2), and the calls made of them (T3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select

from hub import failpoints
from hub.store import enquiries, inbox, ledger
from hub.store.enquiries import About, Judged, its_call
from hub.store.inbox import CALL, Due, key_of_call
from hub.store.ledger import Entry, Kind
from hub.store.tables import Call, CallEvent, Enquiry, Refusal, table_of
from hub.store.tx import Tx, insert_or
from hub.store.vault import Vault
from tracking_core import call as domain

_event, _call, _refusal = (table_of(model) for model in (CallEvent, Call, Refusal))
_enquiry = table_of(Enquiry)
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
            inbox.look_at(tx, account.tenant_id, CALL, key_of_call(account.id, event.provider_call_id), now)
    failpoints.reach("event.written")
    return fresh


def events_of(tx: Tx, due: Due, vault: Vault) -> list[domain.CallEvent]:
    """Return every event of a call."""
    account_id, provider_call_id = due.call
    rows = tx.execute(
        select(_event.c.dedupe_key, _event.c.facts)
        .where(_event.c.tenant_id == due.tenant_id, _event.c.account_id == account_id)
        .where(_event.c.provider_call_id == provider_call_id)
    ).all()
    return [
        _facts.validate_json(vault.open(row.facts, due.tenant_id, account_id, row.dedupe_key, "facts")) for row in rows
    ]


def save_call(tx: Tx, due: Due, call: domain.Call, about: About, judged: Judged, vault: Vault) -> int:
    """Write the folded call over what we knew of it; return the id of its enquiry."""
    account_id, provider_call_id = due.call
    place = (due.tenant_id, account_id, provider_call_id)
    columns = {
        "direction": call.direction.value,
        "dialled": call.did,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "talk_s": call.talk_s,
        "wait_s": call.wait_s,
        "durations_differ": call.durations_differ,
        "status": call.status.value,
        "operator": call.operator,
        "recording": vault.seal(call.recording_url, *place, "recording") if call.recording_url else None,
        "recording_id": call.recording_id,
    }
    enquiry_id = enquiries.save(tx, due.tenant_id, CALL, due.key, about, judged, vault)
    new = {"enquiry_id": enquiry_id, "tenant_id": due.tenant_id, "account_id": account_id}
    row = insert_or(tx, _call).values(**new, provider_call_id=provider_call_id, **columns)
    tx.execute(row.on_conflict_do_update(index_elements=["enquiry_id"], set_=columns))
    return enquiry_id


def is_over(tx: Tx, tenant_id: int, enquiry_id: int) -> bool:
    """Say whether a call has ended, as far as telephony has told."""
    here = (_call.c.tenant_id == tenant_id, _call.c.enquiry_id == enquiry_id)
    return tx.execute(select(_call.c.ended_at).where(*here)).scalar() is not None


def just_begun(tx: Tx, tenant_id: int, e164: str, since: datetime) -> list[str]:
    """Return the keys of the calls to a number that began since a moment."""
    here = (_call.c.tenant_id == tenant_id, _call.c.dialled == e164, _enquiry.c.at >= since)
    return list(tx.execute(select(_enquiry.c.key).select_from(_call.join(_enquiry, its_call)).where(*here)).scalars())


def count_refusal(tx: Tx, door: str, reason: str, now: datetime) -> None:
    """Count a refused request; nothing else of it is kept."""
    row = insert_or(tx, _refusal).values(day=now.date(), door=door, reason=reason, times=1)
    tx.execute(
        row.on_conflict_do_update(index_elements=["day", "door", "reason"], set_={"times": _refusal.c.times + 1})
    )


def refuse(tx: Tx, account: Account, reason: str, is_noted: bool, now: datetime) -> None:
    """Count a refused request to a telephony account; it is an entry of the ledger, too, when ``is_noted``."""
    count_refusal(tx, account.adapter, reason, now)
    if is_noted:
        facts = {"door": "telephony", "account": account.id, "reason": reason}
        ledger.write(tx, account.tenant_id, Entry(Kind.HOOK_REFUSED, now, facts=facts))


def refusals(tx: Tx) -> list[dict[str, Any]]:
    """Return the counted refusals, newest day first."""
    return [dict(row._mapping) for row in tx.execute(select(_refusal).order_by(_refusal.c.day.desc(), _refusal.c.door))]
