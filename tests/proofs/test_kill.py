"""Proof 1, Kill (docs/reliability.md): whatever moment the worker dies at, no call is lost and no deal is doubled.

The CRM's sandbox throttles, fails, and drops answers before and after it did what it was asked; its search lags. The
process that delivers is ended by SIGKILL again and again. With each CRM. Quick: 24 calls and 6 kills, with Bitrix24 10 and
3; with --full: 5,000 and 200.
"""

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.crm_holds import doubled
from tests.proofs.look import attempts
from tests.proofs.results import Tell
from tests.proofs.stage import Stage
from tests.proofs.vendors import Vendor

QUICK = {"amocrm": (24, 6), "bitrix24": (10, 3)}  # calls and kills
QUICK_CONTROL = {"amocrm": (12, 4), "bitrix24": (6, 2)}


@pytest.fixture
def stage(request: pytest.FixtureRequest, vendor: Vendor, database_url: str, tmp_path: Path) -> Iterator[Stage]:
    careless = request.node.get_closest_marker("careless") is not None
    with ExitStack() as stack:
        module = "tests.proofs.careless" if careless else "hub"
        made = Stage(tmp_path, database_url, vendor=vendor, module=module)
        made.open(stack)
        yield made


def die_before_it_settles(stage: Stage) -> None:
    """Die when the CRM has answered for a batch and the hub has not written that down."""
    stage.mortal.send(signal.SIGUSR1)
    for _ in range(2_000):
        if stage.mortal.ends(within_s=0.005):
            break
        stage.go_on()
    stage.die_and_rise()


def play(
    stage: Stage, calls: int, kills: int, seed: int, die: Callable[[Stage], None] = Stage.die_and_rise
) -> dict[str, Any]:
    """Send the calls while the process that delivers dies again and again; return what the CRM holds."""
    chance = random.Random(seed)
    moments = set(chance.sample(range(calls), kills))
    for number in range(calls):
        stage.tell(number)
        stage.forward(chance.uniform(0.5, 3))
        if number in moments:
            stage.let_in()
            die(stage)
    stage.drain(calls)
    return stage.state()


def asked(stage: Stage) -> Counter[str]:
    """Count how often the CRM was asked to make the deal of each marker."""
    creating = [row for row in stage.ledger() if row["path"] == stage.vendor.asks]
    return Counter(f"hub:{marker}" for row in creating for marker in row["markers"])


def test_no_call_is_lost_and_no_deal_doubled_whenever_the_worker_dies(stage: Stage, full: bool, tell: Tell) -> None:
    (calls, kills), seed = (5_000, 200) if full else QUICK[stage.vendor.name], 1
    stage.misbehave(seed)
    state = play(stage, calls, kills, seed)
    made, noted = stage.vendor.deals(state), stage.vendor.calls(state)
    told = {"deals": len(made), "doubled": doubled(made) + doubled(noted), "let_in_again": stage.let_in_again}
    tell("kill", calls=calls, kills=kills, seed=seed, **told)
    assert (len(made), doubled(made)) == (calls, 0)
    assert (len(noted), doubled(noted)) == (calls, 0)
    assert [len(state[kind]) for kind in stage.vendor.cards] == [calls, calls]
    tried, requests = stage.db.read_now(attempts), asked(stage)
    assert requests.keys() == tried.keys()
    assert all(number <= tried[marker] for marker, number in requests.items())


@pytest.mark.careless
@pytest.mark.control
def test_without_looking_before_repeating_something_is_doubled(stage: Stage, full: bool, tell: Tell) -> None:
    (calls, kills), seed = (200, 20) if full else QUICK_CONTROL[stage.vendor.name], 1
    state = play(stage, calls, kills, seed, die_before_it_settles)
    extra = doubled(stage.vendor.deals(state)) + doubled(stage.vendor.calls(state))
    tell("kill (control)", calls=calls, kills=kills, seed=seed, doubled=extra)
    assert extra > 0
