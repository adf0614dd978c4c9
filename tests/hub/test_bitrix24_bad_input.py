"""What goes wrong in a customer's portal: he reads what happened and what to do, and no call is lost or doubled."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.hub.test_bad_input import EN, IVAN, RU, ask, is_in, page, rings, sends_again
from tests.hub.test_start_check import dial
from tests.hub.world import World

ANNA = 1  # who connected the hub
HOLD_S = 4_000  # longer than any hold while nothing else goes wrong
DEALS, CONTACTS = "2", "3"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a portal answers knows no engine


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


async def says(world: World, language: str, *words: str) -> None:
    """Both pages of the console say all of this."""
    for path in ("/deliveries", "/connections"):
        told = await page(world, path, language)
        for word in words:
            assert word in told


async def is_held(world: World) -> None:
    """Let as little time go by as it takes: an account without a way in is left alone for seconds only."""
    await world.until(lambda status: bool(status["installations"][0]["hold_why"]), step_s=0.05)


async def until_says(world: World, path: str, words: str) -> None:
    """Let hours go by until a page says something in Russian."""
    told = ""
    for _ in range(200):
        if words in (told := await page(world, path, RU)):
            return
        await world.goes_on(60)
    raise AssertionError(told)


async def is_served_again(world: World) -> None:
    world.clock.forward(HOLD_S)
    await world.delivered(1)


async def is_there_once(world: World) -> dict[str, Any]:
    """Return the deal, once it is sure that the call is in the portal once and whole."""
    state = await world.state()
    assert (len(state["deal"]), len(state["contact"]), len(state["activities"]), len(state["comments"])) == (1, 1, 1, 1)
    deal: dict[str, Any] = state["deal"][0]
    return deal


# -- of the account: it is left alone, everything waits, and goes by itself

SHUT: Mapping[str, tuple[dict[str, Any], dict[str, Any], dict[str, tuple[str, str]]]] = {
    "unpaid": (
        {"plan": "free"},
        {"plan": "commercial"},
        {
            RU: ("На этом портале REST недоступен", "Подключите тариф Битрикс24 с REST: звонки ждут и уйдут сами."),
            EN: ("REST is not available in this portal", "Take a plan of Bitrix24 with REST"),
        },
    ),
    "deleted": (
        {"portal_deleted": True},
        {"portal_deleted": False},
        {
            RU: ("Портал Битрикс24 удалён.", "Отключите его в хабе или подключите другой."),
            EN: ("The portal was deleted.", "Disconnect it in the hub, or connect another."),
        },
    ),
    "deleted, told as 500": (
        {"portal_deleted": True, "deleted_status": 500},
        {"portal_deleted": False},
        {RU: ("Портал Битрикс24 удалён.", "Отключите его"), EN: ("The portal was deleted.", "Disconnect it")},
    ),
    "overloaded": (
        {"mode": "blocked"},
        {"mode": "open"},
        {
            RU: ("заблокировал REST этого портала из-за перегрузки", "Снять блокировку может только поддержка"),
            EN: ("has blocked the REST of this portal because of overload", "Only the support of Bitrix24"),
        },
    ),
    "too much of its time": (
        {"operating_limits": {"crm.item.add": 0}},
        {"operating_limits": {}},
        {
            RU: ("запросы хаба заняли слишком много его времени", "Делать ничего не нужно."),
            EN: ("requests took too much of its time", "There is nothing to do."),
        },
    ),
}


@pytest.mark.parametrize("how", SHUT)
async def test_a_portal_that_is_shut(connected: World, how: str) -> None:
    shut, opened, told = SHUT[how]
    await dial(connected, **shut)
    await rings(connected)
    await is_held(connected)
    for language, words in told.items():
        await says(connected, language, *words)
    await dial(connected, **opened)
    await is_served_again(connected)
    await is_there_once(connected)


async def test_rights_that_hide_the_records_of_others(connected: World) -> None:
    await ask(connected, "user", id=ANNA, is_admin=False, rights={DEALS: "own", CONTACTS: "own"})
    await until_says(connected, "/connections", "может завести дубли того, чего не видит")
    told = await page(connected, "/connections", EN)
    assert "the hub sees only what he sees, and may double what he does not." in told
    assert "Connect the portal again as an administrator." in told


async def test_a_user_who_was_dismissed(connected: World) -> None:
    await ask(connected, "user", id=ANNA, is_active=False)
    await rings(connected)
    await is_held(connected)
    await says(connected, RU, "уволен или отключён", "Подключите портал ещё раз под администратором.")
    await ask(connected, "user", id=ANNA, is_active=True)
    await is_served_again(connected)
    await is_there_once(connected)


async def test_a_full_bucket_costs_no_try_and_no_call(connected: World) -> None:
    await dial(connected, prescription={"crm.": [{"fault": "503"}, {"fault": "503"}, {"fault": "ok"}]})
    await rings(connected)
    await connected.delivered(1)
    await is_there_once(connected)


# -- of one enquiry: it waits for a person, who reads why


async def field(world: World, name: str, **more: Any) -> None:
    told = {"FIELD_NAME": name, "USER_TYPE_ID": "string", "EDIT_FORM_LABEL": {"ru": "Регион"}, **more}
    await ask(world, "call-method", method="crm.deal.userfield.add", params={"fields": told})


async def test_a_required_field_of_the_portal(connected: World) -> None:
    await field(connected, "REGION", MANDATORY="Y")
    await rings(connected)
    await is_in(connected, "parked")
    told = await page(connected, "/deliveries", RU)
    assert "Битрикс24 не создал сделку. Обязательное поле не заполнено:" in told
    assert "Снимите обязательность поля или впишите его в сценарий (fields)" in told
    assert "Bitrix24 refused the deal. A required field is not filled:" in await page(connected, "/deliveries", EN)
    fields = (await ask(connected, "call-method", method="crm.deal.userfield.list", params={}))["result"]
    mandatory = next(one["ID"] for one in fields if one["FIELD_NAME"] == "UF_CRM_REGION")
    freed = {"id": mandatory, "fields": {"MANDATORY": "N"}}
    await ask(connected, "call-method", method="crm.deal.userfield.update", params=freed)
    await sends_again(connected)
    await connected.delivered(1)
    await is_there_once(connected)


async def test_a_request_for_eight_callers_whose_answer_is_lost_doubles_none(connected: World) -> None:
    await dial(connected, plan="free")
    for number in range(8):
        await rings(connected, f"+7916123456{number}", number)
    await is_held(connected)
    await dial(connected, plan="commercial", prescription={"79161234563": [{"fault": "502_after_commit"}]})
    connected.clock.forward(HOLD_S)
    await is_in(connected, "delivered", 8)
    state = await connected.state()
    assert (len(state["deal"]), len(state["contact"])) == (8, 8)


async def test_an_answer_that_is_lost_after_the_deal_was_made(connected: World) -> None:
    await dial(connected, prescription={"crm.item.add": [{"fault": "504_after_commit"}, {"fault": "ok"}]})
    await rings(connected)
    await connected.delivered(1)
    await is_there_once(connected)


async def test_a_contact_stored_with_an_eight_is_the_caller(connected: World) -> None:
    phone = [{"VALUE": "8 (916) 123-45-67", "VALUE_TYPE": "WORK"}]
    await ask(connected, "call-method", method="crm.contact.add", params={"fields": {"NAME": "Иван", "PHONE": phone}})
    await rings(connected, IVAN)
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["contact"]), state["deal"][0]["contactIds"]) == (1, [state["contact"][0]["id"]])


async def test_a_merged_contact_gets_the_next_call_on_the_surviving_one(connected: World) -> None:
    await rings(connected)
    await connected.delivered(1)
    (ours,) = (await connected.state())["contact"]
    phone = [{"VALUE": IVAN, "VALUE_TYPE": "WORK"}]
    made = await ask(
        connected, "call-method", method="crm.contact.add", params={"fields": {"NAME": "Иван", "PHONE": phone}}
    )
    await ask(connected, "merge", kind="contact", keep=made["result"], lose=ours["id"])
    await rings(connected, number=2)
    await connected.delivered(2)
    state = await connected.state()
    assert ([one["id"] for one in state["contact"]], len(state["deal"])) == ([made["result"]], 1)


async def test_a_deal_that_went_to_another_pipeline_and_was_won_there(connected: World) -> None:
    await rings(connected)
    await connected.delivered(1)
    (deal,) = (await connected.state())["deal"]
    await ask(connected, "amount", id=deal["id"], minor=1_000_00)
    found = await ask(connected, "call-method", method="crm.category.list", params={"entityTypeId": 2})
    lines = found["result"]["categories"]
    other = max(one["id"] for one in lines)
    await ask(connected, "move", kind="deal", id=deal["id"], stage=f"C{other}:WON")
    await connected.until(lambda status: status["deals_won"] == 1, step_s=10)


async def test_of_two_payments_the_paid_one_is_the_revenue(connected: World) -> None:
    await rings(connected)
    await connected.delivered(1)
    (deal,) = (await connected.state())["deal"]
    await ask(connected, "payment", id=deal["id"], minor=700_00)
    await ask(connected, "payment", id=deal["id"], minor=300_00, paid=False)
    await ask(connected, "move", kind="deal", id=deal["id"], stage="WON")
    await connected.until(lambda status: status["deals_won"] == 1, step_s=10)
    day = connected.clock.now().date().isoformat()
    for _ in range(200):
        report = await connected.api("report/roi", **{"from": day, "to": day})
        if sum(row["revenue_minor"] for row in report["rows"]) == 700_00:
            return
        await connected.goes_on(5)
    raise AssertionError(report)
