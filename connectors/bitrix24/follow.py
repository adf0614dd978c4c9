"""What is done to a delivery's deal once it is there: it is moved, the call, notes and tasks are written on it."""

from collections.abc import Sequence
from functools import partial

from connectors.bitrix24 import observing, parts, registering, traces
from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import NoId, whole
from connectors.bitrix24.encoding import result
from connectors.bitrix24.find import known_deal
from connectors.bitrix24.mappings import LEAD, LEADS
from connectors.bitrix24.parts import Owner, Portal, owner_of
from connectors.bitrix24.sending import Part, took_change
from connectors.bitrix24.work import CALL_STEP, MOVE_STEP, Work, task_step, text_step
from connectors.protocol import Status, Why
from connectors.scenario import MoveDeal, ReopenDeal
from connectors.telling import Said

_SAME_DEAL = Said("same_deal")


def following(works: Sequence[Work], portal: Portal) -> list[Part]:
    """Return what is still to be done on the deals of these works, moves first."""
    moved: set[tuple[int, int | None]] = set()
    made: list[Part] = []
    for work in works:
        made += _moves(work, moved)
        if work.is_live:
            made += _written(work, owner_of(work), portal)
            made += traces.parts(work, owner_of(work)) if work.is_new else []
    return made


def beside(work: Work, chain: Sequence[Part], portal: Portal) -> list[Part]:
    """Return what is written on the deal at the end of a chain, in the same request as the chain."""
    if work.move:  # whether a deal stands where it is moved from is seen when it is there
        return []
    return _written(work, _owner(work, chain), portal)


def traced(work: Work, chain: Sequence[Part]) -> list[Part]:
    """Return what tells the portal's analytics of the deal at the end of a chain, in the same request as the chain."""
    return traces.parts(work, _owner(work, chain))


def _owner(work: Work, chain: Sequence[Part]) -> Owner:
    """Return the deal at the end of a chain, by references."""
    ids = {part.kind: result(part.key, "item", "id") for part in chain}
    deal = chain[-1]
    responsible = result(deal.key, "item", "assignedById")
    return Owner(deal.params["entityTypeId"], ids["deal"], ids.get("contact", work.contact), responsible)


def _moves(work: Work, moved: set[tuple[int, int | None]]) -> list[Part]:
    """Return the move of a deal that stands where it is moved from; two of one batch go one after the other."""
    action = work.move
    if action is None:
        return []
    if not _stands_before(work, action):
        work.done.add(MOVE_STEP)
        return []
    if (work.entity, work.deal) in moved:
        work.trouble(Status.RETRY, Why.TOO_EARLY, _SAME_DEAL)
        return []
    moved.add((work.entity, work.deal))
    return [Part(work, MOVE_STEP, "move", "crm.item.update", parts.move(work, action), took_change)]


def _stands_before(work: Work, action: MoveDeal | ReopenDeal) -> bool:
    """Say whether a card stands where it is moved from: at one of the stages named, or lost."""
    deal = work.as_read or {}
    pipeline = LEADS if work.entity == LEAD else str(whole(deal.get("categoryId")))
    if isinstance(action, ReopenDeal):
        is_from = known_deal(work.entity, deal).outcome == "lost"
    else:
        is_from = str(deal.get("stageId") or "") in action.from_stages
    return is_from and pipeline == action.pipeline


def _written(work: Work, on: Owner, portal: Portal) -> list[Part]:
    bodies: list[tuple[str, str, str, Json]] = []
    try:
        if work.tells_call:
            fields = {"fields": parts.call(work, on, is_russian=portal.is_russian)}
            bodies.append((CALL_STEP, "note", "crm.activity.add", fields))
        for index, note in enumerate(work.notes):
            fields = {"fields": parts.text(work, on, note, index)}
            bodies.append((text_step(index), "note", "crm.timeline.comment.add", fields))
        for index, task in enumerate(work.tasks):
            bodies.append(
                (task_step(index), "task", "crm.activity.todo.add", parts.task(work, on, task, index, portal))
            )
        registered = registering.parts(work, on, _talker(work, on, portal)) if work.registers else []
    except NoId as error:
        work.trouble(Status.REJECTED, Why.INVALID, error.said)
        registered = []
    missing = [one for one in bodies if one[0] not in work.done]
    return [
        *observing.parts(work, on),
        *registered,
        *(
            Part(work, step, "task" if kind == "task" else "note", method, params, partial(_took, step))
            for step, kind, method, params in missing
        ),
    ]


def _talker(work: Work, on: Owner, portal: Portal) -> object:
    """Return whose call it is: who talked, else who is responsible."""
    return work.delivery.what.answered_by or on.responsible or portal.settings.responsible


def _took(step: str, part: Part, found: object) -> bool:
    """Read what a note or a task brought: a number, or an object that has it."""
    id_ = whole(found.get("id") if isinstance(found, dict) else found)
    if id_:
        part.work.finish(step, "task" if part.kind == "task" else "note", str(id_))
    return bool(id_)
