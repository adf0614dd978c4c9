"""The verdict on a day: each figure that is wrong fails its expectation with one sentence."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from sandbox.demo.browser import Browsers
from sandbox.demo.crm import CrmState, Traffic
from sandbox.demo.market import Connection
from sandbox.demo.plan import Day, make_day
from sandbox.demo.player import Played
from sandbox.demo.report import Result, expect, print_summary
from sandbox.demo.stage import HubStatus


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(visits=40, calls=20)


@pytest.fixture
def played() -> Played:
    return Played(
        connection=Connection(200, 12.3, ["The admin pressed Install."]),
        browsers=Browsers(door=None, site="", own={}, people=(), now=lambda: 0.0),  # type: ignore[arg-type]
        hub_calls=[],
        hub_status=HubStatus(0, {}, 42, 20, 0.0),
        report={},
        accuracy={},
        crm=CrmState([], {}, [], 0, 0),
        traffic=Traffic(0, 0, 0, 0),
        forged=2,
        forged_refused=2,
        kills=0,
        repeats=0,
        moves=0,
        seconds=1.0,
    )


@pytest.fixture
def figures(day: Day) -> dict[str, Any]:
    """The figures of a day on which everything went well."""
    return {
        "calls_lost": 0,
        "deals_duplicated": 0,
        "named": 50,
        "named_rightly": 40,
        "named_rightly_told": 44.6,
        "revenue_minor": 100,
        "revenue_crm_minor": 100,
        "spend_minor": sum(one.cost_minor for one in day.spend),
        "visits": 42,  # a robot and a colleague came besides
        "calls": 20,
    }


def failures(day: Day, played: Played, figures: dict[str, Any]) -> list[str]:
    return [one.sentence for one in expect(day, played, figures, ["demo-0001: why"]) if not one.is_met]


def test_a_good_day_fails_nothing(day: Day, played: Played, figures: dict[str, Any]) -> None:
    assert failures(day, played, figures) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"calls_lost": 1}, "1 calls are lost (demo-0001: why)."),
        ({"deals_duplicated": 2}, "2 deals are there twice."),
        ({"revenue_minor": 99}, "The report's revenue is 99, but the CRM's won deals are worth 100."),
        ({"named_rightly": 39}, "The hub takes 44.6 of 50 calls for rightly matched, in truth it is 39."),
        ({"visits": 41}, "The hub counts 41 visits of 42."),
        ({"calls": 21}, "The hub counts 21 calls of 20."),
    ],
)
def test_a_wrong_figure_is_one_sentence(
    day: Day, played: Played, figures: dict[str, Any], wrong: dict[str, int], sentence: str
) -> None:
    assert failures(day, played, {**figures, **wrong}) == [sentence]


def test_a_number_given_to_a_robot_is_noticed(day: Day, played: Played, figures: dict[str, Any]) -> None:
    played.browsers.wasted = 2

    (sentence,) = failures(day, played, figures)

    assert sentence == "2 numbers were given to robots, the office or people who did not agree."


def test_lost_spend_is_noticed(day: Day, played: Played, figures: dict[str, Any]) -> None:
    (sentence,) = failures(day, played, {**figures, "spend_minor": 0})

    assert sentence.startswith("The report's spend is 0, but ")


@pytest.fixture
def summed() -> Result:
    """A day with two matches by a held number and one of a reason unknown here."""
    names = ("visits", "sources", "calls", "unmatched", "unmatched_rightly", "matched_right", "matched_wrong", "taps")
    names += ("copies", "anonymous_visits", "opted_out_visits", "contacts", "deals", "tasks", "won", "revenue_minor")
    names += ("named", "named_rightly", "named_rightly_told", "spend_minor", "requests_crm", "kills", "seconds")
    by_reason = {"by a dream": {"unmatched": 1}, "exclusive_lease": {"right": 5, "wrong": 2}}
    row = dict.fromkeys(("visits", "calls", "qualified", "deals", "won", "revenue_minor", "spend_minor"), 0)
    return Result(dict.fromkeys(names, 0) | {"by_reason": by_reason}, [], [], row, ["Install was pressed."])


def printed(result: Result, lasts: Mapping[str, str] | None = None) -> str:
    """What people read of a day."""
    text = StringIO()
    print_summary(Console(file=text, width=80), result, lasts)
    return text.getvalue()


@pytest.fixture
def told(summed: Result) -> str:
    return printed(summed)


def test_what_decided_is_told_in_words_with_right_and_wrong(told: str) -> None:
    (line,) = [line.split() for line in told.splitlines() if "only holder" in line]

    assert line == ["the", "only", "holder", "of", "the", "number", "5", "2", "0", "0"]


def test_how_the_crm_was_connected_is_told_step_by_step(told: str) -> None:
    (line,) = [line.split() for line in told.splitlines() if "Install" in line]

    assert line == ["1.", "Install", "was", "pressed."]


def test_a_reason_without_words_is_still_counted(told: str) -> None:
    assert [line.split()[-4:] for line in told.splitlines() if "by a dream" in line] == [["0", "0", "0", "1"]]


def test_the_reasons_are_summed_up(told: str) -> None:
    assert ["all", "5", "2", "0", "1"] in [line.split() for line in told.splitlines()]


def test_where_a_person_can_play_on_is_told_while_it_stays_open(summed: Result) -> None:
    text = printed(summed, {"url": "http://hub.example", "password": "secret", "crm": "http://crm.example"})

    assert [word for word in ("http://hub.example", "secret", "http://crm.example") if word not in text] == []
