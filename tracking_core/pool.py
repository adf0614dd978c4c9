"""Who gets which number of a pool, and how many numbers a pool needs (DNI sheet, section 9).

``choose`` is the rule in its plainest form; the hub's statement that leases numbers is tested against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tracking_core.habits import Habits, Interest

HOLD = timedelta(minutes=10)
SHORTLIST = 6  # free numbers, the longest idle, among which the region decides
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HeldNumber:
    """A pool number with its latest holder; ``visitor`` and ``last_seen`` are None when there was none.

    ``idle_since`` is the moment from which the number counts as idle: ``last_seen`` when None, else the latest
    ``Habits.idle_since`` of all its holders. ``regions`` has the same moment for the holders of each region.
    """

    number: str
    visitor: str | None = None
    last_seen: datetime | None = None
    idle_since: datetime | None = None
    regions: Mapping[str, datetime] = field(default_factory=dict)

    def is_free(self, now: datetime, hold: timedelta) -> bool:
        """Says whether the latest holder's right is over: at ``last_seen + hold`` it is."""
        return self.last_seen is None or self.last_seen + hold <= now

    @property
    def coolness(self) -> tuple[datetime, str]:
        """The order in which free numbers are given: longest idle first, never held before all."""
        return self.idle_since or self.last_seen or _NEVER, self.number


@dataclass(frozen=True, slots=True)
class PastHolder:
    """One who held a number: when he was last seen, from where he came, what he did with the number."""

    last_seen: datetime
    region: str | None = None
    interest: Interest = Interest.UNKNOWN


def given(one: HeldNumber, visitor: str, holder: PastHolder, habits: Habits) -> HeldNumber:
    """Returns the number as it is once ``visitor`` has it.

    The latest moment counts: a number whose last holder never saw it is as warm as the one before left it.
    """
    moment = habits.idle_since(holder.last_seen, holder.interest)
    since = one.idle_since or one.last_seen
    regions = one.regions
    if holder.region is not None:
        regions = {**regions, holder.region: max(regions.get(holder.region, moment), moment)}
    return HeldNumber(one.number, visitor, holder.last_seen, moment if since is None else max(since, moment), regions)


def cooled(one: HeldNumber, holders: Iterable[PastHolder], habits: Habits) -> HeldNumber:
    """Returns the number with its heat reckoned anew from its past holders, after one of them has called."""
    fresh = HeldNumber(one.number)
    for holder in holders:
        fresh = given(fresh, "", holder, habits)
    return HeldNumber(one.number, one.visitor, one.last_seen, fresh.idle_since, fresh.regions)


def choose(
    numbers: Sequence[HeldNumber],
    visitor: str,
    now: datetime,
    hold: timedelta = HOLD,
    *,
    region: str | None = None,
    habits: Habits | None = None,
) -> str | None:
    """Returns the number to show to ``visitor``, or None for overflow.

    The visitor's own number, free or not, as long as nobody else has had it since; else, of the free ones,
    the number idle longest (never held is idlest, equal ones by number). Where ``region`` of the visitor and
    ``habits`` are known: of the ``SHORTLIST`` idle longest the one by which ``lost_calls`` is least.
    """
    own = [one for one in numbers if one.visitor == visitor]
    if own:
        return max(own, key=lambda one: (one.last_seen or _NEVER, one.number)).number
    over = now - hold
    free = [one for one in numbers if one.last_seen is None or one.last_seen <= over]
    if not free:
        return None
    return pick(sorted(free, key=lambda one: one.coolness), now, region, habits).number


def pick(idlest: Sequence[HeldNumber], now: datetime, region: str | None, habits: Habits | None) -> HeldNumber:
    """Returns the number to give of free ones that stand longest idle first, at least one."""
    if region is None or habits is None:
        return idlest[0]
    return min(idlest[:SHORTLIST], key=lambda one: lost_calls(one, region, now, habits))


def lost_calls(one: HeldNumber, region: str, now: datetime, habits: Habits) -> float:
    """Returns what giving the number to a visitor from ``region`` costs: the calls still to come that it blurs.

    As a share of one visitor's calls. A caller whose region is not known is blurred by any new holder, one whose
    region is known only by a holder from the same region.
    """
    anybody = _still_to_call(one.idle_since or one.last_seen, now, habits)
    same_region = _still_to_call(one.regions.get(region), now, habits)
    return (1 - habits.region_known) * anybody + habits.region_known * same_region


def _still_to_call(idle_since: datetime | None, now: datetime, habits: Habits) -> float:
    if idle_since is None:
        return 0.0
    return habits.delays.survival((now - idle_since).total_seconds() / 60)


def offered_load(per_minute: float, visit: float, hold: float, share: float = 1.0) -> float:
    """Returns the load in Erlang of ``per_minute`` visits of ``visit`` minutes, held ``hold`` minutes longer.

    ``share`` is that of the visitors who get a number.
    """
    return per_minute * share * (visit + hold)


def erlang_b(load: float, numbers: int) -> float:
    """Returns the share of visitors who find no number: Erlang B of an offered load in Erlang.

    The load is arrivals per minute times (mean visit + hold) minutes. Raises ValueError for a negative load
    or count.
    """
    if load < 0 or numbers < 0:
        raise ValueError(f"load and numbers must not be negative; got {load} and {numbers}")
    blocked = 1.0
    for count in range(1, numbers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def numbers_for(load: float, overflow: float) -> int:
    """Returns the fewest numbers with which at most a share ``overflow`` of visitors finds none (Erlang B).

    Raises ValueError for a negative load, or an overflow that is not between 0 and 1.
    """
    if load < 0 or not 0 < overflow <= 1:
        raise ValueError(f"load must not be negative, overflow between 0 and 1; got {load} and {overflow}")
    blocked, count = 1.0, 0
    while blocked > overflow:
        count += 1
        blocked = load * blocked / (count + load * blocked)
    return count


STRAY_CALLS, STRAY_CALLERS = 3, 2
STRAY_WINDOW = timedelta(days=30)
REST = timedelta(days=30)
MOST_AT_REST = 5  # one number of so many rests at a time: a pool is not emptied by wrong numbers


def is_known_outside(strays: Iterable[tuple[datetime, str | None]], now: datetime) -> bool:
    """Says whether a number is known to people it was never shown to, so that it should rest.

    ``strays`` are the calls that nobody can be named for, each with what tells its caller from others (None: hidden).
    It is so from three of them within 30 days, by at least two callers: one who dials wrong again and again is one.
    """
    recent = [caller for at, caller in strays if now - STRAY_WINDOW <= at <= now]
    return len(recent) >= STRAY_CALLS and len(set(recent)) >= STRAY_CALLERS
