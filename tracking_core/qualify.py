"""Is an enquiry a target one, and which rule decided (DNI sheet, sections 1 and 10)."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tracking_core.call import Call, CallStatus, Direction

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """When our customer works: ``days`` are names of ``DAYS``; from ``opens`` until before ``closes`` in ``zone``."""

    days: frozenset[str]
    opens: time
    closes: time
    zone: str

    def hold(self, at: datetime) -> bool:
        """Says whether a moment lies within them; hours that close earlier than they open end the next morning."""
        local = at.astimezone(ZoneInfo(self.zone))
        clock, today = local.time(), DAYS[local.weekday()]
        if self.opens <= self.closes:
            return today in self.days and self.opens <= clock < self.closes
        yesterday = DAYS[local.weekday() - 1]
        return (today in self.days and clock >= self.opens) or (yesterday in self.days and clock < self.closes)


@dataclass(frozen=True, slots=True)
class Rules:
    """What our customer accepts as a target enquiry; phones E.164, durations in seconds.

    ``name`` is the goal's, in which ``{kind}`` stands for the kind of enquiry; ``kinds`` are those that count, all
    when empty. ``answered_within_s`` is how long a caller may have waited. ``count_missed_called_back`` accepts a
    missed call that was called back with a talk of ``min_talk_s``.
    """

    name: str = "{kind}_qualified"
    kinds: frozenset[str] = frozenset()
    min_talk_s: int = 30
    answered_within_s: int | None = None
    hours: Hours | None = None
    staff: frozenset[str] = frozenset()
    spam: frozenset[str] = frozenset()
    first_time_only: bool = False
    count_missed_called_back: bool = False

    def refusal(self, kind: str, at: datetime) -> str:
        """Returns why no enquiry of this kind at this moment counts; empty when it may."""
        if self.kinds and kind not in self.kinds:
            return f"It is of the kind {kind}; only these count: {', '.join(sorted(self.kinds))}."
        if self.hours is not None and not self.hours.hold(at):
            return "It came outside working hours."
        return ""


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
        return _by_wait(call.wait_s, rules) or _by_talk(call.talk_s, rules.min_talk_s, "The talk")
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
    return rules.refusal("call", call.started_at)


def _by_wait(wait_s: int, rules: Rules) -> Verdict | None:
    if rules.answered_within_s is None or wait_s <= rules.answered_within_s:
        return None
    return Verdict(False, f"The caller waited {wait_s} s, at most {rules.answered_within_s} s count.")


def _by_talk(talk_s: int, least: int, what: str) -> Verdict:
    if talk_s < least:
        return Verdict(False, f"{what} lasted {talk_s} s, at least {least} s count.")
    return Verdict(True, f"{what} lasted {talk_s} s, at least {least} s count.")
