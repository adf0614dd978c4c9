"""What an account allows per second, as a pure rule: a sliding window, a token bucket, or both vendors' words in one.

A vendor counts a request when it arrives, which is some time between its leaving and its answer. Requests of a lane go
one after the other, so whoever asks for his turn now has the answer to the one before: in a window that one counts from
now. Then no way there, however slow or uneven, brings more into the vendor's second than the window holds.

A lane's ``spent`` is a short list of microseconds that stands in its row and is committed before each request, so a
crash never forgets what was spent. For a window it holds the moments of the last requests; for a bucket one number, the
moment at which it would be full again.
"""

from collections.abc import Sequence
from datetime import datetime

from connectors.protocol import Limits
from hub.store.moment import from_micros, to_micros

_SECOND = 1_000_000
_WINDOW = _SECOND + 1_000  # two clocks neither run nor round alike


def spend(spent: Sequence[int], limits: Limits, asked: datetime, now: datetime) -> tuple[datetime | None, list[int]]:
    """Pay for one request; return (None, what is spent now) or (when to come back, what was spent).

    ``asked`` is when it asked for its turn first, however long it waits for it. What was spent later than can be was
    spent before the clock stepped back, and counts as spent now.
    """
    at = to_micros(now)
    allowed_at, after = (
        _window(spent, limits.window, to_micros(asked), at) if limits.window else _bucket(spent, limits, at)
    )
    return (from_micros(allowed_at) if allowed_at > at else None, after)


def _window(spent: Sequence[int], most: int, asked: int, at: int) -> tuple[int, list[int]]:
    arrived = [*spent[:-1], *(max(last, asked) for last in spent[-1:])]
    recent = [moment if moment <= at + _WINDOW else at for moment in arrived if moment > at - _WINDOW]
    if len(recent) < most:
        return at, [*recent, at]
    return recent[-most] + _WINDOW, recent


def _bucket(spent: Sequence[int], limits: Limits, at: int) -> tuple[int, list[int]]:
    step = int(_SECOND / limits.per_second)
    full_at = min(max([at, *spent]), at + step * limits.burst + _SECOND)
    allowed_at = full_at - step * (limits.burst - 1)
    return allowed_at, [full_at if allowed_at > at else full_at + step]
