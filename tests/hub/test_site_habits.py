"""What a site's own calls teach: read from the store, kept, and used by the next match; too few or absurd, nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from hub import habits as learning
from hub import logs, matching
from hub.habits import EVERY, HabitsLoop, learn_site
from hub.store import judging, site_habits, tracking
from hub.store.db import Db
from hub.store.enquiries import Person
from hub.store.site_habits import Learned
from hub.store.tables import Call, Enquiry, Lease, Match, SiteHabits, Visit, Visitor, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.crowd import Crowd, minutes, write
from tests.hub.seed import NOW
from tracking_core import call as domain
from tracking_core.habits import SHEET_HABITS
from tracking_core.learn import FEWEST

STEP = 30  # minutes from one visitor of a number to its next
LATE = 20  # minutes after he has left, of every call
THEN = minutes(120 * STEP)


def past(tx: Tx, crowd: Crowd, vault: Vault, calls: int) -> None:
    """Write visitors from Moscow and Kazan in turn, each with the number for himself, and each one's call."""
    of, e164 = {"tenant_id": crowd.tenant_id}, crowd_number(crowd)
    source = dict.fromkeys(("source", "medium", "campaign", "content", "term", "referrer_host", "landing"), "")
    rows: dict[Any, list[dict[str, Any]]] = {Visitor: [], Visit: [], Lease: [], Enquiry: [], Call: []}
    for n in range(calls):
        came, me, key = minutes(n * STEP), {"id": n + 1, **of}, f"{crowd.account}:{n}"
        place, area = ("RU-MOW", "495") if n % 2 else ("RU-TA", "843")
        phone, at = f"+7{area}{n:07d}", came + timedelta(minutes=4 + LATE)
        his = {"visitor_id": n + 1, "started_at": came}
        shown = {"last_seen_at": came + timedelta(minutes=4), "number_id": e164[0], "region": place, **source}
        judged = {
            "first_time": True,
            "qualified": True,
            "qualified_why": "",
            "phone_key": vault.fingerprint(phone, crowd.tenant_id),
        }
        told = {"direction": "inbound", "status": "answered", "talk_s": 60, "wait_s": 5, "durations_differ": False}
        sealed = vault.seal(phone, crowd.tenant_id, "call", key, "phone")
        rows[Visitor].append({**me, "site_id": crowd.site_id, "token": f"t{n}", "first_seen_at": came})
        rows[Visit].append({**me, **his, **shown, "site_id": crowd.site_id, "channel": "direct", "click_ids": "[]"})
        rows[Lease].append({**me, **his, "number_id": e164[0], "ended_at": minutes((n + 1) * STEP)})
        rows[Enquiry].append({**me, "kind": "call", "key": key, "at": at, "phone": sealed, **judged})
        rows[Call].append(
            {
                **of,
                **told,
                "enquiry_id": n + 1,
                "dialled": e164[1],
                "account_id": crowd.account,
                "provider_call_id": str(n),
            }
        )
    for model, made in rows.items():
        tx.execute(insert(table_of(model)), made)


def crowd_number(crowd: Crowd) -> tuple[int, str]:
    e164 = crowd.numbers()[0]
    number = crowd.db.read_now(tracking.find_number, crowd.tenant_id, e164)
    assert number is not None
    return number.number_id, e164


@pytest.fixture
def taught(store: Db, vault: Vault) -> Callable[[int], Crowd]:
    """Makes a site with one number and so many late callers."""

    def make(calls: int) -> Crowd:
        crowd = Crowd(store, numbers=1)
        store.write_now(past, crowd, vault, calls)
        return crowd

    return make


async def learned(crowd: Crowd, vault: Vault, now: datetime = THEN) -> Learned:
    """Learn the site's habits; return what was kept."""
    await learn_site(crowd.db, crowd.tenant_id, crowd.site_id, now, vault)
    return await kept(crowd)


async def kept(crowd: Crowd) -> Learned:
    found = await crowd.db.read(site_habits.learned_of, crowd.tenant_id, crowd.site_id)
    assert found is not None
    return found


async def test_delays_and_regions_are_learned_and_from_how_many(taught: Callable[[int], Crowd], vault: Vault) -> None:
    found = await learned(taught(60), vault)
    assert (found.learned_at, found.from_calls, found.is_own) == (THEN, 60, True)
    assert found.habits.delays.survival(10) > 0.5 > SHEET_HABITS.delays.survival(10)
    assert (dict(found.habits.regions), found.habits.region_known > 0.8) == ({"RU-MOW": 0.5, "RU-TA": 0.5}, True)


async def test_the_next_call_is_matched_by_what_was_learned(taught: Callable[[int], Crowd], vault: Vault) -> None:
    crowd = taught(60)
    before = await match(crowd)
    own = (await learned(crowd, vault)).habits
    number = await crowd.db.read(tracking.find_number, crowd.tenant_id, crowd.numbers()[0])
    assert number is not None and number.habits == own
    assert await match(crowd) > before


async def match(crowd: Crowd) -> float:
    """How sure a late call of nobody we know is the last visitor's."""
    at, did = minutes(60 * STEP - 1), crowd.numbers()[0]
    call = domain.Call(
        provider_call_id="1", direction=domain.Direction.INBOUND, did=did, caller=None, caller_anonymous=True,
        started_at=at, answered_at=None, ended_at=None, settles_at=None, talk_s=0, wait_s=0,
        status=domain.CallStatus.ANSWERED, operator=None, first_operator=None, rung=(), rung_since=None, recording_url=None, recording_id=None,
        visit_id=None, durations_differ=False,
    )  # fmt: skip
    number = await crowd.db.read(tracking.find_number, crowd.tenant_id, did)
    found = await crowd.db.read(matching.find, crowd.tenant_id, call, number, Person(None, None, None, None))
    return found.candidates[0].probability


async def test_too_few_calls_teach_nothing(taught: Callable[[int], Crowd], vault: Vault) -> None:
    found = await learned(taught(FEWEST - 1), vault)
    assert (found.from_calls, found.habits) == (FEWEST - 1, SHEET_HABITS)


async def test_calls_of_staff_teach_nothing(taught: Callable[[int], Crowd], vault: Vault) -> None:
    crowd = taught(FEWEST)
    rules = {"staff": ["+78430000000"], "spam": [], "goals": []}
    await crowd.db.write(judging.save, crowd.tenant_id, rules, vault)
    assert (await learned(crowd, vault)).from_calls == FEWEST - 1


@pytest.mark.parametrize(("visit", "counted"), [(None, FEWEST - 1), (1, FEWEST)])
async def test_a_call_that_a_person_says_is_nobodys_teaches_nothing(
    taught: Callable[[int], Crowd], vault: Vault, visit: int | None, counted: int
) -> None:
    crowd = taught(FEWEST)
    said = {"visit_id": visit, "confidence": 1.0, "reason": "corrected", "words": "", "candidates": [], "made_at": NOW}
    crowd.db.write_now(write, Match, tenant_id=crowd.tenant_id, enquiry_id=1, **said)
    assert (await learned(crowd, vault)).from_calls == counted


async def test_calls_of_long_ago_teach_nothing(taught: Callable[[int], Crowd], vault: Vault) -> None:
    assert (await learned(taught(60), vault, THEN + timedelta(days=95))).from_calls == 0


async def test_absurd_habits_are_refused_and_those_before_stay(
    taught: Callable[[int], Crowd], vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = taught(60)
    before = await learned(crowd, vault)
    monkeypatch.setattr(learning, "learn", lambda *_: replace(SHEET_HABITS, background=float("nan")))
    after = await learned(crowd, vault, THEN + EVERY)
    assert (after.habits, after.from_calls, after.learned_at) == (before.habits, 60, THEN + EVERY)


class Once:
    """A clock whose day is over as soon as somebody waits for the next one."""

    def now(self) -> datetime:
        return THEN

    async def wait_until(self, moment: datetime, at_most_s: float) -> None:
        raise asyncio.CancelledError


async def test_the_loop_learns_each_site_that_is_due(taught: Callable[[int], Crowd], vault: Vault) -> None:
    first = taught(3)
    sites = [first, Crowd(first.db)]
    with pytest.raises(asyncio.CancelledError):
        await HabitsLoop(first.db, Once(), vault).run()
    assert [(await kept(one)).from_calls for one in sites] == [3, 0]


async def test_the_trouble_of_one_site_does_not_stop_the_loop(
    store: Db, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = [Crowd(store), Crowd(store)]
    logs.configure("info")
    monkeypatch.setattr(learning, "_past", lambda *_: 1 / 0)
    with pytest.raises(asyncio.CancelledError):
        await HabitsLoop(store, Once(), vault).run()
    assert [(await kept(one)).learned_at for one in sites] == [THEN, THEN]


def test_a_site_is_due_again_after_a_day(store: Db) -> None:
    crowd = Crowd(store)
    store.write_now(site_habits.put_off, crowd.tenant_id, crowd.site_id, NOW)
    due = [store.read_now(site_habits.due, NOW + later - EVERY) for later in (EVERY - timedelta(seconds=1), EVERY)]
    assert due == [None, (crowd.tenant_id, crowd.site_id)]


def test_learning_again_writes_over_what_was_learned(store: Db) -> None:
    crowd = Crowd(store)
    own = replace(SHEET_HABITS, tap_share=0.4)
    for calls in (60, 70):
        store.write_now(site_habits.save, crowd.tenant_id, crowd.site_id, Learned(NOW, calls, own))
    rows = store.read_now(lambda tx: tx.execute(table_of(SiteHabits).select()).all())
    assert [(row.from_calls, row.habits is not None) for row in rows] == [(70, True)]
