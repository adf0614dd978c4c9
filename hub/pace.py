"""The rate of an account that has no lane yet: while it is being connected, its requests are spaced in memory."""

from connectors.protocol import Limits
from hub.clock import Clock
from hub.delivery import budget

_LONGEST_WAIT_S = 1.0  # of one request; a person is waiting in his browser


class Pace:
    """The budget of one connection in progress; ``spent`` is what the lane goes on with."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self.spent: list[int] = []

    async def spend(self) -> None:
        """Wait until one more request is allowed, and count it."""
        come_back_at, self.spent = budget.spend(self.spent, self._limits, self._clock.now())
        if come_back_at is not None:
            await self._clock.wait_until(come_back_at, at_most_s=_LONGEST_WAIT_S)
            _, self.spent = budget.spend(self.spent, self._limits, max(come_back_at, self._clock.now()))
