"""Nonsense in every parameter of every method is answered, never a crash; forms, brackets and bodies that are none."""

from typing import Any

import httpx
import pytest
from starlette.routing import Route

from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.methods import METHODS
from tests.sandbox.bitrix24.conftest import Rest

NONSENSE: tuple[Any, ...] = (
    *("", "x", "1e999", "💥"),
    *(None, True, -1, 1.5, 10**30),
    *([], [None], [{}], {"": ""}, {"0": {"0": []}}, {"n0": 1}),
)
PARAMETERS = (
    *("entityTypeId", "id", "ID", "fields", "FIELDS", "filter", "FILTER", "order", "ORDER", "SORT", "select", "start"),
    *("cmd", "halt", "type", "values", "entity_type", "params", "entityIds", "items", "data", "TRACE", "ENTITIES"),
    *("event", "handler", "auth_type", "event_type", "PLACEMENT", "HANDLER", "OPTIONS", "LANG_ALL", "USER_ID", "TITLE"),
    *("CALL_ID", "PHONE_NUMBER", "TYPE", "CALL_START_DATE", "DURATION", "FILENAME", "FILE_CONTENT", "MESSAGES", "COST"),
    *("NUMBER", "NAME", "CODE", "OWNER_TYPE_ID", "OWNER_ID", "ownerTypeId", "ownerId", "deadline", "layout"),
    *("moduleId", "field", "entityId", "activityId", "productRows", "ownerType", "taskId", "options", "option"),
    *("process_id", "message_id", "limit", "clear", "error", "name", "SCOPE", "FULL", "auth_connector", "VOTE"),
)
FIELDS = (
    *("title", "stageId", "categoryId", "opportunity", "contactId", "contactIds", "companyId", "fm", "closedate"),
    *("assignedById", "observers", "parentId2", "sourceId", "TITLE", "PHONE", "EMAIL", "STAGE_ID", "OPPORTUNITY"),
    *("ENTITY_ID", "ENTITY_TYPE", "COMMENT", "COMMUNICATIONS", "START_TIME", "TYPE_ID", "OWNER_ID", "RESPONSIBLE_ID"),
    *("FIELD_NAME", "USER_TYPE_ID", "LIST", "SETTINGS", "EDIT_FORM_LABEL", "SORT", "STATUS_ID", "NAME", "DEADLINE"),
)
FAIR = {200, 400, 403, 404, 405}


@pytest.fixture
async def things(rest: Rest) -> dict[str, Any]:
    """One object of a kind, a call and a user field, so that nonsense meets something."""
    await rest(
        "crm.deal.userfield.add", fields={"FIELD_NAME": "A", "USER_TYPE_ID": "enumeration", "LIST": [{"VALUE": 1}]}
    )
    deal = await rest("crm.deal.add", fields={"TITLE": "x"})
    told = {"USER_ID": 6, "PHONE_NUMBER": "+79991112233", "TYPE": 2}
    call = await rest("telephony.externalcall.register", **told)
    return {
        "entityTypeId": 2,
        "id": deal,
        "ENTITY_ID": deal,
        "CALL_ID": call["CALL_ID"],
        "USER_ID": 6,
        "moduleId": "crm",
    }


@pytest.mark.parametrize("junk", NONSENSE, ids=repr)
async def test_nonsense_in_every_parameter(rest: Rest, things: dict[str, Any], junk: Any) -> None:
    for method in METHODS:
        answer = await rest.raw(method, **{**dict.fromkeys(PARAMETERS, junk), **things})
        assert answer.status_code in FAIR, (method, answer.text)


@pytest.mark.parametrize("junk", NONSENSE, ids=repr)
async def test_nonsense_in_every_field(rest: Rest, things: dict[str, Any], junk: Any) -> None:
    for method in METHODS:
        fields = dict.fromkeys(FIELDS, junk)
        answer = await rest.raw(
            method, **{**things, "fields": fields, "filter": {f">={name}": junk for name in FIELDS}}
        )
        assert answer.status_code in FAIR, (method, answer.text)


@pytest.mark.parametrize("name", FIELDS)
async def test_each_field_alone_with_an_owner_that_is_there(rest: Rest, things: dict[str, Any], name: str) -> None:
    owner = {
        "ENTITY_ID": things["id"],
        "ENTITY_TYPE": "deal",
        "OWNER_TYPE_ID": 2,
        "OWNER_ID": things["id"],
        "TYPE_ID": 1,
    }
    for method in ("crm.item.update", "crm.activity.add", "crm.contact.add"):
        for junk in NONSENSE:
            answer = await rest.raw(method, **{**things, "fields": {**owner, name: junk}})
            assert answer.status_code in FAIR, (method, junk, answer.text)


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 2000])
async def test_a_body_that_is_no_object_is_no_authorization(web: httpx.AsyncClient, body: bytes) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await web.post("/rest/profile", content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]) == (401, "NO_AUTH_FOUND")


@pytest.mark.parametrize(
    "command", ["", "?", "profile?[[]]=1&a[=2", "$result[a]", "profile?a=$result[][][x]", "a" * 5000, "/rest/profile"]
)
async def test_a_command_of_a_batch_that_is_none(rest: Rest, command: str) -> None:
    told = await rest("batch", cmd={"a": command, "b": "profile"})
    assert "b" in told["result"]


@pytest.mark.parametrize(
    "path", ["/rest/", "/rest/1/2/3/4", "/rest/..", "/rest/a/b", "/oauth/", "/nothing", "/rest//profile"]
)
async def test_a_path_that_leads_nowhere(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.post(path, json={})).status_code == 404


async def test_control_doors_refuse_nonsense_with_a_sentence(web: httpx.AsyncClient, sandbox: Sandbox) -> None:
    routes = [route for route in sandbox.app.routes if isinstance(route, Route) and "POST" in (route.methods or ())]
    doors = [route.path for route in routes if route.path.startswith("/_sandbox/")]
    for path in doors:
        for junk in ({"id": "x", "user_id": 99, "method": 5, "domain": [], "forward": "x", "phone": None}, [], "x"):
            answer = await web.post(path, json=junk)
            assert answer.status_code in {200, 400}, (path, answer.text)
