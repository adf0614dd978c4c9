"""What telephony tells late, twice, from the wrong side or not at all: the fold rules at their edges."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.unit.telling import CALLER, DID, INBOUND, LATER, OTHER_DID, answers, at, call_ends, hangs_up, rings, told
from tracking_core.call import CallEventKind, CallStatus, Direction, dedupe_key, fold


def test_a_recording_heard_of_before_the_call_does_not_begin_it():
    recorded = told(CallEventKind.RECORDED, -30, recording_id="r1")
    call = fold([recorded, rings(0), answers(10), call_ends(70)], LATER)
    assert (call.recording_id, call.started_at, call.wait_s) == ("r1", at(0), 10)


def test_a_recording_alone_is_a_call_of_its_moment():
    call = fold([told(CallEventKind.RECORDED, 5, recording_id="r1")], LATER)
    assert (call.status, call.started_at, call.is_ended) == (CallStatus.UNKNOWN, at(5), False)


def test_an_answer_heard_of_after_the_end_is_counted_back_from_it():
    call = fold([rings(0), call_ends(70, status=CallStatus.ANSWERED, talk_s=60), answers(300)], LATER)
    assert (call.answered_at, call.talk_s, call.wait_s) == (at(10), 60, 10)


@pytest.mark.parametrize(
    ("talk_s", "differ"), [(57, False), (60, False), (63, False), (56, True), (64, True), (-60, True)]
)
def test_durations_more_than_three_seconds_apart_are_said_to_differ(talk_s, differ):
    call = fold([rings(0), answers(10), call_ends(70, talk_s=talk_s)], LATER)
    assert (call.durations_differ, call.talk_s) == (differ, max(0, talk_s))


def test_durations_of_a_call_without_a_talk_do_not_differ():
    menu = told(CallEventKind.ANSWERED, 2, "ivr", human=False, answered_at=at(2))
    assert not fold([rings(0), menu, call_ends(70, talk_s=0)], LATER).durations_differ


def test_with_one_telling_alone_nothing_differs():
    assert not fold([call_ends(70, status=CallStatus.ANSWERED, talk_s=60)], LATER).durations_differ


def test_two_legs_ring_and_one_answers():
    legs = [rings(1, "a", operator="101"), rings(1, "b", operator="102"), answers(9, "b", operator="102")]
    call = fold([rings(0, "caller", **INBOUND), *legs, hangs_up(9, "a"), call_ends(70)], LATER)
    assert (call.status, call.operator, call.talk_s, call.did) == (CallStatus.ANSWERED, "102", 61, DID)


def test_a_transferred_call_talks_from_the_first_answer_to_its_end():
    first = [rings(0, **INBOUND), answers(10, operator="101"), hangs_up(40)]
    moved = [rings(35, "leg-2", previous_leg_id="leg-1"), answers(40, "leg-2", operator="102"), hangs_up(70, "leg-2")]
    call = fold([*moved, *first], LATER)
    assert (call.talk_s, call.wait_s, call.operator, call.ended_at) == (60, 10, "102", at(70))


def test_a_leg_that_goes_the_other_way_names_neither_caller_nor_dialled_number():
    dialled_on = rings(2, "out", direction=Direction.OUTBOUND, did=OTHER_DID, caller="+74950000000")
    call = fold([dialled_on, call_ends(70, **INBOUND)], LATER)
    assert (call.direction, call.did, call.caller) == (Direction.INBOUND, DID, CALLER)


def test_a_number_told_after_all_is_not_anonymous():
    call = fold([rings(0, caller_anonymous=True), call_ends(70, caller=CALLER)], LATER)
    assert (call.caller, call.caller_anonymous) == (CALLER, False)


def test_an_answered_call_does_not_name_those_it_only_rang():
    call = fold([rings(0, operator="101"), answers(10), call_ends(70)], LATER)
    assert (call.first_operator, call.operator) == (None, None)


@pytest.mark.parametrize(
    ("tellings", "answered"),
    [
        ([rings(0)], False),
        ([rings(0), answers(5)], True),
        ([rings(0), answers(5), call_ends(70)], True),
        ([rings(0), call_ends(70, status=CallStatus.BUSY)], False),
    ],
)
def test_a_call_is_answered_from_the_moment_a_person_talks(tellings, answered):
    assert fold(tellings, LATER).is_answered is answered


def test_words_left_on_the_voicemail_are_no_answer():
    call = fold([rings(0, **INBOUND), call_ends(40, status=CallStatus.VOICEMAIL)], LATER)
    assert (call.status, call.is_missed, call.talk_s) == (CallStatus.VOICEMAIL, True, 0)


def test_without_any_end_a_call_stays_open():
    assert fold([rings(0), rings(1, "leg-2"), hangs_up(5)], LATER + timedelta(days=2)).ended_at is None


@pytest.mark.parametrize(("early", "late"), list(pairwise(kind for kind in CallEventKind if kind != "updated")))
def test_at_one_second_kinds_go_in_the_order_of_a_call(early, late):
    """Rule 7: the later one's visit is told by whichever comes first, so the first of the order must tell it."""
    first, second = (told(kind, 5, visit_id=kind) for kind in (early, late))
    assert fold([second, first], LATER).visit_id == early


def test_a_fact_without_a_time_of_its_own_has_one_key():
    keys = {dedupe_key(CallEventKind.ANSWERED, "call-1", "leg-1", None, None, "x") for _ in range(2)}
    assert len(keys) == 1


def test_facts_without_a_time_are_told_apart_by_what_they_say():
    keys = {dedupe_key(CallEventKind.ANSWERED, "call-1", None, None, None, mark) for mark in ("101", "102")}
    assert len(keys) == 2
