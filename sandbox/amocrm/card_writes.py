"""POST and PATCH of /leads, /contacts and /companies (sheet sections 3.6, 3.8)."""

from sandbox.amocrm.errors import Flaw, Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.hal import Json, hal, self_link, wrapped
from sandbox.amocrm.people import allow
from sandbox.amocrm.store import LEADS, Card
from sandbox.amocrm.turn import Sent, Turn, write_batch
from sandbox.amocrm.writing import check_card, check_new, create_card, patch_card
from sandbox.wire import Answer


def add_cards(turn: Turn, kind: str) -> Answer:
    """POST /leads, /contacts, /companies: ids and request ids in the order of the request."""
    allow(turn, kind, "add")
    sent = turn.sent_list()

    def apply(one: Sent) -> Json:
        card = create_card(turn, kind, one)
        return {"id": card.id, "request_id": one["request_id"], "_links": self_link(_href(turn, card))}

    made = write_batch(turn, sent, lambda one, flaws: check_new(turn, kind, one, flaws), apply)
    return wrapped(turn, kind, made)


def patch_cards(turn: Turn, kind: str) -> Answer:
    """PATCH of an array; an unknown id flaws its item."""
    sent = turn.sent_list()

    def check(one: Sent, flaws: Flaws) -> None:
        card = turn.account.store.card(kind, one.get("id"))
        if card is None:
            flaws.other(turn.account.dial["patch_missing_code"], "id", f"{kind} with this id not found")
            return
        allow(turn, kind, "edit", card)
        _check_patch(turn, card, one, flaws)

    def apply(one: Sent) -> Json:
        card = turn.account.store.shelves[kind].cards[one["id"]]
        return _patched(turn, patch_card(turn, card, one)) | {"request_id": one["request_id"]}

    return wrapped(turn, kind, write_batch(turn, sent, check, apply))


def patch_one_card(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH of one card: the bare model comes back."""
    sent = turn.sent_object()
    card = turn.account.store.card(kind, int(id))
    if card is None:
        raise _missing(turn, kind)
    allow(turn, kind, "edit", card)
    flaws = Flaws()
    _check_patch(turn, card, sent, flaws)
    if flaws.found:
        raise Refusal(validation_answer([(sent.get("request_id", "0"), flaws.found)]))
    return hal(_patched(turn, patch_card(turn, card, sent)))


def _missing(turn: Turn, kind: str) -> Refusal:
    detail = f"{kind} with this id not found"
    if turn.account.dial["patch_missing_single"] == 404:
        return refuse(404, detail)
    return Refusal(validation_answer([("0", [Flaw(turn.account.dial["patch_missing_code"], "id", detail)])]))


def _check_patch(turn: Turn, card: Card, sent: Sent, flaws: Flaws) -> None:
    check_card(turn, card.kind, sent, flaws)
    status_id = sent.get("status_id")
    if card.kind == LEADS and isinstance(status_id, int) and not sent.get("pipeline_id"):
        stage = turn.account.pipelines[card.pipeline_id].stage(status_id)
        if stage is None and not any(flaw.path == "status_id" for flaw in flaws.found):
            flaws.choice("status_id")


def _patched(turn: Turn, card: Card) -> Json:
    named = {} if card.kind == LEADS else {"name": card.name}
    return {"id": card.id, **named, "updated_at": card.updated_at, "_links": self_link(_href(turn, card))}


def _href(turn: Turn, card: Card) -> str:
    return f"{turn.api}/{card.kind}/{card.id}"
