"""Which free number: the one whose past holders are least likely still to call."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.habits import SHEET_HABITS, Interest
from tracking_core.pool import (
    HeldNumber,
    PastHolder,
    choose,
    cooled,
    lost_calls,
    numbers_for,
    offered_load,
)
from tracking_core.pool import given as given_to

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOLD = timedelta(minutes=3)


def left(minutes_ago: float, region: str | None = None, shown: Interest = Interest.UNKNOWN) -> PastHolder:
    return PastHolder(NOW - timedelta(minutes=minutes_ago), region, shown)


def number(name: str, *holders: PastHolder) -> HeldNumber:
    """A number with its past holders, in order of time."""
    one = HeldNumber(name)
    for place, holder in enumerate(holders):
        one = given_to(one, f"{name}{place}", holder, SHEET_HABITS)
    return one


def chosen(*numbers: HeldNumber, region: str | None = "msk") -> str | None:
    return choose(numbers, "me", NOW, HOLD, region=region, habits=SHEET_HABITS)


def test_where_nothing_is_known_the_longest_idle_is_given():
    assert chosen(number("a", left(20)), number("b", left(40)), region=None) == "b"


def test_a_number_whose_past_holders_are_from_elsewhere_goes_before_one_a_little_longer_idle():
    assert chosen(number("a", left(31, "msk")), number("b", left(30, "spb"))) == "b"


def test_a_number_very_much_longer_idle_goes_first_whatever_the_region():
    assert chosen(number("a", left(600, "msk")), number("b", left(4, "spb"))) == "a"


def test_an_earlier_holder_from_the_same_region_counts_too():
    assert chosen(number("a", left(60, "msk"), left(31, "spb")), number("b", left(30, "spb"))) == "b"


def test_a_keen_visitors_number_is_kept_longer():
    assert chosen(number("a", left(40, shown=Interest.KEEN)), number("b", left(30))) == "b"


def test_a_number_nobody_saw_is_given_first():
    assert chosen(number("a", left(5, shown=Interest.UNSEEN)), number("b", left(60))) == "a"


def test_a_number_nobody_saw_is_as_warm_as_the_holder_before_left_it():
    unseen = left(5, shown=Interest.UNSEEN)
    assert chosen(number("a", left(20), unseen), number("b", left(30))) == "b"


def test_a_region_is_as_warm_as_its_warmest_holder_left_it():
    unseen = left(5, "msk", Interest.UNSEEN)
    assert lost_calls(number("a", left(20, "msk"), unseen), "msk", NOW, SHEET_HABITS) == pytest.approx(
        SHEET_HABITS.delays.survival(20)
    )


def test_who_has_called_needs_the_number_no_more():
    called = cooled(number("a", left(10)), [left(10, shown=Interest.CALLED)], SHEET_HABITS)
    assert chosen(called, number("b", left(60))) == "a"


def test_a_number_cooled_by_a_call_is_still_its_holders_for_the_hold():
    called = cooled(number("a", left(1)), [left(1, shown=Interest.CALLED)], SHEET_HABITS)
    assert chosen(called, number("b", left(60))) == "b"


def test_a_number_never_given_loses_no_calls():
    assert lost_calls(HeldNumber("a"), "msk", NOW, SHEET_HABITS) == 0


def test_half_of_the_lost_calls_are_lost_to_any_region():
    elsewhere = lost_calls(number("a", left(30, "spb")), "msk", NOW, SHEET_HABITS)
    same = lost_calls(number("a", left(30, "msk")), "msk", NOW, SHEET_HABITS)
    assert elsewhere == pytest.approx(SHEET_HABITS.delays.survival(30) / 2)
    assert same == pytest.approx(SHEET_HABITS.delays.survival(30))


histories = st.lists(
    st.lists(
        st.tuples(st.floats(0, 300), st.sampled_from(["msk", "spb", None]), st.sampled_from(Interest)), max_size=4
    ),
    max_size=12,
)


@given(histories)
def test_whatever_the_heat_only_a_free_number_is_given(told):
    numbers = [
        number(f"{place:02d}", *(left(*one) for one in sorted(past, key=lambda one: -one[0])))
        for place, past in enumerate(told)
    ]
    free = {one.number for one in numbers if one.is_free(NOW, HOLD)}
    assert chosen(*numbers) in (free or {None})


def test_the_load_of_a_site():
    assert offered_load(1.0, 4, 6) == 10


def test_on_intent_the_load_is_the_share_who_reveal_the_number():
    assert offered_load(1.0, 4, 6, 0.3) == pytest.approx(3)


@pytest.mark.parametrize(("overflow", "needed"), [(0.05, 15), (0.02, 17), (0.01, 18), (1.0, 0)])
def test_the_numbers_a_load_of_ten_needs(overflow, needed):
    assert numbers_for(10, overflow) == needed


@pytest.mark.parametrize(("load", "overflow"), [(-1, 0.1), (1, 0), (1, 1.5)])
def test_an_impossible_wish_is_refused(load, overflow):
    with pytest.raises(ValueError, match="overflow between 0 and 1"):
        numbers_for(load, overflow)
