"""aioamocrm, unmodified, over loopback HTTP: the account, cards, notes, tasks, fields, links and paging.

Agreement is a consistency check of two readings of the documentation, not a proof of the live service (sheet section 13).
"""

import pytest
from aioamocrm import (
    AmoCRMClient,
    Company,
    Contact,
    Embedded,
    ForbiddenError,
    Lead,
    LongLivedToken,
    Note,
    NotFoundError,
    Task,
)

from tests.sandbox.loopback import Live

PHONE, MOBILE = "+79161234567", "+79167654321"


async def made(amo: AmoCRMClient, *names: str) -> list[int]:
    """Ids of new leads."""
    return [one.id for one in await amo.leads.create([Lead(name=name) for name in names])]


async def person(amo: AmoCRMClient, name: str, *phones: str) -> int:
    """Id of a new contact."""
    contact = Contact(name=name)
    contact.set_field("PHONE", *phones, enum_code="WORK")
    (ref,) = await amo.contacts.create([contact])
    return ref.id


async def test_the_account_tells_what_was_asked_with_it(amo: AmoCRMClient, live: Live) -> None:
    account = await amo.account.get(with_=["is_api_filter_enabled", "users_groups", "task_types", "datetime_settings"])
    assert (account.id, account.subdomain, account.currency) == (live.keys["account_id"], "romashka", "RUB")
    assert account.current_user_id == live.sandbox.account.admin.id
    assert account.is_unsorted_on is True
    assert account.model_extra == {"mobile_feature_version": 0, "is_api_filter_enabled": False}
    assert account.links == {"self": {"href": f"{live.api}/account"}}
    assert [one["code"] for one in account.embedded["task_types"]] == ["FOLLOW_UP", "MEETING"]
    assert account.embedded["datetime_settings"]["date_formant"] == "d.m.Y"


async def test_users_are_listed_with_their_rights(amo: AmoCRMClient, live: Live) -> None:
    users = [user async for user in amo.users.iterate(limit=2)]
    known = live.sandbox.account.users
    assert [(user.id, user.name, user.email) for user in users] == [(u.id, u.name, u.email) for u in known.values()]
    assert [user.rights["is_admin"] for user in users] == [True, False, False]
    assert users[0].rights["leads"] == {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}


async def test_users_are_for_admins_only(live: Live) -> None:
    manager = next(user for user in live.sandbox.account.users.values() if not user.is_admin)
    token = live.sandbox.account.tokens.new_access(manager.id, "ui", live.base_url, "ui")
    async with AmoCRMClient(auth=LongLivedToken(token), base_url=live.base_url) as amo:
        with pytest.raises(ForbiddenError) as refused:
            await amo.users.get(manager.id)
    assert (refused.value.status_code, refused.value.title) == (403, "Forbidden")


async def test_every_pipeline_begins_unsorted_and_ends_won_and_lost(amo: AmoCRMClient) -> None:
    pipelines = await amo.pipelines.list()
    assert [pipeline.is_main for pipeline in pipelines] == [True, False]
    for pipeline in pipelines:
        statuses = await amo.pipelines.statuses(pipeline.id)
        assert [one.id for one in statuses] == [one.id for one in pipeline.statuses]
        assert [one.type for one in statuses] == [1] + [0] * (len(statuses) - 1)
        assert [one.id for one in statuses[-2:]] == [142, 143]
        assert {one.pipeline_id for one in statuses} == {pipeline.id}


async def test_leads_come_back_as_they_were_sent(amo: AmoCRMClient, live: Live) -> None:
    second = (await amo.pipelines.list())[1]
    sent = Lead(name="Звонок", price=15000, pipeline_id=second.id, status_id=second.statuses[2].id)
    sent.set_field("UTM_SOURCE", "yandex")
    refs = await amo.leads.create([sent, {"name": "Вторая", "request_id": "call-7f3a"}])
    lead = await amo.leads.get(refs[0].id)
    assert [ref.request_id for ref in refs] == ["0", "call-7f3a"]
    assert refs[0].links == {"self": {"href": f"{live.api}/leads/{refs[0].id}"}}
    assert (lead.name, lead.price) == ("Звонок", 15000)
    assert (lead.pipeline_id, lead.status_id) == (second.id, second.statuses[2].id)
    assert lead.field_value("UTM_SOURCE") == "yandex"
    assert (lead.field("UTM_SOURCE").field_type, lead.field("UTM_SOURCE").field_name) == ("tracking_data", "utm_source")
    assert lead.created_at == lead.updated_at == live.sandbox.account.now()
    assert (lead.closed_at, lead.is_deleted, lead.links) == (None, False, refs[0].links)


async def test_an_update_changes_what_was_sent_and_winning_closes(amo: AmoCRMClient, live: Live, clock) -> None:
    (ref,) = await amo.leads.create([Lead(name="Звонок", price=15000)])
    clock.forward(60)
    (changed,) = await amo.leads.update([Lead(id=ref.id, status_id=142)])
    lead = await amo.leads.get(ref.id)
    assert (changed.id, changed.updated_at) == (ref.id, int(clock()))
    assert (lead.name, lead.price, lead.status_id) == ("Звонок", 15000, 142)
    assert (lead.created_at, lead.updated_at, lead.closed_at) == (int(clock()) - 60, int(clock()), int(clock()))


async def test_a_complex_lead_brings_its_contact_and_company(amo: AmoCRMClient) -> None:
    contact = Contact(first_name="Звонок")
    contact.set_field("PHONE", PHONE, enum_code="MOB")
    embedded = Embedded(contacts=[contact], companies=[Company(name="ООО Клиент")])
    tags = [{"name": "calltracking"}]
    (result,) = await amo.leads.create_complex(
        [Lead(name="Звонок с сайта", embedded=embedded, tags_to_add=tags, request_id="call-7f3a")]
    )
    lead = await amo.leads.get(result.id, with_=["contacts"])
    known = await amo.contacts.get(result.contact_id, with_=["leads"])
    assert (result.request_id, result.merged) == (["call-7f3a"], False)
    assert [(one.id, one.is_main) for one in lead.embedded.contacts] == [(result.contact_id, True)]
    assert [one.id for one in lead.embedded.companies] == [result.company_id]
    assert [tag.name for tag in lead.embedded.tags] == ["calltracking"]
    assert known.field_value("PHONE", enum_code="MOB") == PHONE
    assert [one.id for one in known.embedded.companies] == [result.company_id]
    assert [one.id for one in known.embedded.leads] == [lead.id]


async def test_complex_leads_keep_their_order_and_tell_null_for_nobody(amo: AmoCRMClient) -> None:
    results = await amo.leads.create_complex([Lead(name="Первая"), Lead(name="Вторая")])
    names = [(await amo.leads.get(one.id)).name for one in results]
    assert names == ["Первая", "Вторая"]
    assert {(one.contact_id, one.company_id) for one in results} == {(None, None)}


async def test_duplicate_control_attaches_a_second_call_to_the_open_lead(amo: AmoCRMClient, live: Live) -> None:
    live.sandbox.dial.turn({"duplicate_control": True})
    contact = Contact(name="Иван")
    contact.set_field("PHONE", PHONE)
    (first,) = await amo.leads.create_complex([Lead(embedded=Embedded(contacts=[contact]))])
    (second,) = await amo.leads.create_complex([Lead(embedded=Embedded(contacts=[contact]), request_id="again")])
    assert (first.merged, second.merged) == (False, True)
    assert (second.id, second.contact_id, second.request_id) == (first.id, first.contact_id, ["again"])
    assert [lead.id for lead in await amo.leads.get_page()] == [first.id]


async def test_contacts_are_found_by_ten_digits_and_by_name(amo: AmoCRMClient) -> None:
    ivan, olga = await person(amo, "Иван", "8 (916) 123-45-67"), await person(amo, "Ольга", MOBILE)
    by_phone = await amo.contacts.get_page(query="9161234567")
    by_name = await amo.contacts.get_page(query="ольга", with_=["leads"])
    nobody = await amo.contacts.get_page(query="4950000000")
    assert [(one.id, one.field_value("PHONE")) for one in by_phone] == [(ivan, "8 (916) 123-45-67")]
    assert [one.id for one in by_name] == [olga]
    assert (len(nobody), nobody.has_next) == (0, False)


async def test_a_sent_list_of_phones_replaces_the_old_one(amo: AmoCRMClient) -> None:
    ivan = await person(amo, "Иван", PHONE, MOBILE)
    before = await amo.contacts.get(ivan)
    change = Contact(id=ivan)
    change.set_field("PHONE", MOBILE, enum_code="HOME")
    await amo.contacts.update([change])
    after = await amo.contacts.get(ivan)
    assert before.field_values("PHONE") == [PHONE, MOBILE]
    assert [(one.value, one.enum_code) for one in after.field("PHONE").values] == [(MOBILE, "HOME")]
    assert (after.name, after.first_name, after.is_unsorted) == ("Иван", "Иван", False)


async def test_a_company_is_made_renamed_and_read(amo: AmoCRMClient, clock) -> None:
    company = Company(name="ООО Клиент")
    company.set_field("WEB", "https://client.example/?a=1&b=2")
    (ref,) = await amo.companies.create([company])
    (changed,) = await amo.companies.update([Company(id=ref.id, name="АО Клиент")])
    known = await amo.companies.get(ref.id)
    assert (changed.id, changed.updated_at, changed.model_extra) == (ref.id, int(clock()), {"name": "АО Клиент"})
    assert (known.name, known.field_value("WEB")) == ("АО Клиент", "https://client.example/?a=1&b=2")


async def test_notes_of_a_lead_are_read_by_their_type(amo: AmoCRMClient, live: Live) -> None:
    (lead,) = await made(amo, "Звонок")
    call = {"uniq": "7f3a", "duration": 61, "source": "Hub", "link": "https://hub.example/7f3a.mp3", "phone": PHONE}
    sent = [Note.common(lead, "Перезвонить"), Note(entity_id=lead, note_type="call_in", params=call)]
    text, heard = await amo.leads.notes.create(sent)
    calls = await amo.leads.notes.get_page(entity_id=lead, filter={"note_type": ["call_in", "call_out"]})
    note = await amo.leads.notes.get(text.id, entity_id=lead)
    assert [(ref.entity_id, ref.request_id) for ref in (text, heard)] == [(lead, "0"), (lead, "1")]
    assert [(one.id, one.params) for one in calls] == [(heard.id, call)]
    assert (note.text, note.note_type, note.entity_id) == ("Перезвонить", "common", lead)
    assert note.links == {"self": {"href": f"{live.api}/leads/{lead}/notes/{text.id}"}}


async def test_a_task_is_set_and_done(amo: AmoCRMClient) -> None:
    (lead,) = await made(amo, "Звонок")
    task = Task(text="Перезвонить", complete_till=1_767_229_200, entity_id=lead, entity_type="leads", task_type_id=2)
    (ref,) = await amo.tasks.create([task])
    known, waiting = await amo.tasks.get(ref.id), await amo.leads.get(lead)
    await amo.tasks.complete(ref.id, result="Дозвонились")
    done, free = await amo.tasks.get(ref.id), await amo.leads.get(lead)
    assert (known.text, known.complete_till) == ("Перезвонить", 1_767_229_200)
    assert (known.entity_id, known.entity_type, known.task_type_id) == (lead, "leads", 2)
    assert (known.is_completed, known.result) == (False, None)
    assert (done.is_completed, done.result.text) == (True, "Дозвонились")
    assert (waiting.closest_task_at, free.closest_task_at) == (1_767_229_200, None)


async def test_the_filters_of_tasks_are_free(amo: AmoCRMClient) -> None:
    kinds = {"Связаться": 1, "Встреча": 2}
    await amo.tasks.create([Task(text=text, complete_till=1, task_type_id=kind) for text, kind in kinds.items()])
    meetings = await amo.tasks.get_page(filter={"task_type_id": 2, "is_completed": False})
    done = await amo.tasks.get_page(filter={"is_completed": True})
    assert [one.text for one in meetings] == ["Встреча"]
    assert len(done) == 0


async def test_nineteen_tracking_fields_are_known_by_their_codes(amo: AmoCRMClient) -> None:
    tracking = [one async for one in amo.leads.custom_fields.iterate(limit=7, filter={"type": ["tracking_data"]})]
    utm = await amo.leads.custom_fields.get(tracking[0].id)
    assert len(tracking) == 19
    assert [one.code for one in tracking[:4]] == ["UTM_CONTENT", "UTM_MEDIUM", "UTM_CAMPAIGN", "UTM_SOURCE"]
    assert (utm.code, utm.name, utm.entity_type, utm.is_predefined) == ("UTM_CONTENT", "utm_content", "leads", True)
    with pytest.raises(NotFoundError):
        await amo.leads.custom_fields.get(1)


async def test_a_phone_field_has_its_kinds_and_reads_with_the_enum(amo: AmoCRMClient) -> None:
    fields = {one.code: one for one in await amo.contacts.custom_fields.get_page()}
    contact = await amo.contacts.get(await person(amo, "Иван", PHONE))
    (value,) = contact.field("PHONE").values
    assert [enum.value for enum in fields["PHONE"].enums] == ["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"]
    assert (value.enum_code, value.enum_id) == ("WORK", fields["PHONE"].enum_id("WORK"))


async def test_a_link_names_the_main_contact_and_is_taken_back(amo: AmoCRMClient) -> None:
    (lead,), ivan = await made(amo, "Звонок"), await person(amo, "Иван", PHONE)
    (link,) = await amo.leads.link(lead, "contacts", ivan, metadata={"is_main": True})
    (listed,) = await amo.leads.links(lead, filter={"to_entity_type": "contacts"})
    await amo.leads.unlink(lead, "contacts", ivan)
    assert (link.entity_id, link.entity_type, link.to_entity_id) == (lead, "leads", ivan)
    assert link.metadata == listed.metadata == {"main_contact": True}
    assert (listed.to_entity_id, listed.entity_id, listed.entity_type) == (ivan, None, None)
    assert await amo.leads.links(lead) == []


async def test_a_walk_follows_next_and_stops_without_one(amo: AmoCRMClient, live: Live) -> None:
    ids = await made(amo, *"абвгдеж")
    walked = [lead.id async for lead in amo.leads.iterate(limit=3, order={"id": "desc"})]
    assert walked == ids[::-1]
    assert [row.query.partition("&page=")[2] for row in live.asked("GET", "/leads")[1:]] == ["2", "3"]


async def test_a_full_last_page_may_lead_to_an_empty_one(amo: AmoCRMClient, live: Live) -> None:
    live.sandbox.dial.turn({"next_on_full_page": True})
    ids = await made(amo, *"абвгде")
    walked = [lead.id async for lead in amo.leads.iterate(limit=3)]
    beyond = await amo.leads.get_page(9, limit=3)
    assert walked == ids
    assert [row.status for row in live.asked("GET", "/leads")] == [200, 200, 204, 204]
    assert (len(beyond), beyond.next_url) == (0, None)


async def test_filters_are_ignored_until_they_are_bought(amo: AmoCRMClient, live: Live) -> None:
    first, second = await made(amo, "Первая", "Вторая")
    ignored = await amo.leads.get_page(filter={"id": [second]})
    live.sandbox.dial.turn({"api_filters": True})
    honoured = await amo.leads.get_page(filter={"id": [second]})
    assert [lead.id for lead in ignored] == [first, second]
    assert [lead.id for lead in honoured] == [second]


async def test_a_missing_card_is_204_which_the_client_calls_not_found(amo: AmoCRMClient) -> None:
    with pytest.raises(NotFoundError) as missing:
        await amo.leads.get(1)
    assert missing.value.status_code == 204
