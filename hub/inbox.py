"""Raw facts -> calls, matches, plans and deliveries: transaction T3, one for each call that needs a look."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from connectors import scenario as scenarios
from connectors.scenario import Enquiry, Scenario, ScenarioError
from hub import matching
from hub.clock import Clock, rest
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.store import calls, crm, enquiries, goals, inbox, tracking
from hub.store.crm import Installed, SavedScenario
from hub.store.db import Db
from hub.store.enquiries import About
from hub.store.inbox import Due
from hub.store.tracking import NumberFacts
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core import qualify
from tracking_core.call import Call, Direction, fold
from tracking_core.match import Match
from tracking_core.source import Channel, Source

log = structlog.get_logger()

_GLANCE_S = 0.15  # how long what another process wrote may stay unseen
_UNTIL_MENDED = timedelta(minutes=5)
_RULES = qualify.Rules()


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at an enquiry came to."""

    enquiry_id: int
    deliveries: int


def look(tx: Tx, now: datetime, vault: Vault) -> Looked | None:
    """Handle the call that waits longest; None when none is due."""
    due = inbox.take_due(tx, now)
    if due is None:
        return None
    call = fold(calls.events_of(tx, due, vault), now)
    enquiry_id, enquiry = _save(tx, due, call, now, vault)
    try:
        planned = _plan(tx, due, enquiry, enquiry_id, now, vault) if enquiry else 0
    except ScenarioError as error:  # the call and its match are kept; the plan waits until the rules fit the account
        inbox.postpone(tx, due, now + _UNTIL_MENDED, str(error))
        return Looked(enquiry_id, 0)
    inbox.done(tx, due, None if call.is_ended else call.settles_at)
    return Looked(enquiry_id, planned)


def _save(tx: Tx, due: Due, call: Call, now: datetime, vault: Vault) -> tuple[int, Enquiry | None]:
    """Write the call, its match and its goal; return its id, and what the CRM is told of it once it has ended."""
    number = tracking.find_number(tx, due.tenant_id, call.did) if call.did else None
    phone_key = vault.fingerprint(call.caller, due.tenant_id) if call.caller else None
    first_time = phone_key is None or not enquiries.came_before(tx, due.tenant_id, phone_key, call.started_at)
    verdict = qualify.qualify(call, _RULES, called_before=not first_time)
    about = About(number.site_id if number else None, call.started_at, call.caller, first_time, verdict)
    enquiry_id = calls.save_call(tx, due, call, about, vault)
    found = matching.find(tx, due.tenant_id, call, number, phone_key)
    enquiries.save_match(tx, due.tenant_id, enquiry_id, found, now)
    if not call.is_ended or call.direction is not Direction.INBOUND:
        return enquiry_id, None
    if verdict.qualified:
        _goal(tx, due.tenant_id, enquiry_id, found, call)
    return enquiry_id, _enquiry(enquiry_id, call, _source(tx, due.tenant_id, found, number), found)


def _source(tx: Tx, tenant_id: int, found: Match, number: NumberFacts | None) -> Source | None:
    if found.visit_id is not None:
        return tracking.visit_source(tx, tenant_id, int(found.visit_id))
    if found.placement_id is not None and number is not None:
        return Source(
            channel=Channel.OFFLINE,
            source=number.placement_source,
            medium="offline",
            campaign=number.placement_campaign,
        )
    return None


def _goal(tx: Tx, tenant_id: int, enquiry_id: int, found: Match, call: Call) -> None:
    goals.save_goal(
        tx,
        {
            "tenant_id": tenant_id,
            "name": "call_qualified",
            "subject": f"call:{enquiry_id}",
            "enquiry_id": enquiry_id,
            "visit_id": int(found.visit_id) if found.visit_id else None,
            "value_minor": 0,
            "currency": "",
            "occurred_at": call.started_at,
        },
    )


def _enquiry(enquiry_id: int, call: Call, source: Source | None, found: Match) -> Enquiry:
    nobody = found.visit_id is None and found.placement_id is None
    return Enquiry(
        id=f"call:{enquiry_id}",
        caller=call.caller,
        dialled=call.did,
        started_at=call.started_at,
        talk_s=call.talk_s,
        wait_s=call.wait_s,
        answered=not call.is_missed,
        recording_url=call.recording_url,
        operator=call.operator,
        source=source.fields() if source else {},
        confidence=None if nobody else found.confidence,
        reason=found.reason_words,
    )


def _plan(tx: Tx, due: Due, enquiry: Enquiry, enquiry_id: int, now: datetime, vault: Vault) -> int:
    """Write the deliveries that each connected account's scenario asks for; return how many are new."""
    written = 0
    order_key = vault.fingerprint(enquiry.caller, due.tenant_id) if enquiry.caller else enquiry.id
    for installed in crm.installations(tx, due.tenant_id):
        saved = crm.live_scenario(tx, due.tenant_id, installed.connector)
        if installed.status == crm.REMOVED or saved is None:
            continue
        plan = scenarios.plan(_rules(saved, installed), saved.version, enquiry)
        if plan is not None:
            asked = Planned(installed.id, enquiry.id, enquiry_id, order_key, enquiry.started_at, plan)
            written += queue.enqueue(tx, due.tenant_id, asked, now, vault)
    return written


def _rules(saved: SavedScenario, installed: Installed) -> Scenario:
    """Return the rules with the names of this account resolved, read once per version."""
    return _read_rules(saved.text, saved.version, json.dumps(installed.facts, sort_keys=True))


@lru_cache(maxsize=64)
def _read_rules(text: str, version: int, facts: str) -> Scenario:
    return scenarios.read_scenario(text, f"scenario version {version}", crm.facts_of(json.loads(facts)))


class InboxLoop:
    """Looks at calls as they come due, one transaction each, until it is stopped."""

    def __init__(self, db: Db, clock: Clock, vault: Vault) -> None:
        self._db, self._clock, self._vault = db, clock, vault
        self._wake = asyncio.Event()
        self.on_planned: Sequence[asyncio.Event] = ()

    def wake(self) -> None:
        """Say that an event was written."""
        self._wake.set()

    async def run(self) -> None:
        """Serve the inbox until cancelled."""
        while True:
            self._wake.clear()
            while await self._look_once():
                pass
            await rest(self._clock, self._wake, await self._db.read(inbox.next_due), _GLANCE_S)

    async def _look_once(self) -> bool:
        now = self._clock.now()
        try:
            looked = await self._db.write(look, now, self._vault)
        except Exception as error:  # one call's trouble must not stop the others
            log.exception("inbox.trouble", error=type(error).__name__)
            return await self._db.write(_postpone, now, f"{type(error).__name__}: {error}")
        if looked is not None and looked.deliveries:
            for event in self.on_planned:
                event.set()
        return looked is not None


def _postpone(tx: Tx, now: datetime, trouble: str) -> bool:
    due = inbox.take_due(tx, now)
    if due is None:
        return False
    inbox.postpone(tx, due, now + timedelta(seconds=min(5 * 2**due.tries, 3_600)), trouble)
    return True
