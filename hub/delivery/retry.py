"""When a delivery is tried again, and for how long: pure, and the only durable retry of the house.

Now, 5 s, 30 s, 2 m, 10 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each +-20 %: about 76 hours. A delivery is parked
only when both its tries and 72 hours are used, or when its account was in trouble for 72 hours without a break.
Holds and waits for order spend no try (RELIABILITY section 3).
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connectors.protocol import Outcome, Status, Why

SCHEDULE_S = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
PATIENCE = timedelta(hours=72)
_JITTER = 0.2
_SHORTEST_REST = timedelta(seconds=60)


class State(StrEnum):
    """The states of a delivery and where each can go."""

    READY = "ready"  # planned, or waiting for its next try -> sending, parked (unreadable; the account dark for days)
    SENDING = "sending"  # claimed, a request may be on its way -> delivered, accepted, ready, parked
    ACCEPTED = "accepted"  # taken by the vendor, confirmed later -> delivered, parked
    DELIVERED = "delivered"  # it is there
    PARKED = "parked"  # needs a person -> ready (replayed), dropped
    DROPPED = "dropped"  # given up by a person -> ready (replayed)


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery after an outcome."""

    state: State
    due_at: datetime
    spent: int
    in_doubt: bool


def after(
    outcome: Outcome,
    *,
    delivery_id: str,
    spent: int,
    in_doubt: bool,
    created_at: datetime,
    now: datetime,
    search_lag: timedelta,
) -> Next:
    """Return what becomes of a delivery whose attempt ended with ``outcome``."""
    if outcome.status is Status.DELIVERED:
        return Next(State.DELIVERED, now, spent, in_doubt=False)
    if outcome.status is Status.ACCEPTED:
        return Next(State.ACCEPTED, now, spent, in_doubt=False)
    if outcome.status is Status.REJECTED:
        return Next(State.PARKED, now, spent, in_doubt)
    doubt = in_doubt or outcome.status is Status.UNKNOWN
    due_at = _try_again(delivery_id, spent, created_at, now)
    if due_at is None:
        return Next(State.PARKED, now, spent + 1, doubt)
    if outcome.status is Status.UNKNOWN:
        due_at = max(due_at, now + rest(search_lag))
    if outcome.not_before:
        due_at = max(due_at, outcome.not_before)
    return Next(State.READY, due_at, spent + 1, doubt)


def rest(search_lag: timedelta) -> timedelta:
    """Return how long an in-doubt delivery rests, so that the vendor's search has caught up when we look."""
    return max(search_lag * 2, _SHORTEST_REST)


def _try_again(delivery_id: str, spent: int, created_at: datetime, now: datetime) -> datetime | None:
    if spent >= len(SCHEDULE_S) and now - created_at >= PATIENCE:
        return None
    pause = SCHEDULE_S[min(spent, len(SCHEDULE_S) - 1)]
    spread = random.Random(f"{delivery_id}:{spent}").uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, hides nothing
    return now + timedelta(seconds=pause * spread)


_HOLDS: dict[Why, tuple[float, float]] = {  # first hold, longest hold, in seconds; doubled each time in a row
    Why.THROTTLED: (2, 300),
    Why.UNAVAILABLE: (5, 600),
    Why.FORBIDDEN: (900, 3_600),
    Why.UNAUTHORIZED: (5, 900),
    Why.UNREADABLE: (60, 900),
}


def hold(why: Why, count: int, asked: timedelta | None) -> timedelta:
    """Return how long an installation is left alone after its ``count``-th trouble in a row."""
    first, longest = _HOLDS.get(why, (60, 900))
    ours = timedelta(seconds=min(first * 2 ** min(count, 12), longest))
    return max(ours, asked) if asked else ours
