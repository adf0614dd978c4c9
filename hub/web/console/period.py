"""The days a page is asked for: a usual period by its name, or a first and a last day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from hub.web.given import day_in

PERIODS: Mapping[str, int] = {"today": 1, "week": 7, "month": 30}  # days, today included
_DEFAULT = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The days a reader asked for; ``trouble`` is the text for days that cannot be."""

    name: str
    first: date
    last: date
    trouble: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters that ask for these days again."""
        if self.name != "days":
            return {"period": self.name}
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}

    def link(self, name: str, more: Mapping[str, str]) -> str:
        """Return the query that asks the same of another period, with the parameters of ``more``."""
        return "?" + urlencode({**replace(self, name=name).query, **more})


def period_of(asked: Mapping[str, str], today: date) -> Period:
    """Read the period of a query; one that cannot be is answered with the default and a sentence."""
    name = asked.get("period", "")
    if name in PERIODS:
        return _latest(name, today)
    given = asked.get("first", ""), asked.get("last", "")
    if not any(given):
        return _latest(_DEFAULT, today)
    try:
        first, last = map(day_in, given)
    except ValueError:
        return replace(_latest(_DEFAULT, today), trouble="report.bad_day")
    if first > last:
        return replace(_latest(_DEFAULT, today), trouble="report.bad_order")
    return Period("days", first, last)


def _latest(name: str, today: date) -> Period:
    return Period(name, today - timedelta(days=PERIODS[name] - 1), today)
