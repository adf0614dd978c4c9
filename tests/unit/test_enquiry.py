"""Written enquiries: e-mail addresses, the verdict, and the visit they came from."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.enquiry import EnquiryKind, Writer, match, qualify, to_email
from tracking_core.match import MatchReason, Remembered
from tracking_core.qualify import CallBack, CallBacks, Rules

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IVAN = Writer(phone="+79161234567")


@pytest.mark.parametrize(
    ("raw", "email"),
    [
        ("ivan@okna.example", "ivan@okna.example"),
        (" Ivan.Petrov+web@Okna.Example ", "ivan.petrov+web@okna.example"),
        ("mailto:a@b.example", "a@b.example"),
        ("почта@окна.рф", "почта@окна.рф"),
        ("", None),
        (None, None),
        ("ivan", None),
        ("ivan@okna", None),
        ("a@b@c.example", None),
        ("a b@c.example", None),
        ("<a@b.example>", None),
        ("a@b.example, c@d.example", None),
        ("a" * 250 + "@b.example", None),
    ],
)
def test_an_address_is_read(raw: str | None, email: str | None) -> None:
    assert to_email(raw) == email


@given(st.text(max_size=300))
def test_reading_an_address_never_fails_and_is_stable(raw: str) -> None:
    once = to_email(raw)
    assert once is None or to_email(once) == once


def test_who_can_be_answered_counts() -> None:
    assert qualify(EnquiryKind.FORM, NOW, IVAN, Rules(), came_before=True).qualified


def test_nobody_to_answer_to_does_not_count() -> None:
    assert (
        qualify(EnquiryKind.FORM, NOW, Writer(), Rules(), came_before=False).why
        == "It leaves neither a phone nor an e-mail to answer to."
    )


def test_a_chat_can_be_answered_where_it_came_from() -> None:
    verdict = qualify(EnquiryKind.CHAT, NOW, Writer(), Rules(), came_before=False)
    assert (verdict.qualified, verdict.why) == (True, "It can be answered in the chat.")


@pytest.mark.parametrize(
    ("after", "counts"), [((), False), ((600,), True), ((601,), False)], ids=["not yet", "in time", "too late"]
)
def test_an_order_to_call_back_counts_once_it_was_called_back_in_time(after: tuple[int, ...], counts: bool) -> None:
    back = CallBacks([CallBack(NOW + timedelta(seconds=one), 40) for one in after])
    rules = Rules(called_back_within_s=600)
    assert qualify(EnquiryKind.CALLBACK, NOW, IVAN, rules, came_before=False, back=back).qualified is counts


def test_a_form_is_no_order_to_call_back() -> None:
    assert qualify(EnquiryKind.FORM, NOW, IVAN, Rules(called_back_within_s=600), came_before=False).qualified


@pytest.mark.parametrize("rules", [Rules(staff=frozenset({"+79161234567"})), Rules(spam=frozenset({"+79161234567"}))])
def test_the_lists_refuse(rules: Rules) -> None:
    assert not qualify(EnquiryKind.FORM, NOW, IVAN, rules, came_before=False).qualified


@pytest.mark.parametrize(("came_before", "counts"), [(True, False), (False, True)])
def test_only_first_enquiries_count_if_so_ruled(came_before: bool, counts: bool) -> None:
    assert (
        qualify(EnquiryKind.FORM, NOW, IVAN, Rules(first_time_only=True), came_before=came_before).qualified is counts
    )


def remembered(days: int) -> Remembered:
    return Remembered("7", "70", NOW - timedelta(days=days), 0.9)


def test_the_visit_the_sender_named_comes_first() -> None:
    told = match("12", "3", remembered(1), NOW)
    assert (told.reason, told.visit_id, told.confidence) == (MatchReason.VISIT_ID, "12", 1.0)


def test_a_person_we_remember_is_known_by_it() -> None:
    told = match(None, None, remembered(3), NOW)
    assert (told.reason, told.visit_id, told.confidence) == (MatchReason.REPEAT_CALLER, "70", 0.9)


@pytest.mark.parametrize("memory", [None, remembered(91)])
def test_a_stranger_without_a_visit_is_nobodys(memory: Remembered | None) -> None:
    assert match(None, None, memory, NOW).reason is MatchReason.NOBODY
