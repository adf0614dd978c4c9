"""The forms of the day: visitors who write instead of calling, each with a phone nobody else has."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sandbox.demo.calls import CallPlan, new_phone
from sandbox.demo.people import Consent, Person
from sandbox.demo.visits import VisitPlan

SHORTEST_S = 45.0  # of a visit in which somebody fills in a form
_NAMES = ("Анна", "Игорь", "Светлана", "Дмитрий", "Ольга", "Сергей", "Наталья", "Павел")
_TEXTS = ("Нужен замер на этой неделе", "Сколько стоит угловая кухня 2,4 x 1,8?", "Можно в рассрочку?", "Перезвоните")


@dataclass(frozen=True, slots=True)
class FormPlan:
    """One form: when it is sent, from which visit, and what is written in it."""

    number: int
    at: float
    visit: int
    person: int
    phone: str
    name: str
    text: str


def plan_forms(
    random: Random, share: float, visits: Sequence[VisitPlan], people: Sequence[Person], calls: Sequence[CallPlan]
) -> Sequence[FormPlan]:
    """Returns the forms in their order: that share of all visits, of people who may be recognised and never call."""
    callers = {call.person for call in calls}
    able = [
        visit
        for visit in visits
        if visit.person not in callers
        and people[visit.person].consent is Consent.FULL
        and visit.leaves - visit.at >= SHORTEST_S
    ]
    wanted = max(1, round(len(visits) * share)) if share else 0
    first = {visit.person: visit for visit in reversed(able)}  # nobody writes twice
    chosen = random.sample(sorted(first.values(), key=lambda visit: visit.number), min(wanted, len(first)))
    taken = {call.caller for call in calls if call.caller}
    return tuple(_form(random, number, visit, taken) for number, visit in enumerate(sorted(chosen, key=_begins)))


def _begins(visit: VisitPlan) -> float:
    return visit.at


def _form(random: Random, number: int, visit: VisitPlan, taken: set[str]) -> FormPlan:
    at = round(visit.at + (visit.leaves - visit.at) * random.uniform(0.5, 0.95), 1)
    phone = new_phone(random, taken)
    return FormPlan(number, at, visit.number, visit.person, phone, random.choice(_NAMES), random.choice(_TEXTS))
