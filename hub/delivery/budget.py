"""What an account allows per second, as a pure rule: a sliding window, a token bucket, or both vendors' words in one.

A lane's ``spent`` is a short list of microseconds that stands in its row and is committed before each request, so a
crash never forgets what was spent. For a window it holds the moments of the last requests; for a bucket one number, the
moment at which it would be full again.
"""

from collections.abc import Sequence
from datetime import datetime

from connectors.protocol import Limits
from hub.store.moment import from_micros, to_micros

_SECOND = 1_000_000


def spend(spent: Sequence[int], limits: Limits, now: datetime) -> tuple[datetime | None, list[int]]:
    """Pay for one request; return (None, what is spent now) or (when to come back, what was spent).

    What was spent later than can be was spent before the clock stepped back, and counts as spent now.
    """
    at = to_micros(now)
    allowed_at, after = _window(spent, limits.window, at) if limits.window else _bucket(spent, limits, at)
    return (from_micros(allowed_at) if allowed_at > at else None, after)


def _window(spent: Sequence[int], most: int, at: int) -> tuple[int, list[int]]:
    recent = [moment if moment <= at + _SECOND else at for moment in spent if moment > at - _SECOND]
    if len(recent) < most:
        return at, [*recent, at]
    return recent[-most] + _SECOND, recent


def _bucket(spent: Sequence[int], limits: Limits, at: int) -> tuple[int, list[int]]:
    step = int(_SECOND / limits.per_second)
    full_at = min(max([at, *spent]), at + step * limits.burst + _SECOND)
    allowed_at = full_at - step * (limits.burst - 1)
    return allowed_at, [full_at if allowed_at > at else full_at + step]
