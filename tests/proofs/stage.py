"""A hub of real processes beside the CRM's sandbox, for proofs and benchmarks."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from hub.store.db import Db
from tests.hub import world as worlds
from tests.processes import Process, free_port, running
from tests.proofs.look import Look, asks_for_access, look
from tests.proofs.vendors import AMOCRM, Vendor

LEASE_S = AMOCRM.lease_s
PATIENCE_S = 120  # with a CRM that has thousands of cards, and bells to ring for each
SCENARIO = Path(__file__).parents[2] / "connectors" / "scenarios" / "ru" / "calls_to_deals.yaml"


class Stage:
    """A hub of real processes beside a misbehaving CRM; ``module`` is what is run as the hub, ``more`` its environment."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        module: str = "hub",
        vendor: Vendor = AMOCRM,
        workers: int = 1,
        real_clock: bool = False,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.vendor = vendor
        self.clock = None if real_clock else worlds.HandClock(folder / "clock")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_DATABASE_URL": database_url,
            "HUB_PUBLIC_URL": self.url,
            **({"HUB_CLOCK_FILE": str(self.clock.path)} if self.clock else {}),
            **dict(more),
        }
        self.module = module
        self.apart = not database_url.startswith("sqlite")  # PostgreSQL: the worker is a process of its own
        self.web = httpx.Client(base_url=self.url, timeout=30, headers={"user-agent": worlds.BROWSER})
        self.crm: dict[str, Any] = {}
        self.applied: dict[str, Any] = {}
        self.front: Process | None = None  # takes the events
        self.delivering: list[Process] = []  # who may be killed and stopped; on SQLite the same
        self.wanted = workers if self.apart else 1
        self.db = Db(database_url)
        self.let_in_again = 0  # times that a person had to give access anew

    def open(self, stack: ExitStack) -> None:
        """Set up, start everything and connect the CRM."""
        log, name = self.folder / "log", self.vendor.name
        sandbox = ("sandbox", name, "--port", "0", "--redirect-uri", f"{self.url}/oauth/{name}/callback")
        sandbox += ("--clock", str(self.clock.path)) if self.clock else ()
        self.crm = stack.enter_context(running(*sandbox, environment={}, log=log)).printed
        app = {"client_id": self.crm["client_id"], "client_secret": self.crm["client_secret"]}
        self.environment["HUB_APPS"] = json.dumps({name: {**app, "base_url": self.crm["base_url"]}})
        setup = worlds.SETUP.replace("  amocrm:", f"  {name}:")
        (self.folder / "setup.yaml").write_text(setup, encoding="utf-8")
        (self.folder / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
        apply = ("hub", "apply", str(self.folder / "setup.yaml"), "--json")
        with running(*apply, environment=self.environment, log=log) as applying:
            self.applied = applying.printed
        up = [self.module, "up", "--port", str(self.port), "--json", *(["--no-worker"] if self.apart else [])]
        hub = stack.enter_context(running(*up, environment=self.environment, log=log))
        self.front = hub
        self.delivering = [hub]
        if self.apart:
            worker = partial(running, self.module, "worker", environment=self.environment, log=log, says_ready=False)
            self.delivering = [stack.enter_context(worker()) for _ in range(self.wanted)]
        self.db.start()
        stack.callback(self.db.stop)
        stack.callback(self.web.close)
        self.connect()

    def connect(self) -> None:
        """Give the hub access to the CRM, as its owner does."""
        owner = {"email": "owner@okna.example", "password": "correct-horse-battery", "next": "/connections"}
        same = {"sec-fetch-site": "same-origin"}
        assert self.web.post("/login", data=owner, headers=same).status_code == 303
        page = self.web.get("/connections").text
        csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        started = self.web.post(f"/connect/{self.vendor.name}", data={"csrf": csrf}, headers=same)
        granted = self.vendor.consent(self.crm["base_url"], httpx.URL(started.headers["location"]))
        with ThreadPoolExecutor(max_workers=1) as browser:  # the hub spaces what it asks, so its time must go on
            back = browser.submit(self.web.get, granted.headers["location"])
            while not wait({back}, timeout=0.02).done:
                self.forward(0.2)
        assert back.result().status_code == 303, back.result().text

    def let_in(self) -> None:
        """Give access again, as its owner does, where a death in the middle of a refresh has cost it."""
        for _ in range(30):
            if not self.db.read_now(asks_for_access):
                return
            try:
                self.connect()
            except (AssertionError, httpx.TransportError):  # the CRM misbehaves here, too
                self.forward(5)
            else:
                self.let_in_again += 1
        raise AssertionError("nobody could give access again")

    def now(self) -> datetime:
        """Return what time it is for the hub and the sandbox."""
        return self.clock.now() if self.clock else datetime.now(UTC)

    def forward(self, seconds: float) -> None:
        """Let time go on; the real clock does so by itself."""
        if self.clock:
            self.clock.forward(seconds)

    def tell(self, number: int) -> None:
        """Post the end of one call, and again until it is taken."""
        told = {"call_id": f"call-{number}", "event": "ended", "at": self.now().isoformat(), "status": "answered"}
        told |= {"dialled": "+74952220001", "caller": f"+7916{number:07}", "talk_s": 60, "wait_s": 4}
        for _ in range(200):
            try:
                if self._post(told, f"m{number}").status_code == 200:
                    return
            except httpx.TransportError:
                self.forward(1)
        raise AssertionError("the hub took no call event in 200 tries")

    def _post(self, told: dict[str, Any], message_id: str) -> httpx.Response:
        headers, body = worlds.signed(told, message_id, self.now())
        return self.web.post(self.applied["telephony"][1]["path"], content=body, headers=headers)

    @property
    def mortal(self) -> Process:
        """What delivers, where one process does."""
        (mortal,) = self.delivering
        return mortal

    def die_and_rise(self) -> None:
        """Kill what delivers and start it again."""
        self.mortal.kill()
        self.mortal.start()

    def status(self) -> dict[str, Any]:
        """Return the hub's own count."""
        bearer = {"authorization": f"Bearer {self.applied['api_token']}"}
        return self.web.get("/api/v1/status", headers=bearer).json()  # type: ignore[no-any-return]

    def look(self) -> Look:
        """Return how far the hub is."""
        return self.db.read_now(look)

    def go_on(self) -> Look:
        """Look, and let time go on: to what is due next, but slowly while somebody is at work.

        No lease shall run out, and no search catch up, by the test's haste alone.
        """
        seen, now = self.look(), self.now()
        self.forward(1 if seen.busy(now) else min(max((seen.due() - now).total_seconds(), 1), 600))
        return seen

    def drain(self, calls: int) -> Look:
        """Let time go on until every call is delivered, or nothing changes any more."""
        before, unchanged = None, 0
        while unchanged < 20_000:
            seen = self.go_on()
            if seen.done(calls):
                return seen
            unchanged = unchanged + 1 if seen == before else 0
            before = seen
            if unchanged % 100 == 99:
                self.let_in()
        raise AssertionError(f"it did not drain: {before}")

    def state(self) -> dict[str, Any]:
        """Return everything the CRM holds."""
        return httpx.get(f"{self.crm['base_url']}/_sandbox/state", timeout=PATIENCE_S).json()  # type: ignore[no-any-return]

    def ledger(self) -> list[dict[str, Any]]:
        """Return every request the CRM saw, oldest first."""
        told = httpx.get(f"{self.crm['base_url']}/_sandbox/ledger", timeout=PATIENCE_S)
        return told.json()["rows"]  # type: ignore[no-any-return]

    def misbehave(self, seed: int) -> None:
        """Turn the CRM's dial."""
        dial = {**self.vendor.faults, "seed": seed, "search_lag": 3}
        assert httpx.post(f"{self.crm['base_url']}/_sandbox/dial", json=dial).status_code == 200
