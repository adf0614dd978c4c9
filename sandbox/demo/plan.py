"""The day as data: who visits when, who calls whom, and what the sales people will make of it.

Everything here follows from a seed and three sizes; nothing reads a clock or a network. Moments (`at`) are
epoch seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sandbox.demo.calls import CallPlan, plan_calls
from sandbox.demo.company import Company, opening_hours
from sandbox.demo.fates import Fate, plan_fates, plan_writers_fates, with_advances
from sandbox.demo.forms import FormPlan, plan_forms
from sandbox.demo.gestures import Gesture, plan_gestures
from sandbox.demo.kitchens import KITCHENS
from sandbox.demo.people import ROBOT, Consent, Person, colleague, plan_people
from sandbox.demo.visits import VisitPlan, plan_strangers, plan_visits
from sandbox.demo.windows import WINDOWS

COMPANIES = (WINDOWS, KITCHENS)
MOST_VISITS, MOST_CALLS, FEWEST_CALLS = 20_000, 2_000, 20


@dataclass(frozen=True, slots=True)
class Kill:
    """The hub is killed `after_s` real seconds after the end of call number `call` was told."""

    call: int
    after_s: float


@dataclass(frozen=True, slots=True)
class Spend:
    """What one campaign cost on the day, in kopecks."""

    source: str
    campaign: str
    cost_minor: int
    clicks: int


@dataclass(frozen=True, slots=True)
class Day:
    """One planned day of one company: the whole truth, known before it is played.

    `visits` are those of people who may call, `strangers` those of a robot and of somebody of the office; `people` has
    the person of each.
    """

    company: Company
    seed: int
    opens: float
    closes: float
    pool: Sequence[str]
    visits: Sequence[VisitPlan]
    strangers: Sequence[VisitPlan]
    people: Sequence[Person]
    calls: Sequence[CallPlan]
    forms: Sequence[FormPlan]
    gestures: Sequence[Gesture]
    fates: Mapping[str, Fate]
    spend: Sequence[Spend]
    kills: Sequence[Kill]

    @property
    def sources(self) -> int:
        """How many sources brought a visit or a call."""
        placements = {call.placement for call in self.calls if call.placement}
        return len({visit.arrival.source for visit in self.visits}) + len(placements)

    def visits_with(self, consent: Consent) -> int:
        """How many visits are of people who agreed to just that."""
        return sum(self.people[visit.person].consent is consent for visit in self.visits)

    @property
    def visits_told(self) -> int:
        """How many visits the hub hears of: all but those of people who opted out."""
        return len(self.visits) + len(self.strangers) - self.visits_with(Consent.OFF)


def make_days(seed: int = 1, visits: int = 2_200, calls: int = 170, kills: int = 0) -> Sequence[Day]:
    """Returns the same day of each company; the sizes are those of the first one, whose calls the hub is killed at.

    Raises ValueError, with a sentence for people, for sizes that make no day.
    """
    first, *others = COMPANIES
    return (make_day(seed, visits, calls, kills, first), *(_beside(seed, visits, calls, one) for one in others))


def _beside(seed: int, visits: int, calls: int, company: Company) -> Day:
    calls = max(FEWEST_CALLS, round(calls * company.size))
    return make_day(seed, max(calls * 2, round(visits * company.size)), calls, company=company)


def make_day(seed: int = 1, visits: int = 2_200, calls: int = 170, kills: int = 0, company: Company = WINDOWS) -> Day:
    """Returns the day of a seed; the same arguments always give the same day.

    Raises ValueError, with a sentence for people, for sizes that make no day.
    """
    _refuse_odd_sizes(visits, calls, kills)
    opens, closes = opening_hours()

    def chances(of: str) -> Random:
        return Random(f"{seed}:{company.stream}{of}")

    planned = plan_visits(chances("visits"), visits, company, opens, closes)
    strangers = plan_strangers(chances("strangers"), planned, company, opens, closes)
    visitors = plan_people(chances("people"), strangers[0].person, company.addresses)
    people = (*visitors, ROBOT, colleague(company))
    called = plan_calls(chances("calls"), calls, planned, company, opens, closes)
    forms = plan_forms(chances("forms"), company.forms, planned, people, called)
    written = plan_writers_fates(chances("fates of writers"), (form.phone for form in forms))
    fates = {**plan_fates(chances("fates"), called), **written}
    return Day(
        company=company,
        seed=seed,
        opens=opens,
        closes=closes,
        pool=company.pool_for(visits),
        visits=planned,
        strangers=strangers,
        people=people,
        calls=called,
        forms=forms,
        gestures=plan_gestures(chances("gestures"), called, planned, people),
        fates=with_advances(chances("advances"), company.advances, fates),
        spend=_spend(company, planned),
        kills=_kills(chances("kills"), kills, called),
    )


def _refuse_odd_sizes(visits: int, calls: int, kills: int) -> None:
    if not FEWEST_CALLS <= calls <= MOST_CALLS:
        raise ValueError(f"A day has {FEWEST_CALLS} to {MOST_CALLS} calls, not {calls}.")
    if not calls * 2 <= visits <= MOST_VISITS:
        raise ValueError(f"A day with {calls} calls has {calls * 2} to {MOST_VISITS} visits, not {visits}.")
    if not 0 <= kills <= calls // 4:
        raise ValueError(f"In a day with {calls} calls the hub can be killed 0 to {calls // 4} times, not {kills}.")


def _spend(company: Company, visits: Sequence[VisitPlan]) -> Sequence[Spend]:
    """Every paid campaign's clicks by their price, and every placement's cost of the day."""
    rows = []
    for source in company.web:
        for campaign in source.campaigns:
            arrivals = (visit.arrival for visit in visits)
            clicks = sum(one.source == source.key and one.campaign == campaign.name for one in arrivals)
            if campaign.click_minor and clicks:
                cost = clicks * campaign.click_minor
                rows.append(Spend(campaign.utm["utm_source"], campaign.name, cost, clicks))
    return (*rows, *(Spend(one.source, one.campaign, one.cost_minor, 0) for one in company.placements))


def _kills(random: Random, kills: int, calls: Sequence[CallPlan]) -> Sequence[Kill]:
    # Shortly after a call's end its deal is just being made: the worst moment to die.
    inbound = [call.number for call in calls if call.reaches_crm][3:]
    chosen = sorted(random.sample(inbound, kills))
    return tuple(Kill(call, round(random.uniform(0.0, 0.08), 3)) for call in chosen)
