"""Loops that nothing ends: after a database was away for a while, a hub that answers must deliver, too."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from hub.clock import Clock
from hub.errors import DatabaseAway

log = structlog.get_logger()

_AFTER_TROUBLE = timedelta(seconds=1)


async def for_ever(name: str, turn: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Take one turn after the other until cancelled; one that fails is logged, and the next comes a second later.

    Of a database that is away its going and its coming back are logged, not each second of it.
    """
    is_away = False
    while True:
        try:
            await turn()
        except DatabaseAway as error:
            if not is_away:
                log.error("loop.database_away", loop=name, error=str(error))
            is_away = True
        except Exception as error:  # each unit of work has its own way to bear its own trouble
            log.exception("loop.trouble", loop=name, error=type(error).__name__)
        else:
            if is_away:
                log.info("loop.database_back", loop=name)
            is_away = False
            continue
        await clock.wait_until(clock.now() + _AFTER_TROUBLE, _AFTER_TROUBLE.total_seconds())
