"""The deals and leads of callers who are known: a few callers asked for at once, and told apart by contact [3.3]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.bitrix24 import asking
from connectors.bitrix24.api import PAGE, Json, Replies
from connectors.bitrix24.find import contacts_of
from connectors.bitrix24.mappings import DEAL, LEAD

_TOGETHER = 5  # callers; more of them may have more deals than a page shows
_KINDS = {DEAL: "deals", LEAD: "leads"}


@dataclass(frozen=True, slots=True)
class Owners:
    """Some callers, by the places of their deliveries, with their contacts."""

    of: Mapping[int, Sequence[int]]
    kinds: tuple[int, ...]

    @property
    def _name(self) -> str:
        return "x".join(str(place) for place in self.of)

    def commands(self) -> dict[str, str]:
        """Return what asks for the newest cards of all of them."""
        contacts = list(dict.fromkeys(id_ for ids in self.of.values() for id_ in ids))
        return {f"{_KINDS[kind]}{self._name}": asking.of_contacts(kind, contacts) for kind in self.kinds}

    def rows(self, told: Replies, place: int, kind: int) -> list[Json]:
        """Return the cards of one of them."""
        found = told.rows(f"{_KINDS[kind]}{self._name}") if kind in self.kinds else []
        return found if len(self.of) == 1 else [row for row in found if contacts_of(row) & set(self.of[place])]

    def is_cut(self, told: Replies) -> bool:
        """Say whether a page may not have shown the newest card of each."""
        return len(self.of) > 1 and any(len(told.rows(key)) >= PAGE for key in self.commands())

    def apart(self) -> list["Owners"]:
        """Return them one by one."""
        return [Owners({place: contacts}, self.kinds) for place, contacts in self.of.items()]


def together(of: Mapping[int, Sequence[int]], kinds: tuple[int, ...]) -> list[Owners]:
    """Return callers with contacts, a few at a time."""
    known = [(place, contacts) for place, contacts in of.items() if contacts]
    return [Owners(dict(known[start : start + _TOGETHER]), kinds) for start in range(0, len(known), _TOGETHER)]
