"""Our open to-dos on the caller's deal are completed; a person's own, and what is done, stay as they are."""

import pytest

from connectors.protocol import Status
from connectors.scenario import CloseTasks
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault
from tests.connectors.bitrix24.test_moving import deliver, moving


def to_do(id_, text, completed="N"):
    return {"ID": str(id_), "PROVIDER_ID": "CRM_TODO", "SUBJECT": "x", "DESCRIPTION": text, "COMPLETED": completed}


@pytest.fixture
def busy(known):
    """A portal on whose deal there is much to do."""
    rows = [
        to_do(1, "Перезвонить\nhub:earlier"),
        to_do(2, "Перезвонить\nhub:done", "Y"),
        to_do(3, "Отправить договор"),
        to_do(4, "Наша, но этого же обращения\nhub:1"),
    ]
    known.on("crm.activity.list", rows)
    known.on("crm.activity.update", True)
    return known


def closed(portal):
    return [(one["id"], one["fields[COMPLETED]"]) for one in portal.of("crm.activity.update")]


async def test_what_we_have_set_is_done_and_nothing_else(session, busy):
    outcome = await deliver(session, moving(CloseTasks(), marker="hub:1"))
    assert (outcome.status, closed(busy)) == (Status.DELIVERED, [("1", "Y")])


async def test_one_that_somebody_deleted_is_no_more_to_be_done(session, busy):
    busy.on("crm.activity.update", Fault("NOT_FOUND", "Activity is not found"))
    assert (await deliver(session, moving(CloseTasks(), marker="hub:1"))).status is Status.DELIVERED


async def test_what_cannot_be_read_is_tried_again(session, busy):
    busy.on("crm.activity.list", Fault("ERROR_CORE", "Something is wrong"))
    outcome = await deliver(session, moving(CloseTasks(), marker="hub:1"))
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("untold"),))
    assert not closed(busy)
