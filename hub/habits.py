"""Once a day and site: how its visitors call, learned from its own calls of the last 90 days (tracking_core.learn)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from hub import matching
from hub.clock import Clock
from hub.errors import DatabaseAway
from hub.loops import for_ever
from hub.setup_rules import read_rules
from hub.store import judging, past_calls, site_habits
from hub.store.db import Db
from hub.store.past_calls import PastCall
from hub.store.site_habits import Learned
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.habits import SHEET_HABITS
from tracking_core.learn import FEWEST, HeardCall, is_sound, learn
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan

log = structlog.get_logger()

EVERY = timedelta(days=1)
PAST = timedelta(days=90)
MOST = 2_000  # calls, the latest: more teach nothing new
_AT_ONCE = 50  # calls read with their holders in one unit, so that other readers get their turn
_GLANCE_S = 600.0  # how long a site that another process set up may wait
_one_at_a_time = ThreadPoolExecutor(1, "habits")  # learning shares the processor with every request in flight


class HabitsLoop:
    """Learns the habits of one site after the other as they come due, until it is stopped.

    Several processes may do so at the same time: each comes to the same habits and writes them over.
    """

    def __init__(self, db: Db, clock: Clock, vault: Vault, numbering: NumberingPlan = NO_PLAN) -> None:
        self._db, self._clock, self._vault, self._numbering = db, clock, vault, numbering

    async def run(self) -> None:
        """Learn until cancelled."""
        await for_ever("habits", self._turn, self._clock)

    async def _turn(self) -> None:
        now = self._clock.now()
        site = await self._db.read(site_habits.due, now - EVERY)
        if site is None:
            await self._clock.wait_until(now + EVERY, _GLANCE_S)
            return
        try:
            await learn_site(self._db, *site, now, self._vault, self._numbering)
        except DatabaseAway:
            raise
        except Exception as error:  # one site's trouble must not stop the others
            log.exception("habits.trouble", error=type(error).__name__)
            await self._db.write(site_habits.put_off, *site, now)


async def learn_site(
    db: Db, tenant_id: int, site_id: int, now: datetime, vault: Vault, numbering: NumberingPlan = NO_PLAN
) -> None:
    """Learn a site's habits and keep them; absurd ones are refused, and those before stay."""
    since = now - PAST
    calls = await db.read(_past, tenant_id, site_id, since, vault)
    heard: list[HeardCall] = []
    for place in range(0, len(calls), _AT_ONCE):
        heard += await db.read(_heard, tenant_id, calls[place : place + _AT_ONCE], numbering)
    counted = sum(bool(call.spans) for call in heard)
    if counted < FEWEST:
        await db.write(site_habits.save, tenant_id, site_id, Learned(now, counted, SHEET_HABITS))
        return
    shown_since = calls[-1].at if len(calls) == MOST else since
    exposure = await db.read(past_calls.exposure, tenant_id, site_id, shown_since)
    habits = await asyncio.get_running_loop().run_in_executor(_one_at_a_time, learn, heard, exposure)
    if not is_sound(habits):
        log.warning("habits.refused", site_id=site_id, calls=counted)
        await db.write(site_habits.put_off, tenant_id, site_id, now)
        return
    await db.write(site_habits.save, tenant_id, site_id, Learned(now, counted, habits))
    log.info("habits.learned", site_id=site_id, calls=counted)


def _past(tx: Tx, tenant_id: int, site_id: int, since: datetime, vault: Vault) -> list[PastCall]:
    """Read the calls but those of staff and spam."""
    rules = read_rules(judging.rules_of(tx, tenant_id, vault))[0]
    never = {vault.fingerprint(phone, tenant_id) for phone in (*rules.staff, *rules.spam)}
    return past_calls.past_calls(tx, tenant_id, site_id, since, MOST, never, vault)


def _heard(tx: Tx, tenant_id: int, calls: Sequence[PastCall], numbering: NumberingPlan) -> list[HeardCall]:
    return [matching.heard(tx, tenant_id, call, numbering) for call in calls]
