"""Whatever is asked of an account stands in its log, for some days, and nobody waits for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from connectors.round_trips import RoundTrip
from hub.app import running
from hub.errors import DatabaseAway
from hub.round_trips import _MOST_WAITING, Notes, RoundTrips
from hub.settings import Settings
from hub.store import crm, round_trips, tables
from hub.store.crm import Installed
from hub.store.round_trips import Kept
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub import world as worlds
from tests.hub.console.conftest import row
from tests.hub.console.test_requests_page import trip
from tests.hub.double import StoppedClock
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_trying import tried
from tests.hub.world import World

WEEK = timedelta(days=7)
OF = Installed(1, 1, "acme", "a", "a.example", "active", "", {}, None, {}, None, None, False, None, "t")


async def log_of(world: World) -> list[Kept]:
    """Return what stands in the log of the one account, oldest first."""
    await world.hub.round_trips.write_waiting()
    (of,) = await world.hub.db.read(crm.installations, 1)
    return (await world.hub.db.read(round_trips.latest, (1, of.id), world.hub.vault, 9_999))[::-1]


async def called(world: World) -> None:
    """Let a visitor from an ad call the number he is shown."""
    shown = await world.visit(AD)
    await world.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await world.delivered(1)


def paths(log: list[Kept]) -> str:
    return " ".join(f"{one.method} {one.address}" for one in log)


# -- what is there


@pytest.mark.parametrize("crm_kind", ["amocrm", "bitrix24"])
async def test_connecting_and_a_call_stand_in_the_log_of_the_account(connected: World) -> None:
    await called(connected)
    log = await log_of(connected)
    assert "/oauth" in log[0].address
    assert [one.status for one in log if "okna-msk" in one.asked] and not log[-1].failed
    made = " ".join(one.asked for one in log)
    assert "okna-msk" in made and "+*********67" in made
    everything = f"{made} {paths(log)} {' '.join(one.answered for one in log)}"
    (of,) = await connected.hub.db.read(crm.installations, 1)
    assert connected.crm["client_secret"] not in everything
    assert "9161234567" not in everything and "123-45-67" not in everything
    assert of.hook_token not in everything


async def test_every_request_the_crm_had_stands_in_the_log(connected: World) -> None:
    await called(connected)
    log = await log_of(connected)
    rows = (await connected.crm_web.get("/_sandbox/ledger")).json()["rows"]
    theirs = [one["path"].partition("?")[0] for one in rows if one["path"].startswith(("/api/", "/oauth2/"))]
    assert len(theirs) > 5
    assert len(log) >= len(theirs)


async def test_what_a_person_asks_for_stands_there_too(connected: World) -> None:
    before = len(await log_of(connected))
    assert "Связь есть" in await tried(connected)
    assert len(await log_of(connected)) > before


async def test_what_failed_is_told_as_such(connected: World) -> None:
    await connected.crm_web.post("/_sandbox/dial", json={"rates": {"500": 1.0}})
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.until(lambda status: bool(status["installations"][0]["hold_why"]), step_s=0.2)
    assert any(one.failed and one.status == 500 for one in await log_of(connected))


async def test_the_log_writes_itself(connected: World) -> None:
    (of,) = await connected.hub.db.read(crm.installations, 1)
    latest = (round_trips.latest, (1, of.id), connected.hub.vault, 1)
    assert await connected.comes_to(lambda: connected.hub.db.read(*latest))


async def test_what_was_heard_last_is_written_when_the_hub_stops(still: World, account: Installed) -> None:
    async with running(still.hub):
        still.hub.round_trips.listener(account)(trip(7))
    assert [one.address for one in await log_of(still)] == [trip(7).address]


@pytest.fixture
def account(still: World) -> Installed:
    """An account of the customer."""
    still.hub.db.write_now(connected_account)
    (of,) = still.hub.db.read_now(crm.installations, 1)
    return of


def connected_account(tx: Tx) -> int:
    told = {
        "connector": "acme",
        "account": "a",
        "host": "a.example",
        "status": "active",
        "facts": {},
        "hook_token": "h",
    }
    return int(row(tx, tables.Installation, tenant_id=1, connected_at=worlds.OPENING, **told))


# -- of accounts that say later who they are


async def test_what_connecting_asked_is_kept_once_it_is_known_whose_it_is(still: World, account: Installed) -> None:
    log = still.hub.round_trips
    notes = Notes(still.hub.clock)
    notes.hear(trip(1))
    log.keep("acme", account.account, notes)
    assert [one.address for one in await log_of(still)] == [trip(1).address]


async def test_of_an_account_that_is_nobodys_nothing_is_kept(still: World, account: Installed) -> None:
    log = still.hub.round_trips
    notes = Notes(still.hub.clock)
    notes.hear(trip(1))
    log.keep("acme", "somebody-else", notes)
    assert await log_of(still) == []


async def test_forgetting_takes_what_waits_along(still: World, account: Installed) -> None:
    log = still.hub.round_trips
    log.listener(account)(trip(1))
    await log.write_waiting()
    log.listener(account)(trip(2))
    assert await log.forget(account.tenant_id, account.id) == 1
    assert await log_of(still) == []


async def test_texts_of_any_kind_are_kept(still: World, account: Installed) -> None:
    odd = replace(
        trip(1), address="https://a.example/\0\ud83d", detail="\0x\udfff", asked="\0\ud83d", answered="\u2028"
    )
    still.hub.round_trips.listener(account)(odd)
    (kept,) = await log_of(still)
    assert (kept.address, kept.detail, kept.asked, kept.answered) == ("https://a.example/?", "x?", "\0\ud83d", "\u2028")


# -- trouble of the log is its own


class Broken:
    """A database whose writes fail in turn as they are told to; what it took is kept."""

    def __init__(self, *errors: Exception | None) -> None:
        self._errors, self.taken = list(errors), []  # type: ignore[var-annotated]

    async def write(self, _work: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error
        self.taken += [row["address"] for row in rows]


def log_on(db: Any) -> RoundTrips:
    return RoundTrips(db, StoppedClock(), Vault({"k1": b"1" * 32}), WEEK)


def numbered(numbers: range) -> list[RoundTrip]:
    return [trip(number) for number in numbers]


def heard(log: RoundTrips, trips: list[RoundTrip]) -> list[str]:
    """Let a log hear some round trips; return their addresses."""
    hear = log.listener(OF)
    for one in trips:
        hear(one)
    return [one.address for one in trips]


async def test_what_a_database_that_is_away_cannot_take_waits_on() -> None:
    db = Broken(None, DatabaseAway("away"))
    log = log_on(db)
    addresses = heard(log, numbered(range(250)))
    with pytest.raises(DatabaseAway):
        await log.write_waiting()
    assert db.taken == addresses[:100]
    await log.write_waiting()
    assert db.taken == addresses


async def test_what_no_database_takes_is_dropped_and_hinders_nothing_else() -> None:
    db = Broken(ValueError("canary"))
    log = log_on(db)
    addresses = heard(log, numbered(range(150)))
    with capture_logs() as events:
        await log.write_waiting()
    assert db.taken == addresses[100:]
    assert [(one["event"], one["rows"]) for one in events] == [("round_trips.not_written", 100)]


async def test_what_waits_is_bounded_and_the_latest_stay() -> None:
    db = Broken()
    log = log_on(db)
    addresses = heard(log, numbered(range(_MOST_WAITING + 10)))
    await log.write_waiting()
    assert db.taken == addresses[10:]


def test_the_log_is_kept_for_three_days_at_least() -> None:
    assert Settings().request_log_days == 7
    with pytest.raises(ValidationError):
        Settings(request_log_days=2)
