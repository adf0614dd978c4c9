"""Is a call a target enquiry, and which rule said so."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from tracking_core.call import CallEvent, CallEventKind, CallStatus, Direction, fold
from tracking_core.qualify import DAYS, Hours, Rules, Verdict, qualify

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CALLER = "+79161234567"


def ended(status: CallStatus, talk_s: int = 0):
    end = CallEvent(
        kind=CallEventKind.ENDED,
        provider_call_id="call-1",
        occurred_at=T0,
        dedupe_key="end",
        final=True,
        status=status,
        talk_s=talk_s,
        caller=CALLER,
        direction=Direction.INBOUND,
    )
    return fold([end], T0 + timedelta(hours=1))


TALK = ended(CallStatus.ANSWERED, 45)
MISSED = ended(CallStatus.MISSED)


def test_a_long_enough_talk_qualifies():
    assert qualify(TALK, Rules()) == Verdict(True, "The talk lasted 45 s, at least 30 s count.")


def test_the_least_talk_itself_qualifies():
    assert qualify(ended(CallStatus.ANSWERED, 30), Rules()).qualified


@pytest.mark.parametrize(
    ("call", "rules", "why"),
    [
        (ended(CallStatus.ANSWERED, 29), Rules(), "The talk lasted 29 s, at least 30 s count."),
        (MISSED, Rules(), "Nobody answered."),
        (TALK, Rules(staff=frozenset({CALLER})), "The caller is on the staff list."),
        (TALK, Rules(spam=frozenset({CALLER})), "The caller is on the spam list."),
        (replace(TALK, ended_at=None), Rules(), "The call is not over yet."),
        (replace(TALK, direction=Direction.OUTBOUND), Rules(), "The call is outbound, not inbound."),
    ],
)
def test_the_rule_that_refuses_is_named(call, rules, why):
    assert qualify(call, rules) == Verdict(False, why)


def test_a_repeated_call_counts_unless_only_first_calls_do():
    assert qualify(TALK, Rules(), called_before=True).qualified


def test_a_repeated_call_is_refused_where_only_first_calls_count():
    verdict = qualify(TALK, Rules(first_time_only=True), called_before=True)
    assert verdict == Verdict(False, "The caller has called before, and only first calls count.")


def test_a_missed_call_called_back_counts_where_the_rules_say_so():
    assert qualify(MISSED, Rules(count_missed_called_back=True), called_back_talk_s=40).qualified


def test_a_missed_call_called_back_does_not_count_by_default():
    assert not qualify(MISSED, Rules(), called_back_talk_s=40).qualified


def test_a_short_call_back_does_not_count():
    verdict = qualify(MISSED, Rules(count_missed_called_back=True), called_back_talk_s=5)
    assert verdict.why == "The call was missed; the talk of the call back lasted 5 s, at least 30 s count."


WORKING = Hours(frozenset(DAYS[:5]), time(9), time(18), "Europe/Moscow")
NIGHT_SHIFT = Hours(frozenset({"fri"}), time(22), time(6), "Europe/Moscow")


@pytest.mark.parametrize(
    ("hours", "at", "inside"),
    [
        (WORKING, datetime(2026, 11, 20, 6, 0, tzinfo=UTC), True),  # Friday, 09:00 in Moscow
        (WORKING, datetime(2026, 11, 20, 5, 59, tzinfo=UTC), False),
        (WORKING, datetime(2026, 11, 20, 14, 59, tzinfo=UTC), True),
        (WORKING, datetime(2026, 11, 20, 15, 0, tzinfo=UTC), False),
        (WORKING, datetime(2026, 11, 21, 9, 0, tzinfo=UTC), False),  # Saturday
        (NIGHT_SHIFT, datetime(2026, 11, 20, 19, 0, tzinfo=UTC), True),
        (NIGHT_SHIFT, datetime(2026, 11, 21, 2, 59, tzinfo=UTC), True),  # the morning after belongs to Friday's night
        (NIGHT_SHIFT, datetime(2026, 11, 21, 3, 0, tzinfo=UTC), False),
        (NIGHT_SHIFT, datetime(2026, 11, 20, 1, 0, tzinfo=UTC), False),  # Thursday's night was none
    ],
)
def test_hours_hold_by_the_clock_of_their_zone(hours, at, inside):
    assert hours.hold(at) is inside


def test_a_call_outside_working_hours_does_not_count():
    assert qualify(TALK, Rules(hours=WORKING)).why == "It came outside working hours."  # T0 is a Sunday


def test_a_caller_who_waited_too_long_does_not_count():
    waited = replace(TALK, wait_s=61)
    assert qualify(waited, Rules(answered_within_s=60)).why == "The caller waited 61 s, at most 60 s count."


def test_the_longest_wait_itself_counts():
    assert qualify(replace(TALK, wait_s=60), Rules(answered_within_s=60)).qualified


def test_only_the_kinds_that_count_do():
    assert not qualify(TALK, Rules(kinds=frozenset({"form"}))).qualified
    assert qualify(TALK, Rules(kinds=frozenset({"call", "form"}))).qualified
