"""Cards by the ids the hub knows them by: a lead is one of its deals, and its number has an L before it."""

from typing import Literal

from connectors.bitrix24.mappings import COMPANY, CONTACT, DEAL, LEAD
from connectors.protocol import Ref
from connectors.telling import Said

_LEAD = "L"
_DIGITS = 18  # of the longest id
_KINDS: dict[int, tuple[Literal["deal", "contact", "company"], str]] = {
    LEAD: ("deal", "lead"),
    DEAL: ("deal", "deal"),
    CONTACT: ("contact", "contact"),
    COMPANY: ("company", "company"),
}


class NoId(ValueError):
    """The scenario or the settings name something by what is not an id of Bitrix24."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


def number(id_: object, what: str) -> int:
    """Return an id as Bitrix24 wants it; raises ``NoId`` for anything but digits."""
    text = str(id_ if id_ is not None else "")
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise NoId(Said("no_id", {"what": what, "id": text[:100]}))
    return int(text)


def whole(found: object) -> int:
    """Return a number that was told as a number or as its digits; 0 for anything else, and for what no id can be."""
    if isinstance(found, bool):
        return 0
    if isinstance(found, int):
        return found if 0 <= found < 10**_DIGITS else 0
    if not isinstance(found, str) or not found.isascii() or not found.isdigit() or len(found) > _DIGITS:
        return 0
    return int(found)


def named(entity: int, id_: object) -> str:
    """Return the id the hub knows a card by."""
    return f"{_LEAD}{id_}" if entity == LEAD else str(id_)


def parted(id_: str) -> tuple[int, int]:
    """Return kind and number of a deal or a lead; the number is 0 for what is no id."""
    if id_.startswith(_LEAD):
        return LEAD, whole(id_[len(_LEAD) :])
    return DEAL, whole(id_)


def reference(address: str, entity: int, id_: object) -> Ref:
    """Return the reference of a card with the page a person opens."""
    kind, page = _KINDS[entity]
    return Ref(kind, named(entity, id_), f"{address}/crm/{page}/details/{id_}/")
