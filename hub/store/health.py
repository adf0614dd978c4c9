"""How the connections are: deliveries with what they wait for, and installations with their lanes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, select, text

from connectors.telling import NO_END
from hub.store.said import of_hold
from hub.store.tables import Delivery, Enquiry, Erasure, Grant, Installation, Lane, table_of
from hub.store.tx import Tx, of_few

_enquiry, _delivery = table_of(Enquiry), table_of(Delivery)
_installation, _lane, _grant = table_of(Installation), table_of(Lane), table_of(Grant)
_erasure = table_of(Erasure)

_its_lane = and_(_lane.c.installation_id == _installation.c.id, _lane.c.tenant_id == _installation.c.tenant_id)
_hold = (_lane.c.hold_until, func.coalesce(_lane.c.hold_why, "").label("hold_why"))
_has_end = and_(_grant.c.refresh_token.is_(None), _grant.c.expires_at < NO_END)
_end = case((_has_end, _grant.c.expires_at)).label("token_ends_at")
_BLOCKING = ("ready", "sending")  # states in which a delivery keeps later ones of the same caller waiting


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery with everything that says why it is where it is."""

    id: str
    enquiry_id: int | None
    phone_masked: str | None
    position: datetime
    connector: str
    account: str
    installation_status: str
    hold_until: datetime | None
    hold_why: str
    state: str
    attempt: int
    spent: int
    in_doubt: bool
    is_blocked: bool
    due_at: datetime
    settled_at: datetime | None
    why: str
    sentence: str
    refs: tuple[dict[str, Any], ...]


def waiting(tx: Tx, tenant_id: int, state: str, limit: int) -> list[Waiting]:
    """List deliveries of one state: the next due first while they wait, else the latest first."""
    earlier = _delivery.alias("earlier")
    blocked = exists().where(
        of_few(earlier.c.tenant_id) == _delivery.c.tenant_id,
        earlier.c.installation_id == _delivery.c.installation_id,
        earlier.c.order_key == _delivery.c.order_key,
        text("(earlier.state = 'ready' OR earlier.state = 'sending')"),  # as the index of these says it
        earlier.c.position < _delivery.c.position,
    )
    of = and_(_installation.c.id == _delivery.c.installation_id, _installation.c.tenant_id == _delivery.c.tenant_id)
    rows = tx.execute(
        select(
            _delivery,
            _enquiry.c.phone_masked,
            _installation.c.connector,
            _installation.c.account,
            _installation.c.status.label("installation_status"),
            *_hold,
            blocked.label("is_blocked"),
        )
        .select_from(
            _delivery.join(_installation, of)
            .outerjoin(
                _enquiry, and_(_enquiry.c.id == _delivery.c.enquiry_id, _enquiry.c.tenant_id == _delivery.c.tenant_id)
            )
            .outerjoin(_lane, _its_lane)
        )
        .where(_delivery.c.tenant_id == tenant_id, _delivery.c.state == state)
        .order_by(_delivery.c.due_at if state in _BLOCKING else _delivery.c.position.desc(), _delivery.c.id)
        .limit(limit)
    )
    names = [name for name in Waiting.__slots__ if name != "refs"]
    return [Waiting(**{name: getattr(row, name) for name in names}, refs=tuple(row.refs)) for row in rows]


# -- installations


@dataclass(frozen=True, slots=True)
class Health:
    """An installation with its lane: how it is, and what it waits with."""

    id: int
    connector: str
    account: str
    host: str
    status: str
    reason: str
    facts: dict[str, Any]
    fitted: dict[str, Any]
    connected_at: datetime
    read_back_at: datetime | None
    hold_until: datetime | None
    hold_why: str
    no_access: str  # why it has none any more: the answer to a renewal was lost, it ended, or it was refused
    token_ends_at: datetime | None  # of a token that nothing renews; None of others, and of one without an end
    erase_at: datetime | None  # when what was read from it is deleted; None where nobody asked for that
    erased_at: datetime | None
    unsettled: int
    parked: int
    last_delivered_at: datetime | None

    @property
    def held_why(self) -> str:
        """The kind of trouble it is left alone for."""
        return of_hold(self.hold_why)[0]

    @property
    def trouble(self) -> str:
        """What was said of its trouble, as store/said.py keeps it: why it has no access, or why it is left alone."""
        return of_hold(self.hold_why)[1] if self.status == "active" else self.reason

    def is_held(self, now: datetime) -> bool:
        """Says whether the account is left alone at the moment."""
        return bool(self.hold_why) and self.hold_until is not None and self.hold_until > now

    def may_be_erased(self, now: datetime) -> bool:
        """Says whether what was read from it can be deleted: it left, and nobody has begun yet."""
        return self.status == "removed" and (self.erase_at is None or self.erase_at > now)


def installations(tx: Tx, tenant_id: int) -> list[Health]:
    """Return the health of the tenant's installations."""
    grant = and_(_grant.c.installation_id == _installation.c.id, _grant.c.tenant_id == _installation.c.tenant_id)
    erasure = and_(_erasure.c.installation_id == _installation.c.id, _erasure.c.tenant_id == _installation.c.tenant_id)
    rows = tx.execute(
        select(
            _installation,
            _lane.c.readback_at,
            _erasure.c.due_at.label("erase_at"),
            _erasure.c.done_at.label("erased_at"),
            *_hold,
            case((_grant.c.in_doubt, "lost"), (_grant.c.refresh_token.is_(None), "ended"), else_="refused").label(
                "no_access"
            ),
            _end,
        )
        .select_from(_installation.outerjoin(_lane, _its_lane).outerjoin(_grant, grant).outerjoin(_erasure, erasure))
        .where(_installation.c.tenant_id == tenant_id)
        .order_by(_installation.c.id)
    ).all()
    counted = _delivery_counts(tx, tenant_id)
    names = (
        "id",
        "connector",
        "account",
        "host",
        "status",
        "reason",
        "facts",
        "fitted",
        "connected_at",
        "hold_until",
        "hold_why",
        "no_access",
        "token_ends_at",
        "erase_at",
        "erased_at",
    )
    return [
        Health(
            **{name: getattr(row, name) for name in names},
            read_back_at=row.readback_at,
            unsettled=sum(counted.get((row.id, state), (0, None))[0] for state in _BLOCKING),
            parked=counted.get((row.id, "parked"), (0, None))[0],
            last_delivered_at=counted.get((row.id, "delivered"), (0, None))[1],
        )
        for row in rows
    ]


def _delivery_counts(tx: Tx, tenant_id: int) -> dict[tuple[int, str], tuple[int, datetime | None]]:
    settled = func.max(_delivery.c.settled_at, type_=_delivery.c.settled_at.type)
    rows = tx.execute(
        select(_delivery.c.installation_id, _delivery.c.state, func.count(), settled)
        .where(_delivery.c.tenant_id == tenant_id)
        .group_by(_delivery.c.installation_id, _delivery.c.state)
    )
    return {(installation_id, state): (number, latest) for installation_id, state, number, latest in rows}


def has_delivery(tx: Tx, tenant_id: int, delivery_id: str) -> bool:
    """Say whether a delivery is this tenant's."""
    here = (_delivery.c.tenant_id == tenant_id, _delivery.c.id == delivery_id)
    return tx.execute(select(_delivery.c.id).where(*here)).first() is not None
