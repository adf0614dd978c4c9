"""What a task webhook carries (sheet section 4.4)."""

from typing import TYPE_CHECKING, Any

from sandbox.amocrm.note_form import spelled_time
from sandbox.amocrm.store import LEGACY_TYPE, Task

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account


def task_fields(account: "Account", task: Task) -> dict[str, Any]:
    """Returns the keys of `task[...][0]`."""
    form: dict[str, Any] = {
        "id": task.id,
        "element_id": task.entity_id or 0,
        "element_type": LEGACY_TYPE.get(task.entity_type or "", 0),
        "task_type": task.task_type_id,
        "date_create": spelled_time(task.created_at),
        "text": task.text,
        "status": int(task.is_completed),
        "account_id": account.id,
        "created_user_id": task.created_by,
        "last_modified": spelled_time(task.updated_at),
        "responsible_user_id": task.responsible_user_id,
        "complete_till": spelled_time(task.complete_till),
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "complete_before": spelled_time(task.complete_till),
    }
    if task.updated_at != task.created_at:
        form["action_close"] = int(task.is_completed)
    if task.result:
        form["result"] = {"id": task.id, "text": task.result}
    return form
