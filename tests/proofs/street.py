"""Many accounts of one hub, each with a CRM of its own in a real process; time goes on only when everybody waits for it.

A request that is under way holds the clock, so what a proof measures on it is exact however slow the machine is.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select

from connectors.amocrm import connector as amocrm
from connectors.contract_inputs import rules
from connectors.http import Http
from connectors.protocol import App, Connector, Grant
from connectors.scenario import AddNote, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub.delivery import lanes, queue
from hub.delivery.queue import Planned
from hub.delivery.worker import Worker
from hub.store import crm
from hub.store.db import Db
from hub.store.tables import Delivery, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.world import HandClock, sandbox

_delivery, _tenant = table_of(Delivery), table_of(Tenant)
REDIRECT = "http://hub.test/oauth/amocrm/callback"
_LOOKS = 100_000  # at whether everybody waits, before the proof says that somebody never will


class Crm:
    """One account's CRM: its dial, its journal and what it holds."""

    def __init__(self, printed: dict[str, Any], web: httpx.Client) -> None:
        self.base_url, self._printed, self._web = str(printed["base_url"]), printed, web
        self._since = 0

    def turn(self, **dial: object) -> None:
        """Turn its dial from how it came; what was asked before is not in the journal any more."""
        self._since = max([self._since, *(row["number"] for row in self.ledger())])
        self._post("dial/reset")
        self._post("dial", retry_after_header=True, **dial)

    def _post(self, path: str, **told: object) -> Any:
        answer = self._web.post(f"{self.base_url}/_sandbox/{path}", json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ledger(self) -> list[dict[str, Any]]:
        """Return the requests to its interface since its dial was turned."""
        found = self._web.get(f"{self.base_url}/_sandbox/ledger", params={"since": self._since}).json()
        return [row for row in found["rows"] if row["path"].startswith("/api/")]

    def is_asked(self) -> bool:
        """Say whether a request is there that has no answer yet."""
        return any(row["status"] is None for row in self.ledger())

    def state(self) -> dict[str, Any]:
        """Return everything it holds."""
        return self._web.get(f"{self.base_url}/_sandbox/state").json()  # type: ignore[no-any-return]

    @property
    def app(self) -> App:
        """Our registration there."""
        return App(self._printed["client_id"], self._printed["client_secret"], REDIRECT, self.base_url)

    def person(self) -> str:
        """Return a token of a person at the screen, whom no limit binds."""
        return str(self._post("token")["access_token"])

    def grant(self) -> Grant:
        """Return a token that outlives every proof."""
        token = self._post("token", long_lived=True)["access_token"]
        return Grant("31000001", "romashka.amocrm.ru", token, None, datetime(2100, 1, 1, tzinfo=UTC))


@contextmanager
def crms(folder: Path, number: int) -> Iterator[tuple[HandClock, list[Crm]]]:
    """Run so many CRMs that share one clock."""
    clock = HandClock(folder / "clock")
    with ExitStack() as stack:
        web = stack.enter_context(httpx.Client(timeout=30))
        printed = [stack.enter_context(sandbox(clock.path, REDIRECT)) for _ in range(number)]
        yield clock, [Crm(one, web) for one in printed]


@dataclass(slots=True)
class StreetClock:
    """The hub's clock: who waits is written down, and the proof moves it."""

    hand: HandClock
    waiting: dict[object, datetime] = field(default_factory=dict)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        return self.hand.now()

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        until = min(moment, self.now() + timedelta(seconds=at_most_s))
        with self.waits(until):
            while self.now() < until:
                await self.moved.wait()

    @contextmanager
    def waits(self, until: datetime) -> Iterator[None]:
        """Write down that somebody waits until then."""
        key = object()
        self.waiting[key] = until
        try:
            yield
        finally:
            del self.waiting[key]

    def patient(self) -> int:
        """Return how many wait for a moment that has not come."""
        now = self.now()
        return sum(until > now for until in self.waiting.values())

    def go_on_to(self, moment: datetime) -> None:
        """Let it be then."""
        self.hand.forward(max((moment - self.now()).total_seconds(), 0.0) + 1e-6)
        self.moved.set()
        self.moved = asyncio.Event()


@dataclass(slots=True)
class Street:
    """The hub, and its accounts by name."""

    db: Db
    vault: Vault
    clock: StreetClock
    crms: Sequence[Crm]
    wrap: Callable[[Connector], Connector] = lambda connector: connector
    hangs_s: dict[str, float] = field(default_factory=dict)  # of which account's answers it is known that they hang
    worker: Worker = field(init=False)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [f"crm-{number}" for number in range(len(self.crms))]
        apps = {name: crm.app for name, crm in zip(names, self.crms, strict=True)}
        connectors = {name: self._connector(name) for name in names}
        self.worker = Worker(self.db, self.clock, self.vault, connectors, apps, timedelta(minutes=10))
        for name, one in zip(names, self.crms, strict=True):
            self.places[name] = self.db.write_now(_installed, name, one.grant(), self.clock.now(), self.vault)

    def _connector(self, name: str) -> Connector:
        wrapped = self.wrap(amocrm)

        def opened(http: Http, *asked: Any) -> Any:
            self._watch(name, http)
            return wrapped.open(http, *asked)

        return replace(wrapped, open=opened)

    def _watch(self, name: str, http: Http) -> None:
        """A request of which it is known how long it hangs does not hold the clock meanwhile."""
        honest, asked_of = type(http)._exchange, self.crms[int(name.removeprefix("crm-"))]

        async def exchange(request: Any) -> Any:
            if name not in self.hangs_s:
                return await honest(http, request)
            answer = asyncio.ensure_future(honest(http, request))
            while not answer.done() and not asked_of.is_asked():  # until it has arrived it hangs nowhere
                await asyncio.sleep(0.0005)
            with self.clock.waits(self.clock.now() + timedelta(seconds=self.hangs_s[name])):
                return await answer

        http._exchange = exchange  # type: ignore[method-assign]

    def enqueue(self, name: str, plans: Sequence[Plan]) -> None:
        """Plan deliveries at one account, each for another caller."""
        tenant_id, installation_id = self.places[name]
        now = self.clock.now()

        def all_of_them(tx: Tx) -> None:
            for number, plan in enumerate(plans):
                enquiry, caller = plan.enquiry.id, str(plan.enquiry.caller)
                at = now - timedelta(seconds=len(plans) - number)
                asked = Planned(installation_id, enquiry, None, caller, at, plan)
                assert queue.enqueue(tx, tenant_id, asked, now, self.vault)

        self.db.write_now(all_of_them)

    async def live(self, is_over: Callable[[], bool], side_by_side: int = 32) -> None:
        """Serve lanes until it is over, and let time go on whenever nobody can do anything before it does.

        Whom a request hangs at then may be left; everybody else comes to the end of his turn.
        """
        serving = self.worker._serving
        while not is_over() or len(serving) > len(self.hangs_s):
            while len(serving) < side_by_side and await self.worker._serve_next():
                pass
            await self._until_all_wait()
            if not serving and is_over():
                break
            due = [until for until in self.clock.waiting.values() if until > self.clock.now()]
            if len(serving) < side_by_side and (wake := await self.db.read(lanes.next_wake)):
                due.append(wake)
            if due:
                self.clock.go_on_to(min(due))
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _until_all_wait(self) -> None:
        for _ in range(_LOOKS):
            if self.clock.patient() >= len(self.worker._serving):
                return
            await asyncio.sleep(0.0005)
        raise AssertionError("somebody waits for something that does not come")

    def waits_for(self, names: Sequence[str], since: datetime) -> bool:
        """Say whether any delivery of these accounts, planned since then, is not settled yet."""
        lanes_of = [self.places[name][1] for name in names]
        tenants = [self.places[name][0] for name in names]
        here = (_delivery.c.tenant_id.in_(tenants), _delivery.c.installation_id.in_(lanes_of))
        open_ones = select(_delivery.c.id).where(*here, _delivery.c.settled_at.is_(None))
        open_ones = open_ones.where(_delivery.c.created_at >= since).limit(1)
        return self.db.read_now(lambda tx: tx.execute(open_ones).first()) is not None

    def rows(self, name: str) -> list[Any]:
        """Return the deliveries of an account."""
        tenant_id, installation_id = self.places[name]
        here = (_delivery.c.tenant_id == tenant_id, _delivery.c.installation_id == installation_id)
        return self.db.read_now(lambda tx: tx.execute(select(_delivery).where(*here)).all())


def _installed(tx: Tx, connector: str, grant: Grant, now: datetime, vault: Vault) -> tuple[int, int]:
    row = insert(_tenant).values(name=connector, created_at=now).returning(_tenant.c.id)
    tenant_id = tx.execute(row).scalar_one()
    installation_id = crm.install(tx, tenant_id, connector, grant, now, vault)
    lanes.open_lane(tx, tenant_id, installation_id, now, [])
    return tenant_id, installation_id


def plan(number: int, at: datetime, responsible: str | None = None) -> Plan:
    """Return what a scenario asks for one call of one caller."""
    asked = Enquiry(
        id=f"call:{number}", caller=f"+7916{number:07}", dialled="+74951110001", started_at=at, talk_s=60, wait_s=5,
        answered=True, recording_url=None, operator=None, source={}, confidence=None, reason="",
    )  # fmt: skip
    cases = {CallerState.UNKNOWN: (CreateDeal("Звонок", responsible=responsible), AddNote("Источник: yandex"))}
    return Plan(asked, 1, Trigger.ENDED, rules(cases))
