from dataclasses import replace

import httpx
import pytest

from connectors.amocrm.companies import NOT_LINKED
from connectors.contract import delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Known, KnownDeal, Ref, Status, Why
from connectors.scenario import CallerState, CreateDeal

COMPLEX, NOTES, COMPANIES, LINKS = (
    "api/v4/leads/complex",
    "api/v4/leads/notes",
    "api/v4/companies",
    "api/v4/contacts/link",
)
CONTACT, LEADS, TASKS = "api/v4/contacts/61000001", "api/v4/leads", "api/v4/tasks"
DEAL = CreateDeal("Заявка", company="ООО Ромашка")


def named(of=(), has_more=False):
    found = [{"id": id_, "name": name, "is_deleted": False} for id_, name in of]
    links = {"next": {"href": "more"}} if has_more else {}
    return httpx.Response(200, json={"_links": links, "_embedded": {"companies": found}})


def created(contact=61000002, company=71000001, request_ids=("d-1",), **more):
    rows = [
        {"id": 21000003 + n, "contact_id": contact, "company_id": company, "request_id": [one], "merged": False, **more}
        for n, one in enumerate(request_ids)
    ]
    return httpx.Response(200, json=rows)


def linked(contact, company):
    one = {"entity_id": contact, "entity_type": "contacts", "to_entity_id": company, "to_entity_type": "companies"}
    return httpx.Response(200, json={"_total_items": 1, "_embedded": {"links": [one]}})


def form(contact=None, **changed):
    plan = replace(delivery().what, rules=rules(dict.fromkeys(CallerState, (DEAL,))))
    people = (Known(contact, (KnownDeal("1", "won"),)),) if contact else ()
    return delivery(**{"what": plan, "people": people, **changed})


@pytest.fixture
def account(vendor):
    """An account that has no company."""
    vendor.on("GET", COMPANIES, None)
    vendor.on("POST", COMPLEX, created())
    return vendor


async def deliver(session, *batch):
    return (await session.deliver(batch or [form()]))["d-1"]


async def test_a_new_company_is_created_with_the_deal_and_its_contact(session, account):
    outcome = await deliver(session)
    [[deal]] = account.sent("/leads/complex")
    assert deal["_embedded"]["companies"] == [{"name": "ООО Ромашка"}]
    assert outcome.status is Status.DELIVERED
    assert Ref("company", "71000001", "https://romashka.amocrm.ru/companies/detail/71000001") in outcome.refs
    assert not account.sent("/contacts/link")


async def test_it_costs_one_request_to_look(session, account):
    await deliver(session)
    assert [call.request.url.path for call in account.router.calls] == ["/api/v4/companies", "/api/v4/leads/complex"]


async def test_a_scenario_that_asks_for_no_company_asks_for_nothing(session, account):
    plan = replace(delivery().what, rules=rules(dict.fromkeys(CallerState, (CreateDeal("x"),))))
    await deliver(session, form(what=plan))
    assert not account.asked("/companies")


async def test_a_company_that_is_there_is_taken_whatever_its_letters(session, account):
    account.on("GET", COMPANIES, named([(71000009, "ООО  ромашка"), (71000005, "ООО «РОМАШКА»"), (7, "ООО Ромашка+")]))
    account.on("POST", LINKS, linked(61000002, 71000005))
    await deliver(session)
    [[deal]] = account.sent("/leads/complex")
    assert deal["_embedded"]["companies"] == [{"id": 71000005}]


async def test_one_that_is_not_among_the_newest_is_searched_by_its_name(session, account):
    account.on("GET", COMPANIES, named([(7, "Другая")], has_more=True), named([(5, "ООО Ромашка")]))
    account.on("POST", COMPLEX, created(company=5))
    account.on("POST", LINKS, linked(61000002, 5))
    await deliver(session)
    assert [query.get("query") for query in account.asked("/companies")] == [None, "ООО Ромашка"]
    [[deal]] = account.sent("/leads/complex")
    assert deal["_embedded"]["companies"] == [{"id": 5}]


async def test_a_known_contact_is_linked_to_the_company(session, account):
    account.on("POST", COMPLEX, created(contact=61000001))
    account.on("POST", LINKS, linked(61000001, 71000001))
    outcome = await deliver(session, form("61000001"))
    assert outcome.status is Status.DELIVERED
    assert account.sent("/contacts/link") == [
        [{"entity_id": 61000001, "to_entity_id": 71000001, "to_entity_type": "companies"}]
    ]


@pytest.mark.parametrize(("companies", "said"), [([{"id": 71000001}], ()), ([], (NOT_LINKED,))])
async def test_a_refused_link_may_only_say_that_they_are_linked(session, account, load, companies, said):
    account.on("POST", COMPLEX, created(contact=61000001))
    account.on("POST", LINKS, httpx.Response(400, json=load("error__400_unnamed")))
    account.on("GET", CONTACT, httpx.Response(200, json={"id": 61000001, "_embedded": {"companies": companies}}))
    outcome = await deliver(session, form("61000001"))
    assert (outcome.status, outcome.said) == (Status.DELIVERED, said)


async def test_an_anonymous_person_has_a_company_and_no_link(session, account):
    account.on("POST", COMPLEX, created(contact=None))
    plan = replace(form().what, enquiry=enquiry(caller=None))
    outcome = await deliver(session, form(what=plan))
    assert outcome.status is Status.DELIVERED
    assert not account.sent("/contacts/link")


async def test_two_people_of_one_new_company_follow_each_other(session, account):
    other = form(id="d-2", marker="hub:2")
    other = replace(other, what=replace(other.what, enquiry=enquiry(caller="+79035550011")))
    outcomes = await session.deliver([form(), other])
    assert (outcomes["d-2"].status, outcomes["d-2"].why) == (Status.RETRY, Why.TOO_EARLY)
    assert [len(sent) for sent in account.sent("/leads/complex")] == [1]


async def test_two_people_of_one_known_company_go_together(session, account):
    account.on("GET", COMPANIES, named([(5, "ООО Ромашка")]))
    account.on("POST", COMPLEX, created(company=5, request_ids=("d-1", "d-2")))
    account.on("POST", LINKS, linked(61000002, 5))
    other = form(id="d-2", marker="hub:2")
    other = replace(other, what=replace(other.what, enquiry=enquiry(caller="+79035550011")))
    await session.deliver([form(), other])
    assert [len(sent) for sent in account.sent("/leads/complex")] == [2]


async def test_a_company_that_has_just_gone_is_made_anew(session, account, load):
    account.on("GET", COMPANIES, named([(5, "ООО Ромашка")]))
    gone = load("error__400_stage_unknown")
    gone["validation-errors"][0]["errors"][0]["path"] = "_embedded.companies.0.id"
    account.on("POST", COMPLEX, httpx.Response(400, json=gone), created())
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert account.sent("/leads/complex")[1][0]["_embedded"]["companies"] == [{"name": "ООО Ромашка"}]


# -- doubt


@pytest.fixture
def made_before(account, load):
    """An earlier attempt has made the deal with its company."""
    deal = load("lead__ours")
    deal["_embedded"]["companies"] = [{"id": 71000001}]
    account.on("GET", LEADS, httpx.Response(200, json={"_embedded": {"leads": [deal]}}))
    return account


def who(companies):
    return httpx.Response(200, json={"id": 61000002, "_embedded": {"companies": companies}})


async def test_what_was_made_and_linked_is_neither_made_nor_linked_again(session, made_before):
    made_before.on("GET", "api/v4/contacts/61000002", who([{"id": 71000001}]))
    outcome = await deliver(session, form(attempt=2, in_doubt=True, people=None))
    assert outcome.status is Status.DELIVERED
    assert [call.request.method for call in made_before.router.calls].count("POST") == 0
    assert "71000001" in [ref.id for ref in outcome.refs if ref.kind == "company"]


async def test_what_was_made_and_not_linked_is_linked_now(session, made_before):
    made_before.on("GET", "api/v4/contacts/61000002", who([]))
    made_before.on("POST", LINKS, linked(61000002, 71000001))
    await deliver(session, form(attempt=2, in_doubt=True, people=None))
    assert len(made_before.sent("/contacts/link")) == 1
    assert not made_before.sent("/leads/complex")


async def test_a_lost_answer_to_a_link_is_the_deliverys_doubt(session, account):
    account.on("POST", COMPLEX, created(contact=61000001))
    account.on("POST", LINKS, httpx.ReadError("reset"))
    outcome = await deliver(session, form("61000001"))
    assert outcome.status is Status.UNKNOWN
    assert "deal" in [ref.kind for ref in outcome.refs]
