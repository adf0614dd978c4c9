"""Named moments around the hub's transactions, at which a proof ends, fails or delays this process.

They are off, and no setting turns them on: only a test's own call of ``arm`` does. ``written`` is inside a transaction
just before its commit; every other moment is outside of any.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

Point = Literal[
    "event.written",  # T2: call events and their place in the inbox
    "event.kept",  # T2 is committed; the sender has no 2xx yet
    "look.written",  # T3: enquiry, match, ties, goals and deliveries
    "look.kept",  # T3 is committed; the worker does not know yet
    "lane.claimed",  # the lane is leased; nothing is done with it
    "grant.refreshed",  # the vendor gave a new pair of tokens; it is not saved
    "grant.saved",  # it is saved; nobody has used it
    "batch.written",  # T4: state sending and an attempt for each delivery
    "batch.taken",  # T4 is committed; nothing is sent
    "request.paid",  # a request's budget is committed; it is not sent
    "answer.known",  # the CRM answered for a batch; nothing of it is written
    "contacts.told",  # whom its contacts belong to is committed; the batch is not settled
    "settle.written",  # T5: attempts, states and refs
    "settle.kept",  # T5 is committed
    "page.read",  # a page of changes came; it is not saved
    "page.saved",  # T6 is committed; the next page is not asked for
    "lane.released",  # the lane is given back
]
POINTS: tuple[Point, ...] = get_args(Point)


class Deed(StrEnum):
    """What happens at a moment."""

    DIE = "die"  # as kill -9 does
    RAISE = "raise"
    DELAY = "delay"  # of the thread that comes by: in ``written`` the database's, else the whole event loop


class FailpointReached(Exception):
    """A test asked for a failure here."""


@dataclass(slots=True)
class _Armed:
    deed: Deed
    turn: int
    times: int
    delay_s: float


_armed: dict[Point, _Armed] = {}
_counting = threading.Lock()


def reach(name: Point) -> None:
    """Note that this moment has come; costs a look at an empty dictionary while nothing is armed."""
    if _armed and (deed := _due(name)):
        _do(deed, name)


def arm(name: Point, deed: Deed, *, turn: int = 1, times: int = 1, delay_s: float = 0.0) -> None:
    """Let something happen the ``turn``-th time this moment comes, and each time after it until ``times`` are full."""
    if name not in POINTS:
        raise ValueError(f"{name} is no moment of the hub: {', '.join(POINTS)}")
    _armed[name] = _Armed(deed, turn, times, delay_s)


def armed() -> tuple[Point, ...]:
    """Return the moments that have not done yet all they were asked to."""
    return tuple(_armed)


def disarm() -> None:
    """Turn everything off."""
    _armed.clear()


def _due(name: Point) -> _Armed | None:
    with _counting:
        asked = _armed.get(name)
        if asked is None:
            return None
        asked.turn -= 1
        if asked.turn > 0:
            return None
        asked.times -= 1
        if asked.times <= 0:
            del _armed[name]
        return asked


def _do(asked: _Armed, name: Point) -> None:
    if asked.deed is Deed.DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    if asked.deed is Deed.RAISE:
        raise FailpointReached(name)
    time.sleep(asked.delay_s)
