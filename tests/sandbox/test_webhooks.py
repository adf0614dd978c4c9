"""Webhooks: subscription, the form on the wire, attempts, the disable rule, losses and doubles."""

from urllib.parse import parse_qsl

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

HOOKS = "/api/v4/webhooks"
URL = "https://hub.example/amo/hook/9f2c"
LEAD_SETTINGS = ["add_lead", "update_lead", "status_lead", "delete_lead", "responsible_lead", "note_lead"]


@pytest.fixture
async def subscribed(api: httpx.AsyncClient, sandbox: Sandbox) -> Sandbox:
    settings = [
        *LEAD_SETTINGS,
        "add_contact",
        "update_contact",
        "add_task",
        "add_unsorted",
        "delete_unsorted",
    ]
    answer = await api.post(HOOKS, json={"destination": URL, "settings": settings, "sort": 10})
    assert answer.status_code == 201
    return sandbox


@pytest.fixture
def sent(subscribed: Sandbox, outbox: list[httpx.Request]):
    """Sends what is due and gives the decoded forms of everything sent so far."""

    async def pump() -> list[dict[str, str]]:
        await subscribed.account.sender.pump()
        return [dict(parse_qsl(one.content.decode(), keep_blank_values=True)) for one in outbox]

    return pump


async def make(api: httpx.AsyncClient, **lead: object) -> int:
    number: int = (await api.post("/api/v4/leads", json=[lead])).json()["_embedded"]["leads"][0]["id"]
    return number


async def test_a_subscription_is_201_with_the_bare_object(api: httpx.AsyncClient) -> None:
    answer = await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    assert answer.status_code == 201
    assert answer.json()["disabled"] is False
    assert "_embedded" not in answer.json()


async def test_the_same_destination_again_changes_the_settings(api: httpx.AsyncClient) -> None:
    first = await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    second = await api.post(HOOKS, json={"destination": URL, "settings": ["update_lead"]})
    listed = (await api.get(f"{HOOKS}?filter[destination]={URL}")).json()
    assert first.json()["id"] == second.json()["id"]
    assert listed["_embedded"]["webhooks"][0]["settings"] == ["update_lead"]


async def test_no_hooks_are_204_and_unknown_ones_404(api: httpx.AsyncClient) -> None:
    await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    gone = await api.request("DELETE", HOOKS, json={"destination": URL})
    again = await api.request("DELETE", HOOKS, json={"destination": URL})
    assert (gone.status_code, again.status_code, (await api.get(HOOKS)).status_code) == (204, 404, 204)


async def test_managers_and_unknown_settings_are_refused(api: httpx.AsyncClient, maria: httpx.AsyncClient) -> None:
    good = {"destination": URL, "settings": ["add_lead"]}
    assert (await maria.post(HOOKS, json=good)).status_code == 403
    assert (await api.post(HOOKS, json={**good, "settings": ["lead_won"]})).status_code == 400


async def test_a_tariff_without_webhooks_refuses(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"webhooks_plan": False})
    assert (await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})).status_code == 402


async def test_a_won_deal_arrives_as_update_and_status_in_one_form(
    api: httpx.AsyncClient, subscribed: Sandbox, sent, outbox: list[httpx.Request]
) -> None:
    account = subscribed.account
    values = [{"field_code": "UTM_SOURCE", "values": [{"value": "yandex"}]}]
    number = await make(api, name="Звонок", tags_to_add=[{"name": "calltracking"}], custom_fields_values=values)
    await sent()
    await api.patch(f"/api/v4/leads/{number}", json={"status_id": 142, "price": 15000})
    form = (await sent())[-1]
    assert outbox[-1].headers["content-type"] == "application/x-www-form-urlencoded"
    assert form["leads[status][0][id]"] == form["leads[update][0][id]"] == str(number)
    assert form["leads[status][0][status_id]"] == "142"
    assert form["leads[status][0][old_status_id]"] == str(account.main_pipeline.first.id)
    assert form["leads[update][0][old_status_id]"] == str(account.main_pipeline.first.id)
    assert form["leads[status][0][tags][0][name]"] == "calltracking"
    assert form["leads[status][0][custom_fields][0][code]"] == "UTM_SOURCE"
    assert form["leads[status][0][custom_fields][0][values][0][value]"] == "yandex"
    assert "leads[status][0][old_pipeline_id]" not in form
    assert form["account[id]"] == str(account.id)
    assert form["account[_links][self]"] == "http://romashka.test:8801"


async def test_several_leads_of_one_request_travel_together(api: httpx.AsyncClient, sent) -> None:
    await api.post("/api/v4/leads", json=[{"name": "Первая"}, {"name": "Вторая"}])
    (form,) = await sent()
    assert [form[f"leads[add][{index}][name]"] for index in (0, 1)] == ["Первая", "Вторая"]


async def test_a_new_lead_has_no_old_status_and_no_empty_lists(api: httpx.AsyncClient, sent) -> None:
    await make(api, name="Звонок")
    (form,) = await sent()
    assert not [key for key in form if "old_status_id" in key or "tags" in key or "custom_fields" in key]


async def test_a_deleted_lead_carries_three_keys(api: httpx.AsyncClient, web: httpx.AsyncClient, sent) -> None:
    number = await make(api, name="Звонок")
    await web.post("/_sandbox/trash", json={"id": number})
    form = (await sent())[-1]
    assert sorted(key for key in form if key.startswith("leads")) == [
        "leads[delete][0][id]",
        "leads[delete][0][pipeline_id]",
        "leads[delete][0][status_id]",
    ]


async def test_a_note_is_doubly_nested_with_an_int_type(api: httpx.AsyncClient, sent) -> None:
    number = await make(api, name="Звонок")
    params = {"uniq": "7f3a", "duration": 61, "link": "https://x/r.mp3", "phone": "+7916", "source": "Hub"}
    await api.post(f"/api/v4/leads/{number}/notes", json=[{"note_type": "call_in", "params": params}])
    form = (await sent())[-1]
    assert form["leads[note][0][note][note_type]"] == "10"
    assert form["leads[note][0][note][date_create]"] == "2026-01-01 00:00:00"
    assert '"LINK":"https://x/r.mp3"' in form["leads[note][0][note][text]"]
    assert '"event_source"' in form["leads[note][0][note][metadata]"]


async def test_values_have_their_odd_shapes(api: httpx.AsyncClient, sent) -> None:
    fields = [
        {"type": "date", "name": "Дата", "code": "D"},
        {"type": "radiobutton", "name": "Тип", "code": "R", "enums": [{"value": "Опт"}]},
        {"type": "birthday", "name": "ДР", "code": "B"},
        {"type": "url", "name": "Ссылка", "code": "U"},
        {"type": "checkbox", "name": "Флаг", "code": "C"},
    ]
    await api.post("/api/v4/leads/custom_fields", json=[{**one, "sort": 10 + n} for n, one in enumerate(fields)])
    said = {"D": 1_767_225_600, "R": "Опт", "B": 316_483_200, "U": "https://x/?a=1&b=2", "C": True}
    values = [{"field_code": code, "values": [{"value": value}]} for code, value in said.items()]
    await make(api, name="Звонок", custom_fields_values=values)
    (form,) = await sent()
    start = "leads[add][0][custom_fields]"
    assert form[f"{start}[0][values][0]"] == "1767225600"
    assert form[f"{start}[1][values][value]"] == "Опт"
    assert f"{start}[1][values][enum]" in form
    assert form[f"{start}[2][values][0]"] == "12.01.1980"
    assert form[f"{start}[3][values][0][value]"] == "https://x/?a=1&amp;b=2"
    assert form[f"{start}[4][values][0][value]"] == "1"


async def test_contacts_and_companies_share_a_group_and_name_their_type(
    api: httpx.AsyncClient, sandbox: Sandbox, sent
) -> None:
    await api.post(HOOKS, json={"destination": URL, "settings": ["add_contact", "add_company", "add_lead"]})
    person = {"name": "Иван"}
    embedded = {"contacts": [person], "companies": [{"name": "ООО"}]}
    await api.post("/api/v4/leads/complex", json=[{"_embedded": embedded}])
    (form,) = await sent()
    assert [form[f"contacts[add][{index}][type]"] for index in (0, 1)] == ["contact", "company"]


async def test_a_contacts_responsible_change_arrives_as_an_update(
    api: httpx.AsyncClient, sandbox: Sandbox, sent
) -> None:
    made = await api.post("/api/v4/contacts", json=[{"name": "Иван"}])
    number = made.json()["_embedded"]["contacts"][0]["id"]
    manager = list(sandbox.account.users.values())[1]
    await api.patch(f"/api/v4/contacts/{number}", json={"responsible_user_id": manager.id})
    form = (await sent())[-1]
    assert form["contacts[update][0][old_responsible_user_id]"] == str(sandbox.account.admin.id)


async def test_a_task_spells_its_dates(api: httpx.AsyncClient, sent) -> None:
    await api.post("/api/v4/tasks", json=[{"text": "Перезвонить", "complete_till": 1_767_229_200}])
    (form,) = await sent()
    assert form["task[add][0][complete_till]"] == "2026-01-01 01:00:00"
    assert form["task[add][0][status]"] == "0"


async def test_unsorted_tells_its_lead_id_and_what_became_of_it(api: httpx.AsyncClient, sent) -> None:
    embedded = {"leads": [{}], "metadata": {"category": "sip", "uniq": "7f3a"}}
    made = (await api.post("/api/v4/leads/complex", json=[{"_embedded": embedded}])).json()[0]
    uid = (await api.get("/api/v4/leads/unsorted")).json()["_embedded"]["unsorted"][0]["uid"]
    await api.post(f"/api/v4/leads/unsorted/{uid}/accept")
    added, settled = await sent()
    assert added["unsorted[add][0][lead_id]"] == str(made["id"])
    assert settled["unsorted[delete][0][action]"] == "accept"
    assert settled["unsorted[delete][0][accept_result][leads][0]"] == str(made["id"])


@pytest.mark.parametrize(
    ("code", "attempts"),
    [(200, 1), (404, 3), (301, 3), (500, 5), (499, 5)],
    ids=["fine", "refused", "redirect", "broken", "too slow"],
)
async def test_attempts_follow_the_plan(
    api: httpx.AsyncClient, sent, receiver, outbox: list[httpx.Request], clock, code: int, attempts: int
) -> None:
    receiver(code)
    await make(api, name="Звонок")
    await sent()
    for pause in (300, 900, 900, 3600, 7200):
        clock.forward(pause - 1)
        made = len(outbox)
        await sent()
        assert len(outbox) == made
        clock.forward(1)
        await sent()
    assert len(outbox) == attempts


async def test_a_retry_carries_the_old_state(
    api: httpx.AsyncClient, sent, receiver, clock, subscribed: Sandbox
) -> None:
    receiver(500)
    number = await make(api, name="Старое имя")
    await sent()
    receiver(200)
    await api.patch(f"/api/v4/leads/{number}", json={"name": "Новое имя"})
    clock.forward(300)
    forms = await sent()
    assert "Старое имя" in {form.get("leads[add][0][name]") for form in forms[1:]}


async def test_more_than_a_hundred_bad_answers_in_two_hours_switch_the_hook_off(
    api: httpx.AsyncClient, sent, receiver, subscribed: Sandbox
) -> None:
    receiver(404)
    for _ in range(101):
        await make(api, name="Звонок")
    await sent()
    disabled = (await api.get(HOOKS)).json()["_embedded"]["webhooks"][0]["disabled"]
    await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    still = (await api.get(HOOKS)).json()["_embedded"]["webhooks"][0]["disabled"]
    subscribed.dial.turn({"upsert_enables_hook": True})
    await api.post(HOOKS, json={"destination": URL, "settings": ["add_lead"]})
    assert (disabled, still) == (True, True)
    assert (await api.get(HOOKS)).json()["_embedded"]["webhooks"][0]["disabled"] is False


@pytest.mark.parametrize(("switch", "count"), [("lost_webhook", 0), ("duplicate_webhook", 2)])
async def test_hooks_get_lost_or_doubled_by_the_dial(
    api: httpx.AsyncClient, sent, subscribed: Sandbox, switch: str, count: int
) -> None:
    subscribed.dial.turn({switch: 1})
    await make(api, name="Звонок")
    assert len(await sent()) == count


async def test_a_shuffled_hook_comes_after_the_next_one(api: httpx.AsyncClient, sent, subscribed: Sandbox) -> None:
    subscribed.dial.turn({"shuffled_webhook": 1})
    await make(api, name="Первая")
    subscribed.dial.turn({"shuffled_webhook": 0})
    await make(api, name="Вторая")
    assert [form["leads[add][0][name]"] for form in await sent()] == ["Вторая", "Первая"]


async def test_our_own_changes_come_back_unless_switched_off(
    api: httpx.AsyncClient, maria: httpx.AsyncClient, sent, subscribed: Sandbox
) -> None:
    subscribed.dial.turn({"own_changes_fire_hooks": False})
    await make(api, name="Наша")
    await make(maria, name="Марии")
    assert [form["leads[add][0][name]"] for form in await sent()] == ["Марии"]


async def test_the_account_may_come_first_and_name_only_the_subdomain(
    api: httpx.AsyncClient, sent, subscribed: Sandbox
) -> None:
    subscribed.dial.turn({"webhook_account_first": True, "webhook_account_keys": "subdomain"})
    await make(api, name="Звонок")
    (form,) = await sent()
    assert next(iter(form)) == "account[subdomain]"
    assert "account[id]" not in form
