"""Proof 1, Kill (docs/reliability.md): whatever moment the worker dies at, no call is lost and no deal is doubled.

The CRM's sandbox throttles, fails, and drops answers before and after it did what it was asked; its search lags. The
process that delivers is ended by SIGKILL again and again. Quick: 60 calls and 8 kills; with --full: 1,000 and 100.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hub import world as worlds
from tests.proofs.processes import Process, free_port, running

FAULTS = {"429": 0.03, "500": 0.05, "drop_before": 0.03, "drop_after": 0.10, "502_after_commit": 0.03}
SCENARIO = Path(__file__).parents[2] / "connectors" / "scenarios" / "calls_to_deals.yaml"


class Stage:
    """A hub of real processes beside a misbehaving CRM."""

    def __init__(self, folder: Path, database_url: str, *, careless: bool) -> None:
        self.folder, self.clock = folder, worlds.HandClock(folder / "clock")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_DATABASE_URL": database_url,
            "HUB_PUBLIC_URL": self.url,
            "HUB_CLOCK_FILE": str(self.clock.path),
        }
        self.module = ["-m", "tests.proofs.careless" if careless else "hub"]
        self.apart = not database_url.startswith("sqlite")  # PostgreSQL: the worker is a process of its own
        self.web = httpx.Client(base_url=self.url, timeout=30, headers={"user-agent": worlds.BROWSER})
        self.crm: dict[str, Any] = {}
        self.applied: dict[str, Any] = {}
        self.mortal: Process | None = None

    def open(self, stack: ExitStack) -> None:
        """Set up, start everything and connect the CRM."""
        log, redirect = self.folder / "log", f"{self.url}/oauth/amocrm/callback"
        sandbox = ("-m", "sandbox", "amocrm", "--port", "0", "--clock", str(self.clock.path), "--redirect-uri", redirect)
        self.crm = stack.enter_context(running(*sandbox, environment={}, log=log)).printed
        app = {"client_id": self.crm["client_id"], "client_secret": self.crm["client_secret"]}
        self.environment["HUB_APPS"] = json.dumps({"amocrm": {**app, "base_url": self.crm["base_url"]}})
        (self.folder / "setup.yaml").write_text(worlds.SETUP, encoding="utf-8")
        (self.folder / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
        apply = ("-m", "hub", "apply", str(self.folder / "setup.yaml"), "--json")
        with running(*apply, environment=self.environment, log=log) as applying:
            self.applied = applying.printed
        up = [*self.module, "up", "--port", str(self.port), "--json", *(["--no-worker"] if self.apart else [])]
        hub = stack.enter_context(running(*up, environment=self.environment, log=log))
        self.mortal = hub
        if self.apart:
            worker = running(*self.module, "worker", environment=self.environment, log=log, says_ready=False)
            self.mortal = stack.enter_context(worker)
        self._connect()

    def _connect(self) -> None:
        owner = {"email": "owner@okna.example", "password": "correct-horse-battery", "next": "/connections"}
        same = {"sec-fetch-site": "same-origin"}
        assert self.web.post("/login", data=owner, headers=same).status_code == 303
        page = self.web.get("/connections").text
        csrf = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        started = self.web.post("/connect/amocrm", data={"csrf": csrf}, headers=same)
        consent = httpx.URL(started.headers["location"])
        granted = httpx.post(f"{self.crm['base_url']}/oauth", data={**dict(consent.params), "decision": "allow"})
        assert self.web.get(granted.headers["location"]).status_code == 303

    def tell(self, number: int) -> None:
        """Post the end of one call, and again until it is taken."""
        told = {"call_id": f"call-{number}", "event": "ended", "at": self.clock.now().isoformat(), "status": "answered"}
        told |= {"dialled": "+74952220001", "caller": f"+7916{number:07}", "talk_s": 60, "wait_s": 4}
        for _ in range(200):
            try:
                if self._post(told, f"m{number}").status_code == 200:
                    return
            except httpx.TransportError:
                self.clock.forward(1)
        raise AssertionError("the hub took no call event in 200 tries")

    def _post(self, told: dict[str, Any], message_id: str) -> httpx.Response:
        headers, body = worlds.signed(told, message_id, self.clock.now())
        return self.web.post(self.applied["telephony"][1]["path"], content=body, headers=headers)

    def die_and_rise(self) -> None:
        """Kill what delivers and start it again."""
        assert self.mortal is not None
        self.mortal.kill()
        self.mortal.start()

    def status(self) -> dict[str, Any]:
        """Return the hub's own count."""
        bearer = {"authorization": f"Bearer {self.applied['api_token']}"}
        return self.web.get("/api/v1/status", headers=bearer).json()  # type: ignore[no-any-return]

    def drain(self, calls: int) -> dict[str, Any]:
        """Let time go on until every call is delivered."""
        for _ in range(2_000):
            status = self.status()
            if not status["inbox"] and status["deliveries"] == {"delivered": calls}:
                return status
            self.clock.forward(10)
        raise AssertionError(f"it did not drain: {self.status()}")

    def state(self) -> dict[str, Any]:
        """Return everything the CRM holds."""
        return httpx.get(f"{self.crm['base_url']}/_sandbox/state").json()  # type: ignore[no-any-return]

    def misbehave(self, seed: int) -> None:
        """Turn the CRM's dial."""
        dial = {"rates": FAULTS, "seed": seed, "search_lag": 3, "retry_after": 5, "block_after": 10_000}
        assert httpx.post(f"{self.crm['base_url']}/_sandbox/dial", json=dial).status_code == 200


@pytest.fixture
def stage(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Stage]:
    careless = request.node.get_closest_marker("careless") is not None
    with ExitStack() as stack:
        made = Stage(tmp_path, database_url, careless=careless)
        made.open(stack)
        yield made
        made.web.close()


def play(stage: Stage, calls: int, kills: int, seed: int) -> dict[str, Any]:
    """Send the calls while the process that delivers dies again and again; return what the CRM holds."""
    chance = random.Random(seed)
    moments = set(chance.sample(range(calls), kills))
    stage.misbehave(seed)
    for number in range(calls):
        stage.tell(number)
        stage.clock.forward(chance.uniform(0.5, 3))
        if number in moments:
            stage.die_and_rise()
    stage.drain(calls)
    return stage.state()


def deals(state: dict[str, Any]) -> Counter[str]:
    """Count the deals that carry each of our markers."""
    fields = [told for deal in state["leads"] for told in deal["custom_fields_values"] or []]
    return Counter(told["values"][0]["value"] for told in fields if told["field_code"] == "HUB_CALL_ID")


def call_notes(state: dict[str, Any]) -> Counter[str]:
    """Count the call notes that carry each of our markers."""
    return Counter(note["params"]["uniq"] for note in state["notes"] if note["note_type"] == "call_in")


def doubled(found: Counter[str]) -> int:
    """Return how many there are beyond one for each marker."""
    return found.total() - len(found)


def printed(name: str, **figures: object) -> None:
    """Print one JSON line, as every proof does."""
    print(json.dumps({"proof": name, **figures}))


def test_no_call_is_lost_and_no_deal_doubled_whenever_the_worker_dies(
    stage: Stage, full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, kills, seed = (1_000, 100, 1) if full else (60, 8, 1)
    state = play(stage, calls, kills, seed)
    made, noted = deals(state), call_notes(state)
    with capsys.disabled():
        printed("kill", calls=calls, kills=kills, seed=seed, deals=len(made), doubled=doubled(made) + doubled(noted))
    assert (len(made), doubled(made)) == (calls, 0)
    assert (len(noted), doubled(noted)) == (calls, 0)
    assert len(state["leads"]) == len(state["contacts"]) == calls


@pytest.mark.careless
def test_without_looking_before_repeating_something_is_doubled(
    stage: Stage, full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, kills, seed = (1_000, 100, 1) if full else (60, 8, 1)
    state = play(stage, calls, kills, seed)
    extra = doubled(deals(state)) + doubled(call_notes(state))
    with capsys.disabled():
        printed("kill (control)", calls=calls, kills=kills, seed=seed, doubled=extra)
    assert extra > 0
