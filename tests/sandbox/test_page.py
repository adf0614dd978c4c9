"""The account's pages: what a person does there is what the API then tells."""

from collections.abc import Callable

import httpx
import pytest

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from tests.sandbox.conftest import HOST, HandClock

HOOK = {"destination": "https://hub.example/hook", "settings": ["status_lead", "update_contact", "delete_contact"]}


async def do(web: httpx.AsyncClient, deed: str, **told: object) -> httpx.Response:
    """Presses a button and returns the page it leads to."""
    return await web.post(f"/do/{deed}", data=told, follow_redirects=True)


@pytest.fixture
async def lead(api: httpx.AsyncClient) -> int:
    """A deal of the integration with a contact."""
    contact = {"name": "Иван", "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+79161234567"}]}]}
    sent = [{"name": "Звонок", "price": 100, "_embedded": {"contacts": [contact]}}]
    return int((await api.post("/api/v4/leads/complex", json=sent)).json()[0]["id"])


async def event_types(api: httpx.AsyncClient, lead: int) -> list[str]:
    answer = await api.get(f"/api/v4/events?filter[entity]=lead&filter[entity_id]={lead}")
    return [one["type"] for one in answer.json()["_embedded"]["events"]]


async def test_the_board_shows_a_deal_in_its_column(web: httpx.AsyncClient, lead: int) -> None:
    page = (await web.get("/")).text
    assert f'href="/leads/detail/{lead}"' in page
    assert "Первичный контакт" in page


async def test_the_board_finds_a_deal_by_its_contacts_phone(web: httpx.AsyncClient, lead: int) -> None:
    assert f"/leads/detail/{lead}" in (await web.get("/?q=916 123-45")).text
    assert f"/leads/detail/{lead}" not in (await web.get("/?q=916 999-99")).text


async def test_an_empty_account_says_what_to_do(web: httpx.AsyncClient) -> None:
    assert "Сделок пока нет" in (await web.get("/")).text


async def test_every_page_is_in_english_too(web: httpx.AsyncClient, lead: int) -> None:
    await web.get("/language/en?back=/")
    assert "New deal" in (await web.get("/")).text
    assert "Tasks" in (await web.get(f"/leads/detail/{lead}")).text


async def test_the_language_leads_back_to_these_pages_only(web: httpx.AsyncClient) -> None:
    back = [(await web.get(f"/language/en?back={path}")).headers["location"] for path in ("/trash", "//evil.example")]
    assert back == ["/trash", "/"]


async def test_a_won_deal_is_won_for_the_api(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    await do(web, "win", id=lead)
    assert (await api.get(f"/api/v4/leads/{lead}")).json()["status_id"] == 142
    assert (await event_types(api, lead))[0] == "lead_status_changed"


async def test_winning_rings_the_webhook(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int, outbox: list[httpx.Request]
) -> None:
    await api.post("/api/v4/webhooks", json=HOOK)
    await do(web, "win", id=lead)
    await sandbox.account.sender.pump()
    assert "leads%5Bstatus%5D" in outbox[0].content.decode()


async def test_a_lost_deal_has_its_reason_and_goes_back_to_work(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int
) -> None:
    reason = next(iter(sandbox.account.loss_reasons))
    await do(web, "lose", id=lead, reason=reason)
    lost = (await api.get(f"/api/v4/leads/{lead}")).json()
    await do(web, "reopen", id=lead)
    again = (await api.get(f"/api/v4/leads/{lead}")).json()
    assert (lost["status_id"], lost["loss_reason_id"]) == (143, reason)
    assert (again["closed_at"], again["loss_reason_id"]) == (None, None)
    assert sandbox.account.main_pipeline.stage(again["status_id"]).name == "Согласование договора"  # type: ignore[union-attr]


async def test_a_deal_moves_to_another_pipeline(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int
) -> None:
    service = next(one for one in sandbox.account.pipelines.values() if not one.is_main)
    await do(web, "move", id=lead, to=f"{service.id}:{service.first.id}")
    moved = (await api.get(f"/api/v4/leads/{lead}")).json()
    assert (moved["pipeline_id"], moved["status_id"]) == (service.id, service.first.id)


async def test_a_budget_is_typed_with_spaces(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    await do(web, "price", id=lead, price="120 500")
    assert (await api.get(f"/api/v4/leads/{lead}")).json()["price"] == 120_500
    assert "sale_field_changed" in await event_types(api, lead)


async def test_a_budget_that_is_no_number_is_told(web: httpx.AsyncClient, lead: int) -> None:
    page = await do(web, "price", id=lead, price="дорого", back=f"/leads/detail/{lead}")
    assert "Число должно быть целым" in page.text


async def test_a_deleted_deal_comes_back(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    await do(web, "trash", id=lead)
    gone = (await api.get(f"/api/v4/leads/{lead}")).status_code
    shown = (await web.get("/trash")).text
    await do(web, "restore", id=lead)
    assert gone == 204
    assert f"/leads/detail/{lead}" in shown
    assert (await event_types(api, lead))[:2] == ["lead_restored", "lead_deleted"]


async def test_a_deal_by_hand_has_its_contact(web: httpx.AsyncClient, api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    pipeline = sandbox.account.main_pipeline.id
    page = await do(web, "deal", name="С выставки", price="500", person="Пётр", phone="+79030001122", pipeline=pipeline)
    deal = (await api.get(f"/api/v4/leads/{page.url.path.rsplit('/', 1)[1]}?with=contacts")).json()
    assert (deal["name"], deal["price"], len(deal["_embedded"]["contacts"])) == ("С выставки", 500, 1)


async def test_a_contact_by_hand_is_found_by_its_phone(web: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    await do(web, "contact", name="Пётр", phone="+79030001122")
    found = (await api.get("/api/v4/contacts?query=9030001122")).json()["_embedded"]["contacts"]
    assert [one["name"] for one in found] == ["Пётр"]


async def test_a_task_is_completed_with_its_result(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    sent = [{"text": "Перезвонить", "complete_till": 1, "entity_id": lead, "entity_type": "leads"}]
    task = (await api.post("/api/v4/tasks", json=sent)).json()["_embedded"]["tasks"][0]["id"]
    await do(web, "done", task=task, result="Дозвонился")
    done = (await api.get(f"/api/v4/tasks/{task}")).json()
    assert (done["is_completed"], done["result"]) == (True, {"text": "Дозвонился"})


async def test_a_person_writes_a_note(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    await do(web, "note", id=lead, text="Ждёт смету")
    notes = (await api.get(f"/api/v4/leads/{lead}/notes")).json()["_embedded"]["notes"]
    assert notes[0]["params"]["text"] == "Ждёт смету"


async def test_a_call_is_shown_with_its_recording(web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int) -> None:
    params = {"duration": 61, "phone": "+79161234567", "link": "https://hub.example/rec/1.mp3"}
    await api.post(f"/api/v4/leads/{lead}/notes", json=[{"note_type": "call_in", "params": params}])
    page = (await web.get(f"/leads/detail/{lead}")).text
    assert 'src="https://hub.example/rec/1.mp3"' in page


async def test_a_recording_that_is_a_script_is_no_link(
    web: httpx.AsyncClient, api: httpx.AsyncClient, lead: int
) -> None:
    params = {"duration": 61, "phone": "+79161234567", "link": "javascript:alert(1)"}
    await api.post(f"/api/v4/leads/{lead}/notes", json=[{"note_type": "call_in", "params": params}])
    assert "javascript:" not in (await web.get(f"/leads/detail/{lead}")).text


async def test_what_was_written_is_shown_as_text(web: httpx.AsyncClient, api: httpx.AsyncClient) -> None:
    await api.post("/api/v4/leads", json=[{"name": "<script>alert(1)</script>"}])
    assert "<script>" not in (await web.get("/")).text


async def test_what_waits_in_unsorted_is_accepted(
    sandbox: Sandbox, web: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    metadata = {"form_id": "1", "form_name": "f", "form_page": "p", "ip": "1.1.1.1", "form_sent_at": 1, "referer": "r"}
    sent = [
        {"source_name": "Hub", "source_uid": "u", "metadata": metadata, "_embedded": {"leads": [{"name": "Заявка"}]}}
    ]
    uid = (await api.post("/api/v4/leads/unsorted/forms", json=sent)).json()["_embedded"]["unsorted"][0]["uid"]
    assert uid in (await web.get("/")).text
    await do(web, "accept", uid=uid)
    leads = (await api.get("/api/v4/leads")).json()["_embedded"]["leads"]
    assert leads[0]["status_id"] == sandbox.account.main_pipeline.first.id


async def test_somebody_without_rights_is_told_so(sandbox: Sandbox, web: httpx.AsyncClient, lead: int) -> None:
    maria = next(user for user in sandbox.account.users.values() if not user.is_admin)
    maria.rights["leads"]["edit"] = "D"
    await do(web, "user", user_id=maria.id)
    page = await do(web, "win", id=lead)
    assert "Недостаточно прав" in page.text
    assert sandbox.account.store.shelves["leads"].cards[lead].status_id != 142


async def test_history_names_the_person(sandbox: Sandbox, web: httpx.AsyncClient, lead: int) -> None:
    maria = next(user for user in sandbox.account.users.values() if not user.is_admin)
    await do(web, "user", user_id=maria.id)
    await do(web, "win", id=lead)
    line = next(reversed(sandbox.account.history.lines.values()))
    assert line.created_by == maria.id


async def test_an_unknown_card_is_a_page_that_says_so(web: httpx.AsyncClient) -> None:
    answer = await web.get("/leads/detail/1")
    assert answer.status_code == 404
    assert "Такой карточки нет" in answer.text


async def test_install_reaches_the_program_without_the_browser(
    web: httpx.AsyncClient, outbox: list[httpx.Request]
) -> None:
    page = await do(web, "install")
    told = outbox[0].url
    assert (told.host, told.params["from_widget"], told.params["platform"]) == ("hub.example", "1", "1")
    assert told.params["referer"] == HOST.removeprefix("http://")
    assert "программа ответила 200" in page.text


async def test_an_install_that_nobody_heard_is_told_and_not_repeated(
    web: httpx.AsyncClient, outbox: list[httpx.Request], receiver: Callable[[int], None]
) -> None:
    receiver(499)
    page = await do(web, "install")
    assert len(outbox) == 1
    assert "не ответила за 3 секунды" in page.text


async def test_disable_ends_the_tokens_and_tells_the_program(
    web: httpx.AsyncClient, api: httpx.AsyncClient, outbox: list[httpx.Request]
) -> None:
    page = await do(web, "disable")
    assert set(outbox[0].url.params) == {"client_uuid", "account_id", "signature"}
    assert (await api.get("/api/v4/account")).status_code == 401
    assert "Не установлена" in page.text


async def test_a_manager_cannot_install_or_disable(
    sandbox: Sandbox, web: httpx.AsyncClient, outbox: list[httpx.Request]
) -> None:
    maria = next(user for user in sandbox.account.users.values() if not user.is_admin)
    await do(web, "user", user_id=maria.id)
    pages = [await do(web, deed) for deed in ("install", "disable", "long-token")]
    assert all("только администратор" in page.text for page in pages)
    assert outbox == []


async def test_a_long_lived_token_works_for_its_days(
    sandbox: Sandbox, web: httpx.AsyncClient, clock: HandClock
) -> None:
    page = await do(web, "long-token", days="2")
    token = page.text.split('id="token">')[1].split("<")[0]
    badge = {"Authorization": f"Bearer {token}"}
    first = (await web.get("/api/v4/account", headers=badge)).status_code
    clock.forward(3 * 86_400)
    assert (first, (await web.get("/api/v4/account", headers=badge)).status_code) == (200, 401)


async def test_an_account_nobody_has_installed_into_has_a_button_and_no_tokens(clock: HandClock) -> None:
    sandbox = Sandbox(Options(installed=False), clock)
    transport = httpx.ASGITransport(app=sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as web:
        page = (await web.get("/settings/widgets/")).text
    told = sandbox.greeting(HOST)
    assert "Не установлена" in page
    assert (told["access_token"], told["refresh_token"]) == ("", "")
