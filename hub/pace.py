"""The rate of an account that has no lane yet: while it is being connected, its requests are spaced in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from connectors.protocol import Limits
from hub.clock import Clock
from hub.delivery import budget

_LONGEST_WAIT_S = 1.5  # of one request; a person is waiting in his browser


class Pace:
    """The budget of one connection in progress; ``spent`` is what the lane goes on with."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        # An account that is connected again has a lane, too, which may just have been refused.
        window = max(1, limits.window - 1) if limits.window else None
        self._limits, self._clock = replace(limits, window=window), clock
        self.spent: list[int] = []

    @asynccontextmanager
    async def turn(self, _of: Sequence[str] | None) -> AsyncIterator[None]:
        """Wait until one more request is allowed, and count it; one goes after the other."""
        come_back_at, self.spent = budget.spend(self.spent, self._limits, self._clock.now())
        if come_back_at is not None:
            await self._clock.wait_until(come_back_at, at_most_s=_LONGEST_WAIT_S)
            _, self.spent = budget.spend(self.spent, self._limits, max(come_back_at, self._clock.now()))
        try:
            yield
        finally:
            self.spent = budget.answered(self.spent, self._limits, self._clock.now())
