"""The day's clock: eight bytes others read while the player moves them."""

import struct
from pathlib import Path

import pytest

from sandbox.clock import FileClock
from sandbox.demo.clock import DayClock

MORNING = 1_795_154_400.0


def test_a_reader_sees_each_jump(tmp_path: Path) -> None:
    with DayClock(tmp_path / "clock", MORNING) as clock:
        reader = FileClock(clock.path)
        clock.jump(MORNING + 60)

        assert reader() == MORNING + 60


def test_the_file_holds_one_little_endian_float(tmp_path: Path) -> None:
    with DayClock(tmp_path / "clock", MORNING) as clock:
        assert clock.path.read_bytes() == struct.pack("<d", MORNING)


def test_the_clock_never_goes_back(tmp_path: Path) -> None:
    with DayClock(tmp_path / "clock", MORNING) as clock:
        clock.jump(MORNING - 60)

        assert clock.now() == MORNING


def test_with_nothing_under_way_a_walk_ends_at_once_at_its_goal(tmp_path: Path) -> None:
    with DayClock(tmp_path / "clock", MORNING) as clock:
        clock.walk(MORNING + 36_000, is_busy=lambda: False)

        assert clock.now() == MORNING + 36_000


@pytest.mark.parametrize("seconds", [1.0, 20.0])
def test_a_walk_through_work_ends_exactly_at_its_goal(tmp_path: Path, seconds: float) -> None:
    with DayClock(tmp_path / "clock", MORNING) as clock:
        clock.walk(MORNING + seconds, is_busy=lambda: True)

        assert clock.now() == MORNING + seconds
