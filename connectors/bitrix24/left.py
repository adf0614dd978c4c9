"""What an earlier attempt left on a deal or lead: the call, notes and tasks with our marks, and a move (sheet 9)."""

from collections.abc import Iterable
from datetime import timedelta

from connectors.bitrix24 import asking
from connectors.bitrix24.api import Json, Replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.find import marked, time_of
from connectors.bitrix24.work import CALL_STEP, MOVE_STEP, Work, mark, task_step, text_step
from connectors.scenario import MoveDeal, ReopenDeal

_SKEW = timedelta(minutes=1)  # between the clocks of telephony and of the vendor


def asked(key: str, entity: int, id_: int) -> dict[str, str]:
    """Return the commands that ask what is on a card."""
    return {
        f"comments{key}": asking.comments(entity, id_),
        f"activities{key}": asking.activities(entity, id_),
        f"stages{key}": asking.stages(entity, id_),
    }


def is_marked(told: Replies, key: str, work: Work) -> bool:
    """Say whether a card has something of this delivery."""
    rows = (*told.rows(f"comments{key}"), *told.rows(f"activities{key}"))
    return marked(rows, work.delivery.marker) is not None


def note_steps(told: Replies, key: str, work: Work) -> None:
    """Note which notes and tasks of this delivery are on its card already, and whether it was moved."""
    comments, activities = told.rows(f"comments{key}"), told.rows(f"activities{key}")
    calls = [one for one in activities if str(one.get("ORIGIN_ID") or "") == work.delivery.marker]
    if calls:
        work.finish(CALL_STEP, "note", str(calls[0].get("ID")))
    others = [one for one in activities if one not in calls]
    for index in range(len(work.notes)):
        if found := marked(comments, mark(work.delivery, index)):
            work.finish(text_step(index), "note", found)
    for index in range(len(work.tasks)):
        if found := marked(others, mark(work.delivery, index)):
            work.finish(task_step(index), "task", found)
    if work.move and _came(told.rows(f"stages{key}"), work.move, work):
        work.done.add(MOVE_STEP)


def _came(rows: Iterable[Json], action: MoveDeal | ReopenDeal, work: Work) -> bool:
    """Say whether a card came to a stage since the enquiry: an attempt before may have moved it, and a person back."""
    since = work.delivery.what.enquiry.started_at - _SKEW
    return any(
        str(row.get("STAGE_ID") or row.get("STATUS_ID") or "") == action.stage
        and whole(row.get("OWNER_ID")) == work.deal
        and (at := time_of(row.get("CREATED_TIME"))) is not None
        and at >= since
        for row in rows
    )
