"""What the hub saw made for a caller lately: it counts although a search does not show it yet."""

from collections.abc import Iterable, Mapping, Sequence

from connectors.bitrix24 import asking
from connectors.bitrix24.api import PAGE, Json, Replies
from connectors.bitrix24.cards import parted, whole
from connectors.bitrix24.find import has_email, has_phone
from connectors.bitrix24.mappings import CONTACT, DEAL, LEAD
from connectors.bitrix24.work import Work


def asked_contacts(works: Iterable[Work]) -> dict[str, str]:
    """Return the commands that ask for the contacts of all these."""
    near = {work.place: _contacts(work) for work in works}
    return {f"seen{i}x{j}": asking.card(CONTACT, id_) for i in near for j, id_ in enumerate(near[i])}


def contacts(told: Replies, work: Work) -> list[int]:
    """Return the contacts that are the caller's by what they say now."""
    enquiry, found = work.delivery.what.enquiry, []
    for j, id_ in enumerate(_contacts(work)):
        card = told.card(f"seen{work.place}x{j}")
        is_his = bool(enquiry.caller and has_phone(card, enquiry.caller))
        if is_his or (enquiry.email and has_email(card, enquiry.email)):
            found.append(id_)
    return found


def asked_deals(works: Iterable[Work]) -> dict[str, str]:
    """Return the commands that ask for the deals and leads of all these, by pages of each."""
    several = list(works)
    commands: dict[str, str] = {}
    for entity in (DEAL, LEAD):
        ids = list(dict.fromkeys(id_ for work in several for id_ in _cards(work, entity)))
        for place, start in enumerate(range(0, len(ids), PAGE)):
            commands[_key(entity, place)] = asking.several(entity, ids[start : start + PAGE])
    return commands


def keys(commands: Mapping[str, str], work: Work) -> Sequence[str]:
    """Return which of the commands may tell of a delivery's deals and leads."""
    wanted = tuple(_key(entity, "") for entity in (DEAL, LEAD) if _cards(work, entity))
    return [key for key in commands if wanted and key.startswith(wanted)]


def rows(told: Replies, commands: Mapping[str, str], work: Work, entity: int) -> list[Json]:
    """Return the deals or leads of a delivery's caller that were seen lately, as they are now."""
    ids, pages = set(_cards(work, entity)), [key for key in commands if key.startswith(_key(entity, ""))]
    return [row for key in pages for row in told.rows(key) if whole(row.get("id")) in ids] if ids else []


def _contacts(work: Work) -> list[int]:
    return [id_ for ref in work.delivery.nearby if ref.kind == "contact" and (id_ := whole(ref.id))]


def _cards(work: Work, entity: int) -> list[int]:
    found = [parted(ref.id) for ref in work.delivery.nearby if ref.kind == "deal"]
    return [id_ for kind, id_ in found if kind == entity and id_]


def _key(entity: int, place: int | str) -> str:
    return f"near{entity}x{place}"
