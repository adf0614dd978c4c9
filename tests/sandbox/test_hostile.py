"""Hostile input: no request may raise, and lists stay cheap among many leads."""

import random

import httpx
import pytest

from sandbox.amocrm.app import Sandbox
from sandbox.amocrm.store import Card
from sandbox.brackets import flatten, parse_brackets

WRONG = [None, True, -1, 0, 1.5, 10**30, "", "x", "\x00", "9" * 5000, [], [[]], [None], {}, {"a": []}, "🙂"]
WRITES = {
    ("POST", "/api/v4/leads"): {
        "name": "x",
        "price": 1,
        "status_id": 142,
        "pipeline_id": "PIPELINE",
        "created_by": 0,
        "created_at": 1,
        "loss_reason_id": "LOSS",
        "responsible_user_id": "USER",
        "custom_fields_values": [{"field_code": "UTM_SOURCE", "field_id": 1, "values": [{"value": "x"}]}],
        "tags_to_add": [{"name": "x"}],
        "tags_to_delete": [{"id": 1}],
        "_embedded": {"tags": [{"name": "x"}], "contacts": [{"id": "CONTACT"}], "source": {"external_id": "x"}},
        "request_id": "x",
    },
    ("POST", "/api/v4/leads/complex"): {
        "_embedded": {
            "contacts": [{"first_name": "x", "custom_fields_values": [{"field_code": "PHONE", "values": []}]}],
            "companies": [{"name": "x"}],
            "metadata": {"category": "sip", "uniq": "x"},
        }
    },
    ("PATCH", "/api/v4/leads"): {
        "id": "LEAD",
        "price": 1,
        "status_id": 142,
        "pipeline_id": "PIPELINE",
        "custom_fields_values": [{"field_id": "FIELD", "values": [{"value": "x", "enum_code": "x"}]}],
        "_embedded": {"tags": [{"name": "x"}]},
        "tags_to_delete": [{"name": "x"}],
    },
    ("PATCH", "/api/v4/contacts/CONTACT"): {
        "name": "x",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+7916", "enum_code": "MOB"}]}],
    },
    ("POST", "/api/v4/leads/notes"): {
        "entity_id": "LEAD",
        "note_type": "call_in",
        "params": {"uniq": "x", "duration": 1},
        "created_by": "USER",
        "created_at": 1,
    },
    ("PATCH", "/api/v4/leads/notes"): {"id": "NOTE", "note_type": "common", "params": {"text": "x"}},
    ("POST", "/api/v4/tasks"): {
        "text": "x",
        "complete_till": 1,
        "entity_id": "LEAD",
        "entity_type": "leads",
        "task_type_id": 1,
        "responsible_user_id": "USER",
        "is_completed": True,
        "result": {"text": "x"},
    },
    ("PATCH", "/api/v4/tasks"): {"id": "TASK", "text": "x", "complete_till": 1, "result": {"text": "x"}},
    ("POST", "/api/v4/calls"): {
        "direction": "inbound",
        "duration": 1,
        "source": "x",
        "phone": "+79161234567",
        "call_status": 4,
        "created_by": "USER",
        "uniq": "x",
    },
    ("POST", "/api/v4/leads/unsorted/sip"): {
        "source_name": "x",
        "source_uid": "x",
        "pipeline_id": "PIPELINE",
        "created_at": 1,
        "metadata": {
            "phone": "x",
            "from": "x",
            "uniq": "x",
            "duration": 1,
            "link": "x",
            "service_code": "x",
            "call_responsible": "x",
            "called_at": 1,
            "is_call_event_needed": True,
        },
        "_embedded": {"leads": [{"name": "x"}], "contacts": [{"name": "x"}]},
    },
    ("POST", "/api/v4/leads/custom_fields"): {
        "name": "x",
        "type": "select",
        "code": "X",
        "sort": 1,
        "group_id": "default",
        "enums": [{"value": "x", "code": "x"}],
    },
    ("PATCH", "/api/v4/leads/custom_fields"): {
        "id": "FIELD",
        "name": "x",
        "sort": 1,
        "code": "Y",
        "enums": [{"id": 1, "value": "x", "code": "x"}],
    },
    ("POST", "/api/v4/leads/custom_fields/groups"): {"name": "x", "sort": 1},
    ("POST", "/api/v4/leads/tags"): {"name": "x"},
    ("POST", "/api/v4/leads/link"): {
        "entity_id": "LEAD",
        "to_entity_id": "CONTACT",
        "to_entity_type": "contacts",
        "metadata": {"is_main": True},
    },
    ("POST", "/api/v4/sources"): {"name": "x", "external_id": "x", "pipeline_id": "PIPELINE"},
    ("PATCH", "/api/v4/sources"): {"id": "SOURCE", "name": "x", "pipeline_id": "PIPELINE"},
    ("DELETE", "/api/v4/sources"): {"id": "SOURCE"},
    ("POST", "/api/v4/webhooks"): {"destination": "https://x.example", "settings": ["add_lead"], "sort": 1},
    ("POST", "/api/v2/events"): {"add": [{"phone_number": "x"}]},
    ("POST", "/oauth2/access_token"): {"client_id": "x", "grant_type": "refresh_token", "refresh_token": "x"},
}
SINGLE = ("/api/v4/webhooks", "/api/v2/events", "/oauth2/access_token", "/api/v4/contacts/CONTACT")


async def known_ids(api: httpx.AsyncClient, sandbox: Sandbox) -> dict[str, int]:
    """Stores one of each thing, so that what is spoiled is otherwise right."""
    made = (await api.post("/api/v4/leads/complex", json=[{"_embedded": {"contacts": [{"name": "x"}]}}])).json()
    lead = made[0]["id"]
    note = {"entity_id": lead, "note_type": "common", "params": {"text": "x"}}
    task = {"text": "x", "complete_till": 1}
    account = sandbox.account
    await api.post("/api/v4/leads/notes", json=[note])
    await api.post("/api/v4/tasks", json=[task])
    await api.post("/api/v4/sources", json=[{"name": "x", "external_id": "known"}])
    field = {"name": "x", "type": "select", "code": "KNOWN", "enums": [{"value": "x", "code": "x"}]}
    made_field = await api.post("/api/v4/leads/custom_fields", json=[field])
    return {
        "LEAD": lead,
        "CONTACT": made[0]["contact_id"],
        "USER": account.admin.id,
        "PIPELINE": account.main_pipeline.id,
        "NOTE": next(iter(account.store.notes["leads"])),
        "TASK": next(iter(account.store.tasks)),
        "SOURCE": next(iter(account.sources)),
        "FIELD": made_field.json()["_embedded"]["custom_fields"][0]["id"],
        "LOSS": next(iter(account.loss_reasons)),
    }


def with_ids(good: object, known: dict[str, int]) -> object:
    """Returns a copy of `good` with names like LEAD replaced by ids."""
    if isinstance(good, dict):
        return {key: with_ids(value, known) for key, value in good.items()}
    if isinstance(good, list):
        return [with_ids(value, known) for value in good]
    return known.get(good, good) if isinstance(good, str) else good


def spoiled(chance: random.Random, good: object) -> object:
    """Returns a copy of `good` in which one place somewhere inside is wrong."""
    if isinstance(good, dict) and good and chance.random() < 0.85:
        key = chance.choice(list(good))
        return {**good, key: spoiled(chance, good[key])}
    if isinstance(good, list) and good and chance.random() < 0.85:
        return [spoiled(chance, good[0]), *good[1:]]
    return chance.choice(WRONG)


@pytest.mark.parametrize(("method", "path"), list(WRITES))
async def test_a_spoiled_write_is_answered_in_words(
    api: httpx.AsyncClient, sandbox: Sandbox, method: str, path: str
) -> None:
    chance = random.Random(f"{method} {path}")
    known = await known_ids(api, sandbox)
    good = with_ids(WRITES[(method, path)], known)
    where = path.replace("/CONTACT", f"/{known['CONTACT']}")
    for _ in range(150):
        body = spoiled(chance, good)
        answer = await api.request(method, where, json=body if path in SINGLE else [body])
        assert answer.status_code in (200, 201, 204, 400, 401, 404, 422), body


@pytest.mark.parametrize("body", [b"", b"null", b"1", b'"x"', b"{}", b"\xff\xfe", b"[" * 5000, b"[1]"])
async def test_a_body_that_is_no_array_is_400(api: httpx.AsyncClient, body: bytes) -> None:
    assert (await api.post("/api/v4/leads", content=body)).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/v4/leads?page=99999999999999999999999&limit=-1",
        "/api/v4/leads?order=updated_at&filter=1&with[]=contacts",
        "/api/v4/leads?filter[updated_at][from][]=x&query[]=x&page[]=2",
        "/api/v4/leads/99999999999999999999999999999",
        "/api/v4/events?filter[created_at][from]=x&filter[value_after]=x",
        "/api/v4/events?filter[value_after][leads_statuses]=x&filter[type][a][b]=c",
        "/api/v4/tasks?filter[updated_at]=x&order[id][]=x",
        "/api/v4/leads/unsorted?filter[uid][a][b]=x&order=x",
        "/api/v4/contacts?query=%00%ff&order[updated_at]=sideways",
        "/api/v4/leads/custom_fields?order[sort][]=x&filter[type]=x",
    ],
)
async def test_an_odd_query_is_answered(api: httpx.AsyncClient, sandbox: Sandbox, path: str) -> None:
    sandbox.dial.turn({"api_filters": True})
    assert (await api.get(path)).status_code in (200, 204, 400, 404)


class CountingCards(dict[int, Card]):
    """The cards of a shelf, counting how many were looked at."""

    looked = 0

    def __getitem__(self, number: int) -> Card:
        self.looked += 1
        return super().__getitem__(number)


@pytest.mark.parametrize(
    "query",
    [
        "query=0f7c2b1e-9a55-4c1d",
        "order[updated_at]=desc&limit=1",
        "order[created_at]=desc&limit=1",
        "filter[updated_at][from]=1767225700&order[updated_at]=asc",
    ],
)
async def test_a_list_of_twenty_thousand_leads_looks_at_a_handful(
    api: httpx.AsyncClient, sandbox: Sandbox, clock, query: str
) -> None:
    sandbox.dial.turn({"api_filters": True})
    shelf = sandbox.account.store.shelves["leads"]
    for number in range(20_000):
        card = Card("leads", number, clock(), name="Звонок с сайта", created_at=number, updated_at=number)
        shelf.put(card)
        shelf.reindex(card, [])
    clock.forward(100)
    values = [{"field_code": "UTM_TERM", "values": [{"value": "hub:0f7c2b1e-9a55-4c1d"}]}]
    await api.post("/api/v4/leads", json=[{"name": "Нужный", "custom_fields_values": values}])
    shelf.cards = CountingCards(shelf.cards)
    answer = await api.get(f"/api/v4/leads?{query}")
    assert answer.json()["_embedded"]["leads"][0]["name"] == "Нужный"
    assert shelf.cards.looked < 10


def test_brackets_read_as_php_reads_them() -> None:
    tree = parse_brackets("a[]=1&a[]=2&b[x][0][y]=3&c=4&d[=5")
    assert tree == {"a": {"0": "1", "1": "2"}, "b": {"x": {"0": {"y": "3"}}}, "c": "4", "d[": "5"}


def test_brackets_are_written_as_php_writes_them() -> None:
    form = {"leads": {"add": [{"id": 1, "ok": True, "none": None}]}}
    assert list(flatten(form)) == [("leads[add][0][id]", "1"), ("leads[add][0][ok]", "1"), ("leads[add][0][none]", "")]
