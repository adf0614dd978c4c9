"""Completes the to-dos that the hub has set on a deal or lead: what they asked for is done [4.10]."""

from collections.abc import Sequence

from connectors.bitrix24 import asking
from connectors.bitrix24.api import COMMANDS, Api, Fault, Json
from connectors.bitrix24.cards import whole
from connectors.bitrix24.find import marked
from connectors.bitrix24.sending import Part, Sender
from connectors.bitrix24.trouble import checked, is_gone, trouble, words
from connectors.bitrix24.work import CLOSE_STEP, Work
from connectors.errors import ConnectorError
from connectors.marks import is_ours
from connectors.protocol import Status, Why
from connectors.telling import Said

_UNTOLD = Said("untold")


async def close(api: Api, sender: Sender, works: Sequence[Work]) -> None:
    """Complete what is open of our to-dos on the cards of these works; those they set themselves stay."""
    asked = [work for work in works if work.is_live and work.closes_tasks]
    if not asked:
        return
    commands = {f"tasks{work.place}": asking.activities(work.entity, work.deal or 0) for work in asked}
    try:
        told = checked(await api.ask(commands))
    except ConnectorError as error:
        raise trouble(error) from None
    parts: list[Part] = []
    for work in asked:
        key = f"tasks{work.place}"
        if key not in told.results:
            fault = told.faults.get(key)
            work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")
            continue
        parts += [_part(work, row) for row in told.rows(key) if _is_due(work, row)]
    for start in range(0, len(parts), COMMANDS):
        await sender.follow(parts[start : start + COMMANDS])
    for work in asked:
        if work.is_live:
            work.done.add(CLOSE_STEP)


def _is_due(work: Work, row: Json) -> bool:
    is_open = str(row.get("COMPLETED") or "N") == "N"
    return is_open and any(map(is_ours, row.values())) and marked([row], work.delivery.marker) is None


def _part(work: Work, row: Json) -> Part:
    asked = {"id": whole(row.get("ID")), "fields": {"COMPLETED": "Y"}}
    return Part(work, f"{CLOSE_STEP}{asked['id']}", "close", "crm.activity.update", asked, _took, _is_spared)


def _took(part: Part, found: object) -> bool:
    part.work.finish(part.step, "task", str(part.params["id"]))
    return bool(found)


def _is_spared(part: Part, fault: Fault) -> bool:
    """A to-do that somebody has deleted is no more to be done."""
    return is_gone(fault)
