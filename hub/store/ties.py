"""By what each visitor is known, and who is one person because of it (tracking_core.ties).

Whatever changes a tie settles in the same transaction who is one person now, and lets what was matched by memory be
looked at again.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, func, insert, or_, select, update
from sqlalchemy import bindparam as value

from hub.store import inbox
from hub.store.arrival import OF_PAGE
from hub.store.enquiries import its_match, its_visit
from hub.store.evidence import Evidence
from hub.store.moment import to_micros
from hub.store.tables import Enquiry, Match, Tenant, Tie, Visit, Visitor, table_of
from hub.store.tx import Prepared, Tx, of_few
from tracking_core import ties
from tracking_core.match import MatchReason
from tracking_core.ties import MOST_KEYS, MOST_VISITORS, Key, TieKind

_tie, _visitor, _tenant = (table_of(model) for model in (Tie, Visitor, Tenant))
_enquiry, _match, _visit = (table_of(model) for model in (Enquiry, Match, Visit))

Known = tuple[int, Key]  # a visitor, and by what he is known

_MOST_AGAIN = 100  # enquiries looked at again because a person has changed
_holds = _tie.c.gone_at.is_(None) & _tie.c.undone_at.is_(None)
_this = (_tie.c.tenant_id == value("tenant")) & (_tie.c.visitor_id == value("visitor"))
_this &= (_tie.c.kind == value("of_kind")) & (_tie.c.key == value("of_key"))
_by_it = _tie.c.enquiry_id.is_not_distinct_from(value("enquiry"))


# -- facts come and go

_OF_ENQUIRIES = select(_tie.c.enquiry_id, _tie.c.visitor_id, _tie.c.kind, _tie.c.key).where(
    _tie.c.tenant_id == value("tenant"),
    _tie.c.enquiry_id.in_(value("enquiries", expanding=True)),
    _tie.c.gone_at.is_(None),
)


def told_by(tx: Tx, tenant_id: int, *enquiry_ids: int) -> dict[int, set[Known]]:
    """Return what enquiries are the evidence of now, whether it is undone or not."""
    told: dict[int, set[Known]] = {enquiry_id: set() for enquiry_id in enquiry_ids}
    for enquiry_id, visitor_id, kind, key in tx.execute(_OF_ENQUIRIES, {"tenant": tenant_id, "enquiries": list(told)}):
        told[enquiry_id].add((visitor_id, Key(TieKind(kind), key)))
    return told


# Tells of one tenant's people wait for one another: what two learn at once is of one person.
_LOCK = select(_tenant.c.id).where(_tenant.c.id == value("tenant_id")).with_for_update(key_share=True)
_REVIVE = update(_tie).where(_this, _by_it).values(gone_at=None)
_UNDONE = select(_tie.c.undone_at, _tie.c.undone_by).where(_this, _tie.c.undone_at.is_not(None)).limit(1)
_NAMED = select(_visitor.c.id).where(
    _visitor.c.tenant_id == value("tenant"),
    _visitor.c.id == value("visitor"),
    _visitor.c.token.not_like(f"{OF_PAGE}%"),  # who did not consent is nobody else
)
_GONE = update(_tie).where(_this, _by_it).values(gone_at=value("now"))


def tell(
    tx: Tx, tenant_id: int, evidence: Evidence, come: Collection[Known], gone: Collection[Known], now: datetime
) -> bool:
    """Write by what visitors are known and are known no more; say whether that changes who is one person.

    What a person has undone before stays undone.
    """
    tx.execute(_LOCK, {"tenant_id": tenant_id})
    for visitor_id, key in gone:
        tx.execute(_GONE, {**_asked(tenant_id, visitor_id, key), "enquiry": evidence.enquiry_id, "now": now})
    for visitor_id, key in come:
        _come(tx, tenant_id, evidence, visitor_id, key)
    return _regroup(tx, tenant_id, {*come, *gone}, now)


def _asked(tenant_id: int, visitor_id: int, key: Key) -> dict[str, Any]:
    return {"tenant": tenant_id, "visitor": visitor_id, "of_kind": key.kind.value, "of_key": key.fingerprint}


def _come(tx: Tx, tenant_id: int, evidence: Evidence, visitor_id: int, key: Key) -> None:
    this = _asked(tenant_id, visitor_id, key)
    is_named = tx.execute(_NAMED, {"tenant": tenant_id, "visitor": visitor_id}).first()
    if not is_named or tx.execute(_REVIVE, {**this, "enquiry": evidence.enquiry_id}).rowcount:
        return
    undone = tx.execute(_UNDONE, this).first()
    row = {"tenant_id": tenant_id, "visitor_id": visitor_id, "kind": key.kind.value, "key": key.fingerprint}
    told = {"enquiry_id": evidence.enquiry_id, "since": evidence.at, **(undone._asdict() if undone else {})}
    tx.execute(insert(_tie), {**row, **told})


_TELLING = select(_tie.c.enquiry_id).where(
    _tie.c.tenant_id == value("tenant"), _tie.c.kind == value("of_kind"), _tie.c.key == value("of_key"),
    _tie.c.enquiry_id.is_not(None), _tie.c.gone_at.is_(None),
)  # fmt: skip


def telling(tx: Tx, tenant_id: int, key: Key) -> list[int]:
    """Return the enquiries that tell of somebody known by a key."""
    asked = {"tenant": tenant_id, "of_kind": key.kind.value, "of_key": key.fingerprint}
    return sorted({row.enquiry_id for row in tx.execute(_TELLING, asked)})


# -- what a person says of them

_SAY = update(_tie).where(_this).values(undone_at=value("now"), undone_by=value("by"))


def undo(tx: Tx, tenant_id: int, known: Collection[Known], person_id: int, now: datetime) -> None:
    """Write that a visitor is not known by a key, whatever is told, until that is taken back."""
    _say(tx, tenant_id, known, person_id, now)


def take_back(tx: Tx, tenant_id: int, known: Collection[Known], now: datetime) -> None:
    """Forget that a visitor was said not to be known by a key."""
    _say(tx, tenant_id, known, None, now)


def _say(tx: Tx, tenant_id: int, known: Collection[Known], person_id: int | None, now: datetime) -> None:
    if not known:
        return
    tx.execute(_LOCK, {"tenant_id": tenant_id})
    said = {"by": person_id, "now": now if person_id is not None else None}
    for visitor_id, key in known:
        tx.execute(_SAY, {**_asked(tenant_id, visitor_id, key), **said})
    _regroup(tx, tenant_id, known, now)


# -- who is one person now

_KEYS_OF = (
    select(_tie.c.kind, _tie.c.key)
    .where(_tie.c.tenant_id == value("tenant"), _tie.c.visitor_id == value("visitor"), _holds)
    .distinct()
    .limit(MOST_KEYS * len(TieKind) + 1)
)
_KNOWN_BY = (
    select(_tie.c.visitor_id)
    .where(_tie.c.tenant_id == value("tenant"), _tie.c.kind == value("of_kind"), _tie.c.key == value("of_key"), _holds)
    .distinct()
    .limit(MOST_VISITORS + 1)
)


def keys_of(tx: Tx, tenant_id: int, visitor_id: int) -> frozenset[Key]:
    """Return what a visitor is known by now; not all where it is so much that his browser is shared."""
    rows = tx.execute(_KEYS_OF, {"tenant": tenant_id, "visitor": visitor_id})
    return frozenset(Key(TieKind(kind), key) for kind, key in rows)


def known_by(tx: Tx, tenant_id: int, key: Key) -> frozenset[int]:
    """Return the visitors known by a key now; one more than the most where they are so many that it is shared."""
    asked = {"tenant": tenant_id, "of_kind": key.kind.value, "of_key": key.fingerprint}
    return frozenset(tx.execute(_KNOWN_BY, asked).scalars())


def visitors_by(tx: Tx, tenant_id: int, key: Key) -> int:
    """Count the visitors known by a key now."""
    here = (_tie.c.tenant_id == tenant_id, _tie.c.kind == key.kind.value, _tie.c.key == key.fingerprint, _holds)
    return int(tx.execute(select(func.count(_tie.c.visitor_id.distinct())).where(*here)).scalar_one())


_near: Any = value("visitor_ids", expanding=True)
_other = _visitor.alias("other")
_PEOPLE = select(_visitor.c.id).where(
    _visitor.c.tenant_id == value("tenant"),
    or_(
        _visitor.c.id.in_(_near),
        _visitor.c.person_id.in_(
            select(_other.c.person_id).where(_other.c.tenant_id == value("tenant"), _other.c.id.in_(_near))
        ),
    ),
)
_RENAME = (
    update(_visitor)
    .where(_visitor.c.tenant_id == value("tenant"), _visitor.c.id.in_(_near))
    .where(_visitor.c.person_id.is_distinct_from(value("person")))
    .values(person_id=value("person"))
    .returning(_visitor.c.id)
)


def _regroup(tx: Tx, tenant_id: int, known: Collection[Known], now: datetime) -> bool:
    """Write who is one person now, of those whom these ties may concern: theirs, their keys', and their people's."""

    @cache
    def keys(visitor_id: int) -> frozenset[Key]:
        return keys_of(tx, tenant_id, visitor_id)

    @cache
    def visitors(key: Key) -> frozenset[int]:
        return known_by(tx, tenant_id, key)

    near = {visitor for visitor, _ in known}.union(*(visitors(key) for _, key in known))
    people = tx.execute(_PEOPLE, {"tenant": tenant_id, "visitor_ids": sorted(near)}).scalars()
    together: dict[int | None, list[int]] = {}
    for visitor_id, person in ties.people(sorted(people), keys, visitors).items():
        together.setdefault(person, []).append(visitor_id)
    changed: list[int] = []
    for person, ids in together.items():
        changed += tx.execute(_RENAME, {"tenant": tenant_id, "visitor_ids": ids, "person": person}).scalars()
    if changed:
        _look_again(tx, tenant_id, changed, now)
    return bool(changed)


_BY_MEMORY = (
    select(_enquiry.c.kind, _enquiry.c.key)
    .join(_match, its_match)
    .join(_visit, its_visit)
    .where(of_few(_enquiry.c.tenant_id) == value("tenant"), _visit.c.visitor_id.in_(_near))
    .where(_match.c.reason == MatchReason.REPEAT_CALLER.value)
    .order_by(_enquiry.c.at.desc())
    .limit(_MOST_AGAIN)
)


def _look_again(tx: Tx, tenant_id: int, visitor_ids: Iterable[int], now: datetime) -> None:
    """Let what was matched by memory to one of these visitors be matched again: the memory is of a person."""
    rows = tx.execute(_BY_MEMORY, {"tenant": tenant_id, "visitor_ids": sorted(visitor_ids)}).all()
    for kind, key in rows:
        inbox.look_at(tx, tenant_id, kind, key, now)


# -- the visits of a person


def is_he(he: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Say that one visitor is the same person as another, or the same visitor.

    Either way he is found by an index, as he is not where the person of both is reckoned first.
    """
    same = or_(other.c.id == he.c.id, other.c.person_id == he.c.person_id)
    return and_(other.c.tenant_id == he.c.tenant_id, same)


_he = _visitor.alias("he")
_LATEST = Prepared(
    select(_visit.c.visitor_id, _visit.c.id)
    .select_from(_he)
    .join(_visitor, is_he(_he, _visitor))
    .join(_visit, (_visit.c.visitor_id == _visitor.c.id) & (of_few(_visit.c.tenant_id) == _visitor.c.tenant_id))
    .where(_he.c.tenant_id == value("tenant"), _he.c.id == value("visitor"), _visit.c.started_at <= value("before"))
    .order_by(_visit.c.started_at.desc(), _visit.c.id.desc())
    .limit(1)
)


def latest_visit(tx: Tx, tenant_id: int, visitor_id: int, before: datetime) -> tuple[int, int] | None:
    """Return the last visit of the person whom a visitor is, up to a moment: his visitor then, and the visit."""
    rows = tx.run(_LATEST, {"tenant": tenant_id, "visitor": visitor_id, "before": to_micros(before)})
    return (rows[0][0], rows[0][1]) if rows else None
