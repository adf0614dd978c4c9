"""Mango's requests, as the telephony sheet's section 1 shows them."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tracking_core.call import CallEventKind, CallStatus, Direction, fold
from tracking_core.telephony import (
    CallRequest,
)
from tracking_core.telephony.mango import parse, sign
from tracking_core.telephony.mango_mappings import result_of

KEY, SALT = "KEY123", "SALT456"
SECRETS = {"vpbx_api_key": KEY, "vpbx_api_salt": SALT}
STAMP = 1795319462
NOW = datetime.fromtimestamp(STAMP, UTC) + timedelta(hours=1)
DID, CALLER = "+74951112233", "+79161234567"

APPEARED_TEXT = (
    '{"entry_id":"ZQ==","call_id":"Yw==","timestamp":1795319462,"seq":1,"call_state":"Appeared",'
    '"location":"ivr","from":{"number":"79161234567"},"to":{"number":"74951112233",'
    '"line_number":"74951112233"},"dct":{"type":0}}'
)
APPEARED_SIGN = "12b77fa3c2fba003f10b2fbab1667aa9aa5e474dbe0e570f272df951aebbb8fc"
SUMMARY = {
    "entry_id": "ZQ==",
    "call_direction": 1,
    "from": {"number": "79161234567"},
    "to": {"extension": "101", "number": "sip:u101@vpbx.example"},
    "line_number": "74951112233",
    "create_time": STAMP,
    "forward_time": STAMP + 2,
    "talk_time": STAMP + 8,
    "end_time": STAMP + 68,
    "entry_result": 1,
    "disconnect_reason": 1110,
}
MISSED_SUMMARY = {**SUMMARY, "talk_time": 0, "forward_time": 0, "entry_result": 0}
RECORD_ADDED = {
    "entry_id": "ZQ==",
    "product_id": 1,
    "user_id": 2,
    "recording_id": "REC1",
    "timestamp": STAMP + 90,
}


def leg(call_id: str, seq: int, state: str, seconds: int, location: str = "abonent", **facts) -> dict:
    return {
        "entry_id": "ZQ==",
        "call_id": call_id,
        "timestamp": STAMP + seconds,
        "seq": seq,
        "call_state": state,
        "location": location,
        "from": {"number": "79161234567"},
        "to": {"extension": "101", "number": "sip:u101@vpbx.example", "line_number": "74951112233"},
        **facts,
    }


def request(path: str, text: str, **form: str) -> CallRequest:
    fields = {"vpbx_api_key": KEY, "sign": sign(KEY, SALT, text), "json": text, **form}
    return CallRequest("POST", path, {}, {}, urlencode(fields).encode())


def told(path: str, fields: dict):
    return parse(request(path, json.dumps(fields)), SECRETS, NOW, UTC)


def only(path: str, fields: dict):
    (call_event,) = told(path, fields)
    return call_event


def test_the_sheet_s_signature():
    assert sign(KEY, SALT, APPEARED_TEXT) == APPEARED_SIGN


def test_the_sheet_s_request_is_a_ringing_call():
    (call_event,) = parse(request("/events/call", APPEARED_TEXT, sign=APPEARED_SIGN), SECRETS, NOW, UTC)
    assert (call_event.kind, call_event.did, call_event.caller, call_event.direction) == (
        CallEventKind.RINGING,
        DID,
        CALLER,
        Direction.INBOUND,
    )


def test_a_request_s_ids_and_time():
    call_event = only("/events/call", json.loads(APPEARED_TEXT))
    assert (
        call_event.provider_call_id,
        call_event.provider_leg_id,
        call_event.seq,
        call_event.occurred_at,
    ) == (
        "ZQ==",
        "Yw==",
        1,
        datetime.fromtimestamp(STAMP, UTC),
    )


def test_numbers_may_come_as_strings():
    fields = json.loads(APPEARED_TEXT)
    assert only("/events/call", {**fields, "timestamp": str(STAMP), "seq": "1"}) == only("/events/call", fields)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("Appeared", CallEventKind.RINGING),
        ("Connected", CallEventKind.ANSWERED),
        ("OnHold", CallEventKind.HELD),
        ("Disconnected", CallEventKind.ENDED),
        ("Teleported", CallEventKind.UPDATED),
    ],
)
def test_leg_states(state, kind):
    assert only("/events/call", leg("a", 1, state, 0)).kind is kind


@pytest.mark.parametrize(("location", "human"), [("ivr", False), ("queue", False), ("abonent", True)])
def test_only_an_employee_is_a_person(location, human):
    assert only("/events/call", leg("a", 1, "Connected", 0, location)).human is human


@pytest.mark.parametrize(
    ("near", "far", "more", "direction"),
    [
        ({"number": "79161234567"}, {"extension": "101"}, {}, Direction.INBOUND),
        ({"number": "anonymous"}, {"extension": "101"}, {}, Direction.INBOUND),
        ({"extension": "101"}, {"number": "79161234567"}, {}, Direction.OUTBOUND),
        ({"extension": 101}, {"extension": "102"}, {}, Direction.INTERNAL),
        ({"extension": "101"}, {"number": "sip:u102@vpbx.example"}, {}, Direction.INTERNAL),
        (
            {"extension": "101", "taken_from_call_id": "a"},
            {"number": "79161234567"},
            {"command_id": "c"},
            Direction.INBOUND,
        ),
    ],
)
def test_a_leg_s_direction_shows_in_the_extensions(near, far, more, direction):
    fields = leg("a", 1, "Appeared", 0, **{"from": near, "to": far, **more})
    assert only("/events/call", fields).direction is direction


def test_of_an_outbound_leg_the_outside_person_is_who_was_dialled():
    fields = leg("a", 1, "Appeared", 0, **{"from": {"extension": "101"}, "to": {"number": "79161234567"}})
    call_event = only("/events/call", fields)
    assert (call_event.caller, call_event.operator) == (CALLER, "101")


def test_a_hidden_caller():
    call_event = only("/events/call", leg("a", 1, "Appeared", 0, **{"from": {"number": "anonymous"}}))
    assert (call_event.caller, call_event.caller_anonymous) == (None, True)


def test_mango_s_own_tracking_number_fills_in_a_missing_line():
    fields = leg("a", 1, "Appeared", 0, to={"extension": "101"}, dct={"type": 1, "number": "74951112233"})
    assert only("/events/call", fields).did == DID


def test_an_answered_summary():
    call_event = only("/events/summary", SUMMARY)
    assert (
        call_event.status,
        call_event.talk_s,
        call_event.wait_s,
        call_event.operator,
        call_event.final,
    ) == (
        CallStatus.ANSWERED,
        60,
        8,
        "101",
        True,
    )


def test_a_missed_summary():
    call_event = only("/events/summary", MISSED_SUMMARY)
    assert (call_event.status, call_event.talk_s, call_event.wait_s, call_event.answered_at) == (
        CallStatus.MISSED,
        0,
        68,
        None,
    )


def test_a_summary_of_a_hidden_caller():
    call_event = only("/events/summary", {**SUMMARY, "from": {"number": "Скрыт"}})
    assert (call_event.caller, call_event.caller_anonymous) == (None, True)


@pytest.mark.parametrize(("code", "direction"), [(0, "internal"), (1, "inbound"), ("2", "outbound"), (9, "unknown")])
def test_a_summary_s_direction(code, direction):
    assert only("/events/summary", {**SUMMARY, "call_direction": code}).direction == direction


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (1110, CallStatus.MISSED),
        (1111, CallStatus.MISSED),
        (1164, CallStatus.MISSED),
        (1121, CallStatus.BUSY),
        (1151, CallStatus.BLOCKED),
        (2010, CallStatus.FAILED),
        (5000, CallStatus.FAILED),
        (1999, CallStatus.MISSED),
        (None, CallStatus.MISSED),
    ],
)
def test_disconnect_reasons(reason, status):
    assert result_of(reason) is status


def test_an_added_recording():
    call_event = only("/events/record/added", RECORD_ADDED)
    assert (call_event.kind, call_event.recording_id) == (CallEventKind.RECORDED, "REC1")


@pytest.mark.parametrize(
    ("state", "code", "recording_id"),
    [("Started", None, None), ("Completed", 1000, "REC1"), ("Completed", "4002", None)],
)
def test_only_a_completed_recording_can_be_fetched(state, code, recording_id):
    fields = {**RECORD_ADDED, "call_id": "a", "recording_state": state, "completion_code": code, "seq": 1}
    assert only("/events/recording", fields).recording_id == recording_id


def test_two_recordings_of_one_second_are_two_facts():
    keys = {only("/events/record/added", {**RECORD_ADDED, "recording_id": name}).dedupe_key for name in "ab"}
    assert len(keys) == 2


MENU_THEN_TALK = [
    (
        "/events/call",
        leg("menu", 1, "Appeared", 0, "ivr", to={"number": "74951112233", "line_number": "74951112233"}),
    ),
    ("/events/call", leg("menu", 2, "Connected", 0, "ivr")),
    (
        "/events/call",
        leg("talk", 1, "Appeared", 5, **{"from": {"number": "79161234567", "taken_from_call_id": "menu"}}),
    ),
    ("/events/call", leg("menu", 3, "Disconnected", 8, "ivr", disconnect_reason=1100)),
    ("/events/call", leg("talk", 2, "Connected", 8)),
    ("/events/call", leg("talk", 3, "Disconnected", 68, disconnect_reason=1110)),
    ("/events/summary", SUMMARY),
    ("/events/record/added", RECORD_ADDED),
]


def folded(requests, now=NOW):
    return fold([one for path, fields in requests for one in told(path, fields)], now)


def test_a_call_through_a_menu():
    call = folded(MENU_THEN_TALK)
    assert (
        call.status,
        call.did,
        call.caller,
        call.talk_s,
        call.wait_s,
        call.operator,
        call.recording_id,
    ) == (
        CallStatus.ANSWERED,
        DID,
        CALLER,
        60,
        8,
        "101",
        "REC1",
    )


def test_the_same_call_told_backwards_and_twice():
    assert folded(MENU_THEN_TALK[::-1] + MENU_THEN_TALK) == folded(MENU_THEN_TALK)


def test_a_call_whose_summary_was_lost_ends_with_its_last_leg():
    call = folded(MENU_THEN_TALK[:6])
    ended_at = datetime.fromtimestamp(STAMP + 68, UTC)
    assert (call.status, call.talk_s, call.ended_at) == (CallStatus.ANSWERED, 60, ended_at)


def test_a_caller_who_hung_up_in_the_menu_is_missed():
    hung_up = ("/events/call", leg("menu", 3, "Disconnected", 8, "ivr", disconnect_reason=1110))
    call = folded([*MENU_THEN_TALK[:2], hung_up])
    assert (call.is_missed, call.talk_s) == (True, 0)
