"""Our calls to people who wait for one: to missed callers, and to those who ordered a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy import bindparam as value

from hub.store.enquiries import its_call
from hub.store.inbox import CALL
from hub.store.tables import Call, Enquiry, table_of
from hub.store.tx import Tx

_enquiry, _call = table_of(Enquiry), table_of(Call)
_REMEMBERED = timedelta(days=7)
_MOST = 50  # of one phone, in the longest time a goal looks for

_his = _enquiry.c.phone_key == value("phone_key")
_over = _call.c.ended_at.is_not(None)


@dataclass(frozen=True, slots=True)
class MadeBack:
    """An answered call of ours: its enquiry, when it began, and seconds of talk."""

    enquiry_id: int
    at: datetime
    talk_s: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A missed call or an order to call back: what names it, when it came, and since when he waits."""

    kind: str
    key: str
    at: datetime
    since: datetime


_MADE = (
    select(_enquiry.c.id, _enquiry.c.at, _call.c.talk_s)
    .join(_call, its_call)
    .where(_enquiry.c.tenant_id == value("tenant_id"), _his)
    .where(_call.c.direction == "outbound", _call.c.status == "answered", _over)
    .where(_enquiry.c.at > value("since"), _enquiry.c.at < value("until"))
    .order_by(_enquiry.c.at, _enquiry.c.id)
    .limit(_MOST)
)
_missed = and_(_call.c.direction == "inbound", _call.c.status != "answered", _over)
_since = func.coalesce(_call.c.ended_at, _enquiry.c.at).label("since")
_UNANSWERED = (
    select(_enquiry.c.kind, _enquiry.c.key, _enquiry.c.at, _since)
    .select_from(_enquiry.outerjoin(_call, its_call))
    .where(_enquiry.c.tenant_id == value("tenant_id"), _his)
    .where(or_(_enquiry.c.kind == "callback", and_(_enquiry.c.kind == CALL, _missed)))
    .where(_enquiry.c.at > value("since"), _enquiry.c.at < value("until"))
    .order_by(_enquiry.c.at, _enquiry.c.id)
    .limit(_MOST)
)


def made(tx: Tx, tenant_id: int, phone_key: str, since: datetime, until: datetime) -> list[MadeBack]:
    """Return our answered calls to a phone that began between two moments, oldest first."""
    return [MadeBack(*row) for row in _asked(tx, _MADE, tenant_id, phone_key, since, until)]


def answered_by(tx: Tx, tenant_id: int, enquiry_id: int) -> MadeBack | None:
    """Return the first call of ours that the person of an enquiry answered within a week after it."""
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == enquiry_id)
    row = tx.execute(select(_enquiry.c.phone_key, _enquiry.c.at).where(*here)).one()
    if row.phone_key is None:
        return None
    return next(iter(made(tx, tenant_id, row.phone_key, row.at, row.at + _REMEMBERED)), None)


def unanswered(tx: Tx, tenant_id: int, phone_key: str, since: datetime, until: datetime) -> list[Unanswered]:
    """Return the missed calls and orders of a phone between two moments, oldest first."""
    return [Unanswered(*row) for row in _asked(tx, _UNANSWERED, tenant_id, phone_key, since, until)]


def _asked(tx: Tx, what: Any, tenant_id: int, phone_key: str, since: datetime, until: datetime) -> Sequence[Any]:
    return tx.execute(what, {"tenant_id": tenant_id, "phone_key": phone_key, "since": since, "until": until}).all()
