"""The verdict on a day: each figure that is wrong fails its expectation with one sentence."""

from dataclasses import replace
from typing import Any

import pytest

from sandbox.demo.browser import Browsers
from sandbox.demo.cast import Played
from sandbox.demo.console import Connection
from sandbox.demo.crm import CrmState, Traffic
from sandbox.demo.plan import Day, make_day
from sandbox.demo.tenant import Foreseen, HubStatus
from sandbox.demo.verdict import Verdict, expect
from sandbox.demo.windows import WINDOWS


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(visits=40, calls=20)


@pytest.fixture
def played() -> Played:
    return Played(
        connection=Connection(200, 12.3, ["The admin pressed Install."]),
        browsers=Browsers(None, WINDOWS, "", {}, (), lambda: 0.0),  # type: ignore[arg-type]
        hub_calls=[],
        hub_enquiries=[],
        hub_status=HubStatus(0, {}, 42, 20, 0.0),
        report={},
        accuracy={},
        crm=CrmState([], {}, [], 0, 0),
        traffic=Traffic(0, 0, 0, 0),
        forged=2,
        forged_refused=2,
        repeats=0,
        moves=0,
        seen_of_others=0,
        foreseen=Foreseen(20, 20, 20),
        foreseen_late=Foreseen(5, 5, 5),
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
        "forms": 0,
        "forms_right": 0,
        "deliveries": 400,
        "foreseen_of": 400,
        "foreseen": 398,
        "late_enquiries": 100,
        "foreseen_late_of": 90,
        "foreseen_late": 90,
        "throttled": 0,
        "seen_of_others": 0,
    }


def failures(day: Day, played: Played, figures: dict[str, Any]) -> list[str]:
    return [one.sentence for one in expect(day, played, figures, ["demo-0001: why"]) if not one.is_met]


def test_a_good_day_fails_nothing(day: Day, played: Played, figures: dict[str, Any]) -> None:
    assert failures(day, played, figures) == []


def _foreseen(day: str, late: str) -> str:
    return f"A trial of the rules foresees {day} deliveries, and {late} of the day's last part; there are 400."


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"calls_lost": 1}, "1 enquiries are lost (demo-0001: why)."),
        ({"deals_duplicated": 2}, "2 deals are there twice."),
        ({"revenue_minor": 99}, "The report's revenue is 99, but the CRM's deals brought 100."),
        ({"named_rightly": 39}, "The hub takes 44.6 of 50 calls for rightly matched, in truth it is 39."),
        ({"visits": 41}, "The hub counts 41 visits of 42."),
        ({"calls": 21}, "The hub counts 21 calls of 20."),
        ({"forms": 1}, "The hub counts 1 forms of 0, and gives 0 of them to who wrote them."),
        ({"foreseen": 397}, _foreseen("397 of 400", "90 of 90")),
        ({"foreseen_of": 359, "foreseen": 359}, _foreseen("359 of 359", "90 of 90")),
        ({"foreseen_late": 89}, _foreseen("398 of 400", "89 of 90")),
        ({"foreseen_late_of": 0, "foreseen_late": 0}, _foreseen("398 of 400", "0 of 0")),
        ({"throttled": 3}, "The CRM asked the hub 3 times to be slower."),
        ({"seen_of_others": 2}, "Its owner was shown 2 times what is another company's."),
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


def test_a_forged_event_that_was_taken_is_noticed(day: Day, played: Played, figures: dict[str, Any]) -> None:
    (sentence,) = failures(day, replace(played, forged_refused=1), figures)

    assert sentence == "1 forged call events were not refused."


def test_a_failure_names_its_company(day: Day, played: Played, figures: dict[str, Any]) -> None:
    found = expect(day, played, {**figures, "calls": 21}, [])

    assert Verdict(WINDOWS, figures, found, [], {}, []).failures == ["Окна Ромашка: The hub counts 21 calls of 20."]
