"""Enquiries that are not calls: who wrote, whether it counts, which visit he came from (DNI sheet, sections 1, 10)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tracking_core.match import SHEET_THRESHOLDS, Match, MatchReason, Remembered, Thresholds
from tracking_core.qualify import NO_CALL_BACKS, CallBacks, Rules, Verdict, by_call_back

LONGEST_EMAIL = 254  # characters, RFC 5321
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@(?:[^@\s.<>,;:\"()\[\]\\]+\.)+[^@\s.<>,;:\"()\[\]\\]{2,}")


class EnquiryKind(StrEnum):
    """How a person turned to us."""

    CALL = "call"
    FORM = "form"
    CALLBACK = "callback"  # he ordered a call
    CHAT = "chat"
    MAIL = "mail"
    MANUAL = "manual"  # a manager noted it


WRITTEN = tuple(kind for kind in EnquiryKind if kind is not EnquiryKind.CALL)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote: phone E.164, e-mail as ``to_email`` gives it; either may be missing."""

    phone: str | None = None
    email: str | None = None


def to_email(raw: str | None) -> str | None:
    """Returns an e-mail address in lower case without spaces around it, or None for what is not one."""
    if raw is None or len(raw) > LONGEST_EMAIL:
        return None
    tidy = raw.strip().removeprefix("mailto:").lower()
    return tidy if _EMAIL.fullmatch(tidy) else None


def qualify(
    kind: EnquiryKind,
    at: datetime,
    writer: Writer,
    rules: Rules,
    *,
    came_before: bool,
    back: CallBacks = NO_CALL_BACKS,
) -> Verdict:
    """Judges a written enquiry: one that can be answered counts, unless a list or a rule refuses it.

    ``back`` tells of our calls to who ordered one.
    """
    is_chat = kind is EnquiryKind.CHAT  # it is answered where it came from
    if writer.phone is None and writer.email is None and not is_chat:
        return Verdict(False, "It leaves neither a phone nor an e-mail to answer to.")
    if writer.phone in rules.staff:
        return Verdict(False, "The phone is on the staff list.")
    if writer.phone in rules.spam:
        return Verdict(False, "The phone is on the spam list.")
    if rules.first_time_only and came_before:
        return Verdict(False, "This person has turned to us before, and only first enquiries count.")
    refused = rules.refusal(kind, at)
    if refused:
        return Verdict(False, refused)
    if kind is EnquiryKind.CALLBACK and rules.called_back_within_s is not None:
        return by_call_back(at, back, rules, rules.called_back_within_s)
    if writer.phone is None and writer.email is None:
        return Verdict(True, "It can be answered in the chat.")
    return Verdict(True, "It can be answered: a phone or an e-mail is left.")


def match(
    named: str | None,
    visitor: str | None,
    remembered: Remembered | None,
    at: datetime,
    thresholds: Thresholds = SHEET_THRESHOLDS,
) -> Match:
    """Matches a written enquiry: the visit its sender named, else the one an earlier enquiry of this person had."""
    if named is not None:
        return Match(MatchReason.VISIT_ID, "The enquiry was sent from this visit.", 1.0, named, visitor=visitor)
    if remembered is not None and at - remembered.at <= thresholds.memory:
        return Match(
            MatchReason.REPEAT_CALLER,
            f"The same person turned to us on {remembered.at:%d.%m.%Y}; that enquiry's visitor is taken.",
            remembered.confidence,
            remembered.visit_id,
            visitor=remembered.visitor,
        )
    return Match(MatchReason.NOBODY, "No visit came with the enquiry, and the person is not known.", 0.0, nobody=1.0)


def corrected(found: Match, visit_id: str | None, visitor: str | None) -> Match:
    """Returns a match as a person corrects it: this visit, or None for nobody we know of; the candidates stay."""
    words = "A person named this visit." if visit_id else "A person says that it was none of these visitors."
    told = replace(found, reason=MatchReason.CORRECTED, reason_words=words, confidence=1.0 if visit_id else 0.0)
    return replace(told, visit_id=visit_id, placement_id=None, visitor=visitor)
