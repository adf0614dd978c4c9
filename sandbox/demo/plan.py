"""The day as data: who visits when, who calls whom, and what the sales people will make of it.

Everything here follows from a seed and three sizes; nothing reads a clock or a network. Moments (`at`) are
epoch seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sandbox.demo.calls import CallPlan, plan_calls
from sandbox.demo.company import opening_hours, pool_for
from sandbox.demo.fates import Fate, plan_fates
from sandbox.demo.gestures import Gesture, plan_gestures
from sandbox.demo.people import COLLEAGUE, ROBOT, Consent, Person, plan_people
from sandbox.demo.sources import PLACEMENTS, WEB
from sandbox.demo.visits import VisitPlan, plan_strangers, plan_visits

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
    """One planned day: the whole truth, known before it is played.

    `visits` are those of people who may call, `strangers` those of a robot and of somebody of the office; `people` has
    the person of each.
    """

    seed: int
    opens: float
    closes: float
    pool: Sequence[str]
    visits: Sequence[VisitPlan]
    strangers: Sequence[VisitPlan]
    people: Sequence[Person]
    calls: Sequence[CallPlan]
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


def make_day(seed: int = 1, visits: int = 2_200, calls: int = 170, kills: int = 0) -> Day:
    """Returns the day of a seed; the same arguments always give the same day.

    Raises ValueError, with a sentence for people, for sizes that make no day.
    """
    _refuse_odd_sizes(visits, calls, kills)
    opens, closes = opening_hours()
    planned = plan_visits(Random(f"{seed}:visits"), visits, opens, closes)
    strangers = plan_strangers(Random(f"{seed}:strangers"), planned, opens, closes)
    people = (*plan_people(Random(f"{seed}:people"), strangers[0].person), ROBOT, COLLEAGUE)
    called = plan_calls(Random(f"{seed}:calls"), calls, planned, opens, closes)
    return Day(
        seed=seed,
        opens=opens,
        closes=closes,
        pool=pool_for(visits),
        visits=planned,
        strangers=strangers,
        people=people,
        calls=called,
        gestures=plan_gestures(Random(f"{seed}:gestures"), called, planned, people),
        fates=plan_fates(Random(f"{seed}:fates"), called),
        spend=_spend(planned),
        kills=_kills(Random(f"{seed}:kills"), kills, called),
    )


def _refuse_odd_sizes(visits: int, calls: int, kills: int) -> None:
    if not FEWEST_CALLS <= calls <= MOST_CALLS:
        raise ValueError(f"A day has {FEWEST_CALLS} to {MOST_CALLS} calls, not {calls}.")
    if not calls * 2 <= visits <= MOST_VISITS:
        raise ValueError(f"A day with {calls} calls has {calls * 2} to {MOST_VISITS} visits, not {visits}.")
    if not 0 <= kills <= calls // 4:
        raise ValueError(f"In a day with {calls} calls the hub can be killed 0 to {calls // 4} times, not {kills}.")


def _spend(visits: Sequence[VisitPlan]) -> Sequence[Spend]:
    """Every paid campaign's clicks by their price, and every placement's cost of the day."""
    rows = []
    for source in WEB:
        for campaign in source.campaigns:
            arrivals = (visit.arrival for visit in visits)
            clicks = sum(one.source == source.key and one.campaign == campaign.name for one in arrivals)
            if campaign.click_minor and clicks:
                cost = clicks * campaign.click_minor
                rows.append(Spend(campaign.utm["utm_source"], campaign.name, cost, clicks))
    return (*rows, *(Spend(one.source, one.campaign, one.cost_minor, 0) for one in PLACEMENTS))


def _kills(random: Random, kills: int, calls: Sequence[CallPlan]) -> Sequence[Kill]:
    # Shortly after a call's end its deal is just being made: the worst moment to die.
    inbound = [call.number for call in calls if call.reaches_crm][3:]
    chosen = sorted(random.sample(inbound, kills))
    return tuple(Kill(call, round(random.uniform(0.0, 0.08), 3)) for call in chosen)
