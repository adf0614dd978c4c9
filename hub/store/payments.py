"""What was paid, as the CRM has it, and on which deals it stands; ids are the CRM's, money in minor units."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from connectors.protocol import DealChange, PaymentChange
from hub.store.crm import Installed
from hub.store.tables import DealPayment, Payment, table_of
from hub.store.tx import Tx, insert_or

_payment, _stands = table_of(Payment), table_of(DealPayment)
_COLUMNS = ("amount_minor", "currency", "paid_at")


def save_deal(tx: Tx, of: Installed, change: DealChange) -> None:
    """Write which payments stand on a deal, where it tells."""
    if change.payments is not None:
        _stand(tx, of, _stands.c.deal == change.id, [(change.id, payment) for payment in change.payments])


def save(tx: Tx, of: Installed, changes: Sequence[PaymentChange], *, are_all: bool) -> None:
    """Write payments as the CRM has them now; with ``are_all`` every other one is withdrawn."""
    known = _known(tx, of) if changes or are_all else {}
    for change in changes:
        if known.get(change.id) != _told(change):
            _save(tx, of, change)
        if change.deal is not None:
            _stand(tx, of, _stands.c.payment == change.id, [(change.deal, change.id)])
    if are_all:
        named = {change.id for change in changes}
        _withdraw(tx, of, [id_ for id_, (amount_minor, *_) in known.items() if amount_minor and id_ not in named])


def _known(tx: Tx, of: Installed) -> Mapping[str, tuple[Any, ...]]:
    columns = [_payment.c[name] for name in _COLUMNS]
    here = (_payment.c.tenant_id == of.tenant_id, _payment.c.installation_id == of.id)
    rows = tx.execute(select(_payment.c.external_id, *columns).where(*here))
    return {external_id: tuple(told) for external_id, *told in rows}


def _told(change: PaymentChange) -> tuple[Any, ...]:
    return tuple(getattr(change, name) for name in _COLUMNS)


def _save(tx: Tx, of: Installed, change: PaymentChange) -> None:
    values = dict(zip(_COLUMNS, _told(change), strict=True))
    tx.execute(
        insert_or(tx, _payment)
        .values(tenant_id=of.tenant_id, installation_id=of.id, external_id=change.id, **values)
        .on_conflict_do_update(index_elements=["installation_id", "external_id"], set_=values)
    )


def _stand(tx: Tx, of: Installed, whose: Any, pairs: Iterable[tuple[str, str]]) -> None:
    """Write what stands on what, as (deal, payment), in place of what is there of the same."""
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id)
    tx.execute(delete(_stands).where(*here, whose))
    place = {"tenant_id": of.tenant_id, "installation_id": of.id}
    rows = [{**place, "deal": deal, "payment": payment} for deal, payment in dict.fromkeys(pairs)]
    if rows:
        tx.execute(insert(_stands), rows)


def _withdraw(tx: Tx, of: Installed, gone: Iterable[str]) -> None:
    here = (_payment.c.tenant_id == of.tenant_id, _payment.c.installation_id == of.id)
    for external_id in gone:
        tx.execute(update(_payment).where(*here, _payment.c.external_id == external_id).values(amount_minor=0))
