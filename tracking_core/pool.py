"""Who gets which number of a pool, and how many numbers a pool needs (DNI sheet, section 9).

``choose`` is the rule in its plainest form; the hub's statement that leases numbers is tested against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOLD = timedelta(minutes=10)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HeldNumber:
    """A pool number with its latest holder; ``visitor`` and ``last_seen`` are None when there was none."""

    number: str
    visitor: str | None = None
    last_seen: datetime | None = None

    def is_free(self, now: datetime, hold: timedelta) -> bool:
        """Says whether the latest holder's right is over: at ``last_seen + hold`` it is."""
        return self.last_seen is None or self.last_seen + hold <= now


def choose(numbers: Sequence[HeldNumber], visitor: str, now: datetime, hold: timedelta = HOLD) -> str | None:
    """Returns the number to show to ``visitor``, or None for overflow.

    The visitor's own number, free or not, as long as nobody else has had it since; else, of the free ones,
    the number idle longest (never held is idlest, equal ones by number).
    """
    own = [one for one in numbers if one.visitor == visitor]
    if own:
        return max(own, key=lambda one: (one.last_seen or _NEVER, one.number)).number
    free = [one for one in numbers if one.is_free(now, hold)]
    return min(free, key=lambda one: (one.last_seen or _NEVER, one.number)).number if free else None


def erlang_b(load: float, numbers: int) -> float:
    """Returns the share of visitors who find no number: Erlang B of an offered load in Erlang.

    The load is arrivals per minute times (mean visit + hold) minutes. Raises ValueError for a negative load
    or count.
    """
    if load < 0 or numbers < 0:
        raise ValueError(f"load and numbers must not be negative; got {load} and {numbers}")
    blocked = 1.0
    for count in range(1, numbers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked
