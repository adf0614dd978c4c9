"""What an account allows per second, as a pure rule: a sliding window, a token bucket, or both vendors' words in one.

A vendor counts a request when it arrives, which is some time between its leaving and its answer. In a window a request
that is under way may therefore arrive at any moment, and counts as arriving now; one that was answered counts from its
answer. Then no way there, however slow or uneven, brings more into the vendor's second than the window holds.

What was ``spent`` is a short list of microseconds. For a window it holds the moments of the last answers; for a bucket
one number, the moment at which it would be full again. What stands in the lane's row (``stored``) counts those under
way too and is committed before each request, so a crash never forgets what was spent.
"""

from collections.abc import Sequence
from datetime import datetime

from connectors.protocol import Limits
from hub.store.moment import from_micros, to_micros

_SECOND = 1_000_000
_WINDOW = _SECOND + 1_000  # two clocks neither run nor round alike
_GLANCE = 20_000  # between two looks while everything that is allowed is under way


def spend(spent: Sequence[int], limits: Limits, now: datetime, under_way: int = 0) -> tuple[datetime | None, list[int]]:
    """Pay for one request beside those ``under_way``; return (None, what was spent) or (when to come back, the same).

    What was spent later than can be was spent before the clock stepped back, and counts as spent now.
    """
    at = to_micros(now)
    rule = _window(spent, limits.window, at, under_way) if limits.window else _bucket(spent, limits, at)
    allowed_at, after = rule
    return (from_micros(allowed_at) if allowed_at > at else None, after)


def answered(spent: Sequence[int], limits: Limits, now: datetime) -> list[int]:
    """Return what was spent once a request that was under way is answered."""
    return [*spent, to_micros(now)] if limits.window else list(spent)


def stored(spent: Sequence[int], limits: Limits, now: datetime, under_way: int) -> list[int]:
    """Return what the next holder of the lane has to know."""
    return [*spent, *[to_micros(now)] * under_way] if limits.window else list(spent)


def read(kept: Sequence[int], limits: Limits, now: datetime) -> list[int]:
    """Return what was spent by what was stored: the last requests may have been answered just now."""
    if not limits.window or not kept:
        return list(kept)
    last = max(kept)
    return [moment if moment < last else max(moment, to_micros(now)) for moment in kept]


def _window(spent: Sequence[int], most: int, at: int, under_way: int) -> tuple[int, list[int]]:
    recent = sorted(moment if moment <= at + _WINDOW else at for moment in spent if moment > at - _WINDOW)
    too_many = len(recent) + under_way + 1 - most
    if too_many <= 0:
        return at, recent
    return (recent[too_many - 1] + _WINDOW if too_many <= len(recent) else at + _GLANCE), recent


def _bucket(spent: Sequence[int], limits: Limits, at: int) -> tuple[int, list[int]]:
    step = int(_SECOND / limits.per_second)
    full_at = min(max([at, *spent]), at + step * limits.burst + _SECOND)
    allowed_at = full_at - step * (limits.burst - 1)
    return allowed_at, [full_at if allowed_at > at else full_at + step]
