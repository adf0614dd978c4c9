"""Finding by phone, merging; comments, activities, tasks, traces, payments."""

from typing import Any

import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import Rest

NUMBER = "+79991112233"


@pytest.fixture
def person(rest: Rest):
    """Adds a contact (or a lead) with a phone and returns its id."""

    async def add(phone: str = NUMBER, kind: int = 3, **fields: Any) -> int:
        told = {"fm": [{"typeId": "PHONE", "value": phone}], **fields}
        return int((await rest("crm.item.add", entityTypeId=kind, fields=told))["item"]["id"])

    return add


@pytest.fixture
async def deal(rest: Rest) -> int:
    """A deal."""
    return int((await rest("crm.item.add", entityTypeId=2, fields={"title": "Call"}))["item"]["id"])


async def test_a_number_nobody_has_is_an_empty_list(rest: Rest) -> None:
    assert await rest("crm.duplicate.findbycomm", type="PHONE", values=[NUMBER]) == []


async def test_digits_must_be_equal_so_every_spelling_is_asked(rest: Rest, person, sandbox: Sandbox) -> None:
    id_ = await person("8 (999) 111-22-33 доб. 5")

    async def found(*values: str) -> Any:
        return await rest("crm.duplicate.findbycomm", type="PHONE", values=values)

    assert await found(NUMBER) == []
    assert await found(NUMBER, "89991112233") == {"CONTACT": [id_]}
    sandbox.dial.turn({"phone_match": "last10"})
    assert await found(NUMBER) == {"CONTACT": [id_]}
    sandbox.dial.turn({"phone_match": "exact"})
    assert await found("89991112233") == []


async def test_twenty_leads_with_a_number_hide_the_contact(rest: Rest, person, sandbox: Sandbox) -> None:
    leads = [await person(kind=1) for _ in range(21)]
    contact = await person()
    asked = {"type": "PHONE", "values": [NUMBER]}
    assert await rest("crm.duplicate.findbycomm", **asked) == {"LEAD": leads[:20]}
    assert await rest("crm.duplicate.findbycomm", **asked, entity_type="CONTACT") == {"CONTACT": [contact]}


async def test_a_wrong_question_has_an_empty_code(rest: Rest) -> None:
    assert await rest.refused("crm.duplicate.findbycomm", type="FAX", values=["1"]) == (400, "")
    assert await rest.text("crm.duplicate.findbycomm", values=["1"]) == "Communication type is not defined."


async def test_a_mail_is_found_in_any_case(rest: Rest) -> None:
    id_ = await rest("crm.contact.add", fields={"EMAIL": [{"VALUE": "Ivan@Example.com"}]})
    asked = {"type": "EMAIL", "values": ["ivan@example.com"]}
    assert await rest("crm.duplicate.findbycomm", **asked) == {"CONTACT": [id_]}


async def test_merging_leaves_one_id_and_carries_everything_over(rest: Rest, person) -> None:
    old, new = await person(name="Иван"), await person("+74950000000")
    deal = (await rest("crm.item.add", entityTypeId=2, fields={"contactId": old}))["item"]["id"]
    told = await rest("crm.entity.mergeBatch", params={"entityTypeId": 3, "entityIds": [old, new]})
    kept = (await rest("crm.item.get", entityTypeId=3, id=new))["item"]
    assert told == {"STATUS": "SUCCESS", "ENTITY_IDS": [new]}
    assert await rest.refused("crm.item.get", entityTypeId=3, id=old) == (400, "NOT_FOUND")
    assert (kept["name"], {one["value"] for one in kept["fm"]}) == ("Иван", {NUMBER, "+74950000000"})
    assert (await rest("crm.item.get", entityTypeId=2, id=deal))["item"]["contactIds"] == [new]
    assert await rest("crm.duplicate.findbycomm", type="PHONE", values=[NUMBER]) == {"CONTACT": [new]}


async def test_a_merge_may_conflict_or_keep_the_first(sandbox: Sandbox, rest: Rest, person) -> None:
    params = {"entityTypeId": 3, "entityIds": [await person(), await person()]}
    sandbox.dial.turn({"merge_conflicts": True})
    conflict = await rest("crm.entity.mergeBatch", params=params)
    sandbox.dial.turn({"merge_conflicts": False, "merge_survivor": "first"})
    done = await rest("crm.entity.mergeBatch", params=params)
    again = await rest("crm.entity.mergeBatch", params=params)
    assert (conflict["STATUS"], again["STATUS"]) == ("CONFLICT", "ERROR")
    assert done["ENTITY_IDS"] == params["entityIds"][:1]


async def test_a_person_merges_at_the_screen(rest: Rest, control, person) -> None:
    lose, keep = await person(), await person()
    assert await control("merge", kind="contact", lose=lose, keep=keep) == {"id": keep, "lost": lose}
    assert await rest("crm.duplicate.findbycomm", type="PHONE", values=[NUMBER]) == {"CONTACT": [keep]}


async def test_a_comment_is_kept_listed_changed_and_deleted(rest: Rest, deal: int) -> None:
    told = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "[b]c-77[/b]"}
    id_ = await rest("crm.timeline.comment.add", fields=told)
    asked = {"filter": {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "%COMMENT": "c-77"}}
    listed = await rest("crm.timeline.comment.list", **asked)
    await rest("crm.timeline.comment.update", id=id_, fields={"COMMENT": "other"})
    changed = await rest("crm.timeline.comment.get", id=id_)
    await rest("crm.timeline.comment.delete", id=id_)
    assert [one["ID"] for one in listed] == [str(id_)]
    assert changed["COMMENT"] == "other"
    assert await rest("crm.timeline.comment.list", **asked) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "x"}, "OWNER_NOT_FOUND"),
        ({"ENTITY_ID": 1, "ENTITY_TYPE": "planet", "COMMENT": "x"}, "OWNER_NOT_FOUND"),
    ],
)
async def test_a_comment_on_nothing(rest: Rest, fields: dict[str, Any], code: str) -> None:
    assert await rest.refused("crm.timeline.comment.add", fields=fields) == (400, code)


async def test_an_empty_comment_and_parameters_in_upper_case(rest: Rest, deal: int) -> None:
    told = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": " "}
    assert await rest.refused("crm.timeline.comment.add", fields=told) == (400, "INVALID_ARG_VALUE")
    assert await rest.refused("crm.timeline.comment.add", FIELDS=told) == (400, "100")


async def test_a_log_message(rest: Rest, deal: int) -> None:
    told = {"entityTypeId": 2, "entityId": deal, "title": "Звонок", "text": "95 с", "iconCode": "call"}
    assert (await rest("crm.timeline.logmessage.add", fields=told))["logMessage"]["title"] == "Звонок"
    assert await rest.refused("crm.timeline.logmessage.add", fields={**told, "title": ""}) == (400, "100")


async def test_a_call_activity_is_bound_to_deal_and_contact(rest: Rest, deal: int, person) -> None:
    contact = await person()
    told = {
        "TYPE_ID": 2,
        "OWNER_TYPE_ID": 2,
        "OWNER_ID": deal,
        "SUBJECT": "Звонок",
        "DIRECTION": 1,
        "START_TIME": "2026-01-01T12:00:00+03:00",
        "ORIGINATOR_ID": "callhub",
        "ORIGIN_ID": "c-77",
        "COMMUNICATIONS": [{"VALUE": NUMBER, "ENTITY_ID": contact, "ENTITY_TYPE_ID": 3}],
    }
    id_ = await rest("crm.activity.add", fields=told)
    by_owner = await rest("crm.activity.list", filter={"OWNER_TYPE_ID": 2, "OWNER_ID": deal})
    by_origin = await rest("crm.activity.list", filter={"ORIGIN_ID": "c-77"}, select=["ID"])
    by_binding = await rest("crm.activity.list", filter={"BINDINGS": [{"OWNER_TYPE_ID": 3, "OWNER_ID": contact}]})
    await rest("crm.activity.update", id=id_, fields={"COMPLETED": "Y"})
    one = await rest("crm.activity.get", id=id_)
    assert [row["ID"] for row in by_owner] == [row["ID"] for row in by_binding] == [str(id_)]
    assert by_origin == [{"ID": str(id_)}]
    assert (one["TYPE_ID"], one["COMPLETED"], one["START_TIME"]) == ("2", "Y", "2026-01-01T12:00:00+03:00")
    assert await rest("crm.activity.binding.list", activityId=id_) == [
        {"entityTypeId": 2, "entityId": deal},
        {"entityTypeId": 3, "entityId": contact},
    ]


async def test_something_to_do(rest: Rest, deal: int) -> None:
    told = {"ownerTypeId": 2, "ownerId": deal, "title": "Перезвонить", "responsibleId": 6}
    made = await rest("crm.activity.todo.add", **told, deadline="2026-01-02T12:00:00+03:00")
    row = await rest("crm.activity.get", id=made["id"])
    assert (row["PROVIDER_ID"], row["RESPONSIBLE_ID"]) == ("CRM_TODO", "6")
    assert await rest.refused("crm.activity.todo.add", **told) == (400, "100")
    assert await rest.refused("crm.activity.todo.add", **told, deadline="soon") == (400, "WRONG_DATETIME_FORMAT")
    missing = {**told, "ownerId": 1, "deadline": "2026-01-02"}
    assert await rest.refused("crm.activity.todo.add", **missing) == (400, "OWNER_NOT_FOUND")


async def test_a_card_of_the_app_has_origin_keys(rest: Rest, deal: int, web, keys) -> None:
    fields = {"typeId": "CONFIGURABLE", "completed": True, "originatorId": "callhub", "originId": "c-77"}
    layout = {"header": {"title": "Звонок"}}
    made = await rest("crm.activity.configurable.add", ownerTypeId=2, ownerId=deal, fields=fields, layout=layout)
    id_ = made["activity"]["id"]
    await rest("crm.activity.configurable.update", id=id_, fields={"completed": False})
    told = (await rest("crm.activity.configurable.get", id=id_))["activity"]
    found = await rest("crm.activity.list", filter={"PROVIDER_ID": "CONFIGURABLE_REST_APP", "ORIGIN_ID": "c-77"})
    assert (told["fields"]["completed"], told["layout"]) == (False, layout)
    assert [row["ID"] for row in found] == [str(id_)]


async def test_a_task_about_a_deal(rest: Rest, deal: int) -> None:
    made = await rest("tasks.task.add", fields={"TITLE": "c-77", "RESPONSIBLE_ID": 6, "UF_CRM_TASK": [f"D_{deal}"]})
    task = (await rest("tasks.task.get", taskId=made["task"]["id"]))["task"]
    found = (await rest("tasks.task.list", filter={"%TITLE": "c-7"}))["tasks"]
    assert isinstance(task["id"], str)
    assert (task["ufCrmTask"], len(found)) == ([f"D_{deal}"], 1)
    assert await rest.refused("tasks.task.add", fields={"RESPONSIBLE_ID": 6}) == (400, "ERROR_CORE")


async def test_a_trace_is_added_each_time_and_deleted_by_id(sandbox: Sandbox, rest: Rest, deal: int) -> None:
    told = {"TRACE": '{"tags":{"list":{"utm_source":"yandex"}}}', "ENTITIES": [{"TYPE": "DEAL", "ID": deal}]}
    one, other = await rest("crm.tracking.trace.add", **told), await rest("crm.tracking.trace.add", **told)
    assert await rest("crm.tracking.trace.delete", id=one) is None
    assert list(sandbox.portal.store.traces) == [other]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({}, "Parameter `TRACE` required."),
        ({"TRACE": "["}, "Can not parse JSON in parameter `TRACE`."),
        ({"TRACE": "{}", "ENTITIES": [{"TYPE": "X", "ID": 1}]}, "Wrong TYPE in parameter `ENTITIES`."),
        ({"TRACE": "{}", "ENTITIES": [{"TYPE": "DEAL", "ID": 0}]}, "Wrong ID in parameter `ENTITIES`."),
        ({"TRACE": "{}", "ENTITIES": [{"TYPE": "DEAL", "ID": 1}]}, "You have no access to entity DEAL 1."),
    ],
)
async def test_the_errors_of_a_trace(rest: Rest, told: dict[str, Any], text: str) -> None:
    assert await rest.text("crm.tracking.trace.add", **told) == text


async def test_a_trigger_goes_off_for_a_deal(sandbox: Sandbox, rest: Rest, deal: int) -> None:
    told = {"CODE": "missed", "OWNER_TYPE_ID": 2, "OWNER_ID": deal}
    early = await rest.refused("crm.automation.trigger.execute", **told)
    await rest("crm.automation.trigger.add", CODE="missed", NAME="Пропущенный")
    await rest("crm.automation.trigger.execute", **told)
    assert early == (400, "ERROR_CORE")
    assert [one["id"] for one in sandbox.portal.store.triggered] == [deal]


async def test_payments_of_a_deal_and_its_order(rest: Rest, control, deal: int) -> None:
    paid = await control("payment", id=deal, minor=50_050)
    unpaid = await control("payment", id=deal, minor=10_000, paid=False)
    rows = await rest("crm.item.payment.list", entityTypeId=2, entityId=deal)
    await rest("crm.item.payment.pay", id=unpaid["id"])
    await rest("crm.item.payment.unpay", id=paid["id"])
    turned = {one["id"]: one["paid"] for one in await rest("crm.item.payment.list", entityTypeId=2, entityId=deal)}
    order = (await rest("crm.orderentity.list", filter={"=ownerTypeId": 2, "@ownerId": [deal]}))["orderEntity"]
    assert [(one["paid"], one["sum"], one["currency"]) for one in rows] == [("Y", 500.5, "RUB"), ("N", 100, "RUB")]
    assert rows[0]["datePaid"] == "2026-01-01T03:00:00+03:00"
    assert turned == {paid["id"]: "N", unpaid["id"]: "Y"}
    assert rows[0]["accountNumber"] == f"{order[0]['orderId']}/1"
    assert await rest.refused("crm.item.payment.list", entityTypeId=2, entityId=1) == (400, "0")


async def test_product_rows_make_the_amount_unless_it_was_set_by_hand(rest: Rest, control, deal: int) -> None:
    rows = [{"productName": "Окно", "price": 100.5, "quantity": 2}]
    await rest("crm.item.productrow.set", ownerType="D", ownerId=deal, productRows=rows)
    counted = (await rest("crm.item.get", entityTypeId=2, id=deal))["item"]["opportunity"]
    await control("amount", id=deal, minor=999_900)
    by_hand = (await rest("crm.item.get", entityTypeId=2, id=deal))["item"]
    listed = await rest("crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": deal})
    assert (counted, by_hand["opportunity"], by_hand["isManualOpportunity"]) == (201, 9999, "Y")
    assert [(one["productName"], one["price"], one["quantity"]) for one in listed["productRows"]] == [
        ("Окно", 100.5, 2)
    ]


async def test_an_invoice_by_hand(rest: Rest, control, deal: int) -> None:
    await control("invoice", id=deal, minor=70_000, paid=True)
    found = (await rest("crm.item.list", entityTypeId=31, filter={"parentId2": deal}))["items"]
    assert [(one["opportunity"], one["stageId"].endswith(":P")) for one in found] == [(700, True)]


async def test_what_people_do_is_what_the_api_tells(rest: Rest, control, deal: int) -> None:
    service = (await rest("crm.category.list", entityTypeId=2))["categories"][1]["id"]
    moved = await control("move", id=deal, stage=f"C{service}:WON", user_id=6)
    lead = (await rest("crm.item.add", entityTypeId=1, fields={"title": "Заявка"}))["item"]["id"]
    made = await control("convert", id=lead)
    await control("stage", entity="DEAL_STAGE", status="NEW", name="Свежая")
    names = await rest("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "NEW"})
    await control(
        "call-method", method="crm.deal.update", params={"id": deal, "fields": {"TITLE": "by hand"}}, user_id=6
    )
    after = (await rest("crm.item.get", entityTypeId=2, id=deal))["item"]
    await control("delete", id=made["deal"])
    assert moved["semantics"] == "S"
    assert (after["categoryId"], after["title"], after["updatedBy"]) == (service, "by hand", 6)
    assert names[0]["NAME"] == "Свежая"
    assert await rest.refused("crm.item.get", entityTypeId=2, id=made["deal"]) == (400, "NOT_FOUND")


async def test_a_deed_that_cannot_be_done_is_a_sentence(web) -> None:
    for deed, told in (("delete", {"id": 1}), ("move", {"id": 1, "stage": "WON"}), ("user", {"id": 99})):
        answer = await web.post(f"/_sandbox/{deed}", json=told)
        assert (answer.status_code, "error" in answer.json()) == (400, True)
