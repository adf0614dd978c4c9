"""Links between cards: link, unlink, list, single and mass (sheet section 3.9)."""

from sandbox.amocrm.cards import found_or_refused
from sandbox.amocrm.changes import cards_linked, cards_unlinked, invoice_line
from sandbox.amocrm.errors import Flaws
from sandbox.amocrm.hal import NO_CONTENT, Json, wrapped
from sandbox.amocrm.invoices import ELEMENTS
from sandbox.amocrm.people import allow
from sandbox.amocrm.store import CARD_KINDS, LEADS, Card
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.amocrm.writing import LINKABLE
from sandbox.wire import Answer


def link(turn: Turn, kind: str, id: str | None = None) -> Answer:  # noqa: A002 - the name of the path parameter
    """POST /{kind}/{id}/link and /{kind}/link."""
    sent = _sent(turn, kind, id)

    def apply(one: Sent) -> Json:
        if one["to_entity_type"] == ELEMENTS:
            return _link_invoice(turn, one)
        card, other = _pair(turn, kind, one)
        is_main = bool((one.get("metadata") or {}).get("is_main"))
        cards_linked(turn.account, card, other, is_main)
        return _model(card, other, card.linked(other.kind)[other.id], with_owner=True)

    made = write_batch(turn, sent, lambda one, flaws: _check(turn, kind, one, flaws, True), apply)
    return wrapped(turn, "links", made, total=True)


def unlink(turn: Turn, kind: str, id: str | None = None) -> Answer:  # noqa: A002 - the name of the path parameter
    """POST /{kind}/{id}/unlink and /{kind}/unlink: 204."""
    sent = _sent(turn, kind, id)

    def apply(one: Sent) -> None:
        if one["to_entity_type"] == ELEMENTS:
            if turn.account.invoices.unlink(one["entity_id"], one["to_entity_id"]):
                invoice_line(turn.account, "entity_unlinked", one["entity_id"], one["to_entity_id"], turn.user.id)
            turn.account.store.changes += 1
            return
        cards_unlinked(turn.account, *_pair(turn, kind, one))

    write_batch(turn, sent, lambda one, flaws: _check(turn, kind, one, flaws, False), apply)
    return NO_CONTENT


def _sent(turn: Turn, kind: str, id_: str | None) -> list[Sent]:
    if id_ is not None:
        allow(turn, kind, "edit", found_or_refused(turn, kind, id_))
    sent = turn.sent_list()
    for one in sent:
        one["entity_id"] = int(id_) if id_ is not None else one.get("entity_id")
    return sent


def _check(turn: Turn, kind: str, one: Sent, flaws: Flaws, linking: bool) -> None:
    missing = turn.account.dial["missing_key_code"]
    for key in ("entity_id", "to_entity_id", "to_entity_type"):
        if one.get(key) is None:
            flaws.missing(missing, key)
    if flaws.found:
        return
    other_kind = one["to_entity_type"]
    if (kind, other_kind) == (LEADS, ELEMENTS):
        _check_invoice(turn, one, flaws)
        return
    if other_kind not in LINKABLE[kind]:
        flaws.choice("to_entity_type")
        return
    if not isinstance(one.get("metadata") or {}, dict):
        flaws.type("metadata", "array")
    card = turn.account.store.card(kind, one["entity_id"])
    other = turn.account.store.card(other_kind, one["to_entity_id"])
    if card is None:
        flaws.choice("entity_id")
    if other is None:
        flaws.choice("to_entity_id")
    again = linking and card and other and other.id in card.linked(other.kind)
    if again and turn.account.dial["link_again"] == "400":
        flaws.other("NotUnique", "to_entity_id", "These are linked already.")


def _check_invoice(turn: Turn, one: Sent, flaws: Flaws) -> None:
    if turn.account.store.card(LEADS, one["entity_id"]) is None:
        flaws.choice("entity_id")
    if not is_id(one["to_entity_id"]) or one["to_entity_id"] not in turn.account.invoices.elements:
        flaws.choice("to_entity_id")


def _link_invoice(turn: Turn, one: Sent) -> Json:
    if turn.account.invoices.link(one["entity_id"], one["to_entity_id"]):
        invoice_line(turn.account, "entity_linked", one["entity_id"], one["to_entity_id"], turn.user.id)
    turn.account.store.changes += 1
    return {"entity_id": one["entity_id"], "entity_type": LEADS} | _invoice_link(turn, one["to_entity_id"])


def _invoice_link(turn: Turn, id_: int) -> Json:
    metadata = {"quantity": 1, "catalog_id": turn.account.invoices.id}
    return {"to_entity_id": id_, "to_entity_type": ELEMENTS, "metadata": metadata}


def _pair(turn: Turn, kind: str, one: Sent) -> tuple[Card, Card]:
    shelves = turn.account.store.shelves
    return shelves[kind].cards[one["entity_id"]], shelves[one["to_entity_type"]].cards[one["to_entity_id"]]


def list_links(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /{kind}/{id}/links: items without entity_id and entity_type."""
    card = found_or_refused(turn, kind, id)
    return wrapped(turn, "links", _links_of(turn, card, with_owner=False), total=True)


def list_mass_links(turn: Turn, kind: str) -> Answer:
    """GET /{kind}/links?filter[entity_id][]=..."""
    ids = [int(id_) for id_ in turn.filter_list("entity_id") if id_.isdecimal()]
    cards = [card for id_ in ids if (card := turn.account.store.card(kind, id_))]
    links = [one for card in cards for one in _links_of(turn, card, with_owner=True)]
    return wrapped(turn, "links", links, total=True)


def _links_of(turn: Turn, card: Card, with_owner: bool) -> list[Json]:
    wanted = set(turn.filter_list("to_entity_type")) or {*CARD_KINDS, ELEMENTS}
    ids = set(turn.filter_list("to_entity_id"))
    owner: Json = {"entity_id": card.id, "entity_type": card.kind} if with_owner else {}
    held = turn.account.invoices.linked(card.id) if card.kind == LEADS and ELEMENTS in wanted else []
    return [owner | _invoice_link(turn, one.id) for one in held if not ids or str(one.id) in ids] + [
        _model(card, other, is_main, with_owner)
        for kind in card.links
        for id_, is_main in card.linked(kind).items()
        if kind in wanted and (not ids or str(id_) in ids) and (other := turn.account.store.card(kind, id_))
    ]


def _model(card: Card, other: Card, is_main: bool, with_owner: bool) -> Json:
    owner: Json = {"entity_id": card.id, "entity_type": card.kind} if with_owner else {}
    metadata = {"main_contact": is_main} if other.kind == "contacts" else None
    return owner | {"to_entity_id": other.id, "to_entity_type": other.kind, "metadata": metadata}
