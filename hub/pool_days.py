"""The days a pool plan replays: the site's own, or simulated ones where those have too few calls to count."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from hub.store.pool_past import PastVisit, PoolPast
from tracking_core import regions
from tracking_core.habits import SURE, interest
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.planner import RecordedCall, RecordedVisit
from tracking_core.simulated_traffic import Traffic, simulate

FEWEST_CALLS = 50  # with a sure caller; one call more or less then moves a share by 2 points
_FEWEST_VISITS = 200  # below, arrivals are the general figures' too
_SHORTEST = 0.5  # minutes of a mean visit: one view without a heartbeat has none


@dataclass(frozen=True, slots=True)
class Days:
    """Visits and calls in order of time, and what a reader must know of them.

    ``busiest`` is how many visitors came in the busiest hour, ``stay`` the mean visit in minutes. ``sure`` and
    ``left_out`` are the pool's own calls with and without a sure caller: of the latter nobody can say whether a replay
    gets them right. ``tells_reveals`` says whether the page script told who reached for the number; where it does not,
    the callers and as many others as make three in ten are taken to.
    """

    visits: Sequence[RecordedVisit]
    calls: Sequence[RecordedCall]
    busiest: float
    stay: float
    sure: int
    left_out: int
    is_simulated: bool = False
    is_cut: bool = False
    tells_reveals: bool = False

    @property
    def revealed(self) -> float:
        """The share of visitors who reached for the number."""
        return sum(one.revealed for one in self.visits) / len(self.visits) if self.visits else 0.0

    def latest(self, most: int) -> "Days":
        """Returns the days with their latest ``most`` visits only, and the calls of these."""
        gone = len(self.visits) - most
        if gone <= 0:
            return self
        kept = [
            replace(one, visit=one.visit - gone) for one in self.calls if one.visit is not None and one.visit >= gone
        ]
        return replace(self, visits=self.visits[gone:], calls=kept, is_cut=True)


def days_of(
    past: PoolPast, numbers: int, hold: timedelta, on_intent: bool, most: int, numbering: NumberingPlan = NO_PLAN
) -> Days:
    """Returns the days to replay for a pool as it is: ``numbers``, ``hold``, and when a visitor gets one.

    Simulated ones have ``most`` visits, arriving all the time as in the site's busiest hour.
    """
    own = _recorded(past, numbers, hold, on_intent, numbering)
    return own if own.sure >= FEWEST_CALLS else _simulated(own, most)


# -- the site's own


def _recorded(past: PoolPast, numbers: int, hold: timedelta, on_intent: bool, numbering: NumberingPlan) -> Days:
    kept = past.visits if on_intent else list(_served(past.visits, numbers, hold))
    places = {one.id: place for place, one in enumerate(kept)}
    calls = [
        RecordedCall(one.at, places[one.visit_id], one.phone_key, regions.of_phone(one.phone, numbering))
        for one in past.calls
        if one.visit_id in places and one.confidence >= SURE
    ]
    callers = {one.visit for one in calls}
    reveals = _reveals_told(kept, callers) if on_intent else _reveals_supposed(kept, callers)
    return Days(
        [_visit(one, revealed) for one, revealed in zip(kept, reveals, strict=True)],
        calls,
        busiest=_busiest(kept),
        stay=_stay(kept),
        sure=len(calls),
        left_out=len(past.calls) - len(calls),
        is_cut=past.is_cut,
        tells_reveals=on_intent,
    )


def _served(visits: Sequence[PastVisit], numbers: int, hold: timedelta) -> Iterator[PastVisit]:
    """Leave out who never asked for a number (robots, the office): one who found none came when all were held."""
    until: dict[int, datetime] = {}
    for one in visits:
        if one.number_id is not None:
            until[one.number_id] = max(until.get(one.number_id, one.last_seen_at), one.last_seen_at + hold)
            yield one
        elif sum(over > one.started_at for over in until.values()) >= numbers:
            yield one


def _reveals_told(visits: Sequence[PastVisit], callers: Set[int | None]) -> list[bool]:
    return [place in callers or one.number_id is not None or one.done.revealed for place, one in enumerate(visits)]


def _reveals_supposed(visits: Sequence[PastVisit], callers: Set[int | None]) -> list[bool]:
    others = len(visits) - len(callers)
    share = (Traffic().revealed * len(visits) - len(callers)) / others if others else 0.0
    dice = Random(1)  # noqa: S311 - the same each time
    return [place in callers or dice.random() < share for place in range(len(visits))]


def _visit(one: PastVisit, revealed: bool) -> RecordedVisit:
    return RecordedVisit(
        str(one.visitor_id),
        one.started_at,
        one.last_seen_at,
        region=one.region,
        revealed=revealed,
        interest=interest(copied=one.done.copied),
        taps=tuple(one.done.taps),
    )


def _busiest(visits: Sequence[PastVisit]) -> float:
    hours = Counter(one.started_at.replace(minute=0, second=0, microsecond=0) for one in visits)
    return float(max(hours.values(), default=0))


def _stay(visits: Sequence[PastVisit]) -> float:
    minutes = sum((one.last_seen_at - one.started_at).total_seconds() / 60 for one in visits)
    return minutes / len(visits) if visits else 0.0


# -- simulated


def _simulated(own: Days, most: int) -> Days:
    """Make ``most`` visits: as many an hour, and as long, as the site's own where it has enough of them."""
    about = Traffic(region_known=0.0)  # how many regions a site is visited from is its own
    if len(own.visits) >= _FEWEST_VISITS:
        about = replace(about, per_hour=own.busiest, stay=max(own.stay, _SHORTEST))
    visits, calls = simulate(Random(1), replace(about, days=most / about.per_hour / 24))  # noqa: S311 - as above
    nowhere = [replace(one, region=None) for one in visits]
    return Days(nowhere, calls, about.per_hour, about.stay, own.sure, own.left_out, is_simulated=True)
