"""What a proof sees of a hub from beside it: read from its database, so that looking costs the hub nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from hub.delivery import queue
from hub.store import crm, inbox, people
from hub.store.tables import Attempt, Delivery, Lane, table_of
from hub.store.tx import Tx

_attempt, _delivery, _lane = table_of(Attempt), table_of(Delivery), table_of(Lane)


@dataclass(frozen=True, slots=True)
class Look:
    """What stands in the database of one customer with one CRM."""

    deliveries: Mapping[str, int]
    inbox_due: datetime | None
    lane_due: datetime
    leased_until: datetime
    fence: int

    def done(self, calls: int) -> bool:
        """Say whether so many calls are delivered and nothing is left to do."""
        return self.inbox_due is None and self.deliveries == {"delivered": calls}

    def busy(self, now: datetime) -> bool:
        """Say whether somebody is at work: an enquiry is due, or somebody has the lane."""
        return (self.inbox_due is not None and self.inbox_due <= now) or self.leased_until > now

    def due(self) -> datetime:
        """Return when something is to be done next."""
        return min(self.lane_due, self.inbox_due or self.lane_due)


def look(tx: Tx) -> Look:
    """Read how far the hub is."""
    tenant_id = tenant(tx)
    lane = tx.execute(select(_lane).where(_lane.c.tenant_id == tenant_id)).one()
    due = max(lane.wake_at, lane.hold_until)
    return Look(queue.counts(tx, tenant_id), inbox.next_due(tx), due, lane.leased_until, lane.fence)


def asks_for_access(tx: Tx) -> bool:
    """Say whether the hub waits for a person to give it access again."""
    return any(one.status == crm.REAUTHORISE for one in crm.installations(tx, tenant(tx)))


def tenant(tx: Tx) -> int:
    """Return the hub's one tenant."""
    (found,) = people.tenants(tx)
    return found


def attempts(tx: Tx) -> dict[str, int]:
    """Return how many attempts each delivery's marker has."""
    here = _delivery.c.tenant_id == tenant(tx)
    rows = tx.execute(
        select(_delivery.c.marker, func.count(_attempt.c.number).label("attempts"))
        .outerjoin(
            _attempt, (_attempt.c.delivery_id == _delivery.c.id) & (_attempt.c.tenant_id == _delivery.c.tenant_id)
        )
        .where(here)
        .group_by(_delivery.c.marker)
    )
    return {row.marker: row.attempts for row in rows}


def delivered(tx: Tx) -> list[Any]:
    """Return every delivery as it stands."""
    return list(tx.execute(select(_delivery).where(_delivery.c.tenant_id == tenant(tx))).all())


def taken_over(tx: Tx) -> int:
    """Return how many attempts somebody else ended because their worker was gone."""
    here, gone = _attempt.c.tenant_id == tenant(tx), _attempt.c.detail.like("the worker that % ended before it %")
    return tx.execute(select(func.count()).select_from(_attempt).where(here, gone)).scalar_one()
