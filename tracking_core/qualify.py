"""Is a call a target enquiry, and which rule decided (DNI sheet, sections 1 and 10)."""

from dataclasses import dataclass

from tracking_core.call import Call, CallStatus, Direction


@dataclass(frozen=True, slots=True)
class Rules:
    """What our customer accepts as a target enquiry; phones E.164, durations in seconds.

    ``count_missed_called_back`` accepts a missed call that was called back with a talk of ``min_talk_s``.
    """

    min_talk_s: int = 30
    staff: frozenset[str] = frozenset()
    spam: frozenset[str] = frozenset()
    first_time_only: bool = False
    count_missed_called_back: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the enquiry counts, and the sentence that says which rule decided."""

    qualified: bool
    why: str


def qualify(call: Call, rules: Rules, *, called_before: bool = False, called_back_talk_s: int | None = None) -> Verdict:
    """Judges a call; ``called_back_talk_s`` is the talk of our call back to a missed caller, if any."""
    refused = _refusal(call, rules, called_before)
    if refused:
        return Verdict(False, refused)
    if call.status is CallStatus.ANSWERED:
        return _by_talk(call.talk_s, rules.min_talk_s, "The talk")
    if rules.count_missed_called_back and called_back_talk_s is not None:
        return _by_talk(called_back_talk_s, rules.min_talk_s, "The call was missed; the talk of the call back")
    return Verdict(False, "Nobody answered.")


def _refusal(call: Call, rules: Rules, called_before: bool) -> str:
    if not call.is_ended:
        return "The call is not over yet."
    if call.direction in (Direction.OUTBOUND, Direction.INTERNAL):
        return f"The call is {call.direction}, not inbound."
    if call.caller in rules.staff:
        return "The caller is on the staff list."
    if call.caller in rules.spam:
        return "The caller is on the spam list."
    if rules.first_time_only and called_before:
        return "The caller has called before, and only first calls count."
    return ""


def _by_talk(talk_s: int, least: int, what: str) -> Verdict:
    if talk_s < least:
        return Verdict(False, f"{what} lasted {talk_s} s, at least {least} s count.")
    return Verdict(True, f"{what} lasted {talk_s} s, at least {least} s count.")
