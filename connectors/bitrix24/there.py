"""Which cards are there, asked for by their ids, and which are gone for certain."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connectors.bitrix24 import asking
from connectors.bitrix24.api import PAGE, Api, Fault, Json, Replies
from connectors.bitrix24.cards import parted, whole
from connectors.bitrix24.mappings import CONTACT, LEAD
from connectors.bitrix24.trouble import checked, is_denied, is_gone, no_rights, trouble, words
from connectors.errors import ConnectorError, Unreadable
from connectors.protocol import Ref

Place = tuple[int, int]  # kind of a card, and its id
_ID = ("id",)
_LACKING = frozenset({LEAD})  # kinds that an account may have no more


async def missing(api: Api, refs: Sequence[Ref]) -> frozenset[Ref]:
    """Return which of these deals, leads and contacts are gone; raises ``InstallationError``.

    A list leaves out what is hidden from us, too. So what it does not show is asked for alone, and is gone only where
    the vendor says that it is not there, not where it denies us the right to it (sheet 3.6, 4.2).
    """
    asked = {ref: parted(ref.id) if ref.kind == "deal" else (CONTACT, whole(ref.id)) for ref in refs}
    asked = {ref: place for ref, place in asked.items() if ref.kind in ("deal", "contact")}
    try:
        found = await by_id(api, list(asked.values()), may_lack=_LACKING)
        shown = places(found)
        gone = await _gone(api, {place for place in asked.values() if place[0] in found and place not in shown})
    except ConnectorError as error:
        raise trouble(error) from None
    return frozenset(ref for ref, place in asked.items() if place in gone or not place[1])


async def _gone(api: Api, left: Collection[Place]) -> set[Place]:
    """Return those cards of which the vendor says that they are not there."""
    commands = {f"is{kind}x{id_}": (kind, id_) for kind, id_ in sorted(left) if id_}
    if not commands:
        return set()
    told = checked(await api.ask({key: asking.card(*place) for key, place in commands.items()}))
    refused = {key: fault for key, fault in told.faults.items() if key in commands and key not in told.results}
    return {commands[key] for key, fault in refused.items() if is_gone(fault) and not is_denied(fault)}


async def by_id(
    api: Api,
    wanted: Sequence[Place],
    selects: Mapping[int, Sequence[str]] | None = None,
    may_lack: Collection[int] = (),
) -> dict[int, list[Json]]:
    """Return the cards of these kinds and ids that are shown to us, by kind; raises when one page of them was refused.

    ``selects`` are fields by kind, without them ids alone. A kind that ``may_lack`` is left out where it is refused.
    """
    commands: dict[str, str] = {}
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        ids = sorted({id_ for one, id_ in wanted if one == kind and id_})
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            commands[f"by{kind}x{start}"] = asking.several(kind, some, (selects or {}).get(kind, _ID))
    told = checked(await api.ask(commands)) if commands else Replies()
    kinds = {key: int(key[2:].partition("x")[0]) for key in commands}
    lacking = {kind for key, kind in kinds.items() if kind in may_lack and key not in told.results}
    found: dict[int, list[Json]] = {}
    for key, kind in kinds.items():
        if kind not in lacking:
            found.setdefault(kind, []).extend(readable(told, key).rows(key))
    return found


def places(found: Mapping[int, Sequence[Json]]) -> set[Place]:
    """Return the kinds and ids of cards."""
    return {(kind, whole(card.get("id"))) for kind, cards in found.items() for card in cards}


def readable(told: Replies, key: str) -> Replies:
    """Return the replies once one is there; raises ``InstallationError`` or ``Unreadable``."""
    if key in told.results:
        return told
    fault = told.faults.get(key, Fault("", "no answer"))
    checked(replace(told, faults={key: fault}))
    if is_denied(fault):
        raise no_rights()
    raise Unreadable(f"{key}: {words(fault)}")
