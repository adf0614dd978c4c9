"""crm.lead|deal|contact|company.*: strings, upper names, either case; user fields of both families."""

from typing import Any

import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import Rest

PHONE = [{"VALUE": "+79991112233", "VALUE_TYPE": "WORK"}]


async def test_values_are_strings_and_ids_numbers(rest: Rest) -> None:
    id_ = await rest("crm.deal.add", FIELDS={"TITLE": "Call", "OPPORTUNITY": 19999.99})
    deal = await rest("crm.deal.get", ID=id_)
    assert isinstance(id_, int)
    assert (deal["ID"], deal["OPPORTUNITY"], deal["CATEGORY_ID"], deal["STAGE_ID"]) == (
        str(id_),
        "19999.99",
        "0",
        "NEW",
    )
    assert (deal["DATE_CREATE"], deal["CREATED_BY_ID"]) == ("2026-01-01T03:00:00+03:00", "1")


async def test_update_and_delete_answer_true_and_cannot_move_a_deal_to_another_pipeline(rest: Rest) -> None:
    id_ = await rest("crm.deal.add", fields={"TITLE": "Call"})
    assert await rest("crm.deal.update", id=id_, fields={"CATEGORY_ID": 9, "COMMENTS": "ok"}) is True
    assert (await rest("crm.deal.get", id=id_))["CATEGORY_ID"] == "0"
    assert await rest("crm.deal.delete", id=id_) is True
    assert await rest.refused("crm.deal.get", id=id_) == (400, "")
    assert await rest.text("crm.deal.get", id=id_) == "Not found"


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("crm.deal.get", {}, "ID is not defined or invalid."),
        ("crm.deal.add", {"fields": "x"}, "Parameter 'fields' must be array."),
        ("crm.lead.get", {"id": 1}, "Not found"),
    ],
)
async def test_errors_have_empty_codes(rest: Rest, method: str, params: dict[str, Any], text: str) -> None:
    assert await rest.refused(method, **params) == (400, "")
    assert await rest.text(method, **params) == text


async def test_a_phone_is_listed_found_exactly_and_appended(rest: Rest) -> None:
    id_ = await rest("crm.contact.add", fields={"NAME": "Иван", "PHONE": PHONE})
    contact = await rest("crm.contact.get", id=id_)
    multi = contact["PHONE"][0]["ID"]
    await rest("crm.contact.update", id=id_, fields={"PHONE": [{"VALUE": "+79990000000"}]})
    await rest("crm.contact.update", id=id_, fields={"PHONE": [{"ID": multi, "VALUE": "+79995555555"}]})
    found = await rest("crm.contact.list", filter={"PHONE": "+79995555555"}, select=["ID", "PHONE"])
    assert contact["PHONE"][0]["TYPE_ID"] == "PHONE"
    assert [one["VALUE"] for one in found[0]["PHONE"]] == ["+79995555555", "+79990000000"]
    assert await rest("crm.contact.list", filter={"PHONE": "999555"}) == []


async def test_a_list_selects_and_passes_over_unknown_filters(rest: Rest) -> None:
    await rest("crm.lead.add", fields={"TITLE": "Заявка", "ORIGIN_ID": "c-1"})
    rows = await rest("crm.lead.list", filter={"ORIGIN_ID": "c-1", "NOTHING": 1}, select=["STATUS_ID"])
    assert rows == [{"ID": rows[0]["ID"], "STATUS_ID": "NEW"}]


async def test_a_trace_may_come_with_a_deal(sandbox: Sandbox, rest: Rest) -> None:
    id_ = await rest("crm.deal.add", fields={}, TRACE='{"tags": {"list": {"utm_source": "yandex"}}}')
    trace = next(iter(sandbox.portal.store.traces.values()))
    assert trace.owners == [(2, id_)]


@pytest.fixture
def add_field(rest: Rest):
    """Adds a user field of deals."""

    async def add(name: str, type_: str = "string", **more: Any) -> int:
        found: int = await rest("crm.deal.userfield.add", fields={"FIELD_NAME": name, "USER_TYPE_ID": type_, **more})
        return found

    return add


async def test_a_user_field_gets_its_prefix_and_is_listed_by_name(rest: Rest, add_field) -> None:
    id_ = await add_field("CALLHUB_ID", XML_ID="callhub_id", SHOW_FILTER="Y", EDIT_FORM_LABEL={"ru": "Звонок"})
    asked = {"FIELD_NAME": "UF_CRM_CALLHUB_ID"}
    plain = await rest("crm.deal.userfield.list", filter=asked)
    named = await rest("crm.deal.userfield.list", filter={**asked, "LANG": "ru"})
    assert (plain[0]["ID"], plain[0]["USER_TYPE_ID"], plain[0]["SHOW_FILTER"]) == (str(id_), "string", "E")
    assert "EDIT_FORM_LABEL" not in plain[0]
    assert named[0]["EDIT_FORM_LABEL"] == "Звонок"


async def test_the_errors_of_a_user_field(rest: Rest, maria: Rest, add_field) -> None:
    await add_field("A")
    told = [
        ({}, ""),
        ({"FIELD_NAME": "B"}, ""),
        ({"FIELD_NAME": "A", "USER_TYPE_ID": "string"}, "ERROR_CORE"),
        ({"FIELD_NAME": "B" * 44, "USER_TYPE_ID": "string"}, "ERROR_CORE"),
        ({"FIELD_NAME": "Я", "USER_TYPE_ID": "string"}, "ERROR_CORE"),
        ({"FIELD_NAME": "B", "USER_TYPE_ID": "rest_3_nothing"}, "ERROR_CORE"),
    ]
    for fields, code in told:
        assert await rest.refused("crm.deal.userfield.add", fields=fields) == (400, code), fields
    assert (await maria.refused("crm.deal.userfield.add", fields={"FIELD_NAME": "B"}))[0] == 403


async def test_a_user_field_has_two_names(sandbox: Sandbox, rest: Rest, add_field) -> None:
    await add_field("CALLHUB_ID")
    told = {"entityTypeId": 2, "useOriginalUfNames": "Y"}
    deal = (await rest("crm.item.add", **told, fields={"UF_CRM_CALLHUB_ID": "c-1"}))["item"]
    camel = (await rest("crm.item.get", entityTypeId=2, id=deal["id"]))["item"]
    sandbox.dial.turn({"uf_letters_camel": False})
    other = (await rest("crm.item.get", entityTypeId=2, id=deal["id"]))["item"]
    assert deal["UF_CRM_CALLHUB_ID"] == "c-1"
    assert camel["ufCrmCallhubId"] == "c-1"
    assert other["ufCrm_CALLHUB_ID"] == "c-1"
    assert (await rest("crm.item.fields", **told))["fields"]["UF_CRM_CALLHUB_ID"]["isDynamic"] is True


@pytest.mark.parametrize(
    ("name", "camel"),
    [
        ("UF_CRM_3_DIGIT", "ufCrm3Digit"),
        ("UF_CRM_3_1747309727", "ufCrm3_1747309727"),
        ("UF_CRM_3_DIGIT10", "ufCrm_3_DIGIT10"),
        ("UF_CRM_1747309879", "ufCrm_1747309879"),
    ],
)
async def test_the_camel_names_of_the_sheets_table(rest: Rest, add_field, name: str, camel: str) -> None:
    await add_field(name)
    assert camel in (await rest("crm.item.fields", entityTypeId=2))["fields"]


async def test_a_boolean_field_is_read_as_letters_and_filtered_by_digits(rest: Rest, add_field) -> None:
    await add_field("DONE", "boolean")
    told = {"entityTypeId": 2, "useOriginalUfNames": "Y"}
    deal = (await rest("crm.item.add", **told, fields={"UF_CRM_DONE": 1}))["item"]
    by_digit = await rest("crm.item.list", **told, filter={"UF_CRM_DONE": 1})
    by_letter = await rest("crm.item.list", **told, filter={"UF_CRM_DONE": "Y"})
    assert deal["UF_CRM_DONE"] == "Y"
    assert (len(by_digit["items"]), by_letter["items"]) == (1, [])


async def test_a_mandatory_field_refuses_a_deal_without_it(rest: Rest, add_field) -> None:
    await add_field("CITY", MANDATORY="Y", EDIT_FORM_LABEL={"ru": "Город"})
    assert await rest.refused("crm.item.add", entityTypeId=2, fields={}) == (400, "CRM_FIELD_ERROR_REQUIRED")
    assert "Город" in await rest.text("crm.item.add", entityTypeId=2, fields={})


async def test_an_enumeration_is_written_by_the_id_of_its_value(rest: Rest, add_field) -> None:
    id_ = await add_field("COLOUR", "enumeration", LIST=[{"VALUE": "Красный"}, {"VALUE": "Синий"}])
    field = await rest("crm.deal.userfield.get", id=id_)
    blue = field["LIST"][1]["ID"]
    told = {"entityTypeId": 2, "useOriginalUfNames": "Y"}
    deal = (await rest("crm.item.add", **told, fields={"UF_CRM_COLOUR": blue}))["item"]
    wrong = await rest.refused("crm.item.add", **told, fields={"UF_CRM_COLOUR": 1})
    assert str(deal["UF_CRM_COLOUR"]) == blue
    assert wrong == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")


async def test_a_user_field_is_changed_and_deleted(rest: Rest, add_field) -> None:
    id_ = await add_field("CITY")
    await rest("crm.deal.userfield.update", id=id_, fields={"MANDATORY": "Y"})
    changed = await rest("crm.deal.userfield.get", id=id_)
    await rest("crm.deal.userfield.delete", id=id_)
    assert changed["MANDATORY"] == "Y"
    assert await rest("crm.deal.userfield.list") == []


async def test_a_user_field_of_invoices_is_made_by_its_configuration(rest: Rest) -> None:
    field = {"entityId": "CRM_SMART_INVOICE", "fieldName": "UF_CRM_SMART_INVOICE_X", "userTypeId": "string"}
    made = await rest("userfieldconfig.add", moduleId="crm", field=field)
    asked = {"moduleId": "crm", "filter": {"entityId": "CRM_SMART_INVOICE"}}
    assert made["field"]["fieldName"] == "UF_CRM_SMART_INVOICE_X"
    assert [one["id"] for one in (await rest("userfieldconfig.list", **asked))["fields"]] == [made["field"]["id"]]
