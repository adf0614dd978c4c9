"""POST /calls: amoCRM itself chooses the card; an unknown phone adds nothing (sheet section 3.13)."""

from typing import Any

from sandbox.amocrm.errors import Flaws, Refusal, validation_answer
from sandbox.amocrm.hal import HAL, Json, hal, self_link
from sandbox.amocrm.notes import store_note
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, SINGULAR, Card
from sandbox.amocrm.turn import Sent, Turn, is_id
from sandbox.wire import Answer, json_answer

NOTE_TYPES = {"inbound": "call_in", "outbound": "call_out"}
_PARAMS = ("uniq", "duration", "source", "link", "phone", "call_responsible", "call_status", "call_result")
NOT_FOUND = "Не найдена сущность с указанным номером телефона"


def add_calls(turn: Turn) -> Answer:
    """POST /calls: partial by design, what was not placed is told in `errors`."""
    sent = turn.sent_list()
    flawed = [(one["request_id"], flaws.found) for one in sent if (flaws := _flaws(turn, one)).found]
    if flawed:
        raise Refusal(validation_answer(flawed))
    placed: list[Json] = []
    errors: list[Json] = []
    for one in sent:
        card = choose_card(turn, one["phone"])
        if card is None:
            errors.append(_error(turn, one))
        else:
            placed.append(_place(turn, card, one))
    body = {"_total_items": len(placed), "errors": errors, "_embedded": {"calls": placed}}
    if not errors:
        return hal(body)
    status = turn.account.dial["calls_mixed_status"] if placed else 400
    return json_answer(status, body, HAL)


def _flaws(turn: Turn, one: Sent) -> Flaws:
    flaws = Flaws()
    for key in ("direction", "duration", "source", "phone"):
        if one.get(key) is None:
            flaws.missing(turn.account.dial["missing_key_code"], key)
    if one.get("direction") is not None and str(one["direction"]) not in NOTE_TYPES:
        flaws.choice("direction")
    if one.get("duration") is not None and not is_id(one["duration"]):
        flaws.type("duration", "int")
    for key in ("source", "phone"):
        if one.get(key) is not None and not isinstance(one[key], str):
            flaws.type(key, "string")
    if one.get("call_status") is not None and one["call_status"] not in range(1, 9):
        flaws.choice("call_status")
    for key in ("created_by", "responsible_user_id"):
        if one.get(key) and (not is_id(one[key]) or one[key] not in turn.account.users):
            flaws.choice(key)
    if turn.account.dial["uniq_enforced"] and _known(turn, one.get("uniq")):
        flaws.other("NotUnique", "uniq", "A call with this uniq exists.")
    return flaws


def _known(turn: Turn, uniq: object) -> bool:
    held = turn.account.store.notes.values()
    return uniq is not None and any(note.params.get("uniq") == uniq for one in held for note in one.values())


def choose_card(turn: Turn, phone: str) -> Card | None:
    """The only active lead of whoever has these last 10 digits, else the person's or company's own card."""
    store = turn.account.store
    for kind in (CONTACTS, COMPANIES):
        people = [card for card in store.shelves[kind].with_phone(phone) if not card.in_unsorted]
        if people:
            person = people[0]
            leads = [store.card(LEADS, id_) for id_ in person.linked(LEADS)]
            active = [lead for lead in leads if lead and lead.is_open_lead]
            return active[0] if len(active) == 1 else person
    return None


def _place(turn: Turn, card: Card, one: Sent) -> Json:
    params: dict[str, Any] = {key: one[key] for key in _PARAMS if one.get(key) is not None}
    note = {
        "note_type": NOTE_TYPES[one["direction"]],
        "params": params,
        "created_by": one.get("created_by"),
        "responsible_user_id": one.get("responsible_user_id"),
        "created_at": one.get("created_at"),
    }
    stored = store_note(turn, card, note)
    links = self_link(f"{turn.api}/{card.kind}/{card.id}")
    return {
        "id": stored.id,
        "entity_id": card.id,
        "entity_type": SINGULAR[card.kind],
        "account_id": turn.account.id,
        "request_id": one["request_id"],
        "_embedded": {"entity": {"id": card.id, "_links": links}},
    }


def _error(turn: Turn, one: Sent) -> Json:
    told: Json = {"title": "Entity not found"}
    if turn.account.dial["calls_error_keys"] == "full":
        told |= {"status": 404, "detail": NOT_FOUND, "request_id": one["request_id"]}
    return told
