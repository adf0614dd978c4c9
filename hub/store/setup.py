"""Sites, targets, pools, rules, numbers, placements and telephony accounts, written by name: again is the same."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, insert, select, update

from hub.errors import SetupInvalid
from hub.store.tables import NumberRule, Placement, Pool, Site, Target, TelephonyAccount, TrackingNumber, table_of
from hub.store.tx import Tx

_site, _pool, _placement = table_of(Site), table_of(Pool), table_of(Placement)
_number, _account = table_of(TrackingNumber), table_of(TelephonyAccount)
_target, _rule = table_of(Target), table_of(NumberRule)


def _save(tx: Tx, table: Table, names: Mapping[str, Any], values: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
    """Update the row that has these names, or insert it with ``new`` as well; return the row."""
    here = [table.c[name] == value for name, value in names.items()]
    row = tx.execute(select(table).where(*here)).first()
    if row is None:
        return tx.execute(insert(table).values(**names, **values, **new).returning(table)).one()
    if values:
        tx.execute(update(table).where(*here).values(**values))
    return row


def save_site(tx: Tx, tenant_id: int, name: str, values: Mapping[str, Any]) -> tuple[int, str, str]:
    """Write a site; return its id, its public key and the token of the path its letters are posted to."""
    new = {"key": secrets.token_urlsafe(12), "mail_token": secrets.token_urlsafe(24)}
    row = _save(tx, _site, {"tenant_id": tenant_id, "name": name}, values, new)
    return row.id, row.key, row.mail_token


def save_pool(tx: Tx, tenant_id: int, site_id: int, name: str, values: Mapping[str, Any]) -> int:
    """Write a pool; return its id."""
    return int(_save(tx, _pool, {"tenant_id": tenant_id, "site_id": site_id, "name": name}, values, {}).id)


def save_target(tx: Tx, tenant_id: int, site_id: int, e164: str, values: Mapping[str, Any]) -> None:
    """Write a number of the site's own that its pages show."""
    _save(tx, _target, {"tenant_id": tenant_id, "site_id": site_id, "e164": e164}, values, {})


def save_rules(tx: Tx, tenant_id: int, site_id: int, rules: Sequence[Mapping[str, Any]]) -> None:
    """Write the rules of selective replacement in their order, in place of those before."""
    tx.execute(delete(_rule).where(_rule.c.tenant_id == tenant_id, _rule.c.site_id == site_id))
    for place, rule in enumerate(rules):
        row = {"name": rule["name"], "conditions": rule["when"], "shows": rule["show"]}
        tx.execute(insert(_rule).values(tenant_id=tenant_id, site_id=site_id, place=place, **row))


def save_placement(tx: Tx, tenant_id: int, site_id: int, name: str, values: Mapping[str, Any]) -> int:
    """Write a placement; return its id."""
    return int(_save(tx, _placement, {"tenant_id": tenant_id, "site_id": site_id, "name": name}, values, {}).id)


def save_number(
    tx: Tx,
    tenant_id: int,
    e164: str,
    site_id: int,
    *,
    pool_id: int | None = None,
    placement_id: int | None = None,
) -> None:
    """Write a tracking number where it belongs; a number of another customer is refused."""
    owner = tx.execute(select(_number.c.tenant_id).where(_number.c.e164 == e164)).scalar()
    if owner is not None and owner != tenant_id:
        raise SetupInvalid(f"The number {e164} is another customer's of this hub.")
    values = {"site_id": site_id, "pool_id": pool_id, "placement_id": placement_id}
    _save(tx, _number, {"tenant_id": tenant_id, "e164": e164}, values, {"free_at": 0})


def save_destinations(tx: Tx, tenant_id: int, site_id: int, destinations: Mapping[str, str]) -> None:
    """Write where single numbers of a site ring, in place of what was said before."""
    here = (_number.c.tenant_id == tenant_id, _number.c.site_id == site_id)
    tx.execute(update(_number).where(*here, _number.c.destination.is_not(None)).values(destination=None))
    for e164, destination in destinations.items():
        tx.execute(update(_number).where(*here, _number.c.e164 == e164).values(destination=destination))


def save_telephony(tx: Tx, tenant_id: int, name: str, values: Mapping[str, Any]) -> str:
    """Write a telephony account; return the token of its path."""
    row = _save(tx, _account, {"tenant_id": tenant_id, "name": name}, values, {"token": secrets.token_urlsafe(24)})
    return str(row.token)
