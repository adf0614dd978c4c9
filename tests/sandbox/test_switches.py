"""The other reading of each open question: what a turned switch changes."""

import base64
import json
from urllib.parse import parse_qsl

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

LEADS, CONTACTS = "/api/v4/leads", "/api/v4/contacts"
URL = "https://hub.example/amo/hook/9f2c"


def flaw(answer: httpx.Response) -> dict[str, str]:
    told: dict[str, str] = answer.json()["validation-errors"][0]["errors"][0]
    return told


@pytest.fixture
async def lead(api: httpx.AsyncClient) -> int:
    made = await api.post(LEADS, json=[{"name": "Сделка", "price": 150, "tags_to_add": [{"name": "старый"}]}])
    number: int = made.json()["_embedded"]["leads"][0]["id"]
    return number


@pytest.fixture
def forms(sandbox: Sandbox, outbox: list[httpx.Request]):
    """Sends what is due and gives the decoded forms."""

    async def pump() -> list[dict[str, str]]:
        await sandbox.account.sender.pump()
        return [dict(parse_qsl(one.content.decode(), keep_blank_values=True)) for one in outbox]

    return pump


async def test_token_lives_are_settings(sandbox: Sandbox, web: httpx.AsyncClient, clock) -> None:
    sandbox.dial.turn({"access_ttl": 60, "refresh_ttl": 120, "code_ttl": 30})
    keys = sandbox.greeting("http://romashka.test")
    sent = {name: keys[name] for name in ("client_id", "client_secret", "redirect_uri")}
    code = sandbox.account.tokens.new_code(sandbox.account.admin.id)
    clock.forward(60)
    access = await web.get(LEADS, headers={"Authorization": f"Bearer {keys['access_token']}"})
    late = {**sent, "grant_type": "authorization_code", "code": code}
    fresh = {**sent, "grant_type": "refresh_token", "refresh_token": keys["refresh_token"]}
    pair = await web.post("/oauth2/access_token", json=fresh)
    assert access.status_code == 401
    assert (await web.post("/oauth2/access_token", json=late)).status_code == 400
    assert pair.json()["expires_in"] == 60
    clock.forward(120)
    old = {**fresh, "refresh_token": pair.json()["refresh_token"]}
    assert (await web.post("/oauth2/access_token", json=old)).status_code == 401


async def test_token_errors_may_be_html(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"token_error_body": "html"})
    answer = await web.post("/oauth2/access_token", json={})
    assert answer.headers["content-type"] == "text/html"


async def test_a_token_may_carry_only_the_api_domain(sandbox: Sandbox) -> None:
    sandbox.dial.turn({"jwt_claims": "api_domain"})
    middle = str(sandbox.greeting("http://romashka.test")["access_token"]).split(".")[1]
    assert set(json.loads(base64.urlsafe_b64decode(middle + "=="))) == {"jti", "api_domain"}


async def test_the_account_limit_and_the_block_are_settings(sandbox: Sandbox, api: httpx.AsyncClient, clock) -> None:
    sandbox.dial.turn({"limiter": True, "account_rps": 2, "block_after": 3, "block_window": 5})
    sandbox.dial.turn({"block_seconds": 10})
    codes = [(await api.get(LEADS)).status_code for _ in range(6)]
    clock.forward(10)
    assert codes == [204, 204, 429, 429, 429, 403]
    assert (await api.get(LEADS)).status_code == 204


async def test_old_429s_do_not_add_up_to_a_block(sandbox: Sandbox, api: httpx.AsyncClient, clock) -> None:
    sandbox.dial.turn({"limiter": True, "client_rps": 1, "block_after": 2, "block_window": 5})
    for _ in range(3):
        codes = [(await api.get(LEADS)).status_code for _ in range(2)]
        assert codes == [204, 429]
        clock.forward(5)


async def test_markers_may_look_different(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"marker_pattern": r"order-(\d+)"})
    await api.post(LEADS, json=[{"name": "order-17 and order-18"}])
    assert sandbox.ledger.rows[-1].markers == ("17", "18")


async def test_an_account_without_unsorted_refuses_it(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"unsorted_on": False})
    assert (await api.get("/api/v4/account")).json()["is_unsorted_on"] is False
    assert (await api.post(f"{LEADS}/unsorted/sip", json=[{}])).status_code == 403


async def test_the_tariff_may_refuse_webhooks_with_403(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"webhooks_plan": False, "webhooks_plan_status": 403})
    answer = await api.post("/api/v4/webhooks", json={"destination": URL, "settings": ["add_lead"]})
    assert answer.status_code == 403


async def test_newer_accounts_tell_minor_units(sandbox: Sandbox, api: httpx.AsyncClient, lead: int) -> None:
    assert "price_with_minor_units" not in (await api.get(f"{LEADS}/{lead}")).json()
    sandbox.dial.turn({"minor_units_key": True})
    assert (await api.get(f"{LEADS}/{lead}")).json()["price_with_minor_units"] == 15000


async def test_waiting_cards_may_show_in_lists(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"unsorted_listed": True})
    embedded = {"metadata": {"category": "sip"}}
    (made,) = (await api.post(f"{LEADS}/complex", json=[{"_embedded": embedded}])).json()
    assert (await api.get(LEADS)).json()["_embedded"]["leads"][0]["id"] == made["id"]


async def test_trashed_cards_may_show_whole(
    sandbox: Sandbox, api: httpx.AsyncClient, web: httpx.AsyncClient, lead: int
) -> None:
    sandbox.dial.turn({"deleted_reduced": False})
    await web.post("/_sandbox/trash", json={"id": lead})
    shown = (await api.get(f"{LEADS}?with=only_deleted")).json()["_embedded"]["leads"][0]
    assert (shown["name"], shown["is_deleted"]) == ("Сделка", True)


async def test_validation_codes_are_settings(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"missing_key_code": "Required", "patch_missing_code": "Gone"})
    assert flaw(await api.post("/api/v4/tasks", json=[{}]))["code"] == "Required"
    assert flaw(await api.patch(LEADS, json=[{"id": 1}]))["code"] == "Gone"


async def test_merged_items_may_keep_their_own_request_id(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"duplicate_control": True, "merged_request_ids": False})
    phone = [{"field_code": "PHONE", "values": [{"value": "+79161234567"}]}]
    sent = {"_embedded": {"contacts": [{"custom_fields_values": phone}]}}
    await api.post(f"{LEADS}/complex", json=[sent])
    both = await api.post(f"{LEADS}/complex", json=[{**sent, "request_id": "a"}, {**sent, "request_id": "b"}])
    assert [one["request_id"] for one in both.json()] == [["a"], ["b"]]


async def test_reopening_may_keep_closed_at(sandbox: Sandbox, api: httpx.AsyncClient, lead: int) -> None:
    sandbox.dial.turn({"reopening_clears_closed_at": False})
    for status_id in (142, sandbox.account.main_pipeline.first.id):
        await api.patch(f"{LEADS}/{lead}", json={"status_id": status_id})
    assert (await api.get(f"{LEADS}/{lead}")).json()["closed_at"] == 1_767_225_600


@pytest.mark.parametrize(
    ("switch", "sent", "left"),
    [("empty_value_clears", [{"value": ""}], ""), ("empty_array_clears", [], "yandex")],
)
async def test_an_empty_value_may_not_clear(
    sandbox: Sandbox, api: httpx.AsyncClient, lead: int, switch: str, sent: list[object], left: str
) -> None:
    sandbox.dial.turn({switch: False})
    for values in ([{"value": "yandex"}], sent):
        fields = [{"field_code": "UTM_SOURCE", "values": values}]
        await api.patch(f"{LEADS}/{lead}", json={"custom_fields_values": fields})
    shown = (await api.get(f"{LEADS}/{lead}")).json()["custom_fields_values"]
    assert shown[0]["values"] == [{"value": left}]


async def test_both_tag_styles_together_replace_then_add_or_are_refused(
    sandbox: Sandbox, api: httpx.AsyncClient, lead: int
) -> None:
    both = {"_embedded": {"tags": [{"name": "новый"}]}, "tags_to_add": [{"name": "ещё"}]}
    await api.patch(f"{LEADS}/{lead}", json=both)
    shown = (await api.get(f"{LEADS}/{lead}")).json()["_embedded"]["tags"]
    sandbox.dial.turn({"tags_mix": "reject"})
    assert [tag["name"] for tag in shown] == ["новый", "ещё"]
    assert (await api.patch(f"{LEADS}/{lead}", json=both)).status_code == 400


async def test_text_and_name_limits_are_settings(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    long = {"custom_fields_values": [{"field_code": "UTM_TERM", "values": [{"value": "x" * 300}]}]}
    sandbox.dial.turn({"text_limit": 0, "name_limit": 5})
    assert (await api.post(LEADS, json=[long])).status_code == 200
    assert flaw(await api.post(LEADS, json=[{"name": "шестая"}]))["path"] == "name"


async def test_linking_again_may_be_refused(sandbox: Sandbox, api: httpx.AsyncClient, lead: int) -> None:
    sandbox.dial.turn({"link_again": "400"})
    made = await api.post(CONTACTS, json=[{"name": "Иван"}])
    number = made.json()["_embedded"]["contacts"][0]["id"]
    body = [{"to_entity_id": number, "to_entity_type": "contacts"}]
    codes = [(await api.post(f"{LEADS}/{lead}/link", json=body)).status_code for _ in range(2)]
    assert codes == [200, 400]


async def test_a_call_error_may_have_only_a_title(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"calls_error_keys": "title"})
    call = {"direction": "inbound", "duration": 1, "source": "Hub", "phone": "+79161234567"}
    answer = await api.post("/api/v4/calls", json=[call])
    assert answer.json()["errors"] == [{"title": "Entity not found"}]


async def test_a_source_made_again_may_get_a_new_id(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"source_id_returns": False})
    ids = []
    for _ in range(2):
        made = await api.post("/api/v4/sources", json=[{"name": "Сайт", "external_id": "site"}])
        ids.append(made.json()["_embedded"]["sources"][0]["id"])
        await api.request("DELETE", "/api/v4/sources", json=[{"id": ids[-1]}])
    assert ids[0] != ids[1]


async def test_search_by_phone_may_be_absent(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"by_phone": "off"})
    assert (await api.get("/api/v2/search/by_phone?query=9161234567")).status_code == 404


async def test_unsorted_hook_names_may_be_unknown(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    sandbox.dial.turn({"unsorted_hook_names": False})
    answer = await api.post("/api/v4/webhooks", json={"destination": URL, "settings": ["add_unsorted"]})
    assert flaw(answer)["path"] == "settings.0"


@pytest.mark.parametrize(("switch", "count"), [(False, 0), (True, 1)])
async def test_accepting_may_also_tell_of_a_new_lead(
    sandbox: Sandbox, api: httpx.AsyncClient, forms, switch: bool, count: int
) -> None:
    sandbox.dial.turn({"accept_fires_add_lead": switch})
    await api.post("/api/v4/webhooks", json={"destination": URL, "settings": ["add_lead"]})
    await api.post(f"{LEADS}/complex", json=[{"_embedded": {"metadata": {"category": "sip"}}}])
    uid = next(iter(sandbox.account.incoming))
    await api.post(f"{LEADS}/unsorted/{uid}/accept")
    assert len(await forms()) == count


async def test_call_texts_and_scalar_values_have_older_shapes(
    sandbox: Sandbox, api: httpx.AsyncClient, lead: int, forms
) -> None:
    sandbox.dial.turn({"call_text_keys": "lower", "hook_scalar_texts": True})
    await api.post("/api/v4/webhooks", json={"destination": URL, "settings": ["note_lead", "add_contact"]})
    note = {"note_type": "call_in", "params": {"link": "https://x/r.mp3"}}
    await api.post(f"{LEADS}/{lead}/notes", json=[note])
    position = [{"field_code": "POSITION", "values": [{"value": "Директор"}]}]
    await api.post(CONTACTS, json=[{"name": "Иван", "custom_fields_values": position}])
    noted, added = await forms()
    assert json.loads(noted["leads[note][0][note][text]"]) == {"link": "https://x/r.mp3"}
    assert added["contacts[add][0][custom_fields][0][values][0]"] == "Директор"


async def test_the_receivers_time_is_a_setting(
    sandbox: Sandbox, api: httpx.AsyncClient, forms, outbox: list[httpx.Request]
) -> None:
    sandbox.dial.turn({"webhook_timeout": 0.5})
    await api.post("/api/v4/webhooks", json={"destination": URL, "settings": ["add_lead"]})
    await api.post(LEADS, json=[{}])
    await forms()
    assert outbox[0].extensions["timeout"]["read"] == 0.5


@pytest.mark.parametrize("path", [LEADS, "/api/v4/tasks", f"{LEADS}/notes"])
async def test_a_dismissed_user_may_be_refused_as_responsible(
    sandbox: Sandbox, api: httpx.AsyncClient, lead: int, path: str
) -> None:
    user = next(one for one in sandbox.account.users.values() if not one.is_admin)
    user.is_active = False
    task = {"text": "x", "complete_till": 1_800_000_000, "entity_id": lead, "entity_type": "leads"}
    note = {"entity_id": lead, "note_type": "common", "params": {"text": "x"}}
    sent = {LEADS: {"name": "x"}, "/api/v4/tasks": task, f"{LEADS}/notes": note}[path]
    asked = [{**sent, "responsible_user_id": user.id}]
    assert (await api.post(path, json=asked)).status_code == 200
    sandbox.dial.turn({"dismissed_users": "reject"})
    assert flaw(await api.post(path, json=asked))["path"] == "responsible_user_id"
