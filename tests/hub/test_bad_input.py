"""What goes wrong in a customer's CRM: he reads what happened and what to do, in his language, and no call is lost."""

import html
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from hub.store import people, scenario_versions
from tests.hub.test_start_check import dial
from tests.hub.world import SCENARIO, World

IVAN, MARIA = "+79161234567", "+79161234568"
SIGN = "+74952220001"  # the number on a billboard: whoever calls it has seen that
HOLD_S = 1_000  # longer than an account is first left alone
RU, EN = "ru", "en"


async def rings(world: World, caller: str = IVAN, number: int = 1) -> None:
    await world.mango_call(f"c{number}", caller, SIGN, talk_s=60)


async def form(world: World, text: str, number: int = 1) -> None:
    told = {"id": f"f{number}", "kind": "form", "phone": IVAN, "name": "Иван 🦊", "text": text}
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    answer = await world.web.post("/api/v1/enquiries", json=told, headers=headers)
    assert answer.status_code == 200, answer.text


async def is_in(world: World, state: str, number: int = 1) -> None:
    await world.until(lambda status: status["deliveries"].get(state, 0) == number and not status["inbox"])


async def is_held(world: World) -> None:
    await world.until(lambda status: bool(status["installations"][0]["hold_why"]))


async def is_served_again(world: World) -> None:
    """Let the time pass that the account is left alone for."""
    world.clock.forward(HOLD_S)
    await world.delivered(1)


async def page(world: World, path: str, language: str) -> str:
    """Return what the owner reads on a page of the console."""
    (tenant_id,) = await world.hub.db.read(people.tenants)
    owner = await world.hub.db.read(people.owner, tenant_id)
    await world.hub.db.write(people.set_language, tenant_id, owner, language)
    answer = await world.web.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def says(world: World, path: str, words: str) -> str:
    """Let time go on until a page says something in Russian; return the page."""
    return await world.comes_to(lambda: page(world, path, RU), lambda told: words in told)


async def widget(world: World, language: str) -> str:
    """Return what the widget's settings say is wrong."""
    frame = (await world.crm_web.post("/_sandbox/frame-token", json={})).json()["token"]
    asked = {"params": {"lang": language}, "headers": {"X-Auth-Token": frame}}
    found = (await world.web.get("/embed/amocrm/state", **asked)).json()["checks"]  # type: ignore[arg-type]
    return " ".join(f"{one['what']} {one['to_do']}" for one in found if not one["ok"])


async def everywhere(world: World, language: str) -> list[str]:
    """Return what is said of an account's trouble: on both pages of the console, and in the widget."""
    return [
        await page(world, "/deliveries", language),
        await page(world, "/connections", language),
        await widget(world, language),
    ]


async def sends_again(world: World) -> None:
    """Press "Send again" at the only delivery that waits for a decision."""
    shown = (await world.web.get("/deliveries?state=parked")).text
    (address,) = re.findall(r'action="(/deliveries/\w+/again)"', shown)
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', shown))
    answer = await world.web.post(address, data={"csrf": csrf}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303, answer.text


async def rules(world: World, **places: str) -> None:
    """Apply the usual scenario with a stage, or a person responsible."""
    text = SCENARIO.read_text(encoding="utf-8")
    for key, name in places.items():
        text = re.sub(rf"^# {key}: .*$", f"{key}: {name}", text, flags=re.MULTILINE)
    (tenant_id,) = await world.hub.db.read(people.tenants)
    await world.hub.db.write(scenario_versions.save, tenant_id, "amocrm", text, "owner", world.clock.now())


async def ask(world: World, what: str, **told: Any) -> Any:
    """Do in the CRM what a person does there."""
    answer = await world.crm_web.post(f"/_sandbox/{what}", json=told)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def user(world: World, name: str) -> dict[str, Any]:
    return next(one for one in (await world.state())["users"] if one["name"].startswith(name))


async def is_there_once(world: World) -> dict[str, Any]:
    """Return the deal, once it is sure that the call is in the CRM once and whole."""
    state = await world.state()
    deals = [one for one in state["leads"] if not one["is_deleted"]]
    assert len(deals) == 1
    kinds = [note["note_type"] for note in state["notes"] if note["entity_id"] == deals[0]["id"]]
    assert sorted(kinds) == ["call_in", "extended_service_message"]
    return deals[0]


# -- of the account: it is left alone, everything waits, and goes by itself


SHUT: Mapping[str, dict[str, tuple[str, str]]] = {
    "unpaid_writes": {
        RU: ("Аккаунт amoCRM не оплачен: он не принимает изменений.", "Оплатите amoCRM: всё, что ждёт, уйдёт само."),
        EN: (
            "The amoCRM account is not paid for: it accepts no changes.",
            "Pay for amoCRM: what waits goes by itself.",
        ),
    },
    "blocked": {
        RU: (
            "amoCRM заблокировала запросы этого аккаунта",
            "Снять блокировку может только поддержка amoCRM: напишите ей.",
        ),
        EN: ("amoCRM has blocked this account's requests", "Only amoCRM's support can lift the block: write to it."),
    },
}


@pytest.mark.parametrize("mode", SHUT)
async def test_an_account_that_is_shut(connected: World, mode: str) -> None:
    await dial(connected, mode=mode)
    await rings(connected)
    await is_held(connected)
    for language, (what, to_do) in SHUT[mode].items():
        for told in await everywhere(connected, language):
            assert what in told
            assert to_do in told
    await dial(connected, mode="open")
    await is_served_again(connected)
    await is_there_once(connected)


async def test_a_user_who_lost_his_rights(connected: World) -> None:
    anna, maria = await user(connected, "Анна"), await user(connected, "Мария")
    await ask(connected, "user", id=maria["id"], is_admin=True)
    await ask(connected, "user", id=anna["id"], is_admin=False, rights={"leads": {"add": "D"}})
    await rings(connected)
    await is_held(connected)
    for told in await everywhere(connected, RU):
        assert "У пользователя, который подключил amoCRM, не хватает прав." in told
        assert "подключите аккаунт ещё раз под администратором" in told
    for told in await everywhere(connected, EN):
        assert "The user who connected amoCRM lacks rights." in told
        assert "connect the account again as an administrator" in told
    await ask(connected, "user", id=anna["id"], rights={"leads": {"add": "A"}})
    await is_served_again(connected)
    await is_there_once(connected)


# -- of one enquiry: it waits for a person, who reads why, or it arrived otherwise than asked


async def test_a_stage_that_was_deleted(connected: World) -> None:
    pipeline = (await connected.state())["pipelines"][0]
    stage = next(one for one in pipeline["stages"] if one["name"] == "Принимают решение")
    await rules(connected, stage=stage["name"])
    await ask(connected, "pipeline", id=pipeline["id"], delete_stage=stage["id"])
    await rings(connected)
    await is_in(connected, "parked")
    told = await page(connected, "/deliveries", RU)
    assert f"amoCRM не создала сделку. В воронке нет этапа, который назван в сценарии (номер {stage['id']})" in told
    assert "Назовите в сценарии другой этап, примените его (cthub apply) и нажмите «Отправить ещё раз»." in told
    told = await page(connected, "/deliveries", EN)
    assert f"amoCRM refused the deal. The stage that the scenario names (number {stage['id']}) does not exist" in told
    assert "Name another stage in the scenario, apply it (cthub apply) and press “Send again”." in told
    await rules(connected, stage="Переговоры")
    await sends_again(connected)
    await connected.delivered(1)
    deal = await is_there_once(connected)
    assert deal["status_id"] == next(one["id"] for one in pipeline["stages"] if one["name"] == "Переговоры")


async def stage_deleted(world: World) -> None:
    pipeline = (await world.state())["pipelines"][0]
    stage = next(one for one in pipeline["stages"] if one["name"] == "Принимают решение")
    await ask(world, "pipeline", id=pipeline["id"], delete_stage=stage["id"])


async def manager_dismissed(world: World) -> None:
    await ask(world, "user", id=(await user(world, "Пётр"))["id"], is_active=False)


@pytest.mark.parametrize(
    ("names", "happens", "named"),
    [
        ({"stage": "Принимают решение"}, stage_deleted, "Принимают решение"),
        ({"responsible": "Пётр Продавцов"}, manager_dismissed, "Пётр Продавцов"),
    ],
)
async def test_a_scenario_runs_on_without_what_the_account_has_no_more(
    connected: World, names: dict[str, str], happens: Callable[[World], Awaitable[None]], named: str
) -> None:
    await rules(connected, **names)
    await happens(connected)
    connected.clock.forward(3_700)  # what the account has is read again by now
    told = await says(connected, "/connections", "Сценарий работает дальше")
    assert named in told
    assert "The scenario runs on" in await widget(connected, EN)
    await rings(connected)
    await connected.delivered(1)
    await is_there_once(connected)


async def test_a_stage_that_was_renamed_is_still_the_stage_that_is_meant(connected: World) -> None:
    await rules(connected, stage="Принимают решение")
    pipeline = (await connected.state())["pipelines"][0]
    stage = next(one for one in pipeline["stages"] if one["name"] == "Принимают решение")
    await ask(connected, "pipeline", id=pipeline["id"], stages={stage["id"]: "Думают"})
    connected.clock.forward(3_700)
    await says(connected, "/connections", "Сценарий работает дальше")
    await rings(connected)
    await connected.delivered(1)
    assert (await is_there_once(connected))["status_id"] == stage["id"]


async def test_a_scenario_that_never_fitted_has_its_calls_wait_for_a_person(connected: World) -> None:
    await rules(connected, stage="Нигде")
    told = await says(connected, "/connections", "Сценарий не подходит к аккаунту")
    assert "Нигде" in told
    await rings(connected)
    await connected.until(lambda status: status["calls"] == 1)
    assert "cthub apply" in await widget(connected, RU)
    assert "The scenario does not fit the account" in await widget(connected, EN)
    await rules(connected)
    connected.clock.forward(300)
    await connected.delivered(1)
    await is_there_once(connected)


async def test_a_field_that_a_user_removed(connected: World) -> None:
    await ask(connected, "field", code="HUB_NUMBER", delete=True)
    await rings(connected)
    await connected.delivered(1)
    told = await page(connected, "/deliveries?state=delivered", RU)
    assert "полей, которых в аккаунте больше нет или которые он не принял: Номер, на который звонили." in told
    assert "Если поля нужны, верните их в amoCRM или уберите из сценария." in told
    told = await page(connected, "/deliveries?state=delivered", EN)
    assert "Delivered without fields that the account no longer has or did not accept" in told
    deal = await is_there_once(connected)
    assert "HUB_NUMBER" not in [one["field_code"] for one in deal["custom_fields_values"]]


async def test_a_responsible_user_who_was_dismissed(connected: World) -> None:
    petr = await user(connected, "Пётр")
    await dial(connected, dismissed_users="reject")
    await rules(connected, responsible=petr["name"])
    await ask(connected, "user", id=petr["id"], is_active=False)
    await rings(connected)
    await is_in(connected, "parked")
    told = await page(connected, "/deliveries", RU)
    assert f"Ответственного, который назван в сценарии (номер {petr['id']}), в аккаунте нет, или он отключён." in told
    told = await page(connected, "/deliveries", EN)
    assert f"whom the scenario names (number {petr['id']}) does not exist or is not active." in told
    await rules(connected, responsible="Мария Менеджер")
    await sends_again(connected)
    await connected.delivered(1)
    assert (await is_there_once(connected))["responsible_user_id"] == (await user(connected, "Мария"))["id"]


async def test_a_deal_whose_responsible_user_was_dismissed(connected: World) -> None:
    petr = await user(connected, "Пётр")
    await rules(connected, responsible=petr["name"])
    await rings(connected)
    await connected.delivered(1)
    await dial(connected, dismissed_users="reject")
    await ask(connected, "user", id=petr["id"], is_active=False)
    await rings(connected, number=2)
    await connected.delivered(2)
    state = await connected.state()
    assert len(state["leads"]) == 1
    assert len([note for note in state["notes"] if note["note_type"] == "call_in"]) == 2


async def test_a_contact_with_forty_phones(connected: World) -> None:
    token = (await ask(connected, "token"))["access_token"]
    phones = [{"value": f"+7903555{n:04}", "enum_code": "WORK"} for n in range(39)] + [{"value": "8 (916) 123-45-67"}]
    contact = {"name": "Завод", "custom_fields_values": [{"field_code": "PHONE", "values": phones}]}
    headers = {"authorization": f"Bearer {token}"}
    answer = await connected.crm_web.post("/api/v4/contacts", json=[contact], headers=headers)
    assert answer.status_code == 200, answer.text
    await rings(connected)
    await connected.delivered(1)
    (kept,) = (await connected.state())["contacts"]
    assert len(kept["custom_fields_values"][0]["values"]) == 40
    assert [one["id"] for one in (await is_there_once(connected))["links"]["contacts"]] == [kept["id"]]


async def test_emoji_and_a_note_of_64_kilobytes(connected: World) -> None:
    text = SCENARIO.read_text(encoding="utf-8")
    long = text.replace("    Заявка с сайта {started}\n", f"    Заявка 🦊 {{started}}\n    {'👩‍👩‍👧‍👦 ' * 1_700}\n", 1)
    (tenant_id,) = await connected.hub.db.read(people.tenants)
    await connected.hub.db.write(scenario_versions.save, tenant_id, "amocrm", long, "owner", connected.clock.now())
    await form(connected, "☎️🔥" * 16_000)
    await connected.delivered(1)
    state = await connected.state()
    (deal,) = state["leads"]
    (note,) = [one["params"]["text"] for one in state["notes"] if one["entity_id"] == deal["id"]]
    assert note.startswith("Заявка 🦊")
    assert note.splitlines()[-1].startswith("hub:")
    assert "🔥" in note
    told = await page(connected, "/deliveries?state=delivered", RU)
    assert "текст длиннее 16000 знаков обрезан: больше в примечание amoCRM не помещается." in told
    told = await page(connected, "/deliveries?state=delivered", EN)
    assert "a text longer than 16000 characters was cut: a note of amoCRM holds no more." in told
    assert "Иван 🦊" in [one["first_name"] for one in state["contacts"]]


async def test_a_deal_that_was_deleted_before_its_note_was_written(connected: World) -> None:
    await dial(
        connected, prescription={"extended_service_message": [{"fault": "429", "method": "POST", "path": "notes"}]}
    )
    await rings(connected)
    await is_held(connected)
    (deal,) = (await connected.state())["leads"]
    await ask(connected, "trash", kind="leads", id=deal["id"])
    connected.clock.forward(HOLD_S)
    await is_in(connected, "parked")
    told = await page(connected, "/deliveries", RU)
    assert "Сделка, в которую записан этот звонок, удалена или объединена с другой." in told
    assert "Восстановите её из корзины amoCRM и нажмите «Отправить ещё раз»." in told
    told = await page(connected, "/deliveries", EN)
    assert "The deal this call was written to has been deleted or merged with another." in told
    await ask(connected, "restore", kind="leads", id=deal["id"])
    await sends_again(connected)
    await connected.delivered(1)
    await is_there_once(connected)


async def test_an_answer_that_is_lost_after_the_deal_was_made(connected: World) -> None:
    await dial(connected, prescription={"hub:": [{"fault": "504_after_commit", "method": "POST", "path": "complex"}]})
    await rings(connected)
    told = await says(
        connected, "/deliveries?state=ready", "В amoCRM случился сбой: неизвестно, приняла ли она обращение."
    )
    assert "хаб сначала проверит, потом повторит" in told
    told = await page(connected, "/deliveries?state=ready", EN)
    assert "amoCRM had a failure of its own: it is not known whether it took the enquiry." in told
    await connected.delivered(1)
    await is_there_once(connected)
