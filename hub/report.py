"""The read side's one report: what each source cost and what it brought, as a model of attribution divides it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hub.errors import HubError
from hub.store import journeys, reports
from hub.store.db import Db
from hub.store.reports import Span
from hub.store.tx import Tx
from tracking_core import roi as figures
from tracking_core.attribution import TouchRules
from tracking_core.attribution_report import BY_RULE, Credited, by_markov, by_rule
from tracking_core.roi import Count, RoiRow

LAST = "last"  # the visit or placement an enquiry is matched to
MARKOV = "markov"
MODELS = (LAST, *(model for model in BY_RULE if model != LAST), MARKOV)
FEW = 300  # journeys; a chain that learned from fewer shows little but chance

_RULES = TouchRules(none=(reports.UNKNOWN, ""))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report; money in minor units, ``romi_percent`` 20.0 is 20 %, None where a divisor is zero.

    ``calls`` are a part of the enquiries. Enquiries and deals are whole by the last touch; another model gives parts of
    them, exact to nine places.
    """

    source: str
    campaign: str
    visits: int
    enquiries: float
    calls: float
    qualified: float
    deals: float
    won: float
    revenue_minor: int
    spend_minor: int
    cost_per_enquiry_minor: int | None
    cost_per_qualified_minor: int | None
    average_won_minor: int | None
    romi_percent: float | None


@dataclass(frozen=True, slots=True)
class Source:
    """One source: its own line, and a line per campaign of it."""

    line: Line
    campaigns: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a reader of a model's figures must know, and of how many journeys or sources it is said."""

    name: str  # few_journeys | put_together
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """The report of some days, both included: by source and campaign, by source, and in all."""

    first: date
    last: date
    zone: str
    rows: tuple[Line, ...]
    sources: tuple[Source, ...]
    total: Line
    model: str = LAST
    caveat: Caveat | None = None


async def roi(db: Db, tenant_id: int, first: date, last: date, model: str = LAST) -> Report:
    """Return the report of the days from ``first`` to ``last`` in the zone of the tenant's site.

    Every model of ``MODELS`` has the same visits, spend and totals; it divides enquiries, deals and revenue between the
    sources of a journey. Raises HubError for a model that is none of them.
    """
    if model not in MODELS:
        raise HubError(f"There is no model {model}: choose one of {', '.join(MODELS)}.")
    return await db.read(_report, tenant_id, first, last, model)


def _report(tx: Tx, tenant_id: int, first: date, last: date, model: str) -> Report:
    span = Span(tenant_id, first, last, reports.zone_of(tx, tenant_id))
    credited = _credited(tx, span, model)
    found: tuple[Sequence[Any], ...] = (
        reports.spend_rows(tx, span),
        reports.visit_counts(tx, span),
        credited.enquiries,
        credited.deals,
    )
    *rows, total = map(_line, figures.report(*found))
    *by_source, _ = map(_line, figures.report(*map(_by_source, found)))
    sources = (Source(line, tuple(row for row in rows if row.source == line.source)) for line in by_source)
    return Report(first, last, span.zone, tuple(rows), tuple(sources), total, model, _caveat(credited, model))


def _credited(tx: Tx, span: Span, model: str) -> Credited:
    if model == LAST:
        return Credited(reports.enquiry_counts(tx, span), reports.deal_sums(tx, span))
    brought = journeys.brought(tx, span, _RULES.look_back)
    if model != MARKOV:
        return by_rule(brought, BY_RULE[model], _RULES)
    return by_markov(brought, journeys.lost_steps(tx, span, _RULES.look_back), _RULES, rest=(reports.OTHER, ""))


def _caveat(credited: Credited, model: str) -> Caveat | None:
    if model == MARKOV and credited.learned_from < FEW:
        return Caveat("few_journeys", credited.learned_from)
    return Caveat("put_together", credited.put_together) if credited.put_together else None


def _by_source(counted: Iterable[Any]) -> Sequence[Any]:
    """Forget the campaigns: lines of one source add up."""
    return [replace(one, key=one.key[:1]) for one in counted]


def _line(row: RoiRow) -> Line:
    source, campaign = (*row.key, "", "")[:2]
    return Line(
        source=source,
        campaign=campaign,
        visits=row.visits,
        enquiries=_plain(row.enquiries),
        calls=_plain(row.calls),
        qualified=_plain(row.qualified),
        deals=_plain(row.deals),
        won=_plain(row.won),
        revenue_minor=row.revenue_minor,
        spend_minor=row.spend_minor,
        cost_per_enquiry_minor=row.cost_per_enquiry_minor,
        cost_per_qualified_minor=row.cost_per_qualified_minor,
        average_won_minor=row.average_won_minor,
        romi_percent=row.romi_percent,
    )


def _plain(count: Count) -> float:
    return int(count) if count.denominator == 1 else float(count)
