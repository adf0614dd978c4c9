"""Enquiries of every kind, what each was matched to, and what we remember of the person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from hub.store.tables import Call, Enquiry, Match, Visit, table_of
from hub.store.tx import Tx, insert_or
from hub.store.vault import Vault
from tracking_core.match import Match as MatchFound
from tracking_core.phone import masked
from tracking_core.qualify import Verdict

_enquiry, _call, _match, _visit = (table_of(model) for model in (Enquiry, Call, Match, Visit))


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an enquiry of any kind; ``told`` is what the person wrote, by name of the field."""

    site_id: int | None
    at: datetime
    phone: str | None
    first_time: bool
    verdict: Verdict
    email: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    named_visit_id: int | None = None
    heard: str = ""


def save(tx: Tx, tenant_id: int, kind: str, key: str, about: About, vault: Vault) -> int:
    """Write an enquiry over what we knew of it; return its id."""
    columns = _columns(tenant_id, kind, key, about, vault)
    row = insert_or(tx, _enquiry).values(tenant_id=tenant_id, kind=kind, key=key, **columns)
    over = row.on_conflict_do_update(index_elements=["tenant_id", "kind", "key"], set_=columns)
    enquiry_id: int = tx.execute(over.returning(_enquiry.c.id)).scalar_one()
    return enquiry_id


def _columns(tenant_id: int, kind: str, key: str, about: About, vault: Vault) -> dict[str, Any]:
    told = json.dumps(dict(about.told), ensure_ascii=False) if about.told else None
    sealed = {"phone": about.phone, "email": about.email, "told": told}
    return {
        "site_id": about.site_id,
        "at": about.at,
        **{name: vault.seal(text, tenant_id, kind, key, name) if text else None for name, text in sealed.items()},
        "phone_key": vault.fingerprint(about.phone, tenant_id) if about.phone else None,
        "phone_masked": masked(about.phone) if about.phone else "",
        "email_key": vault.fingerprint(about.email, tenant_id) if about.email else None,
        "named_visit_id": about.named_visit_id,
        "heard": about.heard,
        "first_time": about.first_time,
        "qualified": about.verdict.qualified,
        "qualified_why": about.verdict.why,
    }


def came_before(tx: Tx, tenant_id: int, phone_key: str, before: datetime) -> bool:
    """Say whether this person turned to us earlier; our own calls to him do not count."""
    of = (_call.c.enquiry_id == _enquiry.c.id) & (_call.c.tenant_id == _enquiry.c.tenant_id)
    earlier = (
        select(_enquiry.c.id)
        .select_from(_enquiry.outerjoin(_call, of))
        .where(_enquiry.c.tenant_id == tenant_id, _enquiry.c.phone_key == phone_key, _enquiry.c.at < before)
        .where(or_(_call.c.direction.is_(None), _call.c.direction == "inbound"))
    )
    return tx.execute(earlier.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class RememberedMatch:
    """The last visit this person was matched to."""

    visitor_id: int
    visit_id: int
    confidence: float
    at: datetime


def remembered(tx: Tx, tenant_id: int, phone_key: str, before: datetime, since: datetime) -> RememberedMatch | None:
    """Return the last visit this person was matched to, within the window of memory."""
    row = tx.execute(
        select(_visit.c.visitor_id, _match.c.visit_id, _match.c.confidence, _enquiry.c.at)
        .join(_visit, (_visit.c.id == _match.c.visit_id) & (_visit.c.tenant_id == _match.c.tenant_id))
        .join(_enquiry, (_enquiry.c.id == _match.c.enquiry_id) & (_enquiry.c.tenant_id == _match.c.tenant_id))
        .where(_match.c.tenant_id == tenant_id, _match.c.superseded_at.is_(None), _match.c.visit_id.is_not(None))
        .where(_enquiry.c.phone_key == phone_key, _enquiry.c.at < before, _enquiry.c.at >= since)
        .order_by(_enquiry.c.at.desc())
        .limit(1)
    ).first()
    return RememberedMatch(*row) if row else None


def save_match(tx: Tx, tenant_id: int, enquiry_id: int, found: MatchFound, now: datetime) -> None:
    """Write the match of an enquiry; a different one before it is kept as superseded."""
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
            return
        tx.execute(update(_match).where(*here).values(superseded_at=now))
    others = [[int(other.visit_id), round(other.probability, 6)] for other in found.candidates]
    row = {"tenant_id": tenant_id, "enquiry_id": enquiry_id, "words": found.reason_words, "candidates": others}
    tx.execute(insert(_match).values(**row, **told, made_at=now))
