"""Where a tracking number rings: what is said of the number itself, else of its placement, its pool, its site."""

from dataclasses import dataclass

from sqlalchemy import bindparam as value
from sqlalchemy import case, func, select

from hub.store.tables import Placement, Pool, Site, Target, TrackingNumber, table_of
from hub.store.tx import Prepared, Tx

_number, _placement, _pool = table_of(TrackingNumber), table_of(Placement), table_of(Pool)
_site, _target = table_of(Site), table_of(Target)

_its_placement = (_placement.c.id == _number.c.placement_id) & (_placement.c.tenant_id == _number.c.tenant_id)
_its_pool = (_pool.c.id == _number.c.pool_id) & (_pool.c.tenant_id == _number.c.tenant_id)
_its_site = (_site.c.id == _number.c.site_id) & (_site.c.tenant_id == _number.c.tenant_id)

_ROUTE = Prepared(
    select(
        func.coalesce(_number.c.destination, _placement.c.destination, _pool.c.destination, _site.c.destination),
        case(
            (_number.c.destination.is_not(None), "number"),
            (_placement.c.destination.is_not(None), "placement"),
            (_pool.c.destination.is_not(None), "pool"),
            (_site.c.destination.is_not(None), "site"),
            else_="",
        ),
        func.coalesce(_placement.c.name, _pool.c.name, _site.c.name),
    )
    .select_from(_number.join(_site, _its_site).outerjoin(_placement, _its_placement).outerjoin(_pool, _its_pool))
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.e164 == value("e164"))
)

# For a number that is none of ours: the site whose own number it is, else the first site that says where calls ring.
_of_site = (
    (_target.c.site_id == _site.c.id) & (_target.c.tenant_id == _site.c.tenant_id) & (_target.c.e164 == value("e164"))
)
_FALLBACK = Prepared(
    select(_site.c.destination, _site.c.name)
    .select_from(_site.outerjoin(_target, _of_site))
    .where(_site.c.tenant_id == value("tenant_id"), _site.c.destination.is_not(None))
    .order_by(_target.c.id.is_(None), _site.c.id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a call rings; None where nothing says it. ``said_by`` is number, placement, pool, site or fallback."""

    destination: str | None
    said_by: str
    name: str
    is_known: bool


NOWHERE = Way(None, "", "", is_known=False)


def way_of(tx: Tx, tenant_id: int, e164: str) -> Way:
    """Return where a call to a number rings; one that is no tracking number rings where its site's calls do."""
    asked = {"tenant_id": tenant_id, "e164": e164}
    if found := tx.run(_ROUTE, asked):
        destination, said_by, name = found[0]
        return Way(destination, said_by, name, is_known=True)
    if found := tx.run(_FALLBACK, asked):
        return Way(found[0][0], "fallback", found[0][1], is_known=False)
    return NOWHERE
