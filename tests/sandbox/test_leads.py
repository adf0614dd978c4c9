"""Leads: envelopes, empty answers, paging, writes and their validation."""

import httpx

from sandbox.amocrm.app import Sandbox

HOST = "http://romashka.test:8801"
LEADS = "/api/v4/leads"


async def add(api: httpx.AsyncClient, **lead: object) -> int:
    answer = await api.post(LEADS, json=[lead or {"name": "Звонок"}])
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["_embedded"]["leads"][0]["id"]
    return number


async def read(api: httpx.AsyncClient, number: int, query: str = "") -> dict[str, object]:
    found: dict[str, object] = (await api.get(f"{LEADS}/{number}{query}")).json()
    return found


async def test_an_empty_list_is_204_without_a_body(api: httpx.AsyncClient) -> None:
    answer = await api.get(LEADS)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_missing_lead_is_204_not_404(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{LEADS}/1")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_new_lead_answers_id_request_id_and_link_with_the_asked_host(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, json=[{"name": "Звонок", "request_id": "call-7f3a"}])
    lead = answer.json()["_embedded"]["leads"][0]
    assert answer.headers["content-type"] == "application/hal+json"
    assert lead["request_id"] == "call-7f3a"
    assert lead["_links"]["self"]["href"] == f"{HOST}{LEADS}/{lead['id']}"
    assert answer.json()["_links"]["self"]["href"] == f"{HOST}{LEADS}"


async def test_request_id_defaults_to_the_index_as_text(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, json=[{}, {"name": "Второй"}])
    assert [lead["request_id"] for lead in answer.json()["_embedded"]["leads"]] == ["0", "1"]


async def test_a_lead_without_status_goes_to_the_first_stage_of_the_main_pipeline(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    lead = await read(api, await add(api))
    main = sandbox.account.main_pipeline
    assert (lead["pipeline_id"], lead["status_id"]) == (main.id, main.first.id)


async def test_a_lead_shows_null_for_no_custom_fields(api: httpx.AsyncClient) -> None:
    lead = await read(api, await add(api))
    assert lead["custom_fields_values"] is None


async def test_contacts_are_embedded_only_when_asked(api: httpx.AsyncClient) -> None:
    number = await add(api)
    assert "contacts" not in (await read(api, number))["_embedded"]  # type: ignore[operator]
    assert (await read(api, number, "?with=contacts"))["_embedded"]["contacts"] == []  # type: ignore[index]


async def test_winning_sets_closed_at_and_reopening_clears_it(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: object
) -> None:
    number = await add(api, name="Сделка", price=15000)
    await api.patch(f"{LEADS}/{number}", json={"status_id": 142})
    assert (await read(api, number))["closed_at"] == int(sandbox.account.now())
    await api.patch(f"{LEADS}/{number}", json={"status_id": sandbox.account.main_pipeline.first.id})
    assert (await read(api, number))["closed_at"] is None


async def test_patch_changes_only_what_was_sent(api: httpx.AsyncClient) -> None:
    number = await add(api, name="Сделка", price=15000, tags_to_add=[{"name": "calltracking"}])
    await api.patch(f"{LEADS}/{number}", json={"price": 20000})
    lead = await read(api, number)
    assert (lead["name"], lead["price"]) == ("Сделка", 20000)
    assert [tag["name"] for tag in lead["_embedded"]["tags"]] == ["calltracking"]  # type: ignore[index]


async def test_patch_of_an_array_answers_updated_at_in_the_envelope(api: httpx.AsyncClient) -> None:
    number = await add(api)
    answer = await api.patch(LEADS, json=[{"id": number, "price": 1}])
    lead = answer.json()["_embedded"]["leads"][0]
    assert (lead["id"], lead["request_id"]) == (number, "0")
    assert lead["updated_at"] == 1_767_225_600


async def test_patch_of_one_answers_the_bare_lead(api: httpx.AsyncClient) -> None:
    number = await add(api)
    answer = await api.patch(f"{LEADS}/{number}", json={"price": 1})
    assert answer.json()["id"] == number
    assert "_embedded" not in answer.json()


async def test_an_unknown_field_refuses_the_whole_batch_with_its_path(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    bad = {"request_id": "bad", "custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}]}
    answer = await api.post(LEADS, json=[{"name": "Хорошая"}, bad])
    told = answer.json()["validation-errors"]
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["request_id"] for one in told] == ["bad"]
    assert told[0]["errors"][0]["code"] == "NotSupportedChoice"
    assert told[0]["errors"][0]["path"] == "custom_fields_values.0.field_id"
    assert not sandbox.account.store.shelves["leads"].cards


async def test_an_unknown_field_code_names_field_code(api: httpx.AsyncClient) -> None:
    bad = {"custom_fields_values": [{"field_code": "NO_SUCH", "values": [{"value": "x"}]}]}
    answer = await api.post(LEADS, json=[bad])
    path = answer.json()["validation-errors"][0]["errors"][0]["path"]
    assert path == "custom_fields_values.0.field_code"


async def test_a_status_as_text_is_an_invalid_type(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, json=[{"status_id": "142"}])
    assert answer.json()["validation-errors"][0]["errors"][0] == {
        "code": "InvalidType",
        "path": "status_id",
        "detail": "This value should be of type int.",
    }


async def test_a_status_of_another_pipeline_needs_its_pipeline(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    number = await add(api)
    other = list(sandbox.account.pipelines.values())[1]
    alone = await api.patch(f"{LEADS}/{number}", json={"status_id": other.first.id})
    both = await api.patch(f"{LEADS}/{number}", json={"status_id": other.first.id, "pipeline_id": other.id})
    assert alone.json()["validation-errors"][0]["errors"][0]["path"] == "status_id"
    assert both.status_code == 200


async def test_an_empty_array_is_400(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, json=[])
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Request data can not be empty"


async def test_bad_json_is_400(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, content=b'[{"name":')
    assert answer.status_code == 400


async def test_251_leads_are_422(api: httpx.AsyncClient) -> None:
    answer = await api.post(LEADS, json=[{}] * 251)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Limit 250 per page"


async def test_with_partial_batches_the_good_half_is_stored(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"partial_batches": True})
    answer = await api.post(LEADS, json=[{"name": "Хорошая"}, {"price": "дорого"}])
    assert answer.status_code == 400
    assert [card.name for card in sandbox.account.store.shelves["leads"].cards.values()] == ["Хорошая"]


async def test_patch_of_an_unknown_id_in_an_array_is_a_flaw_of_its_item(api: httpx.AsyncClient) -> None:
    answer = await api.patch(LEADS, json=[{"id": 1, "price": 1}])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "id"


async def test_patch_of_one_unknown_id_is_404_or_400_by_switch(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    by_default = await api.patch(f"{LEADS}/1", json={"price": 1})
    sandbox.dial.turn({"patch_missing_single": 400})
    switched = await api.patch(f"{LEADS}/1", json={"price": 1})
    assert (by_default.status_code, switched.status_code) == (404, 400)


async def test_delete_is_not_allowed(api: httpx.AsyncClient) -> None:
    answer = await api.delete(f"{LEADS}/1")
    assert answer.status_code == 405


async def test_the_last_page_has_no_next_and_the_page_after_it_is_204(api: httpx.AsyncClient) -> None:
    await api.post(LEADS, json=[{}] * 3)
    first, second, third = [await api.get(LEADS, params={"limit": 2, "page": page}) for page in (1, 2, 3)]
    assert first.json()["_links"]["next"]["href"] == f"{HOST}{LEADS}?limit=2&page=2"
    assert "next" not in second.json()["_links"]
    assert third.status_code == 204


async def test_next_on_full_page_leads_to_an_empty_page(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"next_on_full_page": True})
    await api.post(LEADS, json=[{}] * 2)
    answer = await api.get(LEADS, params={"limit": 2})
    following = await api.get(answer.json()["_links"]["next"]["href"])
    assert following.status_code == 204


async def test_next_keeps_the_order_and_the_query(api: httpx.AsyncClient) -> None:
    await api.post(LEADS, json=[{"name": "Звонок"}] * 3)
    params = {"limit": "1", "order[updated_at]": "desc", "query": "звонок"}
    answer = await api.get(LEADS, params=params)
    following = await api.get(answer.json()["_links"]["next"]["href"])
    assert following.json()["_page"] == 2
    assert following.json()["_embedded"]["leads"][0]["id"] < answer.json()["_embedded"]["leads"][0]["id"]


async def test_order_by_updated_at_follows_changes(api: httpx.AsyncClient, clock: object) -> None:
    first, second = await add(api, name="Первая"), await add(api, name="Вторая")
    clock.forward(10)  # type: ignore[attr-defined]
    await api.patch(f"{LEADS}/{first}", json={"price": 5})
    answer = await api.get(f"{LEADS}?order[updated_at]=desc")
    assert [lead["id"] for lead in answer.json()["_embedded"]["leads"]] == [first, second]


async def test_filters_are_silently_ignored_when_not_bought(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    first, second = await add(api, name="Первая"), await add(api, name="Вторая")
    unpaid = await api.get(f"{LEADS}?filter[id][]={first}")
    sandbox.dial.turn({"api_filters": True})
    paid = await api.get(f"{LEADS}?filter[id][]={first}")
    assert [lead["id"] for lead in unpaid.json()["_embedded"]["leads"]] == [first, second]
    assert [lead["id"] for lead in paid.json()["_embedded"]["leads"]] == [first]


async def test_bought_filters_know_time_status_and_field_values(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: object
) -> None:
    sandbox.dial.turn({"api_filters": True})
    field = sandbox.account.fields["leads"].by_code("UTM_SOURCE")
    await add(api, name="Старая")
    clock.forward(100)  # type: ignore[attr-defined]
    source = [{"field_code": "UTM_SOURCE", "values": [{"value": "yandex"}]}]
    fresh = await add(api, name="Новая", status_id=142, custom_fields_values=source)
    pipeline = sandbox.account.main_pipeline.id
    queries = (
        "filter[updated_at][from]=1767225650&order[updated_at]=asc",
        f"filter[statuses][0][pipeline_id]={pipeline}&filter[statuses][0][status_id]=142",
        f"filter[custom_fields_values][{field.id}][]=yandex",
        "filter[name]=Новая",
    )
    for query in queries:
        answer = await api.get(f"{LEADS}?{query}")
        assert [lead["id"] for lead in answer.json()["_embedded"]["leads"]] == [fresh], query


async def test_query_finds_a_marker_inside_a_field(api: httpx.AsyncClient) -> None:
    marker = [{"field_code": "UTM_TERM", "values": [{"value": "hub:7f3a-11"}]}]
    await add(api, name="Другая")
    wanted = await add(api, name="Звонок", custom_fields_values=marker)
    answer = await api.get(LEADS, params={"query": "7F3A-11"})
    assert [lead["id"] for lead in answer.json()["_embedded"]["leads"]] == [wanted]


async def test_search_lag_hides_a_new_lead_from_query_but_not_from_the_list(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: object
) -> None:
    sandbox.dial.turn({"search_lag": 3})
    number = await add(api, name="Звонок")
    early = await api.get(LEADS, params={"query": "Звонок"})
    listed = await api.get(LEADS)
    clock.forward(3)  # type: ignore[attr-defined]
    late = await api.get(LEADS, params={"query": "Звонок"})
    assert early.status_code == 204
    assert listed.json()["_embedded"]["leads"][0]["id"] == number
    assert late.json()["_embedded"]["leads"][0]["id"] == number


async def test_tags_are_replaced_by_embedded_tags_and_edited_by_the_lists(api: httpx.AsyncClient) -> None:
    number = await add(api, name="Сделка", _embedded={"tags": [{"name": "старый"}]})
    await api.patch(f"{LEADS}/{number}", json={"_embedded": {"tags": [{"name": "новый"}]}})
    await api.patch(f"{LEADS}/{number}", json={"tags_to_add": [{"name": "ещё"}]})
    await api.patch(f"{LEADS}/{number}", json={"tags_to_delete": [{"name": "новый"}]})
    lead = await read(api, number)
    assert [tag["name"] for tag in lead["_embedded"]["tags"]] == ["ещё"]  # type: ignore[index]


async def test_null_tags_clear_them(api: httpx.AsyncClient) -> None:
    number = await add(api, name="Сделка", tags_to_add=[{"name": "старый"}])
    await api.patch(f"{LEADS}/{number}", json={"_embedded": {"tags": None}})
    assert (await read(api, number))["_embedded"]["tags"] == []  # type: ignore[index]


async def test_loss_reason_comes_as_an_array(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    reason = next(iter(sandbox.account.loss_reasons))
    number = await add(api, name="Сделка", status_id=143, loss_reason_id=reason)
    lead = await read(api, number, "?with=loss_reason")
    assert [one["id"] for one in lead["_embedded"]["loss_reason"]] == [reason]  # type: ignore[index]


async def test_a_person_at_the_screen_moves_a_deal_in_her_own_name(
    api: httpx.AsyncClient, maria: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    number = await add(api, name="Сделка")
    await maria.patch(f"{LEADS}/{number}", json={"status_id": 142, "price": 9900})
    user = list(sandbox.account.users.values())[1]
    assert (await read(api, number))["updated_by"] == user.id


async def test_a_user_without_rights_gets_403_problem(
    api: httpx.AsyncClient, maria: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    number = await add(api, name="Сделка")
    user = list(sandbox.account.users.values())[1]
    user.rights["leads"]["edit"] = "M"
    answer = await maria.patch(f"{LEADS}/{number}", json={"price": 1})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_path_is_404_that_quotes_it(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v4/example")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"Cannot GET {HOST}/api/v4/example"


async def test_a_trashed_lead_is_204_and_shows_reduced_in_only_deleted(
    api: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    number = await add(api, name="Сделка")
    await web.post("/_sandbox/trash", json={"kind": "leads", "id": number})
    alive = await api.get(f"{LEADS}/{number}")
    trashed = await api.get(f"{LEADS}?with=only_deleted")
    assert alive.status_code == 204
    assert trashed.json()["_embedded"]["leads"] == [{"id": number, "updated_at": 1_767_225_600, "is_deleted": True}]
