"""aioamocrm's webhook parser, unmodified, fed with the bodies our sandbox posts over loopback (sheet sections 4.2 to 4.5)."""

from collections.abc import AsyncIterator, Iterator
from queue import Queue

import pytest
from aioamocrm import AmoCRMClient, Company, Contact, Embedded, Lead, LongLivedToken, Note, Task, parse_webhook

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from tests.sandbox.loopback import Hooked, Live, Turntable, receiver, served

SETTINGS = [
    *("add_lead", "update_lead", "status_lead", "responsible_lead", "delete_lead", "restore_lead", "note_lead"),
    *("add_contact", "update_contact", "add_company", "add_task", "update_task", "add_unsorted", "delete_unsorted"),
]


@pytest.fixture
def hook(turntable: Turntable) -> Hooked:
    """A receiver of webhooks on loopback."""
    bodies: Queue[bytes] = Queue()
    turntable.app = receiver(bodies)
    return Hooked(f"{turntable.base_url}/hook", bodies)


@pytest.fixture
def live(clock, no_certificates: None) -> Iterator[Live]:
    """A sandbox on a server of its own, so that it sends its webhooks by itself."""
    sandbox = Sandbox(Options(), clock, {"limiter": False})
    with served(sandbox.app) as base_url:
        yield Live(sandbox, base_url, sandbox.greeting(base_url))  # type: ignore[arg-type]


@pytest.fixture
async def amo(live: Live, hook: Hooked) -> AsyncIterator[AmoCRMClient]:
    """A client whose account tells the receiver everything."""
    auth = LongLivedToken(live.keys["access_token"])
    async with AmoCRMClient(auth=auth, base_url=live.base_url, rate_limit=None) as client:
        await client.request("POST", "webhooks", json={"destination": hook.url, "settings": SETTINGS})
        yield client


async def test_a_new_lead_arrives_with_its_fields_tags_and_account(
    amo: AmoCRMClient, live: Live, hook: Hooked, clock
) -> None:
    lead = Lead(name="Звонок", price=15000, tags_to_add=[{"name": "calltracking"}])
    lead.set_field("UTM_SOURCE", "yandex")
    (ref,) = await amo.leads.create([lead])
    webhook = parse_webhook(hook.next())
    (event,) = webhook.events
    assert (event.entity, event.action, event.id) == ("leads", "add", ref.id)
    assert (event.payload["name"], event.payload["price"]) == ("Звонок", "15000")
    assert event.payload["tags"][0]["name"] == "calltracking"
    assert (event.field_value("UTM_SOURCE"), event.field_value("utm_source")) == ("yandex", "yandex")
    assert event.payload["created_at"] == event.payload["date_create"] == str(int(clock()))
    assert "old_status_id" not in event.payload
    assert (webhook.account_id, webhook.subdomain) == (live.keys["account_id"], "romashka")
    assert webhook.account["_links"] == {"self": live.base_url}


async def test_a_won_deal_arrives_as_an_update_and_a_status_with_the_old_stage(
    amo: AmoCRMClient, live: Live, hook: Hooked
) -> None:
    first, manager = live.sandbox.account.main_pipeline.first.id, list(live.sandbox.account.users)[1]
    (ref,) = await amo.leads.create([Lead(name="Звонок")])
    hook.next()
    await amo.leads.update([Lead(id=ref.id, status_id=142, price=15000, responsible_user_id=manager)])
    events = {event.action: event for event in parse_webhook(hook.next()).events}
    assert list(events) == ["update", "status", "responsible"]
    assert {event.id for event in events.values()} == {ref.id}
    status, admin = events["status"].payload, live.sandbox.account.admin.id
    assert (status["status_id"], status["old_status_id"], status["price"]) == ("142", str(first), "15000")
    assert events["responsible"].payload["old_responsible_user_id"] == str(admin)


async def test_two_leads_of_one_request_are_two_events(amo: AmoCRMClient, hook: Hooked) -> None:
    refs = await amo.leads.create([Lead(name="Первая"), Lead(name="Вторая")])
    events = parse_webhook(hook.next()).events
    assert [event.id for event in events] == [ref.id for ref in refs]


async def test_a_deleted_lead_keeps_three_keys_and_a_restored_one_all(
    amo: AmoCRMClient, live: Live, hook: Hooked
) -> None:
    (ref,) = await amo.leads.create([Lead(name="Звонок")])
    hook.next()
    async with amo.http.stream("POST", f"{live.base_url}/_sandbox/trash", json={"id": ref.id}):
        (deleted,) = parse_webhook(hook.next()).events
    async with amo.http.stream("POST", f"{live.base_url}/_sandbox/restore", json={"id": ref.id}):
        (restored,) = parse_webhook(hook.next()).events
    assert (deleted.action, deleted.id, set(deleted.payload)) == ("delete", ref.id, {"id", "status_id", "pipeline_id"})
    assert (restored.action, restored.id, restored.payload["name"]) == ("restore", ref.id, "Звонок")


async def test_a_note_is_nested_twice_and_names_its_lead(amo: AmoCRMClient, hook: Hooked) -> None:
    (lead,) = await amo.leads.create([Lead(name="Звонок")])
    hook.next()
    (ref,) = await amo.leads.notes.create([Note.common(lead.id, "Перезвонить")])
    (event,) = parse_webhook(hook.next()).events
    note = event.payload["note"]
    assert (event.entity, event.action, event.id) == ("leads", "note", None)
    assert (note["id"], note["element_id"], note["text"]) == (str(ref.id), str(lead.id), "Перезвонить")
    assert (note["note_type"], note["element_type"], note["date_create"]) == ("4", "2", "2026-01-01 00:00:00")


async def test_a_contact_and_a_company_share_an_entity_and_differ_by_type(amo: AmoCRMClient, hook: Hooked) -> None:
    contact = Contact(name="Иван")
    contact.set_field("PHONE", "+79161234567", enum_code="WORK")
    embedded = Embedded(contacts=[contact], companies=[Company(name="ООО Клиент")])
    (result,) = await amo.leads.create_complex([Lead(name="Звонок", embedded=embedded)])
    events = parse_webhook(hook.next()).events
    told = {event.payload.get("type"): event for event in events}
    assert [event.entity for event in events] == ["leads", "contacts", "contacts"]
    assert {event.action for event in events} == {"add"}
    assert (told["contact"].id, told["company"].id) == (result.contact_id, result.company_id)
    assert told["contact"].field_value("PHONE") == "+79161234567"


async def test_a_task_arrives_under_its_singular_name(amo: AmoCRMClient, hook: Hooked) -> None:
    (ref,) = await amo.tasks.create([Task(text="Перезвонить", complete_till=1_767_229_200)])
    (added,) = parse_webhook(hook.next()).events
    await amo.tasks.complete(ref.id, result="Дозвонились")
    (closed,) = parse_webhook(hook.next()).events
    assert (added.entity, added.action, added.id, added.payload["status"]) == ("task", "add", ref.id, "0")
    assert added.payload["complete_till"] == "2026-01-01 01:00:00"
    assert (closed.action, closed.payload["status"], closed.payload["result"]["text"]) == ("update", "1", "Дозвонились")


async def test_an_incoming_lead_tells_what_became_of_it(amo: AmoCRMClient, hook: Hooked) -> None:
    embedded = {"leads": [{}], "metadata": {"category": "sip", "uniq": "7f3a"}}
    (lead,) = await amo.leads.create_complex([{"_embedded": embedded}])
    (added,) = parse_webhook(hook.next()).events
    await amo.request("POST", f"leads/unsorted/{added.payload['uid']}/accept")
    (settled,) = [event for event in parse_webhook(hook.next()).events if event.entity == "unsorted"]
    assert (added.action, added.payload["category"], added.payload["lead_id"]) == ("add", "sip", str(lead.id))
    assert (settled.action, settled.payload["action"]) == ("delete", "accept")
    assert settled.payload["accept_result"]["leads"] == [str(lead.id)]


async def test_values_of_every_odd_shape_are_read(amo: AmoCRMClient, hook: Hooked) -> None:
    kinds = {"D": "date", "B": "birthday", "C": "checkbox", "U": "url"}
    fields = [{"type": kind, "name": kind, "code": code} for code, kind in kinds.items()]
    await amo.request("POST", "leads/custom_fields", json=fields)
    lead = Lead(name="Звонок")
    for code, value in {"D": 1_767_225_600, "B": 316_483_200, "C": True, "U": "https://x/?a=1&b=2"}.items():
        lead.set_field(code, value)
    await amo.leads.create([lead])
    (event,) = parse_webhook(hook.next()).events
    assert [event.field_value(code) for code in "DBC"] == ["1767225600", "12.01.1980", "1"]
    assert event.field_value("U") == "https://x/?a=1&amp;b=2"


async def test_the_parser_takes_the_enum_of_a_radiobutton_for_a_second_value(amo: AmoCRMClient, hook: Hooked) -> None:
    """Sheet 4.3: `values` of a radiobutton is an object with value and enum, not a list of values."""
    field = {"type": "radiobutton", "name": "Тип", "code": "R", "enums": [{"value": "Опт"}]}
    made = await amo.request("POST", "leads/custom_fields", json=[field])
    enum = made["_embedded"]["custom_fields"][0]["enums"][0]["id"]
    lead = Lead(name="Звонок")
    lead.set_field("R", "Опт")
    await amo.leads.create([lead])
    (event,) = parse_webhook(hook.next()).events
    assert event.custom_fields[0]["values"] == {"value": "Опт", "enum": str(enum)}
    assert event.field_values("R") == ["Опт", str(enum)]


async def test_the_parser_loses_the_keys_of_linked_leads(amo: AmoCRMClient, hook: Hooked) -> None:
    """Sheet 4.4: `linked_leads_id` is keyed by lead id; the parser makes a list of it, the ids stay inside."""
    (ref,) = await amo.contacts.create([Contact(name="Иван")])
    hook.next()
    (lead,) = await amo.leads.create([Lead(embedded=Embedded(contacts=[Contact(id=ref.id)]))])
    hook.next()
    await amo.contacts.update([Contact(id=ref.id, name="Пётр")])
    (event,) = parse_webhook(hook.next()).events
    assert event.payload["linked_leads_id"] == [{"ID": str(lead.id)}]


async def test_an_old_capture_names_the_subdomain_alone_and_first(amo: AmoCRMClient, live: Live, hook: Hooked) -> None:
    live.sandbox.dial.turn({"webhook_account_keys": "subdomain", "webhook_account_first": True})
    (ref,) = await amo.leads.create([Lead(name="Звонок")])
    webhook = parse_webhook(hook.next())
    assert (webhook.subdomain, webhook.account_id) == ("romashka", None)
    assert list(webhook.data) == ["account", "leads"]
    assert [event.id for event in webhook.events] == [ref.id]
