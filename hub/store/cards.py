"""The cards of a CRM and the enquiries that are behind them."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select, text, union

from connectors.protocol import Ref
from hub.store.tables import CardOf, Deal, Enquiry, Visit, table_of
from hub.store.tx import Prepared, Tx

_card, _deal, _enquiry, _visit = (table_of(model) for model in (CardOf, Deal, Enquiry, Visit))

KINDS = ("deal", "contact")
_MOST = 30  # enquiries of one card, the latest


_NOTE = Prepared(
    text("""
INSERT INTO card_of (tenant_id, installation_id, kind, external_id, enquiry_id)
VALUES (:tenant_id, :installation_id, :kind, :external_id, :enquiry_id) ON CONFLICT DO NOTHING
""")
)
_NOTE_ALL = Prepared(
    text("""
INSERT INTO card_of (tenant_id, installation_id, kind, external_id, enquiry_id)
SELECT CAST(:tenant_id AS bigint), CAST(:installation_id AS bigint), asked.*
FROM json_to_recordset(:asked) AS asked(kind text, external_id text, enquiry_id bigint) ON CONFLICT DO NOTHING
""")
)


def note(tx: Tx, tenant_id: int, installation_id: int, made: Iterable[tuple[int, Sequence[Ref]]]) -> None:
    """Note on which cards enquiries are, by what their deliveries made or found there."""
    rows = [
        {"kind": ref.kind, "external_id": ref.id, "enquiry_id": enquiry_id}
        for enquiry_id, refs in made
        for ref in refs
        if ref.kind in KINDS
    ]
    tx.run_each(_NOTE, _NOTE_ALL, rows, tenant_id=tenant_id, installation_id=installation_id)


def enquiries_on(tx: Tx, tenant_id: int, installation_id: int, kind: str, external_id: str) -> list[int]:
    """Return the enquiries of a card of one account, newest first."""
    told = select(_card.c.enquiry_id).where(
        _card.c.tenant_id == tenant_id,
        _card.c.installation_id == installation_id,
        _card.c.kind == kind,
        _card.c.external_id == external_id,
    )
    read_back = select(_deal.c.enquiry_id).where(
        _deal.c.tenant_id == tenant_id,
        _deal.c.installation_id == installation_id,
        _deal.c.external_id == external_id,
        _deal.c.enquiry_id.is_not(None),
    )
    ids = union(told, read_back) if kind == "deal" else told
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id.in_(ids))
    newest = (_enquiry.c.at.desc(), _enquiry.c.id.desc())
    return list(tx.execute(select(_enquiry.c.id).where(*here).order_by(*newest).limit(_MOST)).scalars())


def first_on(tx: Tx, tenant_id: int, installation_id: int, kind: str, external_id: str) -> int | None:
    """Return the enquiry that was noted first on a card of one account; None when none was."""
    noted = select(_card.c.enquiry_id).where(
        _card.c.tenant_id == tenant_id,
        _card.c.installation_id == installation_id,
        _card.c.kind == kind,
        _card.c.external_id == external_id,
    )
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id.in_(noted))
    return tx.execute(select(_enquiry.c.id).where(*here).order_by(_enquiry.c.at, _enquiry.c.id).limit(1)).scalar()


def is_on(tx: Tx, tenant_id: int, installation_id: int, enquiry_id: int, card: tuple[str, str] | None) -> bool:
    """Say whether an enquiry is on a card (kind, id) of an account; without one, on any."""
    if card is not None:
        return enquiry_id in enquiries_on(tx, tenant_id, installation_id, *card)
    noted = select(_card.c.enquiry_id).where(
        _card.c.tenant_id == tenant_id,
        _card.c.installation_id == installation_id,
        _card.c.enquiry_id == enquiry_id,
    )
    return tx.execute(noted.limit(1)).first() is not None


def landings(tx: Tx, tenant_id: int, visit_ids: Collection[int]) -> dict[int, str]:
    """Return the page each visit began on."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id.in_(visit_ids))
    return {row.id: row.landing for row in tx.execute(select(_visit.c.id, _visit.c.landing).where(*here))}
