"""Call -> visit or placement, with confidence, candidates and the reason in words (DNI sheet, section 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp

from tracking_core.source import Source


class MatchReason(StrEnum):
    """The evidence that decided a match, strongest first."""

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
    back. ``weight`` is the product of the factors for region, hour and device of section 10.
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

    ``candidates`` are the holders of the number, likeliest first; they are kept also when none was accepted.
    """

    reason: MatchReason
    reason_words: str
    confidence: float
    visit_id: str | None = None
    placement_id: str | None = None
    visitor: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How sure is sure: section 10's figures.

    ``accept`` and ``probable`` are probabilities; ``background`` is the weight of a caller who never saw the
    site; ``memory`` is how long a caller is remembered; ``delays`` are (share, mean minutes) of the delay
    last seen -> call.
    """

    accept: float = 0.6
    probable: float = 0.3
    background: float = 0.0005
    memory: timedelta = timedelta(days=90)
    delays: tuple[tuple[float, float], ...] = ((0.85, 3.0), (0.15, 60.0))
    newest: int = 5


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
    thresholds: Thresholds = SHEET_THRESHOLDS,
) -> Match:
    """Matches a call that began at ``at`` on the number ``did`` (E.164).

    Order of evidence: a visit id carried by the call; the holder of the number at that moment; the caller's
    own earlier call; the last holder, ever less likely with time; the number's placement. Leases that begin
    after ``at`` are ignored, so a late event never sees the future.
    """
    if evidence is not None:
        words = "The telephony named the visit itself."
        return Match(MatchReason.VISIT_ID, words, 1.0, evidence.visit_id, visitor=evidence.visitor)
    known = remembered if caller and _is_fresh(remembered, at, thresholds) else None
    if placement is not None:
        return _by_repeat(known, placement, ()) if known else _by_placement(placement)
    spans = _spans(did, at, leases, thresholds.newest)
    candidates = _candidates(spans, at, thresholds)
    holders = [span for span in spans if at < span.exclusive_until and _is_open(span, at)]
    if len(holders) == 1 or (holders and not known):
        return _by_lease(candidates, holders, at, thresholds)
    if known:
        return _by_repeat(known, None, candidates)
    return _by_last_holder(spans, candidates, at, thresholds)


def _spans(did: str | None, at: datetime, leases: Sequence[LeaseSpan], newest: int) -> list[LeaseSpan]:
    """The newest lease of each visitor who had the number before the call, newest first."""
    before = [lease for lease in leases if lease.number == did and lease.started_at <= at]
    before.sort(key=lambda lease: (min(lease.last_seen, at), lease.started_at, lease.visitor), reverse=True)
    by_visitor: dict[str, LeaseSpan] = {}
    for lease in before:
        by_visitor.setdefault(lease.visitor, lease)
    return list(by_visitor.values())[:newest]


def _is_open(span: LeaseSpan, at: datetime) -> bool:
    return span.ended_at is None or at < span.ended_at


def _candidates(spans: Sequence[LeaseSpan], at: datetime, thresholds: Thresholds) -> tuple[Candidate, ...]:
    weights = [span.weight * _density(_idle_minutes(span, at), thresholds) for span in spans]
    total = sum(weights) + thresholds.background
    found = [
        Candidate(span.visitor, span.visit_id, weight / total) for span, weight in zip(spans, weights, strict=True)
    ]
    return tuple(sorted(found, key=lambda candidate: -candidate.probability))


def _idle_minutes(span: LeaseSpan, at: datetime) -> float:
    return max(0.0, (at - span.last_seen).total_seconds() / 60)


def _density(minutes: float, thresholds: Thresholds) -> float:
    return sum(share / mean * exp(-minutes / mean) for share, mean in thresholds.delays)


def _is_fresh(remembered: Remembered | None, at: datetime, thresholds: Thresholds) -> bool:
    return remembered is not None and timedelta() <= at - remembered.at <= thresholds.memory


def _by_lease(
    candidates: tuple[Candidate, ...], holders: Sequence[LeaseSpan], at: datetime, thresholds: Thresholds
) -> Match:
    names = {holder.visitor for holder in holders}
    best = next(candidate for candidate in candidates if candidate.visitor in names)
    if len(holders) > 1:
        words = f"{len(holders)} visitors held the number at the time of the call; the likeliest is named."
        return _graded(best, MatchReason.PROBABLE, words, candidates, thresholds)
    seen = _ago(_idle_minutes(holders[0], at))
    words = f"The number was this visitor's alone at the time of the call; {seen}."
    return _graded(best, MatchReason.EXCLUSIVE_LEASE, words, candidates, thresholds)


def _by_last_holder(
    spans: Sequence[LeaseSpan], candidates: tuple[Candidate, ...], at: datetime, thresholds: Thresholds
) -> Match:
    if not candidates:
        return Match(MatchReason.NOBODY, "Nobody was shown the number before the call.", 0.0)
    best = candidates[0]
    span = next(span for span in spans if span.visitor == best.visitor)
    words = f"The last visitor who was shown the number; {_ago(_idle_minutes(span, at))}."
    return _graded(best, MatchReason.LAST_HOLDER, words, candidates, thresholds)


def _graded(
    best: Candidate,
    reason: MatchReason,
    words: str,
    candidates: tuple[Candidate, ...],
    thresholds: Thresholds,
) -> Match:
    """Accepts, calls probable or names nobody, by the thresholds."""
    if best.probability < thresholds.probable:
        refused = f"Nobody is likely enough: the best candidate has {best.probability:.0%}."
        return Match(MatchReason.NOBODY, refused, 0.0, candidates=candidates)
    if best.probability < thresholds.accept:
        reason, words = MatchReason.PROBABLE, f"Probable only ({best.probability:.0%}). {words}"
    return Match(reason, words, best.probability, best.visit_id, visitor=best.visitor, candidates=candidates)


def _by_repeat(known: Remembered, placement: StaticNumber | None, candidates: tuple[Candidate, ...]) -> Match:
    # A visitor we know by this phone who was also shown this number: the later visit is the touch.
    visit_id = next((one.visit_id for one in candidates if one.visitor == known.visitor), known.visit_id)
    words = f"The same caller called on {known.at:%d.%m.%Y}; that call's visitor is taken."
    return Match(
        MatchReason.REPEAT_CALLER,
        words,
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
