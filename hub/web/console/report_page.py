"""The overview: what each source cost and what it brought."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from starlette.responses import Response

from hub import report
from hub.report import LAST, MODELS, Line, Report, Source
from hub.store import console
from hub.store.reports import UNKNOWN
from hub.web.console.page import page
from hub.web.console.period import PERIODS, Period, period_of
from hub.web.console.shell import Desk, render

COLUMNS = (
    "source",
    "visits",
    "enquiries",
    "qualified",
    "deals",
    "won",
    "revenue_minor",
    "spend_minor",
    "cost_per_enquiry_minor",
    "romi_percent",
)
_BARS = 8  # sources in the chart


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is asked for: the days, and the model that divides what they brought."""

    period: Period
    model: str

    @property
    def more(self) -> dict[str, str]:
        """The parameters beside the days."""
        return {"model": self.model} if self.model != LAST else {}

    @property
    def query(self) -> dict[str, str]:
        """The parameters that ask for the same again."""
        return {**self.period.query, **self.more}


@dataclass(frozen=True, slots=True)
class Order:
    """How the table is sorted, and the address that sorts it otherwise."""

    column: str
    descending: bool
    asked: Asked

    def link(self, column: str) -> str:
        """Return the query that sorts by a column; the same column again turns the order around."""
        down = not self.descending if column == self.column else column != "source"
        return "?" + urlencode({**self.asked.query, "sort": column, "order": "desc" if down else "asc"})

    def state(self, column: str) -> str:
        """Return the value of aria-sort for a column."""
        if column != self.column:
            return "none"
        return "descending" if self.descending else "ascending"

    def sorted(self, sources: Sequence[Source]) -> list[Source]:
        """Sort sources and their campaigns; what has no figure comes last in either order."""
        arranged = [replace(one, campaigns=tuple(self._lines(one.campaigns))) for one in sources]
        lines = self._lines([one.line for one in arranged])
        by_source = {one.line.source: one for one in arranged}
        return [by_source[line.source] for line in lines]

    def _lines(self, lines: Sequence[Line]) -> list[Line]:
        named = sorted(lines, key=lambda line: (line.source, line.campaign))
        if self.column == "source":
            return named[::-1] if self.descending else named
        with_figure = [line for line in named if getattr(line, self.column) is not None]
        without = [line for line in named if getattr(line, self.column) is None]
        with_figure.sort(key=lambda line: getattr(line, self.column), reverse=self.descending)
        return with_figure + without


def _asked(query: Mapping[str, str], today: date) -> Asked:
    model = query.get("model", LAST)
    return Asked(period_of(query, today), model if model in MODELS else LAST)


def _order(query: Mapping[str, str], asked: Asked) -> Order:
    column = query.get("sort", "")
    if column not in COLUMNS:
        return Order("revenue_minor", True, asked)
    return Order(column, query.get("order") != "asc", asked)


@dataclass(frozen=True, slots=True)
class Bar:
    """One source of the chart; shares are percents of the longest bar."""

    source: str
    revenue_minor: int
    spend_minor: int
    revenue_share: float
    spend_share: float


def bars(made: Report) -> list[Bar]:
    """Return the sources with most money, in or out, for the chart."""
    lines = [one.line for one in made.sources if one.line.revenue_minor or one.line.spend_minor]
    lines.sort(key=lambda line: (-max(line.revenue_minor, line.spend_minor), line.source))
    longest = max((max(line.revenue_minor, line.spend_minor) for line in lines), default=0) or 1
    return [
        Bar(
            line.source,
            line.revenue_minor,
            line.spend_minor,
            max(0, line.revenue_minor) / longest * 100,
            max(0, line.spend_minor) / longest * 100,
        )
        for line in lines[:_BARS]
    ]


def _made(desk: Desk, asked: Asked) -> Awaitable[Report]:
    return report.roi(desk.hub.db, desk.tenant_id, asked.period.first, asked.period.last, asked.model)


@page
async def show(desk: Desk) -> Response:
    """Show the report of the days and by the model asked for."""
    query = desk.request.query_params
    asked = _asked(query, desk.f.local(desk.now).date())
    order = _order(query, asked)
    made = await _made(desk, asked)
    by_last = await _made(desk, replace(asked, model=LAST)) if asked.model != LAST else None
    return render(
        desk,
        "report.html",
        asked=asked,
        period=asked.period,
        periods=PERIODS,
        models=MODELS,
        order=order,
        columns=COLUMNS,
        sources=order.sorted(made.sources),
        by_last={one.line.source: one.line for one in by_last.sources} if by_last else {},
        total=made.total,
        caveat=desk.words.caveat(made.caveat),
        bars=bars(made),
        unknown=UNKNOWN,
        is_empty=not made.rows,
        has_site=bool(made.rows) or await desk.hub.db.read(console.has_site, desk.tenant_id),
    )
