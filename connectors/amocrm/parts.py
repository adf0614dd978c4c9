"""What is sent for one delivery: the deal with its contact, the call, its notes and tasks, as amoCRM reads
them.
"""

from collections.abc import Mapping
from datetime import timedelta

from connectors.amocrm.account import Fields
from connectors.amocrm.api import Json
from connectors.amocrm.mappings import (
    CALL_NOTE,
    CALL_STATUS,
    FIELD_CAP,
    FOLLOW_UP,
    MARKER_CODE,
    MOST_FIELD_VALUES,
    NAME_CAP,
    NOTE_CAP,
    SERVICE,
    TEXT_NOTE,
    TRACKING,
)
from connectors.amocrm.settings import Settings
from connectors.marks import signed
from connectors.protocol import Delivery
from connectors.scenario import CALL_OVER, AddNote, AddTask, CreateDeal, Enquiry, Plan
from connectors.telling import Said
from tracking_core.phone import national


class NoId(ValueError):
    """The scenario or the settings name something by what is not an id of amoCRM."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


def mark(delivery: Delivery, step: int) -> str:
    """Return the mark of the ``step``-th text of a delivery: the marker, then ``marker#2`` and so on."""
    return delivery.marker if step == 0 else f"{delivery.marker}#{step + 1}"


def deal(
    delivery: Delivery,
    action: CreateDeal,
    contact: str | None,
    fields: Fields,
    settings: Settings,
    refused: set[str],
    company: str | None = None,
    metadata: Json | None = None,
) -> Json:
    """Return a deal for leads/complex [3.7]; raises ``NoId`` for an id that is not a number.

    ``refused`` are codes of fields the account did not accept: they are left out. Our own field comes first. A company
    that is named and has no id yet is a new one. With ``metadata`` it waits in unsorted.
    """
    enquiry = delivery.what.enquiry
    body: Json = {
        "name": action.name[:NAME_CAP],
        "request_id": delivery.id,
        "custom_fields_values": _field_values(delivery, action, fields, refused),
    }
    # The stage of the settings belongs to the pipeline of the settings.
    stage = action.stage or (settings.stage if not action.pipeline else None)
    place = {
        "pipeline_id": action.pipeline or settings.pipeline,
        "status_id": stage,
        "responsible_user_id": action.responsible or settings.responsible,
    }
    body |= {key: number(id_, key) for key, id_ in place.items() if id_}
    if action.tags:
        body["tags_to_add"] = [{"name": tag[:NAME_CAP]} for tag in action.tags]
    linked: Json = {}
    if contact:
        linked["contacts"] = [{"id": number(contact, "contact")}]
    elif enquiry.caller or enquiry.email:
        linked["contacts"] = [_new_contact(enquiry)]
    if action.company:
        linked["companies"] = [{"id": number(company, "company")} if company else {"name": action.company[:NAME_CAP]}]
    if metadata:
        linked["metadata"] = metadata
    if linked:
        body["_embedded"] = linked
    return body


def _new_contact(enquiry: Enquiry) -> Json:
    """A contact by which the person is found again: with his phone, his e-mail, or both."""
    ways = {"PHONE": enquiry.caller, "EMAIL": enquiry.email}
    name = tidy(enquiry.person) or (national(enquiry.caller) if enquiry.caller else enquiry.email or "")
    return {
        "first_name": name[:NAME_CAP],
        "custom_fields_values": [
            {"field_code": code, "values": [{"value": value, "enum_code": "WORK"}]}
            for code, value in ways.items()
            if value
        ],
    }


def _field_values(delivery: Delivery, action: CreateDeal, fields: Fields, refused: set[str]) -> list[Json]:
    wanted: dict[str, str] = {}
    for key, text in delivery.what.enquiry.source.items():
        code = TRACKING.get(key.lower())
        if code:
            wanted[code] = text
    wanted |= own_values(delivery.what)
    wanted |= {code: one.text for code, one in action.fields.items()}
    values = [_value({"field_id": number(fields.ids[MARKER_CODE], MARKER_CODE)}, delivery.marker)]
    for code, text in wanted.items():
        told = tidy(text)
        if told and code in fields.ids and code not in refused and code != MARKER_CODE:
            values.append(field_value(code, fields.ids, told))
    return values[:MOST_FIELD_VALUES]


def own_values(plan: Plan) -> dict[str, str]:
    """Return what our own fields say of an enquiry, by code; only what is known."""
    enquiry, told = plan.enquiry, plan.enquiry.source
    source = " / ".join(told[key] for key in ("utm_source", "utm_medium") if told.get(key))
    values = {
        "HUB_SOURCE": source or told.get("referrer", "") or told.get("channel", ""),
        "HUB_CAMPAIGN": told.get("utm_campaign", ""),
        "HUB_KEYWORD": told.get("utm_term", ""),
        "HUB_LANDING": _address(told.get("landing", "")),
        "HUB_NUMBER": national(enquiry.dialled) if enquiry.dialled else "",
        "HUB_CONFIDENCE": f"{enquiry.confidence:.0%}" if enquiry.confidence is not None else "",
        "HUB_SCENARIO": str(plan.scenario_version),
    }
    return {code: text for code, text in values.items() if text}


def _address(landing: str) -> str:
    """Return an address that opens: one that is too long goes without its parameters."""
    whole = landing if len(landing) <= FIELD_CAP else landing.partition("?")[0]
    return whole if whole.startswith(("https://", "http://")) and len(whole) <= FIELD_CAP else ""


def field_value(code: str, ids: Mapping[str, str], text: str) -> Json:
    """Return the value of a field as amoCRM takes it; raises ``NoId``."""
    return _value(_named(code, ids), text)


def _named(code: str, ids: Mapping[str, str]) -> Json:
    return {"field_code": code} if code in TRACKING.values() else {"field_id": number(ids[code], code)}


def _value(field: Json, text: str) -> Json:
    return {**field, "values": [{"value": text}]}


def field_code(body: Json, index: int, fields: Fields) -> str | None:
    """Return the code of the ``index``-th field value of a deal we built."""
    values = body["custom_fields_values"]
    if not 0 <= index < len(values):
        return None
    if "field_code" in values[index]:
        return str(values[index]["field_code"])
    wanted = str(values[index]["field_id"])
    return next((code for code, id_ in fields.ids.items() if id_ == wanted), None)


def is_told(plan: Plan) -> bool:
    """Says whether the deal gets a call as such: one is over, and its caller is known."""
    return plan.trigger in CALL_OVER and plan.enquiry.caller is not None


def call(delivery: Delivery, deal_id: str, responsible: str | None) -> Json | None:
    """Return the call as a note of the deal [3.13]; None for an anonymous caller, who has no phone."""
    plan, enquiry = delivery.what, delivery.what.enquiry
    if not is_told(plan):
        return None
    status, result = CALL_STATUS[plan.trigger]
    params: Json = {
        "uniq": delivery.marker,
        "duration": max(enquiry.talk_s, 0),
        "source": SERVICE,
        "phone": enquiry.caller,
        "call_status": status,
        "call_result": result,
    }
    if enquiry.recording_url:
        params["link"] = enquiry.recording_url
    if enquiry.operator or responsible:
        params["call_responsible"] = enquiry.operator or number(responsible, "responsible")
    return {**_note(plan, deal_id, CALL_NOTE, params), **_author(responsible)}


def text(delivery: Delivery, action: AddNote, step: int, deal_id: str) -> Json:
    """Return the source in words as a service note of the deal; its last line is our mark."""
    enquiry = delivery.what.enquiry
    lines = [_cut(action.text, NOTE_CAP), signed(mark(delivery, step), delivery.what.scenario_version)]
    if not enquiry.caller and enquiry.recording_url and enquiry.recording_url not in action.text:
        lines.insert(1, enquiry.recording_url)
    params = {"service": SERVICE, "text": "\n".join(line for line in lines if line)}
    return _note(delivery.what, deal_id, TEXT_NOTE, params)


def task(delivery: Delivery, action: AddTask, step: int, deal_id: str, settings: Settings) -> Json:
    """Return a task of the deal, due from the start of the enquiry; its last line is our mark [3.12]."""
    due = delivery.what.enquiry.started_at + timedelta(minutes=action.due_minutes)
    body: Json = {
        "text": f"{_cut(action.text, NOTE_CAP)}\n{signed(mark(delivery, step), delivery.what.scenario_version)}",
        "complete_till": int(due.timestamp()),
        "entity_id": number(deal_id, "deal"),
        "entity_type": "leads",
        "task_type_id": FOLLOW_UP,
    }
    responsible = action.responsible or settings.responsible
    if responsible:
        body["responsible_user_id"] = number(responsible, "responsible")
    return body


def _note(plan: Plan, deal_id: str, note_type: str, params: Json) -> Json:
    started = int(plan.enquiry.started_at.timestamp())
    return {
        "entity_id": number(deal_id, "deal"),
        "note_type": note_type,
        "created_at": started,
        "params": params,
    }


def _author(responsible: str | None) -> Json:
    # The call counts in amoCRM's analytics only when both are the same real user [3.13].
    user = number(responsible, "responsible") if responsible else None
    return {"created_by": user, "responsible_user_id": user} if user else {}


def number(id_: str | None, what: str) -> int:
    """Return an id as amoCRM wants it; raises ``NoId`` for anything but digits."""
    if not id_ or not (id_.isascii() and id_.isdigit()):
        raise NoId(Said("no_id", {"what": what, "id": str(id_)[:NAME_CAP]}))
    return int(id_)


def tidy(value: str) -> str:
    """Return a text of one line without signs that cannot be printed, as a field takes it."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return _cut(" ".join(value.split()), FIELD_CAP)


def _cut(value: str, cap: int) -> str:
    return value if len(value) <= cap else value[: cap - 1] + "…"
