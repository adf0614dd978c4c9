"""The stage: the hub and the sandbox as child processes on loopback, set up and connected."""

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.demo import company
from sandbox.demo.clock import DayClock
from sandbox.demo.crm import Crm
from sandbox.demo.door import Door, Letter, NoAnswer
from sandbox.demo.market import Connection, install
from sandbox.demo.plan import Day
from sandbox.demo.processes import Child, ChildFailed, Children, free_port
from sandbox.demo.setup import MANGO, SMALL, write_set_up

READ_BACK_S = 600  # of the day; sales people do not work faster
_UNSETTLED = ("ready", "sending", "accepted")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """What `cthub apply` printed: the login, the API token, the site's key and the telephony paths."""

    owner: str
    password: str
    api_token: str
    site: str
    mango_path: str
    small_path: str


@dataclass(slots=True)
class HubStatus:
    """What the hub says of itself: calls to be looked at, deliveries by state, its last read-back."""

    inbox: int
    deliveries: dict[str, int]
    visits: int
    calls: int
    read_back_at: float

    @property
    def is_busy(self) -> bool:
        """Whether a call or a delivery is still under way."""
        return self.inbox > 0 or any(self.deliveries.get(state, 0) for state in _UNSETTLED)


class Hub:
    """The hub as the world sees it: its doors, its API, and the process that may be killed."""

    def __init__(self, url: str, keys: Keys, killable: Child, pause: Callable[[float], None]) -> None:
        self.url, self.keys = url, keys
        self.door = Door(url, pause)
        self.api = Door(url, pause, keys.api_token)
        self._killable = killable
        self._timers: list[threading.Timer] = []
        self.kills = 0

    def kill_in(self, seconds: float) -> None:
        """Kills it after some real time, whatever it is doing then."""
        timer = threading.Timer(seconds, self._killable.kill)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
        self.kills += 1

    def revive(self) -> None:
        """Starts it again when it is dead; does not wait until it listens."""
        if not self._killable.is_running:
            self._killable.start()

    @property
    def awaits_death(self) -> bool:
        """Whether somebody is about to kill it."""
        return any(timer.is_alive() for timer in self._timers)

    def status(self) -> HubStatus:
        """Returns GET /api/v1/status in the demo's terms."""
        told = self.api.get("/api/v1/status").expect(200).told()
        installed = [one for one in told["installations"] if one.get("read_back_at")]
        moments = [datetime.fromisoformat(one["read_back_at"]).timestamp() for one in installed]
        # The hub tells when it will read back next.
        read_back = min(moments) - READ_BACK_S if moments else 0.0
        return HubStatus(told["inbox"], told["deliveries"], told["visits"], told["calls"], read_back)

    def calls(self) -> list[dict[str, Any]]:
        """Returns all calls the hub knows, oldest first."""
        found: list[dict[str, Any]] = []
        after = 0
        while page := self.api.get("/api/v1/calls", {"after": after, "limit": 500}).expect(200).told()["calls"]:
            found += page
            after = page[-1]["id"]
        return found

    def report(self) -> dict[str, Any]:
        """Returns the ROI report of the day."""
        day = company.DAY.isoformat()
        return self.api.get("/api/v1/report/roi", {"from": day, "to": day}).expect(200).told()

    def accuracy(self) -> dict[str, Any]:
        """Returns what the hub says of its own accuracy of the day."""
        day = company.DAY.isoformat()
        return self.api.get("/api/v1/accuracy", {"from": day, "to": day}).expect(200).told()

    def spend(self, day: Day) -> None:
        """Imports what advertising cost, as a person uploads a CSV."""
        head = "day,source,campaign,cost,clicks"
        rows = [
            f"{company.DAY},{one.source},{one.campaign},{roubles(one.cost_minor)},{one.clicks}" for one in day.spend
        ]
        body = "\n".join((head, *rows)).encode()
        letter = Letter(body, {"content-type": "text/csv"})
        self.api.send("POST", f"/api/v1/spend?site={self.keys.site}", letter).expect(200)


@dataclass(slots=True)
class Stage:
    """Everything one demo needs, built by `with`; leaving it ends every child."""

    day: Day
    folder: Path
    port: int
    database_url: str
    say: Say
    clock: DayClock = field(init=False)
    hub: Hub = field(init=False)
    crm: Crm = field(init=False)
    crm_url: str = field(init=False)
    connection: Connection = field(init=False)
    _closing: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _build(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = self._closing.enter_context(DayClock(self.folder / "clock", self.day.opens))
        children = Children(self.folder / "logs")
        self._closing.callback(children.end)
        url = f"http://127.0.0.1:{self.port}"
        self.say("setting up the company")
        # Both take a second or two to start: side by side.
        seller = self._sandbox(children, url)
        keys = self._apply(children, self._environment(url))
        sold = seller.greeting(wait=self.clock.pass_time)
        self.crm_url = str(sold["base_url"])
        self.crm = Crm(self._closing.enter_context(Door(sold["base_url"])))
        self.say("starting the hub")
        app = {name: sold[name] for name in ("client_id", "client_secret", "base_url")}
        environment = {**self._environment(url), "HUB_APPS": json.dumps({"amocrm": app})}
        web, killable = self._start(children, environment)
        self.hub = Hub(web.greeting(wait=self.clock.pass_time)["url"], keys, killable, self._pause)
        self._closing.enter_context(self.hub.door)
        self._closing.enter_context(self.hub.api)
        self.say("installing from the marketplace")
        owner = {"email": keys.owner, "password": keys.password}
        self.connection = install(sold["base_url"], self.hub.url, owner, self.clock.pass_time)

    def _sandbox(self, children: Children, url: str) -> Child:
        told = ("--port", "0", "--clock", str(self.clock.path), "--not-installed")
        return children.add("amocrm", "sandbox", "amocrm", *told, "--redirect-uri", f"{url}/oauth/amocrm/callback")

    def _environment(self, url: str) -> dict[str, str]:
        return {
            "HUB_DATA_DIR": str(self.folder / "hub"),
            "HUB_CLOCK_FILE": str(self.clock.path),
            "HUB_PUBLIC_URL": url,
            "HUB_READBACK_S": str(READ_BACK_S),
            # Everybody comes from this machine; a visitor's own address is told the way a proxy tells it.
            "HUB_TRUSTED_PROXIES": '["127.0.0.1"]',
            "HUB_LOG_LEVEL": "warning",
            "HUB_KEYS": "",
            "HUB_DATABASE_URL": self.database_url,
        }

    def _apply(self, children: Children, environment: dict[str, str]) -> Keys:
        file = self.folder / "company.yaml"
        write_set_up(self.day, file)
        applied = children.run("apply", "hub", "apply", str(file), "--json", **environment)
        paths = {one["name"]: one["path"] for one in applied["telephony"]}
        if not applied["owner_password"]:
            raise ChildFailed("This database has a company already; the demo needs an empty one.")
        return Keys(
            owner=applied["owner_email"],
            password=applied["owner_password"],
            api_token=applied["api_token"],
            site=applied["sites"][0]["key"],
            mango_path=paths[MANGO],
            small_path=paths[SMALL],
        )

    def _start(self, children: Children, environment: dict[str, str]) -> tuple[Child, Child]:
        """Returns the child that listens and the one that may be killed: with SQLite they are one."""
        arguments = ("hub", "up", "--port", str(self.port), "--json")
        if not self.database_url.startswith("postgresql"):
            both = children.add("hub", *arguments, **environment)
            return both, both
        web = children.add("hub", *arguments, "--no-worker", **environment)
        return web, children.add("worker", "hub", "worker", **environment)

    def _pause(self, seconds: float) -> None:
        """What the world does while the hub does not answer: wait, and call for help."""
        self.hub.revive()
        self.clock.pass_time(seconds)

    def settle(self) -> None:
        """Lets time pass until nothing is under way and everything the sales people did was read back."""
        # A read-back may be under way that began before the last sale: the one after it is the proof.
        proven_at = self.clock.now() + READ_BACK_S / 2
        for _ in range(6_000):
            self.hub.revive()
            status = self.hub.status()
            if not status.is_busy and status.read_back_at > proven_at:
                return
            self.clock.pass_time(0.01)
            self.clock.jump(self.clock.now() + (1.0 if status.is_busy else 15.0))
        raise NoAnswer(f"The hub did not come to rest: {status}.")


def roubles(minor: int) -> str:
    """Returns kopecks as a decimal sum of roubles, like 1234.50."""
    return f"{minor // 100}.{minor % 100:02d}"


def free_or(port: int | None) -> int:
    """Returns the asked port, or a free one."""
    return port or free_port()
