"""Do the probabilities keep their word: of the calls matched with 80 %, are 80 % right?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Calls whose probability lies between ``low`` and ``high``: how many, the mean told, the share right."""

    low: float
    high: float
    calls: int
    told: float
    right: float


def reliability(told: Iterable[tuple[float, bool]], bins: int = BINS) -> Sequence[Bin]:
    """Returns the bins of equal width that have calls, from pairs of (probability told, was it right).

    Raises ValueError for a probability outside 0..1.
    """
    found: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for probability, right in told:
        if not 0 <= probability <= 1:
            raise ValueError(f"a probability lies between 0 and 1; got {probability}")
        found[min(int(probability * bins), bins - 1)].append((probability, right))
    return tuple(
        Bin(
            place / bins,
            (place + 1) / bins,
            len(pairs),
            sum(one for one, _ in pairs) / len(pairs),
            sum(right for _, right in pairs) / len(pairs),
        )
        for place, pairs in enumerate(found)
        if pairs
    )


def calibration_error(told: Iterable[tuple[float, bool]], bins: int = BINS) -> float:
    """Returns the expected calibration error, 0..1: the gap told - right, weighted by calls; 0 for no calls."""
    found = reliability(told, bins)
    calls = sum(one.calls for one in found)
    return sum(one.calls * abs(one.told - one.right) for one in found) / calls if calls else 0.0
