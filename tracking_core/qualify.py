"""Is an enquiry a target one, and which rule decided (DNI sheet, sections 1 and 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracking_core.call import Call, CallStatus, Direction

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """When our customer works: ``days`` are names of ``DAYS``; from ``opens`` until before ``closes`` in ``zone``.

    Nothing begins on ``holidays``.
    """

    days: frozenset[str]
    opens: time
    closes: time
    zone: str
    holidays: frozenset[date] = frozenset()

    def hold(self, at: datetime) -> bool:
        """Says whether a moment lies within them; hours that close earlier than they open end the next morning."""
        local = at.astimezone(ZoneInfo(self.zone))
        clock, today = local.time(), local.date()
        if self.opens <= self.closes:
            return self._begin_on(today) and self.opens <= clock < self.closes
        began_yesterday = clock < self.closes and self._begin_on(today - timedelta(days=1))
        return began_yesterday or (clock >= self.opens and self._begin_on(today))

    def _begin_on(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days and day not in self.holidays


@dataclass(frozen=True, slots=True)
class Rules:
    """What our customer accepts as a target enquiry; phones E.164, durations in seconds.

    ``name`` is the goal's, in which ``{kind}`` stands for the kind of enquiry; ``kinds`` are those that count, all
    when empty. ``answered_within_s`` is how long a caller may have waited. ``called_back_within_s`` accepts a missed
    call that was called back so soon with a talk of ``min_talk_s``, and an order to call back only then.
    ``value_minor`` is what such an enquiry is worth, None what its deal is.
    """

    name: str = "{kind}_qualified"
    kinds: frozenset[str] = frozenset()
    min_talk_s: int = 30
    answered_within_s: int | None = None
    hours: Hours | None = None
    staff: frozenset[str] = frozenset()
    spam: frozenset[str] = frozenset()
    first_time_only: bool = False
    called_back_within_s: int | None = None
    value_minor: int | None = 0

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


@dataclass(frozen=True, slots=True)
class CallBack:
    """Our call to somebody who waits for one, answered by him: when it began, and seconds of talk."""

    at: datetime
    talk_s: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An earlier enquiry of the same phone that waits for our call too: when it came, and since when it waits."""

    kind: str
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class CallBacks:
    """Our answered calls after an enquiry, oldest first, and who waited for them before.

    One call back counts for one enquiry: for the first of those the rules accept and that it came in time for.
    """

    made: Sequence[CallBack] = ()
    others: Sequence[Waiting] = ()


NO_CALL_BACKS = CallBacks()


def qualify(call: Call, rules: Rules, *, called_before: bool = False, back: CallBacks = NO_CALL_BACKS) -> Verdict:
    """Judges a call; ``back`` tells of our calls to a missed caller, if any."""
    refused = _refusal(call, rules, called_before)
    if refused:
        return Verdict(False, refused)
    if call.status is CallStatus.ANSWERED:
        return _by_wait(call.wait_s, rules) or _by_talk(call.talk_s, rules.min_talk_s, "The talk")
    if rules.called_back_within_s is not None and call.ended_at is not None:
        return by_call_back(call.ended_at, back, rules, rules.called_back_within_s)
    return Verdict(False, "Nobody answered.")


def by_call_back(since: datetime, back: CallBacks, rules: Rules, within_s: int) -> Verdict:
    """Judges who waits for our call from ``since`` on: by the first call back in time that is long enough, if any."""
    if not back.made:
        return Verdict(False, f"Nobody has called back; a call back within {within_s} s counts.")
    in_time = [one for one in back.made if _after(since, one) <= within_s]
    if not in_time:
        return Verdict(False, f"Called back after {_after(since, back.made[0])} s, at most {within_s} s count.")
    others = [other.since for other in back.others if not rules.refusal(other.kind, other.at)]
    his = [one for one in in_time if all(_after(other, one) > within_s for other in others)]
    if not his:
        return Verdict(False, "The call back counts for an earlier enquiry of the same person.")
    best = next((one for one in his if one.talk_s >= rules.min_talk_s), his[0])
    return _by_talk(best.talk_s, rules.min_talk_s, f"Called back after {_after(since, best)} s; the talk")


def _after(since: datetime, back: CallBack) -> int:
    return max(0, (back.at - since) // timedelta(seconds=1))


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
