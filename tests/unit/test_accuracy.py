"""The simulation is the sheet's, what is measured on it can fail, and nothing peeks at the truth.

A quick variant of ``make bench NAME=accuracy``: one seed and fewer days, so the bars here are wider than there.
"""

from dataclasses import replace
from datetime import timedelta
from random import Random
from statistics import mean

import pytest

from bench import accuracy
from bench.accuracy_sheet import SHEET, Row, replayed
from tracking_core.calibration import calibration_error
from tracking_core.habits import SHEET_HABITS, Delays
from tracking_core.planner import Replayed, replay, soft_lease
from tracking_core.simulated_traffic import DELAYS, Traffic, simulate

POINTS = 2.0  # of a hundred: how far these days may be from the sheet's, which are one seed too
QUICK = Traffic(days=12)
TEACH = timedelta(days=6)
FLAT = Delays(((1.0, 1e6),))


@pytest.fixture(scope="module")
def forty_days():
    """The sheet's 40 days at 60 visitors an hour, as two seeds of 20."""
    return [simulate(Random(seed), Traffic(days=20)) for seed in (2, 3)]


@pytest.fixture(scope="module")
def days(forty_days):
    """Twenty days of visits and calls."""
    return forty_days[0]


@pytest.fixture(scope="module")
def recorded():
    """A dozen days, six to teach and six to count."""
    return simulate(Random(1), QUICK)


@pytest.fixture(scope="module")
def ours(recorded) -> Replayed:
    """Our policy on the quick days, 24 numbers, a lease for every visitor."""
    return accuracy.ours(recorded, 24, teach=TEACH)


@pytest.fixture(scope="module")
def last_holder(recorded) -> Replayed:
    """The plain rule on the same days."""
    return accuracy.others(recorded, accuracy.by_last_holder(24), accuracy.START + TEACH)


# -- the simulation


@pytest.mark.parametrize("row", SHEET, ids=lambda row: f"{row.numbers} {row.hold.seconds // 60} {row.choice}")
def test_the_simulation_gives_the_sheets_table(forty_days, row: Row):
    found = [replayed(one, row) for one in forty_days]
    told = [
        mean(one.overflow for one in found),
        *(mean(one.share(name) for one in found) for name in ("right", "wrong")),
    ]
    assert [100 * share for share in told] == pytest.approx([row.overflow, row.right, row.wrong], abs=POINTS)


def test_visitors_arrive_and_call_as_often_as_told(days):
    visits, calls = days
    assert len(visits) == pytest.approx(20 * 24 * 60, rel=0.02)
    assert len(calls) / len(visits) == pytest.approx(0.05, abs=0.003)


def test_visitors_stay_and_callers_wait_as_long_as_told(days):
    visits, calls = days
    assert mean((one.last_seen - one.start).total_seconds() for one in visits) == pytest.approx(240, rel=0.03)
    waited = mean((one.at - visits[one.visit].start).total_seconds() / 60 for one in calls)
    assert waited == pytest.approx(sum(share * minutes for share, minutes in DELAYS), rel=0.15)


def test_half_of_the_phones_tell_their_region_and_all_tell_the_visits(days):
    visits, calls = days
    told = [one for one in calls if one.region is not None]
    assert len(told) / len(calls) == pytest.approx(0.5, abs=0.02)
    assert all(one.region == visits[one.visit].region for one in told)


def test_two_calls_in_five_follow_a_tap_and_no_late_call_does(days):
    visits, calls = days
    tapped = [one for one in calls if visits[one.visit].taps]
    assert len(tapped) / len(calls) == pytest.approx(0.4, abs=0.02)
    assert all(one.at <= visits[one.visit].last_seen for one in tapped)


def test_three_visitors_in_ten_reveal_the_number_all_callers_among_them(days):
    visits, calls = days
    assert mean(one.revealed for one in visits) == pytest.approx(0.3, abs=0.01)
    assert all(visits[one.visit].revealed for one in calls)


def test_a_seed_gives_the_same_days_each_time():
    assert simulate(Random(3), Traffic(days=1)) == simulate(Random(3), Traffic(days=1))


def test_another_seed_gives_others():
    assert simulate(Random(3), Traffic(days=1)) != simulate(Random(4), Traffic(days=1))


def test_days_cut_out_keep_each_call_with_its_visit(recorded):
    visits, calls = accuracy.between(recorded, accuracy.START + timedelta(days=2), accuracy.START + timedelta(days=3))
    assert {visits[one.visit].visitor[1:] for one in calls if one.visit is not None} <= {
        str(int(one.caller[5:])) for one in calls
    }


# -- ours, beside the plain rule


def test_fewer_calls_are_wrong_than_two_thirds_of_the_plain_rules(ours, last_holder):
    assert ours.share("wrong") <= 0.65 * last_holder.share("wrong")


def test_hardly_fewer_calls_are_right(ours, last_holder):
    assert ours.share("right") >= last_holder.share("right") - 0.02


@pytest.mark.parametrize(("numbers", "right"), [(24, 0.91), (12, 0.87)])
def test_on_intent_few_numbers_do(recorded, numbers, right):
    assert accuracy.ours(recorded, numbers, on_intent=True, teach=TEACH).share("right") >= right


def test_the_probabilities_keep_their_word(ours):
    assert 100 * calibration_error(ours.told) <= 4


def test_what_is_learned_is_no_worse_than_the_general_figures(recorded, ours):
    general = accuracy.ours(recorded, 24, teach=TEACH, learn=False)
    assert ours.share("right") >= general.share("right")
    assert ours.share("wrong") <= general.share("wrong")


# -- what must be worse


def test_shuffled_probabilities_fail_the_calibration(ours):
    told = [one for one, _ in ours.told]
    Random(1).shuffle(told)
    shuffled = zip(told, [right for _, right in ours.told], strict=True)
    assert 100 * calibration_error(shuffled) > 4


def test_matching_that_ignores_the_decay_is_worse(recorded, ours):
    flat = soft_lease(24, replace(SHEET_HABITS, delays=FLAT, background=0.0))
    ignorant = accuracy.others(recorded, flat, accuracy.START + TEACH)
    assert ignorant.share("right") < ours.share("right") - 0.1


def test_a_random_choice_is_worse_than_the_longest_idle(days):
    by_choice = {row.choice: replayed(days, row) for row in SHEET if row.numbers == 36}
    assert by_choice["random"].share("wrong") > by_choice["longest idle"].share("wrong") + 0.005


def test_a_pool_too_small_is_worse(recorded, ours):
    small = accuracy.ours(recorded, 8, teach=TEACH)
    assert small.share("right") < ours.share("right") - 0.05


def test_callers_whose_region_differs_cost_accuracy(ours):
    lying = accuracy.ours(simulate(Random(1), replace(QUICK, region_differs=0.875)), 24, teach=TEACH)
    assert lying.share("right") < ours.share("right")


# -- no peeking


def test_who_called_in_truth_never_changes_what_is_told(recorded):
    visits, calls = recorded
    honest = replay(visits, calls, soft_lease(24))
    # every call is now another's who had the same number, so the same number rings at the same moment
    liars = [
        replace(call, visit=int(heard.spans[-1].visit_id)) for call, heard in zip(calls, honest.heard, strict=True)
    ]
    told = replay(visits, liars, soft_lease(24))
    assert [one for one, _ in told.told] == [one for one, _ in honest.told]
    assert told.share("right") < 0.1 < honest.share("right")
