"""Signatures of the telephony sheet and of the vendors' public texts, each as it stands there."""

import pytest

from tracking_core.telephony import twilio, zadarma
from tracking_core.telephony.causes import by_dial, by_q850, by_sip
from tracking_core.telephony.telnyx import is_signed

CALL = {"caller_id": "79161234567", "called_did": "74951112233", "call_start": "2026-11-22 10:00:00"}
RECORD = {"pbx_call_id": "in_abc123", "call_id_with_rec": "1795319462.100"}


@pytest.mark.parametrize("event", ["NOTIFY_START", "NOTIFY_INTERNAL", "NOTIFY_END", "NOTIFY_IVR"])
def test_zadarma_s_signature_of_a_call(event):
    assert (
        zadarma.sign("zsecret", {"event": event, **CALL}) == "MDVjMTVkN2Y5OTY3MGZkNDA1YmVhODg3MTYwZDJlMDBiMTYyZmVkYw=="
    )


def test_zadarma_s_signature_of_a_recording():
    signature = zadarma.sign("zsecret", {"event": "NOTIFY_RECORD", **RECORD})
    assert signature == "N2VjNDgwNzE1ZWQ3NmIxYmIxNGM2MWJlNWIyYzdlMzcxMjA0NWY4Yg=="


def test_zadarma_s_signature_of_an_answer_covers_the_destination():
    told = {"event": "NOTIFY_ANSWER", "caller_id": "79161234567", "destination": "74951112233"}
    assert zadarma.sign("zsecret", {**told, "call_start": CALL["call_start"], "called_did": "other"}) == zadarma.sign(
        "zsecret", {"event": "NOTIFY_START", **CALL}
    )


def test_zadarma_s_signature_of_a_call_out_covers_who_dialled():
    told = {"event": "NOTIFY_OUT_END", "internal": "79161234567", "destination": "74951112233"}
    assert zadarma.sign("zsecret", {**told, "call_start": CALL["call_start"]}) == zadarma.sign(
        "zsecret", {"event": "NOTIFY_START", **CALL}
    )


def test_twilio_s_signature_in_the_sheet():
    form = {"CallSid": "CA1", "CallStatus": "completed", "From": "+79161234567", "To": "+74951112233"}
    url = "https://hub.example/in/twilio?src=a"
    assert twilio.sign("12345", url, form.items()) == "JoD/aEpJU5HAcSmTqsyVwpcBcmM="


def test_twilio_s_signature_in_its_own_library():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio.sign("12345", url, form.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_a_field_told_twice_is_signed_once_for_each_value():
    pairs = [("b", "2"), ("a", "1"), ("b", "1"), ("b", "2")]
    assert twilio.sign("12345", "https://x/", pairs) == twilio.sign("12345", "https://x/a1", [("b", "1"), ("b", "2")])


# RFC 8032, section 7.1, test 1, and a message of our own that openssl signed with the same key.
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OF_NOTHING = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw=="
BY_OPENSSL = "Toc0F6c164oSSqKomHr11cdLHlmcietkFxBjCrFRh1yW8tmmgZ/8GdVGqp9ti+62i43B9EsEPAx5sS6YbtstCA=="


def test_the_rfc_s_signature_of_nothing():
    assert is_signed(KEY, OF_NOTHING, b"")


def test_openssl_s_signature_of_a_message():
    assert is_signed(KEY, BY_OPENSSL, b'1795341600|{"data":{}}')


@pytest.mark.parametrize("text", [b'1795341601|{"data":{}}', b'1795341600|{"data":{} }', b""])
def test_a_signature_is_of_its_message_alone(text):
    assert not is_signed(KEY, BY_OPENSSL, text)


@pytest.mark.parametrize(
    ("key", "signature"), [("", BY_OPENSSL), ("AAAA", BY_OPENSSL), ("й", "й"), (KEY, "!"), (KEY, "")]
)
def test_what_is_no_key_or_no_signature_signs_nothing(key, signature):
    assert not is_signed(key, signature, b'1795341600|{"data":{}}')


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (486, "busy"), (600, "busy"), (480, "missed"), (408, "missed"), (487, "cancelled"), (603, "blocked"),
        (404, "failed"), (484, "failed"), (500, "failed"), (503, "failed"), (200, "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_sip_responses_of_the_sheet(code, status):
    assert by_sip(code) == status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (16, "missed"), (31, "missed"), (17, "busy"), (18, "missed"), (19, "missed"), (20, "missed"), (21, "blocked"), (1, "failed"),
        (28, "failed"), (34, "failed"), (38, "failed"), (41, "failed"), (42, "failed"), (127, "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_q850_causes_of_the_sheet(code, status):
    assert by_q850(code) == status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ANSWER", "answered"), ("NOANSWER", "missed"), ("BUSY", "busy"), ("CANCEL", "cancelled"), ("CONGESTION", "failed"),
        ("CHANUNAVAIL", "failed"), ("DONTCALL", "failed"), ("TORTURE", "failed"), ("INVALIDARGS", "failed"), (None, "unknown"),
    ],
)  # fmt: skip
def test_dial_statuses_of_the_sheet(word, status):
    assert by_dial(word) == status
