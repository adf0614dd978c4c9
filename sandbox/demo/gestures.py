"""What visitors do with the number on a page: tap it on a phone, copy it at a desk, mostly before they call."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sandbox.demo.calls import CallPlan, Kind
from sandbox.demo.people import Person
from sandbox.demo.visits import VisitPlan

TAPPED = 0.40  # of the calls from phones begin with a tap
COPIED = 0.15  # of the calls from desks with a copy
IN_VAIN = 0.01  # of all visits have a tap or a copy that no call follows


class GestureKind(StrEnum):
    """What is done, in the page script's words."""

    TAP = "tel_tap"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Gesture:
    """One tap or copy of the number a visit showed."""

    at: float
    visit: int
    kind: GestureKind


def plan_gestures(
    random: Random, calls: Sequence[CallPlan], visits: Sequence[VisitPlan], people: Sequence[Person]
) -> Sequence[Gesture]:
    """Returns the gestures before calls, then those in vain."""
    made = []
    for call in calls:
        if call.kind is Kind.FRESH and call.visit is not None:
            visit = visits[call.visit]
            kind = _kind(people[visit.person])
            if random.random() < (TAPPED if kind is GestureKind.TAP else COPIED):
                made.append(_before(random, call, visit, kind))
    for visit in visits:
        if random.random() < IN_VAIN:
            at = round(random.uniform(visit.at + 1, visit.leaves), 1)
            made.append(Gesture(at, visit.number, _kind(people[visit.person])))
    return tuple(made)


def _kind(person: Person) -> GestureKind:
    return GestureKind.TAP if person.is_mobile else GestureKind.COPY


def _before(random: Random, call: CallPlan, visit: VisitPlan, kind: GestureKind) -> Gesture:
    """A tap dials at once, also on a page that is looked at again; what is copied is dialled by hand."""
    if kind is GestureKind.TAP:
        at = call.at - random.uniform(2, 6)
    else:
        at = min(visit.leaves, call.at - random.uniform(5, 30))
    return Gesture(round(max(at, visit.at + 0.5), 1), visit.number, kind)
