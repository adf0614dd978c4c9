"""An account that left: what was read from it stays for a grace, is deleted after it, and is kept by who comes back."""

import html
import re
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select

from connectors.protocol import Grant
from hub import leaving
from hub.delivery import lanes
from hub.leaving import erase_some
from hub.store import crm as crm_store
from hub.store import erasures, health
from hub.store.crm import Installed
from hub.store.erasures import AT_ONCE, Erasing
from hub.store.market import Account
from hub.store.tables import Deal, Delivery, Goal, LedgerEntry, ScenarioVersion, metadata, table_of
from hub.store.tx import Tx
from tests.hub.test_frame import access, called, hooked, installed, linked, state, there
from tests.hub.test_frame import crm as crm
from tests.hub.test_frame import crm_kind as crm_kind
from tests.hub.world import World

DAY = timedelta(days=1)
READ = ("deal", "deal_stage", "deal_payment", "payment", "deal_contact", "contact_key", "card_of", "asked_goal")


@pytest.fixture
async def sold(world: World) -> World:
    """A customer whose portal sold what an ad brought, as the hub has read it back."""
    assert (await linked(world, await installed(world))).status_code == 303
    deal = await called(world)
    await there(world, "amount", id=int(deal), minor=12_500_000)
    await there(world, "move", kind="deal", id=int(deal), stage="WON")
    await world.until(lambda status: status["deals_won"] == 1, step_s=10)
    return world


def kept(tx: Tx) -> dict[str, int]:
    tables = [metadata.tables[name] for name in READ]
    return {table.name: tx.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def told_of(tx: Tx, *kinds: str) -> list[tuple[str, str]]:
    entry = table_of(LedgerEntry)
    rows = tx.execute(select(entry.c.kind, entry.c.facts).where(entry.c.kind.in_(kinds)).order_by(entry.c.id))
    return [(row.kind, row.facts) for row in rows]


async def account(world: World) -> health.Health:
    (one,) = await world.hub.db.read(health.installations, 1)
    return one


async def removed(world: World, *, clean: bool) -> None:
    """Let the portal's administrator remove the application, and its server tell us so."""
    assert (await told(world, await removal(world, clean=clean))).status_code == 200


async def removal(world: World, *, clean: bool) -> dict[str, str]:
    """Return what the portal's server tells of a removal; those before stay in its list."""
    await there(world, "uninstall", clean=clean)
    await world.crm_web.post("/_sandbox/events/pump")
    return (await removals(world))[-1]


async def removals(world: World) -> list[dict[str, str]]:
    return [one for one in await hooked(world) if one["event"] == "ONAPPUNINSTALL"]


async def told(world: World, form: dict[str, str], **changed: str) -> httpx.Response:
    return await world.web.post("/oauth/bitrix24/callback", data={**form, **changed})


async def days_go_by(world: World, days: int) -> None:
    """Let time go on, and the hub delete what is due: not while a worker looks whether the account is back."""
    now = world.clock.forward(days * DAY.total_seconds())

    async def after_deleting() -> health.Health:
        while await world.hub.db.write(erase_some, world.clock.now(), world.hub.vault):
            pass
        return await account(world)

    await world.comes_to(after_deleting, lambda one: one.erased_at or one.erase_at is None or one.erase_at > now, 0.1)


async def delete_pressed(world: World) -> None:
    """Press Delete on the page of connections and confirm it."""
    of = await account(world)
    csrf = await world.log_in()
    asked = world.web.post(
        f"/connections/{of.id}/erase", data={"csrf": csrf}, headers={"sec-fetch-site": "same-origin"}
    )
    assert (await asked).headers["location"] == "/connections"


async def deleted(world: World) -> health.Health:
    """Wait until the loop has deleted everything."""
    return await world.comes_to(lambda: account(world), lambda one: one.erased_at, 0.1)


async def page_of(world: World) -> str:
    await world.log_in()
    answer = await world.web.get("/connections")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def revenue(world: World) -> int:
    day = world.clock.now().date()
    begun = (day - timedelta(days=60)).isoformat()
    report = await world.api("report/roi", **{"from": begun, "to": day.isoformat()})
    return sum(row["revenue_minor"] for row in report["rows"])


# What is known beside an account, and why it stays when what was read from it goes.
KEPT = {
    "lane": "how it is asked, and why it rests",
    "grant": "emptied as the account left",
    "delivery": "that the customer's enquiries were sent; on which cards they are is emptied",
    "erasure": "says itself that all is gone",
    "ledger_entry": "a chain forgets no link",
}


def test_every_table_of_an_account_is_deleted_or_said_to_stay() -> None:
    of_account = {table.name for table in metadata.tables.values() if "installation_id" in table.c}
    deleted = {table.name for table in erasures.of_account}
    assert of_account - deleted == KEPT.keys()


# -- asked for by the account


async def test_a_removal_without_the_tick_deletes_nothing_ever(sold: World) -> None:
    before = await sold.hub.db.read(kept)
    await removed(sold, clean=False)
    await days_go_by(sold, 365)
    assert await sold.hub.db.read(kept) == before
    assert (await account(sold)).erase_at is None


async def test_a_removal_with_the_tick_is_told_with_its_day_and_what_to_do(sold: World) -> None:
    await removed(sold, clean=True)
    assert (await account(sold)).erase_at == sold.clock.now() + 30 * DAY
    said = await page_of(sold)
    assert "Удаляя приложение, аккаунт попросил удалить данные" in said
    assert "установите приложение ещё раз до этого дня" in said


async def test_the_access_ends_at_once_and_the_rest_has_its_grace(sold: World) -> None:
    before = await sold.hub.db.read(kept)
    await removed(sold, clean=True)
    assert (await access(sold))[1] == ""
    await days_go_by(sold, 29)
    assert await sold.hub.db.read(kept) == before


async def test_after_the_grace_nothing_that_was_read_is_left(sold: World) -> None:
    assert any((await sold.hub.db.read(kept)).values())
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    assert not any((await sold.hub.db.read(kept)).values())
    (of,) = await sold.hub.db.read(crm_store.installations, 1)
    assert (of.facts, of.facts_at, of.cursor) == ({}, None, None)


async def test_on_which_cards_deliveries_are_is_forgotten_that_they_were_sent_is_not(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    delivery = table_of(Delivery)
    rows = await sold.hub.db.read(lambda tx: tx.execute(select(delivery.c.refs, delivery.c.state)).all())
    assert [tuple(row) for row in rows] == [([], "delivered")]


async def test_calls_visits_and_the_scenario_stay(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    assert (await sold.api("status"))["calls"] == 1
    scenario = table_of(ScenarioVersion)
    assert await sold.hub.db.read(lambda tx: tx.execute(select(scenario.c.text)).scalar_one())


async def test_reports_go_on_without_the_revenue(sold: World) -> None:
    assert await revenue(sold) == 12_500_000
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    assert await revenue(sold) == 0
    assert "выручки по его сделкам в отчётах больше нет" in await page_of(sold)


async def test_every_page_is_shown_without_what_was_deleted(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    await sold.log_in()
    paths = ["/", "/enquiries", "/enquiries/1", "/deliveries?state=delivered", "/goals", "/connections", "/accuracy"]
    pages = {path: await sold.web.get(path) for path in paths}
    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(paths, 200)


async def test_a_goal_of_a_deal_goes_with_it(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    goal = table_of(Goal)
    subjects = await sold.hub.db.read(lambda tx: tx.execute(select(goal.c.subject)).scalars().all())
    assert [one for one in subjects if one.startswith("deal:")] == []
    values = await sold.hub.db.read(lambda tx: tx.execute(select(goal.c.value_minor)).scalars().all())
    assert set(values) <= {0}


async def test_the_ledger_tells_what_was_deleted_how_much_and_why(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    entries = await sold.hub.db.read(told_of, "erasure_asked", "erased")
    assert [kind for kind, _ in entries] == ["erasure_asked", "erased"]
    assert '"why":"there"' in entries[1][1]
    assert '"deals":1' in entries[1][1]


# -- installed again


async def test_installed_again_within_the_grace_it_goes_on_as_before(sold: World) -> None:
    before = await sold.hub.db.read(kept)
    await removed(sold, clean=True)
    await days_go_by(sold, 20)
    assert (await state(sold, await installed(sold)))["standing"] == "connected"
    await days_go_by(sold, 40)
    after = await sold.hub.db.read(kept)
    assert (after["deal"], after["card_of"]) == (before["deal"], before["card_of"])
    assert await called_again(sold)


async def called_again(world: World) -> int:
    await world.mango_call("c2", "+79161234567", "+74952220001", talk_s=60)
    status = await world.delivered(2)
    return int(status["deliveries"]["delivered"])


async def test_calling_it_off_is_in_the_ledger(sold: World) -> None:
    await removed(sold, clean=True)
    await installed(sold)
    entries = await sold.hub.db.read(told_of, "erasure_asked", "erasure_called_off", "erased")
    assert [kind for kind, _ in entries] == ["erasure_asked", "erasure_called_off"]


async def test_the_old_token_of_the_application_removes_nothing_any_more(sold: World) -> None:
    form = await removal(sold, clean=True)
    assert (await told(sold, form)).status_code == 200
    await installed(sold)
    assert (await told(sold, form)).status_code == 400
    one = await account(sold)
    assert (one.status, one.erase_at) == (crm_store.ACTIVE, None)


async def test_the_new_token_of_the_application_removes_it_again(sold: World) -> None:
    await removed(sold, clean=True)
    await installed(sold)
    await removed(sold, clean=True)
    assert (await account(sold)).status == crm_store.REMOVED


async def test_installed_again_after_the_deletion_everything_is_delete_pressed(sold: World) -> None:
    await removed(sold, clean=True)
    await days_go_by(sold, 31)
    await installed(sold)
    await sold.until(lambda status: status["deals_won"] == 1, step_s=10)
    one = await account(sold)
    assert (one.status, one.erased_at) == (crm_store.ACTIVE, None)


# -- asked for by a person


async def test_a_person_deletes_at_once_after_he_confirmed(sold: World) -> None:
    await removed(sold, clean=False)
    assert "Удалить прочитанное из этого аккаунта" in await page_of(sold)
    confirm = await sold.web.get(f"/connections/{(await account(sold)).id}/erase")
    assert "выручки в отчётах больше не будет" in confirm.text
    await delete_pressed(sold)
    await deleted(sold)
    assert not any((await sold.hub.db.read(kept)).values())
    (entry,) = await sold.hub.db.read(told_of, "erased")
    assert '"why":"here"' in entry[1]


async def test_a_person_need_not_wait_for_the_grace(sold: World) -> None:
    await removed(sold, clean=True)
    assert "Удалить сейчас" in await page_of(sold)
    await delete_pressed(sold)
    await deleted(sold)


async def test_nothing_is_deleted_of_an_account_that_is_connected(sold: World) -> None:
    of, csrf = await account(sold), await sold.log_in()
    path = f"/connections/{of.id}/erase"
    assert (await sold.web.get(path)).status_code == 404
    asked = {"data": {"csrf": csrf}, "headers": {"sec-fetch-site": "same-origin"}}
    assert (await sold.web.post(path, **asked)).status_code == 404  # type: ignore[arg-type]
    assert (await account(sold)).erase_at is None


# -- where nobody can say who asks


async def test_a_tick_that_nobody_vouches_for_deletes_nothing(sold: World) -> None:
    form = await removal(sold, clean=True)
    assert (await told(sold, form, **{"auth[application_token]": "0" * 32})).status_code == 400
    assert (await account(sold)).erase_at is None


# -- without a portal


@pytest.fixture
def left(still: World) -> tuple[World, Installed]:
    """A customer's account that left, with more deals than one transaction deletes."""
    hub, now = still.hub, still.clock.now()
    grant = grant_of(now)
    id_ = hub.db.write_now(crm_store.install, 1, "amocrm", grant, now, hub.vault)
    deal = table_of(Deal)
    common = {"tenant_id": 1, "installation_id": id_, "pipeline": "1", "stage": "2", "outcome": "open", "currency": ""}
    times = {"created_at": now, "updated_at": now, "amount_minor": 1, "deleted": False, "told": ""}
    many = [{**common, **times, "external_id": str(n)} for n in range(AT_ONCE + 1)]
    hub.db.write_now(lambda tx: tx.execute(deal.insert(), many).rowcount)
    of = hub.db.read_now(crm_store.installation, 1, id_)
    hub.db.write_now(crm_store.forget_access, of, "", hub.vault)
    hub.db.write_now(erasures.ask, 1, id_, now, erasures.HERE, now)
    return still, of


def grant_of(now: datetime) -> Grant:
    return Grant("31000001", "127.0.0.1:9", "access", "refresh", now + DAY)


def number(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(table_of(Deal))).scalar_one())


def test_it_is_deleted_a_portion_at_a_time(left: tuple[World, Installed]) -> None:
    hub, now = left[0].hub, left[0].clock.now()
    assert hub.db.write_now(erase_some, now, hub.vault)
    assert hub.db.read_now(number) == 1
    assert hub.db.write_now(erase_some, now, hub.vault)
    assert hub.db.read_now(number) == 0


def test_an_account_that_comes_back_in_the_middle_keeps_the_rest_and_reads_all_anew(
    left: tuple[World, Installed],
) -> None:
    still, of = left
    hub, now = still.hub, still.clock.now()
    hub.db.write_now(crm_store.save_cursor, of, "somewhere")
    hub.db.write_now(erase_some, now, hub.vault)
    hub.db.write_now(crm_store.install, 1, "amocrm", grant_of(now), now, hub.vault)
    assert not hub.db.write_now(erase_some, now, hub.vault)
    assert hub.db.read_now(number) == 1
    assert hub.db.read_now(crm_store.installation, 1, of.id).cursor is None


def test_who_still_serves_the_account_is_waited_for(left: tuple[World, Installed]) -> None:
    hub, now, lane = left[0].hub, left[0].clock.now(), metadata.tables["lane"]
    hub.db.write_now(lanes.open_lane, 1, left[1].id, now, [])
    ends = now + timedelta(minutes=1)
    held = lane.update().where(lane.c.tenant_id == 1).values(leased_until=ends)
    hub.db.write_now(lambda tx: tx.execute(held).rowcount)
    assert hub.db.read_now(erasures.is_due, now)
    assert not hub.db.write_now(erase_some, now, hub.vault)
    assert hub.db.write_now(erase_some, ends, hub.vault)


def test_another_customers_rows_are_not_touched(left: tuple[World, Installed]) -> None:
    hub = left[0].hub
    stranger = Erasing(2, left[1].id, erasures.HERE, {"deals": 0})
    assert hub.db.read_now(erasures.deals, stranger) == []


def test_an_account_that_was_never_anybodys_is_forgotten_and_no_more(still: World) -> None:
    of = Account("amocrm", "31000001", "id")
    now = still.clock.now()
    assert not still.hub.db.write_now(leaving.remove, of, now, now, still.hub.vault)
    assert not still.hub.db.read_now(erasures.is_due, now)
