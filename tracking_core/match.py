"""Call -> visit or placement, with confidence, candidates and the reason in words (DNI sheet, section 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracking_core.habits import SHEET_HABITS, TAP_WINDOW, Habits, Interest
from tracking_core.source import Source


class MatchReason(StrEnum):
    """The evidence that decided a match, strongest first.

    ``EXCLUSIVE_LEASE`` is also the reason when a ``tel:`` tap points to the holder; ``LAST_HOLDER`` also when
    region or behaviour points to an earlier holder than the last. The words of the match tell them apart.
    """

    CORRECTED = "corrected"
    VISIT_ID = "visit_id"
    EXCLUSIVE_LEASE = "exclusive_lease"
    REPEAT_CALLER = "repeat_caller"
    LAST_HOLDER = "last_holder"
    STATIC_NUMBER = "static_number"
    PROBABLE = "probable"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class LeaseSpan:
    """One lease of a number, as the history tells it; times aware UTC.

    ``exclusive_until`` is when another visitor may get the number; ``ended_at`` when one did, or it was given
    back. ``weight`` is the product of the factors for hour and device of section 10. ``region`` is the visit's,
    in the same words as the caller's. ``taps`` are the moments the visitor tapped this number. ``interest`` is
    ``CALLED`` when a call from another phone has been matched to this visitor for sure.
    """

    number: str
    visitor: str
    visit_id: str
    started_at: datetime
    last_seen: datetime
    exclusive_until: datetime
    ended_at: datetime | None = None
    source: Source | None = None
    weight: float = 1.0
    region: str | None = None
    taps: tuple[datetime, ...] = ()
    interest: Interest = Interest.UNKNOWN

    def idle(self, at: datetime) -> float:
        """Returns the minutes since the visitor was last seen; 0 while he is on the page."""
        return max(0.0, (at - self.last_seen).total_seconds() / 60)

    def tapped(self, at: datetime) -> datetime | None:
        """Returns the visitor's latest tap of the minute before ``at``."""
        return max((tap for tap in self.taps if at - TAP_WINDOW <= tap <= at), default=None)

    def holds(self, at: datetime) -> bool:
        """Says whether the number is this visitor's at ``at``."""
        return at < self.exclusive_until and (self.ended_at is None or at < self.ended_at)


@dataclass(frozen=True, slots=True)
class StaticNumber:
    """A tracking number tied to one placement; ``name`` is what people call the placement."""

    number: str
    placement_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The visit an earlier call of the same caller was matched to, when that was, and how surely."""

    visitor: str
    visit_id: str
    at: datetime
    confidence: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What telephony itself knows: a visit id carried by the call (sheet telephony, section 11)."""

    visit_id: str
    visitor: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One visitor who may have called, with the probability that it was this one."""

    visitor: str
    visit_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Match:
    """Who called, as far as the evidence goes; ``confidence`` 0..1, 0 when nobody is named.

    ``candidates`` are the likeliest holders of the number, likeliest first; they are kept also when none was
    accepted. ``nobody`` is the probability that it was none of the number's known holders.
    """

    reason: MatchReason
    reason_words: str
    confidence: float
    visit_id: str | None = None
    placement_id: str | None = None
    visitor: str | None = None
    candidates: tuple[Candidate, ...] = ()
    nobody: float = 0.0

    @property
    def is_accepted(self) -> bool:
        """Says whether a visit or placement is named and not merely probable."""
        return self.reason not in (MatchReason.PROBABLE, MatchReason.NOBODY)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How sure is sure: section 10's figures.

    ``accept`` and ``probable`` are probabilities; ``memory`` is how long a caller is remembered; ``newest`` is
    how many holders of the number are weighed, ``kept`` how many of them stay with the match. ``keeps_first`` is the
    policy of repeat calls: a caller we know keeps his source, whoever holds the number now.
    """

    accept: float = 0.6
    probable: float = 0.3
    memory: timedelta = timedelta(days=90)
    newest: int = 24
    kept: int = 5
    keeps_first: bool = False


SHEET_THRESHOLDS = Thresholds()


def match(
    did: str | None,
    caller: str | None,
    at: datetime,
    leases: Sequence[LeaseSpan],
    placement: StaticNumber | None,
    remembered: Remembered | None,
    *,
    evidence: Evidence | None = None,
    caller_region: str | None = None,
    habits: Habits = SHEET_HABITS,
    thresholds: Thresholds = SHEET_THRESHOLDS,
) -> Match:
    """Matches a call that began at ``at`` on the number ``did`` (E.164).

    Order of evidence: a visit id carried by the call; the holder of the number at that moment; the caller's
    own earlier call; the likeliest of the past holders, each ever less likely with time; the number's placement.
    ``caller_region`` is None when the phone does not tell it, as with most mobiles. Leases that begin after
    ``at`` are ignored, so a late event never sees the future.
    """
    if evidence is not None:
        words = "The telephony named the visit itself."
        return Match(MatchReason.VISIT_ID, words, 1.0, evidence.visit_id, visitor=evidence.visitor)
    known = remembered if caller and _is_fresh(remembered, at, thresholds) else None
    if known and thresholds.keeps_first:
        return _by_repeat(known, placement, ())
    if placement is not None:
        return _by_repeat(known, placement, ()) if known else _by_placement(placement)
    judged = _judge(spans_at(did, at, leases, thresholds.newest), at, caller_region, habits)
    if known and not judged.is_one_holder(at, thresholds.accept):
        return _by_repeat(known, None, judged.candidates(thresholds.kept))
    return _by_holders(judged, at, caller_region, thresholds)


def spans_at(did: str | None, at: datetime, leases: Sequence[LeaseSpan], newest: int) -> list[LeaseSpan]:
    """Returns the newest lease of each visitor who had the number before the call, newest first."""
    before = [lease for lease in leases if lease.number == did and lease.started_at <= at]
    before.sort(key=lambda lease: (min(lease.last_seen, at), lease.started_at, lease.visitor), reverse=True)
    by_visitor: dict[str, LeaseSpan] = {}
    for lease in before:
        by_visitor.setdefault(lease.visitor, lease)
    return list(by_visitor.values())[:newest]


def signs(span: LeaseSpan, at: datetime, caller_region: str | None, habits: Habits) -> float:
    """Returns the weight of everything but the delay: region, tap, interest, hour and device."""
    of_tap = habits.of_tap(span.idle(at), span.tapped(at) is not None)
    return span.weight * habits.of_region(span.region, caller_region) * of_tap * habits.interests[span.interest]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The holders of the number, likeliest first, each with his probability."""

    likeliest: tuple[tuple[LeaseSpan, float], ...] = ()
    newest: LeaseSpan | None = None
    nobody: float = 0.0

    def holders(self, at: datetime) -> int:
        return sum(span.holds(at) for span, _ in self.likeliest)

    def is_one_holder(self, at: datetime, accept: float) -> bool:
        """Says whether the number was one visitor's, and nothing speaks against its being he who called."""
        if self.holders(at) != 1:
            return False
        span, probability = self.likeliest[0]
        return span.holds(at) and probability >= accept

    def candidates(self, kept: int) -> tuple[Candidate, ...]:
        return tuple(Candidate(span.visitor, span.visit_id, told) for span, told in self.likeliest[:kept])


def _judge(spans: Sequence[LeaseSpan], at: datetime, caller_region: str | None, habits: Habits) -> _Judged:
    weights = [habits.delays.density(span.idle(at)) * signs(span, at, caller_region, habits) for span in spans]
    nobody = habits.background * habits.of_region(None, caller_region)
    if not spans:
        return _Judged(nobody=1.0)
    total = sum(weights) + nobody
    if not total:  # all so long ago that nothing is left of their weight
        nobody = total = 1.0
    told = [(span, weight / total) for span, weight in zip(spans, weights, strict=True)]
    return _Judged(tuple(sorted(told, key=lambda one: -one[1])), spans[0], nobody / total)


def _is_fresh(remembered: Remembered | None, at: datetime, thresholds: Thresholds) -> bool:
    return remembered is not None and timedelta() <= at - remembered.at <= thresholds.memory


def _by_holders(judged: _Judged, at: datetime, caller_region: str | None, thresholds: Thresholds) -> Match:
    """Names the likeliest holder, present or past; calls him probable, or names nobody, by the thresholds."""
    if not judged.likeliest:
        return Match(MatchReason.NOBODY, "Nobody was shown the number before the call.", 0.0, nobody=1.0)
    best, probability = judged.likeliest[0]
    candidates = judged.candidates(thresholds.kept)
    if probability < thresholds.probable:
        refused = f"Nobody is likely enough: the best candidate has {probability:.0%}."
        return Match(MatchReason.NOBODY, refused, 0.0, candidates=candidates, nobody=judged.nobody)
    reason, words = _why(judged, best, at)
    words += _of_region(best, caller_region)
    if probability < thresholds.accept:
        reason, words = MatchReason.PROBABLE, f"Probable only ({probability:.0%}). {words}"
    return Match(
        reason, words, probability, best.visit_id, visitor=best.visitor, candidates=candidates, nobody=judged.nobody
    )


def _why(judged: _Judged, best: LeaseSpan, at: datetime) -> tuple[MatchReason, str]:
    tap = best.tapped(at)
    if tap is not None:
        return MatchReason.EXCLUSIVE_LEASE, f"The visitor tapped the number {(at - tap).seconds} s before the call."
    seen = _ago(best.idle(at))
    holders = judged.holders(at)
    if holders > 1:
        words = f"{holders} visitors held the number at the time of the call; the likeliest is named."
        return MatchReason.PROBABLE, words
    if best.holds(at):
        return (
            MatchReason.EXCLUSIVE_LEASE,
            f"The number was this visitor's alone at the time of the call; {seen}.",
        )
    if best is judged.newest:
        return MatchReason.LAST_HOLDER, f"The last visitor who was shown the number; {seen}."
    return MatchReason.LAST_HOLDER, f"Shown the number earlier, yet likelier than those after; {seen}."


def _of_region(best: LeaseSpan, caller_region: str | None) -> str:
    if caller_region is None or best.region is None:
        return ""
    return " The caller's region is the visit's." if best.region == caller_region else " The caller's region differs."


def _by_repeat(known: Remembered, placement: StaticNumber | None, candidates: tuple[Candidate, ...]) -> Match:
    # A visitor we know by this phone who was also shown this number: the later visit is the touch.
    visit_id = next((one.visit_id for one in candidates if one.visitor == known.visitor), known.visit_id)
    return Match(
        MatchReason.REPEAT_CALLER,
        f"The same caller called on {known.at:%d.%m.%Y}; that call's visitor is taken.",
        known.confidence,
        visit_id,
        placement.placement_id if placement else None,
        known.visitor,
        candidates,
    )


def _by_placement(placement: StaticNumber) -> Match:
    words = f"The number is shown only in the placement {placement.name or placement.placement_id}."
    return Match(MatchReason.STATIC_NUMBER, words, 1.0, placement_id=placement.placement_id)


def _ago(minutes: float) -> str:
    if minutes < 1:
        return "on the site when the call began"
    if minutes < 120:
        return f"last seen {minutes:.0f} min before it"
    return f"last seen {minutes / 60:.0f} h before it"
