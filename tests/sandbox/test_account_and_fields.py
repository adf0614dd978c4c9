"""Account, users, pipelines, custom fields, groups, sources."""

import httpx
import pytest

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox

FIELDS = "/api/v4/leads/custom_fields"
TRACKING = [
    *("UTM_CONTENT", "UTM_MEDIUM", "UTM_CAMPAIGN", "UTM_SOURCE", "UTM_TERM", "UTM_REFERRER", "ROISTAT"),
    *("REFERRER", "OPENSTAT_SERVICE", "OPENSTAT_CAMPAIGN", "OPENSTAT_AD", "OPENSTAT_SOURCE", "FROM"),
    *("GCLIENTID", "_YM_UID", "_YM_COUNTER", "GCLID", "YCLID", "FBCLID"),
]


async def test_the_account_tells_the_filter_option_only_when_asked(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    plain = (await api.get("/api/v4/account")).json()
    asked = (await api.get("/api/v4/account?with=is_api_filter_enabled,datetime_settings,task_types")).json()
    assert "is_api_filter_enabled" not in plain
    assert asked["is_api_filter_enabled"] is False
    assert asked["_embedded"]["datetime_settings"]["date_formant"] == "d.m.Y"
    assert (plain["currency"], plain["current_user_id"]) == ("RUB", sandbox.account.admin.id)


async def test_users_are_for_admins(api: httpx.AsyncClient, maria: httpx.AsyncClient) -> None:
    told = (await api.get("/api/v4/users?with=phone_number")).json()
    refused = await maria.get("/api/v4/users")
    assert (told["_total_items"], told["_page"], told["_page_count"]) == (3, 1, 1)
    assert [one["rights"]["is_admin"] for one in told["_embedded"]["users"]] == [True, False, False]
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")


async def test_every_pipeline_has_unsorted_won_and_lost(api: httpx.AsyncClient) -> None:
    told = (await api.get("/api/v4/leads/pipelines")).json()
    pipelines = told["_embedded"]["pipelines"]
    assert told["_total_items"] == 2
    for pipeline in pipelines:
        statuses = pipeline["_embedded"]["statuses"]
        assert [one["type"] for one in statuses].count(1) == 1
        assert {142, 143} <= {one["id"] for one in statuses}


async def test_an_unknown_pipeline_is_404_pipeline_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v4/leads/pipelines/1")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Pipeline not found")


async def test_a_renamed_stage_shows_at_once(api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox) -> None:
    main = sandbox.account.main_pipeline
    await web.post("/_sandbox/pipeline", json={"id": main.id, "stages": {"142": "Оплачено"}})
    told = (await api.get(f"/api/v4/leads/pipelines/{main.id}/statuses/142")).json()
    assert told["name"] == "Оплачено"


async def test_a_stage_that_holds_no_deal_can_be_deleted(
    api: httpx.AsyncClient, web: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    main = sandbox.account.main_pipeline
    first, second = [stage for stage in main.stages if stage.is_editable][:2]
    await api.post("/api/v4/leads", json=[{"name": "x", "status_id": first.id}])
    gone = {"id": main.id, "delete_stage": second.id}
    assert (await web.post("/_sandbox/pipeline", json=gone)).status_code == 200
    assert (await web.post("/_sandbox/pipeline", json=gone)).status_code == 400
    for kept in (first.id, 142, main.unsorted.id):
        assert (await web.post("/_sandbox/pipeline", json={"id": main.id, "delete_stage": kept})).status_code == 400
    answer = await api.post("/api/v4/leads", json=[{"name": "x", "pipeline_id": main.id, "status_id": second.id}])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "status_id"


async def test_nineteen_tracking_fields_have_their_codes_in_order(api: httpx.AsyncClient) -> None:
    told = (await api.get(f"{FIELDS}?filter[type][]=tracking_data&limit=250")).json()
    assert [one["code"] for one in told["_embedded"]["custom_fields"]] == TRACKING
    assert told["_total_items"] == 19


async def test_field_lists_are_paged_with_a_last_link(api: httpx.AsyncClient) -> None:
    told = (await api.get(f"{FIELDS}?limit=10&page=1")).json()
    assert told["_page_count"] == 2
    assert told["_links"]["next"]["href"].endswith("limit=10&page=2")
    assert told["_links"]["last"]["href"].endswith("limit=10&page=2")


async def test_contacts_have_position_phone_and_email(api: httpx.AsyncClient) -> None:
    told = (await api.get("/api/v4/contacts/custom_fields")).json()
    assert [one["code"] for one in told["_embedded"]["custom_fields"]] == ["POSITION", "PHONE", "EMAIL"]


async def test_ids_differ_per_account_but_not_per_start(sandbox: Sandbox, clock) -> None:
    same = Sandbox(Options(), clock)
    other = Sandbox(Options(seed=2), clock)
    first = [set(one.account.fields["leads"].by_id) for one in (sandbox, same, other)]
    assert first[0] == first[1]
    assert first[0] != first[2]


async def test_a_new_field_is_201_and_is_written_by_its_code(api: httpx.AsyncClient) -> None:
    group = await api.post(f"{FIELDS}/groups", json=[{"name": "Коллтрекинг", "sort": 4}])
    group_id = group.json()["_embedded"]["custom_field_groups"][0]["id"]
    field = {
        "type": "text",
        "name": "ID звонка (hub)",
        "code": "HUB_CALL_ID",
        "group_id": group_id,
        "is_api_only": True,
    }
    made = await api.post(FIELDS, json=[field])
    values = [{"field_code": "HUB_CALL_ID", "values": [{"value": "hub:7f3a"}]}]
    lead = await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    assert (group.status_code, made.status_code) == (201, 201)
    assert group_id.startswith("leads_")
    assert made.json()["_embedded"]["custom_fields"][0]["is_api_only"] is True
    assert lead.status_code == 200


async def test_a_used_code_is_refused_unless_the_switch_allows_it(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    field = {"type": "text", "name": "x", "code": "HUB_CALL_ID"}
    await api.post(FIELDS, json=[field])
    refused = await api.post(FIELDS, json=[field])
    sandbox.dial.turn({"field_code_unique": False})
    assert (refused.status_code, (await api.post(FIELDS, json=[field])).status_code) == (400, 201)


async def test_a_contact_field_with_a_code_fails_by_switch(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"contact_field_code_fails": True})
    path = "/api/v4/contacts/custom_fields"
    with_code = await api.post(path, json=[{"type": "text", "name": "x", "code": "HUB"}])
    without = await api.post(path, json=[{"type": "text", "name": "x"}])
    assert (with_code.status_code, without.status_code) == (400, 201)


async def test_a_manager_cannot_make_fields(maria: httpx.AsyncClient) -> None:
    assert (await maria.post(FIELDS, json=[{"type": "text", "name": "x"}])).status_code == 403


async def test_a_deleted_tracking_field_makes_later_writes_fail(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    field = sandbox.account.fields["leads"].by_code("UTM_TERM")
    deleted = await api.delete(f"{FIELDS}/{field.id}")
    values = [{"field_code": "UTM_TERM", "values": [{"value": "x"}]}]
    later = await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    assert (deleted.status_code, later.status_code) == (204, 400)


@pytest.mark.parametrize(
    ("type_", "written", "read"),
    [
        ("numeric", {"value": 123}, {"value": "123"}),
        ("checkbox", {"value": True}, {"value": True}),
        ("date", {"value": "2026-01-01T00:00:00+00:00"}, {"value": 1_767_225_600}),
        ("date_time", {"value": 1_767_225_600}, {"value": 1_767_225_600}),
        ("textarea", {"value": "длинный " * 100}, {"value": "длинный " * 100}),
    ],
)
async def test_a_value_reads_back_in_its_own_shape(
    api: httpx.AsyncClient, type_: str, written: dict[str, object], read: dict[str, object]
) -> None:
    await api.post(FIELDS, json=[{"type": type_, "name": "x", "code": "X"}])
    values = [{"field_code": "X", "values": [written]}]
    await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    lead = (await api.get("/api/v4/leads")).json()["_embedded"]["leads"][0]
    assert lead["custom_fields_values"][0]["values"] == [read]


@pytest.mark.parametrize("key", ["enum_id", "value", "enum_code"])
async def test_a_select_is_written_by_id_text_or_code(api: httpx.AsyncClient, key: str) -> None:
    enums = [{"value": "Розница", "code": "RETAIL"}, {"value": "Опт", "code": "BULK"}]
    made = await api.post(FIELDS, json=[{"type": "select", "name": "Тип", "code": "KIND", "enums": enums}])
    bulk = made.json()["_embedded"]["custom_fields"][0]["enums"][1]
    said = {"enum_id": bulk["id"], "value": "Опт", "enum_code": "BULK"}[key]
    values = [{"field_code": "KIND", "values": [{key: said}]}]
    await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    lead = (await api.get("/api/v4/leads")).json()["_embedded"]["leads"][0]
    assert lead["custom_fields_values"][0]["values"] == [{"value": "Опт", "enum_id": bulk["id"], "enum_code": "BULK"}]


async def test_a_select_value_not_in_the_list_names_its_path(api: httpx.AsyncClient) -> None:
    enums = [{"value": "Розница"}]
    await api.post(FIELDS, json=[{"type": "select", "name": "Тип", "code": "KIND", "enums": enums}])
    values = [{"field_code": "KIND", "values": [{"value": "Опт"}]}]
    answer = await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    flaw = answer.json()["validation-errors"][0]["errors"][0]
    assert (flaw["code"], flaw["path"]) == ("NotSupportedChoice", "custom_fields_values.0.values.0.value")


async def test_a_long_tracking_value_is_refused_or_cut_by_switch(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    values = [{"field_code": "UTM_CONTENT", "values": [{"value": "x" * 257}]}]
    refused = await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    sandbox.dial.turn({"over_text_limit": "truncate"})
    await api.post("/api/v4/leads", json=[{"custom_fields_values": values}])
    lead = (await api.get("/api/v4/leads")).json()["_embedded"]["leads"][0]
    assert refused.status_code == 400
    assert len(lead["custom_fields_values"][0]["values"][0]["value"]) == 256


async def test_a_source_is_keyed_by_its_external_id(api: httpx.AsyncClient) -> None:
    source = {"name": "Сайт", "external_id": "site-main"}
    empty = await api.get("/api/v4/sources")
    made = (await api.post("/api/v4/sources", json=[source])).json()
    twice = await api.post("/api/v4/sources", json=[source])
    found = await api.get("/api/v4/sources?filter[external_id][]=site-main")
    assert empty.status_code == 204
    assert made["_total_items"] == 1
    assert twice.status_code == 400
    assert found.json()["_embedded"]["sources"][0]["id"] == made["_embedded"]["sources"][0]["id"]


async def test_deleting_an_unknown_source_has_its_own_error_shape(api: httpx.AsyncClient) -> None:
    answer = await api.request("DELETE", "/api/v4/sources", json=[{"id": 1}])
    told = answer.json()
    assert answer.status_code == 400
    assert "validation-errors" not in told
    assert told["errors"][0]["errors"]["code"] == "EntityNotFound"
    assert told["detail"] == "Invalid request items"


async def test_a_source_made_again_gets_its_old_id_back(api: httpx.AsyncClient) -> None:
    source = {"name": "Сайт", "external_id": "site-main"}
    first = (await api.post("/api/v4/sources", json=[source])).json()["_embedded"]["sources"][0]["id"]
    deleted = await api.request("DELETE", "/api/v4/sources", json=[{"id": first}])
    second = (await api.post("/api/v4/sources", json=[source])).json()["_embedded"]["sources"][0]["id"]
    assert (deleted.status_code, second) == (204, first)
