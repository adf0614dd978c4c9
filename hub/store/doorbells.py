"""The doorbells of installations: which is to be looked at, and how each was found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, literal, or_, select

from connectors.telling import Ringing
from hub.store.crm import ACTIVE, Installed
from hub.store.tables import Doorbell, Installation, table_of
from hub.store.tx import Tx, insert_or

_bell, _installation = table_of(Doorbell), table_of(Installation)

_REMEMBERED = timedelta(days=7)  # how long a person is told that the vendor had switched it off


@dataclass(frozen=True, slots=True)
class Due:
    """An installation whose doorbell is to be looked at now, by whoever took it ``until`` then."""

    tenant_id: int
    installation_id: int
    until: datetime | None = None


def take(tx: Tx, connectors: tuple[str, ...], now: datetime, lease: timedelta) -> Due | None:
    """Claim the next look: at a connection that is new, connected again, or was looked at long ago."""
    its = and_(_bell.c.tenant_id == _installation.c.tenant_id, _bell.c.installation_id == _installation.c.id)
    # Connected again since the last look; while a look is under way it is due at the end of its lease all the same.
    is_anew = and_(_bell.c.looked_at < _installation.c.connected_at, _bell.c.due_at > now + lease)
    row = tx.execute(
        select(_installation.c.tenant_id, _installation.c.id)
        .select_from(_installation.outerjoin(_bell, its))
        .where(_installation.c.status == ACTIVE, _installation.c.connector.in_(connectors))
        .where(or_(_bell.c.installation_id.is_(None), _bell.c.due_at <= now, is_anew))
        .order_by(_bell.c.due_at)
        .limit(1)
        .with_for_update(of=_installation, skip_locked=True)
    ).first()
    if row is None:
        return None
    due = Due(row.tenant_id, row.id, now + lease)
    again(tx, due, now + lease)
    return due


def next_due(tx: Tx) -> datetime | None:
    """Return when the next doorbell is to be looked at, of those that are known."""
    return tx.execute(select(_bell.c.due_at).order_by(_bell.c.due_at).limit(1)).scalar()


def again(tx: Tx, due: Due, at: datetime) -> None:
    """Look at a doorbell again at a time."""
    key = {"installation_id": due.installation_id, "tenant_id": due.tenant_id}
    tx.execute(
        insert_or(tx, _bell)
        .values(**key, due_at=at, rings=False, said=[])
        .on_conflict_do_update(index_elements=["installation_id"], set_={"due_at": at})
    )


def keep(tx: Tx, due: Due, found: Ringing, now: datetime, next_at: datetime) -> None:
    """Keep how a doorbell was found; a look that was asked for meanwhile is due all the same."""
    moment = _bell.c.due_at.type
    is_asked = _bell.c.due_at < literal(due.until or now, moment)
    values: dict[str, Any] = {
        "looked_at": now,
        "rings": found.rings,
        "said": [asdict(one) for one in found.said],
    }
    values |= {"off_at": now} if found.was_off else {}
    key = {"installation_id": due.installation_id, "tenant_id": due.tenant_id}
    tx.execute(
        insert_or(tx, _bell)
        .values(**key, **values, due_at=next_at)
        .on_conflict_do_update(
            index_elements=["installation_id"],
            set_={**values, "due_at": case((is_asked, _bell.c.due_at), else_=literal(next_at, moment))},
        )
    )


def forget(tx: Tx, of: Installed) -> None:
    """Forget the doorbell of an account that is disconnected."""
    tx.execute(delete(_bell).where(_bell.c.tenant_id == of.tenant_id, _bell.c.installation_id == of.id))


@dataclass(frozen=True, slots=True)
class Heard:
    """A doorbell as a person is told of it; ``was_off`` while that is news."""

    rings: bool
    said: tuple[Mapping[str, Any], ...]
    was_off: bool


def told(tx: Tx, tenant_id: int, now: datetime) -> dict[int, Heard]:
    """Return each installation's doorbell that was looked at."""
    rows = tx.execute(select(_bell).where(_bell.c.tenant_id == tenant_id, _bell.c.looked_at.is_not(None)))
    return {
        row.installation_id: Heard(
            row.rings, tuple(row.said), row.off_at is not None and row.off_at > now - _REMEMBERED
        )
        for row in rows
    }
