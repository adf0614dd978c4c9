"""``accuracy``: calls matched right, wrong and left unknown, in a simulation where the truth is known.

Five seeds; each has ten days that only teach (with the sheet's figures at first), then twenty days that count. Our
policy (``soft_lease``: the coolest number, all evidence, accepted from 60 %) beside three others on the same visits
and calls: a fixed lease of 20 minutes with random choice; the last holder with the longest-idle number; the same with
as many numbers as the vendor rule "peak / 4" gives. ``tracking_core.simulated_traffic`` says what is simulated.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tracking_core.calibration import calibration_error
from tracking_core.habits import Habits
from tracking_core.planner import (
    SOFT_HOLD,
    Policy,
    RecordedCall,
    RecordedVisit,
    Replayed,
    last_holder,
    learned,
    longest_idle,
    replay,
    soft_lease,
)
from tracking_core.pool import HeldNumber
from tracking_core.simulated_traffic import START, Traffic, simulate

SEEDS = (1, 2, 3, 4, 5)
NUMBERS, FEW, PER_HOUR = 24, 12, 60
TEACH, COUNT = timedelta(days=10), timedelta(days=20)
_RUN_IN = timedelta(days=2)  # so that every number has past holders when the counting begins
_TRAFFIC = Traffic(days=(TEACH + COUNT).days, per_hour=PER_HOUR)
_FIXED_LEASE = timedelta(minutes=20)

Recorded = tuple[Sequence[RecordedVisit], Sequence[RecordedCall]]
Ours = Callable[[Habits | None], Policy]


def run() -> dict[str, Any]:
    """Simulate and return the shares of all calls, by policy."""
    plain = [simulate(Random(seed), _TRAFFIC) for seed in SEEDS]
    every = [ours(one, NUMBERS) for one in plain]
    figures = {**shares("", every), "overflow": mean(one.overflow for one in every)}
    figures |= {"right_low": min(each_right(every)), "right_high": max(each_right(every))}
    figures |= {"calibration_error_points": calibration_points(every)}
    for name, numbers in (("intent", NUMBERS), ("intent12", FEW)):
        on_intent = [ours(one, numbers, on_intent=True) for one in plain]
        figures |= shares(f"{name}_", on_intent)
        figures |= {f"{name}_calibration_error_points": calibration_points(on_intent)}
        figures |= shares(f"last_holder_{name}_", [others(one, by_last_holder(numbers, True)) for one in plain])
    figures |= shares("last_holder_", [others(one, by_last_holder(NUMBERS)) for one in plain])
    figures |= shares("fixed_lease_", [others(one, fixed_lease(NUMBERS, seed)) for seed, one in enumerate(plain)])
    figures |= {"vendor_rule_numbers": PER_HOUR // 4}
    figures |= shares("vendor_rule_", [others(one, by_last_holder(PER_HOUR // 4)) for one in plain])
    figures |= {"wrong_of_last_holder_wrong": figures["wrong"] / figures["last_holder_wrong"]}
    figures |= {"calls": sum(one.calls for one in every), "seeds": len(SEEDS)}
    return figures


def ours(
    recorded: Recorded, numbers: int, *, on_intent: bool = False, teach: timedelta = TEACH, learn: bool = True
) -> Replayed:
    """Replay our policy: habits from the days that teach, figures from those after."""
    begin = START + teach
    habits = None
    if learn:
        habits = learned(*between(recorded, START, begin), soft_lease(numbers, on_intent=on_intent))
    policy = soft_lease(numbers, habits, on_intent=on_intent) if habits else soft_lease(numbers, on_intent=on_intent)
    return others(recorded, policy, begin)


def others(recorded: Recorded, policy: Policy, begin: datetime = START + TEACH) -> Replayed:
    """Replay a policy that learns nothing on the days that count."""
    return replay(*between(recorded, begin - _RUN_IN, datetime.max.replace(tzinfo=START.tzinfo)), policy, begin)


def between(recorded: Recorded, begin: datetime, end: datetime) -> Recorded:
    """Return what happened in that time; a call whose visit was before is told to be nobody's, but counts."""
    visits, calls = recorded
    first = next((place for place, visit in enumerate(visits) if visit.start >= begin), len(visits))
    kept = [visit for visit in visits[first:] if visit.start < end]
    return kept, [_moved(call, first) for call in calls if begin <= call.at < end]


def _moved(call: RecordedCall, first: int) -> RecordedCall:
    place = None if call.visit is None or call.visit < first else call.visit - first
    return RecordedCall(call.at, place, call.caller, call.region)


def by_last_holder(numbers: int, on_intent: bool = False) -> Policy:
    """Return the rule of the sheet's section 11, with our hold."""
    return Policy(numbers, SOFT_HOLD, longest_idle, last_holder, on_intent=on_intent)


def fixed_lease(numbers: int, seed: int) -> Policy:
    """Return what many vendors do: 20 minutes after the visitor was last seen, any free number, the last holder."""
    dice = Random(seed)

    def any_free(held: Sequence[HeldNumber], visit: RecordedVisit, hold: timedelta) -> str | None:
        free = [one.number for one in held if one.is_free(visit.start, hold)]
        return dice.choice(free) if free else None

    return Policy(numbers, _FIXED_LEASE, any_free, last_holder)


def shares(prefix: str, played: Sequence[Replayed]) -> dict[str, float]:
    """Return right, wrong and unknown as shares of all calls, the mean of the seeds."""
    names = ("right", "wrong", "unknown")
    if any(one.outcomes["probable"] for one in played):
        names += ("probable", "probable_right")  # type: ignore[assignment]
    return {f"{prefix}{name}": mean(one.share(name) for one in played) for name in names}


def each_right(played: Iterable[Replayed]) -> list[float]:
    """Return the share right of each seed."""
    return [one.share("right") for one in played]


def calibration_points(played: Iterable[Replayed]) -> float:
    """Return the expected calibration error of all seeds' calls together, in points of a hundred."""
    return 100 * calibration_error(pair for one in played for pair in one.told)


def mean(values: Iterable[float]) -> float:
    """Return the mean."""
    told = list(values)
    return sum(told) / len(told)
