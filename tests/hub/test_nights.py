"""Each tenant is reconciled once a night by one process, and the next night goes back to what was unfinished."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from connectors.protocol import Delivery, Grant, InstallationError, Outcome, Why
from connectors.telling import Said
from hub.reconcile import Nights, night, reconcile, since_of
from hub.reconcile_crm import Asker
from hub.store import reconciliations
from hub.store.db import Db
from hub.store.vault import Vault
from tests.hub.office import Office
from tests.hub.seed import NOW, grant
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FOUR = NOW.replace(hour=4) + DAY


@pytest.fixture
def office(store: Db, vault: Vault) -> Office:
    return Office(store, vault)


def nights(office: Office, asker: Callable[[int], Asker] | None = None) -> Nights:
    return Nights(office.db, office.clock, office.vault, asker or partial(Asker, office.worker))


def last(office: Office) -> Mapping[str, Any] | None:
    told = office.db.read_now(reconciliations.last, office.tenant_id)
    return json.loads(told) if told else None


@pytest.mark.parametrize(
    ("now", "of"), [(FOUR, FOUR), (FOUR - timedelta(seconds=1), FOUR - DAY), (FOUR + 23 * HOUR, FOUR)]
)
def test_a_night_begins_at_four(now: datetime, of: datetime) -> None:
    assert night(now) == of


async def test_a_night_is_kept(office: Office) -> None:
    await office.one_call()
    office.clock.at = FOUR
    await nights(office)._turn()
    told = last(office)
    assert told is not None
    assert (told["until"], told["received"]["calls"]) == (FOUR.isoformat(), 1)
    assert (told["accounts"][0]["present"], told["gap_counts"]) == (1, {})


async def test_a_tenant_of_today_is_not_due_before_the_next_night(office: Office) -> None:
    office.clock.at = FOUR - HOUR
    assert office.db.write_now(reconciliations.take, night(office.clock.at), office.clock.at) is None


async def test_a_night_has_one_turn_for_each_tenant(office: Office, store: Db, vault: Vault) -> None:
    other = Office(store, vault, "32")
    taken = [store.write_now(reconciliations.take, FOUR, FOUR) for _ in range(3)]
    assert taken == [office.tenant_id, other.tenant_id, None]


async def test_who_died_at_it_is_followed_after_an_hour(office: Office) -> None:
    assert office.db.write_now(reconciliations.take, FOUR, FOUR) == office.tenant_id
    assert office.db.write_now(reconciliations.take, FOUR, FOUR + HOUR / 2) is None
    assert office.db.write_now(reconciliations.take, FOUR, FOUR + HOUR) == office.tenant_id
    office.db.write_now(reconciliations.save, office.tenant_id, FOUR, "{}")
    assert office.db.write_now(reconciliations.take, FOUR, FOUR + 3 * HOUR) is None


async def test_a_tenants_trouble_leaves_the_night_to_be_done_again(office: Office) -> None:
    office.clock.at = FOUR
    broken: Any = {}.__getitem__  # raises for every tenant
    await nights(office, broken)._turn()
    assert last(office) is None
    office.clock.at = FOUR + HOUR
    await nights(office)._turn()
    assert last(office) is not None


async def test_nights_of_a_month_ago_are_forgotten(office: Office) -> None:
    for number in range(33):
        until = FOUR + number * DAY
        office.db.write_now(reconciliations.take, until, until)
        office.db.write_now(reconciliations.save, office.tenant_id, until, "{}")
    taken_again = office.db.write_now(reconciliations.take, FOUR, FOUR + 40 * DAY)
    kept = office.db.write_now(reconciliations.take, FOUR + 2 * DAY, FOUR + 40 * DAY)
    assert (taken_again, kept) == (office.tenant_id, None)


# -- where a night begins


def told(until: datetime, unfinished_since: datetime | None = None) -> str:
    since = unfinished_since.isoformat() if unfinished_since else None
    return json.dumps({"until": until.isoformat(), "unfinished_since": since})


@pytest.mark.parametrize(
    ("before", "begins"),
    [
        (None, FOUR - DAY),
        (told(FOUR - DAY), FOUR - DAY),
        (told(FOUR - 3 * DAY), FOUR - 3 * DAY),
        (told(FOUR - DAY, FOUR - 2 * DAY), FOUR - 2 * DAY - HOUR),
        (told(FOUR - DAY, FOUR - 90 * DAY), FOUR - 31 * DAY),
    ],
)
def test_a_night_begins_where_the_last_one_ended_or_had_not_finished(before: str | None, begins: datetime) -> None:
    assert since_of(before, FOUR) == begins


async def test_what_is_delivered_after_its_night_is_looked_for_the_next_night(office: Office) -> None:
    async def away(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise InstallationError(Why.UNAVAILABLE, Said("The CRM is away."))

    async def renewed(_old: Grant) -> Grant:
        return grant(expires_at=NOW + 9 * DAY)

    office.acme.refreshed = renewed
    back, office.acme.answer = office.acme.answer, away
    office.clock.at = FOUR - HOUR / 2
    await office.one_call()
    office.clock.at = FOUR
    await nights(office)._turn()
    office.acme.answer = back
    office.clock.forward(hours=5)
    await office.deliver()
    office.acme.gone = {office.deal()}
    office.clock.at = FOUR + DAY
    await nights(office)._turn()
    found = last(office)
    assert found is not None
    assert [one["gap"] for one in found["gaps"]] == ["gone"]


# -- over real HTTP


async def test_a_real_crm_is_asked_beside_the_worker(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    hub, now = connected.hub, connected.clock.now()
    before = await requests(connected)
    asking = asyncio.ensure_future(reconcile(hub.db, 1, now - DAY, now, hub.vault, Asker(hub.worker, 1)))
    while not (await asyncio.wait({asking}, timeout=0.02))[0]:
        connected.clock.forward(0.2)
    made = asking.result()
    assert (made["gaps"], made["accounts"][0]["delivered"], made["accounts"][0]["present"]) == ([], 1, 1)
    assert {"/api/v4/leads", "/api/v4/contacts"} <= {
        path.rpartition("/")[0] for path in await requests(connected, before)
    }


async def test_a_running_hub_reconciles_by_itself_at_four(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    assert await connected.api("reconciliation") == {"reconciliation": None}
    connected.clock.forward((night(connected.clock.now()) + DAY - connected.clock.now()).total_seconds())
    made = await kept(connected)
    assert (made["gaps"], made["received"]["calls"], made["accounts"][0]["present"]) == ([], 1, 1)


async def kept(world: World) -> Mapping[str, Any]:
    """Let time go on until a night is kept."""
    made = await world.comes_to(lambda: world.api("reconciliation"), lambda told: told["reconciliation"], 0.2)
    return made["reconciliation"]


async def requests(world: World, after: Any = None) -> Any:
    """Return the number of the CRM's last request, or the paths of those after one."""
    rows = (await world.crm_web.get("/_sandbox/ledger", params={"since": after or 0})).json()["rows"]
    return rows[-1]["number"] if after is None else [row["path"] for row in rows]
