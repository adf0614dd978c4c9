"""Proof 4, Models (docs/reliability.md): what the hub keeps is what plain records say it must keep, step by step.

The delivery queue with holders who come late, and the numbers of a pool with visitors, each on both engines; calls told
in any order. Quick: 320 steps; with --full: 20,000 of each.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from hub.delivery import lanes, retry, taking
from hub.store.db import Db
from hub.store.tx import Prepared
from tests.hub import test_pool_model as pools
from tests.hub.crowd import VAULT
from tests.proofs.queue_model import QueueMachine
from tests.proofs.results import Tell
from tests.unit.telling import at
from tests.unit.test_call import a_call_and_another_telling
from tracking_core.call import fold

STEPS, EVENTS = 40, 8  # of one run, of one call
HOW: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(autouse=True)
def no_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps do the same again: pauses are not spread by the random id of a delivery."""
    monkeypatch.setattr(retry, "_JITTER", 0.0)


@pytest.fixture
def steps(full: bool) -> int:
    return 20_000 if full else 320


def run(db: Db, steps: int) -> None:
    """Run the machine of the queue for so many steps."""
    machine = type("Machine", (QueueMachine,), {"db": db, "vault": VAULT, "account": 0})
    phases = [Phase.generate]  # shrinking costs more than the proof; what fails is printed as it is
    asked = settings(max_examples=steps // STEPS, stateful_step_count=STEPS, derandomize=True, phases=phases, **HOW)
    run_state_machine_as_test(machine, settings=asked)


def test_the_queue_moves_as_the_records_say(db: Db, steps: int, tell: Tell) -> None:
    run(db, steps)
    tell("models: queue", steps=steps)


def test_the_numbers_of_a_pool_are_given_as_the_rule_says(db: Db, steps: int, tell: Tell) -> None:
    @settings(max_examples=steps // STEPS, derandomize=True, **HOW)
    @given(moves=pools.steps, habits=pools.known_or_not)
    def play(moves: list[pools.Step], habits: Any) -> None:
        pools.check(db, moves, habits)

    play()
    tell("models: pool", steps=steps)


def test_calls_are_the_same_in_whatever_order_they_are_told(steps: int, tell: Tell) -> None:
    @settings(max_examples=steps // EVENTS, derandomize=True, **HOW)
    @given(a_call_and_another_telling(), st.sampled_from([at(0), at(200), at(4_000)]))
    def play(tellings: Any, now: Any) -> None:
        once, again = tellings
        assert fold(again, now) == fold(once, now)

    play()
    tell("models: calls", steps=steps)


# -- without a defence the records catch it


def keeps_no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "kept", lambda tx, claim: None)


def keeps_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: Any = taking._TAKE[True]
    anyhow = ordered._statement.text.replace("earlier.position <=", "false AND earlier.position <=")
    monkeypatch.setitem(taking._TAKE, True, Prepared(text(anyhow)))


def forgets_the_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_leave_the_abandoned", lambda tx, claim, limits, now: None)


def forgets_what_it_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "note_sent", lambda tx, claim, sent, now: None)


@pytest.mark.parametrize("broken", [keeps_no_fence, keeps_no_order, forgets_the_abandoned, forgets_what_it_sent])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_queue_without_a_defence_is_caught(db: Db, broken: Any, monkeypatch: pytest.MonkeyPatch, tell: Tell) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        run(db, 2_000)
    tell(f"models: queue (control: {broken.__name__})", caught=str(caught.value).partition("\n")[0])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_pool_whose_holds_end_a_second_early_is_caught(db: Db, monkeypatch: pytest.MonkeyPatch, tell: Tell) -> None:
    moves = [pools.Step("arrive", who, 1) for who in range(3)] + [pools.Step("arrive", 3, 597)]
    pools.check(db, moves)
    monkeypatch.setattr(pools.Pool, "hold", pools.HOLD - timedelta(seconds=1))
    with pytest.raises(AssertionError):
        pools.check(db, moves)
    tell("models: pool (control)", caught=True)
