"""Credit learned from all journeys, those without a conversion included: Markov and Shapley (DNI sheet, section 13)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial

from tracking_core.attribution import DEFAULT_RULES, NONE, Journey, Name, Touch, TouchRules, touches_that_count

MOST_PLAYERS = 12  # of a game of any kind; beyond, 2^n coalitions are too many


@dataclass(frozen=True, slots=True)
class JourneyCount:
    """How many journeys went through these channels in this order, with this result."""

    channels: tuple[Name, ...]
    converted: bool
    journeys: int = 1

    def __post_init__(self) -> None:
        if self.journeys < 1:
            raise ValueError(f"a path is counted at least once; got {self.journeys} for {self.channels}")


def count_journeys(journeys: Iterable[Journey], rules: TouchRules = DEFAULT_RULES) -> tuple[JourneyCount, ...]:
    """Returns how often each path with its result occurs, as the rules read touches, by path."""
    found = Counter((path_of(journey, rules), journey.converted) for journey in journeys)
    return tuple(JourneyCount(*path, found[path]) for path in sorted(found))


def path_of(journey: Journey, rules: TouchRules = DEFAULT_RULES) -> tuple[Name, ...]:
    """Returns the channels of the touches that count, in order."""
    return tuple(touch.channel for touch in touches_that_count(journey, rules))


# -- Markov


@dataclass(frozen=True, slots=True)
class Step:
    """How many times journeys went from one channel to the next; None before is the start, None after is the end."""

    before: Name | None
    after: Name | None
    times: int = 1


def steps_of(path: Sequence[Name], journeys: int = 1) -> Iterator[Step]:
    """Yields the steps of journeys through a path, from start to end; a path of nowhere has none."""
    if path:
        for before, after in pairwise((None, *path, None)):
            yield Step(before, after, journeys)


class Chain:
    """A first-order chain, start -> channels -> end, of the steps of whole journeys: each that begins also ends.

    Touches of one channel in a row change nothing: a chain that stays where it is leaves by the same odds.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        told = list(steps)
        self.channels = sorted({step.after for step in told if step.after is not None})
        self.journeys = sum(step.times for step in told if step.before is None)
        self._inverse = _inverse(_balance(told, self.channels)) if told else []

    def expected(self, endings: Mapping[Name, float]) -> float:
        """Returns what a journey brings on average, of what all of them brought by the channel they ended with.

        Of counted conversions it is the probability 0..1 that a journey converts.
        """
        return self._onwards(endings)[0] if self._inverse else 0.0

    def removal_effects(self, endings: Mapping[Name, float]) -> dict[Name, float]:
        """Returns the part, 0..1, that is lost when every step into a channel leads to nothing; 0 if there is nothing.

        ``endings`` is what journeys brought by the channel they ended with, none of it negative.
        """
        if not any(endings.values()):
            return dict.fromkeys(self.channels, 0.0)
        brings = self._onwards(endings)
        effects = {}
        for place, channel in enumerate(self.channels, start=1):
            # Removing a channel loses exactly the walks that ever reach it and bring something from there.
            reached = self._inverse[0][place] / self._inverse[place][place]
            effects[channel] = reached * brings[place] / brings[0]
        return effects

    def _onwards(self, endings: Mapping[Name, float]) -> list[float]:
        """What is to come from the start, and from each channel."""
        gains = [0.0, *(endings.get(channel, 0.0) for channel in self.channels)]
        return [sum(step * gain for step, gain in zip(row, gains, strict=True)) for row in self._inverse]


@dataclass(frozen=True, slots=True)
class MarkovCredit:
    """Probability 0..1 that a journey converts, removal effect 0..1 and conversions of each channel.

    Journeys without touches are no part of the chain; their conversions stand under ``(none)``.
    """

    probability: float
    removal_effects: Mapping[Name, float]
    conversions: Mapping[Name, float]


def markov(counts: Iterable[JourneyCount]) -> MarkovCredit:
    """Returns the credit by removal effects: conversions x effect / sum of effects."""
    counted = list(counts)
    chain = Chain(step for count in counted for step in steps_of(count.channels, count.journeys))
    endings: Counter[Name] = Counter()
    bare = 0
    for count in counted:
        if count.converted and count.channels:
            endings[count.channels[-1]] += count.journeys
        elif count.converted:
            bare += count.journeys
    effects = chain.removal_effects(endings)
    whole = sum(effects.values())
    credit = {channel: endings.total() * effect / whole if whole else 0.0 for channel, effect in effects.items()}
    if bare:
        credit[NONE] = credit.get(NONE, 0.0) + bare
    return MarkovCredit(chain.expected(endings), effects, credit)


_Matrix = list[list[float]]


def _balance(steps: Iterable[Step], channels: Sequence[Name]) -> _Matrix:
    """I - Q with each row times its departures; state 0 is the start."""
    place: dict[Name | None, int] = {None: 0, **{channel: number for number, channel in enumerate(channels, start=1)}}
    matrix = [[0.0] * len(place) for _ in place]
    for step in steps:
        here = place[step.before]
        matrix[here][here] += step.times
        if step.after is not None:
            matrix[here][place[step.after]] -= step.times
    return matrix


def _inverse(matrix: _Matrix) -> _Matrix:
    """Gauss and Jordan in place, without a search for pivots.

    Every journey ends, so the matrix is regular, and no row's other entries outweigh its diagonal: pivots stay safe.
    """
    rows = [row[:] for row in matrix]
    for number, row in enumerate(rows):
        pivot, row[number] = row[number], 1.0
        rows[number] = base = [value / pivot for value in row]
        for other, changed in enumerate(rows):
            factor = changed[number]
            if other != number and factor:
                changed[number] = 0.0
                rows[other] = [value - factor * of_base for value, of_base in zip(changed, base, strict=True)]
    return rows


# -- Shapley


def in_equal_parts(touches: Sequence[Touch]) -> Sequence[Fraction]:
    """Gives every different channel of the journey the same, however often it was touched.

    This is the Shapley value where a coalition is worth the conversions of journeys it holds all channels of: such a
    game is a sum of games in which one journey's channels win together or not at all, and share alike.
    """
    often = Counter(touch.channel for touch in touches)
    return [Fraction(1, often[touch.channel]) for touch in touches]


def shapley(counts: Iterable[JourneyCount]) -> dict[Name, Fraction]:
    """Returns channel -> conversions, each divided alike between its different channels (see ``in_equal_parts``).

    Conversions without touches stand under ``(none)``.
    """
    credit: dict[Name, Fraction] = {}
    for count in counts:
        players = set(count.channels) or ({NONE} if count.converted else set())
        part = Fraction(count.journeys, len(players)) if count.converted else Fraction(0)
        for player in players:
            credit[player] = credit.get(player, Fraction(0)) + part
    return credit


Worth = Callable[[frozenset[Name]], int]


def shapley_values(players: Iterable[Name], worth: Worth) -> dict[Name, Fraction]:
    """Returns each player's Shapley value in any game: its mean gain over all orders in which a coalition can grow.

    The values sum to the worth of all, less that of nobody. Raises ValueError beyond ``MOST_PLAYERS``.
    """
    ordered = sorted(set(players))
    count = len(ordered)
    if count > MOST_PLAYERS:
        raise ValueError(f"a game of any kind is solved for up to {MOST_PLAYERS} players; got {count}")
    coalitions = (frozenset(some) for size in range(count + 1) for some in combinations(ordered, size))
    worths = {coalition: worth(coalition) for coalition in coalitions}
    orders = [factorial(size) * factorial(count - size - 1) for size in range(count)]
    return {
        player: Fraction(
            sum(
                orders[len(others)] * (worths[others | {player}] - alone)
                for others, alone in worths.items()
                if player not in others
            ),
            factorial(count),
        )
        for player in ordered
    }
