"""What stands around every page of the console."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from hub.store.tables import (
    Call,
    Deal,
    Delivery,
    Enquiry,
    Installation,
    Match,
    Placement,
    Site,
    Tenant,
    Visit,
    table_of,
)
from hub.store.tx import Tx

_tenant, _site, _match = (table_of(model) for model in (Tenant, Site, Match))
_enquiry, _call = table_of(Enquiry), table_of(Call)
_visit, _placement = table_of(Visit), table_of(Placement)
_delivery, _deal = table_of(Delivery), table_of(Deal)
_installation = table_of(Installation)


@dataclass(frozen=True, slots=True)
class Home:
    """What stands around every page: whose console it is, how he counts, and what needs a person."""

    name: str
    zone: str
    currency: str
    parked: int  # deliveries that wait for a person
    broken: int  # installations that must be authorised again


def home_of(tx: Tx, tenant_id: int) -> Home:
    """Return the tenant's name, the zone and currency of its first site, and what needs a person."""
    name = tx.execute(select(_tenant.c.name).where(_tenant.c.id == tenant_id)).scalar_one()
    here = _site.c.tenant_id == tenant_id
    site = tx.execute(select(_site.c.zone, _site.c.currency).where(here).order_by(_site.c.id).limit(1)).first()
    zone, currency = site if site else ("UTC", "RUB")
    parked = _count(tx, tenant_id, _delivery, _delivery.c.state == "parked")
    broken = _count(tx, tenant_id, _installation, _installation.c.status == "reauthorise")
    return Home(name, zone, currency, parked, broken)


def _count(tx: Tx, tenant_id: int, table: Any, *conditions: Any) -> int:
    here = table.c.tenant_id == tenant_id
    number: int = tx.execute(select(func.count()).select_from(table).where(here, *conditions)).scalar_one()
    return number


def has_site(tx: Tx, tenant_id: int) -> bool:
    """Say whether the tenant has a site at all: without one nothing can arrive."""
    return _count(tx, tenant_id, _site) > 0
