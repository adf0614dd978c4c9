"""The life of a call: registered, its CRM object found or made, finished, told (sheet sections 5.1-5.5)."""

from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.activities import make_activity
from sandbox.bitrix24.changes import Told, change, create
from sandbox.bitrix24.duplicates import matching
from sandbox.bitrix24.model import CODES, COMPANY, CONTACT, DEAL, LEAD, Item
from sandbox.bitrix24.store import Call, Owner, digits

if TYPE_CHECKING:
    from sandbox.bitrix24.turn import Turn

OUTGOING = 1
SEARCHED = (CONTACT, COMPANY, LEAD)
ANSWERED, MISSED = "200", "304"
TITLES = {OUTGOING: "Исходящий звонок"}


def known_owner(turn: "Turn", phone: str) -> Owner | None:
    """Returns the contact, else the company, else the lead with this phone; the oldest of several."""
    found = matching(turn, "PHONE", phone)
    for kind in SEARCHED:
        ids = [item.id for item in found if item.kind == kind]
        if ids:
            return kind, min(ids)
    return None


def make_owner(turn: "Turn", phone: str, user_id: int, type_: int, source: str) -> list[Owner]:
    """Makes what an unknown number gets: a lead, or a contact and a deal (by CRM mode, or as the dial says)."""
    dial = turn.portal.dial
    how = dial["call_creates"]
    if how == "by_mode":
        how = "lead" if dial["crm_mode"] == 1 else "contact_deal"
    title = f"{TITLES.get(type_, 'Входящий звонок')} {phone}"
    shared: dict[str, Any] = {"assignedById": user_id, "sourceId": source or "CALL"}

    def phones() -> Told:
        return Told(dict(shared), [turn.portal.store.new_multi("PHONE", "WORK", phone)])

    if how == "lead":
        told = phones()
        told.values["title"] = title
        return [(LEAD, create(turn, LEAD, told).id)]
    person = phones()
    person.values["name"] = phone
    contact = create(turn, CONTACT, person)
    deal = create(turn, DEAL, Told({**shared, "title": title}, links=[contact.id]))
    return [(CONTACT, contact.id), (DEAL, deal.id)]


def begin(turn: "Turn", call: Call, creates: bool, source: str = "") -> None:
    """Stores a call with its CRM object, made where it may be, and tells that it is there."""
    portal = turn.portal
    call.entity = call.entity or known_owner(turn, call.phone)
    if call.entity is None and creates and _line_creates(turn, call):
        call.created = make_owner(turn, call.phone, call.user_id, call.type, source)
        call.entity = call.created[0]
    portal.store.calls[call.call_id] = call
    portal.changes += 1
    told: dict[str, Any] = {"CALL_ID": call.call_id, "CALL_TYPE": call.type}
    if call.app_id:
        told |= {"CALLER_ID": call.phone, "REST_APP_ID": call.app_id}
    else:
        told |= {"ACCOUNT_SEARCH_ID": call.line, "PHONE_NUMBER": call.line, "CALLER_ID": call.phone}
    portal.sender.tell("ONVOXIMPLANTCALLINIT", told, turn)


def _line_creates(turn: "Turn", call: Call) -> bool:
    line = turn.portal.store.lines.get(digits(call.line))
    return call.type != OUTGOING or line is None or line.creates


def answered(turn: "Turn", call: Call) -> None:
    """Tells that somebody took the call."""
    turn.portal.sender.tell("ONVOXIMPLANTCALLSTART", {"CALL_ID": call.call_id, "USER_ID": call.user_id}, turn)


def end(turn: "Turn", call: Call) -> None:
    """Writes the statistic row and the activity of a call, gives its objects their manager, and tells."""
    portal = turn.portal
    call.id = portal.ids.next("call")
    for owner in call.created:
        item = portal.store.find(owner)
        if item is not None:
            change(turn, item, Told({"assignedById": call.user_id}))
    owners = [one for one in (call.entity, *call.created) if one is not None and portal.store.find(one)]
    if owners:
        call.activity_id = make_activity(turn, owners, _activity_values(turn, call), _spoken(call)).id
    portal.changes += 1
    portal.sender.tell("ONVOXIMPLANTCALLEND", _end_told(turn, call), turn)


def _activity_values(turn: "Turn", call: Call) -> dict[str, Any]:
    values = {
        "TYPE_ID": "2",
        "PROVIDER_ID": "VOXIMPLANT_CALL",
        "PROVIDER_TYPE_ID": "CALL",
        "SUBJECT": f"{TITLES.get(call.type, 'Входящий звонок')} {call.phone}",
        "DIRECTION": "2" if call.type == OUTGOING else "1",
        "COMPLETED": "Y" if call.code == ANSWERED else "N",
        "RESPONSIBLE_ID": call.user_id,
        "START_TIME": call.started,
        "END_TIME": call.started + call.duration,
    }
    return values | ({"ORIGIN_ID": f"VI_{call.call_id}"} if turn.portal.dial["call_activity_origin"] else {})


def _spoken(call: Call) -> dict[str, Any]:
    kind, id_ = call.entity or (0, 0)
    one = {"TYPE": "PHONE", "VALUE": call.phone, "ENTITY_ID": str(id_), "ENTITY_TYPE_ID": str(kind)}
    return {"COMMUNICATIONS": [one]}


def _end_told(turn: "Turn", call: Call) -> dict[str, Any]:
    return {
        "CALL_ID": call.call_id,
        "CALL_TYPE": call.type,
        "PHONE_NUMBER": digits(call.phone),
        "PORTAL_NUMBER": portal_number(call),
        "PORTAL_USER_ID": call.user_id,
        "CALL_DURATION": call.duration,
        "CALL_START_DATE": turn.clock_text(call.started),
        "COST": call.cost,
        "COST_CURRENCY": call.currency,
        "CALL_FAILED_CODE": call.code,
        "CALL_FAILED_REASON": call.reason,
        "CRM_ACTIVITY_ID": call.activity_id,
    }


def portal_number(call: Call) -> str:
    """Returns the line of a call, or the app's own name where none was told."""
    return call.line or (f"REST_APP:{call.app_id}" if call.app_id else "")


def owner_code(owner: Owner | None) -> str | None:
    """Returns the type of a call's CRM object as telephony names it."""
    return CODES[owner[0]] if owner else None


def person_of(item: Item) -> str:
    """Returns the name of a CRM object as a manager reads it."""
    names = " ".join(str(item.values.get(name) or "") for name in ("name", "lastName")).strip()
    return names or str(item.values.get("title") or "")
