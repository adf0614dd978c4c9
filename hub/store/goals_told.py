"""Goals as people and programs read them: how often each was reached, and with which click it can be told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy import bindparam as value

from hub.store.enquiries import its_match, its_visit
from hub.store.goals import CRM
from hub.store.moment import Identifier
from hub.store.tables import Enquiry, Goal, Match, Visit, table_of
from hub.store.tx import Tx

_goal, _enquiry, _match, _visit = (table_of(model) for model in (Goal, Enquiry, Match, Visit))
_NO_CLICK = "[]"

# A goal with its enquiry, and the visit the enquiry is matched to now.
_with_visit = (
    _goal.outerjoin(_enquiry, and_(_enquiry.c.id == _goal.c.enquiry_id, _enquiry.c.tenant_id == _goal.c.tenant_id))
    .outerjoin(_match, its_match)
    .outerjoin(_visit, its_visit)
)
_is_reached = _goal.c.withdrawn_at.is_(None)
_has_click = and_(_visit.c.click_ids.is_not(None), _visit.c.click_ids != _NO_CLICK)


@dataclass(frozen=True, slots=True)
class GoalSum:
    """How often a goal was reached, in one currency; of the reached ones, how many came from a click on an ad."""

    name: str
    currency: str
    reached: int
    with_click: int
    value_minor: int
    withdrawn: int
    sent: int  # of all, those the CRM's own automation asked for


def goal_sums(tx: Tx, tenant_id: int, since: datetime) -> list[GoalSum]:
    """Sum the goals since a moment by name and currency."""
    rows = tx.execute(
        select(
            _goal.c.name,
            _goal.c.currency,
            func.sum(case((_is_reached, 1), else_=0)),
            func.sum(case((and_(_is_reached, _has_click), 1), else_=0)),
            func.sum(case((_is_reached, _goal.c.value_minor), else_=0), type_=Identifier),
            func.sum(case((_is_reached, 0), else_=1)),
            func.sum(case((_goal.c.sent_by == CRM, 1), else_=0)),
        )
        .select_from(_with_visit)
        .where(_goal.c.tenant_id == tenant_id, _goal.c.occurred_at >= since)
        .group_by(_goal.c.name, _goal.c.currency)
        .order_by(_goal.c.name, _goal.c.currency)
    )
    return [GoalSum(name, currency, *map(int, counted)) for name, currency, *counted in rows]


@dataclass(frozen=True, slots=True)
class GoalLine:
    """One goal that was reached, or taken back since; ``clicks`` are the click ids of the visit behind it."""

    id: int
    name: str
    enquiry: int | None
    kind: str | None  # of the enquiry
    phone_masked: str
    occurred_at: datetime
    withdrawn_at: datetime | None
    value_minor: int
    currency: str
    visit: int | None
    source: str
    campaign: str
    clicks: Mapping[str, str]
    sent_by: str  # crm: its own automation asked for it; empty: our rules did


_LINES = (
    select(
        _goal.c.id,
        _goal.c.name,
        _goal.c.enquiry_id.label("enquiry"),
        _enquiry.c.kind,
        func.coalesce(_enquiry.c.phone_masked, "").label("phone_masked"),
        _goal.c.occurred_at,
        _goal.c.withdrawn_at,
        _goal.c.value_minor,
        _goal.c.currency,
        _match.c.visit_id.label("visit"),
        func.coalesce(_visit.c.source, "").label("source"),
        func.coalesce(_visit.c.campaign, "").label("campaign"),
        func.coalesce(_visit.c.click_ids, _NO_CLICK).label("clicks"),
        _goal.c.sent_by,
    )
    .select_from(_with_visit)
    .where(_goal.c.tenant_id == value("tenant_id"))
)


def last_goals(tx: Tx, tenant_id: int, since: datetime, limit: int) -> list[GoalLine]:
    """List the goals since a moment, the last reached first."""
    asked = _LINES.where(_goal.c.occurred_at >= since).order_by(_goal.c.occurred_at.desc(), _goal.c.id.desc())
    return _told(tx, asked.limit(limit), tenant_id)


def goals_of(tx: Tx, tenant_id: int, enquiry_id: int) -> list[GoalLine]:
    """List the goals that an enquiry and its deals have reached, and those taken back."""
    asked = _LINES.where(_goal.c.enquiry_id == enquiry_id).order_by(_goal.c.occurred_at, _goal.c.id)
    return _told(tx, asked, tenant_id)


def goal_lines(tx: Tx, tenant_id: int, after: int, limit: int) -> list[GoalLine]:
    """List the goals with an id above ``after``, the first written first."""
    return _told(tx, _LINES.where(_goal.c.id > after).order_by(_goal.c.id).limit(limit), tenant_id)


def _told(tx: Tx, asked: Select[Any], tenant_id: int) -> list[GoalLine]:
    rows = tx.execute(asked, {"tenant_id": tenant_id})
    return [GoalLine(**{**row._mapping, "clicks": dict(json.loads(row.clicks))}) for row in rows]
