"""When a customer's people are at work, by the days of the week and his own holidays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """By day of the week from when until before when; a day that is left out, and a holiday, has no hours.

    Hours that end earlier than they begin end the next morning. Times are those of ``zone``, an IANA name.
    """

    days: Mapping[str, tuple[time, time]]
    zone: str
    holidays: frozenset[date] = field(default_factory=frozenset)

    def hold(self, at: datetime) -> bool:
        """Say whether somebody is at work at a moment."""
        local = at.astimezone(ZoneInfo(self.zone))
        today, clock = local.date(), local.time()
        yesterday = date.fromordinal(today.toordinal() - 1)
        began, until = self._of(today), self._of(yesterday)
        in_today = began is not None and began[0] <= clock and (clock < began[1] or began[1] <= began[0])
        over_night = until is not None and until[1] <= until[0] and clock < until[1]
        return in_today or over_night

    def _of(self, day: date) -> tuple[time, time] | None:
        return None if day in self.holidays else self.days.get(DAYS[day.weekday()])
