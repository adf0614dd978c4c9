"""Is a call a target enquiry, and which rule said so."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tracking_core.call import CallEvent, CallEventKind, CallStatus, Direction, fold
from tracking_core.qualify import DAYS, CallBack, CallBacks, Hours, Rules, Verdict, Waiting, qualify

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


SOON = Rules(called_back_within_s=300)


def backs(*made: tuple[int, int], others: tuple[int, ...] = ()) -> CallBacks:
    """Calls back so many seconds after the missed call ended, each with its talk; others began to wait before it."""
    return CallBacks(
        [CallBack(T0 + timedelta(seconds=after), talk_s) for after, talk_s in made],
        [Waiting("call", T0 - timedelta(seconds=before + 20), T0 - timedelta(seconds=before)) for before in others],
    )


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (backs(), Verdict(False, "Nobody has called back; a call back within 300 s counts.")),
        (backs((240, 40)), Verdict(True, "Called back after 240 s; the talk lasted 40 s, at least 30 s count.")),
        (backs((300, 30)), Verdict(True, "Called back after 300 s; the talk lasted 30 s, at least 30 s count.")),
        (backs((301, 40)), Verdict(False, "Called back after 301 s, at most 300 s count.")),
        (backs((240, 5)), Verdict(False, "Called back after 240 s; the talk lasted 5 s, at least 30 s count.")),
        (backs((60, 5), (240, 40)), Verdict(True, "Called back after 240 s; the talk lasted 40 s, at least 30 s count.")),
        (backs((-5, 40)), Verdict(True, "Called back after 0 s; the talk lasted 40 s, at least 30 s count.")),
        (backs((60, 40), others=(200,)), Verdict(False, "The call back counts for an earlier enquiry of the same person.")),
        (backs((60, 40), others=(241,)), Verdict(True, "Called back after 60 s; the talk lasted 40 s, at least 30 s count.")),
    ],
)  # fmt: skip
def test_a_missed_call_is_judged_by_its_call_back_where_the_rules_say_so(made, verdict):
    assert qualify(MISSED, SOON, back=made) == verdict


@pytest.mark.parametrize(
    "rules",
    [
        Rules(called_back_within_s=300, kinds=frozenset({"call"})),
        Rules(called_back_within_s=300, hours=Hours(frozenset(DAYS), time(12), time(13), "UTC")),
    ],
    ids=["of another kind", "out of hours"],
)
def test_who_waited_before_and_does_not_count_takes_no_call_back(rules):
    earlier = T0 - timedelta(seconds=60)
    back = replace(backs((60, 40)), others=[Waiting("callback", earlier, earlier)])
    assert qualify(MISSED, rules, back=back).qualified


def test_a_missed_call_called_back_does_not_count_by_default():
    assert qualify(MISSED, Rules(), back=backs((60, 40))) == Verdict(False, "Nobody answered.")


def test_a_call_that_was_answered_needs_no_call_back():
    assert qualify(TALK, SOON).why == "The talk lasted 45 s, at least 30 s count."


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


@pytest.mark.parametrize(
    ("hours", "moment", "holds"),
    [
        (WORKING, datetime(2026, 1, 9, 9, tzinfo=UTC), True),  # Friday, 12:00 in Moscow
        (replace(WORKING, holidays=frozenset({date(2026, 1, 9)})), datetime(2026, 1, 9, 9, tzinfo=UTC), False),
        (replace(NIGHT_SHIFT, holidays=frozenset({date(2026, 1, 10)})), datetime(2026, 1, 10, 1, tzinfo=UTC), True),
        (replace(NIGHT_SHIFT, holidays=frozenset({date(2026, 1, 9)})), datetime(2026, 1, 10, 1, tzinfo=UTC), False),
    ],
)
def test_nothing_begins_on_a_holiday(hours, moment, holds):
    assert hours.hold(moment) == holds
