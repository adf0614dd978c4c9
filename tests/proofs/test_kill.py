"""Proof 1, Kill (docs/reliability.md): whatever moment the worker dies at, no call is lost and no deal is doubled.

The CRM's sandbox throttles, fails, and drops answers before and after it did what it was asked; its search lags. The
process that delivers is ended by SIGKILL again and again. Quick: 60 calls and 8 kills; with --full: 1,000 and 100.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.stage import Stage


@pytest.fixture
def stage(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Stage]:
    careless = request.node.get_closest_marker("careless") is not None
    with ExitStack() as stack:
        made = Stage(tmp_path, database_url, careless=careless)
        made.open(stack)
        yield made
        made.web.close()


def play(stage: Stage, calls: int, kills: int, seed: int) -> dict[str, Any]:
    """Send the calls while the process that delivers dies again and again; return what the CRM holds."""
    chance = random.Random(seed)
    moments = set(chance.sample(range(calls), kills))
    stage.misbehave(seed)
    for number in range(calls):
        stage.tell(number)
        stage.forward(chance.uniform(0.5, 3))
        if number in moments:
            stage.die_and_rise()
    stage.drain(calls)
    return stage.state()


def deals(state: dict[str, Any]) -> Counter[str]:
    """Count the deals that carry each of our markers."""
    fields = [told for deal in state["leads"] for told in deal["custom_fields_values"] or []]
    return Counter(told["values"][0]["value"] for told in fields if told["field_code"] == "HUB_CALL_ID")


def call_notes(state: dict[str, Any]) -> Counter[str]:
    """Count the call notes that carry each of our markers."""
    return Counter(note["params"]["uniq"] for note in state["notes"] if note["note_type"] == "call_in")


def doubled(found: Counter[str]) -> int:
    """Return how many there are beyond one for each marker."""
    return found.total() - len(found)


def printed(name: str, **figures: object) -> None:
    """Print one JSON line, as every proof does."""
    print(json.dumps({"proof": name, **figures}))


def test_no_call_is_lost_and_no_deal_doubled_whenever_the_worker_dies(
    stage: Stage, full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, kills, seed = (1_000, 100, 1) if full else (60, 8, 1)
    state = play(stage, calls, kills, seed)
    made, noted = deals(state), call_notes(state)
    with capsys.disabled():
        printed("kill", calls=calls, kills=kills, seed=seed, deals=len(made), doubled=doubled(made) + doubled(noted))
    assert (len(made), doubled(made)) == (calls, 0)
    assert (len(noted), doubled(noted)) == (calls, 0)
    assert len(state["leads"]) == len(state["contacts"]) == calls


@pytest.mark.careless
def test_without_looking_before_repeating_something_is_doubled(
    stage: Stage, full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, kills, seed = (1_000, 100, 1) if full else (60, 8, 1)
    state = play(stage, calls, kills, seed)
    extra = doubled(deals(state)) + doubled(call_notes(state))
    with capsys.disabled():
        printed("kill (control)", calls=calls, kills=kills, seed=seed, doubled=extra)
    assert extra > 0
