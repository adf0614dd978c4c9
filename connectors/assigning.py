"""Who gets a deal or a task: of those whom a rule names, the first whom there is; pure.

It is settled in three steps, each where it is known: what the enquiry tells when it is planned (``narrowed``), whose
turn it is when its delivery is taken (``dealt``), and whose deal or contact it is when the caller is looked up
(``picked``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tracking_core.qualify import Hours


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the account; ``turn`` is the list of people whose turn he has, empty where it is none's."""

    user: str
    turn: str = ""
    kind: Literal["person"] = "person"


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who has talked, where the scenario says which user of the account he is."""

    kind: Literal["answerer"] = "answerer"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is responsible for the caller's deal, or for his contact."""

    of: Literal["deal", "contact"]
    kind: Literal["owner"] = "owner"


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Who has the number that was dialled (E.164)."""

    users: Mapping[str, str]
    kind: Literal["by_number"] = "by_number"


@dataclass(frozen=True, slots=True)
class ByRegion:
    """Who has the region of the person (ISO 3166-2 within Russia, else the country): his phone's, or his visit's."""

    users: Mapping[str, str]
    kind: Literal["by_region"] = "by_region"


@dataclass(frozen=True, slots=True)
class InTurn:
    """One after the other, those who are not at work left out; without ``hours`` somebody is always there."""

    people: tuple[str, ...]
    hours: Mapping[str, tuple[Hours, ...]] = field(default_factory=dict)
    away: tuple[str, ...] = ()  # at the moment of the enquiry
    kind: Literal["turns"] = "turns"

    @property
    def key(self) -> str:
        """What turns are remembered by."""
        return ",".join(self.people)

    def at(self, moment: datetime) -> "InTurn":
        """Return these turns with who is away then."""
        away = (user for user, hours in self.hours.items() if not any(one.hold(moment) for one in hours))
        return InTurn(self.people, away=tuple(away))

    def after(self, last: str | None) -> Person | None:
        """Return who comes after ``last``; None when nobody is at work."""
        begin = self.people.index(last) + 1 if last in self.people else 0
        there = (user for user in (*self.people[begin:], *self.people[:begin]) if user not in self.away)
        return next((Person(user, self.key) for user in there), None)


Assignee = Annotated[Person | Answerer | Owner | ByNumber | ByRegion | InTurn, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an enquiry tells of who may get it: a phone as E.164, a code of a region, a user, a moment."""

    dialled: str | None
    region: str | None
    answered_by: str | None
    at: datetime


def narrowed(named: Sequence[Assignee], seen: Seen) -> tuple[Assignee, ...]:
    """Return who is left of those named once the enquiry is known; who comes after a person is never asked."""
    left: list[Assignee] = []
    for one in _narrowed(named, seen):
        left.append(one)
        if isinstance(one, Person):
            break
    return tuple(left)


def _narrowed(named: Sequence[Assignee], seen: Seen) -> Iterator[Assignee]:
    for one in named:
        user = _by(one, seen)
        if user:
            yield Person(user)
        elif isinstance(one, InTurn):
            yield one.at(seen.at)
        elif isinstance(one, Person | Owner):
            yield one


def _by(one: Assignee, seen: Seen) -> str | None:
    if isinstance(one, Answerer):
        return seen.answered_by
    if isinstance(one, ByNumber):
        return one.users.get(seen.dialled or "")
    return one.users.get(seen.region or "") if isinstance(one, ByRegion) else None


def dealt(named: Sequence[Assignee], last: Mapping[str, str]) -> tuple[Assignee, ...]:
    """Return the same with turns given: ``last`` is who had each list's last one."""
    turns = (one.after(last.get(one.key)) if isinstance(one, InTurn) else one for one in named)
    return tuple(one for one in turns if one is not None)


def picked(named: Sequence[Assignee], deal_owner: str | None, contact_owner: str | None) -> Person | None:
    """Return the first of those named whom there is; None when there is nobody."""
    owners = {"deal": deal_owner, "contact": contact_owner}
    people = (one if isinstance(one, Person) else _owner(one, owners) for one in named)
    return next((one for one in people if one is not None), None)


def _owner(one: Assignee, owners: Mapping[str, str | None]) -> Person | None:
    user = owners[one.of] if isinstance(one, Owner) else None
    return Person(user) if user else None


def users_in(named: Sequence[Assignee]) -> Iterator[str]:
    """Yield every user of the account whom a rule names."""
    for one in named:
        if isinstance(one, Person):
            yield one.user
        elif isinstance(one, InTurn):
            yield from one.people
        elif isinstance(one, ByNumber | ByRegion):
            yield from one.users.values()
