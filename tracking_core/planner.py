"""How many numbers for which accuracy: recorded visits and calls, replayed with other pools (product sheet, E).

A replay gives numbers and matches calls with the same ``choose`` and ``match`` the hub uses. Who called in truth
(or who was matched for sure when it was recorded) is read only to count right and wrong, after the match.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import merge

from tracking_core.habits import SHEET_HABITS, SURE, Habits, Interest
from tracking_core.learn import Exposure, HeardCall, learn
from tracking_core.match import (
    SHEET_THRESHOLDS,
    Candidate,
    LeaseSpan,
    Match,
    MatchReason,
    Remembered,
    Thresholds,
    match,
    spans_at,
)
from tracking_core.pool import HeldNumber, PastHolder, choose, cooled, given

SOFT_HOLD = timedelta(minutes=3)
_REMEMBERED_HOLDERS = 8  # of a number, when its heat is reckoned anew


@dataclass(frozen=True, slots=True)
class RecordedVisit:
    """One visit as it was recorded; times aware UTC. ``revealed`` says whether the number came into view."""

    visitor: str
    start: datetime
    last_seen: datetime
    region: str | None = None
    revealed: bool = True
    interest: Interest = Interest.UNKNOWN
    taps: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call to the pool; ``visit`` is the place of the caller's visit in the list of visits, None for nobody's.

    ``region`` is what the caller's phone tells. A call recorded without a sure visit is better left out than
    guessed; but then late calls are missing, and the replay promises too much.
    """

    at: datetime
    visit: int | None
    caller: str | None = None
    region: str | None = None


Give = Callable[[Sequence[HeldNumber], RecordedVisit, timedelta], str | None]
Name = Callable[[str | None, RecordedCall, Sequence[LeaseSpan], Remembered | None], Match]


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to give numbers and to match calls.

    ``on_intent`` gives a number only when it comes into view. ``minds_signs`` lets what is known of a visitor move
    the moment his number counts as idle: whether he saw it, and whether he has called and is known by his phone.
    """

    numbers: int
    hold: timedelta
    give: Give
    name: Name
    habits: Habits = SHEET_HABITS
    on_intent: bool = False
    minds_signs: bool = False


def by_heat(numbers: Sequence[HeldNumber], visit: RecordedVisit, hold: timedelta, habits: Habits) -> str | None:
    """Gives the number whose past holders are least likely still to call."""
    return choose(numbers, visit.visitor, visit.start, hold, region=visit.region, habits=habits)


def longest_idle(numbers: Sequence[HeldNumber], visit: RecordedVisit, hold: timedelta) -> str | None:
    """Gives the number idle longest."""
    return choose(numbers, visit.visitor, visit.start, hold)


def by_evidence(
    did: str | None,
    call: RecordedCall,
    leases: Sequence[LeaseSpan],
    remembered: Remembered | None,
    habits: Habits,
    thresholds: Thresholds,
) -> Match:
    """Matches with all the evidence there is."""
    return match(
        did,
        call.caller,
        call.at,
        leases,
        None,
        remembered,
        caller_region=call.region,
        habits=habits,
        thresholds=thresholds,
    )


def last_holder(
    did: str | None, call: RecordedCall, leases: Sequence[LeaseSpan], remembered: Remembered | None
) -> Match:
    """Names whoever was given the number last, however long ago, with all certainty; what many vendors do."""
    held = [lease for lease in leases if lease.started_at <= call.at]
    if not held:
        return Match(MatchReason.NOBODY, "Nobody was shown the number before the call.", 0.0)
    last = max(held, key=lambda lease: lease.started_at)
    found = (Candidate(last.visitor, last.visit_id, 1.0),)
    words = "The last visitor who was shown the number."
    return Match(MatchReason.LAST_HOLDER, words, 1.0, last.visit_id, visitor=last.visitor, candidates=found)


def soft_lease(
    numbers: int,
    habits: Habits = SHEET_HABITS,
    hold: timedelta = SOFT_HOLD,
    *,
    on_intent: bool = False,
    thresholds: Thresholds = SHEET_THRESHOLDS,
) -> Policy:
    """Returns our policy: a short hold, the coolest number, all evidence."""
    name = partial(by_evidence, habits=habits, thresholds=thresholds)
    return Policy(numbers, hold, partial(by_heat, habits=habits), name, habits, on_intent, minds_signs=True)


@dataclass(slots=True)
class Replayed:
    """What a replay came to; the shares are of all calls that count, or of all visits that wanted a number.

    ``told`` has for each call with a candidate the probability of the likeliest and whether it was he.
    ``heard`` and ``exposure`` are what ``learn`` takes.
    """

    calls: int = 0
    wanted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    told: list[tuple[float, bool]] = field(default_factory=list)
    heard: list[HeardCall] = field(default_factory=list)
    exposure: Exposure = field(default_factory=lambda: Exposure(0, Counter(), Counter()))

    def share(self, outcome: str) -> float:
        """Returns ``right``, ``wrong``, ``unknown``, ``probable`` or ``probable_right`` as a share of all calls."""
        return self.outcomes[outcome] / self.calls if self.calls else 0.0

    @property
    def overflow(self) -> float:
        """The share of visitors who found no number."""
        return self.outcomes["overflow"] / self.wanted if self.wanted else 0.0


def replay(
    visits: Sequence[RecordedVisit], calls: Sequence[RecordedCall], policy: Policy, since: datetime | None = None
) -> Replayed:
    """Replays visits and calls, both in order of time, and counts the calls from ``since`` on.

    ``right`` and ``wrong`` are accepted matches; a match that is only probable counts as ``unknown``, and beside
    it as ``probable``, and as ``probable_right`` where it would have been right.
    """
    pool = _Pool(visits, policy)
    arrivals = ((visit.start, 0, place) for place, visit in enumerate(visits))
    rings = ((call.at, 1, place) for place, call in enumerate(calls))
    for at, is_call, place in merge(arrivals, rings):
        counts = since is None or at >= since
        if is_call:
            pool.ring(calls[place], counts)
        else:
            pool.arrive(place, counts)
    pool.result.exposure = pool.exposure(visits)
    return pool.result


def learned(visits: Sequence[RecordedVisit], calls: Sequence[RecordedCall], policy: Policy) -> Habits:
    """Returns the site's habits as a replay with ``policy`` would have taught them."""
    played = replay(visits, calls, policy)
    return learn(played.heard, played.exposure)


def frontier(
    visits: Sequence[RecordedVisit],
    calls: Sequence[RecordedCall],
    policies: Iterable[Policy],
    since: datetime | None = None,
) -> list[tuple[Policy, Replayed]]:
    """Replays each of the policies: what each pool size, hold and rule would have come to."""
    return [(policy, replay(visits, calls, policy, since)) for policy in policies]


def fewest(played: Iterable[tuple[Policy, Replayed]], right: float, wrong: float = 1.0) -> Policy | None:
    """Returns the policy with the fewest numbers that has at least ``right`` and at most ``wrong``, or None."""
    enough = [policy for policy, one in played if one.share("right") >= right and one.share("wrong") <= wrong]
    return min(enough, key=lambda policy: policy.numbers, default=None)


class _Pool:
    """The state of a replay: numbers, leases, and what calls have taught of their callers."""

    def __init__(self, visits: Sequence[RecordedVisit], policy: Policy) -> None:
        self.visits, self.policy, self.result = visits, policy, Replayed()
        names = [f"{place:04d}" for place in range(policy.numbers)]
        self.numbers = {name: HeldNumber(name) for name in names}
        self.leases: dict[str, list[tuple[int, datetime]]] = {name: [] for name in names}
        self.held: dict[int, str] = {}
        self.phones: dict[str, str | None] = {}
        self.memory: dict[str, Remembered] = {}

    def arrive(self, place: int, counts: bool) -> None:
        visit, policy = self.visits[place], self.policy
        if policy.on_intent and not visit.revealed:
            return
        number = policy.give(list(self.numbers.values()), visit, policy.hold)
        self.result.wanted += counts
        if number is None:
            self.result.outcomes["overflow"] += counts
            return
        self.held[place] = number
        self.leases[number].append((place, visit.start))
        # His last moment is known in advance here, but nobody asks for it before it has passed.
        holder = PastHolder(visit.last_seen, visit.region, visit.interest if policy.minds_signs else Interest.UNKNOWN)
        self.numbers[number] = given(self.numbers[number], visit.visitor, holder, policy.habits)

    def ring(self, call: RecordedCall, counts: bool) -> None:
        number = self.held.get(call.visit) if call.visit is not None else None
        spans = self._spans(number, call) if number else []
        found = self.policy.name(number, call, spans, self.memory.get(call.caller or ""))
        self._learn_caller(number, call, found)
        if counts:
            self._count(call, found)
        self.result.heard.append(HeardCall(call.at, spans_at(number, call.at, spans, 24), call.region))

    def _spans(self, number: str, call: RecordedCall) -> list[LeaseSpan]:
        told, ended = [], None
        for place, started in reversed(self.leases[number][-24:]):
            visit = self.visits[place]
            told.append(self._span(number, place, visit, started, ended, call))
            ended = started
        return told

    def _span(
        self,
        number: str,
        place: int,
        visit: RecordedVisit,
        started: datetime,
        ended: datetime | None,
        call: RecordedCall,
    ) -> LeaseSpan:
        phone = self.phones.get(visit.visitor, call.caller)
        return LeaseSpan(
            number,
            visit.visitor,
            str(place),
            started,
            visit.last_seen,
            visit.last_seen + self.policy.hold,
            ended,
            region=visit.region,
            taps=visit.taps,
            interest=visit.interest if phone == call.caller else Interest.CALLED,
        )

    def _learn_caller(self, number: str | None, call: RecordedCall, found: Match) -> None:
        if not found.is_accepted or found.visitor is None or found.visit_id is None or call.caller is None:
            return
        known = Remembered(found.visitor, found.visit_id, call.at, found.confidence)
        self.memory[call.caller] = known
        if found.confidence < SURE or number is None or not self.policy.minds_signs:
            return
        self.phones[found.visitor] = call.caller
        self._cool(number)

    def _cool(self, number: str) -> None:
        """Reckon the heat anew: who has called is known by his phone and needs the number no more."""
        visits = (self.visits[place] for place, _ in self.leases[number][-_REMEMBERED_HOLDERS:])
        past = [
            PastHolder(one.last_seen, one.region, Interest.CALLED if one.visitor in self.phones else one.interest)
            for one in visits
        ]
        self.numbers[number] = cooled(self.numbers[number], past, self.policy.habits)

    def _count(self, call: RecordedCall, found: Match) -> None:
        result, true = self.result, None if call.visit is None else str(call.visit)
        result.calls += 1
        right = found.visit_id == true
        if found.is_accepted:
            result.outcomes["right" if right else "wrong"] += 1
        else:
            result.outcomes["unknown"] += 1
            probable = found.reason is MatchReason.PROBABLE
            result.outcomes["probable"] += probable
            result.outcomes["probable_right"] += probable and right
        if found.candidates:
            best = found.candidates[0]
            result.told.append((best.probability, best.visit_id == true))

    def exposure(self, visits: Sequence[RecordedVisit]) -> Exposure:
        shown = [visits[place] for place in self.held]
        regions: Mapping[str, int] = Counter(one.region for one in shown if one.region is not None)
        interests: Mapping[Interest, int] = Counter(one.interest for one in shown)
        return Exposure(len(shown), regions, interests)
