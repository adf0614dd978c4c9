"""crm.item.*: objects of five kinds, their stages, sums, phones, ties, rights."""

from typing import Any

import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import Rest


@pytest.fixture
def item(rest: Rest):
    """Adds an object and returns it whole."""

    async def add(kind: int, **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await rest("crm.item.add", entityTypeId=kind, fields=fields))["item"]
        return found

    return add


@pytest.fixture
async def service(rest: Rest) -> int:
    """The second pipeline of deals."""
    found = await rest("crm.category.list", entityTypeId=2)
    return next(int(one["id"]) for one in found["categories"] if one["id"])


async def test_a_new_deal_is_answered_whole_with_its_defaults(item) -> None:
    deal = await item(2, title="Call", opportunity="1500.50", utmSource="yandex", sourceId="CALL", unknownField=1)
    assert isinstance(deal["id"], int)
    assert (deal["stageId"], deal["stageSemanticId"], deal["closed"], deal["isNew"]) == ("NEW", "P", "N", "Y")
    assert (deal["opportunity"], deal["currencyId"], deal["isManualOpportunity"]) == (1500.5, "RUB", "N")
    assert (deal["companyId"], deal["contactId"], deal["contactIds"], deal["leadId"]) == (0, None, [], None)
    assert (deal["begindate"], deal["closedate"]) == ("2026-01-01T03:00:00+03:00", "2026-01-08T03:00:00+03:00")
    assert (deal["createdTime"], deal["assignedById"]) == ("2026-01-01T03:00:00+03:00", 1)
    assert (deal["utmSource"], deal["utmContent"]) == ("yandex", None)
    assert deal["isWon"] is None
    assert "unknownField" not in deal


async def test_a_deal_without_a_title_gets_one(item) -> None:
    deal = await item(2)
    assert deal["title"] == f"Сделка #{deal['id']}"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"stageId": "NOPE"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"assignedById": "me"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"categoryId": 777}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"sourceId": "NOPE"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"contactIds": "44"}, "100"),
    ],
)
async def test_a_value_that_does_not_fit_its_field(rest: Rest, fields: dict[str, Any], code: str) -> None:
    assert await rest.refused("crm.item.add", entityTypeId=2, fields=fields) == (400, code)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(5, "ENTITY_TYPE_NOT_SUPPORTED"), (7, "NOT_FOUND"), (130, "NOT_FOUND"), (None, "100")],
)
async def test_a_kind_that_is_none(rest: Rest, kind: int | None, code: str) -> None:
    assert await rest.refused("crm.item.list", entityTypeId=kind) == (400, code)


async def test_the_new_family_wants_its_parameters_as_documented(rest: Rest) -> None:
    assert await rest.refused("crm.item.add", entityTypeId=2, FIELDS={"title": "x"}) == (400, "100")


async def test_a_deal_is_moved_won_and_tells_its_history(rest: Rest, item, clock) -> None:
    deal = await item(2, title="Call")
    clock.forward(60)
    await rest("crm.item.update", entityTypeId=2, id=deal["id"], fields={"stageId": "EXECUTING"})
    clock.forward(3000)
    won = (await rest("crm.item.update", entityTypeId=2, id=deal["id"], fields={"stageId": "WON"}))["item"]
    rows = (await rest("crm.stagehistory.list", entityTypeId=2, order={"ID": "ASC"}))["items"]
    assert (won["stageSemanticId"], won["closed"], won["isNew"]) == ("S", "Y", "N")
    assert (won["movedTime"], won["closedate"]) == ("2026-01-01T03:51:00+03:00", "2026-01-01T03:00:00+03:00")
    assert [(row["TYPE_ID"], row["STAGE_ID"], row["STAGE_SEMANTIC_ID"]) for row in rows] == [
        (1, "NEW", "P"),
        (2, "EXECUTING", "P"),
        (3, "WON", "S"),
    ]
    newer = await rest("crm.stagehistory.list", entityTypeId=2, filter={">ID": rows[0]["ID"]}, start=-1)
    assert [row["ID"] for row in newer["items"]] == [row["ID"] for row in rows[1:]]


async def test_a_stage_of_another_pipeline_needs_its_pipeline(rest: Rest, item, service: int) -> None:
    deal = await item(2)
    told = {"entityTypeId": 2, "id": deal["id"]}
    refused = await rest.refused("crm.item.update", **told, fields={"stageId": f"C{service}:WON"})
    moved = (await rest("crm.item.update", **told, fields={"categoryId": service}))["item"]
    rows = (await rest("crm.stagehistory.list", entityTypeId=2))["items"]
    assert refused == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
    assert (moved["categoryId"], moved["stageId"]) == (service, f"C{service}:NEW")
    assert rows[-1]["TYPE_ID"] == 5


async def test_phones_are_added_changed_and_deleted_by_their_ids(rest: Rest, item) -> None:
    phone = {"typeId": "PHONE", "valueType": "WORK", "value": "+79991112233"}
    mail = {"typeId": "EMAIL", "valueType": "HOME", "value": "a@b.c"}
    contact = await item(3, name="Иван", fm=[phone, mail])
    first = contact["fm"][0]
    change = {
        str(first["id"]): {"typeId": "PHONE", "valueType": "MOBILE", "value": "+79990000000"},
        "n0": {"typeId": "PHONE", "value": "+79995555555"},
        str(contact["fm"][1]["id"]): {"typeId": "EMAIL", "value": ""},
    }
    after = (await rest("crm.item.update", entityTypeId=3, id=contact["id"], fields={"fm": change}))["item"]
    assert (contact["hasPhone"], contact["hasEmail"], contact["phoneWork"]) == ("Y", "Y", "+79991112233")
    assert [(one["typeId"], one["valueType"], one["value"]) for one in after["fm"]] == [
        ("PHONE", "MOBILE", "+79990000000"),
        ("PHONE", "WORK", "+79995555555"),
    ]
    assert (after["fm"][0]["id"], after["hasEmail"]) == (first["id"], "N")


async def test_a_phone_without_its_type_is_dropped_unless_the_dial_says_otherwise(
    sandbox: Sandbox, rest: Rest, item
) -> None:
    contact = await item(3, fm=[{"typeId": "PHONE", "value": "+79991112233"}])
    told = {"entityTypeId": 3, "id": contact["id"]}
    change = {"fm": {str(contact["fm"][0]["id"]): {"value": "+79990000000"}}}
    dropped = (await rest("crm.item.update", **told, fields=change))["item"]["fm"][0]["value"]
    sandbox.dial.turn({"fm_type_required": False})
    taken = (await rest("crm.item.update", **told, fields=change))["item"]["fm"][0]["value"]
    assert (dropped, taken) == ("+79991112233", "+79990000000")


async def test_a_narrow_select_has_no_phones_but_by_their_short_names(rest: Rest, item) -> None:
    await item(3, name="Иван", fm=[{"typeId": "PHONE", "value": "+79991112233"}])
    narrow = (await rest("crm.item.list", entityTypeId=3, select=["name", "fm", "phone"]))["items"][0]
    wide = (await rest("crm.item.list", entityTypeId=3, select=["*"]))["items"][0]
    assert set(narrow) == {"id", "name", "phone"}
    assert wide["fm"][0]["value"] == "+79991112233"


async def test_contacts_of_a_deal_in_both_families(rest: Rest, item) -> None:
    one, other = (await item(3, name="А"))["id"], (await item(3, name="Б"))["id"]
    deal = await item(2, contactIds=[one, other, 999_999])
    await rest("crm.item.update", entityTypeId=2, id=deal["id"], fields={"contactId": other})
    rows = await rest("crm.deal.contact.items.get", id=deal["id"])
    await rest("crm.deal.contact.items.set", id=deal["id"], items=[{"CONTACT_ID": one}])
    await rest("crm.deal.contact.add", id=deal["id"], fields={"CONTACT_ID": other, "IS_PRIMARY": "Y"})
    after = (await rest("crm.item.get", entityTypeId=2, id=deal["id"]))["item"]
    assert deal["contactIds"] == [one, other]
    assert [(row["CONTACT_ID"], row["IS_PRIMARY"]) for row in rows] == [(other, "Y"), (one, "N")]
    assert (after["contactId"], after["contactIds"]) == (other, [other, one])


async def test_a_deleted_object_is_not_found(rest: Rest, item) -> None:
    deal = await item(2)
    answer = await rest.raw("crm.item.delete", entityTypeId=2, id=deal["id"])
    assert answer.json()["result"] == []
    assert await rest.refused("crm.item.get", entityTypeId=2, id=deal["id"]) == (400, "NOT_FOUND")
    assert await rest.text("crm.item.get", entityTypeId=2, id=deal["id"]) == "Element not found"


async def test_a_manager_sees_only_what_her_rights_let_her(maria: Rest, rest: Rest, item, control) -> None:
    foreign = await item(2, title="чужая")
    own = await item(2, title="своя", assignedById=6)
    await control("user", id=6, rights={"2": "own"})
    seen = (await maria("crm.item.list", entityTypeId=2))["items"]
    other = await maria.refused("crm.item.get", entityTypeId=2, id=foreign["id"])
    await control("user", id=6, rights={"2": "none"})
    assert [one["title"] for one in seen] == ["своя"]
    assert other == (400, "ACCESS_DENIED")
    assert await maria.refused("crm.item.get", entityTypeId=2, id=own["id"]) == (400, "ACCESS_DENIED")


async def test_a_new_object_may_be_hidden_from_filters_for_a_while(sandbox: Sandbox, rest: Rest, item, clock) -> None:
    sandbox.dial.turn({"search_lag": 30})
    await item(2, originId="c-1")
    asked = {"entityTypeId": 2, "filter": {"originId": "c-1"}}
    hidden = (await rest("crm.item.list", **asked))["items"]
    clock.forward(30)
    assert hidden == []
    assert len((await rest("crm.item.list", **asked))["items"]) == 1


async def test_the_fields_of_a_kind_tell_their_types(rest: Rest) -> None:
    fields = (await rest("crm.item.fields", entityTypeId=2))["fields"]
    assert fields["title"] == {
        "type": "string",
        "isRequired": False,
        "isReadOnly": False,
        "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False,
        "title": "TITLE",
        "upperName": "TITLE",
    }
    assert fields["createdTime"]["upperName"] == "DATE_CREATE"
    assert "originId" in fields


async def test_an_invoice_belongs_to_a_deal_and_its_stages_to_invoices(rest: Rest, item) -> None:
    deal = await item(2)
    invoice = await item(31, parentId2=deal["id"], opportunity=500, xmlId="c-1")
    category = invoice["categoryId"]
    told = {"entityTypeId": 31, "id": invoice["id"], "fields": {"stageId": f"DT31_{category}:P"}}
    paid = (await rest("crm.item.update", **told))["item"]
    found = (await rest("crm.item.list", entityTypeId=31, filter={"parentId2": deal["id"], "xmlId": "c-1"}))["items"]
    stages = await rest("crm.status.list", filter={"ENTITY_ID": f"SMART_INVOICE_STAGE_{category}"})
    assert invoice["stageId"] == f"DT31_{category}:N"
    assert paid["previousStageId"] == f"DT31_{category}:N"
    assert [one["id"] for one in found] == [invoice["id"]]
    assert {one["STATUS_ID"]: one["SEMANTICS"] for one in stages}[f"DT31_{category}:P"] == "S"


async def test_in_the_simple_mode_a_lead_becomes_a_deal_with_a_contact(sandbox: Sandbox, rest: Rest, item) -> None:
    sandbox.dial.turn({"crm_mode": 2})
    phone = [{"typeId": "PHONE", "value": "+79991112233"}]
    lead = await item(1, title="Заявка", name="Иван", fm=phone, utmSource="yandex")
    deal = (await rest("crm.item.list", entityTypeId=2, filter={"leadId": lead["id"]}))["items"][0]
    contact = (await rest("crm.item.get", entityTypeId=3, id=deal["contactId"]))["item"]
    assert await rest("crm.settings.mode.get") == 2
    assert lead["stageId"] == "CONVERTED"
    assert (deal["title"], deal["utmSource"]) == ("Заявка", "yandex")
    assert (contact["name"], contact["phone"]) == ("Иван", "+79991112233")


async def test_a_converted_lead_may_be_gone(sandbox: Sandbox, rest: Rest, item) -> None:
    sandbox.dial.turn({"crm_mode": 2, "converted_leads_readable": False})
    lead = await item(1, title="Заявка")
    assert await rest.refused("crm.item.get", entityTypeId=1, id=lead["id"]) == (400, "NOT_FOUND")


async def test_an_import_sets_times_and_each_row_has_its_outcome(rest: Rest) -> None:
    rows = [{"title": "old", "createdTime": "2020-05-01T10:00:00+03:00"}, {"stageId": "NOPE"}]
    good, bad = (await rest("crm.item.batchImport", entityTypeId=2, data=rows))["items"]
    found = (await rest("crm.item.get", entityTypeId=2, id=good["item"]["id"]))["item"]
    assert found["createdTime"] == "2020-05-01T10:00:00+03:00"
    assert bad["error"] == "CRM_FIELD_ERROR_VALUE_NOT_VALID"


async def test_pipelines_stages_and_sources(rest: Rest, service: int) -> None:
    stages = await rest("crm.status.list", filter={"ENTITY_ID": f"DEAL_STAGE_{service}"}, order={"SORT": "ASC"})
    lost = await rest("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": "APOLOGY"})
    assert stages[0]["STATUS_ID"] == f"C{service}:NEW"
    assert (lost[0]["SEMANTICS"], lost[0]["EXTRA"]["SEMANTICS"]) == ("F", "apology")
    assert await rest.refused("crm.category.list", entityTypeId=1) == (400, "ENTITY_TYPE_NOT_SUPPORTED")
    assert (await rest("crm.category.get", entityTypeId=2, id=service))["category"]["isDefault"] == "N"
    assert (await rest("crm.currency.list"))[0]["BASE"] == "Y"


async def test_an_own_source_is_added_once_and_may_be_used(rest: Rest, maria: Rest, item) -> None:
    told = {"ENTITY_ID": "SOURCE", "STATUS_ID": "CALLHUB_YANDEX", "NAME": "Директ"}
    assert isinstance(await rest("crm.status.add", fields=told), int)
    assert await rest.refused("crm.status.add", fields=told) == (400, "ERROR_CORE")
    assert (await maria.refused("crm.status.add", fields=told))[0] == 403
    assert (await item(2, sourceId="CALLHUB_YANDEX"))["sourceId"] == "CALLHUB_YANDEX"


async def test_a_client_who_bought_before_returns(rest: Rest, item) -> None:
    contact = (await item(3, name="Иван"))["id"]
    await item(2, contactId=contact, stageId="WON")
    assert (await item(2, contactId=contact))["isReturnCustomer"] == "Y"
