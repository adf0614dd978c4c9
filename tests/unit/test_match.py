"""Who called: the matching model of the DNI sheet, section 10, with its worked values."""

from datetime import timedelta

import pytest

from tests.unit.leases import AT, CALLER, NUMBER, lease
from tracking_core.match import (
    Evidence,
    LeaseSpan,
    MatchReason,
    Remembered,
    StaticNumber,
    Thresholds,
    match,
)

BILLBOARD = StaticNumber(NUMBER, "placement-1", "Щит на Ленина")


def remembered(days_ago: float = 3, visitor: str = "old") -> Remembered:
    return Remembered(visitor, f"visit-{visitor}", AT - timedelta(days=days_ago), 0.9)


def who(*leases: LeaseSpan, placement=None, memory=None, caller=CALLER, did=NUMBER, evidence=None):
    return match(did, caller, AT, leases, placement, memory, evidence=evidence)


def probabilities(*leases: LeaseSpan) -> dict[str, float]:
    return {one.visitor: one.probability for one in who(*leases).candidates}


def test_the_worked_mixture():
    told = probabilities(lease("A", 2), lease("B", 25))
    assert told == {"A": pytest.approx(0.9852, abs=5e-5), "B": pytest.approx(0.0114, abs=5e-5)}


def test_the_worked_share_of_nobody():
    assert 1 - sum(probabilities(lease("A", 2), lease("B", 25)).values()) == pytest.approx(0.0033, abs=5e-5)


def test_the_worked_mixture_with_a_foreign_region():
    told = probabilities(lease("A", 2, weight=0.2), lease("B", 25))
    assert told == {"A": pytest.approx(0.9303, abs=5e-5), "B": pytest.approx(0.0540, abs=5e-5)}


def test_the_holder_of_the_number_called():
    told = who(lease("A", 2), lease("B", 25))
    assert (told.visit_id, told.reason) == ("visit-A", MatchReason.EXCLUSIVE_LEASE)


def test_a_visitor_still_on_the_site_is_as_sure_as_can_be():
    assert who(lease("A", -3)).confidence == pytest.approx(0.285833 / 0.286333, abs=1e-5)


def test_a_lease_that_begins_after_the_call_is_ignored():
    later = lease("future", -9, started_at=AT + timedelta(seconds=1))
    assert who(lease("A", 12), later).visitor == "A"


def test_a_lease_of_another_number_is_ignored():
    assert who(lease("A", 2, number="+74950000000")).reason is MatchReason.NOBODY


def test_at_the_very_end_of_its_hold_a_number_is_no_longer_the_visitor_s():
    assert who(lease("A", 10, hold=10)).reason is MatchReason.LAST_HOLDER


def test_after_the_lease_the_last_holder_called_less_surely():
    told = who(lease("A", 20), lease("B", 200))
    assert (told.visitor, told.reason) == ("A", MatchReason.LAST_HOLDER)


def test_a_number_given_to_another_is_no_longer_the_first_one_s():
    taken_over = lease("A", 5, ended_at=AT - timedelta(minutes=2))
    assert who(taken_over).reason is MatchReason.LAST_HOLDER


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (60, MatchReason.LAST_HOLDER),  # 0.648
        (90, MatchReason.PROBABLE),  # 0.527
        (140, MatchReason.PROBABLE),  # 0.327
        (160, MatchReason.NOBODY),  # 0.258
    ],
)
def test_the_last_holder_fades(minutes, reason):
    assert who(lease("A", minutes)).reason is reason


def test_whom_the_thresholds_refuse_stays_a_candidate():
    told = who(lease("A", 300))
    assert (told.visit_id, told.confidence, told.candidates[0].visitor) == (None, 0.0, "A")


def test_two_holders_at_once_are_probable_at_most():
    assert who(lease("A", 0), lease("B", 5)).reason is MatchReason.PROBABLE


def test_of_two_holders_at_once_memory_decides():
    told = who(lease("A", 0), lease("B", 5), memory=remembered(visitor="B"))
    assert (told.visitor, told.reason) == ("B", MatchReason.REPEAT_CALLER)


def test_one_visitor_s_two_leases_are_one_candidate():
    assert who(lease("A", 25), lease("A", 2)).candidates == who(lease("A", 2)).candidates


def test_the_current_holder_goes_before_memory():
    assert who(lease("A", 2), memory=remembered()).visitor == "A"


def test_memory_goes_before_a_past_holder():
    told = who(lease("A", 20), memory=remembered())
    assert (told.visitor, told.confidence, told.reason) == ("old", 0.9, MatchReason.REPEAT_CALLER)


def test_a_remembered_visitor_s_newer_visit_is_taken():
    told = who(lease("old", 20, visit_id="visit-new"), memory=remembered())
    assert told.visit_id == "visit-new"


FIRST = Thresholds(keeps_first=True)


@pytest.mark.parametrize(("thresholds", "visitor"), [(Thresholds(), "A"), (FIRST, "old")])
def test_the_policy_of_repeat_calls_says_whether_the_holder_or_the_first_call_decides(thresholds, visitor):
    told = match(NUMBER, CALLER, AT, [lease("A", 2)], None, remembered(), thresholds=thresholds)
    assert told.visitor == visitor


def test_who_keeps_his_first_source_keeps_its_visit_too():
    newer = [lease("old", 2, visit_id="visit-new")]
    assert match(NUMBER, CALLER, AT, newer, None, remembered(), thresholds=FIRST).visit_id == "visit-old"


def test_a_visit_that_telephony_names_goes_before_the_first_call():
    told = match(NUMBER, CALLER, AT, [], None, remembered(), evidence=Evidence("visit-7"), thresholds=FIRST)
    assert told.visit_id == "visit-7"


@pytest.mark.parametrize("memory", [remembered(days_ago=91), remembered(days_ago=-1)])
def test_memory_too_old_or_of_the_future_is_none(memory):
    assert who(memory=memory).reason is MatchReason.NOBODY


def test_an_anonymous_caller_is_not_remembered():
    assert who(memory=remembered(), caller=None).reason is MatchReason.NOBODY


def test_a_call_without_dialled_number_may_still_be_remembered():
    assert who(memory=remembered(), did=None).visitor == "old"


def test_a_static_number_is_its_placement():
    told = who(placement=BILLBOARD)
    assert (told.placement_id, told.visit_id, told.confidence) == ("placement-1", None, 1.0)


def test_on_a_static_number_a_known_caller_is_the_remembered_visitor():
    told = who(placement=BILLBOARD, memory=remembered())
    assert (told.visit_id, told.placement_id) == ("visit-old", "placement-1")


def test_a_visit_the_call_itself_names_goes_before_all():
    told = who(lease("A", 2), evidence=Evidence("visit-named"))
    assert (told.visit_id, told.confidence, told.reason) == ("visit-named", 1.0, MatchReason.VISIT_ID)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            who(lease("A", 2)),
            "The number was this visitor's alone at the time of the call; last seen 2 min before it.",
        ),
        (who(lease("A", 300)), "Nobody is likely enough: the best candidate has 3%."),
        (who(), "Nobody was shown the number before the call."),
        (who(placement=BILLBOARD), "The number is shown only in the placement Щит на Ленина."),
        (who(memory=remembered()), "The same caller called on 19.11.2026; that call's visitor is taken."),
    ],
)
def test_the_reason_in_words(told, words):
    assert told.reason_words == words
