"""Has the CRM show a caller's card to whom he rings and who answers: at once or not at all, and nobody twice.

That it is asked is written with the look at the call, before anything is sent: nobody asks again, whatever
happens then. What waits for a busy account is given up when the talk is over, or has gone on for too long.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from connectors.protocol import Can, CrmSession
from connectors.scenario import ScenarioError
from hub.delivery import errands
from hub.delivery.worker import Worker
from hub.enquiries import Talk
from hub.planning import rules_of
from hub.store import calls, crm, ledger, scenario_versions
from hub.store.crm import Installed
from hub.store.ledger import Entry, Kind
from hub.store.tx import Tx

log = structlog.get_logger()

_FRESH = timedelta(seconds=20)  # of a talk: who has asked for a name by then needs no card any more
_AGAIN_S = 0.3  # between two looks whether a busy account is free
_MOST = 100  # waiting in one process


@dataclass(frozen=True, slots=True)
class PopUp:
    """A card to be shown: to which users of which account, and whose."""

    tenant_id: int
    enquiry_id: int
    installation: Installed
    users: tuple[str, ...]
    caller: str = field(repr=False)
    since: datetime


def asked(tx: Tx, tenant_id: int, enquiry_id: int, talk: Talk, now: datetime) -> Sequence[PopUp]:
    """Return the cards that are to be shown for a talk, and note that they are: they are returned once."""
    if now - talk.since > _FRESH:
        return ()
    named = [(of, _users(tx, of, talk)) for of in crm.installations(tx, tenant_id) if of.status == crm.ACTIVE]
    known = ledger.popup_asked(tx, tenant_id, enquiry_id) if any(users for _, users in named) else set()
    wanted = [
        PopUp(tenant_id, enquiry_id, of, new, talk.caller, talk.since)
        for of, users in named
        if (new := tuple(user for user in users if (of.id, user) not in known))
    ]
    ledger.write(tx, tenant_id, *(_entry(Kind.POPUP_ASKED, popup, now, users=popup.users) for popup in wanted))
    return wanted


def _users(tx: Tx, of: Installed, talk: Talk) -> tuple[str, ...]:
    saved = scenario_versions.live(tx, of.tenant_id, of.connector)
    try:
        rules = rules_of(saved, of) if saved else None
    except ScenarioError:  # said where its calls wait
        return ()
    named = rules.people if rules and rules.popup else {}
    return tuple(dict.fromkeys(named[one] for one in talk.operators if one in named))


def _entry(kind: Kind, popup: PopUp, now: datetime, **facts: str | tuple[str, ...]) -> Entry:
    return Entry(kind, now, popup.enquiry_id, installation_id=popup.installation.id, facts=facts)


class PopUps:
    """Asks accounts to show cards, each side by side with the others, until it is stopped."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._asked: asyncio.Queue[PopUp] = asyncio.Queue(_MOST)

    def ask(self, popup: PopUp) -> None:
        """Have a card shown soon; more than can be shown in time are not."""
        if self._asked.full():
            log.warning("popups.too_many", installation=popup.installation.id)
        else:
            self._asked.put_nowait(popup)

    async def run(self) -> None:
        """Show cards until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._show(await self._asked.get()))

    async def _show(self, popup: PopUp) -> None:
        worker = self._worker
        try:
            ended = await self._tried(popup)
            log.info("popups.ended", installation=popup.installation.id, how=ended)
            told = _entry(Kind.POPUP_ENDED, popup, worker.clock.now(), how=ended)
            await worker.db.write(ledger.write, popup.tenant_id, told)
        except Exception as error:  # one card's trouble must not stop the others
            log.exception("popups.trouble", installation=popup.installation.id, error=type(error).__name__)

    async def _tried(self, popup: PopUp) -> str:
        """Return how it ended: shown, refused, late."""
        worker, of = self._worker, popup.installation
        if Can.POPUP not in worker.connectors[of.connector].manifest.can:
            return "refused"

        async def ask(session: CrmSession) -> str:
            if not await self._is_on(popup):
                return "late"
            return "shown" if await session.popup(popup.users, popup.caller) else "refused"

        while await self._is_on(popup):
            try:
                return await errands.ask(worker, of, ask)
            except errands.Held:
                return "refused"
            except errands.Busy:
                await worker.clock.wait_until(worker.clock.now() + timedelta(seconds=_AGAIN_S), _AGAIN_S)
        return "late"

    async def _is_on(self, popup: PopUp) -> bool:
        worker = self._worker
        is_fresh = worker.clock.now() - popup.since <= _FRESH
        return is_fresh and not await worker.db.read(calls.is_over, popup.tenant_id, popup.enquiry_id)
