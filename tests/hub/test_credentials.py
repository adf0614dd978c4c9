"""Tokens: refreshed once, saved before they are used, and judged revoked only when the vendor itself says so."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.http import Http
from connectors.protocol import AnswerLost, App, Grant, GrantRevoked, InstallationError, Why
from connectors.registry import CONNECTORS
from connectors.telling import Said
from hub import credentials
from hub.store import crm, grants
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.said import pack
from hub.store.vault import Vault
from tests.hub.double import APP, Acme, StoppedClock
from tests.hub.seed import NOW, Lane, grant
from tests.hub.world import World
from tests.transactions import OpenTransactions


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def acme() -> Acme:
    return Acme()


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(allowed=("acme.example",)) as made:
        yield made


def installed(lane: Lane) -> Installed:
    return lane.db.read_now(crm.installation, lane.tenant_id, lane.installation_id)


def kept(lane: Lane) -> Grant:
    return lane.db.read_now(grants.load, installed(lane), lane.vault).grant


async def live(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> Grant:
    return await credentials.live_grant(lane.db, clock, lane.vault, acme.connector(), APP, installed(lane), http)


async def fresh(_old: Grant) -> Grant:
    return grant(access="access-2", refresh="refresh-2", expires_at=NOW + timedelta(days=3))


async def down(_old: Grant) -> Grant:
    raise InstallationError(Why.UNAVAILABLE, Said("Down."))


async def refused(_old: Grant) -> Grant:
    raise GrantRevoked(Said("Connect it again."))


class Slow:
    """Makes the vendor answer a refresh only when it is let."""

    def __init__(self, acme: Acme) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        acme.refreshed = self

    async def __call__(self, old: Grant) -> Grant:
        self.asked.set()
        await self.answers.wait()
        return await fresh(old)


def turn(lane: Lane, clock: StoppedClock) -> grants.Turn | None:
    """Return the turn to refresh the first pair, as it is given to who has read it."""
    until = clock.now() + timedelta(seconds=90)
    return lane.db.write_now(grants.begin, installed(lane), 1, clock.now(), until)


def begun(lane: Lane, clock: StoppedClock) -> None:
    """Somebody, who is not heard of again, takes the turn to refresh."""
    assert turn(lane, clock)


async def test_a_token_that_is_good_for_a_while_is_used_as_it_is(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    assert (await live(lane, acme, clock, http)).access_token == "access-1"
    assert acme.refreshes == []


async def test_one_that_ends_within_ten_minutes_is_refreshed_once(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = fresh
    clock.forward(hours=23, minutes=51)
    assert [(await live(lane, acme, clock, http)).access_token for _ in range(3)] == ["access-2"] * 3
    assert acme.refreshes == ["refresh-1"]


async def test_the_new_pair_is_saved_before_anybody_has_it(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = fresh
    clock.forward(days=2)
    given = await live(lane, acme, clock, http)
    assert (kept(lane).access_token, kept(lane).refresh_token) == (given.access_token, given.refresh_token)


async def test_a_pair_that_cannot_be_saved_is_not_used(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: Any) -> None:
        raise OSError("the disk is full")

    acme.refreshed = fresh
    clock.forward(days=2)
    monkeypatch.setattr(crm, "save_grant", fails)
    with pytest.raises(OSError, match="disk is full"):
        await live(lane, acme, clock, http)


async def test_a_vendor_that_cannot_answer_is_no_reason_to_connect_again(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = down
    clock.forward(days=2)
    with pytest.raises(InstallationError):
        await live(lane, acme, clock, http)
    assert kept(lane).refresh_token == "refresh-1"


async def test_a_refused_refresh_token_is_revoked(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> None:
    acme.refreshed = refused
    clock.forward(days=2)
    with pytest.raises(GrantRevoked):
        await live(lane, acme, clock, http)


async def test_one_refused_because_somebody_else_refreshed_meanwhile_is_not_revoked(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    async def late(old: Grant) -> Grant:
        await lane.db.write(crm.save_grant, lane.tenant_id, lane.installation_id, await fresh(old), lane.vault)
        raise GrantRevoked(Said("Connect it again."))

    acme.refreshed = late
    clock.forward(days=2)
    assert (await live(lane, acme, clock, http)).access_token == "access-2"


async def test_a_token_without_a_refresh_token_is_used_to_its_end_and_then_a_person_is_asked(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    lane.db.write_now(crm.save_grant, lane.tenant_id, lane.installation_id, grant(refresh=None), lane.vault)
    clock.forward(hours=23, minutes=59)
    assert (await live(lane, acme, clock, http)).access_token == "access-1"
    clock.forward(minutes=1)
    with pytest.raises(GrantRevoked, match="access_ended"):
        await live(lane, acme, clock, http)
    assert installed(lane).status == "reauthorise"


# -- one refresh for everybody


async def test_many_who_ask_at_once_cause_one_refresh(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> None:
    slow = Slow(acme)
    clock.forward(days=2)
    clock.stands = True  # or those who wait would bring the moment at which the one who asks counts as dead
    asking = [asyncio.ensure_future(live(lane, acme, clock, http)) for _ in range(20)]
    await slow.asked.wait()
    slow.answers.set()
    assert {one.access_token for one in await asyncio.gather(*asking)} == {"access-2"}
    assert acme.refreshes == ["refresh-1"]


async def test_while_one_refreshes_others_use_what_is_still_good(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    clock.forward(hours=23, minutes=55)
    begun(lane, clock)
    assert (await live(lane, acme, clock, http)).access_token == "access-1"
    assert acme.refreshes == []


async def test_no_transaction_is_open_while_the_vendor_answers(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    opened = OpenTransactions(lane.db)

    async def looking(old: Grant) -> Grant:
        during.append(opened.now)
        return await fresh(old)

    during: list[int] = []
    acme.refreshed = looking
    clock.forward(days=2)
    await live(lane, acme, clock, http)
    assert during == [0]
    assert opened.ever > 2


async def test_a_vendor_that_cannot_answer_is_left_alone_for_a_moment_by_everybody(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = down
    clock.forward(days=2)
    for _ in range(3):
        with pytest.raises(InstallationError):
            await live(lane, acme, clock, http)
    assert len(acme.refreshes) == 1
    clock.forward(seconds=10)
    acme.refreshed = fresh
    assert (await live(lane, acme, clock, http)).access_token == "access-2"


async def test_a_token_that_is_still_good_is_used_while_the_vendor_cannot_renew_it(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = down
    clock.forward(hours=23, minutes=55)
    assert [(await live(lane, acme, clock, http)).access_token for _ in range(3)] == ["access-1"] * 3
    assert len(acme.refreshes) == 1


async def test_once_refused_nobody_asks_the_vendor_again(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = refused
    clock.forward(days=2)
    for _ in range(3):
        with pytest.raises(GrantRevoked, match="Connect it again"):
            await live(lane, acme, clock, http)
    assert len(acme.refreshes) == 1
    assert (installed(lane).status, installed(lane).reason) == ("reauthorise", pack(Said("Connect it again.")))


def test_who_looked_before_a_refusal_gets_no_turn_after_it(lane: Lane, clock: StoppedClock) -> None:
    lane.db.write_now(grants.refused, installed(lane), 1, "Connect it again.", clock.now())
    assert turn(lane, clock) is None


def test_who_looked_before_a_failure_gets_no_turn_until_the_rest_is_over(lane: Lane, clock: StoppedClock) -> None:
    begun = turn(lane, clock)
    lane.db.write_now(grants.failed, installed(lane), begun, clock.now() + timedelta(seconds=10), perhaps=False)
    assert turn(lane, clock) is None
    clock.forward(seconds=10)
    assert turn(lane, clock) is not None


async def test_a_refusal_after_a_lost_answer_says_so(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> None:
    async def lost(_old: Grant) -> Grant:
        raise AnswerLost(Why.UNAVAILABLE, "No answer.")

    acme.refreshed = lost
    clock.forward(days=2)
    with pytest.raises(AnswerLost):
        await live(lane, acme, clock, http)
    clock.forward(seconds=10)
    acme.refreshed = refused
    with pytest.raises(GrantRevoked, match="renewal_lost"):
        await live(lane, acme, clock, http)
    assert installed(lane).reason == pack(Said("hub.renewal_lost"))


async def test_the_turn_of_one_who_died_is_taken_when_its_lease_ends_and_is_in_doubt(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = refused
    clock.forward(days=2)
    begun(lane, clock)
    with pytest.raises(GrantRevoked, match="renewal_lost"):
        await live(lane, acme, clock, http)
    assert clock.at - NOW >= timedelta(days=2, seconds=90)


async def test_a_new_process_on_sqlite_waits_for_no_lease(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    acme.refreshed = fresh
    clock.forward(days=2)
    begun(lane, clock)
    lane.db.write_now(grants.abandon, clock.now())
    assert (await live(lane, acme, clock, http)).access_token == "access-2"
    assert clock.at == NOW + timedelta(days=2)


async def test_a_late_answer_is_saved_and_takes_the_verdict_back(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    async def paused(old: Grant) -> Grant:
        clock.forward(minutes=5)  # another one takes the turn meanwhile, and the vendor refuses the spent token
        acme.refreshed = refused
        with pytest.raises(GrantRevoked):
            await live(lane, acme, clock, http)
        assert installed(lane).status == "reauthorise"
        return await fresh(old)

    acme.refreshed = paused
    clock.forward(days=2)
    assert (await live(lane, acme, clock, http)).access_token == "access-2"
    assert (installed(lane).status, kept(lane).access_token) == ("active", "access-2")


async def test_a_late_answer_does_not_replace_what_a_person_connected_meanwhile(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    async def late(old: Grant) -> Grant:
        anew = grant(access="access-9", refresh="refresh-9", expires_at=NOW + timedelta(days=5))
        await lane.db.write(crm.install, lane.tenant_id, "acme", anew, NOW, lane.vault)
        return await fresh(old)

    acme.refreshed = late
    clock.forward(days=2)
    assert (await live(lane, acme, clock, http)).access_token == "access-9"
    assert kept(lane).refresh_token == "refresh-9"


async def test_a_pair_is_saved_when_the_database_comes_back(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = crm.save_grant

    def away_for_a_while(*given: Any) -> None:
        if clock.now() < NOW + timedelta(days=2, seconds=20):
            raise OSError("the database is away")
        honest(*given)

    acme.refreshed = fresh
    clock.forward(days=2)
    monkeypatch.setattr(crm, "save_grant", away_for_a_while)
    assert (await live(lane, acme, clock, http)).access_token == "access-2"
    assert kept(lane).refresh_token == "refresh-2"


async def test_who_is_asked_to_stop_during_a_refresh_saves_its_answer_first(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    slow = Slow(acme)
    clock.forward(days=2)
    asking = asyncio.ensure_future(live(lane, acme, clock, http))
    await slow.asked.wait()
    asking.cancel()
    slow.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert kept(lane).access_token == "access-2"


async def test_a_refused_old_token_does_not_expire_a_newer_one(lane: Lane, clock: StoppedClock) -> None:
    for refused_token, expires_at in (("access-0", NOW + timedelta(days=1)), ("access-1", NOW)):
        await lane.db.write(grants.expire, installed(lane), refused_token, clock.now(), lane.vault)
        assert kept(lane).expires_at == expires_at


# -- against the CRM's sandbox


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_sandbox_is_asked_once_a_day_and_a_revoked_grant_asks_a_person(
    connected: World, tmp_path: Path
) -> None:
    hub = connected.hub
    tenant_id = 1
    before = await hub.db.read(_grant_of, tenant_id, hub.vault)
    connected.clock.forward(24 * 3_600)
    is_fresh = lambda _status: hub.db.read_now(_grant_of, tenant_id, hub.vault).access_token != before.access_token  # noqa: E731
    await connected.until(is_fresh)
    after = hub.db.read_now(_grant_of, tenant_id, hub.vault)
    app = hub.apps["amocrm"]
    async with Http(allowed=(), origins=(str(app.base_url),)) as http:
        with pytest.raises(GrantRevoked):  # the old pair was rotated away
            await CONNECTORS["amocrm"].refresh(http, app, before, hub.clock.now())
        spent = await CONNECTORS["amocrm"].refresh(http, app, after, hub.clock.now())  # a stranger takes ours
    assert spent.refresh_token != after.refresh_token
    connected.clock.forward(24 * 3_600)
    status = await connected.until(lambda status: status["installations"][0]["status"] == "reauthorise")
    assert "Connect the account again" in status["installations"][0]["reason"]
    answer = await connected.connect()
    assert answer.status_code == 303
    status = await connected.until(lambda status: status["installations"][0]["status"] == "active")
    assert status["installations"][0]["reason"] == ""


def _grant_of(tx: Any, tenant_id: int, vault: Vault) -> Grant:
    (of,) = crm.installations(tx, tenant_id)
    return grants.load(tx, of, vault).grant


def test_the_app_never_shows_its_secret() -> None:
    assert "secret" not in repr(App("id", "canary-secret", "http://hub.test")).replace("client_secret", "")
    assert "access-1" not in repr(grant())
