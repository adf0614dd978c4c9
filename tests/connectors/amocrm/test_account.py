import httpx
import pytest

from connectors.amocrm import connector
from connectors.protocol import InstallationError, Ref, Stage, Why

ACCOUNT, PIPELINES, USERS = "api/v4/account", "api/v4/leads/pipelines", "api/v4/users"
FIELDS, CONTACTS = "api/v4/leads/custom_fields", "api/v4/contacts"


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


async def test_our_field_is_created_where_it_is_missing(session, account):
    account.on("GET", FIELDS, "fields__own_missing")
    account.on("POST", FIELDS, "field__created", status=201)
    facts = await session.facts()
    [[field]] = account.sent("/custom_fields")
    assert field["code"] == "HUB_CALL_ID"
    assert field["type"] == "text"
    assert facts.fields["HUB_CALL_ID"] == "700001"


async def test_our_field_is_created_without_a_code_when_a_code_is_refused(session, account):
    account.on("GET", FIELDS, "fields__own_missing")
    refused = httpx.Response(400, json={"title": "Bad Request"})
    created = httpx.Response(201, json={"_embedded": {"custom_fields": [{"id": 700009, "code": None}]}})
    account.on("POST", FIELDS, refused, created)
    facts = await session.facts()
    assert facts.fields["HUB_CALL_ID"] == "700009"
    assert "code" not in account.sent("/custom_fields")[1][0]


async def test_our_field_without_a_code_is_known_again(session, account):
    ours = {"id": 700009, "name": "ID звонка (hub)", "code": None, "type": "text"}
    account.on("GET", FIELDS, httpx.Response(200, json={"_embedded": {"custom_fields": [ours]}}))
    assert (await session.facts()).fields["HUB_CALL_ID"] == "700009"


async def test_all_pages_of_fields_are_read(session, account):
    def page(code, following):
        links = {"next": {"href": "x"}} if following else {}
        field = {"id": 1, "code": code, "type": "text"}
        return httpx.Response(200, json={"_links": links, "_embedded": {"custom_fields": [field]}})

    account.on("GET", FIELDS, page("A", True), page("HUB_CALL_ID", False))
    assert set((await session.facts()).fields) == {"A", "HUB_CALL_ID"}


async def warnings(session):
    return " ".join((await session.facts()).warnings)


async def test_switched_off_options_are_told(session, account):
    account.on("GET", ACCOUNT, "account__filters_off")
    told = await warnings(session)
    assert "filter option of amoCRM is off" in told
    assert "(unsorted) are switched off" in told


async def test_missing_admin_rights_are_told(session, account):
    account.on("GET", USERS, "error__403_no_rights", status=403)
    assert "without admin rights" in await warnings(session)


async def test_a_field_that_cannot_be_created_is_told(session, account):
    account.on("GET", FIELDS, "fields__own_missing")
    account.on("POST", FIELDS, "error__403_no_rights", status=403)
    assert "HUB_CALL_ID is missing" in await warnings(session)


async def test_deleted_statistics_fields_are_told(session, account):
    account.on("GET", FIELDS, "fields__yclid_deleted")
    assert "stay empty: YCLID." in await warnings(session)


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
