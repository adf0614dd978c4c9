"""A small day from end to end: hub, sandbox and player as processes on loopback, with and without sudden deaths."""

import json
import subprocess
import sys
from typing import Any

import pytest

SMALL_DAY = ("--once", "--json", "--visits", "200", "--calls", "30")


def play(*more: str) -> tuple[int, dict[str, Any], str]:
    """Plays a day; returns exit code, the JSON of the last line, and what was said to people."""
    command = [sys.executable, "-m", "sandbox.demo", *SMALL_DAY, *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stderr


@pytest.fixture(scope="module")
def quiet_day() -> tuple[int, dict[str, Any], str]:
    return play()


@pytest.fixture(scope="module")
def deadly_day() -> tuple[int, dict[str, Any], str]:
    return play("--kills", "3", "--seed", "2")


@pytest.mark.parametrize("day", ["quiet_day", "deadly_day"])
def test_every_expectation_is_met(day: str, request: pytest.FixtureRequest) -> None:
    code, told, said = request.getfixturevalue(day)

    assert (code, set(told["expectations"].values())) == (0, {True}), said


@pytest.mark.parametrize("day", ["quiet_day", "deadly_day"])
def test_nothing_is_lost_and_nothing_is_doubled(day: str, request: pytest.FixtureRequest) -> None:
    _, told, _ = request.getfixturevalue(day)

    assert (told["calls_lost"], told["deals_duplicated"], told["contacts_duplicated"]) == (0, 0, 0)


def test_the_app_came_from_the_marketplace_in_time_and_without_haste(
    quiet_day: tuple[int, dict[str, Any], str],
) -> None:
    _, told, said = quiet_day

    assert told["install_answer_ms"] < 3_000
    assert told["throttled"] == 0
    assert "amoCRM told the hub once, the hub answered 200" in " ".join(said.split())


def test_the_hub_really_died(deadly_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = deadly_day

    assert told["kills"] == 3
    assert told["repeated_requests"] > 0


def test_the_day_earned_something(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = quiet_day

    assert told["won"] > 0
    assert told["revenue_minor"] == told["revenue_crm_minor"] > 0


def test_most_calls_are_matched_rightly(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = quiet_day

    assert told["matched_right"] > told["matched_wrong"]


def test_a_forged_call_event_is_refused(quiet_day: tuple[int, dict[str, Any], str]) -> None:
    _, told, _ = quiet_day

    assert told["refused"] == 1


def test_sizes_that_make_no_day_are_one_sentence() -> None:
    command = [sys.executable, "-m", "sandbox.demo", "--once", "--calls", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (1, "A day has 20 to 2000 calls, not 3.\n")
