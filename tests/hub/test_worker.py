"""The worker beside a connector that keeps its promises or does not: what becomes of a delivery is DESIGN section 5."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from connectors.errors import PerhapsSent, Refused
from connectors.protocol import Delivery, GrantRevoked, InstallationError, Outcome, Page, Ref, Status, Why
from connectors.telling import Said
from hub.delivery.lanes import FenceLost
from hub.delivery.serving import Serving
from hub.delivery.worker import Worker
from hub.inbox import InboxLoop
from hub.store import crm
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.said import pack
from hub.store.tables import Attempt, table_of
from hub.store.tables import Delivery as DeliveryRow
from hub.store.tables import Lane as LaneRow
from hub.store.vault import Vault
from tests.hub import double
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import NOW, Lane, grant

_delivery, _attempt, _lane = table_of(DeliveryRow), table_of(Attempt), table_of(LaneRow)
FAILURES: dict[str, BaseException] = {
    "value_error": ValueError("oops"),
    "key_error": KeyError("id"),
    "assertion": AssertionError(),
    "timeout": TimeoutError(),
    "os_error": ConnectionResetError(),
    "recursion": RecursionError(),
    "group": ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
    "perhaps_sent": PerhapsSent("ReadTimeout"),
    "refused": Refused(500, "boom", readable=False, retry_after=None),
}


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def acme() -> Acme:
    return Acme()


@pytest.fixture
async def worker(acme: Acme, store: Db, clock: StoppedClock, vault: Vault) -> AsyncIterator[Worker]:
    made = acme.worker(store, clock, vault)
    yield made
    for task in made._serving:
        task.cancel()
    await asyncio.gather(*made._serving, return_exceptions=True)


async def turn(worker: Worker) -> None:
    """Serve the lane once, to the end."""
    assert await worker._serve_next()
    await asyncio.gather(*worker._serving, return_exceptions=True)


def rows(lane: Lane) -> dict[str, Any]:
    read = lane.db.read_now(lambda tx: tx.execute(select(_delivery)).all())
    return {row.enquiry: row for row in read}


def told(lane: Lane) -> Any:
    return lane.db.read_now(lambda tx: tx.execute(select(_lane)).one())


def installed(lane: Lane) -> Installed:
    return lane.db.read_now(crm.installation, lane.tenant_id, lane.installation_id)


async def test_an_account_that_cannot_be_read_anew_still_gets_its_deliveries(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    await turn(worker)
    clock.forward(hours=2)
    lane.enqueue("call:1", at=clock.now())
    acme.fact_trouble = InstallationError(Why.UNAVAILABLE, Said("The CRM is out of order."))
    await turn(worker)
    assert rows(lane)["call:1"].state == "delivered"
    assert "out of order" in told(lane).hold_why


async def test_what_is_due_is_sent_once_and_the_lane_given_back(worker: Worker, lane: Lane, acme: Acme) -> None:
    lane.enqueue("call:1")
    await turn(worker)
    row = rows(lane)["call:1"]
    assert (row.state, row.refs) == ("delivered", [{"kind": "deal", "id": f"deal of {row.id}", "url": None}])
    assert len(acme.asked) == 1
    assert not await worker._serve_next()


async def test_read_back_runs_in_its_turn_and_not_before(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    await turn(worker)
    lane.enqueue("call:1")
    await turn(worker)
    assert acme.pages == 1
    clock.forward(minutes=1)
    await turn(worker)
    assert acme.pages == 2


@pytest.mark.parametrize("name", FAILURES)
async def test_a_connector_that_raises_leaves_doubt_and_never_a_success(
    worker: Worker, lane: Lane, acme: Acme, name: str
) -> None:
    async def fails(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise FAILURES[name]

    acme.answer = fails
    lane.enqueue("call:1")
    await turn(worker)
    row = rows(lane)["call:1"]
    assert (row.state, row.in_doubt, row.spent, row.why) == ("ready", True, 1, "unreadable")
    assert row.due_at >= NOW + timedelta(seconds=90)


async def test_a_delivery_missing_in_the_answer_is_unknown(worker: Worker, lane: Lane, acme: Acme) -> None:
    async def forgets(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        return await double.delivered(batch[:1])

    acme.answer = forgets
    for number in (1, 2):
        lane.enqueue(f"call:{number}", caller=f"k{number}", at=NOW - timedelta(minutes=9 - number))
    await turn(worker)
    found = rows(lane)
    assert found["call:1"].state == "delivered"
    assert (found["call:2"].state, found["call:2"].in_doubt, found["call:2"].spent) == ("ready", True, 1)


async def test_a_foreign_id_in_the_answer_changes_nothing_and_is_an_error_in_the_log(
    worker: Worker, lane: Lane, acme: Acme
) -> None:
    async def adds(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        return {**await double.delivered(batch), "0" * 32: Outcome(Status.DELIVERED)}

    acme.answer = adds
    lane.enqueue("call:1")
    with capture_logs() as logged:
        await turn(worker)
    assert [row.state for row in rows(lane).values()] == ["delivered"]
    assert ("error", "worker.foreign_outcomes") in [(line["log_level"], line["event"]) for line in logged]


async def test_a_failed_one_keeps_what_it_made_and_the_next_attempt_knows_it(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    async def half(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        return {one.id: Outcome(Status.UNKNOWN, refs=(Ref("contact", "5"),)) for one in batch}

    acme.answer = half
    lane.enqueue("call:1")
    await turn(worker)
    clock.forward(minutes=5)
    acme.answer = double.delivered
    await turn(worker)
    (again,) = acme.asked[1]
    assert (again.known, again.in_doubt, again.attempt) == ((Ref("contact", "5"),), True, 2)
    assert [one.marker for one in acme.asked[0]] == [again.marker]


# -- the installation's trouble


async def test_an_installations_trouble_settles_what_is_known_and_spends_no_try_on_the_rest(
    worker: Worker, lane: Lane, acme: Acme
) -> None:
    async def throttled(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        done = {batch[0].id: Outcome(Status.DELIVERED), "0" * 32: Outcome(Status.DELIVERED)}
        raise InstallationError(Why.THROTTLED, Said("Slow down."), hold=timedelta(seconds=30), outcomes=done)

    acme.answer = throttled
    for number in (1, 2):
        lane.enqueue(f"call:{number}", caller=f"k{number}", at=NOW - timedelta(minutes=9 - number))
    await turn(worker)
    found = rows(lane)
    assert found["call:1"].state == "delivered"
    assert (found["call:2"].state, found["call:2"].spent, found["call:2"].in_doubt) == ("ready", 0, False)
    assert told(lane).hold_until == NOW + timedelta(seconds=30)
    assert "Slow down." in told(lane).hold_why


async def test_a_worker_halted_between_paying_and_sending_sends_nothing(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    claim = lane.claimed()
    serving = Serving(worker, claim, installed(lane), acme.connector(), double.APP)
    async with serving.purse.turn(None):
        serving.purse.still_mine()
        clock.forward(minutes=2)
        with pytest.raises(FenceLost):
            serving.purse.still_mine()


async def test_a_hundred_holds_spend_no_try(worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock) -> None:
    async def down(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise InstallationError(Why.UNAVAILABLE, Said("Down."))

    acme.answer = down
    lane.enqueue("call:1")
    for _ in range(100):
        await turn(worker)
        clock.at = told(lane).hold_until
    assert clock.at - NOW > timedelta(hours=12)
    acme.answer = double.delivered
    await turn(worker)
    row = rows(lane)["call:1"]
    assert (row.state, row.spent) == ("delivered", 0)


async def test_a_reading_that_breaks_holds_the_account_and_says_so(
    worker: Worker, lane: Lane, acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Acme, cursor: str | None) -> Page:
        raise LookupError("a page the connector did not expect")

    monkeypatch.setattr(Acme, "changes", broken)
    lane.enqueue("call:1")
    await turn(worker)
    assert rows(lane)["call:1"].state == "delivered"
    held = told(lane)
    assert held.hold_until > NOW
    assert "LookupError" in held.hold_why


async def test_a_revoked_grant_asks_a_person_and_loses_nothing(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    async def revoked(_grant: Any) -> Any:
        raise GrantRevoked(Said("The vendor refused the refresh token."))

    acme.refreshed = revoked
    clock.forward(days=2)
    lane.enqueue("call:1", at=clock.at)
    await turn(worker)
    assert (installed(lane).status, installed(lane).reason) == (
        "reauthorise",
        pack(Said("The vendor refused the refresh token.")),
    )
    assert (rows(lane)["call:1"].state, rows(lane)["call:1"].spent) == ("ready", 0)
    clock.forward(days=300)
    assert not await worker._serve_next()


async def test_a_refused_token_is_refreshed_at_the_next_turn(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    async def unauthorized(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise InstallationError(Why.UNAUTHORIZED, Said("The token is not accepted."))

    async def refreshed(_grant: Any) -> Any:
        return grant(access="access-2", refresh="refresh-2", expires_at=clock.at + timedelta(days=1))

    acme.answer, acme.refreshed = unauthorized, refreshed
    lane.enqueue("call:1")
    await turn(worker)
    acme.answer = double.delivered
    clock.at = told(lane).hold_until
    await turn(worker)
    assert acme.refreshes == ["refresh-1"]
    assert acme.tokens[-1] == "access-2"
    assert rows(lane)["call:1"].state == "delivered"


# -- cancelled, overtaken, unregistered


async def test_one_that_hangs_until_it_is_cancelled_is_in_doubt_for_the_next_holder(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    reached = asyncio.Event()

    async def hangs(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    acme.answer = hangs
    clock.stands = True  # or the worker's own rests would bring the end of its lease
    lane.enqueue("call:1")
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(reached.wait(), 30)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    clock.stands = False
    assert rows(lane)["call:1"].state == "sending"
    acme.answer = double.delivered
    clock.forward(minutes=3)  # its lease is over
    await turn(worker)
    assert (rows(lane)["call:1"].state, rows(lane)["call:1"].in_doubt) == ("ready", True)
    clock.forward(minutes=3)
    await turn(worker)
    (again,) = acme.asked[-1]
    assert (again.in_doubt, again.attempt) == (True, 2)


async def test_an_answer_that_comes_after_the_lane_went_to_another_settles_nothing(
    worker: Worker, lane: Lane, acme: Acme, clock: StoppedClock
) -> None:
    async def slow(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        clock.forward(hours=1)
        lane.claimed(clock.at)
        return await double.delivered(batch)

    acme.answer = slow
    lane.enqueue("call:1")
    await turn(worker)
    assert rows(lane)["call:1"].state == "sending"


async def test_without_a_registration_the_account_is_held_with_a_sentence(worker: Worker, lane: Lane) -> None:
    worker.apps = {}
    lane.enqueue("call:1")
    await turn(worker)
    assert told(lane).hold_why.endswith(pack(Said("hub.no_app", {"connector": "acme"})))
    assert rows(lane)["call:1"].spent == 0


class NothingToDo:
    """A database in which nothing is due."""

    is_sqlite = True

    async def write(self, *_asked: Any) -> None:
        return None


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("loop", ["worker", "inbox"])
async def test_a_loop_that_is_woken_while_it_is_cancelled_ends(
    clock: StoppedClock, vault: Vault, loop: str, turns: int
) -> None:
    worker = Acme().worker(NothingToDo(), clock, vault)  # type: ignore[arg-type]
    inbox = InboxLoop(NothingToDo(), clock, vault)  # type: ignore[arg-type]
    running = asyncio.create_task({"worker": worker.run, "inbox": inbox.run}[loop]())
    for _ in range(20):
        await asyncio.sleep(0)  # until it waits
    {"worker": worker.wake.set, "inbox": inbox.wake}[loop]()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    _, still_running = await asyncio.wait([running], timeout=5)
    running.cancel()
    assert not still_running
