"""Recorded days replayed with other pools."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracking_core.habits import SHEET_HABITS, Interest
from tracking_core.planner import (
    Policy,
    RecordedCall,
    RecordedVisit,
    fewest,
    frontier,
    last_holder,
    learned,
    longest_idle,
    replay,
    soft_lease,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def visit(name: str, begin: float, stay: float = 4, **facts) -> RecordedVisit:
    return RecordedVisit(name, at(begin), at(begin + stay), **facts)


def call(minutes: float, of: int | None, caller: str = "+7900", region: str | None = None) -> RecordedCall:
    return RecordedCall(at(minutes), of, caller, region)


def plain(numbers: int, hold: float = 10, on_intent: bool = False) -> Policy:
    return Policy(numbers, timedelta(minutes=hold), longest_idle, last_holder, on_intent=on_intent)


ALONE = [visit("a", 0)]
PAIR = [visit("a", 0), visit("b", 2)]


def test_a_call_from_the_page_is_matched_right():
    assert replay(ALONE, [call(2, 0)], soft_lease(1)).share("right") == 1


def test_who_finds_no_number_is_overflow_and_his_call_unknown():
    played = replay(PAIR, [call(3, 1)], plain(1))
    assert (played.overflow, played.share("unknown")) == (0.5, 1)


def test_a_number_taken_over_makes_the_first_ones_call_wrong():
    later = [visit("a", 0), visit("b", 30)]
    assert replay(later, [call(31, 0)], plain(1)).share("wrong") == 1


def test_with_one_number_more_it_is_right():
    later = [visit("a", 0), visit("b", 30)]
    assert replay(later, [call(31, 0)], plain(2)).share("right") == 1


def test_nobodys_call_is_never_right():
    assert replay(ALONE, [call(2, None)], soft_lease(1)).share("right") == 0


def test_on_intent_only_who_reveals_the_number_takes_one():
    hidden = [visit("a", 0, revealed=False), visit("b", 2)]
    played = replay(hidden, [call(3, 1)], plain(1, on_intent=True))
    assert (played.wanted, played.share("right")) == (1, 1)


def test_a_returning_visitor_keeps_his_number():
    back = [visit("a", 0), visit("b", 1), visit("a", 20)]
    played = replay(back, [call(21, 2)], plain(2))
    assert (played.overflow, played.share("right")) == (0, 1)


def test_a_merely_probable_match_counts_as_unknown_and_is_shown_beside():
    played = replay(ALONE, [call(94, 0)], soft_lease(1))
    assert [played.share(name) for name in ("unknown", "probable", "probable_right", "right")] == [1, 1, 1, 0]


def test_only_calls_from_the_asked_moment_on_count():
    assert replay(ALONE, [call(1, 0), call(3, 0)], soft_lease(1), since=at(2)).calls == 1


def test_a_caller_who_was_matched_is_remembered_when_others_have_the_number():
    later = [visit("a", 0), visit("b", 60, 1)]
    played = replay(later, [call(2, 0), call(80, 0)], soft_lease(1))
    assert played.share("right") == 1


def test_a_caller_nobody_remembers_is_not():
    later = [visit("a", 0), visit("b", 60, 1)]
    played = replay(later, [call(2, 0), call(80, 0, "+7901")], soft_lease(1))
    assert played.share("right") == 0.5


def test_the_number_of_one_who_has_called_is_given_before_one_idle_longer():
    crowd = [visit("a", 0), visit("b", 1), visit("c", 40)]
    calls = [call(2, 1), call(41, 0, "+7901")]
    freed, kept = soft_lease(2), replace(soft_lease(2), minds_signs=False)
    assert replay(crowd, calls, freed).outcomes["wrong"] == 0  # c has b's number, and a's is still his own
    assert replay(crowd, calls, kept).outcomes["wrong"] == 1


def test_a_replay_says_the_same_each_time():
    days = [visit(f"v{place}", place * 3) for place in range(60)]
    calls = [call(place * 9 + 20, place * 3, f"+7{place}") for place in range(18)]
    assert replay(days, calls, soft_lease(4)).outcomes == replay(days, calls, soft_lease(4)).outcomes


def test_a_day_without_calls_has_no_shares():
    assert replay(ALONE, [], soft_lease(1)).share("right") == 0


def test_a_pool_without_numbers_overflows():
    assert replay(ALONE, [call(1, 0)], soft_lease(0)).overflow == 1


def test_a_quiet_day_teaches_nothing():
    assert learned(ALONE, [call(1, 0)], soft_lease(1)) == SHEET_HABITS


def test_exposure_counts_visits_with_a_number_by_interest():
    days = [visit("a", 0, interest=Interest.SEEN), visit("b", 1)]
    assert replay(days, [], soft_lease(2)).exposure.interests == {Interest.SEEN: 1, Interest.UNKNOWN: 1}


BUSY = [visit(f"v{place}", place) for place in range(120)]
# half of them call at once, half when 14 others have come
CALLS = [call(place * 10 + 1 + 14 * (place % 2), place * 10, f"+7{place}") for place in range(10)]
CALLS.sort(key=lambda one: one.at)


@pytest.mark.parametrize(("right", "numbers"), [(0.5, 4), (0.9, 20), (1.0, 20)])
def test_the_fewest_numbers_for_an_accuracy(right, numbers):
    played = frontier(BUSY, CALLS, [plain(count, 1) for count in (24, 20, 12, 4)])
    found = fewest(played, right)
    assert found is not None
    assert found.numbers == numbers


def test_an_accuracy_no_pool_reaches_has_no_answer():
    assert fewest(frontier(BUSY, CALLS, [plain(4, 1)]), 0.99) is None
