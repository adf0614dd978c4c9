"""What an earlier attempt may have left is looked for before anything is made again."""

from dataclasses import replace

import pytest

from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import InstallationError, Ref, Status
from connectors.scenario import AddNote, AddTask, CallerState, CreateDeal
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault, card, ours

DEALS, CONTACTS = "2", "3"
MARKED = [{"ID": "501", "COMMENT": f"Источник: yandex\n{MARKER} v1"}]
WRITTEN = [
    {"ID": "999", "DESCRIPTION": f"Перезвонить\n{MARKER} v1"},
    {"ID": "7943", "TYPE_ID": "2", "ORIGIN_ID": MARKER},
]
DOUBTFUL = delivery(attempt=2, in_doubt=True)


def by_mark(entity):
    return lambda asked: asked["entityTypeId"] == entity and asked["filter[=originId]"] == MARKER


@pytest.fixture
def with_deal(portal):
    """An attempt before has made contact and deal, and nothing more."""
    portal.on("crm.item.list", {"items": [ours(342)]}, where=by_mark(DEALS))
    portal.on("crm.item.list", {"items": [ours(44)]}, where=by_mark(CONTACTS))
    return portal


async def deliver(session, of=DOUBTFUL):
    return (await session.deliver([of]))["d-1"]


async def test_a_deal_is_looked_for_by_who_made_it_and_of_what(session, portal):
    await deliver(session)
    [asked] = [one for one in portal.of("crm.item.list") if one["entityTypeId"] == DEALS]
    found = (asked["filter[=originatorId]"], asked["filter[=originId]"], asked["order[id]"], asked["start"])
    assert found == ("calltracking_hub", MARKER, "ASC", "-1")


async def test_a_deal_that_is_there_is_not_made_again(session, with_deal):
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert not with_deal.of("crm.item.add")


async def test_what_is_missing_on_it_is_written(session, with_deal):
    with_deal.on("crm.timeline.comment.list", MARKED)
    await deliver(session)
    assert [one.key for one in with_deal.batches[-1]] == ["call0", "task0x0"]


async def test_a_call_that_is_there_is_no_task(session, with_deal):
    with_deal.on("crm.activity.list", WRITTEN[1:])
    await deliver(session)
    assert [one.key for one in with_deal.batches[-1]] == ["text0x0", "task0x0"]


async def test_nothing_is_written_twice(session, with_deal):
    with_deal.on("crm.timeline.comment.list", MARKED)
    with_deal.on("crm.activity.list", WRITTEN)
    outcome = await deliver(session)
    assert [(ref.kind, ref.id) for ref in outcome.refs] == [
        ("contact", "44"),
        ("deal", "342"),
        ("note", "7943"),
        ("note", "501"),
        ("task", "999"),
    ]
    assert len(with_deal.batches) == 2


async def test_of_two_deals_of_one_delivery_the_oldest_is_taken(session, with_deal):
    with_deal.on("crm.item.list", {"items": [ours(343), ours(342)]}, where=by_mark(DEALS))
    outcome = await deliver(session)
    assert ("deal", "342") in [(ref.kind, ref.id) for ref in outcome.refs]


async def test_a_deal_that_a_loose_filter_brings_is_not_taken(session, with_deal):
    with_deal.on("crm.item.list", {"items": [ours(341, originId="hub:another")]}, where=by_mark(DEALS))
    await deliver(session)
    assert with_deal.of("crm.item.add")


async def test_a_contact_that_an_attempt_left_without_a_deal_is_used(session, portal):
    portal.on("crm.item.list", {"items": [ours(44)]}, where=by_mark(CONTACTS))
    await deliver(session)
    [made] = portal.of("crm.item.add")
    assert (made["entityTypeId"], made["fields[contactId]"]) == (DEALS, "44")


async def test_the_case_of_an_unknown_caller_goes_on_as_it_began(session, with_deal):
    cases = {
        CallerState.UNKNOWN: (CreateDeal("x"), AddNote("new")),
        CallerState.NO_OPEN_DEAL: (CreateDeal("x"), AddNote("old")),
    }
    await deliver(session, replace(DOUBTFUL, what=replace(DOUBTFUL.what, rules=rules(cases))))
    assert with_deal.of("crm.timeline.comment.add")[0]["fields[COMMENT]"] == f"new\n{MARKER} v1"


async def test_the_case_of_a_known_caller_goes_on_as_it_began(session, with_deal):
    with_deal.on("crm.item.list", {"items": []}, where=by_mark(CONTACTS))
    cases = {
        CallerState.UNKNOWN: (CreateDeal("x"), AddNote("new")),
        CallerState.NO_OPEN_DEAL: (CreateDeal("x"), AddNote("old")),
    }
    await deliver(session, replace(DOUBTFUL, what=replace(DOUBTFUL.what, rules=rules(cases))))
    assert with_deal.of("crm.timeline.comment.add")[0]["fields[COMMENT]"] == f"old\n{MARKER} v1"


async def test_what_was_written_on_an_open_deal_is_found_though_another_was_opened_since(session, known):
    known.on(
        "crm.item.list", {"items": [card(341), card(340)]}, where=lambda asked: asked["filter[@contactId][0]"] == "44"
    )
    known.on("crm.timeline.comment.list", MARKED, where=lambda asked: asked["filter[ENTITY_ID]"] == "340")
    outcome = await deliver(session)
    assert ("deal", "340") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert [one.key for one in known.batches[-1]] == ["call0", "task0x0"]


async def test_a_mark_that_only_begins_like_ours_is_another(session, known):
    known.on("crm.timeline.comment.list", [{"ID": "9", "COMMENT": f"a\n{MARKER}#2"}])
    outcome = await deliver(session)
    assert len(known.of("crm.timeline.comment.add")) == 1
    assert outcome.status is Status.DELIVERED


async def test_a_deal_that_was_deleted_is_not_made_again(session, portal):
    portal.on("crm.item.get", Fault("NOT_FOUND", "Item not found"))
    outcome = await deliver(session, delivery(attempt=2, known=(Ref("deal", "342"),)))
    assert (outcome.status, outcome.said) == (Status.REJECTED, (Said("deal_gone"),))
    assert not portal.of("crm.item.add")


async def test_a_deal_that_was_merged_is_found_by_its_mark(session, with_deal):
    with_deal.on("crm.item.get", Fault("", "Not found"))
    outcome = await deliver(session, delivery(attempt=2, known=(Ref("deal", "300"),)))
    assert outcome.status is Status.DELIVERED
    assert not with_deal.of("crm.item.add")


async def test_a_mark_on_a_deal_that_is_older_was_merged_into_it(session, portal):
    merged = ours(300, createdTime="2025-11-01T12:00:00+03:00")
    portal.on("crm.item.list", {"items": [merged]}, where=by_mark(DEALS))
    cases = {CallerState.UNKNOWN: (CreateDeal("x"), AddNote("new")), CallerState.OPEN_DEAL: (AddNote("open"),)}
    await deliver(session, replace(DOUBTFUL, what=replace(DOUBTFUL.what, rules=rules(cases))))
    assert portal.of("crm.timeline.comment.add")[0]["fields[COMMENT]"] == f"open\n{MARKER} v1"


REFUSED = Fault("INVALID_ARG_VALUE", "Invalid filter: field 'originId' is not allowed in filter")


async def test_where_no_filter_knows_our_mark_it_is_looked_for_among_the_callers_deals(session, known):
    known.on("crm.item.list", REFUSED, where=lambda asked: asked["filter[=originId]"])
    theirs = {"items": [card(340), ours(342)]}
    known.on("crm.item.list", theirs, where=lambda asked: asked["filter[@contactId][0]"] == "44")
    known.on("crm.item.list", {"items": []}, where=by_mark(CONTACTS))
    outcome = await deliver(session)
    assert ("deal", "342") in [(ref.kind, ref.id) for ref in outcome.refs]
    assert not known.of("crm.item.add")


async def test_what_cannot_be_looked_for_is_not_made(session, portal):
    portal.on("crm.item.list", REFUSED)
    outcome = (await session.deliver([delivery(enquiry(caller=None), attempt=2, in_doubt=True)]))["d-1"]
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("untold"),))
    assert not portal.of("crm.item.add")


async def test_what_is_in_doubt_is_made_in_a_request_of_its_own(session, portal):
    other = delivery(enquiry(caller="+79035550011"), id="d-2", marker="hub:2")
    await session.deliver([DOUBTFUL, other])
    made = [[one.key for one in batch] for batch in portal.batches if batch[0].method == "crm.item.add"]
    assert sorted(made) == [
        ["contact0", "deal0", "call0", "text0x0", "task0x0"],
        ["contact1", "deal1", "call1", "text0x1", "task0x1"],
    ]


async def test_a_task_is_known_by_its_mark_alone(session, with_deal):
    tasks = (CreateDeal("x"), AddTask("a", 5), AddTask("b", 5))
    with_deal.on("crm.activity.list", [{"ID": "5", "SUBJECT": f"b\n{MARKER}#2"}])
    await deliver(
        session, replace(DOUBTFUL, what=replace(DOUBTFUL.what, rules=rules(dict.fromkeys(CallerState, tasks))))
    )
    assert [one.key for one in with_deal.batches[-1]] == ["task0x0"]


async def test_looks_for_the_steps_of_a_deal_that_are_refused_write_nothing(session, with_deal):
    with_deal.on("crm.activity.list", Fault("", "no"))
    outcome = await deliver(session)
    assert outcome.status is Status.RETRY
    assert not with_deal.of("crm.timeline.comment.add")


async def test_the_account_s_trouble_in_a_look_is_its_own(session, portal):
    portal.on("crm.item.list", Fault("expired_token"))
    with pytest.raises(InstallationError):
        await session.deliver([DOUBTFUL])
