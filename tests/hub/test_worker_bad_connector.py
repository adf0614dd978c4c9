"""The worker beside a connector that breaks its contract: it hangs, cancels itself, or answers what is no answer."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from connectors.protocol import (
    Delivery,
    GrantRevoked,
    InstallationError,
    Outcome,
    Ref,
    Status,
    Why,
)
from connectors.telling import Said
from hub.delivery import answers, lanes
from hub.delivery.answers import GivenUp, Hung, Patience
from hub.store.db import Db
from hub.store.said import pack, unpack
from hub.store.tables import Attempt, table_of
from hub.store.tables import Delivery as DeliveryRow
from hub.store.tables import Lane as LaneRow
from hub.store.vault import Vault
from tests.hub import double
from tests.hub.double import Acme, Session, StoppedClock
from tests.hub.seed import NOW, Lane

NOBODYS = "0" * 32
DAY = timedelta(days=1)


def an_hour_goes_by() -> None:
    """Put the machine's own time forward: whoever waits by it has waited long enough."""
    loop = asyncio.get_running_loop()
    read = loop.time
    loop.time = lambda: read() + 3600  # type: ignore[method-assign]


async def hangs(*_asked: Any) -> Any:
    """Never answer, and let an hour go by."""
    an_hour_goes_by()
    await asyncio.Event().wait()


class Serving:
    """A worker, its one lane, and the vendor it speaks with."""

    def __init__(self, store: Db, vault: Vault, acme: Any) -> None:
        self.lane, self.clock, self.acme = Lane(store, vault), StoppedClock(), acme
        self.worker = acme.worker(store, self.clock, vault)

    async def turn(self) -> list[str]:
        """Serve the lane once, to the end; return what the log says."""
        with capture_logs() as logged:
            assert await self.worker._serve_next()
            await asyncio.gather(*self.worker._serving, return_exceptions=True)
        return [line["event"] for line in logged]

    def rows(self, table: Any = DeliveryRow) -> list[Any]:
        """Return what a table holds."""
        return self.lane.db.read_now(lambda tx: tx.execute(select(table_of(table))).all())

    def held(self) -> Any:
        """Return the lane's row."""
        (row,) = self.rows(LaneRow)
        return row

    def enqueue(self, number: int = 1) -> None:
        for one in range(number):
            self.lane.enqueue(f"call:{one}", caller=f"k{one}", at=self.clock.at - timedelta(minutes=number - one))


@pytest.fixture
async def serving(store: Db, vault: Vault) -> AsyncIterator[Serving]:
    made = Serving(store, vault, Acme())
    yield made
    for task in made.worker._serving:
        task.cancel()
    await asyncio.gather(*made.worker._serving, return_exceptions=True)


@pytest.fixture
async def hanging(store: Db, vault: Vault) -> Serving:
    """A worker whose connector never answers a delivery."""
    made = Serving(store, vault, Acme())
    made.acme.answer = hangs
    made.enqueue()
    return made


# -- one that hangs


async def test_one_that_hangs_for_ever_is_given_up_and_its_batch_is_in_doubt(hanging: Serving) -> None:
    said = await hanging.turn()
    (row,) = hanging.rows()
    assert (row.state, row.in_doubt, row.why) == ("ready", True, "unreadable")
    assert said == ["worker.connector_hung", "worker.hung", "worker.held"]


async def test_its_lane_is_held_with_a_sentence_and_served_again(hanging: Serving) -> None:
    await hanging.turn()
    assert hanging.held().hold_why.endswith(pack(Said("hub.hung")))
    hanging.acme.answer = double.delivered
    hanging.clock.forward(hours=1)
    await hanging.turn()
    assert [row.state for row in hanging.rows()] == ["delivered"]


@pytest.mark.parametrize("question", ["facts", "changes"])
async def test_any_other_question_that_is_never_answered_is_given_up_too(
    hanging: Serving, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging.acme.answer = double.delivered
    monkeypatch.setattr(Acme, question, hangs)
    assert "worker.hung" in await hanging.turn()
    assert hanging.held().hold_until > NOW


async def test_a_refresh_that_is_never_answered_is_given_up_too(hanging: Serving) -> None:
    hanging.acme.refreshed = hangs
    hanging.clock.forward(days=2)
    assert "worker.hung" in await hanging.turn()
    assert hanging.rows()[0].spent == 0


async def test_one_that_does_not_end_when_told_is_left_behind_and_sends_nothing_more(
    hanging: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on, refused = asyncio.Event(), asyncio.Event()

    async def deaf(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        an_hour_goes_by()
        while not may_go_on.is_set():
            try:
                await may_go_on.wait()
            except asyncio.CancelledError:
                continue
        try:
            async with hanging.acme.session.turn(None):
                pass
        except GivenUp:
            refused.set()
        return await double.delivered(batch)

    monkeypatch.setattr(answers, "_PARTING_S", 0.0)
    hanging.acme.answer = deaf
    await hanging.turn()
    may_go_on.set()
    await asyncio.wait_for(refused.wait(), 30)
    assert [(row.state, row.in_doubt) for row in hanging.rows()] == [("ready", True)]


async def test_a_request_is_a_sign_of_life_but_not_for_ever() -> None:
    patience = Patience(silence=timedelta(hours=1), in_all=timedelta(milliseconds=20))

    async def endless() -> None:
        while True:
            patience.renew()
            await asyncio.sleep(0)

    with pytest.raises(Hung):
        await patience.wait(endless())


async def test_signs_of_life_prolong_the_silence_that_is_borne() -> None:
    patience = Patience(silence=timedelta(hours=1), in_all=timedelta(hours=2))

    async def lively() -> float:
        before = patience._until
        patience.renew()
        return patience._until - before

    assert await patience.wait(lively()) > 0


async def test_trouble_that_comes_as_we_are_told_to_stop_is_no_ones_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, unheard = asyncio.get_running_loop(), list[object]()
    monkeypatch.setattr(loop, "call_exception_handler", unheard.append)
    is_asked, answer = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        is_asked.set()
        await answer.wait()
        raise InstallationError(Why.UNAVAILABLE, Said("down"))

    waiting = asyncio.ensure_future(Patience(silence=DAY, in_all=DAY).wait(fails()))
    await is_asked.wait()
    answer.set()
    loop.call_soon(waiting.cancel)  # after the failure, before it is heard
    await asyncio.wait({waiting})
    del waiting
    gc.collect()
    assert unheard == []


# -- one that raises


async def test_one_that_cancels_itself_leaves_doubt_and_does_not_lose_the_lane(serving: Serving) -> None:
    async def cancels(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise asyncio.CancelledError

    serving.acme.answer = cancels
    serving.enqueue()
    assert "worker.connector_hung" in await serving.turn()
    (row,) = serving.rows()
    assert (row.state, row.in_doubt) == ("ready", True)
    assert serving.held().leased_until <= serving.clock.at


async def test_the_one_it_breaks_at_does_not_take_the_others_with_it_again(serving: Serving) -> None:
    async def breaks(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        if any(one.what.enquiry.id == "call:2" for one in batch):
            raise LookupError("a delivery it does not understand")
        return await double.delivered(batch)

    serving.acme.answer = breaks
    serving.enqueue(5)
    await serving.turn()
    assert {row.state for row in serving.rows()} == {"ready"}
    serving.clock.forward(minutes=5)
    await serving.turn()
    assert {row.enquiry: row.state for row in serving.rows()} == {
        **{f"call:{number}": "delivered" for number in (0, 1, 3, 4)},
        "call:2": "ready",
    }


async def test_what_it_raises_is_kept_without_phones_and_tokens(serving: Serving) -> None:
    async def tells(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise ValueError("access_token=t0ken of +79161234567")

    serving.acme.answer = tells
    serving.enqueue()
    await serving.turn()
    (attempt,) = serving.rows(Attempt)
    assert "t0ken" not in attempt.detail
    assert "+79161234567" not in attempt.detail


# -- one that answers what is no answer

NO_ANSWERS: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a text": "delivered",
    "no outcome": {"id": "delivered"},
    "no status": {"id": Outcome("delivered")},  # type: ignore[arg-type]
    "no refs": {"id": Outcome(Status.DELIVERED, refs=("deal 5",))},  # type: ignore[arg-type]
    "refs in a list": {"id": Outcome(Status.DELIVERED, refs=None)},  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", NO_ANSWERS)
async def test_what_is_no_answer_is_unknown(serving: Serving, name: str) -> None:
    async def answers_so(batch: Sequence[Delivery]) -> Any:
        told = NO_ANSWERS[name]
        return {batch[0].id: told["id"]} if isinstance(told, dict) else told

    serving.acme.answer = answers_so
    serving.enqueue()
    await serving.turn()
    (row,) = serving.rows()
    assert (row.state, row.in_doubt, row.spent) == ("ready", True, 1)


async def test_one_that_is_not_even_a_coroutine_is_unknown(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "deliver", lambda self, batch: {})
    serving.enqueue()
    assert "worker.connector_failed" in await serving.turn()
    assert [(row.state, row.in_doubt) for row in serving.rows()] == [("ready", True)]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.REJECTED, Status.UNKNOWN])
async def test_texts_no_database_takes_are_kept_as_far_as_they_can_be(serving: Serving, status: Status) -> None:
    async def strange(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        refs = (Ref("deal", "5\x00", "https://crm.example/\ud800"),)
        return {
            one.id: Outcome(status, refs, why=Why.INVALID, said=(Said("no\x00"),), detail="\ud83d") for one in batch
        }

    serving.acme.answer = strange
    serving.enqueue()
    await serving.turn()
    (row,) = serving.rows()
    assert row.state != "sending"
    assert unpack(row.sentence) == (Said("no\N{REPLACEMENT CHARACTER}"),)


async def test_a_strange_sentence_holds_the_account_like_any_other(serving: Serving) -> None:
    async def strange(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise InstallationError(Why.THROTTLED, Said("slow\x00 down \ud800"), hold=timedelta.max)

    serving.acme.answer = strange
    serving.enqueue()
    await serving.turn()
    assert serving.held().hold_until == NOW + timedelta(days=1)


async def test_a_strange_refusal_of_the_grant_asks_a_person(serving: Serving) -> None:
    async def revoked(_grant: Any) -> Any:
        raise GrantRevoked(Said("no\x00"))

    serving.acme.refreshed = revoked
    serving.clock.forward(days=2)
    await serving.turn()
    assert serving.held().hold_why.startswith("unauthorized")


async def test_a_time_without_a_zone_is_not_believed(serving: Serving) -> None:
    async def later(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        someday = datetime(2999, 1, 1)  # noqa: DTZ001 - that is what is wrong with it
        return {one.id: Outcome(Status.RETRY, not_before=someday) for one in batch}

    serving.acme.answer = later
    serving.enqueue()
    await serving.turn()
    assert serving.rows()[0].due_at < NOW + timedelta(minutes=1)


async def test_an_id_nobody_asked_for_is_an_error_also_beside_the_accounts_trouble(serving: Serving) -> None:
    async def adds(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        foreign = {NOBODYS: Outcome(Status.DELIVERED, refs=(Ref("contact", "5"),))}
        raise InstallationError(Why.THROTTLED, Said("Slow down."), outcomes=foreign)

    serving.acme.answer = adds
    serving.enqueue()
    assert "worker.foreign_outcomes" in await serving.turn()
    assert [(row.state, row.spent) for row in serving.rows()] == [("ready", 0)]


async def test_a_lane_that_was_given_up_is_free_for_others(hanging: Serving) -> None:
    await hanging.turn()
    again = hanging.lane.db.write_now(lanes.claim, hanging.held().hold_until, timedelta(minutes=1))
    assert again is not None
