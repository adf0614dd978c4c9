"""Sites as the page script's doors see them: hosts, the site's own numbers, pools and the rules that choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from sqlalchemy import select

from hub.store.site_habits import habits_of
from hub.store.tables import NumberRule, Placement, Pool, Site, Target, TrackingNumber, table_of
from hub.store.tx import Tx
from tracking_core.habits import Habits
from tracking_core.selective import Device, FromPool, Own, Rule, Show, Static, shows
from tracking_core.source import Source

_site, _pool, _target, _rule = (table_of(model) for model in (Site, Pool, Target, NumberRule))
_placement, _number = table_of(Placement), table_of(TrackingNumber)


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the site's own that its pages show, and how the script finds it."""

    e164: str
    group: str
    selectors: tuple[str, ...]
    mask: str


@dataclass(frozen=True, slots=True)
class PoolDoor:
    """A pool: which group's numbers it stands for, and what is shown when none of its own is free."""

    group: str
    overflow_number: str


@dataclass(frozen=True, slots=True)
class SiteDoor:
    """What the page script's endpoint needs of a site, by its public key."""

    id: int
    tenant_id: int
    key: str
    hosts: tuple[str, ...]
    currency: str
    hold: timedelta
    overflow_number: str
    mode: str
    consent: str
    forms: bool
    callback: Mapping[str, str] | None
    mail: Mapping[str, Any] | None
    messengers: Mapping[str, str] | None
    office: tuple[IPv4Network | IPv6Network, ...]
    groups: tuple[str, ...]  # names of its number groups
    numbers: tuple[OwnNumber, ...]
    pools: Mapping[int, PoolDoor]
    rules: tuple[Rule, ...]
    habits: Habits

    def shows(
        self, groups: Sequence[str], source: Source, device: Device, region: str | None = None
    ) -> dict[str, Show]:
        """Return what a visit sees in each of these groups that the site has."""
        return shows(self.rules, [group for group in groups if group in self.groups], source, device, region)

    def is_office(self, address: str) -> bool:
        """Say whether an address is one of the office's own."""
        if not self.office:
            return False
        try:
            asks = ip_address(address)
        except ValueError:
            return False
        return any(asks in network for network in self.office)


def site_door(tx: Tx, key: str) -> SiteDoor | None:
    """Find a site by its public key."""
    if not key.isprintable():  # PostgreSQL takes neither NUL nor half a surrogate pair
        return None
    row = tx.execute(select(_site).where(_site.c.key == key)).first()
    if row is None:
        return None
    here = {"tenant_id": row.tenant_id, "site_id": row.id}
    pools = {pool.id: pool for pool in _of(tx, _pool, here)}
    numbers = tuple(
        OwnNumber(one.e164, one.group_name, tuple(one.selectors), one.mask) for one in _of(tx, _target, here)
    )
    return SiteDoor(
        id=row.id,
        tenant_id=row.tenant_id,
        key=row.key,
        hosts=tuple(row.hosts),
        currency=row.currency,
        hold=timedelta(seconds=row.hold_s),
        overflow_number=row.overflow_number,
        mode=row.mode,
        consent=row.consent,
        forms=row.forms,
        callback=row.callback,
        mail=row.mail,
        messengers=row.messengers,
        office=tuple(ip_network(network) for network in row.office),
        groups=tuple(dict.fromkeys([*(one.group for one in numbers), *(pool.group_name for pool in pools.values())])),
        numbers=numbers,
        pools={
            pool.id: PoolDoor(pool.group_name, pool.overflow_number or row.overflow_number) for pool in pools.values()
        },
        rules=(*_rules(tx, here, pools), _everybody(pools)),
        habits=habits_of(tx, row.tenant_id, row.id),
    )


def _of(tx: Tx, table: Any, here: Mapping[str, Any]) -> Sequence[Any]:
    return tx.execute(
        select(table)
        .where(table.c.tenant_id == here["tenant_id"], table.c.site_id == here["site_id"])
        .order_by(table.c.id)
    ).all()


def _everybody(pools: Mapping[int, Any]) -> Rule:
    """The rule after all rules: each group's first pool."""
    show: dict[str, Show] = {}
    for pool in pools.values():
        show.setdefault(pool.group_name, FromPool(pool.id))
    return Rule("everybody", {}, show)


def _rules(tx: Tx, here: Mapping[str, Any], pools: Mapping[int, Any]) -> list[Rule]:
    by_name = {pool.name: pool.id for pool in pools.values()}
    static = _placed(tx, here)
    rules = sorted(_of(tx, _rule, here), key=lambda rule: rule.place)
    return [
        Rule(
            rule.name,
            rule.conditions,
            {group: _show(asked, by_name, static) for group, asked in rule.shows.items()},
        )
        for rule in rules
    ]


def _placed(tx: Tx, here: Mapping[str, Any]) -> dict[str, str]:
    """Return the number of each placement by its name."""
    same = (_number.c.placement_id == _placement.c.id) & (_number.c.tenant_id == _placement.c.tenant_id)
    rows = tx.execute(
        select(_placement.c.name, _number.c.e164)
        .select_from(_placement.join(_number, same))
        .where(_placement.c.tenant_id == here["tenant_id"], _placement.c.site_id == here["site_id"])
    )
    return {row.name: row.e164 for row in rows}


def _show(asked: Any, pools: Mapping[str, int], static: Mapping[str, str]) -> Show:
    if isinstance(asked, Mapping) and asked.get("pool") in pools:
        return FromPool(pools[asked["pool"]])
    if isinstance(asked, Mapping) and asked.get("placement") in static:
        return Static(static[asked["placement"]])
    return Own()
