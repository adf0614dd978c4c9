"""Simulated visits and calls of which the truth is known: the figures of the DNI sheet, section 11.

Visitors arrive at random (Poisson), stay 4 minutes on average, and 5 % of them call. A call comes after 2 min (70 %),
15 min (20 %) or 4 h (10 %) on average, counted from the arrival: so counted, the last-holder rule gives the sheet's own
table. Half of the callers' phones tell their region, one of 8. 40 % of calls follow a ``tel:`` tap by seconds; only who
is on the page can tap, so it is most of the calls from the page and none of the late ones.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tracking_core.habits import Interest
from tracking_core.planner import RecordedCall, RecordedVisit

START = datetime(2026, 1, 1, tzinfo=UTC)
DELAYS = ((0.7, 2.0), (0.2, 15.0), (0.1, 240.0))  # share, mean minutes


class Dice(Protocol):
    """Where chance comes from, an argument as the time is: ``random.Random`` with a seed of the caller's."""

    def random(self) -> float:
        """Returns a number from 0 to 1."""
        ...

    def expovariate(self, rate: float, /) -> float:
        """Returns a wait, 1 / ``rate`` on average."""
        ...

    def randrange(self, count: int, /) -> int:
        """Returns one of the first ``count`` numbers from 0 on."""
        ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is simulated; times in minutes, the rest shares of 1.

    ``region_differs`` is the share of telling phones that tell another region. ``page_tells_seen``: the page
    script says of each visitor whether he saw the number.
    """

    days: float = 40
    per_hour: float = 60.0
    stay: float = 4.0
    callers: float = 0.05
    regions: int = 8
    region_known: float = 0.5
    region_differs: float = 0.0
    tapped: float = 0.4
    revealed: float = 0.3
    delay_from_departure: bool = False
    page_tells_seen: bool = False


def simulate(dice: Dice, about: Traffic) -> tuple[list[RecordedVisit], list[RecordedCall]]:
    """Returns visits in order of arrival and calls in order of time; each call names its visit in truth."""
    at, visits, calls = 0.0, list[RecordedVisit](), list[RecordedCall]()
    while (at := at + dice.expovariate(about.per_hour / 60)) < about.days * 1440:
        leave = at + dice.expovariate(1 / about.stay)
        region = dice.randrange(about.regions)
        call = _call_time(dice, at, leave, about) if dice.random() < about.callers else None
        tap = _tap(dice, call, leave, about)
        seen = dice.random() < (about.revealed - about.callers) / (1 - about.callers) or call is not None
        if call is not None:
            told = _told_region(dice, region, about)
            calls.append(RecordedCall(_moment(call), len(visits), f"+7900{len(visits):07d}", told))
        visits.append(_visit(len(visits), at, leave, region, seen, tap, about))
    return visits, sorted(calls, key=lambda one: one.at)


def _visit(
    place: int, at: float, leave: float, region: int, seen: bool, tap: float | None, about: Traffic
) -> RecordedVisit:
    interest = (Interest.SEEN if seen else Interest.UNSEEN) if about.page_tells_seen else Interest.UNKNOWN
    taps = () if tap is None else (_moment(tap),)
    return RecordedVisit(f"v{place}", _moment(at), _moment(leave), f"r{region}", seen, interest, taps)


def _call_time(dice: Dice, at: float, leave: float, about: Traffic) -> float:
    which, mean = dice.random(), DELAYS[-1][1]
    for share, one in DELAYS:
        if which < share:
            mean = one
            break
        which -= share
    return (leave if about.delay_from_departure else at) + dice.expovariate(1 / mean)


def _tap(dice: Dice, call: float | None, leave: float, about: Traffic) -> float | None:
    """When the caller tapped: 5 s before a call from the page, as often as makes ``tapped`` of all calls."""
    if call is None or call > leave:
        return None
    return call - 5 / 60 if dice.random() < about.tapped / _from_page(about) else None


def _from_page(about: Traffic) -> float:
    """The share of calls made while the page is open."""
    return sum(share * about.stay / (about.stay + mean) for share, mean in DELAYS)


def _told_region(dice: Dice, region: int, about: Traffic) -> str | None:
    if dice.random() >= about.region_known:
        return None
    if dice.random() < about.region_differs:
        region = (region + 1 + dice.randrange(about.regions - 1)) % about.regions
    return f"r{region}"


def _moment(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)
