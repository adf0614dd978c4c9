from dataclasses import replace

import pytest

from connectors.contract import delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Decision, KnownDeal, Ref, Status
from connectors.scenario import AddNote, CallerState, MoveDeal, ReopenDeal, Result
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault, card

MOVE = MoveDeal("0", "EXECUTING", ("NEW", "PREPARATION"))


def moving(*actions, **changed):
    cases = {CallerState.OPEN_DEAL: (AddNote("n"), *(actions or (MOVE,)))}
    return delivery(what=replace(delivery().what, rules=rules(cases)), **changed)


@pytest.fixture
def movable(known):
    known.on("crm.item.update", {"item": {"id": 340, "stageId": "EXECUTING"}})
    return known


async def deliver(session, of=None):
    return (await session.deliver([of or moving()]))["d-1"]


async def test_an_open_deal_is_moved_with_what_is_written_on_it(session, movable):
    await deliver(session)
    assert [one.key for one in movable.batches[-1]] == ["move0", "call0", "text0x0"]
    [asked] = movable.of("crm.item.update")
    assert asked.params == {
        "entityTypeId": "2",
        "id": "340",
        "fields[stageId]": "EXECUTING",
        "useOriginalUfNames": "Y",
    }


@pytest.mark.parametrize("move", [MoveDeal("0", "EXECUTING", ("NEW",)), MoveDeal("9", "C9:WON", ("PREPARATION",))])
async def test_a_deal_that_stands_elsewhere_stays(session, movable, move):
    outcome = await deliver(session, moving(move))
    assert outcome.status is Status.DELIVERED
    assert not movable.of("crm.item.update")


async def test_a_stage_that_is_gone_leaves_the_deal_and_the_rest_is_done(session, movable):
    movable.on("crm.item.update", Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Invalid value for field "stageId"'))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (Said("move_stage_gone"),))


async def test_who_may_not_move_is_told(session, movable):
    movable.on("crm.item.update", Fault("ACCESS_DENIED", "Access denied."))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said[0]) == (Status.REJECTED, Said("move_refused"))


async def test_an_answer_that_speaks_of_another_deal_is_perhaps(session, movable):
    movable.on("crm.item.update", {"item": {"id": 341}})
    assert (await deliver(session)).status is Status.UNKNOWN


async def test_two_of_one_batch_do_not_move_one_deal_at_once(session, movable):
    other = moving(id="d-2", marker="hub:2")
    other = replace(other, what=replace(other.what, enquiry=enquiry(caller="+79035550011")))
    outcomes = await session.deliver([moving(), other])
    assert len(movable.of("crm.item.update")) == 1
    assert (outcomes["d-2"].status, outcomes["d-2"].said) == (Status.RETRY, (Said("same_deal"),))


def came(at, stage="EXECUTING", owner=340):
    return {"items": [{"ID": 77, "OWNER_ID": owner, "CREATED_TIME": at, "CATEGORY_ID": 0, "STAGE_ID": stage}]}


@pytest.mark.parametrize(
    ("history", "moves"),
    [
        (came("2026-01-01T12:01:00+03:00"), 0),
        (came("2025-12-30T12:01:00+03:00"), 1),
        (came("2026-01-01T12:01:00+03:00", stage="FINAL_INVOICE"), 1),
        (came("2026-01-01T12:01:00+03:00", owner=1), 1),
    ],
    ids=["it came there since", "it came there before", "it came elsewhere", "another came there"],
)
async def test_a_move_in_doubt_is_made_unless_the_history_tells_of_it(session, movable, history, moves):
    movable.on("crm.stagehistory.list", history)
    known = (Ref("contact", "44"), Ref("deal", "340"))
    movable.on("crm.item.get", {"item": {"id": 340, "categoryId": 0, "stageId": "PREPARATION", "stageSemanticId": "P"}})
    await deliver(session, moving(attempt=2, in_doubt=True, known=known))
    assert len(movable.of("crm.item.update")) == moves


async def test_a_move_in_doubt_is_not_made_where_the_history_cannot_be_read(session, movable):
    movable.on("crm.stagehistory.list", Fault("ACCESS_DENIED", "Access denied."))
    outcome = await deliver(session, moving(attempt=2, in_doubt=True))
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("untold"),))
    assert not movable.of("crm.item.update")


def reopening(**changed):
    """A plan that opens the lost deal again, and notes something else on one that is open."""
    cases = {
        CallerState.LOST: (ReopenDeal("0", "EXECUTING"), AddNote("He is back")),
        CallerState.OPEN_DEAL: (AddNote("One more"),),
    }
    return delivery(what=replace(delivery().what, rules=rules(cases), pipeline="0"), **changed)


def comments(portal):
    return [one["fields[COMMENT]"].partition("\n")[0] for one in portal.of("crm.timeline.comment.add")]


@pytest.fixture
def lost(portal):
    """A portal where the caller's one deal is lost."""
    gone = card(340, stageId="LOSE", stageSemanticId="F", closed="Y")
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [44]}, where=lambda asked: asked["entity_type"] == "CONTACT")
    portal.on("crm.item.list", {"items": [gone]}, where=lambda asked: asked["entityTypeId"] == "2")
    portal.on("crm.item.update", {"item": {"id": 340, "stageId": "EXECUTING"}})
    return portal


async def test_a_lost_deal_is_opened_again(session, lost):
    outcome = await deliver(session, reopening())
    [asked] = lost.of("crm.item.update")
    assert (outcome.status, asked["fields[stageId]"], comments(lost)) == (Status.DELIVERED, "EXECUTING", ["He is back"])


@pytest.mark.parametrize(("is_told", "said"), [(True, "He is back"), (False, "One more")])
async def test_what_an_earlier_attempt_decided_is_followed_on_the_deal_that_it_opened(session, lost, is_told, said):
    decided = Decision(CallerState.LOST, Result.OTHERWISE, 1, deal=KnownDeal("340", "lost"))
    lost.on("crm.item.get", {"item": card(340, stageId="EXECUTING")})
    of = reopening(known=(Ref("deal", "340"),), attempt=2, decided=decided if is_told else None)
    await deliver(session, of)
    assert comments(lost) == [said]
