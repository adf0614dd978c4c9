"""Goals: what is worth telling an ad platform."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from hub.store.tables import Goal, table_of
from hub.store.tx import Tx, insert_or

_goal = table_of(Goal)


def save_goal(tx: Tx, goal: dict[str, Any]) -> None:
    """Write a goal once; a repeated one changes its value and brings a withdrawn one back."""
    tx.execute(
        insert_or(tx, _goal)
        .values(**goal, withdrawn_at=None)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name", "subject"],
            set_={
                "value_minor": goal["value_minor"],
                "occurred_at": goal["occurred_at"],
                "withdrawn_at": None,
            },
        )
    )


def withdraw_goal(tx: Tx, tenant_id: int, name: str, subject: str, now: datetime) -> None:
    """Mark a goal as no longer true, such as a reopened deal."""
    tx.execute(
        update(_goal)
        .where(_goal.c.tenant_id == tenant_id, _goal.c.name == name, _goal.c.subject == subject)
        .where(_goal.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
