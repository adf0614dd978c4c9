"""A small day of two companies from end to end: processes on loopback, with and without sudden deaths."""

import json
import subprocess
import sys
from typing import Any

import pytest

SMALL_DAY = ("--once", "--json", "--visits", "150", "--calls", "24")
BOTH = pytest.mark.parametrize("place", [0, 1], ids=["amocrm", "bitrix24"])
EACH_DAY = pytest.mark.parametrize("day", ["quiet_day", "deadly_day"])


def play(*more: str) -> tuple[int, dict[str, Any], str]:
    """Plays a day; returns exit code, the JSON of the last line, and what was said to people."""
    command = [sys.executable, "-m", "sandbox.demo", *SMALL_DAY, *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.fixture(scope="module")
def quiet_day() -> tuple[int, dict[str, Any], str]:
    return play()


@pytest.fixture(scope="module")
def deadly_day() -> tuple[int, dict[str, Any], str]:
    return play("--kills", "3", "--seed", "2")


@EACH_DAY
def test_every_expectation_of_every_company_is_met(day: str, request: pytest.FixtureRequest) -> None:
    code, told, said = request.getfixturevalue(day)
    met = [one["expectations"] for one in (told, *told["companies"])]

    assert (code, {is_met for one in met for is_met in one.values()}) == (0, {True}), said


@EACH_DAY
@BOTH
def test_nothing_is_lost_and_nothing_is_doubled(day: str, place: int, request: pytest.FixtureRequest) -> None:
    told = request.getfixturevalue(day)[1]["companies"][place]

    assert (told["calls_lost"], told["deals_duplicated"], told["contacts_duplicated"]) == (0, 0, 0)


def test_each_company_has_its_own_crm(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = quiet_day

    assert [one["crm"] for one in told["companies"]] == ["amocrm", "bitrix24"]


@BOTH
def test_the_app_was_installed_in_time_and_without_haste(
    place: int, quiet_day: tuple[int, dict[str, Any], str]
) -> None:
    told = quiet_day[1]["companies"][place]

    assert told["install_answer_ms"] < 3_000
    assert (told["throttled"], told["requests_crm"] > 0) == (0, True)


@pytest.mark.parametrize(
    "step",
    [
        "amoCRM told the hub once, the hub answered 200",
        "The page told the portal that the installation is finished",
        "linked the portal to his company",
    ],
)
def test_the_way_each_app_came_is_told(step: str, quiet_day: tuple[int, dict[str, Any], str]) -> None:
    assert step in " ".join(quiet_day[2].split())


def test_the_hub_really_died(deadly_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = deadly_day

    assert told["kills"] == 3
    assert told["repeated_requests"] > 0


@BOTH
def test_the_day_earned_something(place: int, quiet_day: tuple[int, dict[str, Any], str]) -> None:
    told = quiet_day[1]["companies"][place]

    assert told["won"] > 0
    assert told["revenue_minor"] == told["revenue_crm_minor"] > 0


def test_in_the_portal_managers_take_payments_too(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    assert [one["paid"] > 0 for one in quiet_day[1]["companies"]] == [False, True]


def test_who_wrote_is_known(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    told = quiet_day[1]["companies"][1]

    assert told["forms_right"] == told["forms"] > 0


@BOTH
def test_most_calls_are_matched_rightly(place: int, quiet_day: tuple[int, dict[str, Any], str]) -> None:
    told = quiet_day[1]["companies"][place]

    assert told["matched_right"] > told["matched_wrong"]


@EACH_DAY
@BOTH
def test_no_owner_sees_the_others_enquiries(day: str, place: int, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(day)[1]["companies"][place]["seen_of_others"] == 0


@BOTH
def test_a_forged_call_event_is_refused(place: int, quiet_day: tuple[int, dict[str, Any], str]) -> None:
    assert quiet_day[1]["companies"][place]["refused"] == 1


def test_sizes_that_make_no_day_are_one_sentence() -> None:
    command = [sys.executable, "-m", "sandbox.demo", "--once", "--calls", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (1, "A day has 20 to 2000 calls, not 3.\n")
