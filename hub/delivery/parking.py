"""ready -> parked: of an account that took nothing for the whole patience, what has waited as long needs a person."""

from datetime import datetime, timedelta

from sqlalchemy import update

from connectors.protocol import Why
from connectors.telling import Said
from hub.delivery import lanes, noted, retry
from hub.delivery.lanes import Claim
from hub.delivery.retry import State
from hub.store import ledger
from hub.store.said import pack
from hub.store.tables import Delivery, table_of
from hub.store.tx import Tx, of_few

_delivery = table_of(Delivery)


def hold(tx: Tx, claim: Claim, now: datetime, why: Why, said: Said, asked: timedelta | None) -> datetime | None:
    """Hold the lane; of an account in trouble for the whole patience, what has waited as long needs a person."""
    until = lanes.hold(tx, claim, now, why, said, asked)
    if until is not None and now - lanes.held_since(tx, claim) >= retry.PATIENCE:
        _park(tx, claim, now, why, pack(Said("hub.dark"), said))
    return until


def _park(tx: Tx, claim: Claim, now: datetime, why: Why, sentence: str) -> None:
    rows = tx.execute(
        update(_delivery)
        .where(of_few(_delivery.c.tenant_id) == claim.tenant_id, _delivery.c.installation_id == claim.installation_id)
        .where(_delivery.c.state == State.READY, _delivery.c.created_at <= now - retry.PATIENCE)
        .values(state=State.PARKED, why=why, sentence=sentence, settled_at=now)
        .returning(_delivery.c.enquiry_id, _delivery.c.id, _delivery.c.attempt)
    ).all()
    ledger.write(tx, claim.tenant_id, *(noted.parked(claim, tuple(row), why, now) for row in rows))
