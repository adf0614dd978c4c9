"""A whole hub beside a real sandbox process: what a test needs to live one customer's day."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import shutil
import ssl
import struct
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import delete, func, select
from starlette.applications import Starlette
from typer.testing import Result

from hub.app import build, web_app
from hub.hub import Hub
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.setup_file import SetupFile, read_setup
from hub.store import people
from hub.store.calls import refusals
from hub.store.tables import metadata
from hub.store.tx import Tx
from tests import processes

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
MANGO_KEY, MANGO_SALT = "KEY123", "SALT456"
SIGNING = "whsec_" + base64.b64encode(b"a shared secret of 32 bytes long").decode()
OPENING = datetime(2026, 11, 20, 6, tzinfo=UTC)
SCENARIO = Path(__file__).parents[2] / "connectors" / "scenarios" / "ru" / "calls_to_deals.yaml"
Cthub = Callable[..., Result]
T = TypeVar("T")
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody here speaks it, and reading the certificates takes long

SETUP = f"""
tenant: Окна Москвы
owner: {{email: owner@okna.example, password: correct-horse-battery}}
sites:
  - name: okna
    hosts: [okna.example]
    overflow_number: "+7 495 100-00-00"
    pools:
      - name: main
        numbers: ["+7 495 111-00-01", "+7 495 111-00-02", "+7 495 111-00-03"]
    placements:
      - {{name: Щит на МКАД, source: billboard, campaign: mkad-42, number: "+7 495 222-00-01"}}
telephony:
  - {{name: office, adapter: mango, secrets: {{vpbx_api_key: {MANGO_KEY}, vpbx_api_salt: {MANGO_SALT}}}}}
  - {{name: branch, adapter: generic, secrets: {{secret: "{SIGNING}"}}}}
scenarios:
  amocrm: calls_to_deals.yaml
"""


def ruled_by(scenario: str) -> str:
    """Return the set-up file of the customer with another scenario in place of the usual one."""
    return SETUP.replace("\n  amocrm: calls_to_deals.yaml\n", scenario)


class HandClock:
    """Moves the clock file that hub and sandbox both read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(struct.pack("<d", OPENING.timestamp()))

    def now(self) -> datetime:
        return datetime.fromtimestamp(struct.unpack("<d", self.path.read_bytes())[0], UTC)

    def forward(self, seconds: float) -> datetime:
        moment = self.now() + timedelta(seconds=seconds)
        descriptor = os.open(self.path, os.O_WRONLY)
        os.pwrite(descriptor, struct.pack("<d", moment.timestamp()), 0)
        os.close(descriptor)
        return moment


@contextmanager
def sandbox(clock: Path, redirect_uri: str, vendor: str = "amocrm", *more: str) -> Iterator[dict[str, Any]]:
    """Run the CRM's sandbox as a process of its own; yield the line it prints."""
    asked = ("--port", "0", "--clock", str(clock), "--redirect-uri", redirect_uri, *more)
    with processes.running("sandbox", vendor, *asked, environment={}, log=clock.with_suffix(".log")) as process:
        yield process.printed


async def _agree(crm_web: httpx.AsyncClient, page: httpx.URL) -> httpx.Response:
    return await crm_web.post("/oauth", data={**dict(page.params), "decision": "allow"})


async def _is_asked_nothing(crm_web: httpx.AsyncClient, page: httpx.URL) -> httpx.Response:
    return await crm_web.get(page)


_CONSENTS = {"amocrm": _agree, "bitrix24": _is_asked_nothing}  # what an administrator does on the vendor's page
_MANY, _SLOWLY_S = 400, 0.02  # of one look, after many looks at another pace


@dataclass
class World:
    """One customer: his hub, his CRM, his visitors and his telephone exchange."""

    hub: Hub
    app: Starlette
    clock: HandClock
    crm: Mapping[str, Any]
    applied: Any
    vendor: str = "amocrm"
    web: httpx.AsyncClient = field(init=False)
    crm_web: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.web = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://hub.test",
            headers={"user-agent": BROWSER},
        )
        self.crm_web = httpx.AsyncClient(base_url=self.crm["base_url"], verify=_NO_TLS)

    async def close(self) -> None:
        await self.web.aclose()
        await self.crm_web.aclose()

    # -- the owner

    async def log_in(self) -> str:
        """Log in to the console; return the token its forms carry."""
        owner = {"email": "owner@okna.example", "password": "correct-horse-battery", "next": "/connections"}
        answer = await self.web.post("/login", data=owner, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == 303, answer.text
        secret = self.web.cookies["cthub"]
        who = await self.hub.db.read(people.who, secret, "console", self.clock.now())
        assert who is not None
        return who.csrf

    async def connect(self) -> httpx.Response:
        """Connect the CRM as the owner does: button, consent page, back with a code."""
        csrf = await self.log_in()
        asked = {"data": {"csrf": csrf}, "headers": {"sec-fetch-site": "same-origin"}}
        started = await self.web.post(f"/connect/{self.vendor}", **asked)  # type: ignore[arg-type]
        assert started.status_code == 303, started.text
        granted = await _CONSENTS[self.vendor](self.crm_web, httpx.URL(started.headers["location"]))
        return await self.while_time_goes_on(self.web.get(granted.headers["location"]))

    async def while_time_goes_on(self, doing: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """Let time go on until something that waits for it is done."""
        task = asyncio.ensure_future(doing)
        while not (await asyncio.wait({task}, timeout=0.01))[0]:
            self.clock.forward(0.2)
        return task.result()

    # -- visitors

    async def visit(self, url: str, visitor: str | None = None, referrer: str = "") -> dict[str, Any]:
        """Open a page; return what the script is told, with the number of the site's one group beside it."""
        asked = {"site": self.applied.sites[0]["key"], "url": url, "referrer": referrer, "visitor": visitor}
        answer = await self.web.post("/dni/v1/visit", content=json.dumps(asked))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told | told["numbers"]["main"]

    # -- telephony

    async def mango(self, kind: str, told: Mapping[str, Any]) -> httpx.Response:
        """Send one signed event of the first telephony account."""
        text = json.dumps(told)
        sign = hashlib.sha256((MANGO_KEY + text + MANGO_SALT).encode()).hexdigest()
        form = {"vpbx_api_key": MANGO_KEY, "sign": sign, "json": text}
        return await self.web.post(f"{self.applied.telephony[0]['path']}/events/{kind}", data=form)

    async def mango_call(self, call_id: str, caller: str, dialled: str, *, talk_s: int) -> None:
        """Tell a whole call: ringing, and its summary at the end; not answered when ``talk_s`` is 0."""
        start = int(self.clock.forward(5).timestamp())  # reading a number and dialling it takes a while
        ends = {
            "from": {"number": caller.lstrip("+")},
            "to": {"number": "101", "line_number": dialled.lstrip("+")},
        }
        leg = {
            "entry_id": call_id,
            "call_id": f"{call_id}-1",
            "timestamp": start,
            "seq": 1,
            "call_state": "Appeared",
        }
        await self.mango("call", {**leg, "location": "ivr", **ends, "dct": {"type": 0}})
        self.clock.forward(talk_s + 10)
        summary = {"entry_id": call_id, "call_direction": 1, "from": ends["from"], "to": {"extension": "101"}}
        times = {"create_time": start, "forward_time": start + 2, "talk_time": start + 8 if talk_s else 0}
        end = {"end_time": start + 8 + talk_s, "entry_result": int(bool(talk_s)), "disconnect_reason": 1110}
        answer = await self.mango("summary", {**summary, "line_number": dialled.lstrip("+"), **times, **end})
        assert answer.status_code == 200, answer.text

    async def generic(self, told: Mapping[str, Any], message_id: str) -> httpx.Response:
        """Send one event signed by Standard Webhooks to the second telephony account."""
        headers, body = signed(told, message_id, self.clock.now())
        return await self.web.post(self.applied.telephony[1]["path"], content=body, headers=headers)

    # -- waiting and looking

    async def api(self, path: str, **query: Any) -> Any:
        """Ask the programming interface."""
        headers = {"authorization": f"Bearer {self.applied.api_token}"}
        answer = await self.web.get(f"/api/v1/{path}", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def state(self) -> dict[str, Any]:
        """Return everything the CRM's sandbox holds."""
        return (await self.crm_web.get("/_sandbox/state")).json()  # type: ignore[no-any-return]

    async def until(self, holds: Callable[[dict[str, Any]], bool], step_s: float = 1.0) -> dict[str, Any]:
        """Let time go on until the status of the hub satisfies ``holds``."""
        return await self.comes_to(lambda: self.api("status"), holds, step_s)

    async def comes_to(
        self, ask: Callable[[], Awaitable[T]], holds: Callable[[T], object] = bool, step_s: float = 0.5
    ) -> T:
        """Let time go on until what is asked satisfies ``holds``; return it, or fail after a bounded number of looks.

        On a slow machine a request takes long while time flies, so that a lease or a hold may pass over it: after many
        looks it goes on slowly for as many, and then again at its pace until the next hold is over.
        """
        for look in range(2_000):
            if holds(told := await ask()):
                return told
            await self.goes_on(_SLOWLY_S if look // _MANY % 2 else step_s)
        raise AssertionError(f"it did not come to that: {told}")

    async def goes_on(self, seconds: float) -> None:
        """Let so much time go by, and whoever waits for it go on: here, and in the processes beside us."""
        self.clock.forward(seconds)
        await asyncio.sleep(0)
        await asyncio.to_thread(_breathe)

    async def until_held(self, what: str) -> None:
        """Let time go on until the CRM holds something of a kind, whatever it answers."""
        await self.comes_to(self.state, lambda state: state[what], 0.2)

    async def delivered(self, number: int) -> dict[str, Any]:
        """Let time go on until so many deliveries are done."""
        return await self.until(
            lambda status: status["deliveries"].get("delivered", 0) >= number and not status["inbox"]
        )


@cache
def read(setup: str) -> tuple[SetupFile, dict[str, str]]:
    """Read a set-up file that stands beside the usual scenario, once for all tests: reading YAML costs most of them."""
    with TemporaryDirectory() as folder:
        beside = Path(folder)
        (beside / "setup.yaml").write_text(setup, encoding="utf-8")
        (beside / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
        return read_setup(beside / "setup.yaml")


@contextmanager
def still(database_url: str, folder: Path, setup: str = SETUP, **settings: Any) -> Iterator[World]:
    """A customer set up on a hub whose loops stand still: what a door wrote stays as the door wrote it.

    Nobody answers where his CRM should be. Made without an event loop, so that the tests of a module can share one.
    """
    clock = HandClock(folder / "clock")
    nobody = AppSettings(client_id="id", client_secret="secret", base_url="http://127.0.0.1:9")
    asked = {"public_url": "http://hub.test", "apps": {"amocrm": nobody}, **settings}
    hub = build(Settings(data_dir=folder / "data", database_url=database_url, clock_file=clock.path, **asked))
    (folder / "setup.yaml").write_text(setup, encoding="utf-8")
    (folder / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    applied = hub.db.write_now(apply, *read(setup), hub.clock.now(), hub.vault)
    try:
        yield World(hub, web_app(hub, works=False), clock, {"base_url": nobody.base_url}, applied)
    finally:
        hub.db.stop()


@contextmanager
def of_module(request: pytest.FixtureRequest, folder: Path, setup: str = SETUP) -> Iterator[World]:
    """A customer as ``still`` makes him on the engine asked for; one address may ask as often as it likes."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), folder / 'hub.sqlite3')}"
        else:
            url = stack.enter_context(request.getfixturevalue("pg_spares").one())
        yield stack.enter_context(still(url, folder, setup, visits_per_minute=1_000_000))


def stored(tx: Tx) -> dict[str, int]:
    """Return how many rows each table holds; refusals, counted or noted, are not what anybody sent."""
    tables = [table for table in metadata.tables.values() if table.name not in ("refusal", "ledger_entry")]
    return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def emptied(tx: Tx) -> None:
    """Take every row out of every table."""
    for table in reversed(metadata.sorted_tables):
        tx.execute(delete(table))


def refused(tx: Tx) -> int:
    """Return how many requests were refused and counted."""
    return sum(row["times"] for row in refusals(tx))


def signed(told: Mapping[str, Any], message_id: str, now: datetime) -> tuple[dict[str, str], str]:
    """Return headers and body of a call event signed by Standard Webhooks."""
    body, at = json.dumps(told), str(int(now.timestamp()))
    key = base64.b64decode(SIGNING.removeprefix("whsec_"))
    mark = base64.b64encode(hmac.new(key, f"{message_id}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": f"v1,{mark}"}, body


def _breathe() -> None:
    """Give the processes beside us a moment of the processor."""
    with open(os.devnull, "rb") as nothing:
        for _ in range(200):
            os.read(nothing.fileno(), 1)
