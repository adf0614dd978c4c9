"""Proof 9, Neighbours (docs/reliability.md): four accounts in trouble slow nobody else, and are left alone as asked.

One answers 429 with Retry-After, one takes 30 s for each answer, one answers 503, one is forbidden. Times are of the
street's clock (tests/proofs/street.py). Quick: 7 accounts x 50 deliveries; with --full: 20 x 200.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors.amocrm.manifest import manifest
from hub.delivery import lanes
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.world import HandClock
from tests.proofs.results import Tell
from tests.proofs.street import Crm, Street, StreetClock, crms, plan

RETRY_AFTER_S, HANG_S = 3, 30
SICK: tuple[dict[str, Any], ...] = (
    {"rates": {"429": 1}, "retry_after": RETRY_AFTER_S},
    {"rates": {"hang": 1}, "hang_seconds": HANG_S, "hang_by": "clock"},
    {"rates": {"503": 1}},
    {"mode": "blocked"},
)
_callers = itertools.count()
Houses = tuple[HandClock, list[Crm]]


@pytest.fixture(scope="module")
def houses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """As many CRMs as there are accounts."""
    number = 20 if request.config.getoption("--full") else 7
    with crms(tmp_path_factory.mktemp("street"), number) as made:
        yield made


@pytest.fixture
def street(db: Db, houses: Houses) -> Street:
    """A hub whose accounts are all well and known."""
    hand, all_crms = houses
    for crm in all_crms:
        crm.turn()
    return Street(db, Vault({"k1": b"1" * 32}), StreetClock(hand), all_crms)


def in_trouble(street: Street) -> None:
    """Turn the dials of the first four; it is known whose answers hang."""
    for crm, dial in zip(street.crms, SICK, strict=False):
        crm.turn(**dial)
    street.hangs_s["crm-1"] = HANG_S


async def day(street: Street, deliveries: int, well: slice, side_by_side: int) -> float:
    """Give every account as many deliveries; return the time within which 95 of 100 of those that are well are done."""
    street.clock.hand.forward(2)  # what the day before asked at its end is in no CRM's second any more
    now, asked = street.clock.now(), set()
    for name in street.places:
        plans = [plan(next(_callers), now) for _ in range(deliveries)]
        street.enqueue(name, plans)
        street.clock.hand.forward(0.001)  # whoever is in trouble comes first
        asked |= {one.enquiry.id for one in plans}
    watched = list(street.places)[well]

    def todays() -> list[Any]:
        return [row for name in watched for row in street.rows(name) if row.enquiry in asked]

    await street.live(lambda: not street.waits_for(watched, now), side_by_side)
    assert {row.state for row in todays()} == {"delivered"}
    took = sorted((row.settled_at - now).total_seconds() for row in todays())
    return took[int(0.95 * len(took))]


async def two_days(street: Street, deliveries: int, side_by_side: int = 32) -> dict[str, Any]:
    """Live a day on which all are well and one on which four are in trouble; return both times of the others."""
    everybody, others = slice(None), slice(len(SICK), None)
    await day(street, 1, everybody, side_by_side)  # the accounts are read
    before = await day(street, deliveries, everybody, side_by_side)
    in_trouble(street)
    during = await day(street, deliveries, others, side_by_side)
    await street.live(lambda: len(refusals(street.crms[0])) > 1, side_by_side)  # who was told to wait has come again
    times = {"p95_s": round(before, 2), "p95_beside_trouble_s": round(during, 2)}
    return {"accounts": len(street.crms), "deliveries": deliveries, **times, "growth": round(during / before - 1, 3)}


def most_in_a_second(street: Street) -> int:
    """Return the most requests that any CRM saw within one second."""
    most = 0
    for crm in street.crms:
        moments = [round(row["arrived"], 5) for row in crm.ledger()]
        most = max([most, *(sum(0 <= one - start < 1 for one in moments) for start in moments)])
    return most


def refusals(crm: Crm) -> list[dict[str, Any]]:
    """Return the requests that were answered 429."""
    return [row for row in crm.ledger() if row["status"] == 429]


def soonest_after_refusal(crm: Crm) -> float:
    """Return how soon the next request came after a 429."""
    rows = crm.ledger()
    return min(after["arrived"] - row["arrived"] for row, after in itertools.pairwise(rows) if row["status"] == 429)


def size(full: bool) -> int:
    """Return how many deliveries each account gets."""
    return 200 if full else 50


async def test_four_accounts_in_trouble_slow_nobody_and_are_left_alone(street: Street, full: bool, tell: Tell) -> None:
    told = await two_days(street, size(full))
    told |= {"most_in_a_second": most_in_a_second(street)}
    told |= {"retry_after_s": RETRY_AFTER_S, "soonest_s": round(soonest_after_refusal(street.crms[0]), 1)}
    tell("neighbours", **told)
    assert told["growth"] < 0.2
    assert told["most_in_a_second"] <= manifest.limits.window
    assert told["soonest_s"] >= RETRY_AFTER_S
    refused = [row for name in ("crm-0", "crm-2", "crm-3") for row in street.rows(name) if row.state != "delivered"]
    assert {(row.state, row.spent) for row in refused} == {("ready", 0)}


def _never_held(tx: Tx, claim: lanes.Claim, now: datetime, *_why: object) -> None:
    lanes.release(tx, claim, now, wake_at=now, readback_at=claim.readback_at)


@pytest.mark.control
async def test_with_one_lane_for_all_and_no_holds_the_others_wait_for_them(
    street: Street, full: bool, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "hold", _never_held)
    told = await two_days(street, size(full) if full else 5, side_by_side=1)
    tell("neighbours (control)", **told)
    assert told["growth"] > 0.2
