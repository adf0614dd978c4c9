"""Reading and listing cards: leads, contacts and companies look almost alike (sheet sections 3.5, 3.8)."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime

from sandbox.amocrm.card_filters import Test, filter_hits, filter_tests
from sandbox.amocrm.errors import Refusal, refuse
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, paged, self_link
from sandbox.amocrm.invoices import ELEMENTS
from sandbox.amocrm.people import allow
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, Card, Shelf, only_digits
from sandbox.amocrm.turn import Turn
from sandbox.amocrm.values import read_values
from sandbox.brackets import below
from sandbox.wire import Answer

LEAST_DIGITS = 7
_LETTERS = re.compile(r"[a-zа-яё]")


def list_cards(turn: Turn, kind: str) -> Answer:
    """GET /leads, /contacts, /companies."""
    allow(turn, kind, "view")
    shelf = turn.account.store.shelves[kind]
    _honour_condition(turn, shelf)
    deleted = "only_deleted" in turn.wanted
    tests = [_visible(turn, deleted), *filter_tests(turn, kind)]
    reduced = deleted and turn.account.dial["deleted_reduced"]
    show = reduced_model if reduced else _shower(turn)
    return paged(turn, kind, _passing(shelf, _candidates(turn, shelf), tests), show)


def _passing(shelf: Shelf, ids: Iterable[int], tests: Sequence[Test]) -> Iterator[Card]:
    for id_ in ids:
        card = shelf.cards[id_]
        for test in tests:
            if not test(card):
                break
        else:
            yield card


def one_card(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /leads/{id} and the like; an absent card is 204 without a body."""
    card = turn.account.store.card(kind, int(id))
    if card is None:
        return NO_CONTENT
    allow(turn, kind, "view", card)
    return hal(card_model(turn, card))


def _honour_condition(turn: Turn, shelf: Shelf) -> None:
    said = turn.ask.headers.get("if-modified-since")
    answer = turn.account.dial["if_modified_since"]
    if not said or answer == "ignore":
        return
    try:
        since = parsedate_to_datetime(said).timestamp()
    except ValueError:
        return
    newest = next(shelf.by_updated.walk(descending=True), None)
    if newest is None or shelf.cards[newest].updated_at <= since:
        raise Refusal(Answer(int(answer)))


def _candidates(turn: Turn, shelf: Shelf) -> Iterable[int]:
    """Ids in the asked order; searches are answered from the texts, so that 20,000 cards stay cheap."""
    hits = _query_hits(turn, shelf)
    if hits is None:
        hits = filter_hits(turn, shelf)
    order = below(turn.params, "order")
    name = next((name for name in ("updated_at", "created_at", "id") if name in order), "id")
    descending = order.get(name) == "desc"
    if hits is not None:
        return sorted(hits, key=lambda id_: (getattr(shelf.cards[id_], name), id_), reverse=descending)
    if name == "updated_at":
        return shelf.by_updated.walk(descending, *_span(turn))
    if name == "created_at":
        return shelf.by_created.walk(descending)
    return reversed(shelf.cards) if descending else iter(shelf.cards)


def _span(turn: Turn) -> tuple[float | None, float | None]:
    if not turn.account.dial["api_filters"]:
        return None, None
    told = turn.filter("updated_at")
    start, end = (_number(told.get(key)) for key in ("from", "to"))
    return start, end


def _number(said: object) -> float | None:
    return float(said) if isinstance(said, str) and said.isdecimal() else None


def _visible(turn: Turn, deleted: bool) -> Test:
    waiting_shown = turn.account.dial["unsorted_listed"]
    return lambda card: card.is_deleted is deleted and (waiting_shown or not card.in_unsorted)


def _query_hits(turn: Turn, shelf: Shelf) -> list[int] | None:
    query = turn.params.get("query")
    if not isinstance(query, str) or not query.strip():
        return None
    needle = query.strip().lower()
    in_text = _text_test(turn, needle)
    hits = {id_ for id_, text in shelf.texts.items() if in_text(text)}
    digits = only_digits(needle)
    if turn.account.dial["query_digits"] and len(digits) >= LEAST_DIGITS and not _LETTERS.search(needle):
        hits |= {id_ for id_, spelled in shelf.digits.items() if digits in spelled}
    newest = turn.born - turn.account.dial["search_lag"]
    return [id_ for id_ in hits if shelf.cards[id_].born <= newest]


def _text_test(turn: Turn, needle: str) -> Callable[[str], bool]:
    if turn.account.dial["query_words"]:
        whole = re.compile(rf"(?<!\w){re.escape(needle)}(?!\w)")
        return lambda text: whole.search(text) is not None
    return lambda text: needle in text


def _shower(turn: Turn) -> Callable[[Card], Json]:
    return lambda card: card_model(turn, card)


def reduced_model(card: Card) -> Json:
    """Returns what `with=only_deleted` shows of a card in the trash."""
    return {"id": card.id, "updated_at": card.updated_at, "is_deleted": True}


def card_model(turn: Turn, card: Card) -> Json:
    """Returns a card as GET shows it."""
    model: Json = {"id": card.id, "name": card.name}
    if card.kind == LEADS:
        model |= _lead_head(turn, card)
    else:
        model |= _person_head(card)
    model |= {
        "created_by": card.created_by,
        "updated_by": card.updated_by,
        "created_at": card.created_at,
        "updated_at": card.updated_at,
    }
    if card.kind == LEADS:
        model["closed_at"] = card.closed_at
    model |= {
        "closest_task_at": card.closest_task_at,
        "is_deleted": card.is_deleted,
        "custom_fields_values": read_values(turn.account.fields[card.kind], card.fields),
        "account_id": turn.account.id,
    }
    if card.kind == LEADS:
        model |= {"score": None, "labor_cost": None}
    if card.kind == CONTACTS:
        model["is_unsorted"] = card.in_unsorted
    model["_links"] = self_link(f"{turn.api}/{card.kind}/{card.id}")
    model["_embedded"] = _embedded(turn, card)
    return model


def _lead_head(turn: Turn, card: Card) -> Json:
    head: Json = {"price": card.price}
    if turn.account.dial["minor_units_key"]:
        head["price_with_minor_units"] = card.price * 100
    head |= {
        "responsible_user_id": card.responsible_user_id,
        "group_id": card.group_id,
        "status_id": card.status_id,
        "pipeline_id": card.pipeline_id,
        "loss_reason_id": card.loss_reason_id,
    }
    if "source_id" in turn.wanted:
        head["source_id"] = card.source_id
    if "is_price_modified_by_robot" in turn.wanted:
        head["is_price_modified_by_robot"] = False
    return head


def _person_head(card: Card) -> Json:
    head: Json = {}
    if card.kind == CONTACTS:
        head |= {"first_name": card.first_name, "last_name": card.last_name}
    return head | {"responsible_user_id": card.responsible_user_id, "group_id": card.group_id}


def _embedded(turn: Turn, card: Card) -> Json:
    names = turn.account.tags[card.kind]
    tags = [{"id": id_, "name": names[id_], "color": None} for id_ in card.tags if id_ in names]
    embedded: Json = {"tags": tags}
    if card.kind != COMPANIES:
        embedded["companies"] = _linked(turn, card, COMPANIES, False)
    if card.kind != CONTACTS and "contacts" in turn.wanted:
        embedded["contacts"] = _linked(turn, card, CONTACTS, card.kind == LEADS)
    if card.kind != LEADS and "leads" in turn.wanted:
        embedded["leads"] = _linked(turn, card, LEADS, False)
    for extra in ("catalog_elements", "customers"):
        if extra in turn.wanted and not (card.kind == LEADS and extra == "customers"):
            embedded[extra] = _invoices(turn, card) if (card.kind, extra) == (LEADS, ELEMENTS) else []
    if card.kind == LEADS:
        embedded |= _lead_extras(turn, card)
    return embedded


def _invoices(turn: Turn, card: Card) -> list[Json]:
    catalog = turn.account.invoices
    metadata = {"quantity": 1, "catalog_id": catalog.id}
    return [
        {
            "id": one.id,
            "metadata": metadata,
            "_links": self_link(f"{turn.api}/catalogs/{catalog.id}/elements/{one.id}"),
        }
        for one in catalog.linked(card.id)
    ]


def _lead_extras(turn: Turn, card: Card) -> Json:
    account, extras = turn.account, Json()
    if "loss_reason" in turn.wanted:
        name = account.loss_reasons.get(card.loss_reason_id or 0)
        extras["loss_reason"] = [{"id": card.loss_reason_id, "name": name}] if name else []
    source = account.sources.get(card.source_id or 0)
    if "source" in turn.wanted and source:
        extras["source"] = {"id": source.id, "name": source.name}
    return extras


def _linked(turn: Turn, card: Card, kind: str, with_main: bool) -> list[Json]:
    shown = []
    for id_, is_main in card.linked(kind).items():
        if turn.account.store.card(kind, id_) is None:
            continue
        one: Json = {"id": id_, "is_main": is_main} if with_main else {"id": id_}
        one["_links"] = self_link(f"{turn.api}/{kind}/{id_}")
        shown.append(one)
    return shown


def found_or_refused(turn: Turn, kind: str, id_: str) -> Card:
    """Returns a live card of the path, or refuses with 404."""
    card = turn.account.store.card(kind, int(id_))
    if card is None:
        raise refuse(404, f"{kind} {id_} not found")
    return card
