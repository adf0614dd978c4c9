"""Changes open deals as a scenario asks: moves them to a stage, writes their fields, tags them; all in one request.

amoCRM takes a new stage whatever the old one was [3.6], so a deal is moved only from where it was just read to stand.
Whether an earlier attempt has moved it is told by its history [3.17]: a person may have moved it back since. What a
field becomes depends on what it was just read to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api, Json, linked, objects
from connectors.amocrm.find import deals, known_deal
from connectors.amocrm.mappings import FIELD_CAP, MARKER_CODE, NAME_CAP
from connectors.amocrm.parts import NoId, field_code, field_value, number, tidy
from connectors.amocrm.sending import Part, Sender, changed_rows
from connectors.amocrm.work import CHANGE_STEP, Work
from connectors.protocol import Status, Why
from connectors.scenario import AddTags, MoveDeal, ReopenDeal, WriteFields
from connectors.telling import Said
from connectors.together import side_by_side
from connectors.writing import becomes

_PER_REQUEST = 50  # deals [2]
_SKEW = timedelta(minutes=1)  # between the clocks of telephony and of the vendor
_PLACE = frozenset({"status_id", "pipeline_id"})
_NAMES = frozenset({"id", "request_id"})  # of a change that changes nothing
_VALUES = "custom_fields_values"

STAGE_GONE = Said("move_stage_gone")
_DEAL_GONE = Said("open_deal_gone")
_TWICE = Said("same_deal")


async def change(api: Api, sender: Sender, fields: Fields, works: Sequence[Work]) -> None:
    """Change the deals that are to be changed; what is not changed is settled as well, in ``Work``."""
    asked = [(work, work.deal) for work in works if work.changes and work.deal]
    if any(isinstance(one, WriteFields) for work, _ in asked for one in work.changes):
        await fields.ready()
    unread = await deals(api, [deal for work, deal in asked if work.as_read is None])
    parts: dict[str, Part] = {}
    for work, id_ in asked:
        deal = work.as_read or unread.get(id_)
        if deal is None or deal.get("is_deleted"):
            work.lose_deal()
            work.trouble(Status.RETRY, Why.TOO_EARLY, _DEAL_GONE)
        elif id_ in parts:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _TWICE)
        elif part := await _part(api, fields, work, deal):
            parts[id_] = part
    made = list(parts.values())
    chunks = [made[start : start + _PER_REQUEST] for start in range(0, len(made), _PER_REQUEST)]
    send = partial(sender.send, create=api.change_deals, mend=partial(_without, fields))
    await side_by_side(partial(send, chunk, rows=partial(changed_rows, chunk, "leads")) for chunk in chunks)


async def _part(api: Api, fields: Fields, work: Work, deal: Json) -> Part | None:
    """Return what is to be changed of a deal; None where it is so already, or cannot be."""
    body: Json = {}
    try:
        for one in work.changes:
            if isinstance(one, MoveDeal | ReopenDeal):
                body |= await _place(api, work, deal, one)
            else:
                body |= _written(fields, work, deal, one) if isinstance(one, WriteFields) else _tagged(deal, one)
        names = {"id": number(str(deal["id"]), "deal"), "request_id": f"{work.delivery.id}:{CHANGE_STEP}"}
    except NoId as error:
        work.trouble(Status.REJECTED, Why.INVALID, error.said)
        return None
    if body:
        return Part(work, CHANGE_STEP, "deal", {**names, **body})
    work.done.add(CHANGE_STEP)
    return None


# -- the stage


async def _place(api: Api, work: Work, deal: Json, action: MoveDeal | ReopenDeal) -> Json:
    if not _stands_before(deal, action) or (work.looks_first and await _has_arrived(api, work, deal, action)):
        return {}
    return {"pipeline_id": number(action.pipeline, "pipeline"), "status_id": number(action.stage, "stage")}


def _stands_before(deal: Json, action: MoveDeal | ReopenDeal) -> bool:
    """Say whether a deal stands where it is moved from: at one of the stages named, or lost."""
    if isinstance(action, ReopenDeal):
        is_from = known_deal("", deal).outcome == "lost"
    else:
        is_from = str(deal.get("status_id")) in action.from_stages
    return is_from and str(deal.get("pipeline_id")) == action.pipeline


async def _has_arrived(api: Api, work: Work, deal: Json, action: MoveDeal | ReopenDeal) -> bool:
    since = int((work.delivery.what.enquiry.started_at - _SKEW).timestamp())
    found = await api.arrivals(str(deal["id"]), action.pipeline or "", action.stage, since)
    return any(_tells_of(event, str(deal["id"]), action) for event in found)


def _tells_of(event: Json, deal: str, action: MoveDeal | ReopenDeal) -> bool:
    came = [side.get("lead_status") for side in objects(event.get("value_after"))]
    stages = [(str(one.get("pipeline_id")), str(one.get("id"))) for one in objects(came)]
    return str(event.get("entity_id")) == deal and (action.pipeline, action.stage) in stages


# -- fields and tags


def _written(fields: Fields, work: Work, deal: Json, action: WriteFields) -> Json:
    now = _values_of(deal, fields.ids)
    work.left_out |= {code for code in action.fields if code not in fields.ids or code == MARKER_CODE}
    wanted = {code: one for code, one in action.fields.items() if code not in work.left_out}
    tidied = ((code, replace(one, text=tidy(one.text))) for code, one in wanted.items())
    told = ((code, becomes(one, now.get(code, ""), FIELD_CAP)) for code, one in tidied)
    values = [field_value(code, fields.ids, text) for code, text in told if text is not None]
    return {_VALUES: values} if values else {}


def _values_of(deal: Json, ids: Mapping[str, str]) -> dict[str, str]:
    """Return what a deal's fields say, by their codes."""
    codes = {id_: code for code, id_ in ids.items()}
    found: dict[str, str] = {}
    for one in objects(deal.get(_VALUES)):
        code = codes.get(str(one.get("field_id"))) or str(one.get("field_code") or "")
        texts = [str(value["value"]) for value in objects(one.get("values")) if value.get("value")]
        found[code] = texts[0] if texts else ""
    return found


def _tagged(deal: Json, action: AddTags) -> Json:
    there = {str(tag.get("name")) for tag in linked(deal, "tags")}
    new = [tag for tag in dict.fromkeys(tag[:NAME_CAP] for tag in action.tags) if tag not in there]
    return {"tags_to_add": [{"name": tag} for tag in new]} if new else {}


# -- what comes back


async def _without(fields: Fields, part: Part, paths: Sequence[str]) -> bool:
    """Leave out what the account refused, and change the rest: a stage that was deleted, a field it does not take."""
    words = [path.split(".") for path in paths]
    if any(_PLACE & set(path) for path in words):
        part.work.remarks.append(STAGE_GONE)
        part.body = {key: value for key, value in part.body.items() if key not in _PLACE}
    refused = {int(path[1]) for path in words if path[0] == _VALUES and len(path) > 1 and path[1].isdigit()}
    codes = {code for place in refused if (code := field_code(part.body, place, fields))}
    if codes:
        part.work.left_out |= codes
        kept = [value for place, value in enumerate(part.body[_VALUES]) if place not in refused]
        part.body = {key: value for key, value in part.body.items() if key != _VALUES} | (
            {_VALUES: kept} if kept else {}
        )
    is_mended = bool(codes) or any(_PLACE & set(path) for path in words)
    if is_mended and part.body.keys() <= _NAMES:
        part.work.done.add(CHANGE_STEP)
    return is_mended and not part.body.keys() <= _NAMES
