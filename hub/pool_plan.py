"""How many numbers for which accuracy: a pool's days, replayed with more and fewer numbers, given in both ways.

A replay gives numbers and matches calls as the hub does: the coolest number, all evidence, the habits of the site.
Beside it stands what queueing says of the busiest hour (Erlang B).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.hub import Hub
from hub.pool_days import Days, days_of
from hub.store.pool_past import PoolPast, Span, pool_past
from hub.store.site_habits import habits_of
from hub.store.sites_told import PoolTold, SiteTold
from tracking_core.habits import SHEET_HABITS, Habits
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.planner import SOFT_HOLD, Policy, Replayed, fewest, frontier, soft_lease
from tracking_core.pool import HOLD, erlang_b, numbers_for, offered_load

DAYS, RIGHT = 30, 0.9  # what is asked when nothing else is
WAYS = (False, True)  # a number for every visitor, or on intent
VISITS = 20_000  # at most, so that memory and time are bounded
_LOOKS = 400  # at numbers for each visit, all replays together: with larger pools fewer visits are replayed
_AROUND = (0.5, 0.7, 1.0, 1.4, 2.0)  # times the present size
_BEYOND = 1.5  # what queueing asks for keeps numbers free, not idle long enough for late calls
_MOST_NUMBERS = 250  # tried only because queueing asks for them
_OVERFLOW = 0.01  # of the visitors of the busiest hour: what "enough" means in queueing
_RUN_IN = 10  # a tenth of the visits fills the pool before calls count
_one_at_a_time = ThreadPoolExecutor(1, "pool-plan")  # replays share the processor with every request in flight


class Advice(StrEnum):
    """What to do about a pool."""

    KEEP = "keep"
    FEWER = "fewer"
    MORE = "more"
    ON_INTENT = "on_intent"
    BEST = "best"  # nothing tried is accurate enough; this comes nearest


@dataclass(frozen=True, slots=True)
class Trial:
    """What a pool would have come to: shares of all calls, and of all visitors who wanted a number (``overflow``)."""

    numbers: int
    hold_s: int
    on_intent: bool
    right: float
    wrong: float
    unknown: float
    overflow: float


@dataclass(frozen=True, slots=True)
class Queueing:
    """What Erlang B says of the busiest hour: visitors in it, minutes each stays, load in Erlang.

    ``overflow`` is the share of them that would find no number in the present pool; with ``enough`` numbers at most
    one in a hundred does.
    """

    per_hour: float
    stay_minutes: float
    load: float
    overflow: float
    enough: int


@dataclass(frozen=True, slots=True)
class Replayable:
    """What was replayed: how many visits and calls, of when; times are None where they were simulated.

    ``busiest`` is how many visitors came in the busiest hour, whether they asked for a number or not.
    ``sure`` of the pool's own calls have a sure caller; the ``left_out`` have none, and are in no share.
    """

    visits: int
    calls: int
    first: datetime | None
    last: datetime | None
    busiest: float
    is_simulated: bool
    is_cut: bool
    tells_reveals: bool
    sure: int
    left_out: int


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """A pool as it is, what other pools would have come to, and what to do.

    ``trials`` are by way of giving and by numbers, ``now`` among them; ``other_hold`` is the same pool with another
    hold. ``right`` is the accuracy asked for; ``fewest`` and ``fewest_on_intent`` are the fewest of the numbers tried
    that have it, ``advised`` is the pool that the advice leads to.
    """

    site: str
    key: str
    pool: str
    right: float
    replayed: Replayable
    queueing: Queueing
    now: Trial
    trials: tuple[Trial, ...]
    other_hold: Trial
    fewest: int | None
    fewest_on_intent: int | None
    advice: Advice
    advised: Trial

    @property
    def least_right(self) -> float:
        """The share right of the pool as it is if every call that was left out were not."""
        all_calls = self.replayed.sure + self.replayed.left_out
        return self.now.right * self.replayed.sure / all_calls if all_calls else 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a plan: the accuracy, from the last ``days``, of which the latest ``visits`` at most."""

    right: float = RIGHT
    days: int = DAYS
    visits: int = VISITS


@dataclass(frozen=True, slots=True)
class Present:
    """The pool as it is; ``on_intent`` says that a number is given only to a visitor who reaches for it."""

    site: str
    key: str
    pool: str
    numbers: int
    hold: timedelta
    on_intent: bool
    habits: Habits = SHEET_HABITS
    numbering: NumberingPlan = NO_PLAN


async def plan_pool(hub: Hub, tenant_id: int, site: SiteTold, pool: PoolTold, asked: Asked) -> PoolPlan:
    """Return the plan of a pool; the replays run beside the event loop, one plan at a time."""
    db, now = hub.db, hub.clock.now()
    span = Span(now - timedelta(days=asked.days), now, asked.visits)
    past = await db.read(pool_past, tenant_id, site.id, pool.name, span, hub.vault)
    hold = timedelta(seconds=site.hold_s)
    habits = await db.read(habits_of, tenant_id, site.id)
    about = (site.name, site.key, pool.name, pool.numbers, hold, site.mode == "intent")
    present = Present(*about, habits, hub.numbering)
    return await asyncio.get_running_loop().run_in_executor(_one_at_a_time, planned, present, past, asked)


def planned(present: Present, past: PoolPast, asked: Asked) -> PoolPlan:
    """Replay the past of a pool and return its plan: seconds of work."""
    hold, on_intent, right, habits = present.hold, present.on_intent, asked.right, present.habits
    days = days_of(past, present.numbers, hold, on_intent, asked.visits, present.numbering)
    queueing = {way: _queueing(days, present.numbers, hold, way) for way in WAYS}
    sizes = _sizes(present.numbers, [one.enough for one in queueing.values()])
    days = days.latest(int(asked.visits * _LOOKS / (1 + days.revealed) / sum(sizes)))
    played = {way: _played(days, sizes, hold, way, habits) for way in WAYS}
    few = {way: policy.numbers if (policy := fewest(played[way], right)) else None for way in WAYS}
    trials = [_trial(*one) for way in WAYS for one in played[way]]
    now = next(one for one in trials if one.numbers == present.numbers and one.on_intent == on_intent)
    (other_hold,) = _played(days, [present.numbers], HOLD if hold == SOFT_HOLD else SOFT_HOLD, on_intent, habits)
    advice, advised = _advise(now, trials, few, right)
    return PoolPlan(
        site=present.site,
        key=present.key,
        pool=present.pool,
        right=right,
        replayed=_replayed(days),
        queueing=queueing[on_intent],
        now=now,
        trials=tuple(trials),
        other_hold=_trial(*other_hold),
        fewest=few[False],
        fewest_on_intent=few[True],
        advice=advice,
        advised=advised,
    )


# -- replays


def _sizes(present: int, enough: Sequence[int]) -> list[int]:
    """Return the sizes to try: around the present one, and where queueing says that none is missing, and beyond."""
    around = {max(1, round(present * factor)) for factor in _AROUND}
    beyond = [round(_BEYOND * max(enough))] if max(enough) > present else []
    asked = {max(1, min(one, max(_MOST_NUMBERS, present))) for one in (*enough, *beyond)}
    return sorted({present} | around | asked)


def _played(
    days: Days, sizes: Iterable[int], hold: timedelta, on_intent: bool, habits: Habits
) -> list[tuple[Policy, Replayed]]:
    policies = [soft_lease(size, habits, hold, on_intent=on_intent) for size in sizes]
    since = days.visits[len(days.visits) // _RUN_IN].start
    return frontier(days.visits, days.calls, policies, since)


def _trial(policy: Policy, played: Replayed) -> Trial:
    return Trial(
        policy.numbers,
        policy.hold // timedelta(seconds=1),
        policy.on_intent,
        right=played.share("right"),
        wrong=played.share("wrong"),
        unknown=played.share("unknown"),
        overflow=played.overflow,
    )


def _replayed(days: Days) -> Replayable:
    first, last = (None, None) if days.is_simulated else (days.visits[0].start, days.visits[-1].start)
    return Replayable(
        visits=len(days.visits),
        calls=len(days.calls),
        first=first,
        last=last,
        busiest=days.busiest,
        is_simulated=days.is_simulated,
        is_cut=days.is_cut,
        tells_reveals=days.tells_reveals,
        sure=days.sure,
        left_out=days.left_out,
    )


def _queueing(days: Days, numbers: int, hold: timedelta, on_intent: bool) -> Queueing:
    share = days.revealed if on_intent else 1.0
    load = offered_load(days.busiest / 60, days.stay, hold.total_seconds() / 60, share)
    enough = numbers_for(load, _OVERFLOW)
    return Queueing(days.busiest * share, days.stay, load, erlang_b(load, numbers), enough)


# -- the advice


def _advise(now: Trial, trials: Sequence[Trial], few: Mapping[bool, int | None], right: float) -> tuple[Advice, Trial]:
    """Return what to do and the pool it leads to: fewer numbers first, then another way to give them, then more."""
    tried = {(one.on_intent, one.numbers): one for one in trials}
    enough, on_intent = few[now.on_intent], few[True]
    if enough is not None and now.right >= right:
        return (Advice.FEWER if enough < now.numbers else Advice.KEEP), tried[now.on_intent, enough]
    if on_intent is not None and not now.on_intent and (enough is None or on_intent <= now.numbers):
        return Advice.ON_INTENT, tried[True, on_intent]
    if enough is not None:
        return Advice.MORE, tried[now.on_intent, enough]
    return Advice.BEST, max(trials, key=lambda one: (one.right, -one.numbers))
