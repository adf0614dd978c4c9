"""The rule tells a program from people: what each of its bounds is there for, and how often it errs."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log

import pytest

from connectors.changes import ROBOT
from hub.conflict_rule import LEAST, LEAST_OF_ROBOTS, NEAR_S, STEADY_S, Mark, Since, Verdict, judge

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CUSTOMERS = 2_000


def marks(gaps: Sequence[float], author: str | None = "7", apart: timedelta = timedelta(minutes=20)) -> list[Mark]:
    """Cards made so many seconds after each call began; calls end after ever longer talks."""
    return [
        Mark(
            NOON + number * apart + timedelta(seconds=gap),
            {Since.BEGAN: gap, Since.ENDED: gap - 40 * number, Since.OURS: gap - 40 * number - 17 * (number % 3)},
            author,
        )
        for number, gap in enumerate(gaps)
    ]


def said(made: Sequence[Mark], enquiries: int = 10, later: int = 0, *, is_quiet: bool = False) -> Verdict:
    return judge(enquiries, made, later, is_quiet=is_quiet).verdict


STEADY = marks([3, 4, 3, 5, 4, 3, 4])


def test_the_same_moment_of_each_call_is_a_program() -> None:
    assert said(STEADY) is Verdict.CONFLICT


def test_a_program_that_waits_for_the_end_of_the_call_is_found_by_the_end() -> None:
    made = judge(10, marks([40 * number + 4 for number in range(6)]), 0, is_quiet=False)
    assert (made.verdict, made.since, made.median_s) == (Verdict.CONFLICT, Since.ENDED, 4)


def test_without_another_card_nothing_is_said() -> None:
    assert said([]) is Verdict.NOTHING


def test_few_are_chance() -> None:
    assert said(STEADY[: LEAST - 1]) is Verdict.BY_HAND
    assert said(STEADY[:LEAST]) is Verdict.CONFLICT


def test_a_small_share_is_people() -> None:
    assert said(STEADY, enquiries=36) is Verdict.BY_HAND
    assert said(STEADY, enquiries=35) is Verdict.CONFLICT


def test_moments_that_differ_are_people() -> None:
    differing = marks([3, 90, 40, 200, 15, 120])
    assert said(differing) is Verdict.BY_HAND


def test_one_of_five_may_be_late_and_two_may_not() -> None:
    assert said(marks([3, 4, 3, 5, 4, 400])) is Verdict.CONFLICT
    assert said(marks([3, 4, 3, 5, 300, 400])) is Verdict.BY_HAND


def test_what_comes_long_after_is_no_program_that_waits_for_calls() -> None:
    late = NEAR_S + 300
    assert said(marks([late] * 6)) is Verdict.BY_HAND


def test_where_as_many_come_right_after_it_is_people() -> None:
    assert said(STEADY, later=3) is Verdict.BY_HAND
    assert said(STEADY, later=2) is Verdict.CONFLICT


def test_a_robot_is_a_program_whenever_it_comes() -> None:
    differing = [3, 90, 40]
    assert said(marks(differing, ROBOT)) is Verdict.CONFLICT
    assert said(marks(differing[: LEAST_OF_ROBOTS - 1], ROBOT)) is Verdict.BY_HAND


def test_an_import_that_meets_many_calls_at_once_is_none() -> None:
    assert said(marks([9, 8, 7, 6], ROBOT, apart=timedelta(seconds=1))) is Verdict.BY_HAND


def test_what_has_been_switched_off_is_over() -> None:
    assert said(STEADY, is_quiet=True) is Verdict.OVER


def test_who_made_most_of_them_is_told() -> None:
    assert judge(10, [*marks([3, 4]), *marks([5], "8")], 0, is_quiet=False).author == "7"


# -- how often it errs


def alarms(of: Sequence[Sequence[float]], enquiries: int) -> float:
    """Return the share of customers to whom a conflict is said."""
    return sum(said(marks(gaps), enquiries) is Verdict.CONFLICT for gaps in of) / len(of)


@pytest.mark.parametrize("number", [6, 8, 20])
@pytest.mark.parametrize(
    ("typical_s", "spread", "most"), [(67, 0.8, 0.005), (25, 0.7, 0.05)], ids=["people", "hurried"]
)
def test_people_who_make_deals_by_hand_at_every_second_call_are_seldom_taken_for_a_program(
    number: int, typical_s: float, spread: float, most: float
) -> None:
    chance = random.Random(number)
    by_hand = [[chance.lognormvariate(log(typical_s), spread) for _ in range(number)] for _ in range(CUSTOMERS)]
    assert alarms(by_hand, 2 * number) < most


@pytest.mark.parametrize("number", [6, 8, 20])
def test_programs_are_found(number: int) -> None:
    chance = random.Random(number)
    programs = [[6 + chance.gauss(0, STEADY_S / 3) for _ in range(number)] for _ in range(CUSTOMERS)]
    assert alarms(programs, 2 * number) > 0.98
