"""amocrm-api-wrapper, unmodified, over loopback HTTP: history, webhooks, what aioamocrm lacks, tokens and faults.

What the wrapper writes, aioamocrm reads; why, the other file of the wrapper tells.
"""

import gc

import pytest
from aioamocrm import AmoCRMClient, LongLivedToken, NotFoundError
from amocrm_api import AmoOAuthClient
from amocrm_api.errors import AmoException

from tests.sandbox.loopback import Live

HOOK = "http://127.0.0.1:9/hook"
TOKEN = "/oauth2/access_token"


def made(answer: dict[str, dict[str, list[dict[str, int]]]], plural: str) -> list[int]:
    """Ids of an envelope."""
    return [one["id"] for one in answer["_embedded"][plural]]


async def events(amo: AmoCRMClient, **filters: object) -> list[dict[str, object]]:
    """The history, newest first."""
    answer = await amo.request("GET", "events", params={"filter": filters})
    return answer["_embedded"]["events"] if answer else []


async def test_a_won_deal_is_told_in_the_history_with_both_sides(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live, clock
) -> None:
    pipeline = live.sandbox.account.main_pipeline
    (lead,) = made(wrapper.create_leads([{"name": "Звонок", "price": 100}]), "leads")
    clock.forward(60)
    wrapper.update_leads([{"id": lead, "status_id": 142, "price": 15000}])
    sale, status, added = await events(amo, entity=["lead"], entity_id=[lead])
    assert (sale["type"], status["type"], added["type"]) == ("sale_field_changed", "lead_status_changed", "lead_added")
    assert status["value_before"] == [{"lead_status": {"id": pipeline.first.id, "pipeline_id": pipeline.id}}]
    assert status["value_after"] == [{"lead_status": {"id": 142, "pipeline_id": pipeline.id}}]
    assert sale["value_before"] == [{"sale_field_value": {"sale": 100}}]
    assert sale["value_after"] == [{"sale_field_value": {"sale": 15000}}]
    assert (added["value_before"], added["value_after"]) == ([], [])
    assert (status["entity_id"], status["entity_type"], status["created_at"]) == (lead, "lead", int(clock()))
    assert status["_links"] == {"self": {"href": f"{live.api}/events/{status['id']}"}}
    assert status["_embedded"]["entity"] == {"id": lead, "_links": {"self": {"href": f"{live.api}/leads/{lead}"}}}


async def test_the_history_takes_both_spellings_of_a_list_and_a_span(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, clock
) -> None:
    (lead,) = made(wrapper.create_leads([{"name": "Звонок"}]), "leads")
    clock.forward(60)
    wrapper.update_leads([{"id": lead, "status_id": 143, "name": "Тишина"}])
    wanted = ["lead_status_changed", "name_field_changed"]
    bracketed = await events(amo, type=wanted)
    joined = await events(amo, type=",".join(wanted))
    recent = await events(amo, created_at={"from": int(clock()) - 1})
    ids = [one["id"] for one in bracketed]
    assert {one["type"] for one in bracketed} == set(wanted)
    assert [one["id"] for one in joined] == [one["id"] for one in recent] == ids
    assert ids == sorted(ids, reverse=True)
    assert await amo.request("GET", f"events/{ids[0]}") == bracketed[0]


async def test_a_webhook_is_subscribed_to_once_per_destination(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live
) -> None:
    first = wrapper.subscribe_webhook(HOOK, ["add_lead"])
    second = wrapper.subscribe_webhook(HOOK, ["status_lead", "delete_lead"])
    listed = await amo.request("GET", "webhooks", params={"filter": {"destination": HOOK}})
    nobody = await amo.request("GET", "webhooks", params={"filter": {"destination": f"{HOOK}/other"}})
    assert (first["destination"], first["settings"], first["disabled"]) == (HOOK, ["add_lead"], False)
    assert first["account_id"] == live.keys["account_id"]
    assert first["created_by"] == live.sandbox.account.admin.id
    assert (second["id"], second["settings"]) == (first["id"], ["status_lead", "delete_lead"])
    assert (listed["_total_items"], listed["_embedded"]["webhooks"]) == (1, [second])
    assert nobody is None
    assert [row.status for row in live.asked("POST", "/webhooks")] == [201, 201]


async def test_an_unsubscribed_destination_is_unknown(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    wrapper.subscribe_webhook(HOOK, ["add_lead"])
    gone = await amo.request("DELETE", "webhooks", json={"destination": HOOK})
    with pytest.raises(NotFoundError) as unknown:
        await amo.request("DELETE", "webhooks", json={"destination": HOOK})
    assert gone is None
    assert unknown.value.status_code == 404


def test_an_event_nobody_knows_and_a_tariff_without_webhooks_are_refused(wrapper: AmoOAuthClient, live: Live) -> None:
    with pytest.raises(AmoException) as unknown:
        wrapper.subscribe_webhook(HOOK, ["add_lead", "lost_lead"])
    live.sandbox.dial.turn({"webhooks_plan": False})
    with pytest.raises(AmoException) as poor:
        wrapper.subscribe_webhook(HOOK, ["add_lead"])
    (flawed,) = unknown.value.error_data["validation-errors"]
    assert (unknown.value.code, flawed["errors"][0]["path"]) == (400, "settings.1")
    assert poor.value.code == 402


async def test_a_known_tag_keeps_its_id_and_is_found_by_name(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    tags = [{"name": "calltracking", "request_id": "t1"}, {"name": "site"}]
    answer = wrapper.add_tags_for_entity_type("leads", tags)
    again = wrapper.add_tags_for_entity_type("leads", [{"name": "calltracking"}])
    found = await amo.request("GET", "leads/tags", params={"query": "SITE"})
    told = {one["name"]: one["request_id"] for one in answer["_embedded"]["tags"]}
    assert told == {"calltracking": "t1", "site": "1"}
    assert made(again, "tags") == made(answer, "tags")[:1]
    assert made(found, "tags") == made(answer, "tags")[1:]


async def test_a_note_is_rewritten_in_both_ways(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    (lead,) = made(wrapper.create_leads([{"name": "Звонок"}]), "leads")
    said = {"note_type": "common", "params": {"text": "Первый"}}
    (note,) = made(wrapper.create_entity_note("leads", [said], lead), "notes")
    one = wrapper.update_entity_note("leads", lead, note, {"note_type": "common", "params": {"text": "Второй"}})
    second = await amo.leads.notes.get(note, entity_id=lead)
    change = {"id": note, "note_type": "common", "params": {"text": "Третий"}}
    many = wrapper.update_entity_many_notes("leads", [change], lead)
    third = await amo.leads.notes.get(note, entity_id=lead)
    assert (one["id"], one["entity_id"], made(many, "notes")) == (note, lead, [note])
    assert (second.text, third.text) == ("Второй", "Третий")


async def test_a_field_of_ours_lives_in_a_group_of_ours(amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live) -> None:
    groups = wrapper.create_leads_custom_field_groups([{"name": "Коллтрекинг", "sort": 4}])
    group = groups["_embedded"]["custom_field_groups"][0]
    sent = {"type": "text", "name": "ID звонка (hub)", "code": "HUB_CALL_ID", "sort": 600, "is_api_only": True}
    sent["group_id"] = group["id"]
    (field,) = made(wrapper.create_leads_custom_fields([sent]), "custom_fields")
    wrapper.update_leads_custom_fields([{"id": field, "name": "ID звонка"}])
    wrapper.update_leads_custom_field_group(group["id"], {"name": "Звонки"})
    known = await amo.leads.custom_fields.get(field)
    renamed = await amo.request("GET", f"leads/custom_fields/groups/{group['id']}")
    assert str(group["id"]).startswith("leads_")
    assert (group["type"], group["entity_type"], group["is_predefined"]) == ("custom_field_group", "leads", False)
    assert (known.code, known.name, known.sort, known.group_id) == ("HUB_CALL_ID", "ID звонка", 600, group["id"])
    assert (known.is_api_only, known.is_predefined, known.is_deletable) == (True, False, True)
    assert renamed["name"] == "Звонки"
    assert [row.status for row in live.asked("POST")] == [201, 201]
    assert await amo.request("DELETE", f"leads/custom_fields/{field}") is None


async def test_a_marker_in_a_field_of_ours_is_found_by_query(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    wrapper.create_leads_custom_fields([{"type": "text", "name": "ID", "code": "HUB_CALL_ID"}])
    values = [{"field_code": "HUB_CALL_ID", "values": [{"value": "hub:7f3a-41c8"}]}]
    wrapper.create_leads([{"name": "Другой"}])
    (lead,) = made(wrapper.create_leads([{"name": "Звонок", "custom_fields_values": values}]), "leads")
    assert [one.id async for one in amo.leads.iterate(query="7f3a-41c8")] == [lead]


async def test_a_task_is_closed_with_a_result(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    (task,) = made(wrapper.add_tasks([{"text": "Перезвонить", "complete_till": 1_767_229_200}]), "tasks")
    wrapper.execution_task(task, True, "Дозвонились")
    known = await amo.tasks.get(task)
    assert (known.is_completed, known.result.text) == (True, "Дозвонились")


async def test_links_are_made_from_the_side_that_may_make_them(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    (lead,) = made(wrapper.create_leads([{"name": "Звонок"}]), "leads")
    (company,) = made(wrapper.create_companies([{"name": "ООО"}]), "companies")
    (contact,) = made(wrapper.create_contacts([{"name": "Иван"}]), "contacts")
    wrapper.link_companies_entity(company, [{"to_entity_id": lead, "to_entity_type": "leads"}])
    wrapper.link_contacts_entity(contact, [{"to_entity_id": company, "to_entity_type": "companies"}])
    with pytest.raises(AmoException) as refused:
        wrapper.link_contacts_entity(contact, [{"to_entity_id": lead, "to_entity_type": "leads"}])
    linked = {link.to_entity_type: link.to_entity_id for link in await amo.companies.links(company)}
    assert linked == {"leads": lead, "contacts": contact}
    assert refused.value.error_data["validation-errors"][0]["errors"][0]["path"] == "to_entity_type"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("create_loss_reasons", [[{"name": "Дорого"}]]),
        ("create_pipeline", ["Продажи", 1, False, []]),
    ],
)
def test_the_wrapper_writes_what_the_sheet_only_reads(
    wrapper: AmoOAuthClient, method: str, arguments: list[object]
) -> None:
    """Sheet 3.1: loss reasons and pipelines have GET alone, and 5.4 answers another method with 405."""
    with pytest.raises(AmoException) as refused:
        getattr(wrapper, method)(*arguments)
    assert (refused.value.code, refused.value.error_data["title"]) == (405, "Method Not Allowed")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_spent_token_is_renewed_and_the_new_pair_is_handed_over(live: Live, clock) -> None:
    kept: list[tuple[str, str]] = []
    names = ("access_token", "refresh_token", "client_id", "client_secret", "redirect_uri")
    mine = {name: live.keys[name] for name in names}
    wrapper = AmoOAuthClient(crm_url=live.base_url, **mine, token_store=lambda *pair: kept.append(pair))
    clock.forward(86_400)
    (lead,) = made(wrapper.create_leads([{"name": "Звонок"}]), "leads")
    wrapper.close()
    gc.collect()  # the wrapper drops its first session without closing it
    async with AmoCRMClient(auth=LongLivedToken(kept[0][0]), base_url=live.base_url) as amo:
        assert (await amo.leads.get(lead)).name == "Звонок"
    assert kept == [(wrapper.access_token, wrapper.refresh_token)]
    assert kept[0][1] != live.keys["refresh_token"]
    asked = [(row.path, row.status) for row in live.asked("POST")]
    assert asked == [("/api/v4/leads", 401), (TOKEN, 200), ("/api/v4/leads", 200)]


def test_a_dead_refresh_token_is_told_with_its_hint(live: Live, wrapper: AmoOAuthClient) -> None:
    live.sandbox.account.tokens.revoke()
    with pytest.raises(AmoException) as refused:
        wrapper.update_tokens()
    assert (refused.value.code, refused.value.error_data["hint"]) == (401, "Token has been revoked")


async def test_a_429_is_waited_for_and_the_write_comes_through_once(
    live: Live, amo: AmoCRMClient, wrapper: AmoOAuthClient
) -> None:
    live.sandbox.dial.turn({"prescription": {"7f3a": ["429", "429"]}})
    wrapper.create_leads([{"name": "hub:7f3a"}])
    assert [row.status for row in live.asked("POST")] == [429, 429, 200]
    assert [lead.name for lead in await amo.leads.get_page()] == ["hub:7f3a"]


async def test_the_wrapper_makes_two_leads_of_one_after_a_504(
    live: Live, amo: AmoCRMClient, wrapper: AmoOAuthClient
) -> None:
    """Sheet 5.4 and 6: after a 504 the write may have happened, so look first; the wrapper sends it again."""
    live.sandbox.dial.turn({"prescription": {"7f3a": ["504_after_commit"]}})
    wrapper.create_leads([{"name": "hub:7f3a"}])
    assert [lead.name for lead in await amo.leads.get_page()] == ["hub:7f3a", "hub:7f3a"]


def test_the_wrapper_takes_the_page_of_a_block_for_a_broken_server(live: Live, wrapper: AmoOAuthClient) -> None:
    """Sheet 2: a block is 403 with HTML; the wrapper fails on the HTML and tells 500."""
    live.sandbox.dial.turn({"mode": "blocked"})
    with pytest.raises(AmoException) as refused:
        wrapper.create_leads([{"name": "Звонок"}])
    assert refused.value.code == 500
    assert [row.status for row in live.asked()] == [403]
