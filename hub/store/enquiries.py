"""Enquiries of every kind, what each was matched to, and what we remember of the person."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SelectBase, and_, insert, or_, select, union_all, update
from sqlalchemy import bindparam as value

from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.moment import from_micros, to_micros
from hub.store.tables import Call, Enquiry, Match, Visit, Visitor, table_of
from hub.store.tx import Prepared, Tx, insert_or
from hub.store.vault import Vault
from tracking_core.match import Match as MatchFound
from tracking_core.phone import masked
from tracking_core.qualify import Verdict

_enquiry, _call, _match = (table_of(model) for model in (Enquiry, Call, Match))
_visit, _visitor = table_of(Visit), table_of(Visitor)
_at = _enquiry.c.at.type


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of who turned to us; the keys find equal ones without their being stored in the clear."""

    phone: str | None
    email: str | None
    phone_key: str | None
    email_key: str | None


def person(tenant_id: int, phone: str | None, email: str | None, vault: Vault) -> Person:
    """Return a person by phone (E.164) and e-mail."""
    keys = (vault.fingerprint(known, tenant_id) if known else None for known in (phone, email))
    return Person(phone, email, *keys)


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an enquiry of any kind; ``told`` is what the person wrote, by name of the field."""

    site_id: int | None
    at: datetime
    person: Person
    told: Mapping[str, str] = field(default_factory=dict)
    named_visit_id: int | None = None
    heard: str = ""


def written_text(told: Mapping[str, str]) -> str:
    """Return what a person wrote in one text; a phone or an e-mail that we cannot read stands there as he wrote it."""
    return "\n".join(told[name] for name in ("subject", "text", "phone", "email") if name in told)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether an enquiry counts, and whether it is this person's first."""

    first_time: bool
    verdict: Verdict


_MOST_LATER = 20
_NOT_YET = Judged(first_time=False, verdict=Verdict(False, ""))


def save(tx: Tx, tenant_id: int, kind: str, key: str, about: About, judged: Judged, vault: Vault) -> int:
    """Write an enquiry over what we knew of it; return its id."""
    columns = {**_columns(tenant_id, kind, key, about, vault), **_judged(judged)}
    row = insert_or(tx, _enquiry).values(tenant_id=tenant_id, kind=kind, key=key, **columns)
    over = row.on_conflict_do_update(index_elements=["tenant_id", "kind", "key"], set_=columns)
    enquiry_id: int = tx.execute(over.returning(_enquiry.c.id)).scalar_one()
    return enquiry_id


def begin(tx: Tx, tenant_id: int, kind: str, key: str, about: About, vault: Vault) -> tuple[int, bool]:
    """Write an enquiry that nobody has judged yet; return its id, and whether it is new: one told twice stays."""
    new = {**_columns(tenant_id, kind, key, about, vault), **_judged(_NOT_YET)}
    row = insert_or(tx, _enquiry).values(tenant_id=tenant_id, kind=kind, key=key, **new).on_conflict_do_nothing()
    enquiry_id: int | None = tx.execute(row.returning(_enquiry.c.id)).scalar()
    if enquiry_id is not None:
        return enquiry_id, True
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.kind == kind, _enquiry.c.key == key)
    known: int = tx.execute(select(_enquiry.c.id).where(*here)).scalar_one()
    return known, False


def judge(tx: Tx, tenant_id: int, enquiry_id: int, judged: Judged) -> None:
    """Write whether an enquiry counts."""
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == enquiry_id)
    tx.execute(update(_enquiry).where(*here).values(**_judged(judged)))


def hear(tx: Tx, tenant_id: int, enquiry_id: int, heard: str) -> bool:
    """Note what the person said when asked how he heard of us; False when there is no such enquiry."""
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.id == enquiry_id)
    noted = tx.execute(update(_enquiry).where(*here).values(heard=heard).returning(_enquiry.c.id))
    return noted.first() is not None


def _judged(judged: Judged) -> dict[str, Any]:
    verdict = judged.verdict
    return {"first_time": judged.first_time, "qualified": verdict.qualified, "qualified_why": verdict.why}


def _columns(tenant_id: int, kind: str, key: str, about: About, vault: Vault) -> dict[str, Any]:
    told = json.dumps(dict(about.told), ensure_ascii=False) if about.told else None
    who = about.person
    sealed = {"phone": who.phone, "email": who.email, "told": told}
    columns = {
        "site_id": about.site_id,
        "at": about.at,
        **{name: vault.seal(text, tenant_id, kind, key, name) if text else None for name, text in sealed.items()},
        "phone_key": who.phone_key,
        "phone_masked": masked(who.phone) if who.phone else "",
        "email_key": who.email_key,
    }
    if about.named_visit_id is not None:
        columns["named_visit_id"] = about.named_visit_id
    return columns | ({"heard": about.heard} if about.heard else {})


@dataclass(frozen=True, slots=True)
class Kept:
    """An enquiry as it was written, opened."""

    id: int
    about: About


def written(tx: Tx, tenant_id: int, kind: str, key: str, vault: Vault) -> Kept:
    """Return an enquiry with what the person wrote."""
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.kind == kind, _enquiry.c.key == key)
    row = tx.execute(select(_enquiry).where(*here)).one()
    clear = {
        name: vault.open(sealed, tenant_id, kind, key, name) if (sealed := getattr(row, name)) else None
        for name in ("phone", "email", "told")
    }
    who = Person(clear["phone"], clear["email"], row.phone_key, row.email_key)
    told = json.loads(clear["told"]) if clear["told"] else {}
    return Kept(row.id, About(row.site_id, row.at, who, told, row.named_visit_id, row.heard))


def his_visit(tx: Tx, tenant_id: int, site_id: int | None, token: str | None, visit_id: int | None) -> int | None:
    """Return the visit of this visitor, his last one when none is named; None when there is no such visit.

    Without ``token`` the visit is taken by its id alone, without ``site_id`` on any site of the tenant.
    """
    asked = select(_visit.c.id).where(_visit.c.tenant_id == tenant_id)
    if site_id is not None:
        asked = asked.where(_visit.c.site_id == site_id)
    if token is not None:
        of = (_visitor.c.id == _visit.c.visitor_id) & (_visitor.c.tenant_id == _visit.c.tenant_id)
        asked = asked.join(_visitor, of).where(_visitor.c.token == token)
    if visit_id is not None:
        asked = asked.where(_visit.c.id == visit_id)
    found: int | None = tx.execute(asked.order_by(_visit.c.id.desc()).limit(1)).scalar()
    return found


def visitor_of(tx: Tx, tenant_id: int, visit_id: int) -> int:
    """Return the visitor a visit is of."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.id == visit_id)
    visitor_id: int = tx.execute(select(_visit.c.visitor_id).where(*here)).scalar_one()
    return visitor_id


def _by(who: Person) -> str:
    """Say by what a person is known: the name of the statement; empty for an anonymous one."""
    return " ".join(name for name in _KEYS if getattr(who, name))


_KEYS = ("phone_key", "email_key")
_WAYS = ("phone_key", "email_key", "phone_key email_key")  # by what a person can be known


def _asked(tenant_id: int, who: Person, **moments: datetime) -> dict[str, Any]:
    known = {name: getattr(who, name) for name in _by(who).split()}
    return {"tenant_id": tenant_id, **known, **{name: to_micros(at) for name, at in moments.items()}}


def _each(by: str, of: Callable[[ColumnElement[bool]], Select[Any]]) -> SelectBase:
    """Ask by each key on its own: asked by one or the other, SQLite would read all enquiries of the tenant's days."""
    parts = [of(_enquiry.c[name] == value(name)) for name in by.split()]
    return union_all(*(part.subquery().select() for part in parts)) if parts[1:] else parts[0]


# Somebody turned to us: what was written has no direction, and our own calls are no enquiries.
is_turned_to_us = or_(_call.c.direction.is_(None), _call.c.direction == "inbound")
its_call = and_(_call.c.enquiry_id == _enquiry.c.id, _call.c.tenant_id == _enquiry.c.tenant_id)
its_match = and_(  # the current one
    _match.c.enquiry_id == _enquiry.c.id,
    _match.c.tenant_id == _enquiry.c.tenant_id,
    _match.c.superseded_at.is_(None),
)
its_visit = and_(_visit.c.id == _match.c.visit_id, _visit.c.tenant_id == _match.c.tenant_id)  # of a match


def _earlier(his: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_enquiry.c.id)
        .select_from(_enquiry.outerjoin(_call, its_call))
        .where(_enquiry.c.tenant_id == value("tenant_id"), his, _enquiry.c.at < value("before", type_=_at))
        .where(is_turned_to_us)
        .limit(1)
    )


_CAME = {by: Prepared(_each(by, _earlier)) for by in _WAYS}


def came_before(tx: Tx, tenant_id: int, who: Person, before: datetime) -> bool:
    """Say whether this person turned to us earlier; our own calls to him do not count."""
    earlier = _CAME.get(_by(who))
    return earlier is not None and bool(tx.run(earlier, _asked(tenant_id, who, before=before)))


@dataclass(frozen=True, slots=True)
class RememberedMatch:
    """The last visit this person was matched to."""

    visitor_id: int
    visit_id: int
    confidence: float
    at: datetime


def _last_match(his: ColumnElement[bool]) -> Select[Any]:
    before, since = value("before", type_=_at), value("since", type_=_at)
    return (
        select(_visit.c.visitor_id, _match.c.visit_id, _match.c.confidence, _enquiry.c.at)
        .join(_visit, its_visit)
        .join(_enquiry, its_match)
        .where(_match.c.tenant_id == value("tenant_id"))
        .where(_match.c.visit_id.is_not(None))
        .where(_enquiry.c.tenant_id == value("tenant_id"), his, _enquiry.c.at < before, _enquiry.c.at >= since)
        .order_by(_enquiry.c.at.desc())
        .limit(1)
    )


_REMEMBERED = {by: Prepared(_each(by, _last_match)) for by in _WAYS}


def remembered(tx: Tx, tenant_id: int, who: Person, before: datetime, since: datetime) -> RememberedMatch | None:
    """Return the last visit this person was matched to, within the window of memory."""
    asked = _REMEMBERED.get(_by(who))
    rows = tx.run(asked, _asked(tenant_id, who, before=before, since=since)) if asked else []
    if not rows:
        return None
    visitor_id, visit_id, confidence, at = max(rows, key=lambda row: row[3])
    return RememberedMatch(visitor_id, visit_id, confidence, from_micros(at))


def save_match(tx: Tx, tenant_id: int, enquiry_id: int, found: MatchFound, now: datetime) -> bool:
    """Write the match of an enquiry; a different one before it is kept as superseded. Return whether it is news."""
    here = (_match.c.tenant_id == tenant_id, _match.c.enquiry_id == enquiry_id, _match.c.superseded_at.is_(None))
    told = {
        "visit_id": int(found.visit_id) if found.visit_id else None,
        "placement_id": int(found.placement_id) if found.placement_id else None,
        "confidence": found.confidence,
        "reason": found.reason.value,
    }
    current = tx.execute(select(*(_match.c[name] for name in told)).where(*here)).first()
    if current:
        if current._asdict() == told:
            return False
        tx.execute(update(_match).where(*here).values(superseded_at=now))
    others = [[int(other.visit_id), round(other.probability, 6)] for other in found.candidates]
    row = {"tenant_id": tenant_id, "enquiry_id": enquiry_id, "words": found.reason_words, "candidates": others}
    tx.execute(insert(_match).values(**row, **told, made_at=now))
    before = {"instead_of": _plain(current._asdict())} if current else {}
    ledger.write(tx, tenant_id, Entry(Kind.MATCHED, now, enquiry_id, facts={**_plain(told), **before}))
    return True


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {**told, "confidence": round(told["confidence"], 4)}


def _after(his: ColumnElement[bool]) -> Select[Any]:
    after, until = value("after", type_=_at), value("until", type_=_at)
    return (
        select(_enquiry.c.at, _enquiry.c.kind, _enquiry.c.key)
        .where(_enquiry.c.tenant_id == value("tenant_id"), his, _enquiry.c.at > after, _enquiry.c.at <= until)
        .order_by(_enquiry.c.at)
        .limit(_MOST_LATER)
    )


_LATER = {by: Prepared(_each(by, _after)) for by in _WAYS}


def later_ones(tx: Tx, tenant_id: int, who: Person, after: datetime, until: datetime) -> list[tuple[str, str]]:
    """Return kind and key of this person's enquiries between two moments: what they were matched to may change."""
    asked = _LATER.get(_by(who))
    rows = tx.run(asked, _asked(tenant_id, who, after=after, until=until)) if asked else []
    return [(kind, key) for _, kind, key in sorted(set(rows))[:_MOST_LATER]]
