"""Our own signed call events: what is accepted, what is refused and in which words."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.call import CallEventKind, CallStatus, Direction, fold
from tracking_core.telephony import (
    BODY_LIMIT,
    BadSignature,
    CallRequest,
    Refused,
    Stale,
    TooLarge,
    Unreadable,
)
from tracking_core.telephony.generic import parse, sign

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET = "a shared secret of the connection"
MOSCOW = ZoneInfo("Europe/Moscow")
RINGING = {
    "call_id": "c-1",
    "event": "ringing",
    "at": "2026-11-22T14:59:00+03:00",
    "dialled": "8 (495) 111-22-33",
    "caller": "+79161234567",
}
ENDED = {**RINGING, "event": "ended", "at": "2026-11-22T12:00:00Z"}


def request(body: bytes, **headers: str) -> CallRequest:
    given = {
        "Webhook-Id": "msg-1",
        "Webhook-Timestamp": str(STAMP),
        "Webhook-Signature": sign(SECRET, "msg-1", STAMP, body),
        **headers,
    }
    return CallRequest("POST", "/", given, {}, body)


def told(fields: object):
    (only,) = parse(request(json.dumps(fields).encode()), {"secret": SECRET}, NOW, MOSCOW)
    return only


def refusal(kind: type[Refused], call_request: CallRequest, secret: str = SECRET) -> str:
    with pytest.raises(kind) as caught:
        parse(call_request, {"secret": secret}, NOW, MOSCOW)
    assert type(caught.value) is kind
    return caught.value.sentence


def test_a_ringing_call():
    call_event = told(RINGING)
    assert (call_event.kind, call_event.did, call_event.caller) == (
        CallEventKind.RINGING,
        "+74951112233",
        "+79161234567",
    )


def test_times_become_utc():
    assert told(RINGING).occurred_at == datetime(2026, 11, 22, 11, 59, tzinfo=UTC)


def test_a_time_without_zone_is_the_connection_s():
    assert told({**RINGING, "at": "2026-11-22T14:59:00"}).occurred_at == datetime(2026, 11, 22, 11, 59, tzinfo=UTC)


def test_an_end_closes_the_whole_call():
    assert told(ENDED).final


def test_an_end_with_talk_and_no_status_was_answered():
    assert told({**ENDED, "talk_s": 5}).status is CallStatus.ANSWERED


def test_an_end_alone_knows_when_the_call_began():
    assert told({**ENDED, "talk_s": 50, "wait_s": 10}).started_at == NOW - timedelta(minutes=1)


def test_a_hidden_caller():
    call_event = told({**RINGING, "caller": "anonymous"})
    assert (call_event.caller, call_event.caller_anonymous) == (None, True)


def test_an_outbound_call():
    assert told({**RINGING, "direction": "outbound"}).direction is Direction.OUTBOUND


def test_unknown_fields_are_ignored():
    assert told({**RINGING, "weather": {"rain": True}}) == told(RINGING)


def test_three_events_in_reverse_are_one_answered_call():
    answered = {**RINGING, "event": "answered", "at": "2026-11-22T11:59:10Z", "operator": "Анна"}
    call = fold([told({**ENDED, "visit_id": "v-1"}), told(answered), told(RINGING)], NOW)
    assert (call.status, call.talk_s, call.operator, call.visit_id) == (
        CallStatus.ANSWERED,
        50,
        "Анна",
        "v-1",
    )


def test_a_message_sent_again_has_the_same_key():
    body, later = json.dumps(RINGING).encode(), NOW + timedelta(seconds=90)
    (again,) = parse(request(body), {"secret": SECRET}, later, MOSCOW)
    assert again.dedupe_key == told(RINGING).dedupe_key


def test_a_reused_message_id_does_not_hide_another_event():
    assert told(RINGING).dedupe_key != told(ENDED).dedupe_key


def test_a_signature_of_another_secret_is_refused():
    assert "belongs to this connection" in refusal(BadSignature, request(b"{}"), secret="another")


@pytest.mark.parametrize("header", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header_is_refused(header):
    assert "must all be present" in refusal(BadSignature, request(b"{}", **{header: ""}))


@pytest.mark.parametrize(
    "headers", [{"Webhook-Id": "msg-2"}, {"Webhook-Timestamp": str(STAMP + 1)}, {"Webhook-Signature": "v1,é"}]
)
def test_a_signature_covers_id_and_time(headers):
    refusal(BadSignature, request(b"{}", **headers))


def test_a_signature_covers_the_body():
    changed = CallRequest("POST", "/", request(b"{}").headers, {}, b"{ }")
    refusal(BadSignature, changed)


def test_one_right_signature_among_several_is_enough():
    body = json.dumps(RINGING).encode()
    several = f"v1,AAAA v1a,zzz {sign(SECRET, 'msg-1', STAMP, body)}"
    assert parse(request(body, **{"Webhook-Signature": several}), {"secret": SECRET}, NOW, UTC)


def test_a_whsec_secret_is_base64_of_the_key():
    raw = b"0123456789abcdef"
    assert sign("whsec_" + b64encode(raw).decode(), "m", 1, b"x") == sign(raw.decode(), "m", 1, b"x")


def test_the_signature_of_a_known_message():
    """The example of the Standard Webhooks specification."""
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = sign(secret, message, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_a_connection_without_a_usable_secret_verifies_nothing(secret):
    by_nothing = b64encode(hmac.digest(b"", f"msg-1.{STAMP}.{{}}".encode(), "sha256")).decode()
    refusal(BadSignature, request(b"{}", **{"Webhook-Signature": "v1," + by_nothing}), secret=secret)


@pytest.mark.parametrize(("seconds", "stale"), [(-300, False), (300, False), (-301, True), (301, True)])
def test_a_message_is_good_for_five_minutes(seconds, stale):
    body, stamp = json.dumps(RINGING).encode(), STAMP + seconds
    aged = request(
        body,
        **{"Webhook-Timestamp": str(stamp), "Webhook-Signature": sign(SECRET, "msg-1", stamp, body)},
    )
    if stale:
        assert "within 5 minutes" in refusal(Stale, aged)
    else:
        assert parse(aged, {"secret": SECRET}, NOW, UTC)


def test_a_signed_time_that_is_no_time_is_refused():
    odd = request(b"{}", **{"Webhook-Timestamp": "soon", "Webhook-Signature": sign(SECRET, "msg-1", "soon", b"{}")})
    assert refusal(Unreadable, odd) == "webhook-timestamp must be unix seconds."


def test_a_body_above_the_limit_is_refused():
    sentence = refusal(TooLarge, request(b" " * (BODY_LIMIT + 1)))
    assert sentence == "The body is 65537 bytes long; at most 65536 are accepted."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\xff\xfe", "The body must be UTF-8."),
        (b"{", "The body must be valid JSON."),
        (b"[" * 30_000, "The body must be valid JSON."),
        (b'{"talk_s": NaN}', "The body must be valid JSON."),
        (b"[]", "The body must be a JSON object."),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body, sentence):
    assert refusal(Unreadable, request(body)) == sentence


@pytest.mark.parametrize(
    ("field", "wrong", "sentence"),
    [
        ("call_id", None, "call_id must be a string of 1 to 255 printable characters."),
        ("call_id", "a\x00b", "call_id must be a string of 1 to 255 printable characters."),
        ("call_id", "\ud800", "call_id must be a string of 1 to 255 printable characters."),
        ("event", "hangup", "event must be one of: ringing, answered, ended, recorded."),
        ("event", [], "event must be one of: ringing, answered, ended, recorded."),
        ("at", "yesterday", "at must be an ISO 8601 time from the year 2000."),
        ("at", 1795319462, "at must be an ISO 8601 time from the year 2000."),
        ("at", "0001-01-01T00:00:00+10:00", "at must be an ISO 8601 time from the year 2000."),
        ("direction", "in", "direction must be one of: inbound, outbound, internal."),
        ("dialled", 74951112233, "dialled must be a string or null."),
        ("caller", ["+7"], "caller must be a string or null."),
        ("talk_s", "5", "talk_s must be a whole number of seconds from 0 to 604800."),
        ("talk_s", -1, "talk_s must be a whole number of seconds from 0 to 604800."),
        ("wait_s", True, "wait_s must be a whole number of seconds from 0 to 604800."),
        (
            "status",
            "ringing",
            "status must be one of: missed, busy, cancelled, failed, voicemail, blocked, answered.",
        ),
        ("operator", {}, "operator must be a string or null."),
        ("operator", "я" * 256, "operator must be a string of at most 255 characters."),
        (
            "recording_url",
            "javascript:alert(1)",
            "recording_url must be an http or https address of at most 2000 characters.",
        ),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(field, wrong, sentence):
    body = json.dumps({**ENDED, field: wrong}).encode()
    assert refusal(Unreadable, request(body)) == sentence


def test_a_recording_needs_its_address():
    body = json.dumps({**RINGING, "event": "recorded"}).encode()
    assert "recording_url must be" in refusal(Unreadable, request(body))


def test_a_call_of_the_day_after_tomorrow_is_refused():
    body = json.dumps({**RINGING, "at": "2026-11-23T12:00:01Z"}).encode()
    assert refusal(Stale, request(body)) == "The time in at is more than 24 hours in the future."


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def parses_or_refuses(body: bytes) -> None:
    sentence = ""
    try:
        parse(request(body), {"secret": SECRET}, NOW, MOSCOW)
    except Refused as refused:
        sentence = refused.sentence
    assert SECRET not in sentence


@given(st.binary(max_size=300))
def test_any_signed_bytes_are_parsed_or_refused(body):
    parses_or_refuses(body)


@given(st.dictionaries(st.sampled_from([*ENDED, "talk_s", "wait_s", "status", "operator"]), json_values))
def test_any_signed_fields_are_parsed_or_refused(fields):
    parses_or_refuses(json.dumps({**ENDED, **fields}).encode())


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.binary(max_size=40))
def test_any_headers_are_parsed_or_refused(message_id, timestamp, signature, body):
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    with pytest.raises(Refused):
        parse(CallRequest("POST", "/", headers, {}, body), {"secret": SECRET}, NOW, UTC)
