"""The stage: one hub and a sandbox for each company's CRM, as child processes on loopback, set up and connected."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.demo import market, portal
from sandbox.demo.clock import DayClock
from sandbox.demo.company import Vendor
from sandbox.demo.console import Connection
from sandbox.demo.crm import Crm
from sandbox.demo.crm_amocrm import AmoCrm
from sandbox.demo.crm_bitrix24 import Bitrix24
from sandbox.demo.door import Door, NoAnswer
from sandbox.demo.plan import Day
from sandbox.demo.processes import Child, ChildFailed, Children, free_port
from sandbox.demo.sales_amocrm import AmoSales
from sandbox.demo.sales_bitrix24 import PortalSales
from sandbox.demo.setup import MANGO, SMALL, write_set_up
from sandbox.demo.tenant import READ_BACK_S, Hire, Keys, Tenant

Say = Callable[[str], None]
Install = Callable[[str, str, Mapping[str, str], Callable[[float], None]], Connection]
# While nobody calls an hour is over in a second, and a renewal takes longer than its turn may: the hub would be cut off
# for what no real clock does. Renewing is proved in tests/proofs.
_TOKEN_S = 86_400
_INSTALL: Mapping[Vendor, Install] = {Vendor.AMOCRM: market.install, Vendor.BITRIX24: portal.install}


class Hub:
    """The hub as the world sees it: its doors, and the process that may be killed."""

    def __init__(self, url: str, killable: Child, pause: Callable[[float], None]) -> None:
        self.url = url
        self.door = Door(url, pause)
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


@dataclass(slots=True)
class Stage:
    """Everything one demo needs, built by `with`; leaving it ends every child. One tenant for each day, in order."""

    days: Sequence[Day]
    folder: Path
    port: int
    database_url: str
    say: Say
    clock: DayClock = field(init=False)
    hub: Hub = field(init=False)
    tenants: Sequence[Tenant] = field(init=False)
    connections: Sequence[Connection] = field(init=False)
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
        self.clock = self._closing.enter_context(DayClock(self.folder / "clock", self.days[0].opens))
        children = Children(self.folder / "logs")
        self._closing.callback(children.end)
        url = f"http://127.0.0.1:{self.port}"
        self.say("setting up the companies")
        # Each takes a second or two to start: side by side.
        sellers = [self._sandbox(children, url, day.company.crm) for day in self.days]
        keys = [self._apply(children, self._environment(url), day) for day in self.days]
        sold = [seller.greeting(wait=self.clock.pass_time) for seller in sellers]
        self.say("starting the hub")
        environment = {**self._environment(url), "HUB_APPS": json.dumps(self._apps(sold))}
        web, killable = self._start(children, environment)
        self.hub = Hub(web.greeting(wait=self.clock.pass_time)["url"], killable, self._pause)
        self._closing.enter_context(self.hub.door)
        self.tenants = [self._tenant(*one) for one in zip(self.days, keys, sold, strict=True)]
        self.connections = [self._connect(one) for one in self.tenants]

    def _sandbox(self, children: Children, url: str, crm: Vendor) -> Child:
        """Start the sandbox of a vendor, in whose account nobody has installed the app yet."""
        told = ["--port", "0", "--clock", str(self.clock.path), "--not-installed"]
        told += ["--redirect-uri", f"{url}/oauth/{crm}/callback"]
        if crm is Vendor.BITRIX24:
            page = f"{url}/frame/{crm}"
            told += ["--app-url", page, "--installer-url", page, "--install-event-url", f"{url}/oauth/{crm}/callback"]
            told += ["--set", f"access_ttl={_TOKEN_S}"]
        return children.add(str(crm), "sandbox", str(crm), *told)

    def _apps(self, sold: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        names = ("client_id", "client_secret", "base_url")
        pairs = zip(self.days, sold, strict=True)
        return {day.company.crm.value: {name: one[name] for name in names} for day, one in pairs}

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

    def _apply(self, children: Children, environment: dict[str, str], day: Day) -> Keys:
        """Apply a company's set-up file: the first one's to an empty hub, every other one's beside it."""
        name = day.company.key
        file = self.folder / f"{name}.yaml"
        write_set_up(day, file)
        beside = () if day is self.days[0] else ("--new-tenant",)
        applied = children.run(f"apply-{name}", "hub", "apply", str(file), "--json", *beside, **environment)
        if not applied["owner_password"]:
            raise ChildFailed("This database has a company already; the demo needs an empty one.")
        paths = {one["name"]: one["path"] for one in applied["telephony"]}
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

    def _tenant(self, day: Day, keys: Keys, sold: Mapping[str, Any]) -> Tenant:
        api = self._closing.enter_context(Door(self.hub.url, self._pause, keys.api_token))
        crm_url = str(sold["base_url"])
        door = self._closing.enter_context(Door(crm_url))
        crm, hire = _opened(day.company.crm, door)
        return Tenant(day.company, keys, api, crm, crm_url, hire)

    def _connect(self, of: Tenant) -> Connection:
        self.say(f"installing in {of.company.crm.called}")
        return _INSTALL[of.company.crm](of.crm_url, self.hub.url, of.keys.login, self.clock.pass_time)

    def _pause(self, seconds: float) -> None:
        """What the world does while the hub does not answer: wait, and call for help."""
        self.hub.revive()
        self.clock.pass_time(seconds)

    def settle(self) -> None:
        """Lets time pass until nothing is under way and everything the sales people did was read back."""
        # A read-back may be under way that began before the last sale: the one after it is the proof.
        readings = max(tenant.crm.readings() for tenant in self.tenants)
        proven_at = self.clock.now() + READ_BACK_S * (readings - 0.5)
        for _ in range(6_000):
            self.hub.revive()
            all_ = [tenant.status() for tenant in self.tenants]
            is_busy = any(status.is_busy for status in all_)
            if not is_busy and all(status.read_back_at > proven_at for status in all_):
                return
            self.clock.pass_time(0.01)
            self.clock.jump(self.clock.now() + (1.0 if is_busy else 15.0))
        raise NoAnswer(f"The hub did not come to rest: {all_}.")


def _opened(vendor: Vendor, door: Door) -> tuple[Crm, Hire]:
    """Returns a sandbox CRM, and how sales people are hired for it."""
    if vendor is Vendor.AMOCRM:
        amo = AmoCrm(door)
        return amo, partial(AmoSales.hire, amo)
    bitrix = Bitrix24(door)
    return bitrix, partial(PortalSales.hire, bitrix)


def free_or(port: int | None) -> int:
    """Returns the asked port, or a free one."""
    return port or free_port()
