"""Notes, call notes and tasks."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox


@pytest.fixture
async def lead(api: httpx.AsyncClient) -> int:
    answer = await api.post("/api/v4/leads", json=[{"name": "Сделка"}])
    number: int = answer.json()["_embedded"]["leads"][0]["id"]
    return number


def call_note(uniq: str = "7f3a", **more: object) -> dict[str, object]:
    params = {"uniq": uniq, "duration": 61, "source": "Hub", "phone": "+79161234567", "link": "https://x/r"}
    return {"note_type": "call_in", "params": params, **more}


async def test_a_note_answers_id_entity_and_request_id(api: httpx.AsyncClient, lead: int) -> None:
    answer = await api.post("/api/v4/leads/notes", json=[call_note(entity_id=lead, request_id="call-7f3a")])
    note = answer.json()["_embedded"]["notes"][0]
    link = f"http://romashka.test:8801/api/v4/leads/{lead}/notes/{note['id']}"
    assert (note["entity_id"], note["request_id"]) == (lead, "call-7f3a")
    assert note["_links"]["self"]["href"] == link


async def test_the_same_uniq_twice_makes_two_notes(api: httpx.AsyncClient, lead: int) -> None:
    for _ in range(2):
        await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    found = await api.get(f"/api/v4/leads/{lead}/notes?filter[note_type][]=call_in&filter[note_type][]=call_out")
    assert [one["params"]["uniq"] for one in found.json()["_embedded"]["notes"]] == ["7f3a", "7f3a"]


async def test_uniq_is_refused_when_the_switch_says_so(api: httpx.AsyncClient, lead: int, sandbox: Sandbox) -> None:
    sandbox.dial.turn({"uniq_enforced": True})
    first = await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    second = await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    assert (first.status_code, second.status_code) == (200, 400)


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"note_type": "common", "params": {}}, "params.text"),
        ({"note_type": "telegram", "params": {}}, "note_type"),
        ({"note_type": ["common"], "params": {}}, "note_type"),
        ({"note_type": "common"}, "params"),
        ({"note_type": "call_in", "params": {"duration": "61"}}, "params.duration"),
        ({"note_type": "common", "params": {"text": "x"}, "created_by": 1}, "created_by"),
    ],
)
async def test_a_flawed_note_names_its_path(
    api: httpx.AsyncClient, lead: int, sent: dict[str, object], path: str
) -> None:
    answer = await api.post(f"/api/v4/leads/{lead}/notes", json=[sent])
    assert answer.json()["validation-errors"][0]["errors"][0]["path"] == path


async def test_notes_of_a_missing_card_are_404_to_write_and_204_to_read(api: httpx.AsyncClient) -> None:
    written = await api.post("/api/v4/leads/1/notes", json=[call_note()])
    assert written.status_code == 404
    assert (await api.get("/api/v4/leads/1/notes")).status_code == 204


async def test_a_note_can_be_patched_but_not_deleted(api: httpx.AsyncClient, lead: int) -> None:
    made = await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    path = f"/api/v4/leads/{lead}/notes/{made.json()['_embedded']['notes'][0]['id']}"
    patched = await api.patch(path, json={"params": {"uniq": "7f3a", "duration": 62}})
    assert patched.status_code == 200
    assert (await api.get(path)).json()["params"]["duration"] == 62
    assert (await api.delete(path)).status_code == 405


async def test_a_call_note_writes_an_incoming_call_into_the_history(api: httpx.AsyncClient, lead: int) -> None:
    made = await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    note = made.json()["_embedded"]["notes"][0]["id"]
    lines = (await api.get("/api/v4/events?filter[type]=incoming_call")).json()["_embedded"]["events"]
    assert lines[0]["value_after"] == [{"note": {"id": note}}]


async def test_the_lag_reaches_notes_only_when_the_scope_is_all(
    api: httpx.AsyncClient, lead: int, sandbox: Sandbox
) -> None:
    sandbox.dial.turn({"search_lag": 5})
    await api.post(f"/api/v4/leads/{lead}/notes", json=[call_note()])
    cards_only = await api.get(f"/api/v4/leads/{lead}/notes")
    sandbox.dial.turn({"search_lag_scope": "all"})
    assert cards_only.status_code == 200
    assert (await api.get(f"/api/v4/leads/{lead}/notes")).status_code == 204


async def test_a_task_needs_text_and_a_term(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/v4/tasks", json=[{}])
    errors = answer.json()["validation-errors"][0]["errors"]
    assert [(one["code"], one["path"]) for one in errors] == [
        ("FieldMissing", "text"),
        ("FieldMissing", "complete_till"),
    ]


async def test_a_task_is_done_with_a_result_and_an_empty_result_is_a_list(api: httpx.AsyncClient, lead: int) -> None:
    task = {"text": "Перезвонить", "complete_till": 1_767_229_200, "entity_id": lead, "entity_type": "leads"}
    made = await api.post("/api/v4/tasks", json=[task])
    path = f"/api/v4/tasks/{made.json()['_embedded']['tasks'][0]['id']}"
    before = (await api.get(path)).json()
    await api.patch(path, json={"is_completed": True, "result": {"text": "ok"}})
    after = (await api.get(path)).json()
    assert (before["result"], before["is_completed"]) == ([], False)
    assert (after["result"], after["is_completed"]) == ({"text": "ok"}, True)


async def test_an_open_task_shows_as_the_closest_one_of_its_deal(api: httpx.AsyncClient, lead: int) -> None:
    task = {"text": "Перезвонить", "complete_till": 1_767_229_200, "entity_id": lead, "entity_type": "leads"}
    made = await api.post("/api/v4/tasks", json=[task])
    waiting = (await api.get(f"/api/v4/leads/{lead}")).json()["closest_task_at"]
    number = made.json()["_embedded"]["tasks"][0]["id"]
    await api.patch("/api/v4/tasks", json=[{"id": number, "is_completed": True}])
    assert waiting == 1_767_229_200
    assert (await api.get(f"/api/v4/leads/{lead}")).json()["closest_task_at"] is None


async def test_task_filters_are_free(api: httpx.AsyncClient, lead: int) -> None:
    task = {"text": "Перезвонить hub:7f3a", "complete_till": 1_767_229_200}
    await api.post("/api/v4/tasks", json=[task, {**task, "entity_id": lead, "entity_type": "leads"}])
    query = f"filter[entity_id][]={lead}&filter[entity_type]=leads&filter[is_completed]=0"
    found = await api.get(f"/api/v4/tasks?{query}")
    assert [one["entity_id"] for one in found.json()["_embedded"]["tasks"]] == [lead]
