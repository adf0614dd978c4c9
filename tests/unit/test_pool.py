"""Who gets which number, and Erlang's figures of the DNI sheet, section 9."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.pool import HeldNumber, choose, erlang_b

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOLD = timedelta(minutes=10)


def held(number: str, visitor: str, minutes_ago: float) -> HeldNumber:
    return HeldNumber(number, visitor, NOW - timedelta(minutes=minutes_ago))


def test_a_visitor_keeps_the_number_held():
    assert choose([HeldNumber("a"), held("b", "me", 1)], "me", NOW, HOLD) == "b"


def test_a_returning_visitor_gets_the_old_number_nobody_had_since():
    assert choose([HeldNumber("a"), held("b", "me", 900)], "me", NOW, HOLD) == "b"


def test_a_number_never_held_goes_first():
    assert choose([held("a", "x", 900), HeldNumber("b")], "me", NOW, HOLD) == "b"


def test_the_number_idle_longest_goes_next():
    assert choose([held("a", "x", 20), held("b", "y", 30), held("c", "z", 11)], "me", NOW, HOLD) == "b"


@pytest.mark.parametrize(("minutes_ago", "number"), [(9.99, None), (10, "a")])
def test_a_number_is_free_when_its_hold_is_over(minutes_ago, number):
    assert choose([held("a", "x", minutes_ago)], "me", NOW, HOLD) == number


def test_an_empty_pool_overflows():
    assert choose([], "me", NOW, HOLD) is None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(0, 30)), max_size=6))
def test_nobody_is_given_the_number_another_holds(pool):
    numbers = [held(number, visitor, minutes) for number, visitor, minutes in {one[0]: one for one in pool}.values()]
    chosen = choose(numbers, "me", NOW, HOLD)
    assert chosen is None or all(one.is_free(NOW, HOLD) for one in numbers if one.number == chosen)


@pytest.mark.parametrize(
    ("load", "numbers", "blocked"),
    [
        (1, 0, 1.0),
        (1, 1, 0.5),
        (1, 2, 0.2),
        (2, 2, 0.4),
        (5, 5, 0.284868),
        (10, 10, 0.214582),
        (10, 15, 0.036497),
        (20, 30, 0.008457),
    ],
)
def test_erlang_b(load, numbers, blocked):
    assert erlang_b(load, numbers) == pytest.approx(blocked, abs=1e-6)


@pytest.mark.parametrize(
    ("load", "sizes"),
    [
        (20 / 6, (7, 8, 9)),
        (10, (15, 17, 18)),
        (30, (36, 39, 42)),
        (200 / 6, (39, 43, 45)),
        (125, (129, 138, 144)),
    ],
)
def test_numbers_needed_for_5_2_and_1_percent_overflow(load, sizes):
    needed = tuple(
        next(count for count in range(200) if erlang_b(load, count) <= share) for share in (0.05, 0.02, 0.01)
    )
    assert needed == sizes


def test_a_negative_load_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        erlang_b(-1, 3)
