import json
from datetime import UTC, datetime

import httpx
import pytest

from connectors.bitrix24.mappings import ORIGINATOR
from connectors.bitrix24.readback import SELECT
from connectors.contract import MARKER
from connectors.protocol import InstallationError, PaymentChange, Ref, StagePassed, Why
from tests.connectors.bitrix24.conftest import CLOCK, Fault, card, ours

MOVED = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
WON = {"stageId": "WON", "stageSemanticId": "S", "closed": "Y"}


def of(kind):
    return lambda asked: asked["entityTypeId"] == str(kind)


NOT_THERE = Fault("NOT_FOUND", "Element not found")


def shown(*ids):
    """Answer a list by ids with those that are shown to us."""

    def give(asked):
        wanted = {int(value) for name, value in asked.params.items() if name.startswith("filter[@id]")}
        return {"items": [{"id": id_} for id_ in ids if id_ in wanted]}

    return give


def listed(kind, *cards):
    """Answer a walk over a kind of cards the way the portal does: by id, changed since, fifty at a time."""

    def give(asked):
        after = asked["filter[>id]"] or "0"
        since = datetime.fromisoformat(asked["filter[>=updatedTime]"] or "1970-01-01T00:00:00+00:00")
        left = [
            one
            for one in cards
            if one["id"] > (int(after) if after.isdigit() else 0)
            and datetime.fromisoformat(one["updatedTime"]) >= since
        ]
        return {"items": left[:50]}

    return give


@pytest.fixture
def portal(portal):
    """A portal without cards, history and invoices."""
    portal.on("event.offline.list", [])
    portal.on("crm.status.list", [])
    return portal


async def read(session, cursor=None):
    return await session.changes(cursor)


# -- deals


async def test_a_deal_is_told_as_it_is(session, portal):
    deal = ours(341, **WON, opportunity=125000.5, currencyId="RUB", contactIds=[44, 51], assignedById=6)
    portal.on("crm.item.list", {"items": [deal]}, where=of(2))
    [change] = (await read(session)).deals
    assert (change.id, change.url) == ("341", "https://romashka.bitrix24.ru/crm/deal/details/341/")
    assert (change.pipeline, change.stage, change.outcome) == ("0", "WON", "won")
    assert (change.amount_minor, change.currency, change.marker) == (12_500_050, "RUB", MARKER)
    assert (change.updated_at, change.closed_at) == (MOVED, MOVED)
    assert (change.contacts, change.responsible, change.deleted) == (("44", "51"), "6", False)


@pytest.mark.parametrize(("semantic", "outcome"), [("P", "open"), ("S", "won"), ("F", "lost"), (None, "open")])
async def test_what_a_stage_means_is_the_vendors_word(session, portal, semantic, outcome):
    portal.on(
        "crm.item.list", {"items": [card(341, stageId="C9:UC_X", categoryId=9, stageSemanticId=semantic)]}, where=of(2)
    )
    [change] = (await read(session)).deals
    assert (change.outcome, change.closed_at is None, change.pipeline) == (outcome, outcome == "open", "9")


@pytest.mark.parametrize(("told", "author"), [(6, "6"), ("6", "6"), (0, None), (None, None)])
async def test_who_made_a_card_is_asked_for_and_told(session, portal, told, author):
    portal.on("crm.item.list", {"items": [card(341, createdBy=told)]}, where=of(2))
    portal.on("crm.item.list", {"items": [card(12, createdBy=told)]}, where=of(1))
    assert {one.author for one in (await read(session)).deals} == {author}
    assert "createdBy" in SELECT


async def test_a_mark_of_another_program_is_not_ours(session, portal):
    portal.on("crm.item.list", {"items": [card(341, originatorId="1C", originId=MARKER)]}, where=of(2))
    assert (await read(session)).deals[0].marker is None


@pytest.mark.parametrize(
    ("told", "minor"), [("19999.99", 1_999_999), (100, 10_000), (None, 0), ("x", 0), (10**30, 0), (0.1 + 0.2, 30)]
)
async def test_amounts_are_whole_minor_units_whatever_was_told(session, portal, told, minor):
    portal.on("crm.item.list", {"items": [card(341, opportunity=told)]}, where=of(2))
    assert (await read(session)).deals[0].amount_minor == minor


async def test_five_hundred_deals_take_one_request(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 701))), where=of(2))
    page = await read(session)
    assert [int(one.id) for one in page.deals] == list(range(1, 501))
    assert page.more
    assert len(portal.batches) == 1


async def test_the_next_request_goes_on_after_the_last_deal(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 701))), where=of(2))
    first = await read(session)
    second = await read(session, first.cursor)
    assert [int(one.id) for one in second.deals] == list(range(501, 701))
    assert not second.more


async def test_once_only_news_is_read_few_pages_are_searched(session, portal):
    first = await read(session)
    await read(session, first.cursor)
    assert [one.key for one in portal.batches[-1] if one.key.startswith("deals")] == ["deals0", "deals1"]


async def test_much_news_is_read_on_at_once(session, portal):
    first = await read(session)
    portal.on(
        "crm.item.list",
        listed(2, *(card(place, updatedTime="2026-01-01T12:00:11+03:00") for place in range(1, 301))),
        where=of(2),
    )
    second = await read(session, first.cursor)
    third = await read(session, second.cursor)
    assert (len(second.deals), second.more, len(third.deals), third.more) == (100, True, 200, False)


async def test_a_page_that_is_full_to_the_last_loses_nothing(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 101))), where=of(2))
    page = await read(session)
    assert (len(page.deals), page.more) == (100, False)


async def test_an_unresolved_reference_doubles_nothing(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 71))), where=of(2))
    page = await read(session)
    assert len({one.id for one in page.deals}) == len(page.deals) == 70


async def test_the_next_walk_begins_five_minutes_before_this_one_began(session, portal):
    first = await read(session)
    await read(session, first.cursor)
    [asked] = [one for one in portal.batches[-1] if one.key == "deals0"]
    assert asked["filter[>=updatedTime]"] == datetime.fromtimestamp(int(CLOCK) - 300, UTC).isoformat()
    assert asked["filter[>id]"] == "0"


async def test_a_walk_of_several_requests_counts_from_its_first(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 701))), where=of(2))
    first = await read(session)
    portal.clock = CLOCK + 60
    second = await read(session, first.cursor)
    assert json.loads(second.cursor)["walks"]["2"]["since"] == int(CLOCK) - 300


@pytest.mark.parametrize(
    "cursor", ["", "junk", "{}", "[]", "null", '{"walks":{"2":{"since":"x"}}}', '{"walks":{"2":{"since":-1}}}']
)
async def test_a_strange_cursor_is_the_beginning(session, portal, cursor):
    portal.on("crm.item.list", {"items": [card(341)]}, where=of(2))
    assert len((await read(session, cursor)).deals) == 1


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("expired_token"), Why.UNAUTHORIZED),
        (Fault("", "Access denied"), Why.FORBIDDEN),
        (Fault("0", "what"), Why.UNREADABLE),
        (None, Why.UNREADABLE),
    ],
)
async def test_deals_that_cannot_be_read_move_no_cursor(session, portal, fault, why):
    portal.on("crm.item.list", fault, where=of(2))
    with pytest.raises(InstallationError) as raised:
        await read(session)
    assert raised.value.why is why


# -- leads


async def test_a_lead_is_a_deal_of_the_leads_pipeline(classic, portal):
    lead = ours(10, stageId="IN_PROCESS", contactId=None)
    portal.on("crm.item.list", {"items": [lead]}, where=of(1))
    [change] = (await read(classic)).deals
    assert (change.id, change.pipeline, change.stage, change.marker) == ("L10", "leads", "IN_PROCESS", MARKER)


async def test_a_converted_lead_leaves_winning_to_its_deal(classic, portal):
    portal.on(
        "crm.item.list", {"items": [ours(10, stageId="CONVERTED", stageSemanticId="S", opportunity=5)]}, where=of(1)
    )
    portal.on("crm.item.list", {"items": [card(341, leadId=10)]}, where=of(2))
    lead, deal = (await read(classic)).deals
    assert (lead.id, lead.stage, lead.deleted) == ("L10", "CONVERTED", False)
    assert (lead.outcome, lead.amount_minor, lead.closed_at) == ("open", 0, None)
    assert (deal.id, deal.marker) == ("341", MARKER)


async def test_a_deal_with_a_mark_of_its_own_keeps_it(classic, portal):
    portal.on("crm.item.list", {"items": [ours(341, leadId=10, originId="hub:own")]}, where=of(2))
    assert (await read(classic)).deals[0].marker == "hub:own"
    assert len(portal.batches) == 1


async def test_without_leads_none_are_asked_for(session, portal):
    await read(session)
    assert {one["entityTypeId"] for one in portal.of("crm.item.list")} == {"2", "31"}


async def test_leads_that_cannot_be_read_keep_no_deal_away(classic, portal):
    portal.on("crm.item.list", Fault("ENTITY_TYPE_NOT_SUPPORTED"), where=of(1))
    portal.on("crm.item.list", {"items": [card(341)]}, where=of(2))
    page = await read(classic)
    assert (len(page.deals), page.more) == (1, False)


# -- stages


def passed(*rows):
    return {
        "items": [
            {
                "ID": id_,
                "OWNER_ID": 341,
                "CATEGORY_ID": 0,
                "CREATED_TIME": "2026-01-01T12:00:00+03:00",
                "STAGE_ID": stage,
            }
            for id_, stage in rows
        ]
    }


async def test_the_history_before_the_connection_is_not_told(session, portal):
    portal.on("crm.stagehistory.list", passed((35, "NEW")))
    page = await read(session)
    assert page.stages == ()
    assert json.loads(page.cursor)["passed"] == {"2": 35}


async def test_stages_passed_since_are_told_once(session, portal):
    portal.on("crm.stagehistory.list", passed((35, "NEW")), passed((36, "PREPARATION"), (37, "WON")), passed())
    first = await read(session)
    second = await read(session, first.cursor)
    assert second.stages == (StagePassed("341", "0", "PREPARATION", MOVED), StagePassed("341", "0", "WON", MOVED))
    third = await read(session, second.cursor)
    assert third.stages == ()
    assert next(one for one in portal.batches[-1] if one.key == "passed2x0")["filter[>ID]"] == "37"


async def test_stages_of_leads_have_another_name(classic, portal):
    rows = [{"ID": 5, "OWNER_ID": "10", "CREATED_TIME": "2026-01-01T12:00:00+03:00", "STATUS_ID": "JUNK"}]
    portal.on("crm.stagehistory.list", {"items": []}, {"items": rows}, where=of(1))
    first = await read(classic)
    assert (await read(classic, first.cursor)).stages == (StagePassed("L10", "leads", "JUNK", MOVED),)


async def test_a_history_that_cannot_be_read_keeps_no_deal_away(session, portal):
    portal.on("crm.item.list", {"items": [card(341)]}, where=of(2))
    portal.on("crm.stagehistory.list", Fault("ACCESS_DENIED"))
    assert len((await read(session)).deals) == 1


# -- what is gone


def queued(*ids, name="ONCRMDEALDELETE"):
    return [
        {"ID": str(place), "EVENT_NAME": name, "EVENT_DATA": {"FIELDS": {"ID": str(id_)}}}
        for place, id_ in enumerate(ids, 7)
    ]


async def since(session):
    return (await read(session)).cursor


async def test_a_deleted_deal_is_told_once(session, portal):
    cursor = await since(session)
    portal.on("event.offline.list", queued(341), [])
    page = await read(session, cursor)
    [gone] = page.deals
    assert (gone.id, gone.deleted, gone.outcome, gone.amount_minor) == ("341", True, "lost", 0)
    assert gone.updated_at == datetime.fromtimestamp(CLOCK, UTC)
    await read(session, page.cursor)
    assert portal.of("event.offline.list")[-1]["filter[>ID]"] == "7"


@pytest.mark.parametrize(("deleted", "more"), [(49, False), (50, True)])
async def test_many_deletions_are_read_on_at_once(session, portal, deleted, more):
    cursor = await since(session)
    portal.on("event.offline.list", queued(*range(1, deleted + 1)))
    assert (await read(session, cursor)).more is more


async def test_a_deal_that_is_there_after_all_is_not_gone(session, portal):
    cursor = await since(session)
    portal.on("event.offline.list", queued(341, 342))
    portal.on("crm.item.list", {"items": [{"id": 341}]}, where=lambda asked: asked["filter[@id][0]"] == "341")
    assert [one.id for one in (await read(session, cursor)).deals] == ["342"]


async def test_what_was_deleted_before_the_connection_is_nobodys_news(session, portal):
    portal.on("event.offline.list", queued(341))
    page = await read(session)
    assert page.deals == ()
    assert json.loads(page.cursor)["gone"] == 7


async def test_what_is_deleted_while_the_first_walk_goes_on_is_gone(session, portal):
    portal.on("crm.item.list", listed(2, *(card(place) for place in range(1, 701))), where=of(2))
    first = await read(session)
    portal.on("crm.item.list", {"items": []}, where=lambda asked: asked["filter[@id][0]"] == "341")
    portal.on("event.offline.list", queued(341))
    assert [one.id for one in (await read(session, first.cursor)).deals if one.deleted] == ["341"]


async def test_what_the_first_request_met_and_was_deleted_meanwhile_is_gone(session, portal):
    portal.on("crm.item.list", {"items": [card(341)]}, where=lambda asked: asked["filter[>id]"] == "0")
    portal.on("event.offline.list", queued(340, 341))
    assert [(one.id, one.deleted) for one in (await read(session)).deals] == [("341", False), ("341", True)]


async def test_without_the_right_to_the_queue_deals_are_read_all_the_same(session, portal):
    portal.on("event.offline.list", Fault("ACCESS_DENIED", "…requires administrator access rights"))
    portal.on("crm.item.list", {"items": [card(341)]}, where=of(2))
    assert len((await read(session)).deals) == 1


async def test_a_look_at_who_is_gone_that_fails_says_nothing_of_them(session, portal):
    cursor = await since(session)
    portal.on("event.offline.list", queued(341))
    portal.on("crm.item.list", None, where=lambda asked: asked["filter[@id][0]"])
    with pytest.raises(InstallationError):
        await read(session, cursor)


# -- payments


PAYMENTS = [
    {"id": 1036, "paid": "Y", "datePaid": "2026-01-01T12:00:00+03:00", "sum": 500, "currency": "RUB"},
    {"id": "1037", "paid": "N", "datePaid": None, "sum": "700.00", "currency": "RUB"},
]


async def test_payments_are_asked_for_where_a_deal_tells_of_an_order(session, portal):
    portal.on("crm.item.list", {"items": [card(341, orderStage="PAID"), card(342)]}, where=of(2))
    portal.on("crm.item.payment.list", PAYMENTS)
    page = await read(session)
    assert page.payments == (
        PaymentChange("P1036", "341", 50_000, "RUB", MOVED),
        PaymentChange("P1037", "341", 0, "RUB", MOVED),
    )
    assert [one["entityId"] for one in portal.of("crm.item.payment.list")] == ["341"]


def looked_over(*ids, ordered=()):
    """Answer a look over all deals for their orders, the newest first."""

    def give(asked):
        below = int(asked["filter[<id]"] or 10**9)
        page = sorted((id_ for id_ in ids if id_ < below), reverse=True)[:50]
        return {
            "items": [
                {"id": id_, "orderStage": "PAID" if id_ in ordered else None, "currencyId": "RUB"} for id_ in page
            ]
        }

    return give


async def test_a_payment_is_found_though_its_deal_did_not_change(session, portal):
    cursor = await since(session)
    portal.on(
        "crm.item.list", looked_over(*range(1, 100), ordered={3}), where=lambda asked: asked.key.startswith("orders")
    )
    portal.on("crm.item.payment.list", PAYMENTS[:1])
    page = await read(session, cursor)
    assert [(one.id, one.deal, one.amount_minor) for one in page.payments] == [("P1036", "3", 50_000)]
    assert json.loads(page.cursor)["orders"] == 0


async def test_looking_for_orders_goes_on_where_it_stopped_and_begins_anew(session, portal):
    cursor = await since(session)
    portal.on("crm.item.list", looked_over(*range(1, 151)), where=lambda asked: asked.key.startswith("orders"))
    first = await read(session, cursor)
    assert json.loads(first.cursor)["orders"] == 51
    second = await read(session, first.cursor)
    assert json.loads(second.cursor)["orders"] == 0


async def test_the_first_walk_needs_no_look_for_orders(session, portal):
    await read(session)
    assert not [one for one in portal.asked if one.key.startswith("orders")]


async def test_a_look_for_orders_that_is_refused_keeps_no_deal_away(session, portal):
    cursor = await since(session)
    portal.on("crm.item.list", {"items": [card(341)]}, where=lambda asked: asked.key == "deals0")
    portal.on("crm.item.list", Fault("0"), where=lambda asked: asked.key.startswith("orders"))
    assert len((await read(session, cursor)).deals) == 1


def invoice(id_, **more):
    return card(
        id_,
        categoryId=13,
        stageId="DT31_13:P",
        parentId2=341,
        opportunity=900,
        currencyId="RUB",
        stageSemanticId=None,
        **more,
    )


STAGES = [{"ENTITY_ID": "SMART_INVOICE_STAGE_13", "STATUS_ID": "DT31_13:P", "SEMANTICS": "S"}]


async def test_an_invoice_at_a_successful_stage_is_a_payment(session, portal):
    portal.on("crm.item.list", {"items": [invoice(5)]}, where=of(31))
    portal.on("crm.status.list", STAGES)
    assert (await read(session)).payments == (PaymentChange("I5", "341", 90_000, "RUB", MOVED),)


async def test_an_invoice_that_is_not_paid_is_withdrawn(session, portal):
    portal.on("crm.item.list", {"items": [invoice(5) | {"stageId": "DT31_13:N"}]}, where=of(31))
    portal.on("crm.status.list", STAGES)
    assert [one.amount_minor for one in (await read(session)).payments] == [0]


@pytest.mark.parametrize("name", ["ONCRMDYNAMICITEMDELETE_31", "ONCRMDYNAMICITEMDELETE"])
async def test_an_invoice_that_is_deleted_is_withdrawn(session, portal, name):
    cursor = await since(session)
    [told] = queued(5, name=name)
    told["EVENT_DATA"]["FIELDS"]["ENTITY_TYPE_ID"] = "31"
    portal.on("event.offline.list", [told])
    page = await read(session, cursor)
    assert [(one.id, one.deal, one.amount_minor) for one in page.payments] == [("I5", None, 0)]
    assert page.deals == ()


async def test_a_deleted_card_of_a_smart_process_is_nobodys_news(session, portal):
    cursor = await since(session)
    [told] = queued(5, name="ONCRMDYNAMICITEMDELETE")
    told["EVENT_DATA"]["FIELDS"]["ENTITY_TYPE_ID"] = "128"
    portal.on("event.offline.list", [told])
    page = await read(session, cursor)
    assert (page.payments, page.deals) == ((), ())


async def test_the_payments_of_a_deal_count_and_not_its_invoices(session, portal):
    portal.on("crm.item.list", {"items": [invoice(5)]}, where=of(31))
    portal.on(
        "crm.item.list",
        {"items": [{"id": 341, "orderStage": "PAID"}]},
        where=lambda asked: asked["filter[@id][0]"] == "341",
    )
    portal.on("crm.status.list", STAGES)
    assert [one.amount_minor for one in (await read(session)).payments] == [0]


async def test_an_account_without_invoices_reads_deals(session, portal):
    portal.on("crm.item.list", Fault("NOT_FOUND", "Smart process not found"), where=of(31))
    portal.on("crm.item.list", {"items": [card(341)]}, where=of(2))
    page = await read(session)
    assert (len(page.deals), page.payments, page.more) == (1, (), False)


# -- by their ids


async def test_deals_and_leads_are_read_by_their_ids(classic, portal):
    portal.on("crm.item.list", {"items": [card(341)]}, where=lambda asked: asked["filter[@id][0]"] == "341")
    portal.on("crm.item.list", {"items": [ours(10)]}, where=lambda asked: asked["filter[@id][0]"] == "10")
    assert {one.id for one in await classic.deals(["341", "L10", "x"])} == {"341", "L10"}


async def test_what_is_missing_is_told_by_kind(session, portal):
    portal.on(
        "crm.item.list",
        {"items": [{"id": 44}]},
        where=lambda asked: asked["entityTypeId"] == "3" and asked["filter[@id][0]"],
    )
    portal.on("crm.item.get", NOT_THERE)
    refs = [Ref("deal", "44"), Ref("contact", "44"), Ref("deal", "L44"), Ref("note", "44")]
    assert await session.missing(refs) == {Ref("deal", "44"), Ref("deal", "L44")}


async def test_a_hundred_ids_that_are_shown_are_asked_for_fifty_at_a_time_in_one_request(session, portal):
    portal.on("crm.item.list", shown(*range(1, 101)))
    assert await session.missing([Ref("deal", str(id_)) for id_ in range(1, 101)]) == frozenset()
    assert [len(batch) for batch in portal.batches] == [2]


async def test_what_no_list_shows_is_asked_for_alone_fifty_in_a_request(session, portal):
    portal.on("crm.item.list", shown(*range(1, 41)))
    portal.on("crm.item.get", NOT_THERE)
    assert len(await session.missing([Ref("deal", str(id_)) for id_ in range(1, 101)])) == 60
    assert [len(batch) for batch in portal.batches] == [2, 50, 10]


@pytest.mark.parametrize(
    "answer",
    [
        Fault("ACCESS_DENIED", "Access denied."),
        Fault("", "Access denied."),
        Fault("0", "Access denied or the deal is not found"),
        Fault("ERROR_METHOD_NOT_FOUND", "Method not found!"),
        Fault("INTERNAL_SERVER_ERROR", "Internal server error"),
        {"item": {"id": 341}},
        {"item": None},
        None,
    ],
)
async def test_what_is_hidden_from_us_or_only_not_told_is_not_gone(session, portal, answer):
    portal.on("crm.item.get", answer)
    assert await session.missing([Ref("deal", "341")]) == frozenset()


@pytest.mark.parametrize(
    "answer", [Fault("NOT_FOUND", "Element not found"), Fault("not_found", "Item not found"), Fault("", "Not found")]
)
async def test_only_the_word_that_a_card_is_not_there_makes_it_gone(session, portal, answer):
    portal.on("crm.item.get", answer)
    assert await session.missing([Ref("deal", "341")]) == {Ref("deal", "341")}


async def test_where_an_account_has_leads_no_more_none_of_them_is_gone(classic, portal):
    portal.on("crm.item.list", Fault("NOT_FOUND", "Smart process not found"), where=of(1))
    portal.on("crm.item.get", NOT_THERE)
    assert await classic.missing([Ref("deal", "L5"), Ref("deal", "341")]) == {Ref("deal", "341")}


async def test_a_limit_met_while_cards_are_asked_for_alone_says_nothing_of_them(session, portal):
    portal.on("crm.item.get", Fault("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."))
    with pytest.raises(InstallationError) as caught:
        await session.missing([Ref("deal", "341")])
    assert caught.value.why is Why.THROTTLED


async def test_a_page_says_that_not_all_that_went_is_told(session, portal):
    assert not (await read(session)).tells_gone


@pytest.mark.parametrize("ask", ["deals", "missing"])
async def test_who_cannot_be_asked_about_is_not_said_to_be_gone(session, portal, ask):
    portal.instead(0, httpx.Response(503, json={"error": "QUERY_LIMIT_EXCEEDED"}))
    with pytest.raises(InstallationError):
        await getattr(session, ask)(["341"] if ask == "deals" else [Ref("deal", "341")])


async def test_nothing_is_asked_about_nobody(session, portal):
    assert await session.missing([]) == frozenset()
    assert not portal.batches


def test_the_mark_of_the_letters_above_is_the_connectors():
    assert ours(1)["originatorId"] == ORIGINATOR
