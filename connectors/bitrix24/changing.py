"""Writes fields of open deals and leads; and tags, for which the vendor has no place of their own.

Tags stand where the source is described, as with a new card. What a field becomes depends on what it says, so the cards
are read first: one hit for all of a batch that ask for this.
"""

from collections.abc import Sequence
from dataclasses import replace

from connectors.bitrix24 import asking
from connectors.bitrix24.api import COMMANDS, Api, Fault, Json
from connectors.bitrix24.cards import whole
from connectors.bitrix24.mappings import FIELD_CAP
from connectors.bitrix24.parts import ORIGINAL_NAMES, tidy
from connectors.bitrix24.sending import Part, Sender, culprits, took_change
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.trouble import checked, is_gone, trouble, words
from connectors.bitrix24.work import FIELDS_STEP, Work
from connectors.errors import ConnectorError
from connectors.protocol import Status, Why
from connectors.scenario import AddTags, WriteFields
from connectors.telling import Said
from connectors.writing import becomes

_ROUNDS = 3  # of leaving out what was refused
_SOURCE = "sourceDescription"
_UNTOLD, _DEAL_GONE, _TWICE = Said("untold"), Said("open_deal_gone"), Said("same_deal")


async def change(api: Api, sender: Sender, settings: Settings, works: Sequence[Work]) -> None:
    """Write what is asked of fields and tags; what the account refuses is left out and told."""
    asked = _one_per_card([work for work in works if work.is_live and work.writes])
    if not asked:
        return
    await _read(api, asked)
    for _ in range(_ROUNDS):
        parts = [part for work in asked if work.is_live and work.writes for part in _parts(work, settings)]
        for start in range(0, len(parts), COMMANDS):
            await sender.follow(parts[start : start + COMMANDS])
    for work in asked:
        if work.is_live and work.writes:
            _leave(work, "")


def _one_per_card(works: Sequence[Work]) -> list[Work]:
    seen: dict[tuple[int, int | None], Work] = {}
    for work in works:
        if seen.setdefault((work.entity, work.deal), work) is not work:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _TWICE)
    return list(seen.values())


async def _read(api: Api, works: Sequence[Work]) -> None:
    """Read the cards whole: looking for them a few of their fields are enough."""
    commands = {f"now{work.place}": asking.card(work.entity, work.deal or 0) for work in works}
    try:
        told = checked(await api.ask(commands))
    except ConnectorError as error:
        raise trouble(error) from None
    for work in works:
        card, fault = told.card(f"now{work.place}"), told.faults.get(f"now{work.place}")
        if whole(card.get("id")) == work.deal:
            work.as_read = card
        elif fault and is_gone(fault):
            work.lose_deal()
            work.trouble(Status.RETRY, Why.TOO_EARLY, _DEAL_GONE, detail=words(fault))
        else:
            work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")


def _parts(work: Work, settings: Settings) -> list[Part]:
    """Return what is to be written of a card; nothing where it says so already."""
    fields: Json = {}
    for one in work.writes:
        fields |= _written(work, one, settings) if isinstance(one, WriteFields) else _tagged(work, one)
    if not fields:
        work.done.add(FIELDS_STEP)
        return []
    asked = {"entityTypeId": work.entity, "id": work.deal, "fields": fields, **ORIGINAL_NAMES}
    return [Part(work, FIELDS_STEP, "note", "crm.item.update", asked, took_change, _is_spared)]


def _written(work: Work, action: WriteFields, settings: Settings) -> Json:
    card = work.as_read or {}
    names = {code: settings.fields.get(code, "") for code in action.fields}
    work.left_out |= {names[code] or code for code in action.fields if names[code] not in card}
    wanted = {names[code]: one for code, one in action.fields.items() if names[code] not in {"", *work.left_out}}
    tidied = ((name, replace(one, text=tidy(one.text, FIELD_CAP))) for name, one in wanted.items())
    told = {name: becomes(one, str(card.get(name) or ""), FIELD_CAP) for name, one in tidied}
    return {name: text for name, text in told.items() if text is not None}


def _tagged(work: Work, action: AddTags) -> Json:
    if _SOURCE in work.left_out:
        return {}
    told = [one for one in str((work.as_read or {}).get(_SOURCE) or "").split(", ") if one]
    new = [f"#{tag}" for tag in dict.fromkeys(action.tags) if f"#{tag}" not in told]
    return {_SOURCE: tidy(", ".join([*told, *new]), FIELD_CAP)} if new else {}


def _is_spared(part: Part, fault: Fault) -> bool:
    """Leave out the fields that a refusal names, so that the others are written; where it names none, all of them."""
    if is_gone(fault):
        return False
    wrong = set(culprits(part, fault)) - part.work.left_out
    part.work.left_out |= wrong
    if not wrong:
        _leave(part.work, words(fault))
    return True


def _leave(work: Work, told: str) -> None:
    work.remarks.append(Said("fields_refused", {"words": told}))
    work.done.add(FIELDS_STEP)
