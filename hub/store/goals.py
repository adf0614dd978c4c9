"""Goals: what is worth telling an ad platform."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam as value
from sqlalchemy import case, select, text, update

from hub.store.tables import Enquiry, Goal, Site, table_of
from hub.store.tables.crm import SENT
from hub.store.tx import Prepared, Tx, insert_or

_goal, _enquiry, _site = table_of(Goal), table_of(Enquiry), table_of(Site)
CRM = "crm"  # by whom a goal was sent: the CRM's own automation
_FOLLOWS = ("visit_id", "value_minor", "currency", "occurred_at")  # what may change of a goal that is reached


def save_goal(tx: Tx, goal: dict[str, Any]) -> None:
    """Write a goal once; a repeated one changes its value and brings a withdrawn one back."""
    tx.execute(
        insert_or(tx, _goal)
        .values(**goal, withdrawn_at=None)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name", "subject"],
            set_={**{name: goal[name] for name in _FOLLOWS}, "withdrawn_at": None},
        )
    )


def send_goal(tx: Tx, goal: dict[str, Any]) -> None:
    """Write a goal that the CRM's own automation asked for; one that rules have reached is the same from now on."""
    follows = {name: goal[name] for name in ("visit_id", "value_minor", "currency")}
    tx.execute(
        insert_or(tx, _goal)
        .values(**goal, sent_by=CRM, withdrawn_at=None)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name", "subject"],
            set_={**follows, "sent_by": CRM, "withdrawn_at": None},
        )
    )


_SENT = Prepared(
    select(_goal.c.name).where(_goal.c.tenant_id == value("tenant_id"), _goal.c.subject == value("subject"), text(SENT))
)


def sent_for(tx: Tx, tenant_id: int, subject: str) -> frozenset[str]:
    """Return the goals that the CRM's own automation asked for of a deal, withdrawn or not."""
    return frozenset(name for (name,) in tx.run(_SENT, {"tenant_id": tenant_id, "subject": subject}))


def bring_back(tx: Tx, tenant_id: int, name: str, subject: str) -> None:
    """Mark a goal as true again, such as that of a deal that was restored."""
    here = (_goal.c.tenant_id == tenant_id, _goal.c.name == name, _goal.c.subject == subject)
    tx.execute(update(_goal).where(*here).values(withdrawn_at=None))


def withdraw_goal(tx: Tx, tenant_id: int, name: str, subject: str, now: datetime) -> None:
    """Mark a goal as no longer true, such as a reopened deal."""
    tx.execute(
        update(_goal)
        .where(_goal.c.tenant_id == tenant_id, _goal.c.name == name, _goal.c.subject == subject)
        .where(_goal.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def reached_by(tx: Tx, tenant_id: int, names: Sequence[str], subject: str) -> Mapping[str, datetime]:
    """Return which of these goals a subject has reached, and when."""
    here = (_goal.c.tenant_id == tenant_id, _goal.c.name.in_(names), _goal.c.subject == subject)
    rows = tx.execute(select(_goal.c.name, _goal.c.occurred_at).where(*here, _goal.c.withdrawn_at.is_(None)))
    return {row.name: row.occurred_at for row in rows}


def revalue(tx: Tx, tenant_id: int, names: Sequence[str], subjects: Sequence[str], worth: tuple[int, str]) -> None:
    """Write another value, as (minor units, currency), to those goals of these subjects that are reached."""
    here = (_goal.c.tenant_id == tenant_id, _goal.c.name.in_(names), _goal.c.subject.in_(subjects))
    changed = {"value_minor": worth[0], "currency": worth[1]}
    tx.execute(update(_goal).where(*here, _goal.c.withdrawn_at.is_(None)).values(**changed))


def currency_of(tx: Tx, tenant_id: int, enquiry_id: int) -> str:
    """Return the currency of the site an enquiry came from, of the tenant's first site where none is known."""
    asked = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == enquiry_id)
    his = _site.c.id == select(_enquiry.c.site_id).where(*asked).scalar_subquery()
    first = select(_site.c.currency).where(_site.c.tenant_id == tenant_id)
    currency: str | None = tx.execute(first.order_by(case((his, 0), else_=1), _site.c.id).limit(1)).scalar()
    return currency or ""
