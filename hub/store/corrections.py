"""What people say of an enquiry's source against what matching says: their word stands until they take it back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam as value
from sqlalchemy import select, update

from hub.store import inbox, ledger, tracking
from hub.store.ledger import Entry, Kind
from hub.store.tables import Enquiry, Match, Person, Visit, table_of
from hub.store.tx import Tx
from tracking_core.match import MatchReason

_enquiry, _visit, _person, _match = (table_of(model) for model in (Enquiry, Visit, Person, Match))


@dataclass(frozen=True, slots=True)
class Said:
    """The visit a person named, None when he said that it was nobody's we know of."""

    visit_id: int | None
    visitor_id: int | None


_SAID = (
    select(_enquiry.c.corrected_visit_id, _visit.c.visitor_id)
    .select_from(
        _enquiry.outerjoin(
            _visit, (_visit.c.id == _enquiry.c.corrected_visit_id) & (_visit.c.tenant_id == _enquiry.c.tenant_id)
        )
    )
    .where(_enquiry.c.tenant_id == value("tenant_id"), _enquiry.c.id == value("enquiry_id"))
    .where(_enquiry.c.corrected_by.is_not(None))
)


def said(tx: Tx, tenant_id: int, enquiry_id: int) -> Said | None:
    """Return what a person said of the enquiry; None when nobody did."""
    row = tx.execute(_SAID, {"tenant_id": tenant_id, "enquiry_id": enquiry_id}).first()
    return Said(*row) if row else None


@dataclass(frozen=True, slots=True)
class CrmUser:
    """Who speaks on a card of the CRM: he has no login here."""

    id: str
    name: str


def correct(
    tx: Tx,
    tenant_id: int,
    enquiry_id: int,
    visit_id: int | None,
    person_id: int,
    now: datetime,
    user: CrmUser | None = None,
) -> bool:
    """Note a person's word and have the enquiry looked at again; False when there is no such enquiry or visit.

    Where ``user`` of the CRM said it, ``person_id`` is whose hub it is.
    """
    if visit_id is not None and not tracking.has_visit(tx, tenant_id, visit_id):
        return False
    told = Entry(Kind.CORRECTED, now, enquiry_id, who=_who(person_id, user), facts={"visit_id": visit_id})
    said_there = user.name if user else ""
    return _write(tx, tenant_id, told, corrected_by=person_id, corrected_visit_id=visit_id, corrected_in_crm=said_there)


def _who(person_id: int, user: CrmUser | None) -> str:
    return f"crm:{user.id}" if user else ledger.person(person_id)


def take_back(
    tx: Tx, tenant_id: int, enquiry_id: int, person_id: int, now: datetime, user: CrmUser | None = None
) -> bool:
    """Forget a person's word and have the enquiry looked at again; False when there is no such enquiry."""
    told = Entry(Kind.CORRECTION_TAKEN_BACK, now, enquiry_id, who=_who(person_id, user))
    return _write(tx, tenant_id, told, corrected_by=None, corrected_visit_id=None, corrected_in_crm="")


def _write(tx: Tx, tenant_id: int, told: Entry, **columns: int | str | None) -> bool:
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == told.enquiry_id)
    written = update(_enquiry).where(*here).values(**columns).returning(_enquiry.c.kind, _enquiry.c.key)
    row = tx.execute(written).first()
    if row:
        inbox.look_at(tx, tenant_id, row.kind, row.key, told.at)
        ledger.write(tx, tenant_id, told)
    return row is not None


def is_settled(tx: Tx, tenant_id: int, enquiry_id: int) -> bool:
    """Say whether the match that holds is what a person said, or the hub's own where nobody did."""
    word = said(tx, tenant_id, enquiry_id)
    here = (_match.c.tenant_id == tenant_id, _match.c.enquiry_id == enquiry_id, _match.c.superseded_at.is_(None))
    made = tx.execute(select(_match.c.visit_id, _match.c.reason).where(*here)).first()
    is_his = made is not None and made.reason == MatchReason.CORRECTED
    return made is not None and (is_his and made.visit_id == word.visit_id if word else not is_his)


def corrector(tx: Tx, tenant_id: int, enquiry_id: int) -> str | None:
    """Return the e-mail, or the name in the CRM, of who corrected the enquiry; None when nobody did."""
    of = (_person.c.id == _enquiry.c.corrected_by) & (_person.c.tenant_id == _enquiry.c.tenant_id)
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == enquiry_id)
    columns = (_enquiry.c.corrected_in_crm, _person.c.email)
    row = tx.execute(select(*columns).select_from(_enquiry.join(_person, of)).where(*here)).first()
    return (row.corrected_in_crm or row.email) if row else None
