"""What the store tells of a pool's past: whose number it was, who called, nothing of other pools and other tenants."""

from typing import Any

import pytest

from hub.store.db import Db
from tests.hub.crowd import Crowd, minutes


@pytest.fixture
def crowd(store: Db) -> Crowd:
    """A site whose pool has two numbers."""
    return Crowd(store)


def held(crowd: Crowd, **span: Any) -> list[int | None]:
    """Which of the pool's numbers each visit held, counted in the order they were given."""
    numbers = [one.number_id for one in crowd.past(**span).visits]
    places = {number: place for place, number in enumerate(dict.fromkeys(one for one in numbers if one))}
    return [places.get(number) if number else None for number in numbers]


# -- visits


def test_a_visit_has_the_number_its_visitor_held(crowd: Crowd) -> None:
    crowd.comes(1, at=0)
    crowd.comes(2, at=1)
    assert held(crowd) == [0, 1]


def test_a_visitor_who_found_none_held_none(crowd: Crowd) -> None:
    for who in range(3):
        crowd.comes(who, at=who)
    assert held(crowd) == [0, 1, None]


def test_a_number_that_was_given_on_belongs_to_each_in_his_time(crowd: Crowd) -> None:
    crowd.comes(1, at=0)
    crowd.comes(2, at=1)
    crowd.comes(3, at=30)
    assert held(crowd) == [0, 1, 0]


def test_who_comes_back_to_his_number_has_it_in_both_visits(crowd: Crowd) -> None:
    crowd.comes(1, at=0)
    crowd.comes(1, at=120)
    assert held(crowd) == [0, 0]


def test_who_comes_back_after_another_took_it_has_a_new_one(crowd: Crowd) -> None:
    crowd.comes(1, at=0)
    crowd.comes(2, at=20)
    crowd.comes(3, at=40)
    crowd.comes(1, at=60)
    assert held(crowd) == [0, 1, 0, 1]


def test_visits_are_told_in_order_with_when_they_were(crowd: Crowd) -> None:
    crowd.comes(2, at=9, stay=2)
    crowd.comes(1, at=30, stay=5)
    told = [(one.started_at, one.last_seen_at) for one in crowd.past().visits]
    assert told == [(minutes(9), minutes(11)), (minutes(30), minutes(35))]


def test_a_visit_that_another_pool_of_the_group_was_for_is_not_told(crowd: Crowd) -> None:
    crowd.comes(1, at=0, pools=(crowd.pool("ads", 1),))
    crowd.comes(2, at=1)
    assert len(crowd.past().visits) == 1


def test_a_visit_that_has_a_number_of_another_group_too_is_told(crowd: Crowd) -> None:
    free = crowd.pool("free", 1, group="free")
    crowd.comes(1, at=0, pools=(free, crowd.pool_id))
    assert held(crowd) == [0]


def test_another_tenants_visits_and_calls_are_not_told(crowd: Crowd, store: Db) -> None:
    stranger = Crowd(store)
    stranger.calls(at=2, visit_id=stranger.comes(1, at=0))
    past = crowd.past()
    assert (past.visits, past.calls) == ([], [])


# -- what was done


def test_taps_and_copies_of_the_pools_number_are_told(crowd: Crowd) -> None:
    visit = crowd.comes(1, at=0)
    number = crowd.numbers()[0]
    crowd.does(1, visit, "tel_tap", at=2, number=number)
    crowd.does(1, visit, "copy", at=3, number=number)
    (one,) = crowd.past().visits
    assert (one.done.taps, one.done.copied, one.done.revealed) == ([minutes(2)], True, False)


def test_taps_of_another_number_are_not(crowd: Crowd) -> None:
    visit = crowd.comes(1, at=0)
    crowd.does(1, visit, "tel_tap", at=2, number="+74951000000")
    assert crowd.past().visits[0].done.taps == []


def test_who_reached_for_a_number_and_found_none_is_told(crowd: Crowd) -> None:
    crowd.does(1, crowd.comes(1, at=0, pools=()), "reveal", at=1)
    assert crowd.past().visits[0].done.revealed


# -- calls


def test_a_call_is_told_with_what_it_is_matched_to(crowd: Crowd) -> None:
    visit = crowd.comes(1, at=0)
    crowd.calls(at=3, visit_id=visit, confidence=0.95)
    (one,) = crowd.past().calls
    assert (one.at, one.visit_id, one.confidence, one.phone_key) == (minutes(3), visit, 0.95, "phone 1")


def test_a_call_that_is_matched_to_nobody_is_told_so(crowd: Crowd) -> None:
    crowd.calls(at=3)
    (one,) = crowd.past().calls
    assert (one.visit_id, one.confidence) == (None, 0.0)


@pytest.mark.parametrize(
    "about", [{"direction": "outbound"}, {"dialled": "+74951000000"}], ids=["ours", "other number"]
)
def test_calls_that_are_not_to_the_pool_are_not_told(crowd: Crowd, about: dict[str, Any]) -> None:
    crowd.calls(at=3, **about)
    assert crowd.past().calls == []


# -- the bounds


@pytest.fixture
def five_hours(crowd: Crowd) -> Crowd:
    """One visitor an hour, who calls a minute later."""
    for hour in range(5):
        crowd.calls(at=60 * hour + 1, visit_id=crowd.comes(hour, at=60 * hour))
    return crowd


def told(crowd: Crowd, **span: Any) -> tuple[int, int, bool]:
    past = crowd.past(**span)
    return len(past.visits), len(past.calls), past.is_cut


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({}, (5, 5, False)),
        ({"most": 5}, (5, 5, False)),
        ({"most": 2}, (2, 2, True)),
        ({"since": 150}, (2, 2, False)),
        ({"until": 120}, (2, 2, False)),
    ],
    ids=["all", "as many as may be", "cut", "late", "early"],
)
def test_what_is_told_is_bounded_by_time_and_number(
    five_hours: Crowd, span: dict[str, Any], said: tuple[int, int, bool]
) -> None:
    assert told(five_hours, **span) == said


def test_the_latest_are_kept_with_their_numbers(five_hours: Crowd) -> None:
    past = five_hours.past(most=2)
    assert [one.started_at for one in past.visits] == [minutes(180), minutes(240)]
    assert all(one.number_id for one in past.visits)


# -- regions


def test_a_call_has_its_phone_where_visits_have_regions_to_hold_it_against(crowd: Crowd) -> None:
    crowd.calls(at=1, visit_id=crowd.comes(1, at=0, region="RU-TA"), phone="+78432000000")
    assert [one.region for one in crowd.past().visits] == ["RU-TA"]
    assert [one.phone for one in crowd.past().calls] == ["+78432000000"]


def test_no_phone_is_opened_where_no_visit_has_a_region(crowd: Crowd) -> None:
    crowd.calls(at=1, visit_id=crowd.comes(1, at=0), phone="+78432000000")
    assert [one.phone for one in crowd.past().calls] == [None]
