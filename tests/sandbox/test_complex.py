"""POST /leads/complex: bare array, array of request ids, linking, unsorted, duplicate control."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

COMPLEX = "/api/v4/leads/complex"


def call(number: str = "+79161234567", **more: object) -> dict[str, object]:
    phone = [{"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}]
    person = {"first_name": "Звонок", "custom_fields_values": phone}
    return {"name": "Звонок с сайта", "_embedded": {"contacts": [person]}, **more}


async def test_the_answer_is_a_bare_array_with_an_array_of_request_ids(api: httpx.AsyncClient) -> None:
    answer = await api.post(COMPLEX, json=[call(request_id="call-7f3a")])
    (lead,) = answer.json()
    assert set(lead) == {"id", "contact_id", "company_id", "request_id", "merged"}
    assert lead["request_id"] == ["call-7f3a"]
    assert lead["company_id"] is None
    assert lead["merged"] is False


async def test_a_new_contact_is_the_main_one_and_belongs_to_the_new_company(api: httpx.AsyncClient) -> None:
    sent = call()
    sent["_embedded"]["companies"] = [{"name": "ООО Клиент"}]  # type: ignore[index]
    (made,) = (await api.post(COMPLEX, json=[sent])).json()
    lead = (await api.get(f"/api/v4/leads/{made['id']}?with=contacts")).json()
    contact = (await api.get(f"/api/v4/contacts/{made['contact_id']}")).json()
    assert [(one["id"], one["is_main"]) for one in lead["_embedded"]["contacts"]] == [(made["contact_id"], True)]
    assert [one["id"] for one in lead["_embedded"]["companies"]] == [made["company_id"]]
    assert [one["id"] for one in contact["_embedded"]["companies"]] == [made["company_id"]]


@pytest.mark.parametrize("links", [False, True])
async def test_a_known_company_is_linked_to_a_new_contact_when_the_switch_says_so(
    api: httpx.AsyncClient, sandbox: Sandbox, links: bool
) -> None:
    sandbox.dial.turn({"complex_links_known": links})
    company = (await api.post("/api/v4/companies", json=[{"name": "ООО Клиент"}])).json()["_embedded"]["companies"][0]
    sent = call()
    sent["_embedded"]["companies"] = [{"id": company["id"]}]  # type: ignore[index]
    (made,) = (await api.post(COMPLEX, json=[sent])).json()
    contact = (await api.get(f"/api/v4/contacts/{made['contact_id']}")).json()
    assert made["company_id"] == company["id"]
    assert [one["id"] for one in contact["_embedded"]["companies"]] == ([company["id"]] if links else [])


async def test_a_known_contact_is_linked_by_id(api: httpx.AsyncClient) -> None:
    (first,) = (await api.post(COMPLEX, json=[call()])).json()
    again = {"name": "Второй звонок", "_embedded": {"contacts": [{"id": first["contact_id"]}]}}
    (second,) = (await api.post(COMPLEX, json=[again])).json()
    contact = (await api.get(f"/api/v4/contacts/{first['contact_id']}?with=leads")).json()
    assert second["contact_id"] == first["contact_id"]
    assert [one["id"] for one in contact["_embedded"]["leads"]] == [first["id"], second["id"]]


async def test_the_path_of_a_bad_contact_field_starts_at_the_lead(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    bad = {"custom_fields_values": [{"field_code": "NO", "values": [{"value": "x"}]}]}
    answer = await api.post(COMPLEX, json=[{"_embedded": {"contacts": [bad]}}])
    path = answer.json()["validation-errors"][0]["errors"][0]["path"]
    assert path == "_embedded.contacts.0.custom_fields_values.0.field_code"
    assert not sandbox.account.store.shelves["leads"].cards


@pytest.mark.parametrize(
    "embedded",
    [{"contacts": [{}, {}]}, {"contacts": {}}, {"contacts": [{"id": 1}]}],
    ids=["two contacts", "not a list", "unknown contact"],
)
async def test_a_wrong_contact_list_is_400(api: httpx.AsyncClient, embedded: dict[str, object]) -> None:
    assert (await api.post(COMPLEX, json=[{"_embedded": embedded}])).status_code == 400


async def test_51_leads_are_400_or_422_by_switch(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    by_default = await api.post(COMPLEX, json=[{}] * 51)
    sandbox.dial.turn({"complex_limit_status": 422})
    switched = await api.post(COMPLEX, json=[{}] * 51)
    assert (by_default.status_code, switched.status_code) == (400, 422)
    assert switched.json()["detail"].startswith("Limit 50")


async def test_41_custom_values_are_too_many(api: httpx.AsyncClient) -> None:
    values = [{"field_code": "UTM_SOURCE", "values": [{"value": "x"}]}] * 41
    assert (await api.post(COMPLEX, json=[{"custom_fields_values": values}])).status_code == 400


async def test_metadata_puts_the_lead_into_unsorted_whatever_status_it_names(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sent = call(status_id=142)
    sent["_embedded"]["metadata"] = {"category": "sip", "uniq": "7f3a"}  # type: ignore[index]
    (made,) = (await api.post(COMPLEX, json=[sent])).json()
    waiting = (await api.get("/api/v4/leads/unsorted")).json()["_embedded"]["unsorted"]
    lead = sandbox.account.store.shelves["leads"].cards[made["id"]]
    assert waiting[0]["_embedded"]["leads"][0]["id"] == made["id"]
    assert lead.status_id == sandbox.account.main_pipeline.unsorted.id


@pytest.mark.parametrize(("reaction", "status"), [("400", 400), ("deal", 200)])
async def test_metadata_where_unsorted_is_off_is_refused_or_ignored(
    api: httpx.AsyncClient, sandbox: Sandbox, reaction: str, status: int
) -> None:
    sandbox.dial.turn({"unsorted_on": False, "unsorted_off_complex": reaction})
    sent = call()
    sent["_embedded"]["metadata"] = {"category": "sip"}  # type: ignore[index]
    answer = await api.post(COMPLEX, json=[sent])
    stages = [lead.status_id for lead in sandbox.account.store.shelves["leads"].cards.values()]
    assert answer.status_code == status
    assert stages == [sandbox.account.main_pipeline.first.id] * (status == 200)


async def test_complex_may_want_all_that_unsorted_wants(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"complex_metadata_whole": True})
    sent = call()
    sent["_embedded"]["metadata"] = {"category": "forms", "form_id": "1"}  # type: ignore[index]
    answer = await api.post(COMPLEX, json=[sent])
    paths = [flaw["path"] for flaw in answer.json()["validation-errors"][0]["errors"]]
    assert "_embedded.metadata.form_name" in paths
    assert "_embedded.metadata.form_id" not in paths


async def test_without_duplicate_control_the_same_phone_makes_a_second_lead(api: httpx.AsyncClient) -> None:
    answers = [(await api.post(COMPLEX, json=[call()])).json()[0] for _ in range(2)]
    assert answers[0]["id"] != answers[1]["id"]
    assert [one["merged"] for one in answers] == [False, False]


async def test_with_duplicate_control_the_open_lead_of_the_phone_is_given_back(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.dial.turn({"duplicate_control": True})
    (first,) = (await api.post(COMPLEX, json=[call()])).json()
    both = (await api.post(COMPLEX, json=[call("89161234567", request_id="a"), call(request_id="b")])).json()
    assert [(one["id"], one["merged"]) for one in both] == [(first["id"], True)] * 2
    assert both[0]["request_id"] == ["a", "b"]


@pytest.mark.parametrize(("policy", "name"), [("keep", "Первый"), ("update", "Второй")])
async def test_the_policy_says_whose_values_a_merged_lead_has(
    api: httpx.AsyncClient, sandbox: Sandbox, policy: str, name: str
) -> None:
    sandbox.dial.turn({"duplicate_control": True, "duplicate_policy": policy})
    (first,) = (await api.post(COMPLEX, json=[call() | {"name": "Первый"}])).json()
    await api.post(COMPLEX, json=[call() | {"name": "Второй"}])
    lead = (await api.get(f"/api/v4/leads/{first['id']}")).json()
    merged = (await api.get("/api/v4/events?filter[type]=entity_merged")).json()["_embedded"]["events"]
    assert lead["name"] == name
    assert [one["entity_id"] for one in merged] == [first["id"]]


async def test_duplicate_control_does_not_look_inside_one_request(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"duplicate_control": True})
    both = (await api.post(COMPLEX, json=[call(), call()])).json()
    assert both[0]["id"] != both[1]["id"]


async def test_a_source_sends_the_lead_to_its_pipeline(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    other = list(sandbox.account.pipelines.values())[1]
    source = {"name": "Сайт", "external_id": "site-main", "pipeline_id": other.id}
    await api.post("/api/v4/sources", json=[source])
    sent = {"_embedded": {"source": {"external_id": "site-main", "type": "widget"}}}
    (made,) = (await api.post(COMPLEX, json=[sent])).json()
    lead = (await api.get(f"/api/v4/leads/{made['id']}?with=source,source_id")).json()
    assert lead["pipeline_id"] == other.id
    assert lead["_embedded"]["source"] == {"id": lead["source_id"], "name": "Сайт"}
