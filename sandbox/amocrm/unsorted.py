"""The methods of unsorted: add sip and forms, list, accept, decline, summary (sheet section 3.14)."""

from collections.abc import Iterable
from typing import Any

from sandbox.amocrm.changes import announce_added, card_trashed, card_updated, cards_linked, snapshot
from sandbox.amocrm.errors import Flaw, Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, paged, self_link, wrapped
from sandbox.amocrm.model import Incoming
from sandbox.amocrm.notes import store_note
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, Card
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.amocrm.unsorted_cards import MANDATORY, cards_of, put_into_unsorted
from sandbox.amocrm.writing import check_card, create_card
from sandbox.brackets import below
from sandbox.wire import Answer


def add_unsorted(turn: Turn, category: str) -> Answer:
    """POST /leads/unsorted/sip and /forms."""
    if not turn.account.dial["unsorted_on"]:
        raise refuse(403, "Unsorted is switched off")
    sent = turn.sent_list()
    seen: set[tuple[object, ...]] = set()

    def check(one: Sent, flaws: Flaws) -> None:
        _check(turn, category, one, flaws)
        _check_double(turn, category, one, seen, flaws)

    def apply(one: Sent) -> Json:
        incoming = _add(turn, category, one)
        return {
            "uid": incoming.uid,
            "account_id": turn.account.id,
            "request_id": one["request_id"],
            "_links": self_link(f"{turn.api}/leads/unsorted/{incoming.uid}"),
            "_embedded": cards_of(turn, incoming),
        }

    return wrapped(turn, "unsorted", write_batch(turn, sent, check, apply), total=True)


def _check(turn: Turn, category: str, one: Sent, flaws: Flaws) -> None:
    missing = turn.account.dial["missing_key_code"]
    for key in ("source_name", "source_uid", "metadata"):
        if one.get(key) is None:
            flaws.missing(missing, key)
        elif key != "metadata" and not isinstance(one[key], str):
            flaws.type(key, "string")
    metadata = one.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        flaws.type("metadata", "array")
    elif metadata is not None:
        for key in MANDATORY[category]:
            if metadata.get(key) is None:
                flaws.missing(missing, f"metadata.{key}")
    if one.get("pipeline_id") is not None and (
        not is_id(one["pipeline_id"]) or one["pipeline_id"] not in turn.account.pipelines
    ):
        flaws.choice("pipeline_id")
    for kind, inner in _inner(one):
        found = Flaws()
        check_card(turn, kind, inner, found)
        flaws.found += [Flaw(flaw.code, f"_embedded.{kind}.0.{flaw.path}", flaw.detail) for flaw in found.found]


def _inner(one: Sent) -> Iterable[tuple[str, Sent]]:
    embedded = one.get("_embedded")
    for kind in (LEADS, CONTACTS, COMPANIES):
        held = embedded.get(kind) if isinstance(embedded, dict) else None
        if isinstance(held, list) and held and isinstance(held[0], dict):
            yield kind, held[0]


def _check_double(turn: Turn, category: str, one: Sent, seen: set[tuple[object, ...]], flaws: Flaws) -> None:
    if turn.account.dial["unsorted_duplicates"] == "allowed" or flaws.found:
        return
    key = (category, one["source_uid"], str(one["metadata"].get("uniq")))
    pending = {
        (known.category, known.source_uid, str(known.metadata.get("uniq")))
        for known in turn.account.incoming.values()
        if known.state == "pending"
    }
    if key in pending or key in seen:
        flaws.other("DuplicateEntity", "source_uid", "Such an entity is in unsorted already.")
    seen.add(key)


def _add(turn: Turn, category: str, one: Sent) -> Incoming:
    inner = dict(_inner(one))
    shared = {key: one[key] for key in ("pipeline_id", "created_at") if one.get(key) is not None}
    cards: dict[str, Card | None] = {
        kind: create_card(turn, kind, {**inner[kind], **shared}, True) if kind in inner else None
        for kind in (CONTACTS, COMPANIES)
    }
    lead = create_card(turn, LEADS, {**inner.get(LEADS, {}), **shared}, True)
    for kind in (CONTACTS, COMPANIES):
        other = cards[kind]
        if other is not None:
            cards_linked(turn.account, lead, other, kind == CONTACTS)
    metadata = {**one["metadata"], "category": category}
    incoming = put_into_unsorted(turn, lead, cards[CONTACTS], cards[COMPANIES], metadata, one)
    del incoming.metadata["category"]
    if category == "sip" and metadata.get("is_call_event_needed"):
        params = {key: metadata[key] for key in ("uniq", "duration", "link", "phone", "call_responsible")}
        params["source"] = metadata.get("service_code")
        store_note(turn, cards[CONTACTS] or lead, {"note_type": "call_in", "params": params})
    return incoming


def list_unsorted(turn: Turn) -> Answer:
    """GET /leads/unsorted: what waits; the filters are free."""
    uids, categories, pipelines = (set(turn.filter_list(name)) for name in ("uid", "category", "pipeline_id"))
    found = [
        one
        for one in turn.account.incoming.values()
        if one.state == "pending"
        and (not uids or one.uid in uids)
        and (not categories or one.category in categories)
        and (not pipelines or str(one.pipeline_id) in pipelines)
        and turn.account.searchable(one.born)
    ]
    order = below(turn.params, "order")
    found.sort(key=lambda one: one.created_at, reverse="desc" in order.values())
    return paged(turn, "unsorted", found, lambda one: _model(turn, one))


def one_unsorted(turn: Turn, uid: str) -> Answer:
    """GET /leads/unsorted/{uid}."""
    found = turn.account.incoming.get(uid)
    return NO_CONTENT if found is None or found.state != "pending" else hal(_model(turn, found))


def _model(turn: Turn, one: Incoming) -> Json:
    return {
        "uid": one.uid,
        "source_uid": one.source_uid,
        "source_name": one.source_name,
        "category": one.category,
        "pipeline_id": one.pipeline_id,
        "created_at": one.created_at,
        "metadata": _odd_types(one.metadata) if _odd(turn) else one.metadata,
        "account_id": turn.account.id,
        "_links": self_link(f"{turn.api}/leads/unsorted/{one.uid}"),
        "_embedded": cards_of(turn, one),
    }


def _odd(turn: Turn) -> bool:
    return bool(turn.account.dial["unsorted_metadata_types"] == "odd")


def _odd_types(metadata: dict[str, Any]) -> dict[str, Any]:
    """Observed: a duration comes back as a string, a phone as an int."""
    shown = dict(metadata)
    if isinstance(shown.get("duration"), int):
        shown["duration"] = str(shown["duration"])
    digits = str(shown.get("phone", "")).removeprefix("+")
    if digits.isdecimal():
        shown["phone"] = int(digits)
    return shown


def _pending(turn: Turn, uid: str) -> Incoming:
    found = turn.account.incoming.get(uid)
    if found is None or found.state != "pending":
        raise refuse(404, "Unsorted not found")
    return found


def _sent_user(turn: Turn) -> tuple[Sent, int]:
    sent = turn.sent_object() if turn.ask.body.strip() not in (b"", b"{}", b"[]") else {}
    user_id = sent.get("user_id") or turn.user.id
    if not is_id(user_id) or user_id not in turn.account.users:
        raise Refusal(validation_answer([("0", [Flaw("NotSupportedChoice", "user_id")])]))
    return sent, user_id


def accept(turn: Turn, uid: str) -> Answer:
    """POST /leads/unsorted/{uid}/accept: the cards become visible on the first or the named stage."""
    incoming = _pending(turn, uid)
    if turn.born - incoming.born < turn.account.dial["unsorted_fresh_seconds"]:
        raise refuse(400, "Request validation failed")
    sent, user_id = _sent_user(turn)
    account = turn.account
    pipeline = account.pipelines[incoming.pipeline_id]
    status_id = sent.get("status_id") or pipeline.first.id
    if pipeline.stage(status_id) is None:
        raise Refusal(validation_answer([("0", [Flaw("NotSupportedChoice", "status_id")])]))
    _sorted(turn, incoming, "accepted")
    for kind, ids in ((CONTACTS, incoming.contact_ids), (COMPANIES, incoming.company_ids)):
        for id_ in ids:
            account.store.shelves[kind].cards[id_].in_unsorted = False
    lead = account.store.shelves[LEADS].cards[incoming.lead_id]
    before = snapshot(lead)
    lead.in_unsorted, lead.status_id = False, status_id
    lead.responsible_user_id = lead.updated_by = user_id
    account.store.shelves[LEADS].moved(lead, turn.now)
    card_updated(account, lead, before)
    if account.dial["accept_fires_add_lead"]:
        announce_added(account, lead)
    result = {"leads": [incoming.lead_id], "contacts": incoming.contact_ids}
    _tell_gone(turn, incoming, "accept", user_id, {"accept_result": result})
    return hal(_sorted_model(turn, incoming))


def decline(turn: Turn, uid: str) -> Answer:
    """DELETE /leads/unsorted/{uid}/decline: the lead is deleted."""
    incoming = _pending(turn, uid)
    _, user_id = _sent_user(turn)
    _sorted(turn, incoming, "declined")
    lead = turn.account.store.shelves[LEADS].cards[incoming.lead_id]
    lead.in_unsorted = False  # it is in the trash bin now, as any deleted lead
    card_trashed(turn.account, lead, user_id)
    _tell_gone(turn, incoming, "decline", user_id, {"decline_result": {"leads": [incoming.lead_id]}})
    return hal(_sorted_model(turn, incoming))


def _sorted(turn: Turn, incoming: Incoming, state: str) -> None:
    incoming.state, incoming.sorted_at = state, turn.now
    turn.account.store.changes += 1


def _tell_gone(turn: Turn, incoming: Incoming, action: str, user_id: int, result: dict[str, Any]) -> None:
    form = {
        "action": action,
        "uid": incoming.uid,
        "category": incoming.category,
        "created_at": incoming.created_at,
        "modified_user_id": user_id,
        **result,
    }
    turn.account.sender.tell_other("delete_unsorted", "unsorted", "delete", form)


def _sorted_model(turn: Turn, incoming: Incoming) -> Json:
    return {
        "uid": incoming.uid,
        "pipeline_id": incoming.pipeline_id,
        "category": incoming.category,
        "created_at": incoming.created_at,
        "_embedded": cards_of(turn, incoming),
    }


def link_unsorted(turn: Turn, uid: str) -> Answer:
    """POST /leads/unsorted/{uid}/link is for chats only; sip and forms are refused."""
    _pending(turn, uid)
    raise refuse(400, "Only chats can be linked")


def summary(turn: Turn) -> Answer:
    """GET /leads/unsorted/summary."""
    span = turn.filter("created_at")
    low, high = (
        int(said) if isinstance(said := span.get(key), str) and said.isdecimal() else None for key in ("from", "to")
    )
    uids, pipelines = (set(turn.filter_list(name)) for name in ("uid", "pipeline_id"))
    found = [
        one
        for one in turn.account.incoming.values()
        if (low is None or one.created_at >= low)
        and (high is None or one.created_at <= high)
        and (not uids or one.uid in uids)
        and (not pipelines or str(one.pipeline_id) in pipelines)
    ]
    done = [one for one in found if one.sorted_at is not None]
    spent = sum((one.sorted_at or 0) - one.created_at for one in done)
    body = {
        "total": len(found),
        "accepted": sum(one.state == "accepted" for one in found),
        "declined": sum(one.state == "declined" for one in found),
        "average_sort_time": spent // len(done) if done else 0,
        "categories": {
            category: {"total": sum(one.category == category for one in found)}
            for category in ("sip", "mail", "forms", "chats")
        },
        "_links": self_link(f"{turn.api}/leads/unsorted/summary"),
    }
    return hal(body)
