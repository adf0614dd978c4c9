"""How the visitors of a site call: how long after the visit, from where, after which signs (DNI sheet, section 10).

One ``Habits`` serves both matching a call and choosing a number. ``SHEET_HABITS`` has the sheet's figures;
``tracking_core.learn`` makes a site's own from its calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, log

PRESENT = 1.0  # minutes since last seen within which a visitor counts as still on the page
TAP_WINDOW = timedelta(seconds=60)
SURE = 0.9  # confidence from which a call is the visitor's, so that another phone is hardly his
LONG_LOOK = timedelta(seconds=20)
_AWAY = 30.0  # minutes after which only late callers are left


class Interest(StrEnum):
    """What a visitor did with the number shown to him, as far as the page script tells."""

    UNKNOWN = "unknown"
    UNSEEN = "unseen"
    SEEN = "seen"
    KEEN = "keen"
    CALLED = "called"


def interest(
    *,
    seen: bool | None = None,
    looked: timedelta = timedelta(),
    copied: bool = False,
    tapped: bool = False,
    called: bool = False,
) -> Interest:
    """Returns the interest of a visitor; ``seen`` is None when the script does not tell.

    A visitor who copied or tapped the number or had it in view for 20 s is keen. One whose call has been matched
    for sure is done: should he call again, his phone is remembered.
    """
    if called:
        return Interest.CALLED
    if copied or tapped or looked >= LONG_LOOK:
        return Interest.KEEN
    if seen is None:
        return Interest.UNKNOWN
    return Interest.SEEN if seen else Interest.UNSEEN


@dataclass(frozen=True, slots=True)
class Delays:
    """The delay last seen -> call, in minutes: a mixture of exponentials as (share, mean).

    ``present`` is (share, minutes) of the calls made within ``PRESENT`` of being on the page, with the mean time
    a visitor is there; the mixture then tells of the others only. Without it all calls are in the mixture, and
    a visitor on the page has a delay of 0.
    """

    parts: tuple[tuple[float, float], ...]
    present: tuple[float, float] | None = None

    @classmethod
    def half_life(cls, minutes: float) -> "Delays":
        """Returns the sheet's simple form, a weight of 2^(-delay/minutes); it is no density."""
        mean = minutes / log(2)
        return cls(((mean, mean),))

    def density(self, minutes: float) -> float:
        """Returns how dense calls are, per minute, ``minutes`` after the visitor was last seen."""
        scale, away = 1.0, minutes
        if self.present is not None:
            at_page, stay = self.present
            if minutes <= PRESENT:
                return at_page / stay
            scale, away = 1 - at_page, minutes - PRESENT
        dense = 0.0
        for share, mean in self.parts:
            dense += share / mean * exp(-away / mean)
        return scale * dense

    def survival(self, minutes: float) -> float:
        """Returns the share of calls that are still to come ``minutes`` after the visitor was last seen."""
        scale, away = 1.0, minutes
        if self.present is not None:
            scale, away = 1 - self.present[0], minutes - PRESENT
        if away <= 0:
            return scale
        left = 0.0
        for share, mean in self.parts:
            left += share * exp(-away / mean)
        return scale * left

    def within(self, share: float) -> float:
        """Returns the minutes after which that share of the calls has come, counted from when he was last seen."""
        low, high = 0.0, 1.0
        while self.survival(high) > 1 - share:
            low, high = high, 2 * high
        while high - low > 0.01 * max(high, PRESENT):
            middle = (low + high) / 2
            low, high = (middle, high) if self.survival(middle) > 1 - share else (low, middle)
        return high

    @property
    def at_page(self) -> float:
        """The share of calls made while the visitor counts as being on the page."""
        return 1 - self.survival(PRESENT)

    @property
    def tail(self) -> float:
        """How many minutes later, on average, those call who have not within half an hour."""
        left = [(share * exp(-_AWAY / mean), mean) for share, mean in self.parts]
        total = sum(share for share, _ in left)
        return sum(share * mean for share, mean in left) / total if total else _AWAY


# How much likelier than an ordinary visitor he is to call; our guesses until a site's calls teach better.
_INTERESTS: Mapping[Interest, float] = {
    Interest.UNKNOWN: 1.0,
    Interest.UNSEEN: 0.1,
    Interest.SEEN: 1.0,
    Interest.KEEN: 3.0,
    Interest.CALLED: 0.1,
}


@dataclass(frozen=True, slots=True)
class Habits:
    """What evidence weighs; section 10's figures unless learned.

    ``background`` is the weight of a caller who never saw the number. ``tapped`` multiplies for a ``tel:`` tap
    within 60 s before the call; ``tap_share`` is the share of calls from the page that come with one, so that a
    visitor on the page without a tap is less likely (0: not known). ``region_known`` is the share of callers
    whose phone tells a region. ``other_region`` is the factor for a region that differs. Where ``regions``, the
    shares of visits by region, are known, a likelihood takes its place, with ``region_differs`` as the share of
    callers whose phone tells another region than their visit.
    """

    delays: Delays = Delays(((0.85, 3.0), (0.15, 60.0)))
    background: float = 0.0005
    tapped: float = 20.0
    tap_share: float = 0.0
    region_known: float = 0.5
    other_region: float = 0.3
    region_differs: float = 0.1
    regions: Mapping[str, float] = field(default_factory=dict)
    interests: Mapping[Interest, float] = field(default_factory=lambda: _INTERESTS)

    def __post_init__(self) -> None:
        missing = [name for name in Interest if self.interests.get(name, 0.0) <= 0]
        if missing:
            raise ValueError(f"every interest needs a factor above 0; there is none for {', '.join(missing)}")
        if self.background < 0:
            raise ValueError(f"background must not be negative; got {self.background}")

    def of_region(self, visit: str | None, caller: str | None) -> float:
        """Returns the factor for a visit's region beside the caller's; 1 when the caller's is not known."""
        if caller is None:
            return 1.0
        if not self.regions:
            return 1.0 if visit is None or visit == caller else self.other_region
        share = self.regions.get(caller, min(self.regions.values()))
        if visit is None:
            return share
        if visit == caller:
            return 1 - self.region_differs
        others = 1 - self.regions.get(visit, 0.0)
        return self.region_differs * (share / others if others > 0 else 1.0)

    def of_tap(self, idle: float, tapped: bool) -> float:
        """Returns the factor for a tap in the minute before the call, or for its absence; ``idle`` in minutes."""
        if tapped:
            return self.tapped
        return 1 - self.tap_share if idle <= PRESENT else 1.0

    def idle_since(self, last_seen: datetime, shown: Interest = Interest.UNKNOWN) -> datetime:
        """Returns the moment from which a number counts as idle after its holder was last seen.

        For an ordinary visitor ``last_seen``; later for one likelier to call, earlier for one less likely, such
        that both are as likely still to call as an ordinary visitor last seen then. One moment says it all, so a
        database can order by it.
        """
        factor = self.interests[shown]
        if factor == 1:
            return last_seen
        return last_seen + timedelta(minutes=self.delays.tail * log(factor))


SHEET_HABITS = Habits()
