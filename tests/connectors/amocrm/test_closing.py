"""Our open tasks on the caller's deal are completed; a person's own, and what is done, stay as they are."""

import json

import httpx
import pytest

from connectors.protocol import Status
from connectors.scenario import AddTask, CloseTasks
from tests.connectors.amocrm.conftest import OPEN
from tests.connectors.amocrm.test_moving import deliver, moving

TASKS = "api/v4/tasks"


def task(id_, text, *, is_completed=False, entity=int(OPEN)):
    return {"id": id_, "entity_id": entity, "entity_type": "leads", "text": text, "is_completed": is_completed}


@pytest.fixture
def busy(account):
    """An account on whose deal there is much to do."""
    tasks = [
        task(1, "Перезвонить\nhub:earlier"),
        task(2, "Перезвонить\nhub:done", is_completed=True),
        task(3, "Отправить договор"),
        task(4, "Наша, но этого же обращения\nhub:1"),
        task(5, "Сделка другая\nhub:other", entity=7),
    ]
    account.on("GET", TASKS, httpx.Response(200, json={"_embedded": {"tasks": tasks}}))
    account.on("PATCH", TASKS, httpx.Response(200, json={"_embedded": {"tasks": [{"id": 1, "updated_at": 1}]}}))
    return account


def closed(vendor):
    calls = [call.request for call in vendor.router.calls if call.request.method == "PATCH"]
    return [[one["id"] for one in json.loads(asked.content) if one["is_completed"]] for asked in calls]


async def test_what_we_have_set_is_done_and_nothing_else(session, busy):
    outcome = await deliver(session, moving(CloseTasks(), marker="hub:1"))
    assert (outcome.status, closed(busy)) == (Status.DELIVERED, [[1]])


async def test_where_nothing_is_to_do_nothing_is_asked(session, account):
    account.on("GET", TASKS, None)
    outcome = await deliver(session, moving(CloseTasks()))
    assert (outcome.status, closed(account)) == (Status.DELIVERED, [])


async def test_a_task_that_is_refused_is_told(session, busy):
    busy.on("PATCH", TASKS, "error__400_unnamed", status=400)
    outcome = await deliver(session, moving(CloseTasks(), marker="hub:1"))
    assert (outcome.status, outcome.said[0].code) == (Status.REJECTED, "task_not_closed")


async def test_a_lost_answer_is_doubt(session, busy):
    busy.on("PATCH", TASKS, httpx.ReadTimeout("lost"))
    assert (await deliver(session, moving(CloseTasks(), marker="hub:1"))).status is Status.UNKNOWN


async def test_a_new_task_beside_it_is_not_closed(session, busy, load):
    busy.on("POST", TASKS, "tasks__created")
    await deliver(session, moving(CloseTasks(), AddTask("Проверить", 60), marker="hub:1"))
    assert closed(busy) == [[1]]
    assert busy.sent("/tasks")
