"""The read side's one report: what each source cost and what it brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hub.store import reports
from hub.store.db import Db
from hub.store.reports import Span
from hub.store.tx import Tx
from tracking_core import roi as figures
from tracking_core.roi import RoiRow


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report; money in minor units, ``romi_percent`` 20.0 is 20 %, None where a divisor is zero."""

    source: str
    campaign: str
    visits: int
    calls: int
    qualified: int
    deals: int
    won: int
    revenue_minor: int
    spend_minor: int
    cost_per_call_minor: int | None
    average_won_minor: int | None
    romi_percent: float | None


@dataclass(frozen=True, slots=True)
class Source:
    """One source: its own line, and a line per campaign of it."""

    line: Line
    campaigns: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The report of some days, both included: by source and campaign, by source, and in all."""

    first: date
    last: date
    zone: str
    rows: tuple[Line, ...]
    sources: tuple[Source, ...]
    total: Line


async def roi(db: Db, tenant_id: int, first: date, last: date) -> Report:
    """Return the report of the days from ``first`` to ``last`` in the zone of the tenant's site."""
    return await db.read(_report, tenant_id, first, last)


def _report(tx: Tx, tenant_id: int, first: date, last: date) -> Report:
    span = Span(tenant_id, first, last, reports.zone_of(tx, tenant_id))
    found: tuple[Sequence[Any], ...] = (
        reports.spend_rows(tx, span),
        reports.visit_counts(tx, span),
        reports.call_counts(tx, span),
        reports.deal_sums(tx, span),
    )
    *rows, total = map(_line, figures.report(*found))
    *by_source, _ = map(_line, figures.report(*map(_by_source, found)))
    sources = (Source(line, tuple(row for row in rows if row.source == line.source)) for line in by_source)
    return Report(first, last, span.zone, tuple(rows), tuple(sources), total)


def _by_source(counted: Iterable[Any]) -> Sequence[Any]:
    """Forget the campaigns: lines of one source add up."""
    return [replace(one, key=one.key[:1]) for one in counted]


def _line(row: RoiRow) -> Line:
    source, campaign = (*row.key, "", "")[:2]
    return Line(
        source=source,
        campaign=campaign,
        visits=row.visits,
        calls=row.calls,
        qualified=row.qualified,
        deals=row.deals,
        won=row.won,
        revenue_minor=row.revenue_minor,
        spend_minor=row.spend_minor,
        cost_per_call_minor=row.cost_per_call_minor,
        average_won_minor=row.average_won_minor,
        romi_percent=row.romi_percent,
    )
