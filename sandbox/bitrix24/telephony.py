"""`telephony.externalCall.*` and transcripts (sheet sections 5.1, 5.3, 5.4)."""

import base64
import binascii
import re
from typing import Any

from sandbox.bitrix24.calls import (
    ANSWERED,
    MISSED,
    begin,
    end,
    known_owner,
    owner_code,
    person_of,
    portal_number,
)
from sandbox.bitrix24.duplicates import matching
from sandbox.bitrix24.errors import Refusal, core
from sandbox.bitrix24.model import CODES, COMPANY, CONTACT, KIND_OF_CODE, LEAD, Item, User
from sandbox.bitrix24.php import EMPTY_OBJECT, as_int, as_list, is_yes
from sandbox.bitrix24.records import check_name, keep_record
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import Call, Owner, digits
from sandbox.bitrix24.times import read_moment
from sandbox.bitrix24.turn import Method, Methods, Turn

WINDOW_S = 30 * 60
TYPES = range(1, 6)
PHONE = re.compile(r"\+?[\d\s().-]{3,}[\d\w,;#]*")
NOT_FINISHED = "Call is not found in the statistic table. It looks like it is not finished yet."
SCOPES = ("telephony",)


def _user(turn: Turn) -> User:
    id_, inner = turn.number("USER_ID"), turn.text("USER_PHONE_INNER")
    if id_ is None and not inner:
        raise core("USER_ID or USER_PHONE_INNER should be set.")
    found = turn.portal.users.get(id_ or 0) if id_ is not None else None
    if found is None and id_ is None:
        found = next((one for one in turn.portal.users.values() if one.inner_phone == inner), None)
    if found is None or not found.is_active:
        raise core("User is not found or is not active.")
    return found


def register(turn: Turn) -> dict[str, Any]:
    """telephony.externalCall.register: a call begins; the same one within half an hour is the call that is there."""
    user = _user(turn)
    type_ = turn.number("TYPE")
    if type_ is None or type_ not in TYPES:
        raise core("Unknown TYPE.")
    phone = turn.text("PHONE_NUMBER").strip()
    if not PHONE.fullmatch(phone):
        raise core("Unsupported phone number format.")
    started: float | None = turn.now
    if turn.get("CALL_START_DATE"):
        started = read_moment(turn.get("CALL_START_DATE"), turn.portal.offset)
    if started is None:
        raise core("CALL_START_DATE should be in the ISO-8601 format.")
    line, external = turn.text("LINE_NUMBER"), turn.text("EXTERNAL_CALL_ID")
    call = _there(turn, (phone, type_, user.id, line, external))
    if call is None:
        app = turn.portal.app.id
        id_ = f"externalCall.{turn.portal.ids.hex(32)}.{int(turn.now)}"
        call = Call(id_, app, user.id, phone, type_, line, external, started, turn.now, _told_owner(turn))
        begin(turn, call, is_yes(turn.get("CRM_CREATE", 0)), turn.text("CRM_SOURCE"))
        if is_yes(turn.get("SHOW", 1)):
            _show(turn, call, [user.id])
    return _registered(call)


def _there(turn: Turn, key: tuple[str, int, int, str, str]) -> Call | None:
    for call in reversed(turn.portal.store.calls.values()):
        if turn.now - call.registered >= WINDOW_S:
            break
        same = (call.phone, call.type, call.user_id, call.line, call.external_id) == key
        if same and call.app_id == turn.portal.app.id:
            return call
    return None


def _told_owner(turn: Turn) -> Owner | None:
    kind, id_ = KIND_OF_CODE.get(turn.text("CRM_ENTITY_TYPE").upper()), turn.number("CRM_ENTITY_ID")
    if kind not in (CONTACT, COMPANY, LEAD) or id_ is None or turn.portal.store.find((kind, id_)) is None:
        return None
    return kind, id_


def _registered(call: Call) -> dict[str, Any]:
    leads = [id_ for kind, id_ in call.created if kind == LEAD]
    return {
        "CALL_ID": call.call_id,
        "CRM_CREATED_LEAD": leads[0] if leads else None,
        "CRM_CREATED_ENTITIES": [{"ENTITY_TYPE": CODES[kind], "ENTITY_ID": id_} for kind, id_ in call.created],
        "CRM_ENTITY_TYPE": owner_code(call.entity),
        "CRM_ENTITY_ID": call.entity[1] if call.entity else None,
    }


def _call(turn: Turn) -> Call | None:
    id_ = turn.get("CALL_ID")
    if not isinstance(id_, str):
        raise Refusal(400, "INVALID_ARGUMENT", "CALL_ID must be a string")
    return turn.portal.store.calls.get(id_)


def finish(turn: Turn) -> dict[str, Any]:
    """telephony.externalCall.finish: the statistic row and the activity; a second time it is not found."""
    call = _call(turn)
    if call is None or call.id:
        text = "Call is not found (call should be registered prior to finishing)"
        raise Refusal(400, turn.portal.dial["finish_error_code"], text)
    call.user_id = _user(turn).id
    call.duration = turn.number("DURATION") or 0
    call.code = turn.text("STATUS_CODE") or (ANSWERED if call.duration > 0 else MISSED)
    call.reason, call.record_url = turn.text("FAILED_REASON"), turn.text("RECORD_URL")
    call.cost, call.currency = turn.text("COST") or "0.0000", turn.text("COST_CURRENCY")
    call.vote = turn.number("VOTE") or 0
    _hide(turn, call, None)
    end(turn, call)
    return _finished(turn, call)


def _finished(turn: Turn, call: Call) -> dict[str, Any]:
    return {
        "ID": call.id,
        "CALL_ID": call.call_id,
        "EXTERNAL_CALL_ID": call.external_id or None,
        "PORTAL_USER_ID": call.user_id,
        "PHONE_NUMBER": digits(call.phone),
        "PORTAL_NUMBER": portal_number(call),
        "INCOMING": str(call.type),
        "CALL_DURATION": call.duration,
        "CALL_START_DATE": EMPTY_OBJECT,
        "CALL_STATUS": int(call.code == ANSWERED),
        "CALL_VOTE": call.vote,
        "COST": 0,
        "COST_CURRENCY": call.currency,
        "CALL_FAILED_CODE": call.code,
        "CALL_FAILED_REASON": call.reason,
        "REST_APP_ID": str(call.app_id),
        "REST_APP_NAME": "CallTracking",
        "CRM_ACTIVITY_ID": call.activity_id,
        "COMMENT": None,
        "CRM_ENTITY_TYPE": owner_code(call.entity),
        "CRM_ENTITY_ID": call.entity[1] if call.entity else None,
    }


def _users(turn: Turn) -> list[int]:
    return [id_ for one in as_list(turn.get("USER_ID")) if (id_ := as_int(one)) in turn.portal.users and id_]


def _show(turn: Turn, call: Call, users: list[int]) -> None:
    shown = turn.portal.store.shown
    shown += [{"call_id": call.call_id, "user_id": id_, "at": turn.now} for id_ in users]


def _hide(turn: Turn, call: Call, users: list[int] | None) -> None:
    store = turn.portal.store
    store.shown = [
        one
        for one in store.shown
        if one["call_id"] != call.call_id or (users is not None and one["user_id"] not in users)
    ]


def show(turn: Turn) -> bool:
    """telephony.externalCall.show: opens the call's card for employees."""
    call, users = _call(turn), _users(turn)
    if call is None or call.id or not users:
        return False
    _show(turn, call, users)
    turn.portal.changes += 1
    return True


def hide(turn: Turn) -> bool:
    """telephony.externalCall.hide: closes it."""
    call, users = _call(turn), _users(turn)
    if call is None or not users:
        return False
    _hide(turn, call, users)
    turn.portal.changes += 1
    return True


def attach_record(turn: Turn) -> dict[str, Any]:
    """telephony.externalCall.attachRecord: the recording itself, an address for it, or where to take it from."""
    call = _call(turn)
    if call is None or not call.id:
        raise core(NOT_FINISHED)
    if turn.text("RECORD_URL"):
        call.record_url = turn.text("RECORD_URL")
        name = turn.text("FILENAME") or call.record_url.partition("?")[0].rsplit("/", 1)[-1]
        return {"FILE_ID": keep_record(turn.portal, call, check_name(name), b"")}
    name = check_name(turn.text("FILENAME"))
    if not turn.get("FILE_CONTENT"):
        token = turn.portal.ids.hex(32)
        turn.portal.store.uploads[token] = (call.call_id, name)
        pair = turn.portal.tokens.new_pair(turn.user_id)
        url = f"{turn.portal.client_endpoint(turn.base)}upload.json?auth={pair.access}&token={token}"
        return {"uploadUrl": url, "fieldName": "file"}
    try:
        content = base64.b64decode(turn.text("FILE_CONTENT"), validate=True)
    except binascii.Error as error:
        raise core("FILE_CONTENT is not valid base64") from error
    return {"FILE_ID": keep_record(turn.portal, call, name, content)}


def attach_transcription(turn: Turn) -> dict[str, int]:
    """telephony.call.attachTranscription: what was said."""
    call = _call(turn)
    if call is None or not call.id:
        raise core(NOT_FINISHED)
    if not as_list(turn.get("MESSAGES")):
        raise core("MESSAGES should not be empty")
    call.transcript_id = turn.portal.ids.next("transcript")
    turn.portal.changes += 1
    return {"TRANSCRIPT_ID": call.transcript_id}


def search(turn: Turn) -> list[dict[str, Any]]:
    """telephony.externalCall.searchCrmEntities: who has this number, the first found leading; no deals."""
    phone = turn.text("PHONE_NUMBER")
    if not phone:
        raise core("PHONE_NUMBER is empty")
    first = known_owner(turn, phone)
    found = [item for item in matching(turn, "PHONE", phone) if may_read(turn, item)]
    found.sort(key=lambda item: ((item.kind, item.id) != first, item.kind, item.id))
    return [_search_row(turn, item) for item in found]


def _search_row(turn: Turn, item: Item) -> dict[str, Any]:
    user = turn.portal.users.get(item.values.get("assignedById") or 0)
    manager = {
        "ID": str(user.id) if user else "0",
        "TIMEMAN_STATUS": "OPENED",
        "USER_PHONE_INNER": user.inner_phone if user else None,
        "WORK_PHONE": None,
        "PERSONAL_PHONE": None,
        "PERSONAL_MOBILE": None,
    }
    return {
        "CRM_ENTITY_TYPE": CODES[item.kind],
        "CRM_ENTITY_ID": item.id,
        "ASSIGNED_BY_ID": user.id if user else 0,
        "NAME": person_of(item),
        "ASSIGNED_BY": manager,
    }


METHODS: Methods = {
    "telephony.externalcall.register": Method(register, SCOPES, app_only=True),
    "telephony.externalcall.finish": Method(finish, SCOPES, app_only=True),
    "telephony.externalcall.show": Method(show, SCOPES, app_only=True),
    "telephony.externalcall.hide": Method(hide, SCOPES, app_only=True),
    "telephony.externalcall.attachrecord": Method(attach_record, SCOPES, in_batch=False),
    "telephony.externalcall.searchcrmentities": Method(search, SCOPES),
    "telephony.call.attachtranscription": Method(attach_transcription, SCOPES),
}
