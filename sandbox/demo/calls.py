"""The calls of the day with their truth: who really called, from which visit or placement, and how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from sandbox.demo.company import Company
from sandbox.demo.visits import VisitPlan

LAST_CALL_S = 1_200.0  # after closing: the last moment somebody rings
HIDDEN = 0.06  # of fresh callers hide their number
PREFIXES = ("903", "905", "909", "915", "916", "917", "925", "926", "929", "964", "977", "985", "999")


class Kind(StrEnum):
    """What sort of call it is."""

    FRESH = "fresh"  # during the visit or shortly after it
    LATER = "later"  # hours after the visit: the number has long been shown to others
    REPEAT = "repeat"  # somebody who called today calls again
    PLACEMENT = "placement"  # from a billboard or a leaflet
    NEVER_SHOWN = "never shown"  # a number of ours that no visitor was shown today
    OFFICE = "office"  # the company's own number, which is no tracking number
    OUTBOUND = "outbound"  # staff call a client
    INTERNAL = "internal"  # staff call each other


SHARES: Mapping[Kind, float] = {
    Kind.LATER: 0.06,
    Kind.PLACEMENT: 0.10,
    Kind.NEVER_SHOWN: 0.04,
    Kind.OFFICE: 0.02,
    Kind.REPEAT: 0.13,
    Kind.OUTBOUND: 0.04,
    Kind.INTERNAL: 0.02,
}  # of all calls; the rest is fresh


class Disorder(StrEnum):
    """How the telephony's messages about one call arrive."""

    NONE = "none"
    SHUFFLED = "shuffled"  # an earlier fact after a later one
    REPEATED = "repeated"  # some facts twice
    SUMMARY_FIRST = "summary first"  # the end of the call before the end of its legs


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """One call: what telephony will tell of it, and what is true about it.

    The dialled number is the one that `visit` showed, or `dialled` where no visit showed it. `caller` is
    the outside person, None for a hidden number. `talk_s` is 0 when nobody answered.
    """

    number: int
    kind: Kind
    at: float
    wait_s: int
    talk_s: int
    caller: str | None
    operator: str
    disorder: Disorder
    visit: int | None = None
    person: int | None = None
    placement: str | None = None
    dialled: str | None = None

    @property
    def reaches_crm(self) -> bool:
        """Whether the scenario wants it in the CRM: every call from outside."""
        return self.kind not in (Kind.OUTBOUND, Kind.INTERNAL)

    @property
    def is_answered(self) -> bool:
        """Whether somebody was talked to."""
        return self.talk_s > 0

    @property
    def ends(self) -> float:
        """When the call is over."""
        return self.at + self.wait_s + self.talk_s


def new_phone(random: Random, taken: set[str]) -> str:
    """Returns a mobile number that is not taken, and takes it."""
    while True:
        phone = f"+7{random.choice(PREFIXES)}{random.randrange(1_000_000, 10_000_000)}"
        if phone not in taken:
            taken.add(phone)
            return phone


@dataclass(slots=True)
class _Making:
    random: Random
    visits: Sequence[VisitPlan]
    company: Company
    opens: float
    closes: float
    phones: set[str] = field(default_factory=set)
    callers: set[int] = field(default_factory=set)
    made: list[CallPlan] = field(default_factory=list)

    @property
    def latest(self) -> float:
        return self.closes + LAST_CALL_S

    def phone(self) -> str:
        return new_phone(self.random, self.phones)

    def moment(self) -> float:
        return self.random.uniform(self.opens + 300, self.closes + 300)

    def caller(self, before: float) -> VisitPlan:
        """A visit whose person calls for the first time, likelier from a source whose visitors like it."""
        able = [one for one in self.visits if one.person not in self.callers and one.leaves < before]
        visit = self.random.choices(able, [self.company.source_named(one.arrival.source).calls for one in able])[0]
        self.callers.add(visit.person)
        return visit

    def call(self, kind: Kind, at: float, caller: str | None, *, answers: float) -> CallPlan:
        """A call at about this moment; `answers` is how likely somebody takes it."""
        random = self.random
        at = round(min(at, self.latest), 1)
        shut = not self.opens + 1_200 < at < self.closes - 900
        answered = random.random() < (answers * 0.6 if shut else answers)
        return CallPlan(
            number=-1,
            kind=kind,
            at=at,
            wait_s=random.randint(4, 25) if answered else random.randint(8, 60),
            talk_s=int(min(max(12, random.lognormvariate(4.6, 0.8)), 900)) if answered else 0,
            caller=caller,
            operator=random.choice(self.company.staff),
            disorder=random.choices(tuple(Disorder), (70, 12, 12, 6))[0],
        )


def plan_calls(
    random: Random, count: int, visits: Sequence[VisitPlan], company: Company, opens: float, closes: float
) -> Sequence[CallPlan]:
    """Returns `count` calls in the order of their beginning, numbered from 0."""
    making = _Making(random, visits, company, opens, closes, set(company.staff_mobiles))
    wanted = {kind: max(1, round(count * share)) for kind, share in SHARES.items()}
    wanted[Kind.FRESH] = count - sum(wanted.values())
    for kind, make in _MAKERS.items():
        for _ in range(wanted[kind]):
            making.made.append(make(making))
    ordered = sorted(making.made, key=lambda call: (call.at, call.caller or ""))
    return tuple(replace(call, number=number) for number, call in enumerate(ordered))


def _fresh(making: _Making) -> CallPlan:
    random, visit = making.random, making.caller(before=making.closes)
    roll = random.random()
    if roll < 0.45:
        at = visit.at + max(3.0, (visit.leaves - visit.at) * random.uniform(0.3, 0.98))
    else:
        at = visit.leaves + random.expovariate(1 / (120 if roll < 0.8 else 720))
    caller = None if random.random() < HIDDEN else making.phone()
    call = making.call(Kind.FRESH, at, caller, answers=0.82)
    return replace(call, visit=visit.number, person=visit.person)


def _later(making: _Making) -> CallPlan:
    visit = making.caller(before=making.latest - 7_200)
    latest = min(visit.leaves + 6 * 3_600, making.latest)
    at = making.random.uniform(visit.leaves + 5_400, latest)
    call = making.call(Kind.LATER, at, making.phone(), answers=0.85)
    return replace(call, visit=visit.number, person=visit.person)


def _placement(making: _Making) -> CallPlan:
    placement = making.random.choices(making.company.placements, (3, 2))[0]
    call = making.call(Kind.PLACEMENT, making.moment(), making.phone(), answers=0.85)
    return replace(call, placement=placement.name, dialled=placement.number)


def _never_shown(making: _Making) -> CallPlan:
    call = making.call(Kind.NEVER_SHOWN, making.moment(), making.phone(), answers=0.8)
    return replace(call, dialled=making.random.choice(making.company.numbers.spare))


def _office(making: _Making) -> CallPlan:
    mobile = making.random.choice(making.company.staff_mobiles)
    return replace(
        making.call(Kind.OFFICE, making.moment(), mobile, answers=0.9), dialled=making.company.numbers.office
    )


def _repeat(making: _Making) -> CallPlan:
    """Who got nobody on the line tries again soon, who talked has a question later."""
    first = making.random.choice([call for call in making.made if _can_repeat(making, call)])
    gap = making.random.uniform(900, 4 * 3_600) if first.is_answered else making.random.uniform(120, 1_200)
    call = making.call(Kind.REPEAT, first.ends + gap, first.caller, answers=0.88)
    return replace(call, visit=first.visit, person=first.person, placement=first.placement, dialled=first.dialled)


def _can_repeat(making: _Making, call: CallPlan) -> bool:
    known = call.kind in (Kind.FRESH, Kind.PLACEMENT) and call.caller is not None
    return known and call.ends < making.closes - 1_800


def _outbound(making: _Making) -> CallPlan:
    """Staff call somebody back who called before."""
    first = making.random.choice([call for call in making.made if _can_repeat(making, call)])
    at = first.ends + making.random.uniform(120, 1_800)
    return replace(making.call(Kind.OUTBOUND, at, first.caller, answers=0.8), dialled=making.company.numbers.office)


def _internal(making: _Making) -> CallPlan:
    return making.call(Kind.INTERNAL, making.moment(), None, answers=0.9)


_MAKERS: Mapping[Kind, Callable[[_Making], CallPlan]] = {
    Kind.FRESH: _fresh,
    Kind.LATER: _later,
    Kind.PLACEMENT: _placement,
    Kind.NEVER_SHOWN: _never_shown,
    Kind.OFFICE: _office,
    Kind.REPEAT: _repeat,
    Kind.OUTBOUND: _outbound,
    Kind.INTERNAL: _internal,
}  # in this order: who repeats has called before
