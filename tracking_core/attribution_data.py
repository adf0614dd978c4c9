"""Credit learned from all journeys, those without a conversion included: Markov and Shapley (DNI sheet, section 13)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial

from tracking_core.attribution import DEFAULT_RULES, NONE, Journey, TouchRules, touches_that_count

MOST_EXACT = 12  # channels; beyond, 2^n coalitions are too many and permutations are sampled
PERMUTATIONS = 1_000


@dataclass(frozen=True, slots=True)
class JourneyCount:
    """How many journeys went through these channels in this order, with this result."""

    channels: tuple[str, ...]
    converted: bool
    journeys: int = 1

    def __post_init__(self) -> None:
        if self.journeys < 1:
            raise ValueError(f"a path is counted at least once; got {self.journeys} for {self.channels}")


def count_journeys(journeys: Iterable[Journey], rules: TouchRules = DEFAULT_RULES) -> tuple[JourneyCount, ...]:
    """Returns how often each path with its result occurs, as the rules read touches, by path."""
    found = Counter(
        (tuple(touch.channel for touch in touches_that_count(journey, rules)), journey.converted)
        for journey in journeys
    )
    return tuple(JourneyCount(*path, found[path]) for path in sorted(found))


# -- Markov


@dataclass(frozen=True, slots=True)
class MarkovCredit:
    """Probability 0..1 that a journey converts, removal effect 0..1 and conversions of each channel.

    Journeys without touches are no part of the chain; their conversions stand under ``(none)``.
    """

    probability: float
    removal_effects: Mapping[str, float]
    conversions: Mapping[str, float]


def markov(counts: Iterable[JourneyCount]) -> MarkovCredit:
    """Returns the credit by removal effects in a first-order chain: start -> channels -> conversion or null.

    The effect of a channel is the part of conversions lost when every step into it leads to null. Touches of one
    channel in a row change nothing here: a chain that stays where it is leaves by the same odds.
    """
    counted = list(counts)
    walked = [count for count in counted if count.channels]
    channels = sorted({channel for count in walked for channel in count.channels})
    touched, bare = _conversions(walked), _conversions(counted) - _conversions(walked)
    probability, effects = _removal_effects(walked, channels) if touched else (0.0, dict.fromkeys(channels, 0.0))
    whole = sum(effects.values())
    credit = {channel: touched * effect / whole if whole else 0.0 for channel, effect in effects.items()}
    if bare:
        credit[NONE] = credit.get(NONE, 0.0) + bare
    return MarkovCredit(probability, effects, credit)


def _conversions(counts: Iterable[JourneyCount]) -> int:
    return sum(count.journeys for count in counts if count.converted)


_Matrix = list[list[float]]


def _removal_effects(counts: Sequence[JourneyCount], channels: Sequence[str]) -> tuple[float, dict[str, float]]:
    balance, won = _balance(counts, channels)
    inverse = _inverse(balance)
    converts = [sum(step * gain for step, gain in zip(row, won, strict=True)) for row in inverse]
    effects = {}
    for place, channel in enumerate(channels, start=1):
        # Removing a channel loses exactly the walks that ever reach it and convert from there.
        reached = inverse[0][place] / inverse[place][place]
        effects[channel] = reached * converts[place] / converts[0]
    return converts[0], effects


def _balance(counts: Iterable[JourneyCount], channels: Sequence[str]) -> tuple[_Matrix, list[int]]:
    """I - Q with each row times its departures, and departures into a conversion; state 0 is the start."""
    place = {channel: number for number, channel in enumerate(channels, start=1)}
    matrix = [[0.0] * (len(channels) + 1) for _ in range(len(channels) + 1)]
    won = [0] * (len(channels) + 1)
    for count in counts:
        states = [0, *(place[channel] for channel in count.channels)]
        for here, there in pairwise(states):
            matrix[here][here] += count.journeys
            matrix[here][there] -= count.journeys
        matrix[states[-1]][states[-1]] += count.journeys
        won[states[-1]] += count.journeys if count.converted else 0
    return matrix, won


def _inverse(matrix: _Matrix) -> _Matrix:
    """Gauss and Jordan without a search for pivots.

    Every journey ends, so the matrix is regular, and no row's other entries outweigh its diagonal: pivots stay safe.
    """
    size = len(matrix)
    rows = [[*row, *(float(place == number) for place in range(size))] for number, row in enumerate(matrix)]
    for number in range(size):
        pivot = rows[number][number]
        rows[number] = [value / pivot for value in rows[number]]
        for other in range(size):
            factor = rows[other][number]
            if other != number and factor:
                rows[other] = [value - factor * base for value, base in zip(rows[other], rows[number], strict=True)]
    return [row[size:] for row in rows]


# -- Shapley

Worth = Callable[[frozenset[str]], int]


def shapley(counts: Iterable[JourneyCount], *, seed: int, permutations: int = PERMUTATIONS) -> dict[str, Fraction]:
    """Returns channel -> conversions; a coalition is worth the conversions of journeys it holds all channels of.

    Conversions without touches stand under ``(none)``. See ``shapley_values`` for seed and permutations.
    """
    won: Counter[frozenset[str]] = Counter()
    channels: set[str] = set()
    for count in counts:
        channels.update(count.channels)
        if count.converted:
            won[frozenset(count.channels)] += count.journeys
    bare = won.pop(frozenset(), 0)

    def worth(coalition: frozenset[str]) -> int:
        return sum(conversions for members, conversions in won.items() if members <= coalition)

    credit = shapley_values(channels, worth, seed=seed, permutations=permutations)
    if bare:
        credit[NONE] = credit.get(NONE, Fraction(0)) + bare
    return credit


def shapley_values(
    players: Iterable[str], worth: Worth, *, seed: int, permutations: int = PERMUTATIONS
) -> dict[str, Fraction]:
    """Returns each player's Shapley value: its mean gain over all orders in which a coalition can grow.

    Up to ``MOST_EXACT`` players it is exact; beyond, it is the mean over sampled orders, and the same seed gives the
    same orders anywhere. Either way the values sum to the worth of all, less that of nobody. Raises ValueError
    unless there is a permutation to sample.
    """
    if permutations < 1:
        raise ValueError(f"at least 1 permutation is sampled; got {permutations}")
    ordered = sorted(set(players))
    if len(ordered) <= MOST_EXACT:
        return _exact(ordered, worth)
    return _sampled(ordered, worth, seed, permutations)


def _exact(players: Sequence[str], worth: Worth) -> dict[str, Fraction]:
    count = len(players)
    coalitions = (frozenset(some) for size in range(count + 1) for some in combinations(players, size))
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
        for player in players
    }


def _sampled(players: Sequence[str], worth: Worth, seed: int, permutations: int) -> dict[str, Fraction]:
    gains = dict.fromkeys(players, 0)
    for turn in range(permutations):
        coalition: frozenset[str] = frozenset()
        before = worth(coalition)
        for player in _shuffled(players, seed, turn):
            coalition |= {player}
            after = worth(coalition)
            gains[player] += after - before
            before = after
    return {player: Fraction(gain, permutations) for player, gain in gains.items()}


def _shuffled(players: Sequence[str], seed: int, turn: int) -> list[str]:
    # A digest and not the library's random: its orders are the same in every version of Python.
    return sorted(players, key=lambda player: hashlib.sha256(f"{seed}:{turn}:{player}".encode()).digest())
