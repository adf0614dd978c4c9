"""Sites as the console tells of them: their numbers, how many are held, the rules in their order, and the self-test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select

from hub.store.mail import LettersTold, letters_told
from hub.store.moment import to_micros
from hub.store.pages import Seen, pages_seen
from hub.store.tables import NumberRule, Placement, Pool, Site, Target, TrackingNumber, table_of
from hub.store.tx import Tx

_site, _pool, _target, _rule = (table_of(model) for model in (Site, Pool, Target, NumberRule))
_placement, _number = table_of(Placement), table_of(TrackingNumber)
_RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TargetTold:
    """A number of the site's own that its pages show."""

    site_id: int
    e164: str
    group_name: str
    selectors: Sequence[str]
    mask: str


@dataclass(frozen=True, slots=True)
class PoolTold:
    """A pool with its numbers counted: all of them, held now, at rest, and never given to anybody."""

    site_id: int
    name: str
    group_name: str
    overflow_number: str
    numbers: int
    held: int
    resting: int
    never: int
    destination: str | None
    stranded: int  # numbers of which neither they nor the pool say where they ring

    @property
    def free(self) -> int:
        """Return how many numbers the next visitor may take; those never shown are among them."""
        return self.numbers - self.held - self.resting


@dataclass(frozen=True, slots=True)
class PlacementTold:
    """A placement with its number; ``e164`` is None when it has none."""

    site_id: int
    name: str
    source: str
    campaign: str
    starts_on: date | None
    ends_on: date | None
    cost_minor: int | None
    destination: str | None
    e164: str | None
    own_destination: str | None

    @property
    def rings_at(self) -> str | None:
        """Return where its number rings, by what is said of the number or of the placement."""
        return self.own_destination or self.destination


@dataclass(frozen=True, slots=True)
class SingleTold:
    """A number of which it is said by itself where it rings."""

    site_id: int
    e164: str
    destination: str


@dataclass(frozen=True, slots=True)
class RuleTold:
    """A rule as the set-up file says it: conditions by name, and for each group what is shown."""

    site_id: int
    name: str
    conditions: Mapping[str, Sequence[str]]
    shows: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SiteTold:
    """A site with everything the console says of it; pages are the latest first."""

    id: int
    key: str
    name: str
    hosts: Sequence[str]
    overflow_number: str
    destination: str | None
    hold_s: int
    repeat_calls: str
    mode: str
    consent: str
    mail: Mapping[str, Any] | None
    mail_token: str | None
    messengers: Mapping[str, str] | None
    office: Sequence[str]
    letters: LettersTold  # of the last 30 days
    targets: Sequence[TargetTold]
    pools: Sequence[PoolTold]
    placements: Sequence[PlacementTold]
    singles: Sequence[SingleTold]
    rules: Sequence[RuleTold]
    seen: Sequence[Seen]


def sites_told(tx: Tx, tenant_id: int, now: datetime) -> list[SiteTold]:
    """Return the tenant's sites in the order they were set up, with their numbers as they are held at ``now``."""
    own: dict[str, Sequence[Any]] = {
        "targets": _targets(tx, tenant_id),
        "pools": _pools(tx, tenant_id, now),
        "placements": _placements(tx, tenant_id),
        "singles": _singles(tx, tenant_id),
        "rules": _rules(tx, tenant_id),
    }
    rows = tx.execute(select(_site).where(_site.c.tenant_id == tenant_id).order_by(_site.c.id)).all()
    return [_site_told(tx, tenant_id, row, own, now) for row in rows]


def _site_told(tx: Tx, tenant_id: int, row: Any, own: Mapping[str, Sequence[Any]], now: datetime) -> SiteTold:
    told: dict[str, Any] = {name: [one for one in rows if one.site_id == row.id] for name, rows in own.items()}
    told["seen"] = pages_seen(tx, tenant_id, row.id)
    told["letters"] = letters_told(tx, tenant_id, row.id, now - _RECENT)
    columns = {name: getattr(row, name) for name in SiteTold.__slots__ if name not in told}
    return SiteTold(**columns, **told)


def _targets(tx: Tx, tenant_id: int) -> list[TargetTold]:
    columns = [_target.c[name] for name in TargetTold.__slots__]
    rows = tx.execute(select(*columns).where(_target.c.tenant_id == tenant_id).order_by(_target.c.id))
    return [TargetTold(**row._asdict()) for row in rows]


def _pools(tx: Tx, tenant_id: int, now: datetime) -> list[PoolTold]:
    its = and_(_number.c.pool_id == _pool.c.id, _number.c.tenant_id == _pool.c.tenant_id)
    columns = [_pool.c[name] for name in ("site_id", "name", "group_name", "overflow_number", "destination")]
    is_taken = _number.c.free_at > to_micros(now)
    says_nothing = _number.c.id.is_not(None) & func.coalesce(_number.c.destination, _pool.c.destination).is_(None)
    rows = tx.execute(
        select(
            *columns,
            func.count(_number.c.id).label("numbers"),
            func.count(case((is_taken & ~_number.c.rests, 1))).label("held"),
            func.count(case((is_taken & _number.c.rests, 1))).label("resting"),
            func.count(case((_number.c.free_at == 0, 1))).label("never"),
            func.count(case((says_nothing, 1))).label("stranded"),
        )
        .select_from(_pool.outerjoin(_number, its))
        .where(_pool.c.tenant_id == tenant_id)
        .group_by(_pool.c.id, *columns)
        .order_by(_pool.c.id)
    )
    return [PoolTold(**row._asdict()) for row in rows]


def _placements(tx: Tx, tenant_id: int) -> list[PlacementTold]:
    its = and_(_number.c.placement_id == _placement.c.id, _number.c.tenant_id == _placement.c.tenant_id)
    columns = [_placement.c[name] for name in PlacementTold.__slots__ if name not in ("e164", "own_destination")]
    rows = tx.execute(
        select(*columns, _number.c.e164, _number.c.destination.label("own_destination"))
        .select_from(_placement.outerjoin(_number, its))
        .where(_placement.c.tenant_id == tenant_id)
        .order_by(_placement.c.id, _number.c.id)
    )
    return [PlacementTold(**row._asdict()) for row in rows]


def _singles(tx: Tx, tenant_id: int) -> list[SingleTold]:
    columns = [_number.c[name] for name in SingleTold.__slots__]
    mine = (_number.c.tenant_id == tenant_id, _number.c.destination.is_not(None))
    return [SingleTold(**row._asdict()) for row in tx.execute(select(*columns).where(*mine).order_by(_number.c.id))]


def _rules(tx: Tx, tenant_id: int) -> list[RuleTold]:
    columns = [_rule.c[name] for name in RuleTold.__slots__]
    mine = _rule.c.tenant_id == tenant_id
    rows = tx.execute(select(*columns).where(mine).order_by(_rule.c.site_id, _rule.c.place))
    return [RuleTold(**row._asdict()) for row in rows]
