"""The history: what each change writes, its order, ids and filters."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

EVENTS = "/api/v4/events"


@pytest.fixture
async def won(api: httpx.AsyncClient, clock) -> int:
    """A deal that was made, priced and won, ten seconds apart."""
    made = await api.post("/api/v4/leads", json=[{"name": "Сделка"}])
    number: int = made.json()["_embedded"]["leads"][0]["id"]
    for change in ({"price": 15000}, {"status_id": 142}):
        clock.forward(10)
        await api.patch(f"/api/v4/leads/{number}", json=change)
    return number


async def lines(api: httpx.AsyncClient, query: str = "") -> list[dict[str, object]]:
    answer = await api.get(f"{EVENTS}?{query}")
    if answer.status_code == 204:
        return []
    found: list[dict[str, object]] = answer.json()["_embedded"]["events"]
    return found


async def test_changes_are_told_newest_first_under_sortable_ids(
    api: httpx.AsyncClient, won: int, sandbox: Sandbox
) -> None:
    told = await lines(api)
    assert [one["type"] for one in told] == ["lead_status_changed", "sale_field_changed", "lead_added"]
    assert [one["id"] for one in told] == sorted((str(one["id"]) for one in told), reverse=True)
    assert all(len(str(one["id"])) == 26 for one in told)
    sandbox.dial.turn({"events_order": "asc"})
    assert (await lines(api))[0]["type"] == "lead_added"


async def test_status_and_price_carry_both_sides(api: httpx.AsyncClient, won: int, sandbox: Sandbox) -> None:
    pipeline = sandbox.account.main_pipeline
    status, price, added = await lines(api)
    assert status["value_after"] == [{"lead_status": {"id": 142, "pipeline_id": pipeline.id}}]
    assert status["value_before"] == [{"lead_status": {"id": pipeline.first.id, "pipeline_id": pipeline.id}}]
    assert price["value_after"] == [{"sale_field_value": {"sale": 15000}}]
    assert price["value_before"] == [{"sale_field_value": {"sale": 0}}]
    assert (added["value_before"], added["entity_type"], added["entity_id"]) == ([], "lead", won)


@pytest.mark.parametrize(
    "types",
    [
        "filter[type]=lead_status_changed,sale_field_changed",
        "filter[type][]=lead_status_changed&filter[type][]=sale_field_changed",
    ],
)
async def test_both_list_styles_are_understood(api: httpx.AsyncClient, won: int, types: str) -> None:
    assert len(await lines(api, types)) == 2


async def test_the_filters_are_free(api: httpx.AsyncClient, won: int, sandbox: Sandbox) -> None:
    stage = "filter[value_after][leads_statuses][0]"
    pipeline = sandbox.account.main_pipeline.id
    assert len(await lines(api, "filter[created_at][from]=1767225610")) == 2
    assert len(await lines(api, "filter[created_at][from]=1767225610&filter[created_at][to]=1767225610")) == 1
    assert len(await lines(api, f"filter[entity]=lead&filter[entity_id][]={won}")) == 3
    assert len(await lines(api, f"{stage}[pipeline_id]={pipeline}&{stage}[status_id]=142")) == 1
    assert len(await lines(api, f"filter[created_by][]={sandbox.account.admin.id}")) == 3
    assert await lines(api, "filter[created_by][]=1") == []


async def test_entity_id_needs_exactly_one_entity(api: httpx.AsyncClient, won: int) -> None:
    assert (await api.get(f"{EVENTS}?filter[entity_id][]={won}")).status_code == 400


async def test_a_page_has_at_most_100(api: httpx.AsyncClient) -> None:
    await api.post("/api/v4/leads", json=[{}] * 101)
    first = await api.get(f"{EVENTS}?limit=250")
    assert len(first.json()["_embedded"]["events"]) == 100
    assert "next" in first.json()["_links"]


async def test_one_event_is_read_by_its_id(api: httpx.AsyncClient, won: int) -> None:
    newest = (await lines(api))[0]
    assert (await api.get(f"{EVENTS}/{newest['id']}")).json() == newest
    assert (await api.get(f"{EVENTS}/01h8x")).status_code == 204


async def test_old_lines_are_forgotten_by_switch(api: httpx.AsyncClient, won: int, sandbox: Sandbox, clock) -> None:
    sandbox.dial.turn({"events_days": 0.5})
    clock.forward(43_195)
    assert [one["type"] for one in await lines(api)] == ["lead_status_changed"]


async def test_responsible_name_and_field_changes_are_told(api: httpx.AsyncClient, won: int, sandbox: Sandbox) -> None:
    field = sandbox.account.fields["leads"].by_code("UTM_SOURCE")
    manager = list(sandbox.account.users.values())[1]
    change = {
        "name": "Новое имя",
        "responsible_user_id": manager.id,
        "custom_fields_values": [{"field_id": field.id, "values": [{"value": "yandex"}]}],
    }
    await api.patch(f"/api/v4/leads/{won}", json=change)
    told = {str(one["type"]): one for one in (await lines(api))[:3]}
    assert told["entity_responsible_changed"]["value_after"] == [{"responsible_user": {"id": manager.id}}]
    assert told["name_field_changed"]["value_after"] == [{"name_field_value": {"name": "Новое имя"}}]
    value = told[f"custom_field_{field.id}_value_changed"]["value_after"][0]  # type: ignore[index]
    assert value["custom_field_value"]["text"] == "yandex"


async def test_a_trashed_and_restored_lead_is_told(api: httpx.AsyncClient, web: httpx.AsyncClient, won: int) -> None:
    await web.post("/_sandbox/trash", json={"id": won})
    await web.post("/_sandbox/restore", json={"id": won})
    assert [one["type"] for one in (await lines(api))[:2]] == ["lead_restored", "lead_deleted"]


async def test_types_list_key_number_and_words(api: httpx.AsyncClient) -> None:
    told = (await api.get(f"{EVENTS}/types")).json()["_embedded"]["events_types"]
    assert {"key", "type", "lang"} == set(told[0])
    assert "lead_status_changed" in {one["key"] for one in told}
