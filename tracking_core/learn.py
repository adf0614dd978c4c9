"""A site's own habits, learned from its calls (DNI sheet, section 10: "learn from calls with a unique holder").

Calls with one possible holder alone would teach short delays only: a late call seldom has one. So every call takes
part, shared among its possible callers by their probability; probabilities and habits are improved in turn
(expectation-maximisation). The means of the mixture stay fixed and only its shares are learned, which makes it a
smoothed histogram with one answer, whatever it starts from. Nothing here knows who called in truth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import exp, isclose, isfinite

from tracking_core.habits import PRESENT, SHEET_HABITS, Delays, Habits, Interest
from tracking_core.match import LeaseSpan

MEANS = (2.0, 8.0, 30.0, 120.0, 480.0)  # minutes
FEWEST = 50  # calls; below, the given habits stay
PRIOR = 20.0  # calls' worth of the given habits, so that a quiet month does not overturn them
ROUNDS = 10
_LEAST = 1e-4  # share of a call that is worth counting


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A call on a pool number and its holders, as ``match.spans_at`` gives them.

    ``visit_id`` names the visit where something else than probability told it: telephony, a tap, a manager.
    """

    at: datetime
    spans: Sequence[LeaseSpan]
    caller_region: str | None = None
    visit_id: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was shown in the time the calls come from.

    ``visits`` with a number, in all, by region and by interest. ``stray_per_day`` are the calls a number gets each
    day from people who never saw the site: it cannot be told from late callers by matching, only measured on
    numbers at rest. The default, one in four weeks, is the sheet's background where 5 % of visits call.
    """

    visits: int
    regions: Mapping[str, int]
    interests: Mapping[Interest, int]
    stray_per_day: float = 0.036


def learn(calls: Sequence[HeardCall], exposure: Exposure, start: Habits = SHEET_HABITS) -> Habits:
    """Returns the habits that explain the calls best, mixed with ``start`` as if it were 20 calls more.

    With fewer than 50 calls that have a holder, ``start`` is returned as it is.
    """
    heard = [call for call in calls if call.spans]
    if len(heard) < FEWEST or not exposure.visits:
        return start
    regions = {name: count / sum(exposure.regions.values()) for name, count in exposure.regions.items()}
    known = sum(call.caller_region is not None for call in calls)
    habits = replace(
        start,
        delays=_spread(start.delays, _stay(heard)),
        regions=regions if known and len(regions) > 1 else {},
        background=exposure.stray_per_day / 1440 * exposure.visits / len(heard),
        region_known=(known + PRIOR * start.region_known) / (len(calls) + PRIOR),
    )
    told = [_Told.of(call, habits) for call in heard]
    first, habits = habits, replace(habits, delays=_even(habits.delays))
    for _ in range(ROUNDS):
        habits = _round(told, exposure, habits, first)
    return habits


def is_sound(habits: Habits) -> bool:
    """Says whether habits can be matched with: finite figures, shares that are shares, no chance that is nothing."""
    at_page, stay = habits.delays.present or (0.0, 1.0)
    shares = [share for share, _ in habits.delays.parts]
    some = [stay, habits.tapped, habits.other_region, *habits.interests.values(), *habits.regions.values()]
    less_than_all = [at_page, habits.tap_share, habits.region_differs, *shares]
    return (
        all(isfinite(one) and one > 0 for one in (*some, *(mean for _, mean in habits.delays.parts)))
        and all(0 <= one < 1 for one in less_than_all)
        and isclose(sum(shares), 1, abs_tol=1e-6)
        and (not habits.regions or isclose(sum(habits.regions.values()), 1, abs_tol=1e-6))
        and isfinite(habits.background)
        and 0 <= habits.region_known <= 1
    )


def _stay(calls: Sequence[HeardCall]) -> float:
    """Mean minutes a visitor counts as present; those who are there still would make it too long."""
    gone = [span for call in calls for span in call.spans if span.idle(call.at) > PRESENT]
    minutes = sum((span.last_seen - span.started_at).total_seconds() / 60 for span in gone)
    return PRESENT + (minutes / len(gone) if gone else PRESENT)


def _spread(delays: Delays, stay: float) -> Delays:
    """The same survival, said with our means; what falls before the first minute is the share of the present."""
    if delays.present is not None and tuple(mean for _, mean in delays.parts) == MEANS:
        return Delays(delays.parts, (delays.present[0], stay))
    cuts = [0.0, *((left * right) ** 0.5 for left, right in pairwise(MEANS)), float("inf")]
    left = [delays.survival(PRESENT + cut) if cut != float("inf") else 0.0 for cut in cuts]
    shares = [(before - after) / left[0] for before, after in pairwise(left)]
    present = max(0.05, 1 - left[0]) if delays.present is None else delays.present[0]
    return Delays(tuple(zip(shares, MEANS, strict=True)), (present, stay))


def _even(delays: Delays) -> Delays:
    """Equal shares to begin with: a part that begins with next to nothing takes too many rounds to grow."""
    return Delays(tuple((1 / len(MEANS), mean) for mean in MEANS), delays.present)


@dataclass(slots=True)
class _Holder:
    """One who may have called, with what stays the same from round to round.

    ``dense`` is how dense each part of the mixture is, None while he is present. ``same_region`` is None where a
    region is not known, ``chance`` then how often a stranger has the caller's region.
    """

    weight: float
    dense: tuple[float, ...] | None
    tapped: bool
    interest: Interest
    same_region: bool | None
    chance: float

    @classmethod
    def of(cls, span: LeaseSpan, call: HeardCall, habits: Habits) -> "_Holder":
        idle, region = span.idle(call.at), call.caller_region
        known = region is not None and span.region is not None and bool(habits.regions)
        return cls(
            span.weight,
            None if idle <= PRESENT else tuple(exp(-(idle - PRESENT) / mean) / mean for mean in MEANS),
            span.tapped(call.at) is not None,
            span.interest,
            span.region == region if known else None,
            # the factor for another region, without the share of callers it is the factor for
            replace(habits, region_differs=1.0).of_region(span.region, region),
        )

    def likely(self, habits: Habits) -> float:
        """The weight ``match`` gives him."""
        delays = habits.delays
        at_page, stay = delays.present or (0.0, 1.0)
        told = self.weight * habits.interests[self.interest]
        told *= at_page / stay if self.dense is None else (1 - at_page) * mixed(delays, self.dense)
        told *= habits.of_tap(0.0 if self.dense is None else 2 * PRESENT, self.tapped)
        if self.same_region is None:
            return told * self.chance
        return told * ((1 - habits.region_differs) if self.same_region else habits.region_differs * self.chance)


def mixed(delays: Delays, dense: Sequence[float]) -> float:
    """The density of the mixture, from the density of each of its parts."""
    told = 0.0
    for (share, _), one in zip(delays.parts, dense, strict=True):
        told += share * one
    return told


class _Tally:
    """Calls counted by who may have made them."""

    def __init__(self) -> None:
        self.present = self.tapped = self.same = self.differs = self.all = 0.0
        self.parts = [0.0] * len(MEANS)
        self.interests = dict.fromkeys(Interest, 0.0)

    def add(self, one: _Holder, part: float, delays: Delays) -> None:
        self.all += part
        self.interests[one.interest] += part
        if one.same_region is not None:
            self.same += part * one.same_region
            self.differs += part * (not one.same_region)
        if one.dense is None:
            self.present += part
            self.tapped += part * one.tapped
            return
        total = mixed(delays, one.dense)
        for place, (share, _) in enumerate(delays.parts):
            self.parts[place] += part * share * one.dense[place] / total


@dataclass(slots=True)
class _Told:
    """A call with its holders; ``caller`` is the place of the one it is known to be."""

    holders: list[_Holder]
    nobody: float
    caller: int | None

    @classmethod
    def of(cls, call: HeardCall, habits: Habits) -> "_Told":
        named = [place for place, span in enumerate(call.spans) if span.visit_id == call.visit_id]
        nobody = habits.of_region(None, call.caller_region)
        return cls([_Holder.of(span, call, habits) for span in call.spans], nobody, named[0] if named else None)

    def count(self, tally: _Tally, habits: Habits) -> None:
        if self.caller is not None:
            tally.add(self.holders[self.caller], 1.0, habits.delays)
            return
        weights = [one.likely(habits) for one in self.holders]
        total = sum(weights) + self.nobody * habits.background
        for one, weight in zip(self.holders, weights, strict=True):
            if weight > _LEAST * total:
                tally.add(one, weight / total, habits.delays)


def _round(told: Sequence[_Told], exposure: Exposure, habits: Habits, first: Habits) -> Habits:
    """One round: share the calls out by the habits, then count the habits anew."""
    tally = _Tally()
    for one in told:
        one.count(tally, habits)
    return replace(
        habits,
        delays=_delays(tally, first.delays),
        region_differs=_blend(tally.differs, tally.same + tally.differs, first.region_differs),
        tap_share=_blend(tally.tapped, tally.present, first.tap_share),
        interests=_interests(tally, exposure, first.interests),
    )


def _blend(count: float, of: float, before: float) -> float:
    return (count + PRIOR * before) / (of + PRIOR)


def _delays(tally: _Tally, before: Delays) -> Delays:
    at_page, stay = before.present or (0.0, 1.0)
    gone = sum(tally.parts)
    parts = tuple(
        (_blend(count, gone, share), mean) for count, (share, mean) in zip(tally.parts, before.parts, strict=True)
    )
    return Delays(parts, (_blend(tally.present, tally.all, at_page), stay))


def _interests(tally: _Tally, exposure: Exposure, before: Mapping[Interest, float]) -> Mapping[Interest, float]:
    """How many calls a visit of each interest makes, beside the mean visit."""
    of_a_visit = tally.all / exposure.visits
    learned = dict(before)
    for name, factor in before.items():
        visits = exposure.interests.get(name, 0)
        expected = visits * of_a_visit
        if visits and name is not Interest.UNKNOWN:  # the measure of the others
            learned[name] = (tally.interests[name] + PRIOR * factor) / (expected + PRIOR)
    return learned
