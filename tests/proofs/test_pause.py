"""Proof 2, Pause (docs/reliability.md): a worker that is halted longer than its lease neither doubles nor settles.

Two workers share a PostgreSQL; the one that has the lane is halted by SIGSTOP for 1.2 to 3 leases while the other
takes over, then goes on where it stood. On SQLite the one process is halted and finds its own lane lost. The clock
also steps two minutes forth and back. Quick: 12 calls and 4 pauses; with --full: 3,000 and 60.
"""

import json
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Process
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.look import Look, taken_over
from tests.proofs.results import Tell
from tests.proofs.stage import LEASE_S, Stage

STEP_S = 120


@pytest.fixture
def stage(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Stage]:
    more = {"PROOF_WITNESS": str(tmp_path / "witness")}
    if request.node.get_closest_marker("careless"):
        more["PROOF_REREADS"] = "1"
    with ExitStack() as stack:
        made = Stage(tmp_path, database_url, module="tests.proofs.witnessed", workers=2, more=more)
        made.open(stack)
        yield made


def witnessed(stage: Stage) -> list[dict[str, int]]:
    """Return who claimed and who settled, in order."""
    return [json.loads(line) for line in (stage.folder / "witness").read_text().splitlines()]


def holder(stage: Stage, fence: int) -> Process | None:
    """Return the process that delivers and claimed the lane with this fence; errands claim it, too, unwitnessed."""
    claimed = {told["claimed"]: told["pid"] for told in witnessed(stage) if "claimed" in told}
    return next((process for process in stage.delivering if process.pid == claimed.get(fence)), None)


def until_sending(stage: Stage, chance: random.Random, calls: int) -> Look | None:
    """Let time go on until a batch is under way, and a little longer; None when all is done before."""
    longer = chance.randrange(8)
    for _ in range(20_000):
        seen = stage.go_on()
        if seen.done(calls):
            return None
        longer -= "sending" in seen.deliveries
        if longer < 0 and "sending" in seen.deliveries and holder(stage, seen.fence):
            return seen
    raise AssertionError(f"nothing is sent: {stage.look()}")


def pause(stage: Stage, seen: Look, seconds: float) -> None:
    """Halt who has the lane while this time goes by; another takes over where there is one."""
    halted = holder(stage, seen.fence)
    assert halted is not None
    halted.send(signal.SIGSTOP)
    until = stage.now() + timedelta(seconds=seconds)
    if stage.apart:
        stage.forward(LEASE_S + 1)
        for _ in range(400):
            if stage.look().fence != seen.fence:
                break
        while stage.now() < until:
            stage.go_on()
    else:
        stage.forward(seconds)
    halted.send(signal.SIGCONT)


def play(stage: Stage, calls: int, pauses: int, seed: int, first: int = 0) -> dict[str, Any]:
    """Send calls from the ``first`` on, and halt who delivers them again and again; return what the CRM holds."""
    chance = random.Random(seed)
    for number in range(first, first + calls):
        stage.tell(number)
    stage.misbehave(seed)
    paused = 0
    while paused < pauses and (seen := until_sending(stage, chance, first + calls)):
        pause(stage, seen, chance.uniform(1.2, 3) * LEASE_S)
        paused += 1
        stage.forward(chance.choice((-STEP_S, 0, STEP_S)))
    stage.drain(first + calls)
    settled = [told for told in witnessed(stage) if "settled_with" in told]
    late = sum(told["settled_with"] != told["stands"] for told in settled)
    over = stage.db.read_now(taken_over)
    return {"pauses": paused, "taken_over": over, "settled_late": late, "state": stage.state()}


def test_a_worker_halted_longer_than_its_lease_neither_doubles_nor_settles(
    stage: Stage, full: bool, tell: Tell
) -> None:
    calls, pauses = (3_000, 60) if full else (12, 4)
    over, seed = 0, 0
    while not over and seed < 5:  # whether a halt falls into a batch that is under way is chance
        figures = play(stage, calls, pauses, seed + 1, first=seed * calls)
        seed, over = seed + 1, figures["taken_over"]
        state = figures.pop("state")
        made, noted = deals(state), call_notes(state)
        extra = doubled(made) + doubled(noted)
        tell("pause", calls=seed * calls, seed=seed, **figures, deals=len(made), doubled=extra)
        assert (len(made), doubled(made)) == (seed * calls, 0)
        assert (len(noted), doubled(noted)) == (seed * calls, 0)
        assert figures["settled_late"] == 0
    assert over > 0


@pytest.mark.careless
@pytest.mark.control
def test_a_worker_that_reads_the_fence_anew_settles_what_is_not_its_own(stage: Stage, full: bool, tell: Tell) -> None:
    calls, pauses = (300, 20) if full else (12, 4)
    extra, figures = 0, dict[str, Any]()
    for seed in range(1, 6):  # whether a halt falls between a claim and its settling is chance
        figures = play(stage, calls, pauses, seed, first=(seed - 1) * calls)
        state = figures.pop("state")
        extra = doubled(deals(state)) + doubled(call_notes(state))
        tell("pause (control)", calls=seed * calls, seed=seed, **figures, doubled=extra)
        if extra + figures["settled_late"]:
            break
    assert extra + figures["settled_late"] > 0
