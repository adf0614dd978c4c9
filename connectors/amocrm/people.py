"""Reads contacts for the hub's index of who is who, so that a batch of enquiries costs no search for each [3.8].

A key is the last ten digits of a phone, or an e-mail. Only Russian and Kazakh numbers are vouched for: for these ten
digits decide (find.same_phone); of any other number only a search can say which contact has it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from connectors.amocrm.api import Api, Json, author, ids_within
from connectors.amocrm.find import RUSSIA, contacts, digits, significant, unextended, values_of
from connectors.amocrm.mappings import CONTACT_EVENTS, DELETED, MERGED, RESTORED
from connectors.amocrm.trouble import trouble
from connectors.amocrm.walk import OVERLAP_S, Cursor, events_since, seconds, walk
from connectors.errors import ConnectorError
from connectors.protocol import ContactChange, ContactPage
from connectors.scenario import Enquiry

TEN = 10


def keys_of(enquiry: Enquiry) -> tuple[str, ...] | None:
    """Return the keys to look for a person by, in turn; None for a phone that only a search can find."""
    keys = []
    if enquiry.caller:
        country, number = significant(enquiry.caller)
        if country != RUSSIA or len(number) != TEN:
            return None
        keys.append(f"phone:{number}")
    return (*keys, *([f"email:{enquiry.email}"] if enquiry.email else []))


def keys_in(contact: Json) -> Iterator[str]:
    """Yield the keys of a contact: what ``keys_of`` says of an enquiry of this person."""
    for stored in values_of(contact, "PHONE", None):
        spelt = unextended(stored)
        found = digits(spelt)
        if len(found) >= TEN and ("+" not in spelt or found[:-TEN] in ("7", "8")):
            yield f"phone:{found[-TEN:]}"
    for email in values_of(contact, "EMAIL", None):
        yield f"email:{email.strip().lower()}"


async def changed(api: Api, cursor: str | None) -> ContactPage:
    """Return contacts changed since ``cursor`` and the next one; raises ``InstallationError``."""
    start = Cursor.load(cursor)
    try:
        on, found = await walk(api.contacts_page, start.walk)
        told = [_change(contact) for contact in found.cards.values()]
        until = start.events or on.floor(found.clock)
        if found.is_quick:  # a card that is gone is refused when it is written on, and looked for then
            on = on.ended(found, until)
        elif found.is_over:
            events = await events_since(api, until - OVERLAP_S, CONTACT_EVENTS, "contact")
            told += await _vanished(api, events)
            until = max([until, *(seconds(event, "created_at") for event in events)])
            on = on.ended(found, until)
    except ConnectorError as error:
        raise trouble(error) from None
    return ContactPage(tuple(told), Cursor(on, until).dump(), more=not found.is_over, is_whole=not on.is_first)


async def _vanished(api: Api, events: Sequence[Json]) -> list[ContactChange]:
    """Return what the list cannot show: contacts that are gone, and those that took others in or were taken.

    Which side an event of a merge names is not documented: nobody it names is sure any more, nor who went meanwhile;
    who took him in may have been made after the list was read.
    """
    latest = {
        str(event.get("entity_id")): event for event in sorted(events, key=lambda one: seconds(one, "created_at"))
    }
    gone = [id_ for id_, event in latest.items() if event.get("type") == DELETED]
    merged = [str(id_) for event in events if event.get("type") == MERGED for id_ in _named(event)]
    unsure = dict.fromkeys([*merged, *gone]) if merged else ()
    told = [ContactChange(id_, (), is_sure=False) for id_ in unsure]  # before their keys are gone
    back = [id_ for id_, event in latest.items() if event.get("type") == RESTORED]
    told += [_change(contact) for contact in (await contacts(api, back)).values()]
    return told + [ContactChange(id_, (), deleted=True) for id_ in gone]


def _named(event: Json) -> list[object]:
    return [event.get("entity_id"), *ids_within(event.get("value_before")), *ids_within(event.get("value_after"))]


def _change(contact: Json) -> ContactChange:
    made = seconds(contact, "created_at")
    return ContactChange(
        id=str(contact["id"]),
        keys=tuple(dict.fromkeys(keys_in(contact))),
        deleted=bool(contact.get("is_deleted")),
        made_at=datetime.fromtimestamp(made, UTC) if made else None,
        author=author(contact),
    )
