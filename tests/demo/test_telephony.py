"""What the providers of the demo tell: the sheet's shapes and signatures, in any order."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import pytest

from sandbox.demo.calls import CallPlan, Disorder, Kind
from sandbox.demo.door import Door, NoAnswer
from sandbox.demo.telephony import (
    Mango,
    Message,
    SmallProvider,
    disordered,
    generic_messages,
    mango_messages,
)

LINE = "+74951401001"
KEY, SALT = "a key", "a salt"


@pytest.fixture
def answered_call() -> CallPlan:
    return CallPlan(
        number=7,
        kind=Kind.FRESH,
        at=1_795_157_000.0,
        wait_s=8,
        talk_s=60,
        caller="+79161234567",
        operator="101",
        disorder=Disorder.NONE,
    )


@pytest.fixture
def missed_call(answered_call: CallPlan) -> CallPlan:
    return replace(answered_call, talk_s=0)


def says(messages: list[Message], path: str) -> list[dict[str, object]]:
    return [dict(one.says) for one in messages if one.path == path]


def test_a_direct_call_has_one_leg(answered_call: CallPlan) -> None:
    legs = says(list(mango_messages(replace(answered_call, number=8), LINE)), "/events/call")

    assert [leg["call_state"] for leg in legs] == ["Appeared", "Connected", "Disconnected"]


def test_a_talk_has_a_menu_leg_and_an_employee_leg(answered_call: CallPlan) -> None:
    legs = says(list(mango_messages(answered_call, LINE)), "/events/call")

    assert [(leg["location"], leg["call_state"], leg["seq"]) for leg in legs] == [
        ("ivr", "Appeared", 1),
        ("ivr", "Connected", 2),
        ("abonent", "Appeared", 1),
        ("ivr", "Disconnected", 3),
        ("abonent", "Connected", 2),
        ("abonent", "Disconnected", 3),
    ]


def test_a_missed_call_has_no_talk_in_its_summary(missed_call: CallPlan) -> None:
    (summary,) = says(list(mango_messages(missed_call, LINE)), "/events/summary")

    assert (summary["entry_result"], summary["talk_time"], summary["disconnect_reason"]) == (0, 0, 1111)


def test_a_hidden_number_is_told_as_anonymous(answered_call: CallPlan) -> None:
    (summary,) = says(list(mango_messages(replace(answered_call, caller=None), LINE)), "/events/summary")

    assert summary["from"] == {"number": "anonymous"}


def test_an_outbound_call_comes_from_an_extension(answered_call: CallPlan) -> None:
    outbound = replace(answered_call, kind=Kind.OUTBOUND)
    (summary,) = says(list(mango_messages(outbound, LINE)), "/events/summary")

    assert (summary["call_direction"], summary["to"]) == (2, {"number": "79161234567"})


def test_an_internal_call_has_no_line(answered_call: CallPlan) -> None:
    internal = replace(answered_call, kind=Kind.INTERNAL, caller=None)
    (summary,) = says(list(mango_messages(internal, LINE)), "/events/summary")

    assert (summary["call_direction"], "line_number" in summary) == (0, False)


def test_only_the_last_message_ends_the_call(answered_call: CallPlan) -> None:
    ends = [one.ends_call for one in mango_messages(answered_call, LINE)]

    assert ends == [False] * 6 + [True]


@pytest.mark.parametrize("disorder", list(Disorder))
def test_disorder_loses_no_message(answered_call: CallPlan, disorder: Disorder) -> None:
    straight = mango_messages(answered_call, LINE)
    arriving = disordered(straight, disorder)

    assert {json.dumps(one.says) for one in arriving} == {json.dumps(one.says) for one in straight}


def test_shuffled_messages_arrive_in_another_order(answered_call: CallPlan) -> None:
    straight = mango_messages(answered_call, LINE)

    assert [one.says for one in disordered(straight, Disorder.SHUFFLED)] != [one.says for one in straight]


def test_repeated_messages_arrive_twice(answered_call: CallPlan) -> None:
    straight = mango_messages(answered_call, LINE)

    assert len(disordered(straight, Disorder.REPEATED)) > len(straight)


def test_a_summary_may_come_before_the_end_of_its_leg(answered_call: CallPlan) -> None:
    told = mango_messages(replace(answered_call, disorder=Disorder.SUMMARY_FIRST), LINE)

    assert told[-1].path == "/events/call"


def test_the_small_provider_tells_ringing_answer_and_end(answered_call: CallPlan) -> None:
    told = [one.says["event"] for one in generic_messages(answered_call, LINE)]

    assert told == ["ringing", "answered", "ended"]


def test_mango_signs_key_text_and_salt(scripted: Any, answered_call: CallPlan) -> None:
    with Door(scripted.url) as door:
        Mango(door, "/telephony/t", KEY, SALT).post(mango_messages(answered_call, LINE)[-1])
    (heard,) = scripted.heard
    form = parse_qs(heard.body.decode())

    signed = f"{KEY}{form['json'][0]}{SALT}"
    assert form["sign"] == [sha256(signed.encode()).hexdigest()]
    assert heard.path == "/telephony/t/events/summary"


def test_a_repeated_message_keeps_its_id_and_signs_the_new_time(scripted: Any, answered_call: CallPlan) -> None:
    scripted.statuses += [503, 200]
    moments = iter((1_000.0, 1_005.0))
    with Door(scripted.url, pause=lambda seconds: None) as door:
        provider = SmallProvider(door, "/telephony/t", b"a secret", lambda: next(moments))
        provider.post(generic_messages(answered_call, LINE)[0])
    first, second = (heard.headers for heard in scripted.heard)

    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_refused_call_event_ends_the_demo(scripted: Any, answered_call: CallPlan) -> None:
    scripted.statuses.append(401)
    with Door(scripted.url) as door, pytest.raises(NoAnswer, match="events/call was answered with 401"):
        Mango(door, "/telephony/t", KEY, SALT).post(mango_messages(answered_call, LINE)[0])


@pytest.mark.parametrize(("status", "refused"), [(401, True), (200, False)])
def test_a_forged_event_is_refused_or_not(scripted: Any, answered_call: CallPlan, status: int, refused: bool) -> None:
    scripted.statuses.append(status)
    with Door(scripted.url) as door:
        was_refused = Mango(door, "/telephony/t", KEY, SALT).forge(mango_messages(answered_call, LINE)[-1])

    assert was_refused is refused
