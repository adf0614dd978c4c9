"""Everything the portal's CRM and telephony remember, with the indexes that searching by origin and phone needs."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.bitrix24.ids import IdWell
from sandbox.bitrix24.model import DEAL, KINDS, Item, Multi

MATCHED_DIGITS = 10
Owner = tuple[int, int]  # kind and id of a CRM object


@dataclass(slots=True)
class Comment:
    """A comment or log message in the timeline of one object."""

    id: int
    owner: Owner
    author_id: int
    created: float
    text: str
    title: str = ""
    icon: str = ""
    is_log: bool = False


@dataclass(slots=True)
class Activity:
    """An activity with the objects it is bound to, the first of them its owner; `values` by REST name."""

    id: int
    values: dict[str, Any]
    bindings: list[Owner]
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """One row of stage history."""

    id: int
    kind: int
    type: int
    owner_id: int
    moment: float
    category_id: int
    stage_id: str
    semantics: str


@dataclass(slots=True)
class Trace:
    """A Sales Intelligence trace and the objects it belongs to."""

    id: int
    trace: dict[str, Any]
    owners: list[Owner]


@dataclass(slots=True)
class Payment:
    """A payment of a deal or invoice; `sum` in minor units."""

    id: int
    owner: Owner
    order_id: int
    number: int
    sum: int
    currency: str
    paid: bool = False
    paid_at: float | None = None
    paid_by: int = 0


@dataclass(slots=True)
class Call:
    """A call from registration to the statistic row; `id` is that row's and 0 before."""

    call_id: str
    app_id: int
    user_id: int
    phone: str
    type: int
    line: str
    external_id: str
    started: float
    registered: float
    entity: Owner | None = None
    created: list[Owner] = field(default_factory=list)
    id: int = 0
    duration: int = 0
    code: str = ""
    reason: str = ""
    cost: str = "0.0000"
    currency: str = ""
    vote: int = 0
    activity_id: int = 0
    record_id: int = 0
    record_url: str = ""
    transcript_id: int = 0


@dataclass(slots=True)
class Line:
    """An external line of the app."""

    id: int
    number: str
    name: str
    creates: bool = True


class Store:
    """All objects in memory; `ids` gives their numbers."""

    def __init__(self, ids: IdWell) -> None:
        self._ids = ids
        self.items: dict[int, dict[int, Item]] = {kind: {} for kind in KINDS}
        self.comments: dict[int, Comment] = {}
        self.activities: dict[int, Activity] = {}
        self.history: list[Move] = []
        self.traces: dict[int, Trace] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.payments: dict[int, Payment] = {}
        self.orders: dict[Owner, int] = {}
        self.products: dict[Owner, list[dict[str, Any]]] = {}
        self.calls: dict[str, Call] = {}
        self.lines: dict[str, Line] = {}
        self.files: dict[int, tuple[str, bytes]] = {}
        self.uploads: dict[str, tuple[str, str]] = {}
        self.triggers: dict[str, str] = {}
        self.triggered: list[dict[str, Any]] = []
        self.shown: list[dict[str, Any]] = []
        self._by_origin: dict[tuple[int, str], set[int]] = {}
        self._by_phone: dict[str, set[Owner]] = {}
        self._deals_of: dict[int, set[int]] = {}
        self._by_mail: dict[str, set[Owner]] = {}

    def put(self, item: Item) -> None:
        """Stores an object."""
        self.items[item.kind][item.id] = item
        self.index(item)

    def drop(self, item: Item) -> None:
        """Takes an object away, with what only belongs to it."""
        self.unindex(item)
        del self.items[item.kind][item.id]
        owner = (item.kind, item.id)
        self.comments = {id_: one for id_, one in self.comments.items() if one.owner != owner}
        self.payments = {id_: one for id_, one in self.payments.items() if one.owner != owner}
        self.products.pop(owner, None)
        for activity in list(self.activities.values()):
            if owner in activity.bindings:
                activity.bindings.remove(owner)
                if not activity.bindings:
                    del self.activities[activity.id]

    def index(self, item: Item) -> None:
        """Makes an object findable by origin, phone and mail."""
        origin = item.values.get("originId")
        if origin:
            self._by_origin.setdefault((item.kind, str(origin)), set()).add(item.id)
        for contact in item.links if item.kind == DEAL else ():
            self._deals_of.setdefault(contact, set()).add(item.id)
        for held, key in self._keys(item):
            held.setdefault(key, set()).add((item.kind, item.id))

    def unindex(self, item: Item) -> None:
        """Takes an object out of the indexes, before it changes or goes."""
        self._by_origin.get((item.kind, str(item.values.get("originId"))), set()).discard(item.id)
        for contact in item.links if item.kind == DEAL else ():
            self._deals_of.get(contact, set()).discard(item.id)
        for held, key in self._keys(item):
            held.get(key, set()).discard((item.kind, item.id))

    def _keys(self, item: Item) -> list[tuple[dict[str, set[Owner]], str]]:
        phones = [(self._by_phone, digits(one.value)[-MATCHED_DIGITS:]) for one in item.fm if one.type == "PHONE"]
        return phones + [(self._by_mail, one.value.lower()) for one in item.fm if one.type == "EMAIL"]

    def with_origin(self, kind: int, origin: str) -> list[Item]:
        """Returns the objects of a kind with this originId."""
        return [self.items[kind][id_] for id_ in sorted(self._by_origin.get((kind, origin), ()))]

    def with_phone(self, phone: str) -> list[Item]:
        """Returns the objects with a phone of the same last ten digits, by kind and id."""
        return [self.items[kind][id_] for kind, id_ in sorted(self._by_phone.get(digits(phone)[-MATCHED_DIGITS:], ()))]

    def with_mail(self, mail: str) -> list[Item]:
        """Returns the objects with this mail address, by kind and id."""
        return [self.items[kind][id_] for kind, id_ in sorted(self._by_mail.get(mail.lower(), ()))]

    def deals_with(self, contact: int) -> list[Item]:
        """Returns the deals of a contact, the oldest first."""
        return [self.items[DEAL][id_] for id_ in sorted(self._deals_of.get(contact, ()))]

    def find(self, owner: Owner) -> Item | None:
        """Returns an object by kind and id."""
        return self.items.get(owner[0], {}).get(owner[1])

    def new_multi(self, type_: str, value_type: str, value: str) -> Multi:
        """Returns a phone or mail with an id of its own."""
        return Multi(self._ids.next("multi"), type_, value_type, value)


def digits(text: str) -> str:
    """Returns the digits of a phone number; an extension after a letter or a comma is not considered."""
    number = text.lower()
    for sign in ("ext", "доб", ",", ";", "x", "#"):
        number = number.partition(sign)[0]
    return "".join(char for char in number if char.isdigit())
