"""The company a person names: found by its name, or made with the deal and linked to it and to a new contact."""

from collections.abc import Mapping, Sequence

from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import whole
from connectors.bitrix24.work import Work
from connectors.protocol import Status, Why
from connectors.telling import Said

_QUOTES = "\"'«»“”„‘’"
_NO_QUOTES = str.maketrans(dict.fromkeys(_QUOTES, " "))
_TWICE = Said("same_company")


def key(name: str) -> str:
    """Return what is the same for two spellings of one company's name."""
    return " ".join(name.translate(_NO_QUOTES).split()).casefold()


def longest(name: str) -> str:
    """Return the longest part of a company's name without quotes, which are written in many ways."""
    parts = "".join("\n" if c in _QUOTES else c for c in name).split("\n")
    return max((part.strip() for part in parts), key=len)


def tell(works: Sequence[Work], found: Mapping[str, Sequence[Json]]) -> None:
    """Tell each work whose company was found; of those who name one new company all but the first come back later."""
    made: set[str] = set()
    for work in works:
        name = work.create_deal.company if work.create_deal else ""
        if not name:
            continue
        ids = [whole(one.get("id")) for one in found.get(name, ()) if key(str(one.get("title") or "")) == key(name)]
        if any(ids):
            work.is_of(min(id_ for id_ in ids if id_))
        elif key(name) in made:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _TWICE)
        made.add(key(name))
