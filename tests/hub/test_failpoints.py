"""Failpoints: off until a test arms one, then on at the turn it asked for; and the loops that bear what they do."""

import asyncio
from collections.abc import Iterator

import pytest

from hub import failpoints
from hub.failpoints import Deed, FailpointReached
from hub.loops import for_ever
from tests.hub.double import StoppedClock


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def failures(reached: int) -> list[bool]:
    """Say of each time a moment comes whether it fails."""
    found = []
    for _ in range(reached):
        try:
            failpoints.reach("batch.taken")
            found.append(False)
        except FailpointReached:
            found.append(True)
    return found


def test_nothing_happens_where_nothing_is_armed() -> None:
    assert failures(3) == [False, False, False]


def test_it_happens_at_its_turn_and_as_often_as_asked() -> None:
    failpoints.arm("batch.taken", Deed.RAISE, turn=2, times=2)
    assert failures(5) == [False, True, True, False, False]


def test_another_moment_does_not_fail() -> None:
    failpoints.arm("page.read", Deed.RAISE)
    assert failures(2) == [False, False]


def test_what_has_not_come_is_told_until_it_is_turned_off() -> None:
    failpoints.arm("page.read", Deed.RAISE)
    failpoints.arm("batch.taken", Deed.RAISE)
    failures(1)
    assert failpoints.armed() == ("page.read",)
    failpoints.disarm()
    failpoints.reach("page.read")


def test_a_delay_is_of_the_thread_that_comes_by(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("hub.failpoints.time.sleep", slept.append)
    failpoints.arm("batch.taken", Deed.DELAY, delay_s=0.25)
    assert (failures(2), slept) == ([False, False], [0.25])


def test_a_moment_that_is_not_in_the_list_cannot_be_armed() -> None:
    with pytest.raises(ValueError, match="no moment"):
        failpoints.arm("lunch", Deed.DIE)  # type: ignore[arg-type]


async def test_a_loop_goes_on_after_a_turn_that_failed() -> None:
    turns: list[int] = []
    done = asyncio.Event()

    async def turn() -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            raise OSError("the database is away")
        done.set()
        await asyncio.Event().wait()

    clock = StoppedClock()
    loop = asyncio.ensure_future(for_ever("test", turn, clock))
    await done.wait()
    loop.cancel()
    assert turns == [0, 1, 2]
