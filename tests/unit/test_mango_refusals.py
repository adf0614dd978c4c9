"""What Mango's adapter takes without a call, what it refuses and in which words; it never breaks."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.telephony import (
    BODY_LIMIT,
    BadSignature,
    CallRequest,
    Refused,
    Stale,
    TooLarge,
    Unreadable,
)
from tracking_core.telephony.mango import parse, sign

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
    "talk_time": STAMP + 8,
    "end_time": STAMP + 68,
    "entry_result": 1,
    "disconnect_reason": 1110,
}
RECORD_ADDED = {
    "entry_id": "ZQ==",
    "product_id": 1,
    "user_id": 2,
    "recording_id": "REC1",
    "timestamp": STAMP + 90,
}


def request(path: str, text: str, **form: str) -> CallRequest:
    fields = {"vpbx_api_key": KEY, "sign": sign(KEY, SALT, text), "json": text, **form}
    return CallRequest("POST", path, {}, {}, urlencode(fields).encode())


def refusal(kind: type[Refused], call_request: CallRequest, secrets=SECRETS) -> str:
    with pytest.raises(kind) as caught:
        parse(call_request, secrets, NOW, UTC)
    assert type(caught.value) is kind
    return caught.value.sentence


@pytest.mark.parametrize("path", ["/ping", "ping", "/anything/ping/"])
def test_the_connection_check_is_answered(path):
    assert parse(CallRequest("POST", path, {}, {}, b"whatever"), SECRETS, NOW, UTC) == ()


@pytest.mark.parametrize("path", ["/events/dtmf", "/events/sms", "/events/record/tagged", "/result/callback"])
def test_requests_that_tell_nothing_of_a_call_are_taken(path):
    assert parse(request(path, "{}"), SECRETS, NOW, UTC) == ()


def test_an_unknown_address_is_refused_with_those_that_are_known():
    assert "/events/call, /events/summary" in refusal(Unreadable, request("/events/fax", "{}"))


@pytest.mark.parametrize("form", [{"sign": "0" * 64}, {"sign": ""}, {"vpbx_api_key": "OTHER"}, {"sign": "й"}])
def test_a_forged_request_is_refused(form):
    refusal(BadSignature, request("/events/call", APPEARED_TEXT, **form))


def test_an_uppercase_signature_is_accepted():
    assert parse(request("/events/call", APPEARED_TEXT, sign=APPEARED_SIGN.upper()), SECRETS, NOW, UTC)


@pytest.mark.parametrize("missing", ["vpbx_api_key", "vpbx_api_salt"])
def test_a_connection_without_its_secrets_verifies_nothing(missing):
    sentence = refusal(BadSignature, request("/events/call", APPEARED_TEXT), {**SECRETS, missing: ""})
    assert sentence == f"This connection has no {missing} yet, so no request to it can be verified."


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", BadSignature),
        (b"json=%7B%7D&vpbx_api_key=KEY123", BadSignature),
        (b"sign=a", Unreadable),
        (b"sign=a&sign=b&json=%7B%7D&vpbx_api_key=KEY123", Unreadable),
        (b"json=%FF&sign=a&vpbx_api_key=KEY123", Unreadable),
        (b"\xff\xfe", Unreadable),
        (b"&".join(b"a=1" for _ in range(30)), Unreadable),
        (b"a" * (BODY_LIMIT + 1), TooLarge),
    ],
)
def test_a_body_that_is_not_mango_s_form_is_refused(body, kind):
    refusal(kind, CallRequest("POST", "/events/call", {}, {}, body))


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("/events/call", {"entry_id": ""}, "entry_id must be a string of 1 to 255 printable characters."),
        ("/events/call", {"call_state": 5}, "call_state must be a string of 1 to 255 printable characters."),
        ("/events/call", {"timestamp": None}, "timestamp must be unix seconds."),
        ("/events/call", {"timestamp": "soon"}, "timestamp must be a whole number from 0 to 253402300799."),
        ("/events/call", {"seq": -1}, "seq must be a whole number from 0 to 1000000000000000."),
        ("/events/call", {"from": "79161234567"}, "from must be a JSON object."),
        ("/events/summary", {"end_time": 0}, "create_time and end_time must be unix seconds."),
        ("/events/summary", {"entry_result": 7}, "entry_result must be a whole number from 0 to 1."),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(path, fields, sentence):
    right = SUMMARY if path.endswith("summary") else json.loads(APPEARED_TEXT)
    assert refusal(Unreadable, request(path, json.dumps({**right, **fields}))) == sentence


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/events/call", {**json.loads(APPEARED_TEXT), "timestamp": STAMP + 3600 + 86_401}),
        ("/events/summary", {**SUMMARY, "end_time": STAMP + 3600 + 86_401}),
        ("/events/record/added", {**RECORD_ADDED, "timestamp": 253402300799}),
    ],
)
def test_a_call_of_the_day_after_tomorrow_is_refused(path, fields):
    assert "more than 24 hours in the future" in refusal(Stale, request(path, json.dumps(fields)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(["/events/call", "/events/summary", "/events/recording", "/events/record/added", "/x"])


def parses_or_refuses(call_request: CallRequest) -> None:
    sentence = ""
    try:
        parse(call_request, SECRETS, NOW, UTC)
    except Refused as refused:
        sentence = refused.sentence
    assert SALT not in sentence


@given(paths, st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(path, body):
    parses_or_refuses(CallRequest("POST", path, {}, {}, body))


@given(paths, st.text(max_size=100))
def test_any_signed_text_is_parsed_or_refused(path, text):
    parses_or_refuses(request(path, text.encode("utf-8", "replace").decode()))


@given(
    paths,
    st.dictionaries(
        st.sampled_from([*SUMMARY, "timestamp", "seq", "call_id", "call_state", "location", "dct", "recording_id"]),
        json_values,
    ),
)
def test_any_signed_fields_are_parsed_or_refused(path, fields):
    parses_or_refuses(request(path, json.dumps({**SUMMARY, **json.loads(APPEARED_TEXT), **fields})))
