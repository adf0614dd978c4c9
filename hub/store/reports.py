"""The read side: what the report, the calls list and the status page are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Table, and_, case, exists, func, select

from hub.store.enquiries import is_turned_to_us, its_call, its_match, its_visit
from hub.store.moment import Identifier
from hub.store.tables import (
    Call,
    Deal,
    DealPayment,
    Delivery,
    Enquiry,
    Inbox,
    Match,
    Payment,
    Placement,
    Site,
    Spend,
    Visit,
    Visitor,
    table_of,
)
from hub.store.tx import Tx, insert_or
from tracking_core.placement import spend_between
from tracking_core.roi import DealSum, EnquiryCount, SpendRow, VisitCount

_visit, _visitor, _match = (table_of(model) for model in (Visit, Visitor, Match))
_enquiry, _call = table_of(Enquiry), table_of(Call)
_deal, _payment, _spend, _placement = (table_of(model) for model in (Deal, Payment, Spend, Placement))
_stands = table_of(DealPayment)
_site, _delivery, _inbox = (table_of(model) for model in (Site, Delivery, Inbox))

UNKNOWN = "(unknown)"  # the source of an enquiry that matched nobody
DIRECT = "(direct)"  # of a visit that came from nowhere else
NOT_SET = "(not set)"  # of a visit whose tags name no source
OTHER = "(other)"  # what a model saw as one source, being too many


# The source of a visit by a name that is never empty; null where there is no visit.
source_named = case(
    (_visit.c.id.is_(None), None),
    (_visit.c.source != "", _visit.c.source),
    (_visit.c.channel == "direct", DIRECT),
    else_=NOT_SET,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a report, both included, in the zone of the tenant's site."""

    tenant_id: int
    first: date
    last: date
    zone: str

    @property
    def start(self) -> datetime:
        """The moment the first day begins."""
        return datetime.combine(self.first, time(), ZoneInfo(self.zone))

    @property
    def end(self) -> datetime:
        """The moment after the last day ends."""
        return datetime.combine(self.last + timedelta(days=1), time(), ZoneInfo(self.zone))


def zone_of(tx: Tx, tenant_id: int) -> str:
    """Return the time zone of the tenant's first site."""
    here = _site.c.tenant_id == tenant_id
    return tx.execute(select(_site.c.zone).where(here).order_by(_site.c.id).limit(1)).scalar() or "UTC"


def visit_counts(tx: Tx, span: Span) -> list[VisitCount]:
    """Count visits by source and campaign."""
    rows = tx.execute(
        select(source_named, _visit.c.campaign, func.count())
        .where(
            _visit.c.tenant_id == span.tenant_id,
            _visit.c.started_at >= span.start,
            _visit.c.started_at < span.end,
        )
        .group_by(source_named, _visit.c.campaign)
    )
    return [VisitCount((source, campaign), visits=number) for source, campaign, number in rows]


# The source of an enquiry: of its visit, else of its placement, else unknown.
source_of_enquiry = func.coalesce(source_named, _placement.c.source, UNKNOWN)
campaign_of_enquiry = func.coalesce(_visit.c.campaign, _placement.c.campaign, "")
# Enquiries, calls among them, with their current match, its visit or its placement.
with_source = (
    _enquiry.outerjoin(_call, its_call)
    .outerjoin(_match, its_match)
    .outerjoin(_visit, its_visit)
    .outerjoin(
        _placement,
        and_(_placement.c.id == _match.c.placement_id, _placement.c.tenant_id == _match.c.tenant_id),
    )
)


# What a list shows of a call beside its enquiry's columns.
in_call = [column for column in _call.c if column.name not in ("enquiry_id", "tenant_id")]


def enquiry_figures(span: Span, *by: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that counts enquiries, calls among them and qualified ones, grouped as asked."""
    qualified = func.sum(case((_enquiry.c.qualified, 1), else_=0))
    return (
        select(
            *by,
            func.count().label("enquiries"),
            func.count(_call.c.enquiry_id).label("calls"),
            qualified.label("qualified"),
        )
        .select_from(with_source)
        .where(_enquiry.c.tenant_id == span.tenant_id, is_turned_to_us)
        .where(_enquiry.c.at >= span.start, _enquiry.c.at < span.end)
        .group_by(*by)
    )


def enquiry_counts(tx: Tx, span: Span) -> list[EnquiryCount]:
    """Count enquiries, calls among them and qualified ones by the source they matched."""
    rows = tx.execute(enquiry_figures(span, source_of_enquiry, campaign_of_enquiry))
    return [
        EnquiryCount((source, campaign), number, calls, int(good)) for source, campaign, number, calls, good in rows
    ]


def deal_figures(span: Span, *by: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that sums the deals of enquiries of the span, by what they are to be grouped by.

    The revenue of a deal is its payments if there are any, else the amount of a won one (decision 0020).
    """
    won = case((_deal.c.outcome == "won", 1), else_=0)
    revenue = func.coalesce(func.nullif(_paid(), 0), won * _deal.c.amount_minor)
    in_all = func.sum(revenue, type_=Identifier).label("revenue_minor")
    of_enquiry = and_(_deal.c.enquiry_id == _enquiry.c.id, _deal.c.tenant_id == _enquiry.c.tenant_id)
    return (
        select(*by, func.count().label("deals"), func.sum(won).label("won"), in_all)
        .select_from(with_source.join(_deal, of_enquiry))
        .where(_enquiry.c.tenant_id == span.tenant_id, _deal.c.deleted.is_(False))
        .where(_enquiry.c.at >= span.start, _enquiry.c.at < span.end)
        .group_by(*by)
    )


def _paid() -> Any:
    """Return the statement that sums what was paid for a deal; what stands on several is the first one's."""
    other = _stands.alias()
    first = (other.c.tenant_id == _stands.c.tenant_id, other.c.installation_id == _stands.c.installation_id)
    its = and_(_payment.c.installation_id == _stands.c.installation_id, _payment.c.external_id == _stands.c.payment)
    return (
        select(func.sum(_payment.c.amount_minor))
        .select_from(_stands.join(_payment, its))
        .where(_stands.c.tenant_id == _deal.c.tenant_id, _stands.c.installation_id == _deal.c.installation_id)
        .where(_stands.c.deal == _deal.c.external_id, _payment.c.tenant_id == _stands.c.tenant_id)
        .where(~exists().where(*first, other.c.payment == _stands.c.payment, other.c.deal < _stands.c.deal))
        .correlate(_deal)
        .scalar_subquery()
    )


def deal_sums(tx: Tx, span: Span) -> list[DealSum]:
    """Sum the deals that came from enquiries of the span by the source they matched."""
    rows = tx.execute(deal_figures(span, source_of_enquiry, campaign_of_enquiry))
    return [
        DealSum((source, campaign), deals=deals, won=int(won), revenue_minor=int(revenue))
        for source, campaign, deals, won, revenue in rows
    ]


def spend_rows(tx: Tx, span: Span) -> list[SpendRow]:
    """Sum what advertising cost by source and campaign."""
    rows = tx.execute(
        select(_spend.c.source, _spend.c.campaign, func.sum(_spend.c.cost_minor, type_=Identifier))
        .where(_spend.c.tenant_id == span.tenant_id, _spend.c.day >= span.first, _spend.c.day <= span.last)
        .group_by(_spend.c.source, _spend.c.campaign)
    )
    spent = [SpendRow((source, campaign), spend_minor=int(cost)) for source, campaign, cost in rows]
    return [*spent, *_placements_spend(tx, span)]


def _placements_spend(tx: Tx, span: Span) -> list[SpendRow]:
    """Return what the placements that stood on these days cost on them."""
    columns = [_placement.c[name] for name in ("source", "campaign", "cost_minor", "starts_on", "ends_on")]
    rows = tx.execute(
        select(*columns)
        .where(_placement.c.tenant_id == span.tenant_id, _placement.c.cost_minor > 0)
        .where(_placement.c.starts_on <= span.last, _placement.c.ends_on >= span.first)
    )
    return [
        SpendRow((source, campaign), spend_between(cost_minor, starts_on, ends_on, span.first, span.last))
        for source, campaign, cost_minor, starts_on, ends_on in rows
    ]


def save_spend(tx: Tx, tenant_id: int, site_id: int, rows: Sequence[dict[str, Any]]) -> int:
    """Write imported spend; the same day, source and campaign again replaces what was there."""
    for row in rows:
        tx.execute(
            insert_or(tx, _spend)
            .values(tenant_id=tenant_id, site_id=site_id, **row)
            .on_conflict_do_update(
                index_elements=["tenant_id", "site_id", "day", "source", "campaign"],
                set_={name: row[name] for name in ("cost_minor", "clicks", "currency")},
            )
        )
    return len(rows)


def visit_of_enquiry(tx: Tx, tenant_id: int, enquiry_id: int | None) -> int | None:
    """Return the visit an enquiry is matched to now."""
    if enquiry_id is None:
        return None
    here = (_match.c.tenant_id == tenant_id, _match.c.enquiry_id == enquiry_id, _match.c.superseded_at.is_(None))
    return tx.execute(select(_match.c.visit_id).where(*here)).scalar()


def totals(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Count what a status page begins with: visits, calls, deals, and enquiries that wait to be looked at."""

    def count(table: Table, *conditions: Any) -> Any:
        return select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id, *conditions)

    stands = _deal.c.deleted.is_(False)
    asked = {
        "visits": count(_visit),
        "calls": count(_call),
        "deals": count(_deal, stands),
        "deals_won": count(_deal, stands, _deal.c.outcome == "won"),
        "inbox": count(_inbox),
    }
    counted = tx.execute(select(*(one.scalar_subquery().label(name) for name, one in asked.items())))
    return dict(counted.mappings().one())
