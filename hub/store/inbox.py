"""The inbox: enquiries that need a look, because something new is known of them or their fallback moment comes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from hub.store.tables import Inbox, table_of
from hub.store.tx import Tx, insert_or

CALL = "call"
_inbox = table_of(Inbox)


@dataclass(frozen=True, slots=True)
class Due:
    """An enquiry whose moment has come, locked by this transaction; a call may not be written as one yet."""

    tenant_id: int
    kind: str
    key: str
    tries: int

    @property
    def call(self) -> tuple[int, str]:
        """The telephony account and its id of the call."""
        return call_of(self.key)


def key_of_call(account_id: int, provider_call_id: str) -> str:
    """Return what makes a call one enquiry."""
    return f"{account_id}:{provider_call_id}"


def call_of(key: str) -> tuple[int, str]:
    """Return the telephony account and its id of the call a key names."""
    account_id, _, provider_call_id = key.partition(":")
    return int(account_id), provider_call_id


def look_at(tx: Tx, tenant_id: int, kind: str, key: str, due_at: datetime) -> None:
    """Put an enquiry into the inbox, or make it due earlier; waits for whoever is looking at it now."""
    sooner = insert_or(tx, _inbox).values(tenant_id=tenant_id, kind=kind, key=key, due_at=due_at, tries=0, trouble="")
    tx.execute(
        sooner.on_conflict_do_update(index_elements=["tenant_id", "kind", "key"], set_={"due_at": due_at, "tries": 0})
    )


def take_due(tx: Tx, now: datetime) -> Due | None:
    """Lock the inbox row that waits longest; other processes skip it."""
    row = tx.execute(
        select(_inbox)
        .where(_inbox.c.due_at <= now)
        .order_by(_inbox.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    return Due(row.tenant_id, row.kind, row.key, row.tries) if row else None


def _this(due: Due) -> Any:
    return (_inbox.c.tenant_id == due.tenant_id) & (_inbox.c.kind == due.kind) & (_inbox.c.key == due.key)


def done(tx: Tx, due: Due, again_at: datetime | None = None) -> None:
    """Take an enquiry out of the inbox, or let it come back when its fallback moment comes."""
    if again_at is None:
        tx.execute(delete(_inbox).where(_this(due)))
    else:
        tx.execute(update(_inbox).where(_this(due)).values(due_at=again_at, tries=0, trouble=""))


def next_due(tx: Tx) -> datetime | None:
    """Return when the next enquiry of the inbox comes due; None when it is empty."""
    return tx.execute(select(_inbox.c.due_at).order_by(_inbox.c.due_at).limit(1)).scalar()


def postpone(tx: Tx, due: Due, until: datetime, trouble: str) -> None:
    """Leave an enquiry that made trouble in the inbox for later, with what went wrong."""
    tx.execute(update(_inbox).where(_this(due)).values(due_at=until, tries=due.tries + 1, trouble=trouble[:500]))
