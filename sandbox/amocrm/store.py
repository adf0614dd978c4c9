"""Everything the account remembers: cards (leads, contacts, companies), notes, tasks, with their indexes."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

LEADS, CONTACTS, COMPANIES = "leads", "contacts", "companies"
CARD_KINDS = (LEADS, CONTACTS, COMPANIES)
SINGULAR = {LEADS: "lead", CONTACTS: "contact", COMPANIES: "company"}
LEGACY_TYPE = {CONTACTS: 1, LEADS: 2, COMPANIES: 3}
WON, LOST = 142, 143
CLOSED = (WON, LOST)
MATCHED_DIGITS = 10

Values = list[dict[str, Any]]


@dataclass(slots=True)
class Card:
    """A lead, a contact or a company; times are Unix seconds, `born` is the exact clock."""

    kind: str
    id: int
    born: float
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    responsible_user_id: int = 0
    group_id: int = 0
    created_by: int = 0
    updated_by: int = 0
    created_at: int = 0
    updated_at: int = 0
    closest_task_at: int | None = None
    is_deleted: bool = False
    in_unsorted: bool = False
    fields: dict[int, Values] = field(default_factory=dict)
    tags: list[int] = field(default_factory=list)
    links: dict[str, dict[int, bool]] = field(default_factory=dict)
    price: int = 0
    status_id: int = 0
    pipeline_id: int = 0
    loss_reason_id: int | None = None
    source_id: int | None = None
    closed_at: int | None = None
    visitor_uid: str | None = None

    @property
    def is_open_lead(self) -> bool:
        """Whether this is an active lead: neither closed, deleted nor waiting in unsorted."""
        return self.kind == LEADS and self.status_id not in CLOSED and not self.is_deleted and not self.in_unsorted

    def linked(self, kind: str) -> dict[int, bool]:
        """Returns ids of linked cards of `kind` with their is_main flag."""
        return self.links.get(kind, {})


@dataclass(slots=True)
class Note:
    """A note on a card; `params` as written."""

    id: int
    kind: str
    entity_id: int
    note_type: str
    params: dict[str, Any]
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    responsible_user_id: int
    group_id: int
    born: float


@dataclass(slots=True)
class Task:
    """A task on a card or on none."""

    id: int
    text: str
    complete_till: int
    entity_id: int | None
    entity_type: str | None
    task_type_id: int
    responsible_user_id: int
    group_id: int
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    duration: int
    is_completed: bool
    result: str
    born: float


class OrderedIndex:
    """Ids kept in the order of a time; a change costs a memory move, not a sort."""

    def __init__(self) -> None:
        self._pairs: list[tuple[float, int]] = []

    def add(self, moment: float, id: int) -> None:  # noqa: A002
        """Puts an id at its moment."""
        insort(self._pairs, (moment, id))

    def discard(self, moment: float, id: int) -> None:  # noqa: A002
        """Takes an id away from its moment."""
        place = bisect_left(self._pairs, (moment, id))
        if place < len(self._pairs) and self._pairs[place] == (moment, id):
            del self._pairs[place]

    def walk(self, descending: bool = False, start: float | None = None, end: float | None = None) -> Iterator[int]:
        """Yields ids between two moments, both included."""
        first = 0 if start is None else bisect_left(self._pairs, (start, -1))
        last = len(self._pairs) if end is None else bisect_left(self._pairs, (end, inf))
        places = range(last - 1, first - 1, -1) if descending else range(first, last)
        for place in places:
            yield self._pairs[place][1]


class Shelf:
    """All cards of one kind with their orders, phone digits and searchable text."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.cards: dict[int, Card] = {}
        self.by_updated = OrderedIndex()
        self.by_created = OrderedIndex()
        self.texts: dict[int, str] = {}
        self.digits: dict[int, str] = {}
        self.by_phone: dict[str, set[int]] = {}

    def put(self, card: Card) -> None:
        """Stores a new card."""
        self.cards[card.id] = card
        self.by_updated.add(card.updated_at, card.id)
        self.by_created.add(card.created_at, card.id)

    def moved(self, card: Card, updated_at: int, created_at: int | None = None) -> None:
        """Sets a card's times and keeps the orders right."""
        self.by_updated.discard(card.updated_at, card.id)
        card.updated_at = updated_at
        self.by_updated.add(updated_at, card.id)
        if created_at is not None and created_at != card.created_at:
            self.by_created.discard(card.created_at, card.id)
            card.created_at = created_at
            self.by_created.add(created_at, card.id)

    def reindex(self, card: Card, phones: list[str]) -> None:
        """Renews what `query` and the phone look-ups see of a card."""
        values = (str(value.get("value", "")) for field_values in card.fields.values() for value in field_values)
        self.texts[card.id] = "\n".join((card.name, *values)).lower()
        for old in self.digits.get(card.id, "").split():
            self.by_phone.get(old[-MATCHED_DIGITS:], set()).discard(card.id)
        spelled = [digits for phone in phones if (digits := only_digits(phone))]
        self.digits[card.id] = "\n".join(spelled)
        for digits in spelled:
            self.by_phone.setdefault(digits[-MATCHED_DIGITS:], set()).add(card.id)

    def with_phone(self, phone: str) -> list[Card]:
        """Returns live cards whose phone has the same last 10 digits, oldest first."""
        wanted = only_digits(phone)[-MATCHED_DIGITS:]
        found = sorted(self.by_phone.get(wanted, ())) if wanted else []
        return [card for id_ in found if not (card := self.cards[id_]).is_deleted]


def only_digits(text: str) -> str:
    """Returns the decimal digits of a text."""
    return "".join(char for char in text if "0" <= char <= "9")


@dataclass(slots=True)
class Store:
    """The account's memory."""

    shelves: dict[str, Shelf] = field(default_factory=lambda: {kind: Shelf(kind) for kind in CARD_KINDS})
    notes: dict[str, dict[int, Note]] = field(default_factory=lambda: {kind: {} for kind in CARD_KINDS})
    notes_of: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    tasks_of: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    changes: int = 0

    def card(self, kind: str, id_: object) -> Card | None:
        """Returns a live card or None; a card in the trash counts as absent."""
        card = self.shelves[kind].cards.get(id_) if isinstance(id_, int) else None
        return None if card is None or card.is_deleted else card
