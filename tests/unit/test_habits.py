"""How visitors call: the worked values of the DNI sheet, section 10, and the factors of each sign."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracking_core.habits import SHEET_HABITS, Delays, Habits, Interest, interest

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHEET = SHEET_HABITS.delays
LEARNED = Delays(((0.5, 8.0), (0.5, 120.0)), present=(0.6, 5.0))
REGIONS = replace(SHEET_HABITS, regions={"msk": 0.5, "spb": 0.3, "kzn": 0.2}, region_differs=0.1)


@pytest.mark.parametrize(("minutes", "dense"), [(2, 0.147886), (25, 0.001716)])
def test_the_worked_densities(minutes, dense):
    assert SHEET.density(minutes) == pytest.approx(dense, abs=5e-7)


@pytest.mark.parametrize(
    ("minutes", "left"), [(5, 0.2986), (10, 0.1573), (15, 0.1225), (30, 0.0910), (60, 0.0552), (120, 0.0203)]
)
def test_the_worked_survival(minutes, left):
    assert SHEET.survival(minutes) == pytest.approx(left, abs=5e-5)


@pytest.mark.parametrize(("hold", "covered"), [(10, 0.84), (30, 0.91)])
def test_the_calls_a_hold_covers(hold, covered):
    assert 1 - SHEET.survival(hold) == pytest.approx(covered, abs=0.005)


def test_the_half_life_form():
    halves = Delays.half_life(10)
    assert (halves.density(2), halves.density(25)) == pytest.approx((0.870551, 0.176777), abs=5e-7)


def test_before_the_visitor_left_all_calls_are_still_to_come():
    assert SHEET.survival(-5) == 1


def test_who_is_present_calls_at_one_rate():
    assert LEARNED.density(0) == LEARNED.density(1) == pytest.approx(0.6 / 5)


def test_of_those_who_left_only_the_rest_call():
    assert LEARNED.survival(1) == pytest.approx(0.4)


def test_the_density_is_what_survival_loses():
    lost = (LEARNED.survival(20) - LEARNED.survival(20.001)) / 0.001
    assert LEARNED.density(20) == pytest.approx(lost, rel=1e-3)


@pytest.mark.parametrize("share", [0.7, 0.9, 0.99])
def test_the_minutes_after_which_a_share_has_called_are_what_survival_leaves(share):
    assert LEARNED.survival(LEARNED.within(share)) == pytest.approx(1 - share, abs=0.005)


def test_half_of_the_calls_have_come_while_most_visitors_are_present():
    assert LEARNED.within(0.5) == pytest.approx(0, abs=0.02)


def test_who_calls_from_the_page_is_a_share_of_all():
    assert LEARNED.at_page == pytest.approx(0.6)


def test_the_tail_is_how_long_the_late_ones_take():
    assert Delays(((0.9, 1.0), (0.1, 240.0))).tail == pytest.approx(240, rel=1e-6)


@pytest.mark.parametrize(
    ("visit", "caller", "factor"),
    [("msk", "msk", 1.0), ("msk", "spb", 0.3), ("msk", None, 1.0), (None, "spb", 1.0)],
)
def test_the_sheets_factor_of_a_region(visit, caller, factor):
    assert SHEET_HABITS.of_region(visit, caller) == factor


def test_a_likelihood_of_regions_sums_to_one():
    assert sum(REGIONS.of_region("spb", caller) for caller in ("msk", "spb", "kzn")) == pytest.approx(1)


def test_a_stranger_is_from_a_region_as_often_as_visits_are():
    assert REGIONS.of_region(None, "kzn") == 0.2


def test_where_all_visits_are_from_one_region_another_is_not_divided_by_nothing():
    assert Habits(regions={"msk": 1.0}, region_differs=0.1).of_region("msk", "spb") == pytest.approx(0.1)


@pytest.mark.parametrize(("idle", "tapped", "factor"), [(0, True, 20), (0, False, 0.4), (5, False, 1), (5, True, 20)])
def test_a_tap_or_its_absence(idle, tapped, factor):
    assert Habits(tap_share=0.6).of_tap(idle, tapped) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({}, Interest.UNKNOWN),
        ({"seen": False}, Interest.UNSEEN),
        ({"seen": True}, Interest.SEEN),
        ({"seen": True, "looked": timedelta(seconds=19)}, Interest.SEEN),
        ({"seen": True, "looked": timedelta(seconds=20)}, Interest.KEEN),
        ({"copied": True}, Interest.KEEN),
        ({"tapped": True}, Interest.KEEN),
        ({"copied": True, "called": True}, Interest.CALLED),
    ],
)
def test_what_a_visitor_did_with_the_number(told, shown):
    assert interest(**told) is shown


def test_a_number_of_an_ordinary_visitor_is_idle_since_he_left():
    assert SHEET_HABITS.idle_since(NOW) == NOW


def test_a_number_of_a_keen_visitor_is_idle_later():
    assert SHEET_HABITS.idle_since(NOW, Interest.KEEN) > NOW


def test_the_moment_makes_a_keen_visitor_as_likely_as_an_ordinary_one_then():
    late = NOW + timedelta(hours=6)
    habits = replace(SHEET_HABITS, delays=Delays(((1.0, 240.0),)))
    seemingly = habits.idle_since(NOW, Interest.KEEN)
    in_truth = 3.0 * habits.delays.survival(360)
    assert habits.delays.survival((late - seemingly).total_seconds() / 60) == pytest.approx(in_truth)


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(ValueError, match="factor above 0; there is none for unseen"):
        Habits(interests={**SHEET_HABITS.interests, Interest.UNSEEN: 0.0})


def test_a_negative_background_is_refused():
    with pytest.raises(ValueError, match="background must not be negative"):
        Habits(background=-1)
