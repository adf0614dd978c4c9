"""Do the probabilities keep their word: of the calls matched with 80 %, are 80 % right?"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

TENTHS = tuple(tenth / 10 for tenth in range(10))  # where bands of equal width begin
EDGES = (0.0, 0.6, 0.8, 0.9, 0.97)  # where the bands of a promise begin; below 0.6 a match is probable only
FEWEST = 20  # tested calls of a band; fewer prove nothing
_Z = 1.96  # 95 %


def interval(right: int, tested: int) -> tuple[float, float]:
    """Returns between which shares the truth lies, 95 times in 100, when ``right`` of ``tested`` were right (Wilson).

    Raises ValueError unless 0 <= right <= tested and something was tested.
    """
    if not 0 <= right <= tested or not tested:
        raise ValueError(f"of {tested} tested calls {right} cannot be right")
    share, square = right / tested, _Z * _Z
    middle = share + square / (2 * tested)
    reach = _Z * sqrt(share * (1 - share) / tested + square / (4 * tested * tested))
    least, most = ((middle + way * reach) / (1 + square / tested) for way in (-1, 1))
    return max(0.0, least), min(1.0, most)


class Word(StrEnum):
    """Whether a band of promises is kept."""

    KEPT = "kept"
    TOO_SURE = "too_sure"
    TOO_MODEST = "too_modest"
    FEW = "few"


@dataclass(frozen=True, slots=True)
class Band:
    """The calls matched with a probability from ``low`` on: how many, the mean told; those tested, and the right ones.

    ``promised`` is the mean told of the tested calls: they may be surer or less sure than the others of their band.
    """

    low: float
    calls: int
    told: float
    tested: int
    promised: float
    right: int

    @property
    def word(self) -> Word:
        """Whether what was told lies within what the test allows."""
        if self.tested < FEWEST:
            return Word.FEW
        least, most = interval(self.right, self.tested)
        if self.promised > most:
            return Word.TOO_SURE
        return Word.TOO_MODEST if self.promised < least else Word.KEPT

    @property
    def expected(self) -> float:
        """How many of the calls are right: as told, or as tested where the test contradicts it."""
        is_refuted = self.word in (Word.TOO_SURE, Word.TOO_MODEST)
        return self.calls * (self.right / self.tested if is_refuted else self.told)


def band_of(probability: float, edges: Sequence[float] = EDGES) -> int:
    """Returns the place in ``edges`` of the band that a probability falls into."""
    return bisect_right(edges, probability) - 1


def bands(told: Sequence[tuple[int, float]], tested: Iterable[tuple[float, bool]]) -> tuple[Band, ...]:
    """Returns the bands that have calls or tests, surest first.

    ``told`` has for each band of ``EDGES`` how many calls were matched and the sum of their probabilities; ``tested``
    are pairs of (probability told, was it right) of calls whose caller is known otherwise. Raises ValueError for a
    probability outside 0..1.
    """
    found = zip(EDGES, told, _by_band(tested, EDGES), strict=True)
    made = [_band(low, *sums, pairs) for low, sums, pairs in found]
    return tuple(one for one in reversed(made) if one.calls or one.tested)


def calibration_error(tested: Iterable[tuple[float, bool]]) -> float:
    """Returns the expected calibration error, 0..1: the gap promised - right of each tenth, weighted by calls.

    ``tested`` are pairs of (probability told, was it right); 0 for none. Raises ValueError for a probability outside
    0..1.
    """
    by_tenth = zip(TENTHS, _by_band(tested, TENTHS), strict=True)
    found = [_band(low, 0, 0.0, pairs) for low, pairs in by_tenth if pairs]
    calls = sum(one.tested for one in found)
    return sum(one.tested * abs(one.promised - one.right / one.tested) for one in found) / calls if calls else 0.0


def _by_band(tested: Iterable[tuple[float, bool]], edges: Sequence[float]) -> list[list[tuple[float, bool]]]:
    found: list[list[tuple[float, bool]]] = [[] for _ in edges]
    for probability, right in tested:
        if not 0 <= probability <= 1:
            raise ValueError(f"a probability lies between 0 and 1; got {probability}")
        found[band_of(probability, edges)].append((probability, right))
    return found


def _band(low: float, calls: int, total: float, pairs: Sequence[tuple[float, bool]]) -> Band:
    promised = sum(one for one, _ in pairs) / len(pairs) if pairs else 0.0
    right = sum(right for _, right in pairs)
    return Band(low, calls, total / calls if calls else promised, len(pairs), promised, right)
