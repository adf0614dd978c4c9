"""The table of the DNI sheet, section 11, and the same rules replayed on the simulated traffic."""

from dataclasses import dataclass
from datetime import timedelta

from bench.accuracy import Recorded, fixed_lease
from tracking_core.planner import Policy, Replayed, last_holder, longest_idle, replay


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; shares in points of a hundred: visits in overflow, calls right, calls wrong."""

    numbers: int
    hold: timedelta
    choice: str
    overflow: float
    right: float
    wrong: float


def _row(numbers: int, minutes: int, choice: str, overflow: float, right: float, wrong: float) -> Row:
    return Row(numbers, timedelta(minutes=minutes), choice, overflow, right, wrong)


SHEET = (
    _row(10, 10, "longest idle", 37.8, 53.4, 10.1),
    _row(14, 10, "longest idle", 18.6, 70.3, 12.3),
    _row(18, 10, "longest idle", 6.4, 80.1, 13.5),
    _row(18, 10, "random", 6.2, 78.6, 15.9),
    _row(24, 10, "longest idle", 0.5, 87.2, 12.5),
    _row(36, 10, "longest idle", 0.0, 90.0, 10.0),
    _row(36, 10, "random", 0.0, 87.6, 12.4),
    _row(24, 3, "longest idle", 0.0, 87.4, 12.6),
    _row(24, 20, "longest idle", 14.6, 75.8, 9.2),
    _row(42, 20, "longest idle", 0.0, 91.1, 8.9),
)


def replayed(recorded: Recorded, row: Row) -> Replayed:
    """Replay the row's rule on all days, as the sheet did."""
    give = fixed_lease(row.numbers, 1).give if row.choice == "random" else longest_idle
    return replay(*recorded, Policy(row.numbers, row.hold, give, last_holder))
