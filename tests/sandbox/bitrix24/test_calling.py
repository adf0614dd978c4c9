"""Calling a method: addresses, encodings, the envelope, scopes and contexts, limits, faults."""

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import HOST, Rest


@pytest.mark.parametrize("path", ["user.get", "user.get.json", "user.get/", "USER.GET", "user.get.json/"])
async def test_a_method_has_many_spellings(web: httpx.AsyncClient, rest: Rest, path: str) -> None:
    answer = await web.get(f"/rest/{path}", params={"auth": rest.token, "filter[ID]": "6"})
    assert [one["ID"] for one in answer.json()["result"]] == ["6"]


async def test_a_body_may_be_json_a_form_or_multipart(web: httpx.AsyncClient, rest: Rest) -> None:
    tree = {"auth": rest.token, "FILTER": {"ID": 12}}
    flat = {"auth": rest.token, "FILTER[ID]": "12"}
    answers = [
        await web.post("/rest/user.get", json=tree),
        await web.post("/rest/user.get", data=flat),
        await web.post("/rest/user.get", files={name: (None, text) for name, text in flat.items()}),
    ]
    assert [answer.json()["total"] for answer in answers] == [1, 1, 1]


async def test_the_json_body_of_a_get_is_ignored(web: httpx.AsyncClient, rest: Rest) -> None:
    answer = await web.request("GET", "/rest/profile", json={"auth": rest.token})
    assert answer.json()["error"] == "NO_AUTH_FOUND"


async def test_every_reply_tells_its_time(sandbox: Sandbox, rest: Rest) -> None:
    time = (await rest.raw("server.time")).json()["time"]
    assert set(time) == {
        *("start", "finish", "duration", "processing", "date_start", "date_finish"),
        *("operating_reset_at", "operating"),
    }
    assert (time["operating"], time["operating_reset_at"]) == (0.1, int(time["start"]) + 600)
    assert time["date_start"] == "2026-01-01T03:00:00+03:00"


async def test_an_empty_map_is_a_list_and_a_user_field_may_be_an_object(rest: Rest) -> None:
    assert await rest("app.option.get") == []
    assert (await rest("user.current"))["LAST_LOGIN"] == {}


async def test_an_unknown_method_is_404_and_noted(sandbox: Sandbox, rest: Rest, caplog) -> None:
    assert await rest.refused("crm.magic.do") == (404, "ERROR_METHOD_NOT_FOUND")
    assert sandbox.portal.unknown_methods == ["crm.magic.do"]
    assert "unimplemented method crm.magic.do" in caplog.text


async def test_the_third_generation_is_only_an_error_object(web: httpx.AsyncClient) -> None:
    answer = await web.post("/rest/api/tasks.task.add", json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"].startswith("BITRIX_REST_V3_EXCEPTION")


async def test_a_webhook_calls_without_a_token_but_not_what_wants_an_app(
    web: httpx.AsyncClient, keys: dict[str, object]
) -> None:
    hook = str(keys["webhook_url"]).removeprefix(HOST)
    profile = await web.get(f"{hook}profile")
    bind = await web.get(f"{hook}event.get.json")
    wrong = await web.get("/rest/1/wrongcode/profile")
    info = await web.get(f"{hook}app.info")
    assert profile.json()["result"]["ADMIN"] is True
    assert (bind.status_code, bind.json()["error"]) == (403, "WRONG_AUTH_TYPE")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "INVALID_CREDENTIALS")
    assert (info.status_code, info.json()["error"]) == (403, "ACCESS_DENIED")


async def test_a_scope_that_was_not_granted(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.portal.installed.scopes = ("crm",)
    assert await rest.refused("placement.get") == (401, "insufficient_scope")
    assert await rest("scope") == ["crm"]
    assert await rest("method.get", name="placement.get") == {"isExisting": True, "isAvailable": False}
    sandbox.dial.turn({"auth_error_status": 403})
    assert await rest.refused("placement.get") == (403, "insufficient_scope")


async def test_fifty_at_once_and_two_a_second(sandbox: Sandbox, rest: Rest, clock) -> None:
    sandbox.dial.turn({"limiter": True})
    codes = [(await rest.raw("profile")).status_code for _ in range(51)]
    refused = await rest.refused("profile")
    clock.forward(1)
    after = [(await rest.raw("profile")).status_code for _ in range(3)]
    assert codes == [200] * 50 + [503]
    assert refused == (503, "QUERY_LIMIT_EXCEEDED")
    assert after == [200, 200, 503]


async def test_an_enterprise_portal_bears_more(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.dial.turn({"limiter": True, "license": "ent250"})
    assert {(await rest.raw("profile")).status_code for _ in range(250)} == {200}
    assert (await rest.raw("profile")).status_code == 503


async def test_a_method_over_its_operating_time_is_blocked_alone_until_its_minute_drops(
    sandbox: Sandbox, rest: Rest, clock
) -> None:
    sandbox.dial.turn({"limiter": True, "operating_costs": {"profile": 300}})
    reset = [(await rest.raw("profile")).json()["time"]["operating_reset_at"] for _ in range(2)]
    blocked, other = await rest.refused("profile"), await rest.raw("server.time")
    clock.forward(600)
    assert reset == [clock.moment, clock.moment]
    assert blocked == (429, "OPERATION_TIME_LIMIT")
    assert other.status_code == 200
    assert (await rest.raw("profile")).status_code == 200


async def test_a_renamed_portal_sends_the_old_host_elsewhere(web: httpx.AsyncClient, rest: Rest, control) -> None:
    await control("rename", domain="vasilek.test:8802")
    answer = await rest.raw("profile")
    moved = await web.post("http://vasilek.test:8802/rest/profile", json={"auth": rest.token})
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://vasilek.test:8802/rest/profile"
    assert answer.headers["content-type"] == "text/html"
    assert moved.status_code == 200
    assert (await rest("app.info"))["install"]["client_endpoint"] == "http://vasilek.test:8802/rest/"


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [
        ({"plan": "free"}, 403, "ACCESS_DENIED"),
        ({"portal_deleted": True}, 410, "PORTAL_DELETED"),
        ({"mode": "blocked"}, 503, "OVERLOAD_LIMIT"),
        ({"missing_methods": "^profile$"}, 404, "ERROR_METHOD_NOT_FOUND"),
        ({"rates": {"503": 1}}, 503, "QUERY_LIMIT_EXCEEDED"),
        ({"rates": {"429": 1}}, 429, "OPERATION_TIME_LIMIT"),
        ({"rates": {"500": 1}}, 500, "INTERNAL_SERVER_ERROR"),
        ({"rates": {"token_expired": 1}}, 401, "expired_token"),
    ],
)
async def test_the_portal_can_be_made_to_refuse(
    sandbox: Sandbox, rest: Rest, switch: dict[str, object], status: int, code: str
) -> None:
    sandbox.dial.turn(switch)
    assert await rest.refused("profile") == (status, code)


async def test_a_page_instead_of_an_answer(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.dial.turn({"rates": {"html_error": 1}, "html_error_status": 403})
    answer = await rest.raw("profile")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html")


async def test_users_may_be_filtered_by_bare_names(rest: Rest) -> None:
    assert [one["NAME"] for one in await rest("user.get", NAME="Мария")] == ["Мария"]
    assert (await rest.raw("user.get", FILTER={"ACTIVE": True})).json()["total"] == 3


async def test_options_are_kept_apart_for_app_and_user(rest: Rest, maria: Rest) -> None:
    await rest("app.option.set", options={"colour": "red"})
    await maria("user.option.set", options={"colour": "blue"})
    assert await maria("app.option.get", option="colour") == "red"
    assert await maria("user.option.get", option="colour") == "blue"
    assert await rest("user.option.get", option="colour") == ""
    assert await maria.refused("app.option.set", options={"a": 1}) == (403, "ACCESS_DENIED")


async def test_features_of_the_plan(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.dial.turn({"offline_extended": False})
    assert await rest("feature.get", CODE="rest_offline_extended") == {"value": "N"}
    assert await rest.refused("feature.get") == (400, "CODE_EMPTY")
