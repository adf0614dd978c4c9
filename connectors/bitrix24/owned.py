"""The deals and leads of callers who are known: those of a few callers at once, told apart by contact [3.3]."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.bitrix24 import asking, recent
from connectors.bitrix24.api import PAGE, Json, Replies
from connectors.bitrix24.find import contacts_of
from connectors.bitrix24.mappings import DEAL, LEAD
from connectors.bitrix24.work import Work

_TOGETHER = 5  # callers; more of them may have more deals than a page shows
_KINDS = {DEAL: "deals", LEAD: "leads"}


@dataclass(frozen=True, slots=True)
class Lot:
    """Contacts that are one caller's, or of so many callers at most."""

    contacts: Sequence[int]
    callers: int = 1

    def apart(self) -> list["Lot"]:
        """Return it by callers."""
        return [self] if self.callers == 1 else [Lot([contact]) for contact in self.contacts]


@dataclass(frozen=True, slots=True)
class Owners:
    """Some contacts, and the kinds of cards that are asked for; ``name`` is what the keys of the answers end with."""

    name: str
    lots: Sequence[Lot]
    kinds: tuple[int, ...]

    @property
    def contacts(self) -> list[int]:
        """Whose cards are asked for."""
        return list(dict.fromkeys(contact for lot in self.lots for contact in lot.contacts))

    def commands(self) -> dict[str, str]:
        """Return what asks for the newest cards of all of them."""
        return {self._key(kind): asking.of_contacts(kind, self.contacts) for kind in self.kinds}

    @property
    def keys(self) -> list[str]:
        """Under which the answers stand."""
        return [self._key(kind) for kind in self.kinds]

    def rows(self, told: Replies, contacts: Collection[int], kind: int) -> list[Json]:
        """Return the cards of those of them who are among ``contacts``."""
        found = told.rows(self._key(kind)) if kind in self.kinds else []
        is_all = set(self.contacts) <= set(contacts)
        return found if is_all else [row for row in found if contacts_of(row) & set(contacts)]

    def is_cut(self, told: Replies) -> bool:
        """Say whether a page may not have shown the newest card of each."""
        callers = sum(lot.callers for lot in self.lots)
        return callers > 1 and any(len(told.rows(key)) >= PAGE for key in self.keys)

    def apart(self) -> list["Owners"]:
        """Return them caller by caller."""
        lots = [one for lot in self.lots for one in lot.apart()]
        return [Owners(f"{self.name}x{at}", [lot], self.kinds) for at, lot in enumerate(lots)]

    def _key(self, kind: int) -> str:
        return f"{_KINDS[kind]}{self.name}"


class Owned:
    """What is asked for the deals and leads of one batch's callers, each contact once."""

    def __init__(self) -> None:
        self._owners: list[Owners] = []
        self._near: Mapping[str, str] | None = None  # what asks for those that the hub saw lately

    def asked(self, works: Sequence[Work], lots: Iterable[Lot], kinds: tuple[int, ...]) -> dict[str, str]:
        """Return what asks for the cards of contacts, and the first time for those of ``works`` the hub saw lately."""
        known = {contact for some in self._owners for contact in some.contacts}
        fresh = [Lot([one for one in lot.contacts if one not in known], lot.callers) for lot in lots]
        portions, first = _together(lot for lot in fresh if lot.contacts), len(self._owners)
        self._owners += [Owners(str(number), some, kinds) for number, some in enumerate(portions, first)]
        commands: dict[str, str] = {}
        if self._near is None:
            self._near = recent.asked_deals(works)
            commands |= self._near
        return commands | _commands(self._owners[first:])

    def uncut(self, told: Replies) -> dict[str, str]:
        """Return what asks for each caller alone where together they have more cards than a page shows."""
        cut = [some for some in self._owners if some.is_cut(told)]
        apart = [one for some in cut for one in some.apart()]
        self._owners = [*(some for some in self._owners if some not in cut), *apart]
        return _commands(apart)

    def keys(self, work: Work, contacts: Collection[int]) -> list[str]:
        """Return under which keys the answers stand that tell of a caller with these contacts."""
        return [*(key for some in self._of(contacts) for key in some.keys), *recent.keys(self._near or {}, work)]

    def rows(self, told: Replies, work: Work, contacts: Collection[int], kind: int) -> list[Json]:
        """Return the cards of a caller with these contacts; one may stand there twice."""
        rows = [row for some in self._of(contacts) for row in some.rows(told, contacts, kind)]
        return rows + recent.rows(told, self._near or {}, work, kind)

    def _of(self, contacts: Collection[int]) -> list[Owners]:
        return [some for some in self._owners if set(some.contacts) & set(contacts)]


def _together(lots: Iterable[Lot]) -> list[list[Lot]]:
    portions, callers = list[list[Lot]](), _TOGETHER
    for lot in lots:
        if callers + lot.callers > _TOGETHER:
            portions.append([])
            callers = 0
        portions[-1].append(lot)
        callers += lot.callers
    return portions


def _commands(owners: Iterable[Owners]) -> dict[str, str]:
    return {key: command for some in owners for key, command in some.commands().items()}
