"""Contacts and companies: names, phones, `query`, reading and replacing multi values, links and tags."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

CONTACTS = "/api/v4/contacts"


def phone(*numbers: str) -> list[dict[str, object]]:
    values = [{"value": number, "enum_code": "WORK"} for number in numbers]
    return [{"field_code": "PHONE", "values": values}]


@pytest.fixture
def add(api: httpx.AsyncClient):
    """Stores one card and gives its id."""

    async def store(kind: str = "contacts", **card: object) -> int:
        answer = await api.post(f"/api/v4/{kind}", json=[card])
        assert answer.status_code == 200, answer.text
        return answer.json()["_embedded"][kind][0]["id"]

    return store


async def ids_of(answer: httpx.Response, kind: str = "contacts") -> list[int]:
    return [] if answer.status_code == 204 else [one["id"] for one in answer.json()["_embedded"][kind]]


async def test_a_phone_reads_with_its_enum_id_and_code(api: httpx.AsyncClient, add) -> None:
    number = await add(name="Иван", custom_fields_values=phone("+79161234567"))
    field = (await api.get(f"{CONTACTS}/{number}")).json()["custom_fields_values"][0]
    assert (field["field_code"], field["field_type"], field["field_name"]) == (
        "PHONE",
        "multitext",
        "Телефон",
    )
    assert field["values"][0]["value"] == "+79161234567"
    assert field["values"][0]["enum_code"] == "WORK"
    assert isinstance(field["values"][0]["enum_id"], int)


async def test_an_unknown_phone_kind_is_not_a_choice(api: httpx.AsyncClient) -> None:
    bad = {"field_code": "PHONE", "values": [{"value": "+79161234567", "enum_code": "SATELLITE"}]}
    answer = await api.post(CONTACTS, json=[{"custom_fields_values": [bad]}])
    path = answer.json()["validation-errors"][0]["errors"][0]["path"]
    assert path == "custom_fields_values.0.values.0.enum_code"


@pytest.mark.parametrize("query", ["9161234567", "+7 (916) 123-45-67", "79161234567", "иван"])
async def test_query_finds_text_and_digits_in_any_spelling(api: httpx.AsyncClient, add, query: str) -> None:
    number = await add(name="Иван", custom_fields_values=phone("+79161234567"))
    answer = await api.get(CONTACTS, params={"query": query})
    assert await ids_of(answer) == [number]


async def test_a_phone_stored_with_brackets_is_found_only_by_the_digits_part(
    api: httpx.AsyncClient, sandbox: Sandbox, add
) -> None:
    number = await add(name="Иван", custom_fields_values=phone("8 (916) 123-45-67"))
    with_digits = await api.get(CONTACTS, params={"query": "9161234567"})
    sandbox.dial.turn({"query_digits": False})
    without = await api.get(CONTACTS, params={"query": "9161234567"})
    assert await ids_of(with_digits) == [number]
    assert without.status_code == 204


async def test_six_digits_are_text_only(api: httpx.AsyncClient, add) -> None:
    await add(name="Иван", custom_fields_values=phone("8 (916) 123-45-67"))
    assert (await api.get(CONTACTS, params={"query": "234567"})).status_code == 204


async def test_whole_word_search_misses_a_substring(api: httpx.AsyncClient, sandbox: Sandbox, add) -> None:
    await add(name="Иванов")
    sandbox.dial.turn({"query_words": True})
    assert (await api.get(CONTACTS, params={"query": "иван"})).status_code == 204
    assert (await api.get(CONTACTS, params={"query": "иванов"})).status_code == 200


async def test_a_sent_phone_list_replaces_the_old_one(api: httpx.AsyncClient, add) -> None:
    number = await add(name="Иван", custom_fields_values=phone("+79161234567"))
    patch = {"custom_fields_values": phone("+74951112233")}
    answer = await api.patch(f"{CONTACTS}/{number}", json=patch)
    values = (await api.get(f"{CONTACTS}/{number}")).json()["custom_fields_values"][0]["values"]
    gone = await api.get(CONTACTS, params={"query": "9161234567"})
    assert [one["value"] for one in values] == ["+74951112233"]
    assert gone.status_code == 204
    assert answer.json()["name"] == "Иван"


@pytest.mark.parametrize("cleared", [None, [], [{"value": ""}]])
async def test_null_empty_list_and_empty_text_clear_a_field(api: httpx.AsyncClient, add, cleared: object) -> None:
    number = await add(name="Иван", custom_fields_values=phone("+79161234567"))
    patch = {"custom_fields_values": [{"field_code": "PHONE", "values": cleared}]}
    await api.patch(f"{CONTACTS}/{number}", json=patch)
    assert (await api.get(f"{CONTACTS}/{number}")).json()["custom_fields_values"] is None


async def test_names_come_from_their_parts_and_the_other_way_round(api: httpx.AsyncClient, add) -> None:
    from_parts = await add(first_name="Иван", last_name="Петров")
    from_name = await add(name="Звонок")
    told = [(await api.get(f"{CONTACTS}/{number}")).json() for number in (from_parts, from_name)]
    assert told[0]["name"] == "Иван Петров"
    assert told[1]["first_name"] == "Звонок"


async def test_a_company_has_no_first_name_and_no_companies(api: httpx.AsyncClient, add) -> None:
    number = await add("companies", name="ООО Клиент")
    company = (await api.get(f"/api/v4/companies/{number}")).json()
    assert "first_name" not in company
    assert "companies" not in company["_embedded"]


async def test_a_link_answers_main_contact_and_reads_back_without_the_owner(api: httpx.AsyncClient, add) -> None:
    lead, contact = await add("leads", name="Сделка"), await add(name="Иван")
    body = [{"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    linked = await api.post(f"/api/v4/leads/{lead}/link", json=body)
    listed = await api.get(f"/api/v4/leads/{lead}/links?filter[to_entity_type]=contacts")
    read = await api.get(f"/api/v4/leads/{lead}?with=contacts")
    assert linked.json()["_total_items"] == 1
    assert linked.json()["_embedded"]["links"] == [
        {
            "entity_id": lead,
            "entity_type": "leads",
            "to_entity_id": contact,
            "to_entity_type": "contacts",
            "metadata": {"main_contact": True},
        }
    ]
    assert set(listed.json()["_embedded"]["links"][0]) == {"to_entity_id", "to_entity_type", "metadata"}
    assert read.json()["_embedded"]["contacts"][0]["is_main"] is True


async def test_linking_twice_has_one_effect_and_unlinking_is_204(api: httpx.AsyncClient, add) -> None:
    lead, contact = await add("leads", name="Сделка"), await add(name="Иван")
    body = [{"to_entity_id": contact, "to_entity_type": "contacts"}]
    await api.post(f"/api/v4/leads/{lead}/link", json=body)
    again = await api.post(f"/api/v4/leads/{lead}/link", json=body)
    linked = await api.get(f"/api/v4/leads/{lead}/links")
    unlinked = await api.post(f"/api/v4/leads/{lead}/unlink", json=body)
    assert again.status_code == 200
    assert linked.json()["_total_items"] == 1
    assert (unlinked.status_code, unlinked.content) == (204, b"")
    assert (await api.get(f"/api/v4/leads/{lead}/links")).json()["_total_items"] == 0


async def test_mass_links_name_their_owner(api: httpx.AsyncClient, add) -> None:
    lead, contact = await add("leads", name="Сделка"), await add(name="Иван")
    body = [{"entity_id": lead, "to_entity_id": contact, "to_entity_type": "contacts"}]
    await api.post("/api/v4/leads/link", json=body)
    answer = await api.get(f"/api/v4/leads/links?filter[entity_id][]={lead}")
    assert answer.json()["_embedded"]["links"][0]["entity_id"] == lead


async def test_a_lead_cannot_be_linked_to_a_lead(api: httpx.AsyncClient, add) -> None:
    lead, other = await add("leads", name="Сделка"), await add("leads", name="Другая")
    body = [{"to_entity_id": other, "to_entity_type": "leads"}]
    answer = await api.post(f"/api/v4/leads/{lead}/link", json=body)
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "to_entity_type"


async def test_a_known_tag_gives_its_old_id(api: httpx.AsyncClient) -> None:
    made = [
        (await api.post("/api/v4/leads/tags", json=[{"name": "calltracking", "request_id": "t1"}])).json()
        for _ in range(2)
    ]
    first, second = (one["_embedded"]["tags"][0] for one in made)
    assert first == second
    assert first["request_id"] == "t1"
    found = await api.get("/api/v4/leads/tags?filter[name]=calltracking")
    assert found.json()["_embedded"]["tags"][0]["id"] == first["id"]


async def test_a_merged_contact_is_gone_and_its_links_go_to_the_survivor(
    api: httpx.AsyncClient, web: httpx.AsyncClient, add
) -> None:
    lead, keep, lose = await add("leads", name="Сделка"), await add(name="Иван"), await add(name="Иван 2")
    link = [{"to_entity_id": lose, "to_entity_type": "contacts"}]
    await api.post(f"/api/v4/leads/{lead}/link", json=link)
    await web.post("/_sandbox/merge", json={"kind": "contacts", "lose": lose, "keep": keep})
    linked = (await api.get(f"/api/v4/leads/{lead}?with=contacts")).json()["_embedded"]["contacts"]
    types = (await api.get("/api/v4/events?filter[type]=entity_merged")).json()["_embedded"]["events"]
    assert (await api.get(f"{CONTACTS}/{lose}")).status_code == 204
    assert [one["id"] for one in linked] == [keep]
    assert [one["entity_id"] for one in types] == [keep]


async def test_the_pop_up_finds_a_contact_by_eight_digits_and_gives_nulls_otherwise(
    api: httpx.AsyncClient, add
) -> None:
    number = await add(name="Иван", custom_fields_values=phone("+79161234567"))
    calls = [{"type": "phone_call", "phone_number": one} for one in ("89161234567", "+74950000000")]
    answer = await api.post("/api/v2/events", json={"add": calls})
    known, unknown = answer.json()["_embedded"]["items"]
    assert (known["element_id"], known["element_type"]) == (number, 1)
    assert (unknown["element_id"], unknown["element_type"]) == (None, None)


async def test_search_by_phone_prefers_the_company_and_gives_an_empty_array(api: httpx.AsyncClient, add) -> None:
    await add(name="Иван", custom_fields_values=phone("+79161234567"))
    company = await add("companies", name="ООО", custom_fields_values=phone("+79161234567"))
    found = await api.get("/api/v2/search/by_phone", params={"query": "9161234567"})
    nothing = await api.get("/api/v2/search/by_phone", params={"query": "4950000000"})
    assert [one["id"] for one in found.json()] == [company]
    assert nothing.json() == []


async def test_a_conditional_list_is_ignored_or_304_by_switch(api: httpx.AsyncClient, sandbox: Sandbox, add) -> None:
    await add(name="Иван")
    headers = {"If-Modified-Since": "Fri, 02 Jan 2026 00:00:00 GMT"}
    by_default = await api.get(CONTACTS, headers=headers)
    sandbox.dial.turn({"if_modified_since": "304"})
    assert by_default.status_code == 200
    assert (await api.get(CONTACTS, headers=headers)).status_code == 304
