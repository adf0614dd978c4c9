"""Tasks: `tasks.task.*` in the shape of the second generation (sheet section 4.10)."""

from typing import Any

from sandbox.bitrix24.errors import Refusal, core, missing
from sandbox.bitrix24.filters import chosen
from sandbox.bitrix24.php import as_int, as_list
from sandbox.bitrix24.times import read_moment
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged


def add_task(turn: Turn) -> dict[str, Any]:
    """tasks.task.add: a task, with the CRM objects it is about."""
    told = {str(key).upper(): value for key, value in turn.map("fields").items()}
    if not told:
        raise missing("fields")
    responsible = as_int(told.get("RESPONSIBLE_ID"))
    if not told.get("TITLE"):
        raise core("Не указано название задачи<br>")
    if responsible not in turn.portal.users:
        raise core("Не указан исполнитель задачи<br>")
    deadline = read_moment(told["DEADLINE"], turn.portal.offset) if told.get("DEADLINE") else None
    task = {
        "id": str(turn.portal.ids.next("task")),
        "title": str(told["TITLE"]),
        "description": str(told.get("DESCRIPTION") or ""),
        "responsibleId": str(responsible),
        "createdBy": str(as_int(told.get("CREATED_BY")) or turn.user_id),
        "status": "2",
        "deadline": None if deadline is None else turn.clock_text(deadline),
        "createdDate": turn.clock_text(turn.now),
        "ufCrmTask": [str(one) for one in as_list(told.get("UF_CRM_TASK"))],
    }
    turn.portal.store.tasks[int(str(task["id"]))] = task
    turn.portal.changes += 1
    return {"task": task}


def get_task(turn: Turn) -> dict[str, Any]:
    """tasks.task.get: one task."""
    found = turn.portal.store.tasks.get(turn.needed_number("taskId"))
    if found is None:
        raise Refusal(400, "ERROR_CORE", "Задача не найдена или недоступна<br>")
    return {"task": found}


def list_tasks(turn: Turn) -> Listing:
    """tasks.task.list: tasks by title, person or CRM object."""
    filter_ = {str(key).upper(): value for key, value in turn.map("filter").items()}

    def look(task: dict[str, Any], name: str) -> Any:
        camel = "".join(part.capitalize() for part in name.lower().split("_"))
        return task.get(camel[:1].lower() + camel[1:])

    found = chosen(list(turn.portal.store.tasks.values()), filter_, look)
    return paged(turn, found, lambda page: {"tasks": page})


METHODS: Methods = {
    "tasks.task.add": Method(add_task, ("task",)),
    "tasks.task.get": Method(get_task, ("task",)),
    "tasks.task.list": Method(list_tasks, ("task",)),
}
