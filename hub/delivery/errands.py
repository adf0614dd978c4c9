"""Errands: one thing asked of an account by its lane and its budget, in place of a turn of deliveries."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from connectors.protocol import CrmSession
from hub.delivery import lanes
from hub.delivery.worker import Worker
from hub.store.crm import Installed
from hub.store.said import of_hold

T = TypeVar("T")

_GLANCE = timedelta(seconds=0.2)  # between two looks at a lane that is being served


class Busy(Exception):
    """The account's lane was served all the while: ask again later."""


class Held(Exception):
    """The account is left alone, or its trouble came while it was asked: ``why`` (Why) and what was ``said``."""

    def __init__(self, hold_why: str) -> None:
        super().__init__(hold_why)
        self.why, self.said = of_hold(hold_why)


async def ask(
    worker: Worker, of: Installed, question: Callable[[CrmSession], Awaitable[T]], patience: timedelta = timedelta()
) -> T:
    """Return what an account answers, asked as soon as its lane is free.

    Trouble holds the lane as ever. Raises ``Held``, and ``Busy`` once ``patience`` is over.
    """
    found: list[T] = []

    async def note(session: CrmSession) -> None:
        found.append(await question(session))

    clock = worker.clock
    for look in range(1 + patience // _GLANCE):
        if look:
            await clock.wait_until(clock.now() + _GLANCE, _GLANCE.total_seconds())
        await worker.errand(of, note)
        if found:
            return found[0]
        lane = (await worker.db.read(lanes.told, of.tenant_id)).get(of.id, {})
        until = lane.get("hold_until")
        if until is not None and until > clock.now():
            raise Held(str(lane["hold_why"]))
    raise Busy
