"""Two cards merged by a person: what the survivor has, and what is told."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox


def person(name: str, phone: str) -> dict[str, object]:
    return {"name": name, "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}]}


@pytest.fixture
async def pair(api: httpx.AsyncClient) -> dict[str, int]:
    """Two contacts of one human, the loser being the main contact of a deal with a note and a task of his own."""
    sent = [{"name": "Звонок", "_embedded": {"contacts": [person("Ваня", "+79160000001")]}}]
    made = (await api.post("/api/v4/leads/complex", json=sent)).json()[0]
    lose = made["contact_id"]
    keep = (await api.post("/api/v4/contacts", json=[person("Иван", "+79160000002")])).json()
    note = [{"note_type": "common", "params": {"text": "важно"}}]
    await api.post(f"/api/v4/contacts/{lose}/notes", json=note)
    task = [{"text": "Перезвонить", "complete_till": 2_000_000_000, "entity_id": lose, "entity_type": "contacts"}]
    await api.post("/api/v4/tasks", json=task)
    return {"lose": lose, "keep": keep["_embedded"]["contacts"][0]["id"], "lead": made["id"]}


async def test_the_survivor_has_both_phones(
    api: httpx.AsyncClient, web: httpx.AsyncClient, pair: dict[str, int]
) -> None:
    await web.post("/do/merge", data={"kind": "contacts", "id": pair["lose"], "into": pair["keep"]})
    kept = (await api.get(f"/api/v4/contacts/{pair['keep']}")).json()
    values = [raw["value"] for raw in kept["custom_fields_values"][0]["values"]]
    assert values == ["+79160000002", "+79160000001"]


async def test_the_deal_keeps_a_main_contact(
    api: httpx.AsyncClient, web: httpx.AsyncClient, pair: dict[str, int]
) -> None:
    await web.post("/do/merge", data={"kind": "contacts", "id": pair["lose"], "into": pair["keep"]})
    lead = (await api.get(f"/api/v4/leads/{pair['lead']}?with=contacts")).json()
    assert [(one["id"], one["is_main"]) for one in lead["_embedded"]["contacts"]] == [(pair["keep"], True)]


async def test_notes_and_tasks_move_along(api: httpx.AsyncClient, web: httpx.AsyncClient, pair: dict[str, int]) -> None:
    await web.post("/do/merge", data={"kind": "contacts", "id": pair["lose"], "into": pair["keep"]})
    notes = (await api.get(f"/api/v4/contacts/{pair['keep']}/notes")).json()["_embedded"]["notes"]
    kept = (await api.get(f"/api/v4/contacts/{pair['keep']}")).json()
    assert [one["entity_id"] for one in notes] == [pair["keep"]]
    assert kept["closest_task_at"] == 2_000_000_000


async def test_the_lost_id_answers_204_and_its_events_say_why(
    api: httpx.AsyncClient, web: httpx.AsyncClient, pair: dict[str, int]
) -> None:
    await web.post("/do/merge", data={"kind": "contacts", "id": pair["lose"], "into": pair["keep"]})
    told = (await api.get("/api/v4/events?filter[type]=entity_merged,contact_deleted")).json()["_embedded"]["events"]
    assert (await api.get(f"/api/v4/contacts/{pair['lose']}")).status_code == 204
    assert [(one["type"], one["entity_id"]) for one in told] == [
        ("contact_deleted", pair["lose"]),
        ("entity_merged", pair["keep"]),
    ]


async def test_the_webhook_tells_of_both_cards(
    sandbox: Sandbox, api: httpx.AsyncClient, web: httpx.AsyncClient, pair: dict[str, int], outbox: list[httpx.Request]
) -> None:
    hook = {"destination": "https://hub.example/hook", "settings": ["update_contact", "delete_contact"]}
    await api.post("/api/v4/webhooks", json=hook)
    await web.post("/do/merge", data={"kind": "contacts", "id": pair["lose"], "into": pair["keep"]})
    await sandbox.account.sender.pump()
    body = outbox[0].content.decode()
    assert f"contacts%5Bupdate%5D%5B0%5D%5Bid%5D={pair['keep']}" in body
    assert f"contacts%5Bdelete%5D%5B0%5D%5Bid%5D={pair['lose']}" in body


async def test_a_card_is_not_merged_with_itself(web: httpx.AsyncClient, sandbox: Sandbox, pair: dict[str, int]) -> None:
    page = await web.post(
        "/do/merge", data={"kind": "contacts", "id": pair["keep"], "into": pair["keep"]}, follow_redirects=True
    )
    assert "Two different cards" in page.text
    assert sandbox.account.store.card("contacts", pair["keep"]) is not None
