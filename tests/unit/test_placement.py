"""What a placement cost on the days of a report, and whether it stood on a day."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from tracking_core.placement import spend_between, standing

NOVEMBER = date(2026, 11, 1), date(2026, 11, 30)


def day(number, month=11):
    return date(2026, month, number)


@pytest.mark.parametrize(
    ("first", "last", "spent"),
    [
        (day(1), day(30), 100_000),
        (day(1, 10), day(31, 12), 100_000),  # more days than it stood
        (day(1), day(1), 3_334),  # 3333.33: what does not divide falls on the first ten days
        (day(10), day(11), 3_334 + 3_333),
        (day(11), day(30), 20 * 3_333),
        (day(30), day(30, 12), 3_333),
        (day(1, 10), day(31, 10), 0),
        (day(1, 12), day(31, 12), 0),
    ],
)
def test_the_cost_lies_evenly_on_the_days(first, last, spent):
    assert spend_between(100_000, *NOVEMBER, first, last) == spent


@pytest.mark.parametrize("cost", [0, 1, 29, 30, 31, 99_999_999])
def test_reports_cut_in_any_way_add_up_to_the_cost(cost):
    days = [NOVEMBER[0] + timedelta(days=number) for number in range(-3, 36)]
    assert sum(spend_between(cost, *NOVEMBER, one, one) for one in days) == cost
    cuts = {
        spend_between(cost, *NOVEMBER, days[0], one) + spend_between(cost, *NOVEMBER, after, days[-1])
        for one, after in pairwise(days)
    }
    assert cuts == {cost}


def test_a_placement_of_one_day_costs_all_on_it():
    assert spend_between(700, day(7), day(7), day(7), day(7)) == 700


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "where"),
    [
        (day(2), None, "before"),
        (day(1), day(1), "during"),
        (None, None, "during"),
        (None, day(1), "during"),
        (None, day(31, 10), "after"),
    ],
)
def test_where_a_day_lies_to_a_placement(starts_on, ends_on, where):
    assert standing(starts_on, ends_on, day(1)) == where
