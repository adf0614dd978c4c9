"""Requests of one batch side by side, for a vendor who takes his time over each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

AT_ONCE = 3  # requests under way; more would only wait for one another in the account's budget


async def side_by_side(asked: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Ask in turn, a few at once; after the first trouble nothing more is asked, and it is raised when all have ended.

    What is under way is not given up: its answer may be the only one that says what was created.
    """
    left, troubles = iter(asked), list[Exception]()

    async def serve() -> None:
        for ask in left:
            try:
                await ask()
            except Exception as error:
                troubles.append(error)
            if troubles:
                return

    await asyncio.gather(*(serve() for _ in range(AT_ONCE)))
    if troubles:
        raise troubles[0]
