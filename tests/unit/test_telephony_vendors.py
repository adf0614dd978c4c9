"""Every vendor's file in tests/unit/telephony: raw requests, the call events they become, and what is refused.

A file has requests (with the exact events of each), refusals (with kind and sentence) and calls (which requests
make one call, and what the call is then). Every file tells each of ``MATRIX``, or says why its vendor cannot.
"""

from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import permutations

import pytest

from tests.unit.telephony.cases import VENDORS, cases_of, facts, named, read, received, request_of
from tracking_core.call import FALLBACK, Call, CallEvent, CallStatus, fold
from tracking_core.telephony import ADAPTERS, BODY_LIMIT, BadSignature, CallRequest, Refused, TooLarge

MATRIX = {  # telephony sheet, section 13, and the fold rules of section 10
    "answered",
    "missed",
    "busy",
    "cancelled",
    "transferred",
    "hidden_caller",
    "recording_first",
    "answer_after_end",
    "end_lost",
}
MOST_ORDERS = 120
requests, refusals = named("requests"), named("refusals")
calls = [(vendor, name) for vendor, name in named("calls") if not isinstance(cases_of(vendor)["calls"][name], str)]


def test_every_vendor_but_the_two_with_files_of_their_own_has_cases():
    assert set(VENDORS) == set(ADAPTERS) - {"generic", "mango"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_tells_each_kind_of_call_or_why_it_cannot(vendor):
    assert set(cases_of(vendor)["calls"]) >= MATRIX


# -- requests


@pytest.mark.parametrize(("vendor", "name"), requests)
def test_a_request_becomes_its_events(vendor, name):
    spec = cases_of(vendor)["requests"][name]
    assert [facts(event) for event in read(vendor, spec)] == spec["events"]


@pytest.mark.parametrize(("vendor", "name"), requests)
def test_a_request_is_answered_as_its_vendor_needs(vendor, name):
    spec = cases_of(vendor)["requests"][name]
    answer = ADAPTERS[vendor].answer(request_of(vendor, spec))
    expected = spec.get("answer", cases_of(vendor).get("answer"))
    assert (answer and {"body": answer.body.decode(), "media_type": answer.media_type}) == expected


@pytest.mark.parametrize(("vendor", "name"), requests)
def test_a_request_comes_by_a_method_of_its_adapter(vendor, name):
    assert cases_of(vendor)["requests"][name].get("method", "POST") in ADAPTERS[vendor].methods


@pytest.mark.parametrize(("vendor", "name"), requests)
def test_a_request_repeated_a_day_later_is_the_same_facts(vendor, name):
    spec = cases_of(vendor)["requests"][name]
    later = received(vendor, spec) + timedelta(hours=25)
    assert [event.dedupe_key for event in read(vendor, spec, later)] == [
        event.dedupe_key for event in read(vendor, spec)
    ]


@pytest.mark.parametrize(("vendor", "name"), requests)
def test_unknown_fields_are_ignored(vendor, name):
    spec = cases_of(vendor)["requests"][name]
    part = next((part for part in ("form", "json", "query") if part in spec), None)
    if spec.get("as_it_is") or part is None:
        return  # a signature as given covers just these fields; XML has a case of its own
    surprised = {**spec, part: {**spec[part], "surprise": "ice cream"}}
    assert read(vendor, surprised) == read(vendor, spec)


# -- refusals


@pytest.mark.parametrize(("vendor", "name"), refusals)
def test_a_refusal_says_in_one_sentence_why(vendor, name):
    spec = cases_of(vendor)["refusals"][name]
    with pytest.raises(Refused) as caught:
        read(vendor, spec)
    assert (type(caught.value).__name__, caught.value.sentence) == (spec["kind"], spec["sentence"])


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_above_the_limit_is_refused(vendor):
    large = CallRequest("POST", "", {}, {}, b"a" * (BODY_LIMIT + 1))
    with pytest.raises(TooLarge):
        ADAPTERS[vendor].parse(large, cases_of(vendor).get("secrets", {}), cases_of(vendor)["now"], UTC)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_that_is_not_utf8_is_refused(vendor):
    odd = CallRequest("POST", "/status", cases_of(vendor).get("headers", {}), {}, b"event=\xff\xfe")
    with pytest.raises(Refused):
        ADAPTERS[vendor].parse(odd, cases_of(vendor).get("secrets", {}), cases_of(vendor)["now"], UTC)


@pytest.mark.parametrize("vendor", [vendor for vendor in VENDORS if ADAPTERS[vendor].secrets_needed])
def test_a_connection_without_its_secrets_verifies_nothing(vendor):
    spec = next(iter(cases_of(vendor)["requests"].values()))
    with pytest.raises(BadSignature, match="so no request to it can be verified"):
        ADAPTERS[vendor].parse(request_of(vendor, spec), {}, cases_of(vendor)["now"], UTC)


# -- calls


def events_of(vendor: str, names: Sequence[str]) -> list[CallEvent]:
    specs = cases_of(vendor)["requests"]
    return [event for name in names for event in read(vendor, specs[name])]


def folded(vendor: str, events: Sequence[CallEvent]) -> Call:
    last = max(event.occurred_at for event in events)
    return fold(events, max(last, cases_of(vendor)["now"]) + FALLBACK)


@pytest.mark.parametrize(("vendor", "name"), calls)
def test_requests_become_a_call(vendor, name):
    told = cases_of(vendor)["calls"][name]
    call = folded(vendor, events_of(vendor, told["of"]))
    assert {fact: getattr(call, fact) for fact in told["is"]} == told["is"]


@pytest.mark.parametrize(("vendor", "name"), calls)
def test_every_order_and_any_repetition_make_the_same_call(vendor, name):
    events = events_of(vendor, cases_of(vendor)["calls"][name]["of"])
    orders = [order for order, _ in zip(permutations(events), range(MOST_ORDERS), strict=False)]
    orders += [events[::-1], events + events[::-1]]
    once = folded(vendor, events)
    assert [order for order in orders if folded(vendor, order) != once] == []


@pytest.mark.parametrize(("vendor", "name"), calls)
def test_the_facts_of_a_call_are_told_apart(vendor, name):
    keys = [event.dedupe_key for event in events_of(vendor, cases_of(vendor)["calls"][name]["of"])]
    assert len(set(keys)) == len(keys)


# -- examples

SIGNABLE = {name: adapter for name, adapter in ADAPTERS.items() if adapter.example}
NOW = cases_of("zadarma")["now"]


def test_only_what_the_vendor_alone_can_sign_has_no_example():
    assert set(ADAPTERS) - set(SIGNABLE) == {"telnyx"}


@pytest.mark.parametrize("adapter", SIGNABLE.values(), ids=SIGNABLE)
def test_an_example_is_an_answered_call_that_ended_now(adapter):
    secrets = dict.fromkeys(adapter.secrets_needed, "s3cret")
    call = fold(adapter.parse(adapter.example(secrets, NOW), secrets, NOW, UTC), NOW + FALLBACK)
    assert (call.status, call.ended_at, call.talk_s) == (CallStatus.ANSWERED, NOW, 62)
