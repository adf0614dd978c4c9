"""Cards that wait in unsorted: how they are put there and how they look (sheet section 3.14)."""

from typing import Any

from sandbox.amocrm.hal import Json, self_link
from sandbox.amocrm.model import Incoming
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, Card
from sandbox.amocrm.turn import Sent, Turn

UID_LENGTH = 60
MANDATORY = {
    "sip": (
        *("phone", "from", "call_responsible", "called_at", "duration", "link"),
        *("service_code", "uniq", "is_call_event_needed"),
    ),
    "forms": ("form_id", "form_name", "form_page", "ip", "form_sent_at", "referer"),
}


def put_into_unsorted(
    turn: Turn, lead: Card, contact: Card | None, company: Card | None, metadata: dict[str, Any], sent: Sent
) -> Incoming:
    """Registers cards made in the unsorted state as one incoming lead."""
    account = turn.account
    incoming = Incoming(
        uid=account.ids.hex(UID_LENGTH),
        category=str(metadata.get("category", "sip")),
        source_uid=sent.get("source_uid"),
        source_name=sent.get("source_name"),
        pipeline_id=lead.pipeline_id,
        created_at=lead.created_at,
        born=turn.born,
        metadata=dict(metadata),
        lead_id=lead.id,
        contact_ids=[contact.id] if contact else [],
        company_ids=[company.id] if company else [],
    )
    account.incoming[incoming.uid] = incoming
    account.store.changes += 1
    form = _added_form(turn, incoming, sent)
    account.sender.tell_other("add_unsorted", "unsorted", "add", form)
    return incoming


def _added_form(turn: Turn, incoming: Incoming, sent: Sent) -> dict[str, Any]:
    source = {key: value for key, value in incoming.metadata.items() if value is not None}
    return {
        "uid": incoming.uid,
        "category": incoming.category,
        "source_data": source,
        "data": {
            "leads": [{"id": incoming.lead_id}],
            "contacts": [{"id": id_} for id_ in incoming.contact_ids],
        },
        "pipeline_id": incoming.pipeline_id,
        "account_id": turn.account.id,
        "source_id": "",
        "lead_id": incoming.lead_id,
        "request_id": sent.get("request_id"),
        "created_at": incoming.created_at,
        "date_create": incoming.created_at,
    }


def cards_of(turn: Turn, incoming: Incoming) -> Json:
    """Returns `_embedded` with the cards of an incoming lead."""
    return {
        CONTACTS: [_ref(turn, CONTACTS, id_) for id_ in incoming.contact_ids],
        LEADS: [_ref(turn, LEADS, incoming.lead_id)],
        COMPANIES: [_ref(turn, COMPANIES, id_) for id_ in incoming.company_ids],
    }


def _ref(turn: Turn, kind: str, id_: int) -> Json:
    return {"id": id_, "_links": self_link(f"{turn.api}/{kind}/{id_}")}
