import httpx
import pytest

from connectors.protocol import InstallationError, Pipeline, Ref, Stage, Why
from connectors.scenario import Telephony
from connectors.telling import Ringing, Said
from tests.connectors.bitrix24.conftest import ACCOUNT, Fault

OWN = ("HUB_SOURCE", "HUB_CAMPAIGN", "HUB_KEYWORD", "HUB_LANDING", "HUB_NUMBER", "HUB_CONFIDENCE", "HUB_SCENARIO")
OWN_LABELS = ", ".join(sorted(f"UF_CRM_{code}" for code in OWN))


def status(entity, id_, name, sort, semantics=None, extra="process"):
    return {
        "ENTITY_ID": entity,
        "STATUS_ID": id_,
        "NAME": name,
        "SORT": str(sort),
        "SEMANTICS": semantics,
        "EXTRA": {"SEMANTICS": extra},
    }


STATUSES = [
    status("DEAL_STAGE", "WON", "Успех", 30, "S", "success"),
    status("DEAL_STAGE", "NEW", "Новая", 10),
    status("DEAL_STAGE", "APOLOGY", "Анализ", 40, "F", "apology"),
    status("DEAL_STAGE_9", "C9:NEW", "Старт", 10),
    status("STATUS", "NEW", "Не обработан", 10),
    status("STATUS", "JUNK", "Некачественный", 90, "F", "failure"),
    status("SOURCE", "CALL", "Звонок", 10),
]


def field(type_="string", **more):
    return {
        "type": type_,
        "isRequired": False,
        "isReadOnly": False,
        "isMultiple": False,
        "upperName": None,
        "title": "t",
        **more,
    }


DEAL_FIELDS = {
    "title": field(upperName="TITLE", isRequired=True),
    "comments": field("text", upperName="COMMENTS"),
    "opportunity": field("double", upperName="OPPORTUNITY"),
    "createdTime": field("datetime", upperName="CREATED_TIME", isReadOnly=True),
    "UF_CRM_7": field(upperName="UF_CRM_7", listLabel="Регион", isRequired=True),
    "UF_CRM_8": field("enumeration", upperName="UF_CRM_8"),
}


@pytest.fixture
def portal(portal):
    """A portal without leads, asked by an administrator; our fields are not there yet."""
    portal.on("app.info", {"ID": 5, "INSTALLED": True, "LICENSE_FAMILY": "ent"})
    portal.on("profile", {"ID": "1", "ADMIN": True})
    portal.on("method.get", {"isExisting": True, "isAvailable": True})
    portal.on("crm.settings.mode.get", 2)
    portal.on(
        "crm.category.list",
        {
            "categories": [
                {"id": 9, "name": "Опт", "sort": 100, "isDefault": "N"},
                {"id": 0, "name": "Общая", "sort": 300, "isDefault": "Y"},
            ]
        },
    )
    portal.on("crm.status.list", STATUSES)
    portal.on("crm.currency.list", [{"CURRENCY": "USD", "BASE": "N"}, {"CURRENCY": "RUB", "BASE": "Y"}])
    portal.on("crm.item.fields", {"fields": DEAL_FIELDS})
    portal.on(
        "user.get",
        [
            {"ID": "1", "ACTIVE": True, "NAME": "Иван", "LAST_NAME": "Петров"},
            {"ID": "2", "ACTIVE": False, "NAME": "Пётр"},
            {"ID": "3", "ACTIVE": True, "NAME": "", "EMAIL": "anna@example.ru"},
        ],
    )
    portal.on("crm.deal.userfield.add", 5815)
    return portal


async def test_pipelines_begin_with_the_general_one_and_stages_are_in_order(session, portal):
    facts = await session.facts()
    assert facts.pipelines == (
        Pipeline(
            "0",
            "Общая",
            (Stage("NEW", "Новая", "open"), Stage("WON", "Успех", "won"), Stage("APOLOGY", "Анализ", "lost")),
        ),
        Pipeline("9", "Опт", (Stage("C9:NEW", "Старт", "open"),)),
    )


async def test_leads_are_the_last_pipeline(session, portal):
    portal.on("crm.settings.mode.get", 1)
    portal.on("crm.lead.userfield.add", 1)
    last = (await session.facts()).pipelines[-1]
    assert (last.id, last.name) == ("leads", "Лиды")
    assert [stage.id for stage in last.stages] == ["NEW", "JUNK"]


async def test_leads_are_called_as_the_portal_speaks(session, portal):
    portal.on("crm.settings.mode.get", 1)
    portal.on("crm.lead.userfield.add", 1)
    portal.on("app.info", {"INSTALLED": True, "LANGUAGE_ID": "en"})
    facts = await session.facts()
    assert facts.pipelines[-1].name == "Leads"
    assert "language:en" in facts.traits


@pytest.mark.parametrize(("mode", "trait"), [(1, "classic"), ("1", "classic"), (2, "simple")])
async def test_whether_there_are_leads_is_kept(session, portal, mode, trait):
    portal.on("crm.settings.mode.get", mode)
    portal.on("crm.lead.userfield.add", 1)
    assert {"classic", "simple"} & set((await session.facts()).traits) == {trait}


async def test_the_account_is_known_by_its_member_id_and_its_host(session, portal):
    facts = await session.facts()
    assert (facts.account, facts.name, facts.currency) == (ACCOUNT, "romashka.bitrix24.ru", "RUB")


async def test_people_who_are_active_are_named(session, portal):
    assert (await session.facts()).users == {"1": "Иван Петров", "3": "anna@example.ru"}


async def test_people_come_in_pages(session, portal):
    many = [{"ID": str(id_), "ACTIVE": True, "NAME": f"n{id_}"} for id_ in range(1, 61)]
    portal.on("user.get", many[:50], where=lambda asked: asked["start"] == "0")
    portal.on("user.get", many[50:], where=lambda asked: asked["start"] == "50")
    plain = portal.results

    def with_next(commands, halt):
        told = plain(commands, halt)
        if any(one.key == "users" and one["start"] == "0" for one in commands):
            told["result"]["result_next"] = {"users": 50}
        return told

    portal.results = with_next
    assert len((await session.facts()).users) == 60


async def test_fields_a_text_can_be_written_to_are_told(session, portal):
    fields = (await session.facts()).fields
    assert {"COMMENTS": "comments", "OPPORTUNITY": "opportunity", "UF_CRM_7": "UF_CRM_7"}.items() <= fields.items()
    assert not {"TITLE", "CREATED_TIME", "UF_CRM_8"} & fields.keys()


async def test_sources_of_the_account_are_kept(session, portal):
    assert [one for one in (await session.facts()).traits if one.startswith("source:")] == ["source:CALL"]


async def test_all_of_it_takes_one_request_and_our_fields_one_more(session, portal):
    await session.facts()
    assert len(portal.batches) == 2


# -- our own fields


async def test_our_fields_are_made_once(session, portal):
    facts = await session.facts()
    assert [one["fields[FIELD_NAME]"] for one in portal.of("crm.deal.userfield.add")] == list(OWN)
    assert facts.fields["UF_CRM_HUB_SOURCE"] == "UF_CRM_HUB_SOURCE"
    assert "own_fields" in facts.traits


async def test_a_field_has_labels_in_both_languages(session, portal):
    await session.facts()
    asked = portal.of("crm.deal.userfield.add")[0]
    assert (asked["fields[EDIT_FORM_LABEL][ru]"], asked["fields[EDIT_FORM_LABEL][en]"]) == (
        "Источник обращения",
        "Source of the enquiry",
    )


async def test_leads_have_our_fields_too(session, portal):
    portal.on("crm.settings.mode.get", 1)
    portal.on("crm.lead.userfield.add", 1)
    await session.facts()
    assert len(portal.of("crm.lead.userfield.add")) == len(OWN)


async def test_fields_that_are_there_are_not_made_again(session, portal):
    portal.on("crm.item.fields", {"fields": {f"UF_CRM_{code}": field() for code in OWN}})
    await session.facts()
    assert not portal.of("crm.deal.userfield.add")


async def test_a_field_that_turns_out_to_be_there_is_taken(session, portal):
    portal.on("crm.deal.userfield.add", Fault("ERROR_CORE", "Field UF_CRM_HUB_SOURCE already exists"))
    facts = await session.facts()
    assert "own_fields" in facts.traits
    assert not [one for one in facts.warnings if one.code == "fields_refused"]


async def test_fields_a_person_removed_stay_away(opened, portal):
    facts = await opened(traits=("simple", "own_fields")).facts()
    assert not portal.of("crm.deal.userfield.add")
    assert Said("fields_removed", {"fields": OWN_LABELS}) in facts.warnings


async def test_fields_that_are_refused_are_named(session, portal):
    portal.on("crm.deal.userfield.add", Fault("", "Access denied"))
    facts = await session.facts()
    assert Said("fields_refused", {"fields": OWN_LABELS}) in facts.warnings
    assert "own_fields" not in facts.traits


# -- what is missing


async def codes(session):
    return [one.code for one in (await session.facts()).warnings]


async def test_required_fields_are_told_by_their_names(session, portal):
    assert Said("required_fields", {"fields": "Регион"}) in (await session.facts()).warnings


async def test_who_is_no_administrator_is_told(session, portal):
    portal.on("profile", {"ID": "7", "ADMIN": False})
    assert "no_admin" in await codes(session)


async def test_an_unfinished_installation_is_told_first(session, portal):
    portal.on("app.info", {"INSTALLED": False})
    assert (await codes(session))[0] == "not_finished"


async def test_without_the_right_to_see_people_the_rest_is_read(session, portal):
    portal.on("user.get", Fault("insufficient_scope", "The request requires higher privileges"))
    facts = await session.facts()
    assert facts.users == {}
    assert Said("users_unseen") in facts.warnings


# -- a portal on a server of its own


def lacking(portal, *names):
    portal.on("method.get", {"isExisting": False, "isAvailable": False}, where=lambda asked: asked["name"] in names)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("telephony.externalCall.register", "lacks_telephony"),
        ("crm.item.payment.list", "lacks_payments"),
        ("crm.stagehistory.list", "lacks_history"),
        ("crm.activity.todo.add", "lacks_todos"),
        ("event.bind", "lacks_events"),
        ("placement.bind", "lacks_tabs"),
    ],
)
async def test_what_a_portal_lacks_is_told_and_kept(session, portal, method, code):
    lacking(portal, method)
    facts = await session.facts()
    assert [one.code for one in facts.warnings if one.code.startswith("lacks")] == [code]
    assert [one for one in facts.traits if one.startswith("lacks:")] == [f"lacks:{method}"]


async def test_a_portal_that_cannot_say_what_it_has_has_it_all(session, portal):
    portal.on("method.get", Fault("ERROR_METHOD_NOT_FOUND", "Method not found!"))
    assert not [one for one in (await session.facts()).traits if one.startswith("lacks:")]


async def test_a_method_that_needs_a_right_we_lack_is_there(session, portal):
    portal.on("method.get", {"isExisting": True, "isAvailable": False})
    assert not [one for one in await codes(session) if one.startswith("lacks")]


@pytest.mark.parametrize("method", ["crm.category.list", "crm.item.fields", "crm.settings.mode.get"])
async def test_a_portal_too_old_for_the_hub_is_told_by_what_it_lacks(session, portal, method):
    portal.on(method, Fault("ERROR_METHOD_NOT_FOUND", "Method not found!"))
    with pytest.raises(InstallationError) as raised:
        await session.facts()
    assert (raised.value.why, raised.value.said) == (Why.FORBIDDEN, Said("too_old", {"method": method}))


async def test_without_telephony_nobody_is_asked_to_show_a_card(opened, portal):
    session = opened(traits=("simple", "lacks:telephony.externalCall.register"))
    assert await session.popup(("6",), "+79161234567") is False
    assert portal.batches == []


async def test_without_events_there_is_no_doorbell_and_nobody_is_asked_for_one(opened, portal):
    session = opened(traits=("simple", "lacks:event.bind"))
    assert await session.listen("https://hub.example/hooks/bitrix24/t", "") == Ringing(rings=False)
    assert portal.batches == []


async def test_without_tabs_the_doorbell_rings_all_the_same(opened, portal):
    portal.on("event.get", [])
    portal.on("event.bind", True)
    portal.on("placement.get", Fault("ERROR_METHOD_NOT_FOUND", "Method not found!"))
    session = opened(traits=("simple", "lacks:placement.bind"))
    ringing = await session.listen("https://hub.example/hooks/bitrix24/t", "https://hub.example/frame/bitrix24")
    assert ringing == Ringing(rings=True)
    assert portal.of("placement.bind") == []


# -- trouble


@pytest.mark.parametrize(
    "method", ["app.info", "crm.category.list", "crm.status.list", "crm.settings.mode.get", "crm.item.fields"]
)
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("ACCESS_DENIED"), Why.FORBIDDEN),
        (Fault("expired_token"), Why.UNAUTHORIZED),
        (Fault("", "?"), Why.UNREADABLE),
        (None, Why.UNREADABLE),
    ],
)
async def test_facts_without_what_is_needed_are_none(session, portal, method, fault, why):
    portal.on(method, fault)
    with pytest.raises(InstallationError) as raised:
        await session.facts()
    assert raised.value.why is why


async def test_the_account_answers_to_a_check(session, portal):
    assert await session.check() == Ref("account", ACCOUNT, "https://romashka.bitrix24.ru")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            httpx.Response(403, json={"error": "ACCESS_DENIED", "error_description": "only on commercial plans"}),
            Why.FORBIDDEN,
        ),
        (httpx.Response(502, text="<html>"), Why.UNAVAILABLE),
        (httpx.Response(404, text="<html>"), Why.UNAUTHORIZED),
        (httpx.Response(200, text="<html>"), Why.UNREADABLE),
        (httpx.ConnectError("no"), Why.UNAVAILABLE),
    ],
    ids=["plan", "gateway", "nobody", "junk", "network"],
)
async def test_a_check_that_fails_says_why(session, portal, answer, why):
    portal.instead(0, answer)
    portal.instead(1, answer)  # a read whose connection failed is sent once more
    with pytest.raises(InstallationError) as raised:
        await session.check()
    assert raised.value.why is why


async def test_no_index_of_contacts_is_kept(session):
    with pytest.raises(InstallationError) as raised:
        await session.contacts(None)
    assert raised.value.why is Why.UNSUPPORTED


# -- telephony


def without(portal, method, told):
    portal.on("method.get", told, where=lambda asked: asked["name"] == method)


async def test_a_portal_with_telephony_offers_every_way(session, portal):
    assert (await session.facts()).telephony == tuple(Telephony)


@pytest.mark.parametrize(
    "told",
    [
        {"isExisting": False, "isAvailable": False},
        {"isExisting": True, "isAvailable": False},
        Fault("ERROR_METHOD"),
        [],
    ],
)
async def test_what_its_telephony_does_not_have_is_not_offered(session, portal, told):
    without(portal, "voximplant.statistic.get", told)
    assert (await session.facts()).telephony == (Telephony.NOTE, Telephony.REGISTER)
