"""A pool's plan: which days are replayed, what they say of more and fewer numbers, and what is advised."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub import pool_plan
from hub.hub import Hub
from hub.pool_days import Days, days_of
from hub.pool_plan import Advice, Asked, PoolPlan, Present, plan_pool, planned
from hub.settings import Settings
from hub.store.db import Db
from hub.store.pool_past import Done, PastCall, PastVisit, PoolPast
from hub.store.sites_told import sites_told
from tests.hub.crowd import HOLD, VAULT, Crowd, minutes
from tests.hub.double import StoppedClock
from tracking_core.pool import erlang_b

QUICK = Asked(visits=600)


def visit(who: int, at: float, number: int | None = 1, stay: float = 4, **done: Any) -> PastVisit:
    return PastVisit(who, who, minutes(at), minutes(at + stay), number, Done(**done))


def call(at: float, of: int | None, confidence: float = 1.0) -> PastCall:
    return PastCall(minutes(at), f"phone {of}", of, confidence)


def past(visits: Sequence[PastVisit], calls: Sequence[PastCall] = ()) -> PoolPast:
    return PoolPast(visits, sorted(calls, key=lambda one: one.at), is_cut=False)


def crowd(visitors: int, apart: float, each_calls: int = 1, after: float = 1) -> PoolPast:
    """Visitors who come minutes apart, each with a number of his own; of so many one calls, minutes after he came."""
    visits = [visit(who, who * apart, number=who + 1) for who in range(visitors)]
    return past(visits, [call(who * apart + after, who) for who in range(0, visitors, each_calls)])


def days(told: PoolPast, numbers: int = 1, on_intent: bool = False) -> Days:
    return days_of(told, numbers, HOLD, on_intent, 600)


FIFTY = [call(100_000 + place, 1) for place in range(50)]  # calls enough of the visitor 1 for his days to be replayed


def who_came(told: Days) -> list[str]:
    return [one.visitor for one in told.visits]


# -- which days


def test_fifty_sure_calls_are_enough_for_the_sites_own_days() -> None:
    assert not days(crowd(50, apart=60)).is_simulated


def test_with_fewer_the_days_are_simulated_and_as_many_as_asked() -> None:
    told = days(crowd(49, apart=60))
    assert (told.is_simulated, told.sure) == (True, 49)
    assert len(told.visits) == pytest.approx(600, rel=0.15)


def test_simulated_visitors_come_as_often_as_in_the_sites_busiest_hour() -> None:
    told = days(crowd(240, apart=0.5, each_calls=1_000))
    assert (told.busiest, told.stay) == (120, 4)
    hours = (told.visits[-1].start - told.visits[0].start) / timedelta(hours=1)
    assert len(told.visits) / hours == pytest.approx(120, rel=0.15)


def test_simulated_days_are_the_same_each_time() -> None:
    assert days(past([])) == days(past([]))


def test_a_call_whose_caller_is_not_sure_is_left_out_and_counted() -> None:
    unsure = [call(3, 1, confidence=0.89), call(4, None, 0.0), call(5, 99)]
    told = days(past([visit(1, 0)], [*unsure, *FIFTY]))
    assert (len(told.calls), told.sure, told.left_out) == (50, 50, 3)


def test_who_found_no_number_while_all_were_held_wanted_one() -> None:
    told = days(past([visit(1, 0), visit(2, 5, number=None)], FIFTY))
    assert who_came(told) == ["1", "2"]


def test_who_had_none_while_one_was_free_never_asked_for_it() -> None:
    told = days(past([visit(1, 0), visit(2, 14, number=None)], FIFTY))
    assert who_came(told) == ["1"]


def test_a_pool_with_a_number_more_was_not_full() -> None:
    told = days(past([visit(1, 0), visit(2, 5, number=None)], FIFTY), numbers=2)
    assert who_came(told) == ["1"]


def test_on_intent_the_script_tells_who_reached_for_a_number() -> None:
    visits = [visit(1, 0), visit(2, 1, number=None), visit(3, 2, number=None, revealed=True)]
    told = days(past(visits, FIFTY), on_intent=True)
    assert (told.tells_reveals, [one.revealed for one in told.visits]) == (True, [True, False, True])


def test_at_page_load_three_in_ten_are_supposed_to_the_callers_among_them() -> None:
    told = days(crowd(1_000, apart=1, each_calls=20))
    assert not told.tells_reveals
    assert told.revealed == pytest.approx(0.3, abs=0.03)
    assert all(told.visits[one.visit].revealed for one in told.calls if one.visit is not None)


def test_the_latest_visits_keep_their_calls() -> None:
    told = days(crowd(60, apart=60)).latest(10)
    assert (len(told.visits), told.is_cut) == (10, True)
    assert [one.at - told.visits[one.visit or 0].start for one in told.calls] == [timedelta(minutes=1)] * 10


def test_days_that_are_few_enough_are_not_cut() -> None:
    told = days(crowd(60, apart=60))
    assert told.latest(60) is told


# -- the plan


def plan(told: PoolPast, numbers: int, right: float = 0.9, hold: timedelta = HOLD, on_intent: bool = False) -> PoolPlan:
    present = Present("okna", "k1", "main", numbers, hold, on_intent)
    return planned(present, told, replace(QUICK, right=right))


def rights(made: PoolPlan, on_intent: bool = False) -> dict[int, float]:
    return {one.numbers: one.right for one in made.trials if one.on_intent == on_intent}


def test_more_numbers_are_tried_and_fewer_in_both_ways() -> None:
    made = plan(crowd(60, apart=60), numbers=10)
    assert {5, 7, 10, 14, 20} <= rights(made).keys()
    assert rights(made).keys() == rights(made, on_intent=True).keys()


def test_the_pool_as_it_is_is_among_them() -> None:
    made = plan(crowd(60, apart=60), numbers=10, on_intent=True)
    assert (made.now.numbers, made.now.hold_s, made.now.on_intent) == (10, 600, True)
    assert made.now in made.trials


def test_a_pool_that_overflows_matches_fewer_calls_than_one_that_does_not() -> None:
    told = rights(plan(crowd(200, apart=1), numbers=4))
    assert told[2] < told[4] < told[8] < 0.7
    assert told[max(told)] == 1


def test_queueing_speaks_of_the_busiest_hour() -> None:
    told = plan(crowd(200, apart=1), numbers=10).queueing
    assert (told.per_hour, told.stay_minutes, told.load) == (60, 4, pytest.approx(14))
    assert told.overflow == pytest.approx(erlang_b(14, 10))
    assert erlang_b(14, told.enough) <= 0.01 < erlang_b(14, told.enough - 1)


def test_another_hold_is_told_beside_it() -> None:
    made = plan(crowd(200, apart=1), numbers=10)
    assert (made.other_hold.numbers, made.other_hold.hold_s) == (10, 180)
    assert made.other_hold.overflow < made.now.overflow


def test_where_the_hold_is_short_a_long_one_is_told() -> None:
    assert plan(crowd(60, apart=60), numbers=1, hold=timedelta(minutes=3)).other_hold.hold_s == 600


def test_calls_that_are_left_out_lower_what_is_promised() -> None:
    told = crowd(60, apart=60)
    made = plan(replace(told, calls=[*told.calls, *(call(9_000, None, 0.0) for _ in range(20))]), numbers=1)
    assert (made.now.right, made.least_right) == (1, 0.75)


def test_a_large_pool_is_replayed_with_fewer_visits() -> None:
    told = crowd(400, apart=1, each_calls=8)
    made = plan(told, numbers=150)
    assert made.replayed.is_cut
    assert made.replayed.visits < 400 == plan(told, numbers=10).replayed.visits


def test_a_pool_without_numbers_can_be_planned() -> None:
    made = plan(past([]), numbers=0)
    assert (made.now.overflow, made.replayed.is_simulated) == (1, True)


@pytest.mark.parametrize(
    ("told", "numbers", "right", "advice"),
    [
        (crowd(60, apart=60), 1, 0.9, Advice.KEEP),
        (crowd(60, apart=60), 10, 0.9, Advice.FEWER),
        (crowd(200, apart=1), 4, 0.9, Advice.MORE),
        (crowd(500, apart=1, each_calls=10), 8, 0.9, Advice.ON_INTENT),
        (crowd(200, apart=1, after=300), 4, 0.9, Advice.BEST),
    ],
    ids=lambda one: one if isinstance(one, Advice) else "",
)
def test_what_is_advised(told: PoolPast, numbers: int, right: float, advice: Advice) -> None:
    made = plan(told, numbers, right)
    assert made.advice is advice
    assert (made.advised.right >= right) == (advice is not Advice.BEST)


def test_the_fewest_that_are_accurate_enough_are_advised() -> None:
    made = plan(crowd(200, apart=1), numbers=4)
    assert made.advised.numbers == made.fewest == min(size for size, right in rights(made).items() if right >= 0.9)


def test_on_intent_is_not_advised_where_it_is_the_way_already() -> None:
    assert plan(crowd(500, apart=1, each_calls=10), 8, on_intent=True).advice is not Advice.ON_INTENT


# -- regions


def late(told: PoolPast, region: str, other: str, phone: str) -> PoolPast:
    """The same crowd from two regions in turn, all of whom call long after they left, from a phone of the first."""
    visits = [replace(one, region=(region, other)[one.id % 2]) for one in told.visits]
    calls = [replace(one, phone=phone) for one in told.calls]
    return replace(told, visits=visits, calls=calls)


@pytest.mark.parametrize(("phone", "right"), [("+78432000000", 1.0), ("+79160000000", 0.0)])
def test_a_replay_gives_and_matches_by_region(phone: str, right: float) -> None:
    told = crowd(300, apart=5, each_calls=4, after=40)
    assert plan(late(told, "RU-TA", "RU-MOW", phone), numbers=12).now.right == right


# -- from the store


@pytest.fixture
def site(store: Db) -> Crowd:
    """A site with two numbers whose every visitor, one in a quarter of an hour, calls."""
    made = Crowd(store)
    for who in range(55):
        made.calls(at=15 * who + 1, visit_id=made.comes(who, at=15 * who))
    return made


async def made_of(site: Crowd) -> Any:
    clock = StoppedClock()
    clock.at = minutes(15 * 60)
    (told,) = await site.db.read(sites_told, site.tenant_id, clock.now())
    hub = Hub(Settings(), site.db, clock, VAULT, connectors={}, apps={})
    return await plan_pool(hub, site.tenant_id, told, told.pools[0], QUICK)


async def test_the_days_are_the_stores(site: Crowd) -> None:
    made = await made_of(site)
    assert (made.replayed.visits, made.replayed.calls, made.now.numbers) == (55, 55, 2)
    assert (made.now.right, made.now.overflow) == (1, 0)


async def test_the_event_loop_is_free_while_days_are_replayed(site: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(pool_plan, "planned", lambda *_asked: free.wait(5))
    asyncio.get_running_loop().call_later(0.01, free.set)
    assert await made_of(site) is True
