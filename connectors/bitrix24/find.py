"""Reads what a look finds: how a phone may be stored, who is the caller, which deal is his (sheet 4.7)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

import phonenumbers

from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import named, whole
from connectors.bitrix24.mappings import DEAL, LEAD, LEADS, ORIGINATOR, SEMANTICS
from connectors.protocol import Known, KnownDeal

Way = Literal["PHONE", "EMAIL"]  # of reaching a person

RUSSIA = 7  # country code of Russia and Kazakhstan, where numbers are also stored with a leading 8
_TEN = 10
_NOT_DIGIT = re.compile(r"\D")


def digits(text: str) -> str:
    """Return the ASCII digits of a text."""
    return _NOT_DIGIT.sub("", text)


@lru_cache(maxsize=4_096)
def significant(phone: str) -> tuple[int, str]:
    """Return country code and national digits of an E.164 phone; (0, its digits) when it is not one."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return 0, digits(phone)
    return number.country_code or 0, phonenumbers.national_significant_number(number)


def spellings(phone: str) -> tuple[str, ...]:
    """Return the spellings a phone is asked for by, all in one command [4.7]."""
    country, number = significant(phone)
    if country == RUSSIA and len(number) == _TEN:
        return (f"+7{number}", f"7{number}", f"8{number}", number)
    return tuple(dict.fromkeys(one for one in (phone, digits(phone)) if one))


def has_phone(card: Json, phone: str) -> bool:
    """Says whether one of a card's phones is ``phone``, whichever way it is stored."""
    number = significant(phone)[1]
    return bool(number) and any(digits(value).endswith(number) for value in stored(card, "PHONE"))


def has_email(card: Json, email: str) -> bool:
    """Says whether one of a card's e-mails is ``email``."""
    return any(value.strip().lower() == email for value in stored(card, "EMAIL"))


def stored(card: Json, way: Way) -> list[str]:
    """Return the phones or the e-mails of a card as they stand there [4.2]."""
    found = card.get("fm")
    ways = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [str(one.get("value") or "") for one in ways if one.get("typeId") == way]


def is_ours(card: Json, marker: str) -> bool:
    """Says whether a card was made of the delivery with this marker."""
    return str(card.get("originId") or "") == marker and str(card.get("originatorId") or "") == ORIGINATOR


def people(contacts: Sequence[int], deals: Iterable[Json], leads: Iterable[Json]) -> tuple[Known, ...]:
    """Return contacts, the oldest first, with what is theirs, then the leads that are nobody's, if there are any."""
    of: Mapping[int, list[KnownDeal]] = {contact: [] for contact in contacts}
    loose: list[KnownDeal] = []
    for entity, cards in ((DEAL, deals), (LEAD, leads)):
        for card in cards:
            whose = contacts_of(card) & set(contacts)
            for contact in whose:
                of[contact].append(known_deal(entity, card))
            if entity == LEAD and not whose:
                loose.append(known_deal(entity, card))
    known = [Known(str(contact), tuple(of[contact])) for contact in sorted(contacts)]
    return (*known, Known("", tuple(loose))) if loose else tuple(known)


def known_deal(entity: int, card: Json) -> KnownDeal:
    """Return a deal or lead as a scenario decides by it."""
    outcome = SEMANTICS.get(str(card.get("stageSemanticId") or ""), "lost" if card.get("closed") == "Y" else "open")
    category = card.get("categoryId")
    return KnownDeal(
        id=named(entity, whole(card.get("id"))),
        outcome=outcome,
        responsible=str(whole(card.get("assignedById")) or "") or None,
        pipeline=LEADS if entity == LEAD else str(category) if category is not None else None,
        stage=str(card.get("stageId") or "") or None,
        closed_at=time_of(card.get("movedTime")) if outcome != "open" else None,
        is_lead=entity == LEAD,
    )


def time_of(told: object) -> datetime | None:
    """Return a time with its zone; None for what is none."""
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at if at.tzinfo else None


def contacts_of(card: Json) -> set[int]:
    """Return whose a deal or lead is."""
    several = card.get("contactIds")
    told = [card.get("contactId"), *(several if isinstance(several, list) else ())]
    return {id_ for one in told if (id_ := whole(one))}


def oldest(cards: Iterable[Json]) -> Json | None:
    """Return the card that was made first."""
    return min((card for card in cards if whole(card.get("id"))), key=lambda card: whole(card["id"]), default=None)


def once(cards: Iterable[Json]) -> list[Json]:
    """Return cards that may stand there twice, each once."""
    return list({whole(card.get("id")): card for card in cards if whole(card.get("id"))}.values())


def has_mark(found: object, mark: str) -> bool:
    """Says whether a text carries ``mark`` as a word of its own, and not as the start of a longer mark."""
    return isinstance(found, str) and re.search(rf"(?<!\w){re.escape(mark)}(?![\w#-])", found) is not None


def marked(rows: Iterable[Json], mark: str) -> str | None:
    """Return the id of the row that has a text with ``mark``, whichever of its texts it is."""
    for row in rows:
        if any(has_mark(value, mark) for value in row.values()):
            return str(row.get("ID") or row.get("id"))
    return None
