"""Raw facts -> enquiries, matches, plans and deliveries: transaction T3, one for each enquiry that needs a look."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from connectors.scenario import ScenarioError
from hub import enquiries, failpoints, planning, popups
from hub.clock import Clock, rest
from hub.errors import DatabaseAway
from hub.loops import for_ever
from hub.popups import PopUp
from hub.recording_links import NO_LINKS, NoteLinks
from hub.store import inbox
from hub.store.db import Db
from hub.store.inbox import CALL
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan

log = structlog.get_logger()

_GLANCE_S = 0.15  # how long what another process wrote may stay unseen
_UNTIL_MENDED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at an enquiry came to."""

    enquiry_id: int
    deliveries: int
    popups: Sequence[PopUp] = ()


def look(
    tx: Tx, now: datetime, vault: Vault, numbering: NumberingPlan = NO_PLAN, links: NoteLinks = NO_LINKS
) -> Looked | None:
    """Handle the enquiry that waits longest; None when none is due.

    ``numbering`` tells a mobile phone's region, ``links`` how the CRM is told where a recording is heard.
    """
    due = inbox.take_due(tx, now)
    if due is None:
        return None
    if due.kind == CALL:
        onward = enquiries.of_call(tx, due, now, vault, numbering)
    else:
        onward = enquiries.of_writing(tx, due, now, vault, numbering)
    planned = 0
    shown = popups.asked(tx, due.tenant_id, onward.id, onward.talk, now) if onward.talk else ()
    if onward.tell is not None:
        recording = partial(links.link, tx, due.tenant_id, onward.id, now, vault) if onward.is_recorded else None
        try:
            told = planning.Told(onward.id, onward.happened, onward.tell, recording)
            planned = planning.plan(tx, due.tenant_id, told, now, vault)
        except ScenarioError as error:  # the enquiry is kept; the plan waits until the rules fit the account
            inbox.postpone(tx, due, now + _UNTIL_MENDED, str(error))
            return Looked(onward.id, 0)
    inbox.done(tx, due, onward.again_at)
    failpoints.reach("look.written")
    return Looked(onward.id, planned, shown)


class InboxLoop:
    """Looks at enquiries as they come due, one transaction each, until it is stopped."""

    def __init__(
        self, db: Db, clock: Clock, vault: Vault, numbering: NumberingPlan = NO_PLAN, links: NoteLinks = NO_LINKS
    ) -> None:
        self._db, self._clock, self._vault, self._numbering, self._links = db, clock, vault, numbering, links
        self._wake = asyncio.Event()
        self.on_planned: Sequence[asyncio.Event] = ()
        self.on_popup: Callable[[PopUp], None] = lambda _popup: None

    def wake(self) -> None:
        """Say that an event was written."""
        self._wake.set()

    async def run(self) -> None:
        """Serve the inbox until cancelled."""
        await for_ever("inbox", self._turn, self._clock)

    async def _turn(self) -> None:
        self._wake.clear()
        while await self._look_once():
            pass
        await rest(self._clock, self._wake, await self._db.read(inbox.next_due), _GLANCE_S)

    async def _look_once(self) -> bool:
        now = self._clock.now()
        try:
            looked = await self._db.write(look, now, self._vault, self._numbering, self._links)
        except DatabaseAway:  # not this enquiry's trouble: it waits no longer for that
            raise
        except Exception as error:  # one enquiry's trouble must not stop the others
            log.exception("inbox.trouble", error=type(error).__name__)
            return await self._db.write(_postpone, now, f"{type(error).__name__}: {error}")
        if looked is not None:
            failpoints.reach("look.kept")
        if looked is not None and looked.deliveries:
            for event in self.on_planned:
                event.set()
        for popup in looked.popups if looked else ():
            self.on_popup(popup)
        return looked is not None


def _postpone(tx: Tx, now: datetime, trouble: str) -> bool:
    due = inbox.take_due(tx, now)
    if due is None:
        return False
    inbox.postpone(tx, due, now + timedelta(seconds=min(5 * 2**due.tries, 3_600)), trouble)
    return True
