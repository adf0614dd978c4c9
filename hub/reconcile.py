"""The daily reconciliation: what came in, was planned, was delivered, and is in the CRM, with each gap named."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any

import structlog

from hub.clock import Clock
from hub.delivery import lanes
from hub.gaps import Gap, Tally, refs_of
from hub.loops import for_ever
from hub.reconcile_crm import Asker, NotAsked
from hub.store import crm, ledger_chain, reconciliations
from hub.store import reconcile as read
from hub.store.db import Db
from hub.store.reconcile import After, Connected, Enquiries, Sent
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

DAY = timedelta(days=1)
MOST_DAYS = 31
_NIGHT = time(4)  # UTC
_GLANCE_S = 600.0  # how long a tenant that another process set up may wait
_MARGIN = timedelta(hours=1)  # between what telephony says of a call's beginning and when it told us
_AT_ONCE = 50  # deliveries asked for in one turn of a lane: each may cost two requests

Told = Mapping[str, Any]


async def reconcile(
    db: Db, tenant_id: int, since: datetime, now: datetime, vault: Vault, asker: Asker | None, why_not: str = ""
) -> Told:
    """Compare what happened since a moment with what should have, page by page; without ``asker`` no CRM is asked.

    ``why_not`` says why there is none.
    """
    connected, trouble = await db.read(_accounts, tenant_id, now)
    tally = Tally(now, since, connected, trouble)
    if asker is None:
        for account in tally.accounts.values():
            account.not_checked = why_not
    found = await db.read(ledger_chain.verify, tenant_id, vault)
    if found.flaw is not None:
        tally.find(Gap.LEDGER_BROKEN, now, detail=found.flaw.sentence)
    await _walk_events(db, tenant_id, tally)
    for late in (False, True):
        await _walk_enquiries(db, tenant_id, tally, asker, late=late)
    return told(tally)


def _accounts(tx: Tx, tenant_id: int, now: datetime) -> tuple[Sequence[Connected], Mapping[int, str]]:
    """Return the accounts, and what each of them waits with."""
    connected, held = read.connected(tx, tenant_id), lanes.told(tx, tenant_id)
    trouble = {
        one.id: crm.installation(tx, tenant_id, one.id).reason if one.status == crm.REAUTHORISE else _hold(held, one)
        for one in connected
    }
    return connected, trouble


def _hold(held: Mapping[int, Mapping[str, Any]], of: Connected) -> str:
    return str(held.get(of.id, {}).get("hold_why", ""))


async def _walk_events(db: Db, tenant_id: int, tally: Tally) -> None:
    after: After | None = None
    while True:
        page = await db.read(read.events, tenant_id, tally.since, after)
        tally.take_events(page)
        if len(page.rows) < read.PAGE:
            return
        after = (page.rows[-1].received_at, page.rows[-1].id)


async def _walk_enquiries(db: Db, tenant_id: int, tally: Tally, asker: Asker | None, *, late: bool) -> None:
    after: After | None = None
    while True:
        page = await db.read(read.enquiries, tenant_id, tally.since, after, late=late)
        there = tally.take_enquiries(page)
        if asker is not None:
            await _look_there(tally, asker, page, there)
        if len(page.rows) < read.PAGE:
            return
        after = (page.rows[-1].at, page.rows[-1].id)


async def _look_there(tally: Tally, asker: Asker, page: Enquiries, there: Sequence[Sent]) -> None:
    """Ask each account for what was delivered to it; one that cannot be asked is not asked again."""
    at = {one.id: one.at for one in page.rows}
    for account in tally.accounts.values():
        its = [one for one in there if one.installation_id == account.installation]
        for start in range(0, len(its), _AT_ONCE):
            if account.not_checked:
                break
            some = its[start : start + _AT_ONCE]
            try:
                gone = await asker.gone(account.installation, [ref for one in some for ref in refs_of(one)])
            except NotAsked as error:
                account.not_checked, account.detail = error.why, error.detail
                tally.unfinished(tally.since)
            else:
                tally.take_presence(at, some, gone)


def told(tally: Tally) -> Told:
    """Return a reconciliation as JSON takes it."""
    return {
        "since": tally.since.isoformat(),
        "until": tally.now.isoformat(),
        "received": asdict(tally.received),
        "accounts": [asdict(one) for one in tally.accounts.values()],
        "gaps": [{**asdict(one), "at": one.at.isoformat()} for one in tally.gaps],
        "gap_counts": {gap.value: tally.counted[gap] for gap in Gap if tally.counted[gap]},
        "unfinished_since": tally.unfinished_since.isoformat() if tally.unfinished_since else None,
    }


# -- every night


class Nights:
    """Reconciles each tenant once a night, at 04:00 UTC or when the hub is there again, until it is stopped.

    Of several processes one does it.
    """

    def __init__(self, db: Db, clock: Clock, vault: Vault, asker: Callable[[int], Asker]) -> None:
        self._db, self._clock, self._vault, self._asker = db, clock, vault, asker

    async def run(self) -> None:
        """Reconcile until cancelled."""
        await for_ever("nights", self._turn, self._clock)

    async def _turn(self) -> None:
        now = self._clock.now()
        until = night(now)
        tenant_id = await self._db.write(reconciliations.take, until, now)
        if tenant_id is None:
            await self._clock.wait_until(until + DAY, _GLANCE_S)
            return
        try:
            await self._one(tenant_id, until)
        except Exception as error:  # one tenant's trouble must not stop the others; his turn comes again in an hour
            log.exception("nights.trouble", tenant=tenant_id, error=type(error).__name__)

    async def _one(self, tenant_id: int, until: datetime) -> None:
        now = self._clock.now()
        since = since_of(await self._db.read(reconciliations.last, tenant_id), now)
        made = await reconcile(self._db, tenant_id, since, now, self._vault, self._asker(tenant_id))
        await self._db.write(reconciliations.save, tenant_id, until, json.dumps(made, ensure_ascii=False))
        log.info("nights.reconciled", tenant=tenant_id, gaps=sum(made["gap_counts"].values()))


def night(now: datetime) -> datetime:
    """Return when the last night's reconciliation was due."""
    begun = datetime.combine(now.date(), _NIGHT, now.tzinfo)
    return begun if begun <= now else begun - DAY


def since_of(last: str | None, now: datetime) -> datetime:
    """Return where a night begins: a day ago, at the end of the last one, or at what that one found unfinished."""
    begins = [now - DAY]
    if last is not None:
        before = json.loads(last)
        begins.append(datetime.fromisoformat(before["until"]))
        if before["unfinished_since"]:
            begins.append(datetime.fromisoformat(before["unfinished_since"]) - _MARGIN)
    return max(min(begins), now - DAY * MOST_DAYS)
