import httpx
import pytest

from connectors.amocrm import connector, own_fields
from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api
from connectors.amocrm.mappings import OWN_FIELDS
from connectors.protocol import InstallationError, Ref, Stage, Why
from tests.connectors.amocrm.conftest import answer, load

ACCOUNT, PIPELINES, USERS = "api/v4/account", "api/v4/leads/pipelines", "api/v4/users"
FIELDS, CONTACTS = "api/v4/leads/custom_fields", "api/v4/contacts"
GROUPS = f"{FIELDS}/groups"


@pytest.fixture
def account(vendor):
    vendor.on("GET", ACCOUNT, "account__filters_on")
    vendor.on("GET", PIPELINES, "pipelines__one")
    vendor.on("GET", USERS, "users__one_inactive")
    vendor.on("GET", FIELDS, "fields__own_present")
    vendor.on("GET", CONTACTS, None)
    return vendor


async def test_check_names_the_account(session, account):
    assert await session.check() == Ref("account", "31000001", "https://romashka.amocrm.ru")


async def test_check_refuses_a_token_of_another_account(session, vendor):
    vendor.on("GET", ACCOUNT, httpx.Response(200, json={"id": 32}))
    with pytest.raises(InstallationError) as caught:
        await session.check()
    assert caught.value.why is Why.FORBIDDEN


async def test_facts_name_what_a_scenario_may_use(session, account):
    facts = await session.facts()
    assert (facts.account, facts.name, facts.currency) == ("31000001", "Ромашка", "RUB")
    assert [pipeline.name for pipeline in facts.pipelines] == ["Продажи"]
    assert facts.users == {"7100001": "Иван Петров"}
    assert facts.warnings == ()


async def test_stages_come_in_order_without_the_unsorted_one(session, account):
    [pipeline] = (await session.facts()).pipelines
    assert pipeline.stages == (
        Stage("45100002", "Первичный контакт", "open"),
        Stage("142", "Успешно реализовано", "won"),
        Stage("143", "Закрыто и не реализовано", "lost"),
    )


async def test_fields_are_those_a_text_may_be_written_to(session, account):
    fields = (await session.facts()).fields
    assert fields["HUB_CALL_ID"] == "700001"
    assert fields["UTM_SOURCE"] == "610933"
    assert fields["700002"] == "700002"  # a field without a code
    assert "VISIT" not in fields  # a date


@pytest.fixture
def bare(account):
    """An account that has nothing of ours yet."""
    account.on("GET", FIELDS, "fields__own_missing")
    account.on("POST", FIELDS, answer("field__created", 201), answer("fields__created", 201))
    account.on("GET", GROUPS, "groups__own_missing")
    account.on("POST", GROUPS, "group__created", status=201)
    return account


async def test_our_fields_are_created_where_they_are_missing_in_a_tab_of_their_own(session, bare):
    facts = await session.facts()
    [[marker], own] = bare.sent("/custom_fields")
    assert (marker["code"], marker["type"]) == ("HUB_CALL_ID", "text")
    assert [one["code"] for one in own] == [*OWN_FIELDS]
    assert {one["group_id"] for one in (marker, *own)} == {"leads_2745158"}
    assert {one["is_api_only"] for one in own} == {True}
    assert facts.fields["HUB_CALL_ID"] == "700001"
    assert facts.fields["HUB_LANDING"] == "700014"
    assert facts.warnings == ()


async def test_a_tab_of_ours_is_adopted(session, bare):
    bare.on("GET", GROUPS, "groups__own_present")
    await session.facts()
    assert bare.sent("/groups") == []
    assert {one["group_id"] for one in bare.sent("/custom_fields")[1]} == {"leads_2745158"}


async def test_without_a_tab_of_their_own_the_fields_stand_in_the_first_one(session, bare):
    bare.on("POST", GROUPS, "error__403_no_rights", status=403)
    await session.facts()
    assert not [one for one in bare.sent("/custom_fields")[1] if "group_id" in one]


async def test_fields_that_are_there_are_not_created_again(session, account):
    await session.facts()
    assert account.sent("/custom_fields") == []


async def test_our_fields_are_created_without_codes_when_codes_are_refused(session, bare):
    refused = httpx.Response(400, json={"title": "Bad Request"})
    without = load("fields__created")
    for one in without["_embedded"]["custom_fields"]:
        one["code"] = None
    created = httpx.Response(201, json={"_embedded": {"custom_fields": [{"id": 700009, "code": None}]}})
    bare.on("POST", FIELDS, refused, created, refused, httpx.Response(201, json=without))
    facts = await session.facts()
    assert facts.fields["HUB_CALL_ID"] == "700009"
    assert facts.fields["HUB_NUMBER"] == "700015"
    assert [one for sent in bare.sent("/custom_fields")[1::2] for one in sent if "code" in one] == []


async def test_our_field_without_a_code_is_known_again(session, bare):
    ours = {"id": 700009, "name": "ID звонка (hub)", "code": None, "type": "text"}
    source = {"id": 700010, "name": "Кампания", "code": None, "type": "text", "is_api_only": True}
    bare.on("GET", FIELDS, httpx.Response(200, json={"_embedded": {"custom_fields": [ours, source]}}))
    bare.on("POST", FIELDS, "error__403_no_rights", status=403)
    fields = (await session.facts()).fields
    assert (fields["HUB_CALL_ID"], fields["HUB_CAMPAIGN"]) == ("700009", "700010")


async def test_a_persons_own_field_of_the_same_name_is_not_taken_for_ours(session, bare):
    theirs = {"id": 700010, "name": "Кампания", "code": None, "type": "text", "is_api_only": False}
    bare.on("GET", FIELDS, httpx.Response(200, json={"_embedded": {"custom_fields": [theirs]}}))
    assert (await session.facts()).fields["HUB_CAMPAIGN"] == "700012"  # a new one


async def test_all_pages_of_fields_are_read(session, bare):
    def page(code, following):
        links = {"next": {"href": "x"}} if following else {}
        field = {"id": 1, "code": code, "type": "text"}
        return httpx.Response(200, json={"_links": links, "_embedded": {"custom_fields": [field]}})

    bare.on("GET", FIELDS, page("A", True), page("HUB_CALL_ID", False))
    bare.on("POST", FIELDS, "fields__created", status=201)
    assert set((await session.facts()).fields) == {"A", "HUB_CALL_ID", *OWN_FIELDS}


async def told(session):
    """Return what the account lacks, by code."""
    return {one.code: one.values for one in (await session.facts()).warnings}


async def test_fields_a_person_removed_stay_away_and_are_told(http, app, grant, bare):
    was_there = connector.open(http, app, grant, {"fields": {"HUB_CALL_ID": "700001"}, "traits": [own_fields.MADE]})
    gone = load("fields__own_present")
    gone["_embedded"]["custom_fields"] = [
        one for one in gone["_embedded"]["custom_fields"] if one["code"] != "HUB_CAMPAIGN"
    ]
    bare.on("GET", FIELDS, httpx.Response(200, json=gone))
    bare.on("GET", CONTACTS, None)
    facts = await was_there.facts()
    assert [(one.code, one.values) for one in facts.warnings] == [("fields_removed", {"fields": "Кампания"})]
    assert bare.sent("/custom_fields") == []
    assert own_fields.MADE in facts.traits


async def test_fields_that_were_never_made_are_made_later(http, app, grant, bare):
    later = connector.open(http, app, grant, {"fields": {"HUB_CALL_ID": "700001"}})
    bare.on("GET", FIELDS, httpx.Response(200, json={"_embedded": {"custom_fields": [MARKER]}}))
    bare.on("POST", FIELDS, "fields__created", status=201)
    bare.on("GET", CONTACTS, None)
    assert own_fields.MADE in (await later.facts()).traits


MARKER = {"id": 700001, "name": "ID звонка (hub)", "code": "HUB_CALL_ID", "type": "text"}


async def test_fields_that_cannot_be_made_are_told(session, bare):
    bare.on("GET", FIELDS, httpx.Response(200, json={"_embedded": {"custom_fields": [MARKER]}}))
    bare.on("POST", FIELDS, "error__403_no_rights", status=403)
    found = await told(session)
    assert found["fields_refused"]["fields"].startswith("Источник обращения, Кампания")


async def test_fields_are_in_english_on_cards_of_kommo(http, app, grant, vendor):
    vendor.router.route(method="GET", path="/api/v4/leads/custom_fields").respond(json=load("fields__own_missing"))
    vendor.router.route(method="GET", path="/api/v4/leads/custom_fields/groups").respond(204)
    vendor.router.route(method="POST").respond(201, json=load("field__created"))
    api = Api(http, "https://daisy.kommo.com", "t0ken")
    await own_fields.ensure(api, await Fields.load(api), was_made=False)
    assert vendor.sent("/custom_fields")[1][1]["name"] == "Campaign"


async def test_switched_off_options_are_told(session, account):
    account.on("GET", ACCOUNT, "account__filters_off")
    assert {"filters_off", "unsorted_off"} <= (await told(session)).keys()


async def test_pipelines_without_unsorted_are_named(session, account):
    off = load("pipelines__one")
    for one in off["_embedded"]["pipelines"]:
        one["is_unsorted_on"] = False
    account.on("GET", PIPELINES, httpx.Response(200, json=off))
    assert (await told(session))["unsorted_off_in"] == {"pipelines": "Продажи"}


async def test_missing_admin_rights_are_told(session, account):
    account.on("GET", USERS, "error__403_no_rights", status=403)
    assert "no_admin" in await told(session)


async def test_a_marker_that_cannot_be_created_is_told(session, account):
    account.on("GET", GROUPS, "groups__own_present")
    account.on("GET", FIELDS, "fields__own_missing")
    account.on("POST", FIELDS, "error__403_no_rights", status=403)
    assert (await told(session))["no_marker"] == {"field": "ID звонка (hub)"}


async def test_an_unpaid_account_is_told_and_read_all_the_same(session, account):
    account.on("GET", GROUPS, "groups__own_missing")
    account.on("POST", GROUPS, "error__402", status=402)
    account.on("GET", FIELDS, "fields__own_missing")
    account.on("POST", FIELDS, "error__402", status=402)
    facts = await session.facts()
    assert [one.code for one in facts.warnings] == ["unpaid"]
    assert facts.pipelines


async def test_deleted_statistics_fields_are_told(session, bare):
    bare.on("GET", FIELDS, "fields__yclid_deleted")
    bare.on("POST", FIELDS, "fields__created", status=201)
    assert (await told(session))["statistics_removed"] == {"fields": "YCLID"}


def required(status):
    """Our account with a field that must be filled in a stage."""
    found = load("fields__own_present")
    for one in found["_embedded"]["custom_fields"]:
        if one["id"] in (700002, 700011):  # a person's own, and one that the hub fills
            one["required_statuses"] = [{"pipeline_id": 5100001, "status_id": status}]
    return httpx.Response(200, json=found)


async def test_fields_required_where_new_deals_land_are_named(session, account):
    account.on("GET", FIELDS, required(45100002))
    assert await told(session) == {"required_fields": {"fields": "Тип"}}


async def test_fields_required_further_on_are_not(session, account):
    account.on("GET", FIELDS, required(142))
    assert await told(session) == {}


@pytest.mark.parametrize("path", [ACCOUNT, PIPELINES, USERS, FIELDS])
@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (httpx.Response(401, json={"title": "Unauthorized"}), Why.UNAUTHORIZED),
        (httpx.Response(402, json={"title": "Payment Required"}), Why.FORBIDDEN),
        (httpx.Response(403, text="403 Forbidden"), Why.FORBIDDEN),
        (httpx.Response(429, text="slow"), Why.THROTTLED),
        (httpx.Response(500), Why.UNAVAILABLE),
        (httpx.ConnectError("refused"), Why.UNAVAILABLE),
        (httpx.Response(200, text="<html>"), Why.UNREADABLE),
        (httpx.Response(200, json=[]), Why.UNREADABLE),
    ],
)
async def test_trouble_is_the_installations(session, account, path, trouble, why):
    account.on("GET", path, trouble)
    with pytest.raises(InstallationError) as caught:
        await session.facts()
    assert caught.value.why is why


def test_settings_forgive_what_they_do_not_know(http, app, grant):
    facts = {"account": "1", "users": {}, "fields": {"A": 7}, "pipeline": 5, "currency": "RUB"}
    assert connector.open(http, app, grant, facts)
