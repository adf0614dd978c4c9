"""The verdict on a day: each figure that is wrong fails its expectation with one sentence."""

from typing import Any

import pytest

from sandbox.demo.browser import Browsers
from sandbox.demo.crm import CrmState, Traffic
from sandbox.demo.plan import Day, make_day
from sandbox.demo.player import Played
from sandbox.demo.report import expect
from sandbox.demo.stage import HubStatus


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(visits=40, calls=20)


@pytest.fixture
def played() -> Played:
    return Played(
        browsers=Browsers(door=None, site=""),  # type: ignore[arg-type]
        hub_calls=[],
        hub_status=HubStatus(0, {}, 40, 20, 0.0),
        report={},
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
        "revenue_minor": 100,
        "revenue_crm_minor": 100,
        "spend_minor": sum(one.cost_minor for one in day.spend),
        "visits": 40,
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
        ({"visits": 39}, "The hub counts 39 visits of 40."),
        ({"calls": 21}, "The hub counts 21 calls of 20."),
    ],
)
def test_a_wrong_figure_is_one_sentence(
    day: Day, played: Played, figures: dict[str, Any], wrong: dict[str, int], sentence: str
) -> None:
    assert failures(day, played, {**figures, **wrong}) == [sentence]


def test_lost_spend_is_noticed(day: Day, played: Played, figures: dict[str, Any]) -> None:
    (sentence,) = failures(day, played, {**figures, "spend_minor": 0})

    assert sentence.startswith("The report's spend is 0, but ")
