"""What a site's habits are learned from: first calls to its pool numbers, and the visits that were shown one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from hub.store.enquiries import its_call, its_match
from hub.store.inbox import CALL
from hub.store.tables import Call, Enquiry, Match, PageEvent, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from tracking_core.habits import Interest
from tracking_core.learn import Exposure
from tracking_core.match import MatchReason

_visit, _event, _number = table_of(Visit), table_of(PageEvent), table_of(TrackingNumber)
_enquiry, _call, _match = table_of(Enquiry), table_of(Call), table_of(Match)


@dataclass(frozen=True, slots=True)
class PastCall:
    """A person's first call, to a pool number; ``named_visit_id`` is the visit that telephony or a person named."""

    at: datetime
    dialled: str
    phone: str | None
    phone_key: str | None
    named_visit_id: int | None


def past_calls(
    tx: Tx, tenant_id: int, site_id: int, since: datetime, most: int, but: Collection[str], vault: Vault
) -> list[PastCall]:
    """Return the site's latest calls, newest first; ``but`` are the keys of phones that never count."""
    number = and_(_number.c.e164 == _call.c.dialled, _number.c.tenant_id == tenant_id)
    named = its_match & _match.c.reason.in_((MatchReason.VISIT_ID, MatchReason.CORRECTED))
    rows = tx.execute(
        select(
            _enquiry.c.at, _enquiry.c.key, _enquiry.c.phone, _enquiry.c.phone_key, _call.c.dialled, _match.c.visit_id
        )
        .select_from(_enquiry.join(_call, its_call).join(_number, number).outerjoin(_match, named))
        .where(_enquiry.c.tenant_id == tenant_id, _enquiry.c.at >= since)
        .where(
            _number.c.site_id == site_id,
            _number.c.pool_id.is_not(None),
            _call.c.direction == "inbound",
            _enquiry.c.first_time,
        )
        .where(or_(_match.c.id.is_(None), _match.c.visit_id.is_not(None)))  # but those a person says are nobody's
        .where(or_(_enquiry.c.phone_key.is_(None), _enquiry.c.phone_key.not_in(but)))
        .order_by(_enquiry.c.at.desc(), _enquiry.c.id.desc())
        .limit(most)
    )
    return [PastCall(row.at, row.dialled, phone_of(row, tenant_id, vault), row.phone_key, row.visit_id) for row in rows]


def phone_of(row: Any, tenant_id: int, vault: Vault) -> str | None:
    """Return the caller's phone of a row with ``key`` and ``phone``; None when it was hidden or no key opens it."""
    try:
        return vault.open(row.phone, tenant_id, CALL, row.key, "phone") if row.phone else None
    except Unopenable:
        return None


def exposure(tx: Tx, tenant_id: int, site_id: int, since: datetime) -> Exposure:
    """Count the visits that were shown a pool number, by region and by what was done with it."""
    here = (_visit.c.tenant_id == tenant_id, _visit.c.site_id == site_id)
    shown = (*here, _visit.c.started_at >= since, _visit.c.number_id.is_not(None))
    rows = tx.execute(select(_visit.c.region, func.count()).where(*shown).group_by(_visit.c.region)).all()
    regions = {region: count for region, count in rows}  # noqa: C416 - rows are no pairs to mypy
    its_visit = and_(_visit.c.id == _event.c.visit_id, _visit.c.tenant_id == _event.c.tenant_id)
    copied = select(func.count(_event.c.visit_id.distinct())).select_from(_event.join(_visit, its_visit))
    keen = tx.execute(copied.where(*shown, _event.c.tenant_id == tenant_id, _event.c.kind == "copy")).scalar_one()
    visits = sum(regions.values())
    regions.pop(None, None)
    return Exposure(visits, regions, {Interest.UNKNOWN: visits - keen, Interest.KEEN: keen})
