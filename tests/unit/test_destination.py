"""Where a call rings: what is taken as a destination, and what the sources that ask are answered."""

import json

import pytest

from tracking_core.destination import kind_of, to_destination
from tracking_core.telephony import ADAPTERS

EVENTS = "https://hub.example/telephony/TOKEN"


@pytest.mark.parametrize(
    ("said", "kept", "kind"),
    [
        ("8 (495) 100-00-00", "+74951000000", "phone"),
        (" +44 20 7183 8750 ", "+442071838750", "phone"),
        ("101", "101", "extension"),
        ("*98#", "*98#", "extension"),
        ("reception", "reception", "extension"),
        ("sip:Sales@PBX.example", "sip:Sales@pbx.example", "sip"),
        ("SIPS:101@10.0.0.7:5061", "sips:101@10.0.0.7:5061", "sip"),
        ("sip:+74951000000@pbx.example", "sip:+74951000000@pbx.example", "sip"),
    ],
)
def test_a_destination_has_one_spelling(said, kept, kind):
    assert to_destination(said) == kept
    assert kind_of(kept) == kind


@pytest.mark.parametrize(
    "said",
    ["", "+7 495", "1234567", "sip:", "sip:a b@x", "tel:+74951000000", "user@pbx.example", "101,Goto(x)", "${EXTEN}",
     "a\nb", 'x"y', "sip:a@b;transport=tcp", "<Number>", "охрана", "a" * 65],
)  # fmt: skip
def test_what_would_mean_something_else_in_a_dialplan_is_no_destination(said):
    assert to_destination(said) is None


def told(adapter, destination):
    return ADAPTERS[adapter].routing.answer(destination, EVENTS).body.decode()


def test_twilio_rings_a_phone_and_tells_its_events():
    assert told("twilio", "+74951000000") == (
        f'<Response><Dial answerOnBridge="true" action="{EVENTS}/dial">'
        f'<Number statusCallback="{EVENTS}/leg" statusCallbackEvent="initiated ringing answered completed">'
        "+74951000000</Number></Dial></Response>"
    )


def test_twilio_rings_a_sip_address():
    assert f'<Sip statusCallback="{EVENTS}/leg"' in told("twilio", "sip:101@pbx.example")
    assert ">sip:101@pbx.example</Sip></Dial>" in told("twilio", "sip:101@pbx.example")


@pytest.mark.parametrize("destination", [None, "101"])
def test_twilio_is_busy_where_it_cannot_ring(destination):
    assert told("twilio", destination) == '<Response><Reject reason="busy"/></Response>'


def test_uis_is_told_the_phone_in_digits():
    assert json.loads(told("uis", "+74951000000")) == {"phones": ["74951000000"]}


@pytest.mark.parametrize("destination", [None, "101", "sip:101@pbx.example"])
def test_uis_goes_on_with_its_scenario_where_there_is_no_phone(destination):
    assert json.loads(told("uis", destination)) == {"returned_code": 1}
