"""Which of a pool's free numbers a visitor gets where his region counts: the rule itself, over the longest idle ones.

Numbers are looked at without a lock. Who writes one to its new holder finds it free still, or takes the longest idle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import bindparam as value
from sqlalchemy import select

from hub.store.moment import from_micros, to_micros
from hub.store.tables import TrackingNumber, table_of
from hub.store.tx import Prepared, Tx
from tracking_core.habits import Habits
from tracking_core.pool import SHORTLIST, HeldNumber, pick

_number = table_of(TrackingNumber)

_IDLEST = Prepared(
    select(_number.c.id, _number.c.e164, _number.c.idle_since, _number.c.region, _number.c.regions)
    .where(_number.c.tenant_id == value("tenant_id"), _number.c.pool_id == value("pool_id"))
    .where(_number.c.free_at <= value("now"))
    .order_by(_number.c.idle_since, _number.c.id)
    .limit(value("most"))
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A free number, and since when it is idle for the holders of each region so far, as a column has it."""

    number_id: int
    regions: str


def choose(
    tx: Tx, tenant_id: int, pool_id: int, wanted: Sequence[str | None], now: datetime, habits: Habits
) -> list[Chosen]:
    """Return a number for each region that asks, in this order, as far as the free ones go."""
    asked = {"tenant_id": tenant_id, "pool_id": pool_id, "now": to_micros(now), "most": len(wanted) + SHORTLIST - 1}
    ids: dict[str, int] = {}
    free: list[HeldNumber] = []
    for number_id, e164, *held in tx.run(_IDLEST, asked):
        ids[e164] = number_id
        free.append(_held(e164, *held))
    chosen = []
    for region in wanted[: len(free)]:
        one = pick(free, now, region, habits)
        free.remove(one)
        chosen.append(Chosen(ids[one.number], written(one.regions)))
    return chosen


def written(regions: Mapping[str, datetime]) -> str:
    """Return the moments of regions as a column has them."""
    return orjson.dumps({region: to_micros(at) for region, at in regions.items()}).decode()


def _held(e164: str, idle_since: int, region: str | None, regions: str) -> HeldNumber:
    moments = orjson.loads(regions)
    if region is not None:  # the latest holder's: as warm as he left the number
        moments[region] = idle_since
    told = {name: from_micros(at) for name, at in moments.items()}
    return HeldNumber(e164, idle_since=from_micros(idle_since), regions=told)
