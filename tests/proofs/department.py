"""A sales department at work in a CRM's sandbox: what it does next, and to which deals, is drawn from a seed.

What is the same for every CRM stands here; a CRM's own screens are in salesroom.py and portal_room.py.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import httpx

OURS = 0.3  # share of changes that meet deals the hub made
Deed = Callable[[], int]  # returns how many changes it made
Stage = TypeVar("Stage")


class Department(ABC, Generic[Stage]):
    """People at the screen; every change is one request or a part of one."""

    merged: frozenset[str] = frozenset()  # deals a merger took away of which the account tells nobody

    def __init__(self, base_url: str, seed: int) -> None:
        self.dice = random.Random(seed)
        self.web = httpx.Client(base_url=base_url, timeout=120)
        self.stages: Sequence[Stage] = ()
        self.closed: Sequence[Stage] = ()
        self.ours: list[int] = []
        self.live: dict[int, Stage] = {}
        self.invoices: dict[int, int] = {}  # invoice -> the deal it stands on
        self.changes = 0
        self.done: dict[str, int] = {}

    @abstractmethod
    def deeds(self) -> Sequence[tuple[Deed, int]]:
        """Return what people do, and how often beside each other."""

    @abstractmethod
    def put(self, moved: dict[int, Stage]) -> None:
        """Put deals into stages."""

    @abstractmethod
    def fill(self, deals: int) -> None:
        """Make so many deals, and pay some of them."""

    @abstractmethod
    def held(self) -> dict[int, Stage]:
        """Return the deals the account holds, with their stages."""

    def open(self, deals: int) -> None:
        """Begin with so many deals, some of them paid for, and those the hub has made so far."""
        self.live = self.held()
        self.ours = list(self.live)
        self.fill(deals)
        self.changes, self.done = 0, {}

    def work(self, changes: int) -> None:
        """Make at least so many changes."""
        until, deeds = self.changes + changes, self.deeds()
        while self.changes < until:
            (deed,) = self.dice.choices([one for one, _ in deeds], [often for _, often in deeds])
            number = deed()
            self.changes += number
            name = deed.__name__.removeprefix("_")
            self.done[name] = self.done.get(name, 0) + number

    def close(self) -> None:
        """Let everybody go home."""
        self.web.close()

    def some(self, number: int) -> list[int]:
        """Draw so many deals of those that are there, the hub's own more often than others."""
        own = [deal for deal in self.ours if deal in self.live]
        found: dict[int, None] = {}
        while len(found) < number:
            among = own if len(own) > number and self.dice.random() < OURS else list(self.live)
            found[self.dice.choice(among)] = None
        return list(found)

    def few(self, among: dict[int, int]) -> list[int]:
        """Draw one to three of these."""
        return self.dice.sample(sorted(among), min(len(among), self.dice.randrange(1, 4)))

    def move(self) -> int:
        """Move several deals, to other pipelines too, some of them twice in the same second."""
        deals = self.some(self.dice.randrange(1, 8))
        for _ in range(self.dice.choice((1, 1, 2))):
            self.put({deal: self.dice.choice(self.stages) for deal in deals})
        return len(deals)

    def reopen(self) -> int:
        """Close a deal, or open a closed one again."""
        (deal,) = self.some(1)
        is_closed = self.live[deal] in self.closed
        self.put({deal: self.dice.choice([one for one in self.stages if (one in self.closed) != is_closed])})
        return 1
