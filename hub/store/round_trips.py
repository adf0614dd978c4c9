"""The log of requests to accounts: written in batches, read a page at a time, deleted by age, number, or a person."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select

from connectors.round_trips import RoundTrip
from hub.store import market
from hub.store.tables import Installation, table_of
from hub.store.tables import RoundTrip as Row
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault

_trip, _installation = table_of(Row), table_of(Installation)

MOST = 50_000  # rows of one account
_MS = timedelta(milliseconds=1)
_PLAIN = (
    "id", "at", "method", "address", "status", "lost", "detail", "asked_size", "answered_size", "failed",
)  # fmt: skip

Place = tuple[int, int]  # (tenant, installation)
Spot = tuple[datetime, int]  # (moment, id) of a row


@dataclass(frozen=True, slots=True)
class Account:
    """An account that said who it is, and may be anybody's."""

    connector: str
    account: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A round trip, when it was over, and whose account was asked."""

    whose: Place | Account
    at: datetime
    trip: RoundTrip


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the log, opened."""

    id: int
    at: datetime
    method: str
    address: str
    status: int | None
    lost: str
    detail: str
    took: timedelta
    asked_size: int
    answered_size: int
    failed: bool
    asked: str = field(repr=False)
    answered: str = field(repr=False)

    @property
    def spot(self) -> Spot:
        """Where it stands: the next page begins below it."""
        return self.at, self.id


def owners(tx: Tx, accounts: Iterable[Account]) -> dict[Account, Place]:
    """Return whose some accounts are; those that are nobody's are left out."""
    found = {one: market.owner_of(tx, one.connector, one.account) for one in accounts}
    return {one: (owner[0], owner[1]) for one, owner in found.items() if owner}


def rows_of(heard: Iterable[Heard], owners: Mapping[Account, Place], vault: Vault) -> list[dict[str, Any]]:
    """Return the rows of what was heard, sealed; of an account that is nobody's there are none."""
    placed = ((owners.get(one.whose) if isinstance(one.whose, Account) else one.whose, one) for one in heard)
    return [_row(place, one, vault) for place, one in placed if place is not None]


def _row(place: Place, heard: Heard, vault: Vault) -> dict[str, Any]:
    trip = heard.trip
    return {
        "tenant_id": place[0],
        "installation_id": place[1],
        "at": heard.at,
        "failed": trip.failed,
        "method": trip.method,
        "address": _storable(trip.address),
        "status": trip.status,
        "lost": trip.lost or "",
        "detail": _storable(trip.detail),
        "took_ms": trip.took // _MS,
        "asked_size": trip.asked_size,
        "answered_size": trip.answered_size,
        "bodies": vault.seal(_packed(trip.asked, trip.answered), *place, "round_trip"),
    }


def _storable(text: str) -> str:
    """Return a text as every engine takes one."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _packed(asked: str, answered: str) -> str:
    """Return both bodies small: most of an answer is the same keys again and again."""
    return base64.b64encode(zlib.compress(json.dumps([asked, answered]).encode(), 1)).decode()


def save(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each of which names its tenant."""
    if rows:
        tx.execute(insert(_trip), rows)


def latest(
    tx: Tx, place: Place, vault: Vault, limit: int, *, below: Spot | None = None, failed: bool = False
) -> list[Kept]:
    """Return rows of an account's log, newest first, from ``below`` on; of those that failed alone if asked."""
    tenant_id, installation_id = place
    asked = select(_trip).where(_trip.c.tenant_id == tenant_id, _trip.c.installation_id == installation_id)
    if failed:
        asked = asked.where(_trip.c.failed.is_(True))
    if below is not None:
        at, id_ = below
        asked = asked.where(_trip.c.at <= at, or_(_trip.c.at < at, _trip.c.id < id_))
    rows = tx.execute(asked.order_by(_trip.c.at.desc(), _trip.c.id.desc()).limit(limit))
    return [_kept(row, place, vault) for row in rows]


def _kept(row: Any, place: Place, vault: Vault) -> Kept:
    try:
        packed = vault.open(row.bodies, *place, "round_trip")
        asked, answered = json.loads(zlib.decompress(base64.b64decode(packed)))
    except Unopenable:  # by an older key that is gone: the rest of the log is still of use
        asked = answered = ""
    told = {name: getattr(row, name) for name in _PLAIN}
    return Kept(**told, took=row.took_ms * _MS, asked=asked, answered=answered)


def accounts(tx: Tx) -> list[Place]:
    """Return every account there is, or was."""
    return [(row.tenant_id, row.id) for row in tx.execute(select(_installation.c.tenant_id, _installation.c.id))]


def too_old(tx: Tx, tenant_id: int, installation_id: int, since: datetime, most: int = MOST) -> Spot | None:
    """Return the newest row of an account that is older than ``since`` or beyond the ``most`` latest; None: none is."""
    here = (_trip.c.tenant_id == tenant_id, _trip.c.installation_id == installation_id)
    newest = select(_trip.c.at, _trip.c.id).where(*here).order_by(_trip.c.at.desc(), _trip.c.id.desc()).limit(1)
    found = (tx.execute(newest.where(_trip.c.at < since)).first(), tx.execute(newest.offset(most)).first())
    return max(((row.at, row.id) for row in found if row), default=None)


def delete_some(tx: Tx, tenant_id: int, installation_id: int, last: Spot, most: int = 500) -> int:
    """Delete the oldest rows of an account down to ``last``; return how many, ``most`` of them where more are left.

    They are few, so that nobody who writes meanwhile waits for a whole log.
    """
    here = (_trip.c.tenant_id == tenant_id, _trip.c.installation_id == installation_id)
    at, id_ = last
    oldest = select(_trip.c.id).where(*here, _trip.c.at <= at, or_(_trip.c.at < at, _trip.c.id <= id_))
    some = oldest.order_by(_trip.c.at, _trip.c.id).limit(most)
    return int(tx.execute(delete(_trip).where(*here, _trip.c.id.in_(some))).rowcount)
