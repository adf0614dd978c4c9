"""Proof 3, Crash points (docs/reliability.md): the hub dies at each named moment, and no call is lost or doubled.

The process that comes by the moment is ended by SIGKILL there and started again, while the CRM's search lags. Quick:
each moment once, on PostgreSQL those that differ there; with --full: each 12 times, at its first coming, its second,
and so on.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.failpoints import POINTS, Point
from tests.proofs.crashing import LEASE_S, Crashing, is_whole
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.results import Tell

TIMES = 12
APART: tuple[Point, ...] = (  # whose aftermath differs where a lease has to run out and the worker is alone
    "event.kept",
    "lane.claimed",
    "grant.refreshed",
    "batch.taken",
    "answer.known",
    "settle.written",
)


@pytest.fixture
def stage(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Crashing]:
    with ExitStack() as stack:
        made = Crashing(tmp_path, database_url, hasty=request.node.get_closest_marker("careless") is not None)
        made.open(stack)
        yield made


def play(stage: Crashing, points: Sequence[Point], times: int) -> dict[str, Any]:
    """Let the hub die at each point so many times, then in peace; return what the CRM holds."""
    for turn in range(1, times + 1):
        for point in points:
            stage.end_at(point, 1 if point.startswith("grant.") else turn)
            if point == "grant.refreshed":  # the old pair is spent and the new one is gone: its owner is asked again
                stage.connect_again()
    stage.settle_down()
    return stage.state()


def test_wherever_the_hub_dies_no_call_is_lost_and_none_is_doubled(stage: Crashing, full: bool, tell: Tell) -> None:
    points, times = (POINTS, TIMES) if full else (APART if stage.apart else POINTS, 1)
    state = play(stage, points, times)
    made, noted, sending_s = deals(state), call_notes(state), stage.longest_sending.total_seconds()
    figures = {"points": len(points), "deaths": stage.deaths, "calls": stage.calls, "deals": len(made)}
    tell("crash points", **figures, doubled=doubled(made) + doubled(noted), sending_s=round(sending_s))
    assert stage.deaths == len(points) * times
    assert (len(made), doubled(made)) == (stage.calls, 0)
    assert (len(noted), doubled(noted)) == (stage.calls, 0)
    assert len(state["leads"]) == len(state["contacts"]) == stage.calls
    assert sending_s <= LEASE_S + 60
    assert stage.db.read_now(is_whole)


@pytest.mark.careless
@pytest.mark.control
def test_settling_before_sending_loses_a_call(stage: Crashing, tell: Tell) -> None:
    state = play(stage, ["request.paid", "settle.kept"], 1)
    lost = stage.calls - len(deals(state))
    tell("crash points (control)", deaths=stage.deaths, calls=stage.calls, lost=lost)
    assert lost > 0
