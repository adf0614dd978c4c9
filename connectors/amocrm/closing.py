"""Completes the tasks that the hub has set on a deal: what they asked for is done [3.12]."""

from collections.abc import Sequence
from functools import partial
from itertools import chain

from connectors.amocrm.api import Api, Json, whole
from connectors.amocrm.find import has_mark
from connectors.amocrm.mappings import SERVICE
from connectors.amocrm.sending import Part, Sender, changed_rows
from connectors.amocrm.work import CLOSE_STEP, Work
from connectors.marks import is_ours
from connectors.together import side_by_side

_PER_REQUEST = 50  # tasks [2]


async def close(api: Api, sender: Sender, works: Sequence[Work]) -> None:
    """Complete what is open of our tasks on the deals of these works; those they set themselves stay."""
    asked = [work for work in works if work.is_live and work.closes_tasks]
    found: dict[str, list[Part]] = {}

    async def look(work: Work) -> None:
        tasks = await api.tasks(work.deal or "")
        found[work.delivery.id] = [_part(work, one) for one in tasks if _is_due(work, one)]

    await side_by_side(partial(look, work) for work in asked)
    parts = list(chain.from_iterable(found.values()))
    for start in range(0, len(parts), _PER_REQUEST):
        chunk = parts[start : start + _PER_REQUEST]
        await sender.send(chunk, api.change_tasks, partial(changed_rows, chunk, "tasks"))
    for work in asked:
        if work.is_live:
            work.done.add(CLOSE_STEP)


def _is_due(work: Work, task: Json) -> bool:
    is_on_it = str(task.get("entity_id")) == work.deal and not task.get("is_completed")
    return is_on_it and is_ours(task.get("text")) and not has_mark(task.get("text"), work.delivery.marker)


def _part(work: Work, task: Json) -> Part:
    id_ = whole(task.get("id"))
    done: Json = {"id": id_, "is_completed": True, "result": {"text": SERVICE}}
    return Part(work, f"{CLOSE_STEP}:{id_}", "task", {**done, "request_id": f"{work.delivery.id}:{CLOSE_STEP}:{id_}"})
