"""Serves lanes: claims one, sends what is due through its connector, settles, reads back, gives it back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from connectors.errors import ConnectorError, installation_error, redact
from connectors.http import Http
from connectors.protocol import (
    App,
    Connector,
    CrmSession,
    Delivery,
    GrantRevoked,
    InstallationError,
    Outcome,
    Status,
    Why,
)
from hub import credentials, failpoints, readback, ties
from hub.clock import Clock, rest
from hub.delivery import answers, lanes, queue
from hub.delivery.answers import Hung, Patience
from hub.delivery.lanes import Claim, FenceLost
from hub.delivery.queue import Taken
from hub.errors import DatabaseAway
from hub.loops import for_ever
from hub.store import crm, grants
from hub.store.bell import Bell
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

Ask = Callable[[CrmSession], Awaitable[None]]
Turn = Callable[["_Lane"], Awaitable[None]]

_GLANCE_S = 0.15  # how long what another process wrote may stay unseen while its bell is not heard
_UNBELIEVING_S = 5.0  # between two looks all the same while it is
_LANES = 32  # served side by side by one process
_MARGIN = timedelta(seconds=5)
_BATCHES = 20  # of one turn; then the lane goes back so that read-back gets its turn
_LEASE_TIMEOUTS = 4
_SILENCE_TIMEOUTS = 3  # without a request: what is left of the lease is for settling
_LONGEST_TIMEOUTS = 120  # of one question to a connector, however many requests it sends
_AWAY_S = 1.0  # between two tries to give a lane back to a database that is away
_FACTS_FRESH = timedelta(hours=1)  # pipelines and fields change without a word


@dataclass(slots=True)
class Worker:
    """One process's worker; any number of them share a PostgreSQL."""

    db: Db
    clock: Clock
    vault: Vault
    connectors: Mapping[str, Connector]
    apps: Mapping[str, App]
    readback_every: timedelta
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Serve lanes until cancelled; what is being served is finished or given up by then."""
        try:
            async with Bell(self.db, self.wake.set).listening() as bell:
                await for_ever("worker", partial(self._turn, bell), self.clock)
        finally:
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _turn(self, bell: Bell) -> None:
        self.wake.clear()
        while len(self._serving) < _LANES and await self._serve_next():
            pass
        due = await self.db.read(lanes.next_wake) if len(self._serving) < _LANES else None
        await rest(self.clock, self.wake, due, _UNBELIEVING_S if bell.is_heard else _GLANCE_S)

    async def _serve_next(self) -> bool:
        claim = await self.db.write(lanes.claim, self.clock.now(), self._lease(None))
        if claim is None:
            return False
        failpoints.reach("lane.claimed")
        task = asyncio.create_task(self._serve(claim))
        self._serving.add(task)
        task.add_done_callback(self._served)
        return True

    def _served(self, task: "asyncio.Task[None]") -> None:
        self._serving.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("worker.lane_failed", error=repr(error))

    def _lease(self, connector: Connector | None) -> timedelta:
        timeout = connector.manifest.limits.timeout if connector else timedelta(seconds=30)
        return timeout * _LEASE_TIMEOUTS

    async def errand(self, of: Installed, ask: Ask) -> bool:
        """Let ``ask`` ask an account by its lane, which trouble holds as ever; False when the lane is not free."""
        now = self.clock.now()
        claim = await self.db.write(lanes.claim_of, of.tenant_id, of.id, now, self._lease(None))
        if claim is None:
            return False
        await self._serve(claim, lambda lane: lane.run(ask))
        return True

    async def _serve(self, claim: Claim, turn: Turn = lambda lane: lane.serve()) -> None:
        """Serve one lane; when the database goes away meanwhile, give it back once there is one again."""
        try:
            await self._serve_lane(claim, turn)
        except DatabaseAway as error:
            log.error("worker.database_away", installation=claim.installation_id, error=str(error))
            await self._give_back(claim)

    async def _give_back(self, claim: Claim) -> None:
        until = self.clock.now() + self._lease(None)
        while self.clock.now() < until:  # then the lane is anybody's
            try:
                await self.db.write(lanes.give_up, claim, self.clock.now())
                log.info("worker.database_back", installation=claim.installation_id)
                return
            except DatabaseAway:
                await self.clock.wait_until(self.clock.now() + timedelta(seconds=_AWAY_S), _AWAY_S)

    async def _serve_lane(self, claim: Claim, turn: Turn) -> None:
        """Serve one lane until nothing is due; an installation's trouble holds it, a lost fence leaves it alone."""
        of = await self.db.read(crm.installation, claim.tenant_id, claim.installation_id)
        connector, app = self.connectors[of.connector], self.apps.get(of.connector)
        if app is None:
            sentence = f"No app registration for {of.connector}: set it in HUB_APPS."
            await self.db.write(lanes.hold, claim, self.clock.now(), Why.FORBIDDEN, sentence, None)
            return
        lane = _Lane(self, claim, of, connector, app)
        try:
            await turn(lane)
        except FenceLost:
            log.warning("worker.fence_lost", installation=of.id)
        except GrantRevoked as error:
            with suppress(FenceLost):  # then another holder knows better by now
                await self.db.write(_wait_for_access, claim, self.clock.now(), answers.text(error))
        except InstallationError as error:
            await lane.hold(error)
        except ConnectorError as error:
            await lane.hold(installation_error(error))
        except Hung as error:
            log.error("worker.hung", installation=of.id, error=str(error))
            await lane.hold(InstallationError(Why.UNREADABLE, _HUNG))
        except DatabaseAway:
            raise
        except Exception as error:  # ours: say so on the connections page instead of coming back in silence for ever
            log.exception("worker.lane_failed", installation=of.id, error=type(error).__name__)
            await lane.hold(
                InstallationError(Why.UNREADABLE, f"The hub failed while serving this account: {type(error).__name__}.")
            )
        finally:
            await lane.http.aclose()


def _wait_for_access(tx: Tx, claim: Claim, now: datetime, sentence: str) -> None:
    """Hold the lane until a person gives access again, unless there is access again by now."""
    lanes.kept(tx, claim)
    refused = crm.installation(tx, claim.tenant_id, claim.installation_id).status == crm.REAUTHORISE
    lanes.hold(tx, claim, now, Why.UNAUTHORIZED, sentence, timedelta(days=365) if refused else None)


@dataclass(slots=True)
class _Lane:
    worker: Worker
    claim: Claim
    of: Installed
    connector: Connector
    app: App
    http: Http = field(init=False)
    access_token: str = field(init=False, default="", repr=False)
    good_until: datetime = field(init=False)  # nothing leaves after it: the answer would come when another may send
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        timeout = self.connector.manifest.limits.timeout
        self.patience = Patience(timeout * _SILENCE_TIMEOUTS, timeout * _LONGEST_TIMEOUTS)
        base = (self.app.base_url,) if self.app.base_url else ()
        self.http = Http(allowed=self.connector.manifest.hosts, origins=base, spend=self.spend, still=self.still_mine)

    async def serve(self) -> None:
        worker = self.worker
        session = await self._session()
        await self._deliver(session)
        if self._is_stale():  # only now: an account that answers badly must not spend all its good moments on this
            await self._learn(session)
        next_readback = self.claim.readback_at
        if worker.clock.now() >= next_readback:
            pulled = readback.pull(worker.db, worker.clock, session, await self._fresh(), worker.vault)
            more = await self.patience.wait(pulled)
            next_readback = worker.clock.now() + (timedelta() if more else worker.readback_every)
        await worker.db.write(queue.release, self.claim, worker.clock.now(), next_readback)
        failpoints.reach("lane.released")

    async def run(self, ask: Ask) -> None:
        """Ask the account one thing in place of a turn of deliveries."""
        session = await self._session()
        await self.patience.wait(ask(session))
        await self.worker.db.write(lanes.give_back, self.claim)

    async def _deliver(self, session: CrmSession) -> None:
        worker, limits = self.worker, self.connector.manifest.limits
        for _ in range(_BATCHES):
            taken = await worker.db.write(queue.take_batch, self.claim, limits, worker.clock.now(), worker.vault)
            if not taken:
                break
            failpoints.reach("batch.taken")
            await self._send(session, taken)

    async def _fresh(self) -> Installed:
        return await self.worker.db.read(crm.installation, self.claim.tenant_id, self.claim.installation_id)

    async def _session(self) -> CrmSession:
        worker = self.worker
        live = credentials.live_grant(
            worker.db, worker.clock, worker.vault, self.connector, self.app, self.of, self.http
        )
        grant = await self.patience.wait(live)
        self.access_token = grant.access_token
        session = self.connector.open(self.http, self.app, grant, self.of.facts)
        if self.of.facts_at is None:  # nothing can be planned before the account is known
            await self._learn(session)
            session = self.connector.open(self.http, self.app, grant, self.of.facts)
        return session

    def _is_stale(self) -> bool:
        return self.of.facts_at is None or self.worker.clock.now() - self.of.facts_at > _FACTS_FRESH

    async def _learn(self, session: CrmSession) -> None:
        """Read what the account has: its pipelines, stages, people and fields."""
        worker, facts = self.worker, await self.patience.wait(session.facts())
        await worker.db.write(crm.save_facts, self.of.tenant_id, self.of.id, facts, worker.clock.now())
        self.of = await self._fresh()

    async def _send(self, session: CrmSession, taken: Sequence[Taken]) -> None:
        """Send one batch and settle it; whatever is not named in the answer is unknown, never a success."""
        batch = [Delivery(d.id, d.marker, d.plan, d.attempt, d.in_doubt, d.refs, d.nearby) for d in taken]
        try:
            answered = await self.patience.wait(session.deliver(batch))
        except InstallationError as error:
            await self._settle(taken, self._believed(error.outcomes, taken))
            raise
        except (FenceLost, DatabaseAway):
            raise
        except Hung as error:
            log.error("worker.connector_hung", connector=self.connector.manifest.name, deliveries=len(taken))
            await self._settle(taken, {d.id: _unknown(repr(error)) for d in taken})
            raise
        except Exception as error:  # a connector that breaks its contract may have sent something
            log.exception("worker.connector_failed", connector=self.connector.manifest.name)
            await self._settle(taken, {d.id: _unknown(repr(error)) for d in taken})
        else:
            silent = {d.id: _unknown("no outcome for this delivery") for d in taken}
            await self._settle(taken, silent | self._believed(answered, taken))

    def _believed(self, answered: object, taken: Sequence[Taken]) -> dict[str, Outcome]:
        known, foreign = answers.read(answered, [delivery.id for delivery in taken])
        if foreign:
            log.error("worker.foreign_outcomes", connector=self.connector.manifest.name, count=foreign)
        return known

    async def _settle(self, taken: Sequence[Taken], outcomes: Mapping[str, Outcome]) -> None:
        """Write what became of a batch, whom its contacts belong to first: what is settled is never looked at again."""
        limits, worker = self.connector.manifest.limits, self.worker
        failpoints.reach("answer.known")
        await self._tell_contacts(outcomes)
        await worker.db.write(queue.settle, self.claim, taken, outcomes, limits, worker.clock.now())
        failpoints.reach("settle.kept")

    async def _tell_contacts(self, outcomes: Mapping[str, Outcome]) -> None:
        reached = ties.contacts_in(outcomes)
        if not reached:
            return
        worker, at = self.worker, (self.claim.tenant_id, self.claim.installation_id)
        try:  # in a transaction of its own: a look at an enquiry locks its people first, and then the lane
            await worker.db.write(ties.contacts_told, *at, reached, worker.clock.now(), worker.vault)
        except DatabaseAway:
            raise
        except Exception as error:  # who somebody is must not decide whether his call counts as delivered
            log.exception("worker.contacts_untold", installation=self.of.id, error=type(error).__name__)
        failpoints.reach("contacts.told")

    async def spend(self) -> None:
        """Pay for one request before it is sent, waiting while the lane's bucket is empty."""
        self.patience.renew()
        worker, limits = self.worker, self.connector.manifest.limits
        lease, asked = worker._lease(self.connector), worker.clock.now()
        while True:
            now = worker.clock.now()
            at = await worker.db.write(lanes.spend, self.claim, limits, asked, now, lease)
            if at is None:
                break
            await worker.clock.wait_until(at, at_most_s=1.0)
        self.good_until = now + lease - limits.timeout - _MARGIN
        failpoints.reach("request.paid")

    def still_mine(self) -> None:
        """Raise ``FenceLost`` when so much time went by since the request was paid for that the lease may be over."""
        if self.worker.clock.now() > self.good_until:
            raise FenceLost

    async def hold(self, error: InstallationError) -> None:
        """Leave the installation alone for a while; a refused token is refreshed at the next turn."""
        db, now = self.worker.db, self.worker.clock.now()
        if error.why is Why.UNAUTHORIZED:
            await db.write(grants.expire, self.of, self.access_token, now, self.worker.vault)
        sentence, asked = answers.text(error.sentence), answers.span(error.hold)
        until = await db.write(queue.hold, self.claim, now, error.why, sentence, asked)
        log.warning("worker.held", installation=self.of.id, why=error.why, until=str(until), sentence=sentence)


def _unknown(detail: str) -> Outcome:
    return Outcome(Status.UNKNOWN, why=Why.UNREADABLE, sentence=_SILENT, detail=redact(answers.text(detail)))


_SILENT = "The CRM's answer did not say what became of this; the hub will look before it tries again."
_HUNG = "What speaks with this CRM gave no sign of life for too long and was given up; the hub will try again."
