"""amocrm-api-wrapper, unmodified, over loopback HTTP: what it writes, aioamocrm reads.

Version 1.0.1 passes `json=` to httpx's get and delete, which take none (0.25 to 0.28 alike), so it sends neither. Its POST
and PATCH work; for its reads there is what its documentation shows of the answers.
"""

import re

import pytest
from aioamocrm import AmoCRMClient, Contact, Lead, ValidationError
from amocrm_api import AmoOAuthClient
from amocrm_api.errors import AmoException

from tests.sandbox.loopback import Live

PHONE = "+79161234567"
SENT_AT = 1_767_225_600
QUOTED_KEY = re.compile(r'"(\w+)":')


def sip() -> dict[str, object]:
    """Arguments of an incoming call."""
    metadata = {
        "phone": PHONE,
        "from": "+74951112233",
        "call_responsible": "hub",
        "called_at": SENT_AT,
        "duration": 61,
        "link": "https://hub.example/rec/7f3a.mp3",
        "service_code": "hub_widget",
        "uniq": "7f3a",
        "is_call_event_needed": True,
    }
    values = [{"field_code": "PHONE", "values": [{"value": PHONE}]}]
    return {
        "source_uid": "hub-7f3a",
        "source_name": "Hub",
        "metadata": metadata,
        "contact": {"name": PHONE, "custom_fields_values": values},
        "lead": {"name": f"Звонок {PHONE}"},
        "company": {"name": "ООО Клиент"},
        "created_at": SENT_AT,
        "request_id": "call-7f3a",
    }


def form(**more: object) -> dict[str, object]:
    """Arguments of a form sent from a site."""
    names = ("form_id", "form_name", "form_page", "ip", "referer")
    metadata = {**dict.fromkeys(names, "x"), "form_sent_at": SENT_AT}
    people = {"contact": {"name": "Иван"}, "lead": {"name": "Заявка"}, "company": {"name": "ООО Клиент"}}
    return {"source_uid": "form-1", "source_name": "Сайт", "metadata": metadata, **people, **more}


def call(**more: object) -> dict[str, object]:
    """One call for POST /calls."""
    return {"direction": "inbound", "uniq": "7f3a", "duration": 61, "source": "Hub", "phone": PHONE, **more}


async def person(amo: AmoCRMClient) -> int:
    """Id of a contact with the phone."""
    contact = Contact(name="Иван")
    contact.set_field("PHONE", PHONE)
    (ref,) = await amo.contacts.create([contact])
    return ref.id


def only(answer: dict[str, dict[str, list[dict[str, object]]]], plural: str) -> dict[str, object]:
    """The one element of an envelope."""
    (one,) = answer["_embedded"][plural]
    return one


def keys_of(value: object) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_account_info", []),
        ("get_unsorted_leads", []),
        ("get_sources", []),
        ("get_events", []),
        ("get_webhooks", []),
        ("delete_sources", [[{"id": 1}]]),
        ("decline_unsorted", ["aa40"]),
        ("unsubscribe_webhook", ["https://hub.example/amo/hook"]),
    ],
)
def test_the_wrapper_sends_no_get_and_no_delete_at_all(
    live: Live, wrapper: AmoOAuthClient, method: str, arguments: list[object]
) -> None:
    """Sheet 3.1 has these methods; httpx refuses the wrapper's argument before anything leaves."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'json'"):
        getattr(wrapper, method)(*arguments)
    assert live.asked() == []


async def test_the_asynchronous_half_of_the_wrapper_writes_and_does_not_read_either(
    live: Live, wrapper: AmoOAuthClient
) -> None:
    made = await wrapper.create_sources_async([{"name": "Сайт", "external_id": "site-main"}])
    with pytest.raises(TypeError, match="unexpected keyword argument 'json'"):
        await wrapper.get_sources_async()
    await wrapper.close_async()
    assert only(made, "sources")["external_id"] == "site-main"
    assert [(row.method, row.status) for row in live.asked()] == [("POST", 200)]


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("get_unsorted_leads", "leads/unsorted", {}),
        ("get_summary_unsorted", "leads/unsorted/summary", {}),
        ("get_events", "events", {"limit": 1}),
        ("get_events_type", "events/types", {}),
        ("get_webhooks", "webhooks", {}),
        ("get_tags_by_entity_type", "leads/tags", {"limit": 1}),
    ],
)
async def test_what_the_wrapper_documents_of_an_answer_is_in_it(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, method: str, path: str, params: dict[str, int]
) -> None:
    wrapper.create_unsorted_by_sip(**sip())
    wrapper.create_unsorted_by_form(**form())
    wrapper.add_tags_for_entity_type("leads", [{"name": "calltracking"}, {"name": "site"}])
    wrapper.subscribe_webhook("http://127.0.0.1:9/hook", ["add_task"])
    await person(amo)
    wrapper.create_calls([call()])
    documented = set(QUOTED_KEY.findall(getattr(AmoOAuthClient, method).__doc__))
    answer = await amo.request("GET", path, params=params)
    assert documented
    assert documented - keys_of(answer) == set()


async def test_an_incoming_call_waits_in_unsorted(amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live) -> None:
    made = only(wrapper.create_unsorted_by_sip(**sip()), "unsorted")
    listed = await amo.request("GET", "leads/unsorted", params={"filter": {"category": ["sip"]}})
    waiting = only(listed, "unsorted")
    assert re.fullmatch("[0-9a-f]{60}", str(made["uid"]))
    assert (made["request_id"], made["account_id"]) == ("call-7f3a", live.keys["account_id"])
    assert made["_links"] == {"self": {"href": f"{live.api}/leads/unsorted/{made['uid']}"}}
    assert (waiting["uid"], waiting["source_uid"], waiting["source_name"]) == (made["uid"], "hub-7f3a", "Hub")
    assert (waiting["category"], waiting["created_at"]) == ("sip", SENT_AT)
    assert (waiting["metadata"]["phone"], waiting["metadata"]["duration"]) == (79161234567, "61")
    assert waiting["_embedded"] == made["_embedded"]
    assert {kind: len(cards) for kind, cards in made["_embedded"].items()} == {
        "contacts": 1,
        "leads": 1,
        "companies": 1,
    }
    assert await amo.request("GET", "leads") is None


async def test_an_accepted_lead_is_on_the_asked_stage_of_the_asked_person(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live
) -> None:
    second, manager = list(live.sandbox.account.pipelines.values())[1], list(live.sandbox.account.users)[1]
    stage = second.stages[2].id
    made = only(wrapper.create_unsorted_by_form(**form(pipeline_id=second.id)), "unsorted")
    accepted = wrapper.accept_unsorted(made["uid"], manager, stage)
    lead = await amo.leads.get(accepted["_embedded"]["leads"][0]["id"], with_=["contacts"])
    with pytest.raises(AmoException) as again:
        wrapper.accept_unsorted(made["uid"])
    assert (accepted["uid"], accepted["category"], accepted["pipeline_id"]) == (made["uid"], "forms", second.id)
    assert (lead.name, lead.pipeline_id, lead.status_id) == ("Заявка", second.id, stage)
    assert lead.responsible_user_id == manager
    assert [one.id for one in lead.embedded.contacts] == [made["_embedded"]["contacts"][0]["id"]]
    assert again.value.code == 404


async def test_a_declined_lead_is_gone_and_counted(amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    made = only(wrapper.create_unsorted_by_sip(**sip()), "unsorted")
    declined = await amo.request("DELETE", f"leads/unsorted/{made['uid']}/decline")
    summary = await amo.request("GET", "leads/unsorted/summary", params={"filter": {"uid": [made["uid"]]}})
    others = await amo.request("GET", "leads/unsorted/summary", params={"filter": {"uid": ["0"], "pipeline_id": 1}})
    assert declined["_embedded"]["leads"] == made["_embedded"]["leads"]
    assert (summary["total"], summary["declined"], summary["categories"]["sip"]) == (1, 1, {"total": 1})
    assert others["total"] == 0


def test_the_same_call_again_and_a_link_of_a_call_are_refused(wrapper: AmoOAuthClient) -> None:
    made = only(wrapper.create_unsorted_by_sip(**sip()), "unsorted")
    with pytest.raises(AmoException) as again:
        wrapper.create_unsorted_by_sip(**sip())
    with pytest.raises(AmoException) as linked:
        wrapper.link_unsorted(made["uid"], {"entity_id": 1, "entity_type": "leads"})
    (flawed,) = again.value.error_data["validation-errors"]
    assert (again.value.code, flawed["request_id"], flawed["errors"][0]["code"]) == (
        400,
        "call-7f3a",
        "DuplicateEntity",
    )
    assert linked.value.code == 400


async def test_a_source_is_found_by_its_external_id(amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live) -> None:
    pipeline = live.sandbox.account.main_pipeline.id
    sent = {"name": "Сайт", "external_id": "site-main", "pipeline_id": pipeline, "default": False}
    made = only(wrapper.create_sources([sent]), "sources")
    wrapper.update_sources([{"id": made["id"], "name": "Сайт example.ru", "external_id": "other"}])
    found = await amo.request("GET", "sources", params={"filter": {"external_id": ["site-main"]}})
    assert {key: made[key] for key in sent} == sent
    assert (made["origin_code"], made["services"]) == (None, [])
    assert made["_links"] == {"self": {"href": f"{live.api}/sources/{made['id']}"}}
    assert (only(found, "sources")["id"], only(found, "sources")["name"]) == (made["id"], "Сайт example.ru")


async def test_aioamocrm_does_not_understand_the_flaws_of_a_deleted_source(
    amo: AmoCRMClient, wrapper: AmoOAuthClient
) -> None:
    """Sheet 3.15: the key is `errors`, not `validation-errors`, and the inner `errors` is an object."""
    made = only(wrapper.create_sources([{"name": "Сайт", "external_id": "site"}]), "sources")
    gone = await amo.request("DELETE", "sources", json=[{"id": made["id"]}])
    with pytest.raises(ValidationError) as refused:
        await amo.request("DELETE", "sources", json=[{"id": made["id"]}])
    (flawed,) = refused.value.body["errors"]
    again = only(wrapper.create_sources([{"name": "Сайт", "external_id": "site"}]), "sources")
    assert gone is None
    assert (refused.value.status_code, refused.value.errors) == (400, [])
    assert (flawed["request_id"], flawed["errors"]["code"], flawed["errors"]["path"]) == ("0", "EntityNotFound", "id")
    assert again["id"] == made["id"]


async def test_a_lead_of_a_source_goes_to_its_pipeline(amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live) -> None:
    second = list(live.sandbox.account.pipelines)[1]
    made = only(wrapper.create_sources([{"name": "Сайт", "external_id": "site", "pipeline_id": second}]), "sources")
    embedded = {"source": {"external_id": "site", "type": "widget"}}
    (result,) = wrapper.create_leads_complex([{"name": "Звонок", "_embedded": embedded}])
    lead = await amo.leads.get(result["id"], with_=["source"])
    assert lead.pipeline_id == second
    assert lead.embedded.model_extra["source"] == {"id": made["id"], "name": "Сайт"}


def test_the_wrapper_documents_an_envelope_around_complex_leads(wrapper: AmoOAuthClient) -> None:
    """Sheet 3.7: a bare array comes back; the wrapper hands it on although it documents `_embedded`."""
    answer = wrapper.create_leads_complex([{"name": "Звонок", "request_id": "call-7f3a"}])
    documented = set(QUOTED_KEY.findall(AmoOAuthClient.create_leads_complex.__doc__))
    assert [(one["request_id"], one["merged"]) for one in answer] == [(["call-7f3a"], False)]
    assert documented & set(answer[0]) == {"id", "request_id"}
    assert "_embedded" in documented


async def test_a_call_goes_to_the_only_open_lead_and_into_the_history(
    amo: AmoCRMClient, wrapper: AmoOAuthClient, live: Live
) -> None:
    contact = await person(amo)
    (lead,) = await amo.leads.create([Lead(name="Звонок", _embedded={"contacts": [{"id": contact}]})])
    placed = only(wrapper.create_calls([call(request_id="call-7f3a")]), "calls")
    note = await amo.leads.notes.get(placed["id"], entity_id=lead.id)
    wanted = {"type": ["incoming_call"], "entity": ["lead"], "entity_id": [lead.id]}
    event = only(await amo.request("GET", "events", params={"filter": wanted}), "events")
    assert (placed["entity_id"], placed["entity_type"], placed["request_id"]) == (lead.id, "lead", "call-7f3a")
    assert placed["_embedded"]["entity"]["_links"] == {"self": {"href": f"{live.api}/leads/{lead.id}"}}
    assert note.note_type == "call_in"
    assert note.params == {"uniq": "7f3a", "duration": 61, "source": "Hub", "phone": PHONE}
    assert event["value_after"] == [{"note": {"id": placed["id"]}}]


def test_a_call_of_nobody_is_400_without_validation_errors(wrapper: AmoOAuthClient) -> None:
    with pytest.raises(AmoException) as refused:
        wrapper.create_calls([call(request_id="call-7f3a")])
    told = refused.value.error_data
    assert (refused.value.code, told["_total_items"], told["_embedded"]) == (400, 0, {"calls": []})
    assert told["errors"][0]["title"].startswith("Entity not")
    assert "validation-errors" not in told
