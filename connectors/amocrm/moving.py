"""Moves open deals to the stage a scenario names: each once, and none that a person has taken elsewhere.

amoCRM takes a new stage whatever the old one was [3.6], so a deal is moved only from where it was just read to stand.
Whether an earlier attempt has moved it is told by its history [3.17]: a person may have moved it back since.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from connectors.amocrm.api import Api, Json, embedded, objects
from connectors.amocrm.find import deals
from connectors.amocrm.parts import NoId, number
from connectors.amocrm.sending import Part, Sender
from connectors.amocrm.work import MOVE_STEP, Work
from connectors.protocol import Status, Why
from connectors.scenario import MoveDeal
from connectors.telling import Said
from connectors.together import side_by_side

_PER_REQUEST = 50  # deals [2]
_SKEW = timedelta(minutes=1)  # between the clocks of telephony and of the vendor
_PLACE = frozenset({"status_id", "pipeline_id"})

STAGE_GONE = Said("move_stage_gone")
_DEAL_GONE = Said("open_deal_gone")
_TWICE = Said("same_deal")


async def move(api: Api, sender: Sender, works: Sequence[Work]) -> None:
    """Move the deals that are to be moved; what is not moved is settled as well, in ``Work``."""
    asked = [(work, work.move, work.deal) for work in works if work.move and work.deal]
    unread = await deals(api, [deal for work, _, deal in asked if work.as_read is None])
    parts: dict[str, Part] = {}
    for work, action, id_ in asked:
        deal = work.as_read or unread.get(id_)
        if deal is None or deal.get("is_deleted"):
            work.lose_deal()
            work.trouble(Status.RETRY, Why.TOO_EARLY, _DEAL_GONE)
        elif not _stands_before(deal, action) or (work.looks_first and await _has_arrived(api, work, id_, action)):
            work.done.add(MOVE_STEP)
        elif id_ in parts:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _TWICE)
        elif part := _part(work, id_, action):
            parts[id_] = part
    made = list(parts.values())
    chunks = [made[start : start + _PER_REQUEST] for start in range(0, len(made), _PER_REQUEST)]
    send = partial(sender.send, create=api.change_deals, mend=_settled)
    await side_by_side(partial(send, chunk, rows=partial(_rows, chunk)) for chunk in chunks)


def _stands_before(deal: Json, action: MoveDeal) -> bool:
    return str(deal.get("pipeline_id")) == action.pipeline and str(deal.get("status_id")) in action.from_stages


async def _has_arrived(api: Api, work: Work, deal: str, action: MoveDeal) -> bool:
    since = int((work.delivery.what.enquiry.started_at - _SKEW).timestamp())
    found = await api.arrivals(deal, action.pipeline or "", action.stage, since)
    return any(_tells_of(event, deal, action) for event in found)


def _tells_of(event: Json, deal: str, action: MoveDeal) -> bool:
    came = [side.get("lead_status") for side in objects(event.get("value_after"))]
    stages = [(str(one.get("pipeline_id")), str(one.get("id"))) for one in objects(came)]
    return str(event.get("entity_id")) == deal and (action.pipeline, action.stage) in stages


def _part(work: Work, deal: str, action: MoveDeal) -> Part | None:
    try:
        place = {"pipeline_id": number(action.pipeline, "pipeline"), "status_id": number(action.stage, "stage")}
        body: Json = {"id": number(deal, "deal"), **place, "request_id": f"{work.delivery.id}:{MOVE_STEP}"}
    except NoId as error:
        work.trouble(Status.REJECTED, Why.INVALID, error.said)
        return None
    return Part(work, MOVE_STEP, "deal", body)


async def _settled(part: Part, paths: Sequence[str]) -> bool:
    """A stage that was deleted meanwhile leaves the deal where it is, and the rest of the plan is done."""
    if _PLACE & {word for path in paths for word in path.split(".")}:
        part.work.remarks.append(STAGE_GONE)
        part.work.done.add(MOVE_STEP)
    return False


def _rows(parts: Sequence[Part], found: object) -> list[Json]:
    """Return the changed deals by what we call them: the answer need not repeat that [5.2]."""
    names = {part.body["id"]: part.request_id for part in parts}
    return [row | {"request_id": names.get(row.get("id"))} for row in embedded(found, "leads")]
