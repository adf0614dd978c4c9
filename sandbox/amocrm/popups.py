"""The old v2 methods: the pop-up of an incoming call and the phone search (sheet sections 3.8, 3.13)."""

from collections.abc import Sequence

from sandbox.amocrm.cards import card_model
from sandbox.amocrm.errors import EMPTY, refuse
from sandbox.amocrm.hal import Json, hal, self_link
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEGACY_TYPE, Card, only_digits
from sandbox.amocrm.turn import Turn
from sandbox.wire import Answer

POPUP_DIGITS, SEARCH_DIGITS = 8, 7


def show_popup(turn: Turn) -> Answer:
    """POST /api/v2/events: shows the card of whoever calls, contact first; nulls when unknown."""
    calls = turn.sent_object().get("add")
    if not isinstance(calls, list) or not all(isinstance(one, dict) for one in calls):
        raise refuse(400, EMPTY)
    shown = [_popup(turn, str(one.get("phone_number", ""))) for one in calls]
    return hal({"_links": self_link(f"{turn.ask.base}/api/v2/events"), "_embedded": {"items": shown}})


def _popup(turn: Turn, phone: str) -> Json:
    card = _by_last_digits(turn, phone, POPUP_DIGITS, (CONTACTS, COMPANIES))
    return {
        "element_id": card.id if card else None,
        "element_type": LEGACY_TYPE[card.kind] if card else None,
        "uid": turn.account.ids.uuid(),
        "phone_number": phone,
    }


def search_by_phone(turn: Turn) -> Answer:
    """GET /api/v2/search/by_phone: company first, then contact, the oldest; an empty array if none."""
    if turn.account.dial["by_phone"] == "off":
        raise refuse(404, f"Cannot GET {turn.ask.base}{turn.ask.path}")
    phone = str(turn.params.get("query") or turn.params.get("phone") or "")
    card = _by_last_digits(turn, phone, SEARCH_DIGITS, (COMPANIES, CONTACTS))
    return hal([card_model(turn, card) | {"entity_type": card.kind}] if card else [])


def _by_last_digits(turn: Turn, phone: str, length: int, kinds: Sequence[str]) -> Card | None:
    wanted = only_digits(phone)[-length:]
    if len(wanted) < length:
        return None
    for kind in kinds:
        shelf = turn.account.store.shelves[kind]
        for id_, spelled in shelf.digits.items():
            card = shelf.cards[id_]
            if any(one.endswith(wanted) for one in spelled.split()) and not card.is_deleted:
                return card
    return None
