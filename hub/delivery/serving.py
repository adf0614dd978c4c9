"""One worker's turn at a lane: what is due is sent and settled, what changed is read back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from connectors.errors import redact
from connectors.http import Http
from connectors.protocol import (
    App,
    Can,
    Connector,
    CrmSession,
    Delivery,
    InstallationError,
    Known,
    Outcome,
    Status,
    Why,
)
from connectors.telling import Said
from hub import asked_goals, contacts, credentials, failpoints, planning, readback, ties
from hub.delivery import answers, lanes, queue, turns
from hub.delivery.answers import Hung, Patience
from hub.delivery.lanes import Claim, FenceLost
from hub.delivery.purse import Purse
from hub.delivery.queue import Taken
from hub.errors import DatabaseAway
from hub.store import crm, grants
from hub.store.crm import Installed

if TYPE_CHECKING:
    from hub.delivery.worker import Worker  # which serves lanes by what is here

log = structlog.get_logger()

Ask = Callable[[CrmSession], Awaitable[None]]

_BATCHES = 20  # of one turn; then the lane goes back so that read-back gets its turn
_LEASE_TIMEOUTS = 4
_SILENCE_TIMEOUTS = 3  # without a request: what is left of the lease is for settling
_LONGEST_TIMEOUTS = 120  # of one question to a connector, however many requests it sends
_FACTS_FRESH = timedelta(hours=1)  # pipelines and fields change without a word


def lease_of(connector: Connector | None) -> timedelta:
    """Return for how long a lane is claimed; with every request that is paid for it begins anew."""
    timeout = connector.manifest.limits.timeout if connector else timedelta(seconds=30)
    return timeout * _LEASE_TIMEOUTS


@dataclass(slots=True)
class Serving:
    """One worker serving one lane, from its claim until it is given back."""

    worker: "Worker"
    claim: Claim
    of: Installed
    connector: Connector
    app: App
    http: Http = field(init=False)
    access_token: str = field(init=False, default="", repr=False)
    knows_all: bool = field(init=False, default=False)  # the index of contacts, by what was read just now
    readback_at: datetime = field(init=False)
    patience: Patience = field(init=False)
    purse: Purse = field(init=False)

    def __post_init__(self) -> None:
        self.readback_at = self.claim.readback_at
        worker, limits = self.worker, self.connector.manifest.limits
        self.patience = Patience(limits.timeout * _SILENCE_TIMEOUTS, limits.timeout * _LONGEST_TIMEOUTS)
        lease = lease_of(self.connector)
        self.purse = purse = Purse(worker.db, worker.clock, self.claim, limits, lease, self.patience)
        self.http = Http(
            allowed=self.connector.manifest.hosts,
            origins=self.app.origins,
            turn=purse.turn,
            still=purse.still_mine,
            heard=worker.heard(self.of) if worker.heard else None,
        )

    async def serve(self) -> None:
        worker = self.worker
        session = await self._session()
        await self._deliver(session)
        await self.patience.wait(asked_goals.look(worker.db, worker.clock, session, self.of, worker.vault))
        is_stale = self._is_stale()
        if is_stale:  # only now: an account that answers badly must not spend all its good moments on this
            await self._learn(session)
        more = False
        if self._has_index and (is_stale or not self.of.contacts_known):
            more = await self._index(session)
        if more or worker.clock.now() >= self.readback_at:
            pulled = readback.pull(worker.db, worker.clock, session, await self._fresh(), worker.vault)
            more = await self.patience.wait(pulled) or more
            self.readback_at = worker.clock.now() + (timedelta() if more else worker.readback_every)
        await worker.db.write(queue.release, self.claim, worker.clock.now(), self.readback_at)
        failpoints.reach("lane.released")

    async def run(self, ask: Ask) -> None:
        """Ask the account one thing in place of a turn of deliveries."""
        session = await self._session()
        await self.patience.wait(ask(session))
        await self.worker.db.write(lanes.give_back, self.claim)

    async def _deliver(self, session: CrmSession) -> None:
        worker, limits = self.worker, self.connector.manifest.limits
        looks_after = False
        for _ in range(_BATCHES):
            self.knows_all = await self._refresh(session)
            taken = await worker.db.write(queue.take_batch, self.claim, limits, worker.clock.now(), worker.vault)
            if not taken:
                break
            failpoints.reach("batch.taken")
            self.purse.has_taken(taken)
            await self._send(session, taken)
            self.purse.has_taken(())
            looks_after |= self.knows_all
        if looks_after:  # whom the last batch made may stand twice by now
            await self._index(session)

    async def _refresh(self, session: CrmSession) -> bool:
        """Read what changed where a batch is worth it; True when the index of contacts then knows everybody."""
        worker, now = self.worker, self.worker.clock.now()
        if not self._has_index or not await worker.db.read(queue.are_due, self.claim, contacts.PAYS, now):
            return False
        if await self._index(session):
            return False
        of = await self._fresh()
        self.readback_at = now + worker.readback_every
        more = await self.patience.wait(readback.pull(worker.db, worker.clock, session, of, worker.vault))
        return of.contacts_known and not more

    @property
    def _has_index(self) -> bool:
        return Can.CONTACT_INDEX in self.connector.manifest.can

    async def _index(self, session: CrmSession) -> bool:
        """Bring the index of contacts up to date; True when there is more to read."""
        of, worker = await self._fresh(), self.worker
        return await self.patience.wait(contacts.pull(worker.db, self.claim, session, of, worker.vault))

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
        await worker.db.write(planning.learn, self.of.tenant_id, self.of.id, facts, worker.clock.now())
        self.of = await self._fresh()

    async def _send(self, session: CrmSession, taken: Sequence[Taken]) -> None:
        """Send one batch and settle it; whatever is not named in the answer is unknown, never a success."""
        worker = self.worker
        people: Mapping[str, tuple[Known, ...]] = {}
        if self.knows_all:
            people = await contacts.known(worker.db, self.connector, self.of, taken, worker.vault)
        plans = await turns.dealt(worker.db, self.claim, taken)
        batch = [
            Delivery(d.id, d.marker, plans[d.id], d.attempt, d.in_doubt, d.refs, d.nearby, people.get(d.id), d.decided)
            for d in taken
        ]
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
            known = self._believed(answered, taken)
            silent = {d.id: _unknown("no outcome for this delivery") for d in taken if d.id not in known}
            await turns.keep(worker.db, self.claim, plans, known)
            await self._settle(taken, known | silent)

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

    async def hold(self, error: InstallationError) -> None:
        """Leave the installation alone for a while; a refused token is refreshed at the next turn."""
        db, now = self.worker.db, self.worker.clock.now()
        if error.why is Why.UNAUTHORIZED:
            await db.write(grants.expire, self.of, self.access_token, now, self.worker.vault)
        said, asked = answers.first(error.said), answers.span(error.hold)
        until = await db.write(queue.hold, self.claim, now, error.why, said, asked)
        log.warning("worker.held", installation=self.of.id, why=error.why, until=str(until), said=str(said))


def _unknown(detail: str) -> Outcome:
    return Outcome(Status.UNKNOWN, why=Why.UNREADABLE, said=(_SILENT,), detail=redact(answers.text(detail)))


_SILENT = Said("hub.no_outcome")
