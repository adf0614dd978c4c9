from dataclasses import replace

import pytest

from connectors.contract import delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Ref, Status
from connectors.scenario import AddNote, CallerState, MoveDeal
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault

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
