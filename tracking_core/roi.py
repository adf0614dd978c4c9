"""Spend, visits, enquiries and deals -> one row of money figures per source (DNI sheet, section 14).

All money is integer minor units of one currency; the caller converts. A quotient of money is rounded half to
even. A division by zero is None, never 0. Enquiries and deals are whole, or exact parts where several keys share them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

Key = tuple[str, ...]  # what rows are grouped by, e.g. (source, campaign)
Count = int | Fraction
TOTAL: Key = ()  # the key of the totals row; no group has an empty key


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What advertising cost; several rows of one key add up."""

    key: Key
    spend_minor: int


@dataclass(frozen=True, slots=True)
class VisitCount:
    """Visits of one key."""

    key: Key
    visits: int


@dataclass(frozen=True, slots=True)
class EnquiryCount:
    """Enquiries of one key, how many of them were calls, and how many qualified."""

    key: Key
    enquiries: Count
    calls: Count = 0
    qualified: Count = 0


@dataclass(frozen=True, slots=True)
class DealSum:
    """Deals of one key, how many were won, and the revenue of those."""

    key: Key
    deals: Count
    won: Count = 0
    revenue_minor: int = 0


@dataclass(frozen=True, slots=True)
class RoiRow:
    """One line of the report; ``key`` is ``TOTAL`` in the last one. Percentages are floats, 20.0 is 20 %."""

    key: Key
    visits: int = 0
    enquiries: Count = 0
    calls: Count = 0
    qualified: Count = 0
    deals: Count = 0
    won: Count = 0
    revenue_minor: int = 0
    spend_minor: int = 0

    @property
    def cost_per_visit_minor(self) -> int | None:
        """CPV: spend / visits."""
        return _per(self.spend_minor, self.visits)

    @property
    def cost_per_enquiry_minor(self) -> int | None:
        """CPL, a lead being an enquiry of any kind: spend / enquiries."""
        return _per(self.spend_minor, self.enquiries)

    @property
    def cost_per_qualified_minor(self) -> int | None:
        """What a target enquiry costs: spend / qualified."""
        return _per(self.spend_minor, self.qualified)

    @property
    def cost_per_won_minor(self) -> int | None:
        """CPO: spend / won deals."""
        return _per(self.spend_minor, self.won)

    @property
    def average_won_minor(self) -> int | None:
        """AOV: revenue / won deals."""
        return _per(self.revenue_minor, self.won)

    @property
    def enquiry_percent(self) -> float | None:
        """CR visit -> lead: enquiries / visits * 100."""
        return _percent(self.enquiries, self.visits)

    @property
    def drr_percent(self) -> float | None:
        """DRR: spend / revenue * 100."""
        return _percent(self.spend_minor, self.revenue_minor)

    @property
    def roas(self) -> float | None:
        """ROAS: revenue / spend."""
        return self.revenue_minor / self.spend_minor if self.spend_minor > 0 else None

    @property
    def romi_percent(self) -> float | None:
        """ROMI, revenue form: (revenue - spend) / spend * 100."""
        return _percent(self.revenue_minor - self.spend_minor, self.spend_minor)


def report(
    spend: Iterable[SpendRow],
    visits: Iterable[VisitCount],
    enquiries: Iterable[EnquiryCount],
    deals: Iterable[DealSum],
) -> tuple[RoiRow, ...]:
    """Returns a row per key that occurs anywhere, by spend, revenue and key; the totals row is last."""
    rows: dict[Key, RoiRow] = {}
    for cost in spend:
        _add(rows, RoiRow(cost.key, spend_minor=cost.spend_minor))
    for count in visits:
        _add(rows, RoiRow(count.key, visits=count.visits))
    for told in enquiries:
        _add(rows, RoiRow(told.key, enquiries=told.enquiries, calls=told.calls, qualified=told.qualified))
    for deal in deals:
        _add(rows, RoiRow(deal.key, deals=deal.deals, won=deal.won, revenue_minor=deal.revenue_minor))
    ordered = sorted(rows.values(), key=lambda row: (-row.spend_minor, -row.revenue_minor, row.key))
    total = RoiRow(TOTAL)
    for row in ordered:
        total = _sum(total, row)
    return (*ordered, total)


def _add(rows: dict[Key, RoiRow], row: RoiRow) -> None:
    rows[row.key] = _sum(rows[row.key], row) if row.key in rows else row


def _sum(left: RoiRow, right: RoiRow) -> RoiRow:
    return replace(
        left,
        visits=left.visits + right.visits,
        enquiries=left.enquiries + right.enquiries,
        calls=left.calls + right.calls,
        qualified=left.qualified + right.qualified,
        deals=left.deals + right.deals,
        won=left.won + right.won,
        revenue_minor=left.revenue_minor + right.revenue_minor,
        spend_minor=left.spend_minor + right.spend_minor,
    )


def _per(money_minor: int, count: Count) -> int | None:
    return round(Fraction(money_minor) / count) if count > 0 else None


def _percent(part: Count, whole: int) -> float | None:
    return float(part / whole) * 100 if whole > 0 else None
