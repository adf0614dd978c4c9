"""Tasks (sheet section 3.12); their filters are free."""

from sandbox.amocrm.errors import Flaw, Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, paged, self_link, wrapped
from sandbox.amocrm.store import CARD_KINDS, Task
from sandbox.amocrm.task_form import task_fields
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.brackets import below
from sandbox.wire import Answer

_FILTERED = {
    "responsible_user_id": "responsible_user_id",
    "task_type": "task_type_id",
    "task_type_id": "task_type_id",  # the sheet names the first only; clients send either
    "entity_type": "entity_type",
    "entity_id": "entity_id",
    "id": "id",
}


def add_tasks(turn: Turn) -> Answer:
    """POST /tasks."""
    sent = turn.sent_list()

    def apply(one: Sent) -> Json:
        task = _create(turn, one)
        return {"id": task.id, "request_id": one["request_id"], "_links": self_link(_href(turn, task))}

    return wrapped(turn, "tasks", write_batch(turn, sent, lambda one, flaws: _check(turn, one, flaws, True), apply))


def _check(turn: Turn, one: Sent, flaws: Flaws, new: bool) -> None:
    missing = turn.account.dial["missing_key_code"]
    for key, wanted in (("text", str), ("complete_till", int)):
        if one.get(key) is None:
            if new:
                flaws.missing(missing, key)
        elif not isinstance(one[key], wanted) or isinstance(one[key], bool):
            flaws.type(key, "string" if wanted is str else "int")
    if one.get("entity_type") is not None and one["entity_type"] not in CARD_KINDS:
        flaws.choice("entity_type")
    elif (
        one.get("entity_id") is not None
        and turn.account.store.card(one.get("entity_type") or "leads", one["entity_id"]) is None
    ):
        flaws.choice("entity_id")
    if one.get("responsible_user_id") and not is_id(one["responsible_user_id"]):
        flaws.type("responsible_user_id", "int")
    elif one.get("responsible_user_id") and not turn.account.takes_user(one["responsible_user_id"]):
        flaws.choice("responsible_user_id")
    if one.get("task_type_id") is not None and one["task_type_id"] not in (1, 2):
        flaws.choice("task_type_id")


def _create(turn: Turn, one: Sent) -> Task:
    account = turn.account
    responsible = one.get("responsible_user_id") or turn.user.id
    task = Task(
        id=account.ids.next("task"),
        text=one["text"],
        complete_till=one["complete_till"],
        entity_id=one.get("entity_id"),
        entity_type=one.get("entity_type") or ("leads" if one.get("entity_id") else None),
        task_type_id=one.get("task_type_id") or 1,
        responsible_user_id=responsible,
        group_id=account.users[responsible].group_id,
        created_by=one["created_by"] if one.get("created_by") is not None else turn.user.id,
        updated_by=turn.user.id,
        created_at=one.get("created_at") or turn.now,
        updated_at=turn.now,
        duration=one.get("duration") or 0,
        is_completed=bool(one.get("is_completed")),
        result=_result(one),
        born=turn.born,
    )
    account.store.tasks[task.id] = task
    if task.entity_id is not None:
        account.store.tasks_of.setdefault((str(task.entity_type), task.entity_id), []).append(task.id)
    _stored(turn, task, "add")
    return task


def _result(one: Sent) -> str:
    result = one.get("result")
    return str(result.get("text", "")) if isinstance(result, dict) else ""


def _stored(turn: Turn, task: Task, action: str) -> None:
    turn.account.store.changes += 1
    if task.entity_type is not None and task.entity_id is not None:
        _closest(turn, task)
    turn.account.sender.tell_other(f"{action}_task", "task", action, task_fields(turn.account, task))


def _closest(turn: Turn, task: Task) -> None:
    store = turn.account.store
    card = store.card(str(task.entity_type), task.entity_id)
    if card is not None:
        held = store.tasks_of.get((card.kind, card.id), ())
        due = [store.tasks[id_].complete_till for id_ in held if not store.tasks[id_].is_completed]
        card.closest_task_at = min(due, default=None)


def list_tasks(turn: Turn) -> Answer:
    """GET /tasks."""
    found = [task for task in turn.account.store.tasks.values() if _fits(turn, task)]
    order = below(turn.params, "order")
    key = next((key for key in ("created_at", "complete_till", "updated_at", "id") if key in order), "id")
    found.sort(key=lambda task: (getattr(task, key), task.id), reverse=order.get(key) == "desc")
    return paged(turn, "tasks", found, lambda task: _model(turn, task))


def _fits(turn: Turn, task: Task) -> bool:
    for name, attribute in _FILTERED.items():
        wanted = turn.filter_list(name)
        if wanted and str(getattr(task, attribute)) not in wanted:
            return False
    done = turn.filter_list("is_completed")
    if done and done[0] != str(int(task.is_completed)):
        return False
    span = turn.filter("updated_at")
    low, high = _number(span.get("from")), _number(span.get("to"))
    within = (low is None or task.updated_at >= low) and (high is None or task.updated_at <= high)
    return within and turn.account.searchable(task.born)


def _number(said: object) -> int | None:
    return int(said) if isinstance(said, str) and said.isdecimal() else None


def one_task(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /tasks/{id}."""
    task = turn.account.store.tasks.get(int(id))
    return NO_CONTENT if task is None else hal(_model(turn, task))


def patch_tasks(turn: Turn) -> Answer:
    """PATCH /tasks with an array."""
    sent = turn.sent_list()

    def check(one: Sent, flaws: Flaws) -> None:
        if not is_id(one.get("id")) or one["id"] not in turn.account.store.tasks:
            flaws.other(turn.account.dial["patch_missing_code"], "id", "Task not found")
        _check(turn, one, flaws, False)

    def apply(one: Sent) -> Json:
        return _patched(turn, turn.account.store.tasks[one["id"]], one) | {"request_id": one["request_id"]}

    return wrapped(turn, "tasks", write_batch(turn, sent, check, apply))


def patch_task(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /tasks/{id}."""
    sent = turn.sent_object()
    task = turn.account.store.tasks.get(int(id))
    flaws = Flaws()
    _check(turn, sent, flaws, False)
    if task is None and turn.account.dial["patch_missing_single"] == 404:
        raise refuse(404, "Task not found")
    if task is None:
        flaws.found = [Flaw(turn.account.dial["patch_missing_code"], "id", "Task not found")]
    if flaws.found or task is None:
        raise Refusal(validation_answer([(sent.get("request_id", "0"), flaws.found)]))
    return hal(_patched(turn, task, sent))


def _patched(turn: Turn, task: Task, one: Sent) -> Json:
    for key in ("text", "complete_till", "task_type_id", "responsible_user_id", "duration", "is_completed"):
        if one.get(key) is not None:
            setattr(task, key, one[key])
    task.result = _result(one) or task.result
    task.updated_at, task.updated_by = turn.now, turn.user.id
    _stored(turn, task, "update")
    return {"id": task.id, "updated_at": task.updated_at, "_links": self_link(_href(turn, task))}


def _model(turn: Turn, task: Task) -> Json:
    return {
        "id": task.id,
        "created_by": task.created_by,
        "updated_by": task.updated_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "responsible_user_id": task.responsible_user_id,
        "group_id": task.group_id,
        "entity_id": task.entity_id,
        "entity_type": task.entity_type,
        "duration": task.duration,
        "is_completed": task.is_completed,
        "task_type_id": task.task_type_id,
        "text": task.text,
        "result": {"text": task.result} if task.result else [],
        "complete_till": task.complete_till,
        "account_id": turn.account.id,
        "_links": self_link(_href(turn, task)),
    }


def _href(turn: Turn, task: Task) -> str:
    return f"{turn.api}/tasks/{task.id}"
