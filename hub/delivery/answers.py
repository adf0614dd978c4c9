"""A connector is asked within bounds and read with suspicion: it may hang, and it may answer anything."""

import asyncio
from collections.abc import Awaitable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeGuard, TypeVar

from connectors.deciding import Decision, dump_decision, load_decision
from connectors.protocol import Outcome, Ref, Status
from connectors.telling import Said

Told = TypeVar("Told")

_PARTING_S = 1.0  # for one that is told to end; one that does not is left behind
_LONGEST_HOLD = timedelta(days=1)  # what a vendor may ask for at once


class Hung(Exception):
    """A connector gave no sign of life for too long, or ended itself without an answer."""


class GivenUp(Exception):
    """This connector was given up: whatever it still wants to send is not sent."""


class Patience:
    """Waits for a connector that may never answer; every request that is paid for is a sign of life.

    It is counted on the machine's own time, since the hub's clock may step back.
    """

    def __init__(self, silence: timedelta, in_all: timedelta) -> None:
        self._silence_s, self._in_all_s = silence.total_seconds(), in_all.total_seconds()
        self._until = self._at_last = 0.0
        self._is_over = False

    def renew(self) -> None:
        """Note a sign of life; raises ``GivenUp`` when it comes too late."""
        if self._is_over:
            raise GivenUp
        self._until = min(asyncio.get_running_loop().time() + self._silence_s, self._at_last)

    async def wait(self, asked: Awaitable[Told]) -> Told:
        """Return what was asked for; raises ``Hung`` when it does not come."""
        loop = asyncio.get_running_loop()
        self._at_last = loop.time() + self._in_all_s
        self.renew()
        task = asyncio.ensure_future(asked)
        try:
            while not task.done():
                left = self._until - loop.time()
                if left <= 0:
                    self._is_over = True
                    raise Hung("it gave no sign of life for too long")
                await asyncio.wait({task}, timeout=left)
        finally:
            await _ended(task)
        if task.cancelled():
            raise Hung("it cancelled itself")
        return task.result()


async def _ended(task: "asyncio.Future[Told]") -> None:
    task.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody may wait for what it says now
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task}, timeout=_PARTING_S)


def read(answered: object, asked: Collection[str]) -> tuple[dict[str, Outcome], int]:
    """Return the outcomes of what was asked, as far as they are outcomes, and how many ids nobody asked for."""
    told = answered if isinstance(answered, Mapping) else {}
    known = {id_: _storable(found) for id_ in asked if _is_outcome(found := told.get(id_))}
    return known, len(told.keys() - set(asked))


def _is_outcome(found: object) -> TypeGuard[Outcome]:
    return (
        isinstance(found, Outcome)
        and isinstance(found.status, Status)
        and isinstance(found.refs, tuple)
        and all(isinstance(ref, Ref) for ref in found.refs)
    )


def _storable(outcome: Outcome) -> Outcome:
    at = outcome.not_before
    decision = _decision(outcome.decision)
    if at is None and decision is outcome.decision and all(map(_is_plain, _told(outcome))):
        return outcome
    return replace(
        outcome,
        refs=tuple(replace(ref, id=text(ref.id), url=text(ref.url) if ref.url else None) for ref in outcome.refs),
        said=said(outcome.said),
        detail=text(outcome.detail),
        not_before=at if isinstance(at, datetime) and at.tzinfo else None,
        decision=decision,
    )


def _decision(told: object) -> Decision | None:
    """Return what a plan came to, if it can be kept: why something was done must not decide whether it was."""
    if not isinstance(told, Decision):
        return None
    try:
        load_decision(dump_decision(told))
    except (TypeError, ValueError):
        return None
    return told


def _told(outcome: Outcome) -> Iterator[object]:
    yield outcome.detail
    for one in said(outcome.said):
        yield from (one.code, *one.values, *one.values.values())
    for ref in outcome.refs:
        yield from (ref.id, ref.url or "")


def _is_plain(told: object) -> bool:
    return isinstance(told, str) and told.isascii() and "\x00" not in told


def text(told: object) -> str:
    """Return what every database takes as text: vendors send NUL and halves of characters, PostgreSQL takes neither."""
    return str(told).encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def said(told: object) -> tuple[Said, ...]:
    """Return what a connector says as it can be kept; what is not in the contract's form stands for itself."""
    several = told if isinstance(told, tuple | list) else (told,)
    return tuple(_said(one) for one in several if one)


def _said(one: object) -> Said:
    if not isinstance(one, Said):
        return Said(text(one))
    values = one.values if isinstance(one.values, Mapping) else {}
    return Said(text(one.code), {text(name): text(value) for name, value in values.items()})


def first(told: object) -> Said:
    """Return the one thing that was said."""
    return next(iter(said(told)), Said(""))


def span(asked: object) -> timedelta | None:
    """Return how long a vendor asked to be left alone, at most a day; None when it did not say."""
    return min(asked, _LONGEST_HOLD) if isinstance(asked, timedelta) else None
