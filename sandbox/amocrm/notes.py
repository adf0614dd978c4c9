"""Notes of cards in all their forms (sheet section 3.13)."""

from collections.abc import Iterable

from sandbox.amocrm.cards import found_or_refused
from sandbox.amocrm.errors import Flaw, Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, paged, self_link, wrapped
from sandbox.amocrm.note_form import note_fields
from sandbox.amocrm.store import SINGULAR, Card, Note
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.brackets import below
from sandbox.wire import Answer

MANDATORY = {
    "common": ("text",),
    "call_in": (),
    "call_out": (),
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "geolocation": (),
    "attachment": ("file_uuid",),
    "message_cashier": (),
}
CALL_LINES = {"call_in": "incoming_call", "call_out": "outgoing_call"}


def add_notes(turn: Turn, kind: str, id: str | None = None) -> Answer:  # noqa: A002 - the name of the path parameter
    """POST /{kind}/notes and /{kind}/{id}/notes."""
    if id is not None:
        found_or_refused(turn, kind, id)
    sent = turn.sent_list()
    for one in sent:
        one["entity_id"] = int(id) if id is not None else one.get("entity_id")

    def apply(one: Sent) -> Json:
        card = turn.account.store.shelves[kind].cards[one["entity_id"]]
        note = store_note(turn, card, one)
        return {
            "id": note.id,
            "entity_id": note.entity_id,
            "request_id": one["request_id"],
            "_links": self_link(_href(turn, note)),
        }

    return wrapped(turn, "notes", write_batch(turn, sent, lambda one, flaws: _check(turn, kind, one, flaws), apply))


def _check(turn: Turn, kind: str, one: Sent, flaws: Flaws) -> None:
    missing = turn.account.dial["missing_key_code"]
    if one.get("entity_id") is None:
        flaws.missing(missing, "entity_id")
    elif turn.account.store.card(kind, one["entity_id"]) is None:
        flaws.choice("entity_id")
    if one.get("note_type") is None:
        flaws.missing(missing, "note_type")
    elif str(one["note_type"]) not in MANDATORY:
        flaws.choice("note_type")
    _check_params(turn, one, flaws)
    for key in ("created_by", "responsible_user_id", "created_at"):
        _check_number(turn, one, key, flaws)


def _check_params(turn: Turn, one: Sent, flaws: Flaws) -> None:
    params = one.get("params")
    if params is None:
        flaws.missing(turn.account.dial["missing_key_code"], "params")
        return
    if not isinstance(params, dict):
        flaws.type("params", "array")
        return
    for key in MANDATORY.get(str(one.get("note_type")), ()):
        if params.get(key) is None:
            flaws.missing(turn.account.dial["missing_key_code"], f"params.{key}")
    if params.get("duration") is not None and not is_id(params["duration"]):
        flaws.type("params.duration", "int")
    if turn.account.dial["uniq_enforced"] and _known_uniq(turn, params.get("uniq")):
        flaws.other("NotUnique", "params.uniq", "A call with this uniq exists.")


def _known_uniq(turn: Turn, uniq: object) -> bool:
    notes = turn.account.store.notes.values()
    return uniq is not None and any(note.params.get("uniq") == uniq for held in notes for note in held.values())


def _check_number(turn: Turn, one: Sent, key: str, flaws: Flaws) -> None:
    value = one.get(key)
    if value is None:
        return
    if not is_id(value):
        flaws.type(key, "int")
    elif key != "created_at" and value and not turn.account.takes_user(value):
        flaws.choice(key)


def store_note(turn: Turn, card: Card, one: Sent) -> Note:
    """Stores one checked note and tells history and webhooks."""
    account = turn.account
    made_by = one["created_by"] if one.get("created_by") is not None else turn.user.id
    made_at = one.get("created_at") or turn.now
    note = Note(
        id=account.ids.next("note"),
        kind=card.kind,
        entity_id=card.id,
        note_type=one["note_type"],
        params=dict(one["params"]),
        created_by=made_by,
        updated_by=made_by,
        created_at=made_at,
        updated_at=turn.now,
        responsible_user_id=one.get("responsible_user_id") or turn.user.id,
        group_id=card.group_id,
        born=turn.born,
    )
    account.store.notes[card.kind][note.id] = note
    account.store.notes_of.setdefault((card.kind, card.id), []).append(note.id)
    account.store.changes += 1
    line = CALL_LINES.get(note.note_type)
    if line:
        after = [{"note": {"id": note.id}}]
        account.history.add(account.now(), line, (SINGULAR[card.kind], card.id), made_by, after, [])
    account.sender.tell("note", card, {"note": note_fields(account, note)})
    return note


def list_notes(turn: Turn, kind: str, id: str | None = None) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /{kind}/notes and /{kind}/{id}/notes; the filters are free here."""
    if id is not None and turn.account.store.card(kind, int(id)) is None:
        return NO_CONTENT
    notes = _asked(turn, kind, id)
    types, ids, cards = (set(turn.filter_list(name)) for name in ("note_type", "id", "entity_id"))
    span = [_number(turn.filter("updated_at").get(key)) for key in ("from", "to")]
    found = [
        note
        for note in notes
        if (not types or note.note_type in types)
        and (not ids or str(note.id) in ids)
        and (not cards or str(note.entity_id) in cards)
        and (span[0] is None or note.updated_at >= span[0])
        and (span[1] is None or note.updated_at <= span[1])
        and turn.account.searchable(note.born)
    ]
    order = below(turn.params, "order")
    if "updated_at" in order:
        found.sort(key=lambda note: (note.updated_at, note.id))
    if "desc" in (order.get("updated_at"), order.get("id")):
        found.reverse()
    return paged(turn, "notes", found, lambda note: note_model(turn, note))


def _asked(turn: Turn, kind: str, id_: str | None) -> Iterable[Note]:
    held = turn.account.store.notes[kind]
    cards = [id_] if id_ is not None else turn.filter_list("entity_id")
    if not cards:
        return held.values()
    numbers = [int(card) for card in cards if card.isdecimal()]
    return [held[note] for card in numbers for note in turn.account.store.notes_of.get((kind, card), ())]


def _number(said: object) -> int | None:
    return int(said) if isinstance(said, str) and said.isdecimal() else None


def one_note(turn: Turn, kind: str, note: str, id: str | None = None) -> Answer:  # noqa: A002
    """GET /{kind}/{id}/notes/{note} and /{kind}/notes/{note}."""
    found = _found(turn, kind, note, id)
    return NO_CONTENT if found is None else hal(note_model(turn, found))


def _found(turn: Turn, kind: str, note: str, id_: str | None) -> Note | None:
    found = turn.account.store.notes[kind].get(int(note))
    return found if found and id_ in (None, str(found.entity_id)) else None


def patch_notes(turn: Turn, kind: str, id: str | None = None) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /{kind}/notes and /{kind}/{id}/notes with an array."""
    sent = turn.sent_list()

    def check(one: Sent, flaws: Flaws) -> None:
        if not is_id(one.get("id")) or one["id"] not in turn.account.store.notes[kind]:
            flaws.other(turn.account.dial["patch_missing_code"], "id", "Note not found")

    def apply(one: Sent) -> Json:
        note = _changed(turn, turn.account.store.notes[kind][one["id"]], one)
        return _patched(turn, note) | {"request_id": one["request_id"]}

    return wrapped(turn, "notes", write_batch(turn, sent, check, apply))


def patch_note(turn: Turn, kind: str, note: str, id: str | None = None) -> Answer:  # noqa: A002
    """PATCH /{kind}/{id}/notes/{note}."""
    found = _found(turn, kind, note, id)
    if found is None and turn.account.dial["patch_missing_single"] == 404:
        raise refuse(404, "Note not found")
    if found is None:
        flaw = Flaw(turn.account.dial["patch_missing_code"], "id", "Note not found")
        raise Refusal(validation_answer([("0", [flaw])]))
    return hal(_patched(turn, _changed(turn, found, turn.sent_object())))


def _changed(turn: Turn, note: Note, one: Sent) -> Note:
    if isinstance(one.get("params"), dict):
        note.params = dict(one["params"])
    note.note_type = one.get("note_type") or note.note_type
    note.updated_at, note.updated_by = turn.now, turn.user.id
    turn.account.store.changes += 1
    return note


def _patched(turn: Turn, note: Note) -> Json:
    return {
        "id": note.id,
        "entity_id": note.entity_id,
        "updated_at": note.updated_at,
        "_links": self_link(_href(turn, note)),
    }


def note_model(turn: Turn, note: Note) -> Json:
    """Returns a note as GET shows it."""
    return {
        "id": note.id,
        "entity_id": note.entity_id,
        "created_by": note.created_by,
        "updated_by": note.updated_by,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "responsible_user_id": note.responsible_user_id,
        "group_id": note.group_id,
        "note_type": note.note_type,
        "params": note.params,
        "account_id": turn.account.id,
        "_links": self_link(_href(turn, note)),
    }


def _href(turn: Turn, note: Note) -> str:
    return f"{turn.api}/{note.kind}/{note.entity_id}/notes/{note.id}"
