"""Who called, where more is known than the delay: region, tap, what the visitor did with the number."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.unit.leases import AT, CALLER, NUMBER, lease
from tracking_core.habits import SHEET_HABITS, Delays, Habits, Interest
from tracking_core.match import LeaseSpan, Match, MatchReason, Remembered, Thresholds, match

HALF_LIFE = Habits(delays=Delays.half_life(10), background=0.05)


def past(visitor: str, seen_minutes_ago: float, **facts) -> LeaseSpan:
    """A lease that is over: another visitor has the number."""
    return lease(visitor, seen_minutes_ago, ended_at=AT - timedelta(minutes=seen_minutes_ago - 1), **facts)


def tapped(seconds_ago: float) -> tuple[datetime, ...]:
    return (AT - timedelta(seconds=seconds_ago),)


def who(*leases: LeaseSpan, region=None, memory=None, **more) -> Match:
    return match(NUMBER, CALLER, AT, leases, None, memory, caller_region=region, **more)


def probabilities(told: Match) -> dict[str, float]:
    return {one.visitor: one.probability for one in told.candidates}


def test_the_worked_half_life_form():
    told = who(lease("A", 2), lease("B", 25), habits=HALF_LIFE)
    assert probabilities(told) == pytest.approx({"A": 0.7933, "B": 0.1611}, abs=5e-5)
    assert told.nobody == pytest.approx(0.0456, abs=5e-5)


def test_the_worked_mixture_tells_how_likely_nobody_is():
    assert who(lease("A", 2), lease("B", 25)).nobody == pytest.approx(0.0033, abs=5e-5)


def test_the_worked_foreign_region_as_the_callers():
    habits = replace(SHEET_HABITS, other_region=0.2)
    told = who(lease("A", 2, region="spb"), lease("B", 25, region="msk"), region="msk", habits=habits)
    assert probabilities(told) == pytest.approx({"A": 0.9303, "B": 0.0540}, abs=5e-5)
    assert told.nobody == pytest.approx(0.0157, abs=5e-5)


def test_candidates_and_nobody_are_all_there_is():
    told = who(lease("A", 2), past("B", 25), past("C", 90))
    assert sum(probabilities(told).values()) + told.nobody == pytest.approx(1)


def test_a_region_that_is_not_known_changes_nothing():
    assert probabilities(who(lease("A", 2, region="spb"), region=None)) == probabilities(who(lease("A", 2)))


def test_the_callers_region_finds_an_earlier_holder():
    known = Habits(regions={"msk": 0.5, "spb": 0.5}, region_differs=0.001)
    told = who(lease("A", 8, region="spb"), past("B", 20, region="msk"), region="msk", habits=known)
    assert (told.visitor, told.reason, told.is_accepted) == ("B", MatchReason.LAST_HOLDER, True)


def test_a_holder_from_elsewhere_is_no_longer_sure():
    known = Habits(regions={"msk": 0.5, "spb": 0.5}, region_differs=0.001)
    assert not who(lease("A", 8, region="spb"), region="msk", habits=known).is_accepted


def test_a_tap_seconds_before_the_call_weighs_twenty_times():
    plain = who(lease("A", 8), past("B", 9))
    told = who(lease("A", 8), past("B", 9, taps=tapped(5)))
    odds = probabilities(told)["B"] / probabilities(told)["A"]
    assert odds == pytest.approx(20 * probabilities(plain)["B"] / probabilities(plain)["A"])


@pytest.mark.parametrize("seconds_ago", [61, -1])
def test_a_tap_long_before_the_call_or_after_it_is_none(seconds_ago):
    assert who(lease("A", 2, taps=tapped(seconds_ago))) == who(lease("A", 2))


def test_where_most_callers_tap_who_did_not_is_less_likely():
    habits = Habits(tap_share=0.8)
    assert who(lease("A", 0), habits=habits).confidence < who(lease("A", 0)).confidence


def test_who_called_from_another_phone_is_hardly_the_caller():
    told = who(lease("A", 12, interest=Interest.CALLED), past("B", 20))
    assert told.visitor == "B"


def test_who_never_saw_the_number_is_hardly_the_caller():
    told = who(lease("A", 12, interest=Interest.UNSEEN), past("B", 20))
    assert told.visitor == "B"


def test_memory_goes_before_a_holder_whose_region_speaks_against_him():
    known = Remembered("old", "visit-old", AT - timedelta(days=3), 0.9)
    habits = Habits(regions={"msk": 0.5, "spb": 0.5}, region_differs=0.001)
    told = who(lease("A", 8, region="spb"), region="msk", memory=known, habits=habits)
    assert (told.visitor, told.reason) == ("old", MatchReason.REPEAT_CALLER)


def test_a_holder_of_years_ago_is_nobody():
    told = who(past("A", 1e6), habits=Habits(background=0.0))
    assert (told.visitor, told.nobody, told.reason) == (None, 1.0, MatchReason.NOBODY)


def test_only_so_many_alternatives_are_kept():
    spans = [past(f"v{place}", 20 + place) for place in range(9)]
    assert len(who(*spans, thresholds=Thresholds(kept=5)).candidates) == 5


def test_what_is_not_kept_still_counts():
    spans = [past(f"v{place}", 20 + place) for place in range(9)]
    assert sum(probabilities(who(*spans)).values()) + who(*spans).nobody < 0.9


def test_only_the_newest_holders_are_weighed():
    spans = [past(f"v{place}", 20 + place) for place in range(9)]
    told = who(*spans, thresholds=Thresholds(newest=2))
    assert set(probabilities(told)) == {"v0", "v1"}


@pytest.mark.parametrize(
    ("told", "accepted"),
    [
        (who(lease("A", 2)), True),
        (who(lease("A", 90, hold=0)), False),
        (who(lease("A", 300, hold=0)), False),
        (who(), False),
    ],
)
def test_only_a_sure_match_is_accepted(told, accepted):
    assert told.is_accepted is accepted


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (who(lease("A", 0, taps=tapped(5))), "The visitor tapped the number 5 s before the call."),
        (
            who(lease("A", 2, region="msk"), region="msk"),
            "The number was this visitor's alone at the time of the call; last seen 2 min before it. "
            "The caller's region is the visit's.",
        ),
        (
            who(lease("A", 2, region="spb"), region="msk"),
            "The number was this visitor's alone at the time of the call; last seen 2 min before it. "
            "The caller's region differs.",
        ),
        (
            who(lease("A", 12, interest=Interest.CALLED), past("B", 20)),
            "Shown the number earlier, yet likelier than those after; last seen 20 min before it.",
        ),
    ],
)
def test_the_reason_in_words(told, words):
    assert told.reason_words == words
