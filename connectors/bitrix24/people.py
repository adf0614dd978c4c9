"""Who the callers are: where that saves hits, five are asked for by one command and told apart by their cards [4.7].

The answer to such a command names the cards that have one of up to 20 phones or e-mails, not which of them. Without a
card all five are unknown. Otherwise each of the five is asked for alone, or the cards are read with what is stored on
them, whichever takes fewer hits. A card that has somebody's phone digit for digit is his. Whose it may be in some other
spelling is asked for alone, as the vendor does not say how it compares; so are all five where the answer was cut, and
where a card could not be read or looks like nobody of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from connectors.bitrix24 import asking
from connectors.bitrix24.api import COMMANDS, PAGE, Api, Json, Replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.find import Way, digits, significant, spellings, stored
from connectors.bitrix24.mappings import CONTACT, LEAD
from connectors.bitrix24.trouble import checked
from connectors.scenario import Enquiry

TOGETHER = 5  # people; each is asked for in up to four spellings, and a command takes 20 values [2.4]
_MOST = 20  # ids of one kind in an answer; with so many there may be more [2.4]
_PAGES = 5  # of whole cards in one hit: each may have hundreds of fields, and an answer is read up to a cap
_TELLING = 7  # last digits of a phone that no comparison can do without
_KINDS = {"CONTACT": CONTACT, "LEAD": LEAD}

Also = Callable[[Iterable[Sequence[int]]], dict[str, str]]  # ids of contacts, those of a few callers each -> commands


@dataclass(frozen=True, slots=True)
class Sought:
    """A phone or an e-mail that is looked for among cards of one kind; ``key`` is that of the answer."""

    key: str
    way: Way
    value: str
    entity: str

    @property
    def spelt(self) -> tuple[str, ...]:
        """How it is asked for."""
        return spellings(self.value) if self.way == "PHONE" else (self.value,)

    @property
    def command(self) -> str:
        """What asks for it alone."""
        return asking.found(self.way, self.spelt, self.entity)

    def is_on(self, card: Json) -> bool:
        """Say whether a card surely has it."""
        plain = {self._plain(one) for one in self.spelt}
        return any(self._plain(one) in plain for one in stored(card, self.way))

    def may_be_on(self, card: Json) -> bool:
        """Say whether the vendor may take what a card has for it."""
        telling = significant(self.value)[1][-_TELLING:] if self.way == "PHONE" else self._plain(self.value)
        return any(telling in self._plain(one) for one in stored(card, self.way))

    def _plain(self, text: str) -> str:
        return digits(text) if self.way == "PHONE" else text.strip().lower()


@dataclass(frozen=True, slots=True)
class _Group:
    """A few who are asked for by one command: one way, one kind of cards."""

    of: Sequence[Sought]

    @property
    def key(self) -> str:
        return f"group{self.of[0].key}"

    @property
    def entity(self) -> str:
        return self.of[0].entity

    @property
    def command(self) -> str:
        return asking.found(self.of[0].way, [one for each in self.of for one in each.spelt], self.entity)

    def ids(self, told: Replies) -> list[int]:
        return found(told, self.key, self.entity)

    def is_cut(self, told: Replies) -> bool:
        return len(self.ids(told)) >= _MOST

    def of_each(self, told: Replies) -> Replies:
        """Return an answer that holds for each of them as if he had been asked for alone."""
        results = {one.key: told.results[self.key] for one in self.of if self.key in told.results}
        return Replies(results, {one.key: told.faults[self.key] for one in self.of if self.key in told.faults})

    def apart(self, told: Replies, read: Mapping[int, Json]) -> dict[str, object]:
        """Return the answers of those of whom the cards leave no doubt."""
        cards = {id_: read.get(id_, {}) for id_ in self.ids(told)}
        if not all(any(one.may_be_on(card) for one in self.of) for card in cards.values()):
            return {}
        clear = [one for one in self.of if all(one.is_on(card) or not one.may_be_on(card) for card in cards.values())]
        return {one.key: {self.entity: [id_ for id_, card in cards.items() if one.is_on(card)]} for one in clear}


def sought(place: int, enquiry: Enquiry, kinds: Iterable[tuple[str, str]]) -> list[Sought]:
    """Return what is looked for of one enquiry, by short names and names of kinds."""
    made = list[Sought]()
    for short, entity in kinds:
        if enquiry.caller:
            made.append(Sought(f"phone{short}{place}", "PHONE", enquiry.caller, entity))
        if enquiry.email:
            made.append(Sought(f"email{short}{place}", "EMAIL", enquiry.email, entity))
    return made


async def ask(api: Api, commands: Mapping[str, str], sought: Sequence[Sought], also: Also) -> Replies:
    """Return what ``commands`` bring, those of ``sought`` in fewer hits where that goes; raises ``ConnectorError``.

    Each of ``sought`` has its command among them, and its answer under its own key either way. ``also`` says what is
    asked for with whose the contacts are that a first answer names.
    """
    groups, keys = _grouped(sought), {one.key for one in sought}
    others = {key: command for key, command in commands.items() if key not in keys}
    together = others | {group.key: group.command for group in groups}
    if _hits(together) >= _hits(commands):
        return checked(await api.ask(commands))
    told = checked(await api.ask(together))
    named = [group for group in groups if group.ids(told)]
    for group in groups:
        told |= Replies() if group in named else group.of_each(told)
    return told | await _told_apart(api, named, told, also) if named else told


def found(told: Replies, key: str, entity: str) -> list[int]:
    """Return the ids of cards of one kind that an answer names."""
    ids = told.object(key).get(entity)
    return [id_ for one in (ids if isinstance(ids, list) else ()) if (id_ := whole(one))]


async def _told_apart(api: Api, groups: Sequence[_Group], told: Replies, also: Also) -> Replies:
    """Return an answer for each of those of whom one or another has a card."""
    alone = {one.key: one.command for group in groups for one in group.of}
    plain = [group for group in groups if not group.is_cut(told)]
    cut = len(alone) - sum(len(group.of) for group in plain)
    beside = also(group.ids(told) for group in plain if group.entity == "CONTACT")
    reads = list(_reads(_pages(plain, told), beside))
    if _hits(alone | beside) <= len(reads) + ceil(cut / COMMANDS):
        return checked(await api.ask(alone | beside))
    seen = Replies()
    for some in reads:
        seen |= checked(await api.ask(some))
    clear = {key: answer for group in plain for key, answer in group.apart(told, _read(seen, group.entity)).items()}
    left = {key: command for key, command in alone.items() if key not in clear}
    return seen | Replies(clear) | checked(await api.ask(left))


def _grouped(sought: Iterable[Sought]) -> list[_Group]:
    alike: dict[tuple[str, str], list[Sought]] = {}
    for one in sought:
        alike.setdefault((one.way, one.entity), []).append(one)
    return [_Group(some[at : at + TOGETHER]) for some in alike.values() for at in range(0, len(some), TOGETHER)]


def _pages(groups: Sequence[_Group], told: Replies) -> dict[str, str]:
    """Return the commands that read all cards which the answers name, by pages of each kind."""
    commands: dict[str, str] = {}
    for entity, kind in _KINDS.items():
        ids = list(dict.fromkeys(id_ for group in groups if group.entity == entity for id_ in group.ids(told)))
        for start in range(0, len(ids), PAGE):
            commands[f"cards{entity}{start}"] = asking.several(kind, ids[start : start + PAGE], select=asking.ALL)
    return commands


def _reads(pages: Mapping[str, str], beside: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield what is read in one hit: some whole cards, and what else there is room for."""
    cards, others = list(pages.items()), list(beside.items())
    while cards or others:
        some, cards = cards[:_PAGES], cards[_PAGES:]
        room = COMMANDS - len(some)
        yield dict(some + others[:room])
        others = others[room:]


def _read(seen: Replies, entity: str) -> dict[int, Json]:
    rows = [row for key in seen.results if key.startswith(f"cards{entity}") for row in seen.rows(key)]
    return {whole(row.get("id")): row for row in rows}


def _hits(commands: Mapping[str, str]) -> int:
    return ceil(len(commands) / COMMANDS)
