"""What a look at an enquiry adds to its ledger: events of telephony it had not seen, a judgement that is another."""

from datetime import datetime

from sqlalchemy import bindparam as value
from sqlalchemy import select

from hub.store import ledger
from hub.store.enquiries import Judged
from hub.store.inbox import CALL, Due
from hub.store.ledger import Entry, Kind
from hub.store.tables import CallEvent, table_of
from hub.store.tx import Tx

_event = table_of(CallEvent)
_EVENTS = (
    select(_event.c.id, _event.c.kind)
    .where(_event.c.tenant_id == value("tenant_id"), _event.c.account_id == value("account_id"))
    .where(_event.c.provider_call_id == value("provider_call_id"))
    .order_by(_event.c.id)
)


def note(tx: Tx, due: Due, enquiry_id: int, judged: Judged, now: datetime) -> None:
    """Write what is new since the last look: an enquiry is looked at again for many reasons, mostly in vain."""
    told = ledger.looks(tx, due.tenant_id, enquiry_id)
    entries = []
    seen = {one for kind, facts in told if kind == Kind.EVENTS_TAKEN for one in facts["events"]}
    fresh = [row for row in _events(tx, due) if row[0] not in seen] if due.kind == CALL else []
    if fresh:
        facts = {"events": [one for one, _ in fresh], "kinds": [kind for _, kind in fresh]}
        entries.append(Entry(Kind.EVENTS_TAKEN, now, enquiry_id, facts=facts))
    judgement = {"qualified": judged.verdict.qualified, "first_time": judged.first_time}
    if judgement != next((facts for kind, facts in reversed(told) if kind == Kind.JUDGED), None):
        entries.append(Entry(Kind.JUDGED, now, enquiry_id, facts=judgement))
    ledger.write(tx, due.tenant_id, *entries)


def _events(tx: Tx, due: Due) -> list[tuple[int, str]]:
    account_id, provider_call_id = due.call
    asked = {"tenant_id": due.tenant_id, "account_id": account_id, "provider_call_id": provider_call_id}
    return [(row.id, row.kind) for row in tx.execute(_EVENTS, asked)]
