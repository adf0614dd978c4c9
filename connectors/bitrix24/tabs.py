"""Our tab on the cards of a portal: bound to our page where it is not, taken away where the hub had another one [7.1].

An update of the application may take tabs away [1.4], so they are looked at with the events.
"""

from collections.abc import Iterator, Sequence

from connectors.bitrix24.api import Fault, Json
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import CARD_TABS, TAB_TITLES

_BIND = "tab"


def bound() -> str:
    """Return the command that lists what is bound."""
    return command("placement.get", {})


def changes(found: Sequence[Json], page: str) -> Iterator[tuple[str, str]]:
    """Yield the commands that make each card have our tab once, and no other of ours."""
    there = {_code(one) for one in found if one.get("handler") == page}
    for place, one in enumerate(one for one in found if _code(one) in CARD_TABS and one.get("handler") != page):
        yield f"old{_BIND}{place}", _unbind(one)
    titles = {language: {"TITLE": title} for language, title in TAB_TITLES.items()}
    for code in CARD_TABS:
        if code not in there:
            asked = {"PLACEMENT": code, "HANDLER": page, "TITLE": TAB_TITLES["en"], "LANG_ALL": titles}
            yield f"{_BIND}{code}", command("placement.bind", asked)


def taken_away(found: Sequence[Json]) -> dict[str, str]:
    """Return the commands that leave no tab of ours."""
    ours = (one for one in found if _code(one) in CARD_TABS)
    return {f"old{_BIND}{place}": _unbind(one) for place, one in enumerate(ours)}


def refused(faults: dict[str, Fault]) -> Fault | None:
    """Return why a tab could not be bound; one that is bound already is no fault [7.1]."""
    return next((fault for key, fault in faults.items() if key.startswith(_BIND)), None)


def _code(found: Json) -> str:
    return str(found.get("placement") or "").upper()


def _unbind(found: Json) -> str:
    return command("placement.unbind", {"PLACEMENT": found.get("placement"), "HANDLER": found.get("handler")})
