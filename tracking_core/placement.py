"""Placements: what one cost on the days of a report, and whether it stood on a given day."""

from datetime import date
from enum import StrEnum


class Standing(StrEnum):
    """Where a day lies to the days of a placement; the first and the last are among them."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


def standing(starts_on: date | None, ends_on: date | None, day: date) -> Standing:
    """Returns where a day lies; a placement without an end stands for ever, one without a beginning always did."""
    if starts_on is not None and day < starts_on:
        return Standing.BEFORE
    return Standing.AFTER if ends_on is not None and day > ends_on else Standing.DURING


def spend_between(cost_minor: int, starts_on: date, ends_on: date, first: date, last: date) -> int:
    """Returns which part of a placement's cost falls on the days from ``first`` to ``last``, in minor units.

    The cost lies evenly on its days, both ends included; what does not divide falls on the first of them, a unit each,
    so that the days of a report cut in any way add up to the cost.
    """
    days = (ends_on - starts_on).days + 1
    a_day, over = divmod(cost_minor, days)
    begins, ends = max(0, (first - starts_on).days), min(days, (last - starts_on).days + 1)
    if begins >= ends:
        return 0
    return a_day * (ends - begins) + max(0, min(over, ends) - begins)
