"""Tokens: refreshed once, saved before they are used, and judged revoked only when the vendor itself says so."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.http import Http
from connectors.protocol import App, Grant, GrantRevoked, InstallationError, Why
from connectors.registry import CONNECTORS
from hub import credentials
from hub.store import crm
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.vault import Vault
from tests.hub.double import APP, Acme, StoppedClock
from tests.hub.seed import NOW, Lane, grant
from tests.hub.world import World


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
    return lane.db.read_now(crm.load_grant, installed(lane), lane.vault)


async def live(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> Grant:
    return await credentials.live_grant(lane.db, clock, lane.vault, acme.connector(), APP, installed(lane), http)


async def fresh(_old: Grant) -> Grant:
    return grant(access="access-2", refresh="refresh-2", expires_at=NOW + timedelta(days=3))


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
    async def down(_old: Grant) -> Grant:
        raise InstallationError(Why.UNAVAILABLE, "Down.")

    acme.refreshed = down
    clock.forward(days=2)
    with pytest.raises(InstallationError):
        await live(lane, acme, clock, http)
    assert kept(lane).refresh_token == "refresh-1"


async def test_a_refused_refresh_token_is_revoked(lane: Lane, acme: Acme, clock: StoppedClock, http: Http) -> None:
    async def refused(_old: Grant) -> Grant:
        raise GrantRevoked("Connect it again.")

    acme.refreshed = refused
    clock.forward(days=2)
    with pytest.raises(GrantRevoked):
        await live(lane, acme, clock, http)


async def test_one_refused_because_somebody_else_refreshed_meanwhile_is_not_revoked(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    async def late(old: Grant) -> Grant:
        await lane.db.write(crm.save_grant, lane.tenant_id, lane.installation_id, await fresh(old), lane.vault)
        raise GrantRevoked("Connect it again.")

    acme.refreshed = late
    clock.forward(days=2)
    assert (await live(lane, acme, clock, http)).access_token == "access-2"


async def test_a_token_without_a_refresh_token_is_used_to_its_end(
    lane: Lane, acme: Acme, clock: StoppedClock, http: Http
) -> None:
    lane.db.write_now(crm.save_grant, lane.tenant_id, lane.installation_id, grant(refresh=None), lane.vault)
    clock.forward(days=2)
    assert (await live(lane, acme, clock, http)).access_token == "access-1"


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
    assert "connect the account again" in status["installations"][0]["reason"]
    answer = await connected.connect()
    assert answer.status_code == 303
    status = await connected.until(lambda status: status["installations"][0]["status"] == "active")
    assert status["installations"][0]["reason"] == ""


def _grant_of(tx: Any, tenant_id: int, vault: Vault) -> Grant:
    (of,) = crm.installations(tx, tenant_id)
    return crm.load_grant(tx, of, vault)


def test_the_app_never_shows_its_secret() -> None:
    assert "secret" not in repr(App("id", "canary-secret", "http://hub.test")).replace("client_secret", "")
    assert "access-1" not in repr(grant())
