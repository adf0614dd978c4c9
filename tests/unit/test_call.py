"""Call events in any order -> one Call: the fold rules of the telephony sheet, section 10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.telling import (
    ANSWERED_CALL,
    CALLER,
    DID,
    INBOUND,
    LATER,
    OTHER_DID,
    T0,
    answers,
    at,
    call_ends,
    hangs_up,
    rings,
    told,
)
from tracking_core.call import CallEvent, CallEventKind, CallStatus, Direction, fold


def test_an_answered_call():
    call = fold(ANSWERED_CALL, LATER)
    assert (call.status, call.is_ended, call.is_missed) == (CallStatus.ANSWERED, True, False)


def test_an_answered_call_names_who_called_where():
    call = fold(ANSWERED_CALL, LATER)
    assert (call.did, call.caller, call.operator) == (DID, CALLER, "101")


def test_the_call_level_end_s_durations_are_preferred():
    call = fold(ANSWERED_CALL, LATER)
    assert (call.talk_s, call.wait_s) == (59, 11)


def test_missing_durations_are_derived():
    call = fold([rings(0), answers(10), call_ends(70)], LATER)
    assert (call.talk_s, call.wait_s) == (60, 10)


def test_negative_durations_become_zero():
    call = fold([rings(0), answers(80), call_ends(70, wait_s=-5)], LATER)
    assert (call.talk_s, call.wait_s) == (0, 0)


def test_an_answer_without_its_own_moment_is_counted_back_from_the_end():
    call = fold([call_ends(70, status=CallStatus.ANSWERED, talk_s=60)], LATER)
    assert call.answered_at == at(10)


def test_a_ringing_call_is_open():
    call = fold([rings(0, **INBOUND)], LATER)
    assert (call.status, call.is_ended, call.settles_at) == (CallStatus.RINGING, False, None)


def test_a_call_in_talk_is_open_and_not_missed():
    call = fold([rings(0), answers(5)], LATER)
    assert (call.status, call.is_ended, call.is_missed) == (CallStatus.IN_PROGRESS, False, False)


def test_a_missed_call():
    call = fold([rings(0, **INBOUND), hangs_up(20), call_ends(20, status=CallStatus.MISSED)], LATER)
    assert (call.status, call.is_missed, call.talk_s) == (CallStatus.MISSED, True, 0)


@pytest.mark.parametrize("status", [CallStatus.BUSY, CallStatus.CANCELLED, CallStatus.FAILED])
def test_for_business_every_unanswered_inbound_call_is_missed(status):
    call = fold([rings(0, **INBOUND), call_ends(20, status=status)], LATER)
    assert (call.status, call.is_missed) == (status, True)


def test_an_unanswered_outbound_call_is_not_missed():
    call = fold([rings(0, direction=Direction.OUTBOUND), call_ends(20, status=CallStatus.MISSED)], LATER)
    assert not call.is_missed


def test_the_answer_of_a_menu_is_not_a_talk():
    menu = told(CallEventKind.ANSWERED, 2, "ivr", human=False, answered_at=at(2))
    call = fold([rings(0, "ivr", **INBOUND), menu, call_ends(40, talk_s=38)], LATER)
    assert (call.is_missed, call.talk_s, call.answered_at) == (True, 0, None)


def test_a_late_answer_corrects_a_missed_call():
    missed = [rings(0, **INBOUND), call_ends(70, status=CallStatus.MISSED, talk_s=0, wait_s=70)]
    call = fold([*missed, answers(10)], LATER)
    assert (call.status, call.talk_s, call.wait_s) == (CallStatus.ANSWERED, 60, 10)


def test_a_late_ringing_does_not_wake_an_ended_call():
    call = fold([call_ends(70, status=CallStatus.ANSWERED), rings(0)], LATER)
    assert call.status is CallStatus.ANSWERED


def test_the_dialled_number_is_the_first_leg_s():
    transferred = rings(30, "leg-2", did=OTHER_DID, previous_leg_id="leg-1")
    assert fold([transferred, rings(0, **INBOUND)], LATER).did == DID


def test_at_one_second_the_leg_made_from_another_is_not_the_first():
    transferred = rings(0, "a-leg", did=OTHER_DID, previous_leg_id="leg-1")
    assert fold([transferred, rings(0, **INBOUND)], LATER).did == DID


def test_a_transfer_s_number_never_fills_in_for_the_first_leg_s():
    transferred = rings(30, "leg-2", did=OTHER_DID, previous_leg_id="leg-1")
    assert fold([rings(0, caller=CALLER), transferred], LATER).did is None


def test_the_call_level_end_fills_in_a_dialled_number_the_first_leg_lacks():
    assert fold([rings(0), call_ends(30, did=DID)], LATER).did == DID


def test_a_call_rings_whom_its_legs_ring():
    call = fold([rings(0), rings(2, "leg-2", operator="101"), rings(4, "leg-3", operator="102")], LATER)
    assert (call.rung, call.rung_since) == (("101", "102"), at(2))


def test_a_leg_that_is_over_rings_nobody():
    call = fold(
        [rings(0), rings(2, "leg-2", operator="101"), hangs_up(9, "leg-2"), rings(9, "leg-3", operator="102")], LATER
    )
    assert call.rung == ("102",)


def test_who_talks_is_not_rung_and_nobody_else_is():
    told = [rings(0), rings(2, "leg-2", operator="101"), rings(2, "leg-3", operator="102")]
    assert fold([*told, answers(5, "leg-2", operator="101")], LATER).rung == ()


def test_the_operator_is_the_last_person_who_talked():
    call = fold([rings(0), answers(5, operator="101"), answers(40, "leg-2", operator="102")], LATER)
    assert (call.first_operator, call.operator) == ("101", "102")


def test_a_leg_s_end_does_not_end_a_call_with_another_leg_open():
    call = fold([rings(0), rings(0, "leg-2"), hangs_up(20)], LATER)
    assert (call.is_ended, call.settles_at) == (False, None)


def test_a_call_whose_legs_all_ended_settles_after_sixty_seconds():
    call = fold([rings(0), hangs_up(20)], at(79))
    assert (call.is_ended, call.settles_at) == (False, at(80))


def test_a_settled_call_ended_with_its_last_leg():
    call = fold([rings(0, **INBOUND), hangs_up(20, status=CallStatus.BUSY)], at(80))
    assert (call.ended_at, call.settles_at, call.status) == (at(20), None, CallStatus.BUSY)


def test_a_leg_that_appears_after_the_fallback_opens_the_call_again():
    call = fold([rings(0), hangs_up(20), rings(100, "leg-2")], LATER)
    assert not call.is_ended


def test_within_a_leg_the_sequence_goes_before_the_clock():
    ended_first = [hangs_up(0, seq=3), answers(5, seq=2), rings(5, seq=1, did=DID)]
    assert fold(ended_first, at(61)).is_ended


def test_a_recording_that_comes_before_the_end_is_attached():
    recorded = told(CallEventKind.RECORDED, 5, recording_id="r1", recording_url="https://pbx.example/r1")
    call = fold([recorded, rings(0), call_ends(70)], LATER)
    assert (call.recording_id, call.recording_url) == ("r1", "https://pbx.example/r1")


def test_an_anonymous_caller_is_none_and_said_so():
    call = fold([rings(0, caller_anonymous=True)], LATER)
    assert (call.caller, call.caller_anonymous) == (None, True)


def test_the_provider_s_start_goes_before_the_first_event():
    assert fold([rings(3), call_ends(70, started_at=at(1))], LATER).started_at == at(1)


def test_of_several_ends_the_last_and_of_several_starts_the_first_counts():
    call = fold([call_ends(70, started_at=at(2)), call_ends(75, started_at=at(1))], LATER)
    assert (call.started_at, call.ended_at) == (at(1), at(75))


def test_a_person_s_answer_is_timed_not_the_menu_s():
    menu = told(CallEventKind.ANSWERED, 2, "menu", human=False, answered_at=at(2))
    assert fold([menu, answers(10), call_ends(70)], LATER).answered_at == at(10)


def test_the_call_level_end_s_status_goes_before_a_leg_s():
    call = fold([call_ends(20, status=CallStatus.MISSED), hangs_up(21, status=CallStatus.BUSY)], LATER)
    assert call.status is CallStatus.MISSED


def test_a_recording_with_an_address_goes_before_a_later_one_without():
    linked = told(CallEventKind.RECORDED, 5, recording_url="https://pbx.example/r1")
    assert fold([linked, told(CallEventKind.RECORDED, 9, recording_id="r2")], LATER).recording_url


def test_two_answers_of_one_second_have_one_order():
    first, second = answers(5, "a", operator="101"), answers(5, "b", operator="102")
    assert fold([first, second], LATER) == fold([second, first], LATER)


def test_no_events_are_no_call():
    with pytest.raises(ValueError, match="exactly one call"):
        fold([], LATER)


def test_events_of_two_calls_are_not_folded():
    other = CallEvent(kind=CallEventKind.RINGING, provider_call_id="call-2", occurred_at=T0, dedupe_key="x")
    with pytest.raises(ValueError, match="exactly one call"):
        fold([rings(0), other], LATER)


def _moment():
    return st.integers(0, 300).map(at)


any_event = st.builds(
    CallEvent,
    kind=st.sampled_from(CallEventKind),
    provider_call_id=st.just("call-1"),
    occurred_at=_moment(),
    dedupe_key=st.sampled_from([f"key-{n}" for n in range(12)]),
    provider_leg_id=st.sampled_from([None, "a", "b"]),
    previous_leg_id=st.sampled_from([None, None, "a"]),
    seq=st.one_of(st.none(), st.integers(1, 5)),
    direction=st.sampled_from(Direction),
    did=st.sampled_from([None, DID, OTHER_DID]),
    caller=st.sampled_from([None, CALLER]),
    caller_anonymous=st.booleans(),
    operator=st.sampled_from([None, "101", "102"]),
    started_at=st.one_of(st.none(), _moment()),
    answered_at=st.one_of(st.none(), _moment()),
    ended_at=st.one_of(st.none(), _moment()),
    talk_s=st.one_of(st.none(), st.integers(-5, 300)),
    wait_s=st.one_of(st.none(), st.integers(-5, 300)),
    status=st.sampled_from(CallStatus),
    final=st.booleans(),
    human=st.booleans(),
    recording_url=st.sampled_from([None, "https://pbx.example/1", "https://pbx.example/2"]),
    recording_id=st.sampled_from([None, "r1", "r2"]),
    visit_id=st.sampled_from([None, "v1", "v2"]),
)


@st.composite
def a_call_and_another_telling(draw):
    events = draw(st.lists(any_event, min_size=1, max_size=8))
    repeated = events + draw(st.lists(st.sampled_from(events), max_size=6))
    return events, draw(st.permutations(repeated))


@given(a_call_and_another_telling(), st.sampled_from([at(0), at(200), LATER]))
def test_order_and_repetition_never_change_a_call(tellings, now):
    once, again = tellings
    assert fold(again, now) == fold(once, now)


@given(st.lists(any_event, min_size=1, max_size=8), st.sampled_from([at(0), at(200), LATER]))
def test_no_call_lasts_less_than_nothing(events, now):
    call = fold(events, now)
    assert call.talk_s >= 0 and call.wait_s >= 0


@given(st.lists(any_event, min_size=1, max_size=8), st.sampled_from([at(0), at(200), LATER]))
def test_nobody_answers_after_the_end(events, now):
    call = fold(events, now)
    assert call.answered_at is None or call.ended_at is None or call.answered_at <= call.ended_at


# Of two spellings of one fact only one is heard, and with it only one leg: each fact is told once here.
facts = st.lists(any_event, min_size=1, max_size=8, unique_by=lambda one: one.dedupe_key)


@given(facts, st.integers(0, 400), st.sampled_from([at(200), LATER]))
def test_a_late_ringing_never_lowers_a_status(events, seconds, now):
    told_of_no_leg = (CallEventKind.RECORDED, CallEventKind.UPDATED)
    heard = [one for one in events if not one.final and one.kind not in told_of_no_leg]
    ended = any(one.final for one in events)
    if not (heard or ended):
        return
    late = rings(seconds, heard[0].provider_leg_id if heard else "unheard of")
    assert fold([*events, late], now).status.rank >= fold(events, now).status.rank
