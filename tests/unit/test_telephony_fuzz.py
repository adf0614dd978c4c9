"""No bytes make an adapter raise anything but the contract's refusal, signed or not, and no refusal tells a secret."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.telephony.cases import VENDORS, cases_of, received, request_of
from tracking_core.call import fold
from tracking_core.telephony import ADAPTERS, CallRequest, Refused

SECRETS = {"vpbx_api_key": "a-k3y", "vpbx_api_salt": "a-s4lt", "secret": "a-s3cret"}
PATHS = st.sampled_from(["", "/", "/events/call", "/voice", "/leg", "/status", "/dial", "/recording", "//", "/é"])
TEXTS = st.text(max_size=30)
PLAIN = st.dictionaries(st.sampled_from(["to", "event", "zd_echo", "did", "secret", "call_id", "timestamp"]), TEXTS)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "authorization",
            "content-type",
            "signature",
            "x-twilio-signature",
            "telnyx-timestamp",
            "telnyx-signature-ed25519",
        ]
    ),
    TEXTS
    | st.sampled_from(["Basic aHViOnMzY3JldA==", "Bearer s3cret", "Basic !", "application/x-www-form-base64-encoded"]),
)
ODD_STARTS = st.sampled_from(
    [
        b"",
        b"{",
        b"[" * 20_000,
        b"<Event>" * 5_000,
        b"cdr=",
        b"event=NOTIFY_START&",
        b"<?xml version='1.0' encoding='utf-16'?>",
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NEARLY = st.sampled_from(
    ["", "0", "-1", "1e999", "99999999999999999999", "2026-11-22", "0001-01-01", "9999-12-31T23:59:59-23:00", "\x00", "+7", "%3A%2F%2F", "²"]
)  # fmt: skip


def parses_or_refuses(vendor: str, request: CallRequest, secrets: Mapping[str, str], now: Any) -> None:
    adapter, sentence = ADAPTERS[vendor], ""
    try:
        events = adapter.parse(request, secrets, now, ZoneInfo("Asia/Yekaterinburg"))
        adapter.answer(request)
        for call_id in {event.provider_call_id for event in events}:
            fold([event for event in events if event.provider_call_id == call_id], now)
    except Refused as refused:
        sentence = refused.sentence
        assert sentence.endswith(".") and sentence.isprintable()
    assert [told for told in secrets.values() if len(told) > 5 and told in sentence] == []


@pytest.mark.parametrize("vendor", ADAPTERS)
@given(
    method=st.sampled_from(["POST", "GET"]),
    path=PATHS,
    query=PLAIN,
    headers=HEADERS,
    start=ODD_STARTS,
    rest=st.binary(max_size=200),
    url=TEXTS | st.just("https://[::1/x"),
)
def test_any_bytes_are_parsed_or_refused(vendor, method, path, query, headers, start, rest, url):
    secrets = {name: SECRETS.get(name, "a-s3cret") for name in ADAPTERS[vendor].secrets_needed}
    now = cases_of("zadarma")["now"].astimezone(UTC)
    parses_or_refuses(vendor, CallRequest(method, path, headers, query, start + rest, url), secrets, now)


def spoilt(fields: Mapping[str, Any], draw: Any, values: st.SearchStrategy) -> dict[str, Any]:
    """Return the fields with some of them, at any depth, replaced or left out."""
    made = dict(fields)
    for name in draw(st.lists(st.sampled_from(sorted(made)), max_size=3, unique=True)) if made else ():
        if isinstance(made[name], dict) and draw(st.booleans()):
            made[name] = spoilt(made[name], draw, values)
        elif draw(st.booleans()):
            made[name] = draw(values)
        else:
            del made[name]
    return made


@pytest.mark.parametrize("vendor", VENDORS)
@given(data=st.data())
def test_any_fields_under_a_right_signature_are_parsed_or_refused(vendor, data):
    specs = [spec for spec in cases_of(vendor)["requests"].values() if not spec.get("as_it_is")]
    spec = dict(data.draw(st.sampled_from(specs)))
    for part, values in (("form", TEXTS | NEARLY), ("query", TEXTS | NEARLY), ("json", JSON_VALUES | NEARLY)):
        if part in spec:
            spec[part] = spoilt(spec[part], data.draw, values)
    if "text" in spec:
        spec["text"] = cut(spec["text"], data.draw)
    now = received(vendor, spec)
    parses_or_refuses(vendor, request_of(vendor, spec, now), cases_of(vendor).get("secrets", {}), now)


def cut(text: str, draw: Any) -> str:
    """Return the text with a piece of it replaced."""
    start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return text[:start] + draw(TEXTS | NEARLY) + text[end if draw(st.booleans()) else start :]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_request_of_one_vendor_is_no_request_of_another(vendor):
    """Every vendor's requests at every other vendor's door: read or refused, never a failure."""
    now = cases_of("zadarma")["now"]
    for other in VENDORS:
        for spec in cases_of(other)["requests"].values():
            parses_or_refuses(vendor, request_of(other, spec), cases_of(vendor).get("secrets", {}), now)
