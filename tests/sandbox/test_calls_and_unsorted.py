"""POST /calls with its placement, and the life of an incoming lead in unsorted."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

CALLS, SIP = "/api/v4/calls", "/api/v4/leads/unsorted/sip"
PHONE = "+79161234567"


def call(**more: object) -> dict[str, object]:
    return {"direction": "inbound", "uniq": "7f3a", "duration": 61, "source": "Hub", "phone": PHONE, **more}


def incoming(**more: object) -> dict[str, object]:
    metadata = {
        "phone": PHONE,
        "from": "+74951112233",
        "call_responsible": "hub",
        "called_at": 1_767_225_600,
        "duration": 61,
        "link": "https://hub.example/rec/7f3a.mp3",
        "service_code": "hub_widget",
        "uniq": "7f3a",
        "is_call_event_needed": True,
    }
    person = {
        "name": PHONE,
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": PHONE}]}],
    }
    embedded = {"leads": [{"name": f"Звонок {PHONE}"}], "contacts": [person], "companies": []}
    sent = {"source_name": "Hub", "source_uid": "hub-7f3a", "metadata": metadata, "_embedded": embedded}
    return {**sent, **more}


@pytest.fixture
def person(api: httpx.AsyncClient):
    """Stores a contact with the phone and as many open leads as asked; gives contact id and lead ids."""

    async def store(leads: int) -> tuple[int, list[int]]:
        values = [{"field_code": "PHONE", "values": [{"value": "8 (916) 123-45-67"}]}]
        made = await api.post("/api/v4/contacts", json=[{"name": "Иван", "custom_fields_values": values}])
        contact = made.json()["_embedded"]["contacts"][0]["id"]
        deals = [{"name": "Сделка", "_embedded": {"contacts": [{"id": contact}]}}] * leads
        if not deals:
            return contact, []
        answer = await api.post("/api/v4/leads", json=deals)
        return contact, [one["id"] for one in answer.json()["_embedded"]["leads"]]

    return store


async def test_a_call_goes_to_the_only_open_lead(api: httpx.AsyncClient, person) -> None:
    _, (lead,) = await person(1)
    answer = await api.post(CALLS, json=[call(request_id="call-7f3a")])
    (placed,) = answer.json()["_embedded"]["calls"]
    notes = (await api.get(f"/api/v4/leads/{lead}/notes")).json()["_embedded"]["notes"]
    assert (placed["entity_id"], placed["entity_type"], placed["request_id"]) == (lead, "lead", "call-7f3a")
    assert answer.json()["errors"] == []
    assert [(one["id"], one["note_type"]) for one in notes] == [(placed["id"], "call_in")]


@pytest.mark.parametrize("leads", [0, 2])
async def test_with_none_or_several_open_leads_a_call_goes_to_the_contact(
    api: httpx.AsyncClient, person, leads: int
) -> None:
    contact, _ = await person(leads)
    (placed,) = (await api.post(CALLS, json=[call()])).json()["_embedded"]["calls"]
    assert (placed["entity_id"], placed["entity_type"]) == (contact, "contact")


async def test_a_closed_lead_is_not_active(api: httpx.AsyncClient, person) -> None:
    contact, (lead,) = await person(1)
    await api.patch(f"/api/v4/leads/{lead}", json={"status_id": 143})
    (placed,) = (await api.post(CALLS, json=[call()])).json()["_embedded"]["calls"]
    assert placed["entity_id"] == contact


async def test_an_unknown_phone_is_400_without_validation_errors(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    answer = await api.post(CALLS, json=[call()])
    told = answer.json()
    assert answer.status_code == 400
    assert told["_total_items"] == 0
    assert told["errors"][0]["title"] == "Entity not found"
    assert told["_embedded"] == {"calls": []}
    assert "validation-errors" not in told
    assert answer.headers["content-type"] != "application/problem+json"
    assert not sandbox.ledger.rows[-1].committed


async def test_a_mixed_batch_is_200_with_errors_or_400_by_switch(
    api: httpx.AsyncClient, sandbox: Sandbox, person
) -> None:
    await person(1)
    batch = [call(request_id="known"), call(request_id="lost", phone="+74950000000")]
    answer = await api.post(CALLS, json=batch)
    sandbox.dial.turn({"calls_mixed_status": 400})
    switched = await api.post(CALLS, json=batch)
    assert (answer.status_code, switched.status_code) == (200, 400)
    assert [one["request_id"] for one in answer.json()["errors"]] == ["lost"]
    assert [one["request_id"] for one in answer.json()["_embedded"]["calls"]] == ["known"]


async def test_a_call_without_a_direction_is_a_validation_error(api: httpx.AsyncClient) -> None:
    answer = await api.post(CALLS, json=[{"duration": 1, "source": "Hub", "phone": PHONE}])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "direction"


async def test_calls_cannot_be_listed(api: httpx.AsyncClient) -> None:
    assert (await api.get(CALLS)).status_code == 405


async def test_an_incoming_lead_answers_uid_and_hidden_cards(api: httpx.AsyncClient) -> None:
    answer = await api.post(SIP, json=[incoming(request_id="call-7f3a")])
    (made,) = answer.json()["_embedded"]["unsorted"]
    assert answer.json()["_total_items"] == 1
    assert len(made["uid"]) == 60
    assert made["request_id"] == "call-7f3a"
    assert len(made["_embedded"]["leads"]) == len(made["_embedded"]["contacts"]) == 1
    assert made["_embedded"]["companies"] == []
    assert (await api.get("/api/v4/leads")).status_code == 204
    assert (await api.get("/api/v4/contacts")).status_code == 204


async def test_metadata_reads_back_with_odd_types(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await api.post(SIP, json=[incoming()])
    odd = (await api.get("/api/v4/leads/unsorted?filter[category][]=sip")).json()["_embedded"]["unsorted"][0]
    sandbox.dial.turn({"unsorted_metadata_types": "plain"})
    plain = (await api.get("/api/v4/leads/unsorted")).json()["_embedded"]["unsorted"][0]
    assert (odd["metadata"]["duration"], odd["metadata"]["phone"]) == ("61", 79161234567)
    assert (plain["metadata"]["duration"], plain["metadata"]["phone"]) == (61, PHONE)
    assert odd["source_uid"] == "hub-7f3a"


async def test_a_call_note_is_added_when_asked(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await api.post(SIP, json=[incoming()])
    (note,) = sandbox.account.store.notes["contacts"].values()
    assert (note.note_type, note.params["uniq"]) == ("call_in", "7f3a")


async def test_accepting_makes_the_lead_visible_on_the_first_stage(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    made = (await api.post(SIP, json=[incoming()])).json()["_embedded"]["unsorted"][0]
    accepted = await api.post(f"/api/v4/leads/unsorted/{made['uid']}/accept", json={"user_id": 0})
    lead = (await api.get("/api/v4/leads")).json()["_embedded"]["leads"][0]
    assert accepted.json()["_embedded"]["leads"][0]["id"] == lead["id"]
    assert lead["status_id"] == sandbox.account.main_pipeline.first.id
    assert (await api.get("/api/v4/leads/unsorted")).status_code == 204


async def test_declining_deletes_the_lead(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    made = (await api.post(SIP, json=[incoming()])).json()["_embedded"]["unsorted"][0]
    declined = await api.request("DELETE", f"/api/v4/leads/unsorted/{made['uid']}/decline")
    lead = made["_embedded"]["leads"][0]["id"]
    assert declined.status_code == 200
    assert (await api.get(f"/api/v4/leads/{lead}")).status_code == 204


async def test_an_unknown_or_settled_uid_is_404(api: httpx.AsyncClient) -> None:
    made = (await api.post(SIP, json=[incoming()])).json()["_embedded"]["unsorted"][0]
    path = f"/api/v4/leads/unsorted/{made['uid']}/accept"
    await api.post(path)
    assert (await api.post(path)).status_code == 404


async def test_a_very_fresh_item_is_400_when_the_switch_says_so(
    api: httpx.AsyncClient, sandbox: Sandbox, clock
) -> None:
    sandbox.dial.turn({"unsorted_fresh_seconds": 3})
    made = (await api.post(SIP, json=[incoming()])).json()["_embedded"]["unsorted"][0]
    path = f"/api/v4/leads/unsorted/{made['uid']}/accept"
    early = await api.post(path)
    clock.forward(3)
    assert (early.status_code, (await api.post(path)).status_code) == (400, 200)


async def test_the_same_pending_item_again_is_a_duplicate_unless_allowed(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await api.post(SIP, json=[incoming()])
    again = await api.post(SIP, json=[incoming()])
    sandbox.dial.turn({"unsorted_duplicates": "allowed"})
    allowed = await api.post(SIP, json=[incoming()])
    assert again.json()["validation-errors"][0]["errors"][0]["code"] == "DuplicateEntity"
    assert allowed.status_code == 200


async def test_plain_post_to_unsorted_is_405(api: httpx.AsyncClient) -> None:
    assert (await api.post("/api/v4/leads/unsorted", json=[incoming()])).status_code == 405


async def test_metadata_without_a_mandatory_key_names_it(api: httpx.AsyncClient) -> None:
    sent = incoming()
    del sent["metadata"]["uniq"]  # type: ignore[attr-defined]
    answer = await api.post(SIP, json=[sent])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == "metadata.uniq"


async def test_a_form_is_taken_too_and_the_summary_counts(api: httpx.AsyncClient) -> None:
    keys = ("form_id", "form_name", "form_page", "ip", "referer")
    metadata = {**dict.fromkeys(keys, "x"), "form_sent_at": 1_767_225_600}
    form = {"source_name": "Сайт", "source_uid": "f1", "metadata": metadata, "_embedded": {"leads": [{}]}}
    assert (await api.post("/api/v4/leads/unsorted/forms", json=[form])).status_code == 200
    told = (await api.get("/api/v4/leads/unsorted/summary")).json()
    assert (told["total"], told["accepted"], told["categories"]["forms"]) == (1, 0, {"total": 1})
