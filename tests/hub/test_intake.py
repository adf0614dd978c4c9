"""What is answered 2xx is committed by then, and no door waits for all that the hub's own work has put in line."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, func, select, text
from starlette.types import Message, Receive, Scope, Send

from hub.delivery import lanes
from hub.store import crm
from hub.store.tables import CallEvent, Enquiry, Lane, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.seed import grant
from tests.hub.world import World

_event, _enquiry, _lane = (table_of(model) for model in (CallEvent, Enquiry, Lane))
SOON = worlds.OPENING + timedelta(minutes=30)
ORIGIN = {"origin": "https://okna.example"}
FORM = {"kind": "form", "id": "f1", "phone": "8 (916) 123-45-67", "name": "Иван"}
CALL = {"call_id": "c1", "event": "ended", "status": "answered", "dialled": "+74951110001", "caller": "+79161234567"}
WAITING = 300  # of the hub's own units
FEW = 8  # that may be done before a request's


def connect(tx: Tx, world: World) -> None:
    """Write an account whose read-back is not due for an hour."""
    now = world.clock.now()
    made = crm.install(tx, 1, "amocrm", grant(), now, world.hub.vault)
    lanes.open_lane(tx, 1, made, now, [])
    tx.execute(_lane.update().where(_lane.c.tenant_id == 1).values(readback_at=now + timedelta(hours=1)))


async def telephony(world: World, web: httpx.AsyncClient) -> httpx.Response:
    headers, body = worlds.signed({**CALL, "at": world.clock.now().isoformat()}, "m1", world.clock.now())
    return await web.post(world.applied.telephony[1]["path"], content=body, headers=headers)


async def form(world: World, web: httpx.AsyncClient) -> httpx.Response:
    asked = {"site": world.applied.sites[0]["key"], **FORM}
    return await web.post("/dni/v1/enquiry", content=json.dumps(asked), headers=ORIGIN)


async def doorbell(world: World, web: httpx.AsyncClient) -> httpx.Response:
    (of,) = world.hub.db.read_now(crm.installations, 1)
    return await web.post(f"/hooks/amocrm/{of.hook_token}", data={"account[id]": "31"})


Door = Callable[[World, httpx.AsyncClient], Awaitable[httpx.Response]]
DOORS: dict[Door, Any] = {
    telephony: select(func.count()).select_from(_event),
    form: select(func.count()).select_from(_enquiry),
    doorbell: select(func.count()).select_from(_lane).where(_lane.c.readback_at <= SOON),
}
each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


@pytest.fixture
def connected(still: World) -> World:
    """A customer with an account of a CRM that nobody asks."""
    still.hub.db.write_now(connect, still)
    still.clock.forward(60)
    return still


class Witness:
    """Looks into the database past the hub, at the moment an answer begins."""

    def __init__(self, world: World, question: Any) -> None:
        self._app, self._question = world.app, question
        self._engine = create_engine(world.hub.db.url)
        self.seen: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.seen.append(self.count())
            await send(message)

        await self._app(scope, receive, watched)

    def count(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(self._question).scalar_one())

    def end(self) -> None:
        self._engine.dispose()


@each_door
async def test_what_a_door_took_is_committed_when_its_answer_begins(connected: World, door: Door) -> None:
    witness = Witness(connected, DOORS[door])
    before = witness.count()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(witness), base_url="http://hub.test") as web:
        answer = await door(connected, web)
    witness.end()
    assert answer.is_success, answer.text
    assert (before, witness.seen) == (0, [1])


# -- a worker with thousands of deliveries to serve


class Gate:
    """Lets only so many units of work pass."""

    def __init__(self) -> None:
        self._open = threading.Semaphore(0)

    def let(self, number: int) -> None:
        self._open.release(number)

    def unit(self, tx: Tx) -> None:
        """A unit of the hub's own work: it begins when it is let, and asks the database something."""
        self._open.acquire()
        tx.execute(text("SELECT 1"))


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.let(WAITING)


@each_door
async def test_a_door_waits_for_a_few_units_of_the_hubs_own_work_not_for_all(
    connected: World, door: Door, gate: Gate
) -> None:
    own = connected.hub.db.patient()
    working = [asyncio.ensure_future(own.write(gate.unit)) for _ in range(WAITING)]
    asked = asyncio.ensure_future(door(connected, connected.web))
    await until_it_waits(connected)
    gate.let(FEW)
    answer = await asyncio.wait_for(asked, 60)
    gate.let(WAITING)
    await asyncio.gather(*working)
    assert answer.is_success


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_in_one_line_with_the_hubs_own_work_a_door_would_wait_for_all_of_it(connected: World, gate: Gate) -> None:
    working = [asyncio.ensure_future(connected.hub.db.write(gate.unit)) for _ in range(WAITING)]
    asked = asyncio.ensure_future(telephony(connected, connected.web))
    await until_it_waits(connected, WAITING - 1)
    gate.let(FEW)
    answered, _ = await asyncio.wait({asked}, timeout=0.3)
    gate.let(WAITING)
    await asyncio.gather(*working, asked)
    assert not answered


async def until_it_waits(world: World, others: int = 0) -> None:
    """Wait until a request's unit stands in line."""
    while len(world.hub.db._waiting._hurried) <= others:
        await asyncio.sleep(0.001)
