"""The rule by which a program that makes cards beside ours is told from people who make some by hand; pure.

People make deals by hand, too, and rightly; so a card beside ours is evidence, not yet a conflict. A program differs
from a person in that it does it often, at the same moment of each enquiry, and is done then. Each bound below is there
for one of these; where one of them does not hold nothing is said: a false alarm is worse than silence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil
from statistics import median

from connectors.changes import ROBOT

LEAST = 6  # enquiries with another card, where moments alone speak: a person may be regular four times by chance
LEAST_OF_ROBOTS = 3  # where the CRM itself says that no user made them
SHARE = 0.2  # of the enquiries that could have one: who does something now and then stays below
MOST_OF = 0.8  # of them are alike: a program may be late once, and a person may add one
STEADY_S = 6  # from their median: people differ by minutes
NEAR_S = 120  # from what sets it off: no program waits longer with a deal that a caller is to find
TIMES = 3  # as many as in an equally long time right after: people go on working, a program is done
QUIET = 10  # enquiries in a row without one: whatever it was, somebody has switched it off


class Verdict(StrEnum):
    """What the cards beside ours say."""

    NOTHING = "nothing"  # there are none
    BY_HAND = "by_hand"  # there are some, as people make them
    CONFLICT = "conflict"  # a program makes them
    OVER = "over"  # it did, and does not any more


class Since(StrEnum):
    """From when the moments of other cards are counted: of these the one from which they are the most alike."""

    BEGAN = "began"
    ENDED = "ended"
    OURS = "ours"  # our deal was made, or the delivery arrived


@dataclass(frozen=True, slots=True)
class Mark:
    """The first card that somebody else made beside ours of one enquiry: when, how many seconds since what, and who."""

    made_at: datetime
    gaps: Mapping[Since, float]
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """How many enquiries there are, beside how many of them another card was made, and what that says.

    ``later`` are enquiries after which one was made in an equally long time right after. ``robots`` are those of which
    the CRM says that no user made them; ``steady`` were made within ``STEADY_S`` of ``median_s`` seconds after
    ``since``.
    """

    enquiries: int
    doubled: int
    later: int
    robots: int
    steady: int
    since: Since
    median_s: int
    first_at: datetime | None
    last_at: datetime | None
    author: str | None  # who made most of them
    verdict: Verdict


def judge(enquiries: int, marks: Sequence[Mark], later: int, *, is_quiet: bool) -> Judged:
    """Return what marks say of so many enquiries; ``is_quiet`` says that the last ``QUIET`` of them have none."""
    since, middle, steady = _most_alike(marks)
    robots = sum(one.author == ROBOT for one in marks)
    made = sorted(one.made_at for one in marks)
    authors = Counter(one.author for one in marks if one.author)
    return Judged(
        enquiries=enquiries,
        doubled=len(marks),
        later=later,
        robots=robots,
        steady=steady,
        since=since,
        median_s=round(middle),
        first_at=made[0] if made else None,
        last_at=made[-1] if made else None,
        author=min(authors, key=lambda one: (-authors[one], one)) if authors else None,
        verdict=_verdict(enquiries, marks, later, is_by_robots=_are_most(robots, marks), is_quiet=is_quiet),
    )


def _verdict(enquiries: int, marks: Sequence[Mark], later: int, *, is_by_robots: bool, is_quiet: bool) -> Verdict:
    if not marks:
        return Verdict.NOTHING
    _, middle, steady = _most_alike(marks)
    is_steady = _are_most(steady, marks) and abs(middle) <= NEAR_S and len(marks) >= LEAST
    minutes = {one.made_at.replace(second=0, microsecond=0) for one in marks}  # an import makes many in one
    is_program = is_steady or (is_by_robots and len(minutes) >= LEAST_OF_ROBOTS)
    is_often = len(marks) >= SHARE * enquiries and len(marks) >= TIMES * later
    if not (is_program and is_often):
        return Verdict.BY_HAND
    return Verdict.OVER if is_quiet else Verdict.CONFLICT


def _are_most(number: int, marks: Sequence[Mark]) -> bool:
    return bool(marks) and number >= ceil(MOST_OF * len(marks))


def _most_alike(marks: Sequence[Mark]) -> tuple[Since, float, int]:
    """Return from when the marks are the most alike, their median from there, and how many are near it."""
    found = [(since, *_steady([one.gaps[since] for one in marks])) for since in Since] if marks else []
    return max(found, key=lambda one: (one[2], -abs(one[1])), default=(Since.BEGAN, 0.0, 0))


def _steady(gaps: Sequence[float]) -> tuple[float, int]:
    middle = median(gaps)
    return middle, sum(abs(gap - middle) <= STEADY_S for gap in gaps)
