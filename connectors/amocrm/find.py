"""Looks before anything is created: who is the caller, which deals are theirs, what earlier attempts left
behind.

Searches of amoCRM match loosely and may be ignored (a filter that is not paid for), so each find is verified
here.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import phonenumbers

from connectors.amocrm.api import Api, Json, linked, objects, whole
from connectors.amocrm.mappings import CALL_NOTES, MARKER_CODE, STAGE_OUTCOME
from connectors.protocol import Known, KnownDeal, Ref
from connectors.scenario import Enquiry

RUSSIA = 7  # country code of Russia and Kazakhstan, where numbers are also stored with a leading 8
DEALS_LOOKED_AT = 20  # newest deals of one contact; each may cost a request where filters are off
_IDS_PER_REQUEST = 100
_GONE: Json = {"is_deleted": True}
_NOT_DIGIT = re.compile(r"\D")
_EXTENSION = re.compile(r"(?:доб|вн|ext|[x#,;]).*", re.IGNORECASE | re.DOTALL)


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
    """Return the texts to search a phone by, in turn [3.8]."""
    country, number = significant(phone)
    return (number, f"+7{number}", f"8{number}") if country == RUSSIA and len(number) == 10 else (number,)


def unextended(stored: str) -> str:
    """Return a stored phone without the extension that may follow it."""
    return _EXTENSION.sub("", stored)


def same_phone(stored: str, phone: str) -> bool:
    """Says whether a stored spelling is the E.164 ``phone``: its digits end alike, its country agrees if told."""
    spelt = unextended(stored)
    country, number = significant(phone)
    if not number or not digits(spelt).endswith(number):
        return False
    before = digits(spelt).removesuffix(number)
    return "+" not in spelt or before == str(country or "") or (country == RUSSIA and before == "8")


def has_phone(contact: Json, phone: str) -> bool:
    """Says whether one of the contact's PHONE values is ``phone``."""
    return any(same_phone(value, phone) for value in values_of(contact, "PHONE", None))


def is_of(contact: Json, enquiry: Enquiry) -> bool:
    """Says whether a contact is the person's who turned to us: it has his phone or his e-mail."""
    if enquiry.caller and has_phone(contact, enquiry.caller):
        return True
    emails = (value.strip().lower() for value in values_of(contact, "EMAIL", None))
    return enquiry.email is not None and enquiry.email in emails


def values_of(found: Json, code: str, field_id: str | None) -> list[str]:
    """Return the texts of a contact's or deal's field, named by code or by id; any shape is read [3.8]."""
    texts: list[str] = []
    for one in objects(found.get("custom_fields_values")):
        if one.get("field_code") == code or (field_id and str(one.get("field_id")) == field_id):
            values = objects(one.get("values"))
            texts += [str(value["value"]) for value in values if value.get("value") is not None]
    return texts


def carries(deal: Json, marker: str, field_id: str | None) -> bool:
    """Says whether our own field of the deal holds exactly ``marker``."""
    return marker in values_of(deal, MARKER_CODE, field_id)


def oldest_first(found: Iterable[Json]) -> list[Json]:
    """Return cards in the order in which they were made."""
    return sorted(found, key=_id)


def deal_ids(contact: Json) -> list[str]:
    """Return the ids of the contact's newest deals."""
    newest = sorted(linked(contact, "leads"), key=_id, reverse=True)
    return [str(found["id"]) for found in newest[:DEALS_LOOKED_AT]]


def with_deals(contact: Json, ids: Iterable[str]) -> Json:
    """Return the contact with deals added that its search result may not show yet."""
    added = [{"id": int(id_)} for id_ in ids if id_.isascii() and id_.isdigit()]
    known = list(linked(contact, "leads"))
    known += [one for one in added if one not in known]
    return {**contact, "_embedded": {**(contact.get("_embedded") or {}), "leads": known}}


async def deals(api: Api, ids: Iterable[str]) -> dict[str, Json]:
    """Return the deals of ``ids`` that exist, in as few requests as the account's options allow."""
    return await _cards(ids, api.deal, api.deals_by_id)


async def contacts(api: Api, ids: Iterable[str]) -> dict[str, Json]:
    """Return the contacts of ``ids`` that exist, in as few requests as the account's options allow."""
    return await _cards(ids, api.contact, api.contacts_by_id)


_One = Callable[[str], Awaitable[Json | None]]
_Several = Callable[[Sequence[str]], Awaitable[list[Json]]]


async def _cards(ids: Iterable[str], one_of: _One, several: _Several) -> dict[str, Json]:
    wanted = sorted(set(ids))
    found: dict[str, Json] = {}
    for start in range(0, len(wanted), _IDS_PER_REQUEST):
        found |= await _chunk(wanted[start : start + _IDS_PER_REQUEST], one_of, several)
    return found


async def _chunk(wanted: Sequence[str], one_of: _One, several: _Several) -> dict[str, Json]:
    if len(wanted) == 1:
        one = await one_of(wanted[0])
        return {wanted[0]: one} if one else {}
    listed = {str(one.get("id")): one for one in await several(wanted)}
    found = {id_: listed[id_] for id_ in wanted if id_ in listed}
    if listed.keys() <= set(wanted):
        return found  # the filter was honoured: what is missing does not exist
    for id_ in wanted:
        if id_ not in found and (one := await one_of(id_)):
            found[id_] = one
    return found


async def missing(api: Api, refs: Iterable[Ref]) -> frozenset[Ref]:
    """Return which of these deals and contacts are gone: in the trash, merged into another, or hidden from us."""
    asked = [ref for ref in refs if ref.kind in ("deal", "contact")]
    there = {
        "deal": await deals(api, (ref.id for ref in asked if ref.kind == "deal")),
        "contact": await contacts(api, (ref.id for ref in asked if ref.kind == "contact")),
    }
    return frozenset(ref for ref in asked if (there[ref.kind].get(ref.id) or _GONE).get("is_deleted"))


def people(contacts: Sequence[Json], deals: Mapping[str, Json]) -> tuple[Known, ...]:
    """Return contacts with those of their deals that still exist, as a scenario decides by them."""
    return tuple(
        Known(
            str(one["id"]),
            tuple(
                known_deal(id_, deals[id_]) for id_ in deal_ids(one) if not (deals.get(id_) or _GONE).get("is_deleted")
            ),
            _text(one.get("responsible_user_id")),
        )
        for one in contacts
    )


def known_deal(id_: str, deal: Json) -> KnownDeal:
    """Return a deal as a scenario decides by it."""
    return KnownDeal(
        id=id_,
        outcome=STAGE_OUTCOME.get(whole(deal.get("status_id")), "open"),
        responsible=_text(deal.get("responsible_user_id")),
        pipeline=_text(deal.get("pipeline_id")),
        stage=_text(deal.get("status_id")),
        closed_at=_moment(deal.get("closed_at")),
    )


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(whole(seconds), UTC) if seconds else None
    except (OverflowError, OSError, ValueError):
        return None


def _text(id_: object) -> str | None:
    return str(id_) if id_ else None


async def marked_deal(api: Api, marker: str, field_id: str | None) -> Json | None:
    """Return the oldest deal found by search whose own field holds exactly ``marker``."""
    found = await api.deals_found(marker.rpartition(":")[2] or marker)
    return min((deal for deal in found if carries(deal, marker, field_id)), key=_id, default=None)


def call_note(notes: Iterable[Json], marker: str) -> str | None:
    """Return the id of the call note whose ``uniq`` is ``marker``."""
    for note in notes:
        if note.get("note_type") in CALL_NOTES and _params(note).get("uniq") == marker:
            return str(note.get("id"))
    return None


def text_note(notes: Iterable[Json], mark: str) -> str | None:
    """Return the id of the note whose text carries ``mark``."""
    for note in notes:
        if has_mark(_params(note).get("text"), mark):
            return str(note.get("id"))
    return None


def marked_task(tasks: Iterable[Json], deal: str, mark: str) -> str | None:
    """Return the id of the deal's task whose text carries ``mark``."""
    for task in tasks:
        if str(task.get("entity_id")) == deal and has_mark(task.get("text"), mark):
            return str(task.get("id"))
    return None


def has_mark(text: object, mark: str) -> bool:
    """Says whether a text carries ``mark`` as a word of its own, and not as the start of a longer mark."""
    return isinstance(text, str) and re.search(rf"(?<!\w){re.escape(mark)}(?![\w#-])", text) is not None


def _params(note: Json) -> Json:
    params = note.get("params")
    return params if isinstance(params, dict) else {}


def _id(found: Json) -> int:
    return whole(found.get("id"))
