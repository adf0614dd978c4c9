"""All page views that wait, as one transaction of PostgreSQL: each step is one statement for the whole group.

It says what ``visits.open_visit`` says view by view, and tests hold the two together. A round trip costs more than the
work it asks for, so fifty views pay for seven of them instead of three hundred (``make bench NAME=dni``).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from hub.store import free_numbers
from hub.store.arrival import Arrival, Shown, last_source, source_columns
from hub.store.moment import from_micros, to_micros
from hub.store.tx import Prepared, Tx
from tracking_core.source import Source
from tracking_core.visit import continues

Row = dict[str, Any]


# In each statement "asked" is the group: the rows it is given as JSON.

_KNOWN = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(n int, tenant_id bigint, site_id bigint, token text)
)
SELECT asked.n, visitor.id, latest.id, latest.last_seen_at, latest.region, latest.channel, latest.source,
       latest.medium, latest.campaign, latest.content, latest.term, latest.click_ids, latest.referrer_host,
       latest.landing
FROM asked
JOIN visitor ON visitor.tenant_id = asked.tenant_id AND visitor.site_id = asked.site_id AND visitor.token = asked.token
LEFT JOIN LATERAL (
    SELECT * FROM visit WHERE visit.visitor_id = visitor.id AND visit.tenant_id = asked.tenant_id
    ORDER BY id DESC LIMIT 1
) AS latest ON true
""")
)

_ARRIVED = Prepared(
    text("""
INSERT INTO visitor (tenant_id, site_id, token, first_seen_at)
SELECT * FROM json_to_recordset(:asked) AS asked(tenant_id bigint, site_id bigint, token text, now bigint)
RETURNING site_id, token, id
""")
)

_KEPT = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked)
    AS asked(n int, tenant_id bigint, pool_id bigint, visitor_id bigint, now bigint, until bigint)
)
UPDATE tracking_number SET free_at = asked.until, idle_since =
    CASE WHEN is_called THEN idle_since ELSE greatest(idle_since, asked.now) END
FROM asked
WHERE tracking_number.tenant_id = asked.tenant_id AND tracking_number.pool_id = asked.pool_id
  AND tracking_number.visitor_id = asked.visitor_id
RETURNING asked.n, asked.pool_id, tracking_number.id, tracking_number.e164
""")
)

_ASKED = """
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked)
    AS asked(n int, place int, visitor_id bigint, until bigint, region text, number_id bigint, regions text)
)"""
# A lease is written after the last one on its number has ended (counting "ended" makes it so).
_GIVEN = """, taken AS (
    UPDATE tracking_number SET visitor_id = asked.visitor_id, free_at = asked.until,
        idle_since = greatest(tracking_number.idle_since, :now), is_called = false, rests = false,
        region = asked.region, regions = coalesce(asked.regions, tracking_number.regions)
    FROM placed JOIN asked ON asked.place = placed.place
    WHERE tracking_number.tenant_id = :tenant_id AND tracking_number.id = placed.id
    RETURNING asked.n, asked.visitor_id, tracking_number.id, tracking_number.e164
), ended AS (
    UPDATE lease SET ended_at = :now FROM taken
    WHERE lease.tenant_id = :tenant_id AND lease.number_id = taken.id AND lease.ended_at IS NULL
    RETURNING lease.id
), leased AS (
    INSERT INTO lease (tenant_id, number_id, visitor_id, started_at)
    SELECT :tenant_id, taken.id, taken.visitor_id, :now FROM taken, (SELECT count(*) FROM ended) AS after_the_last
)
SELECT n, id, e164 FROM taken
"""


def _giving(placed: str) -> Prepared:
    return Prepared(text("".join((_ASKED, placed, _GIVEN))))


# The longest idle numbers of one pool, one for each who asks, as far as they go.
_TAKEN = _giving(""", idle AS MATERIALIZED (
    SELECT id, idle_since FROM tracking_number
    WHERE tenant_id = :tenant_id AND pool_id = :pool_id AND free_at <= :now
    ORDER BY idle_since, id LIMIT :most FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT id, row_number() OVER (ORDER BY idle_since, id) AS place FROM idle
)""")

# Those chosen for each who asks, but what another process took in the meantime.
_TAKEN_CHOSEN = _giving(""", placed AS MATERIALIZED (
    SELECT tracking_number.id, asked.place FROM tracking_number JOIN asked ON asked.number_id = tracking_number.id
    WHERE tracking_number.tenant_id = :tenant_id AND free_at <= :now
    FOR UPDATE OF tracking_number SKIP LOCKED
)""")

_SEEN = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(tenant_id bigint, visit_id bigint, now bigint, number_id bigint)
)
UPDATE visit SET last_seen_at = asked.now, number_id = coalesce(asked.number_id, visit.number_id) FROM asked
WHERE visit.tenant_id + 0 = asked.tenant_id AND visit.id = asked.visit_id -- + 0: not by the index of a tenant's days
RETURNING visit.id
""")
)

_OPENED = Prepared(
    text("""
INSERT INTO visit (tenant_id, site_id, visitor_id, number_id, started_at, last_seen_at,
                   channel, source, medium, campaign, content, term, click_ids, referrer_host, landing,
                   region)
SELECT * FROM json_to_recordset(:asked)
AS asked(tenant_id bigint, site_id bigint, visitor_id bigint, number_id bigint, started_at bigint, last_seen_at bigint,
         channel text, source text, medium text, campaign text, content text, term text, click_ids text,
         referrer_host text, landing text, region text)
RETURNING visitor_id, id
""")
)


def open_visits(tx: Tx, arrivals: Sequence[Arrival]) -> list[Shown]:
    """Recognise the visitors, keep or give them numbers and continue or begin their visits, in the given order."""
    shown: dict[int, Shown] = {}
    for turn in _turns(arrivals):
        shown |= _Turn(tx, turn).shown()
    return [shown[n] for n in range(len(arrivals))]


def _turns(arrivals: Sequence[Arrival]) -> Iterable[dict[int, Arrival]]:
    """Yield the views in turns that hold one view of a visitor at most: his second one finds what the first one did."""
    left = dict(enumerate(arrivals))
    while left:
        firsts: dict[tuple[int, str], int] = {}
        for n, arrival in left.items():
            firsts.setdefault((arrival.site_id, arrival.token), n)
        turn = {n: left.pop(n) for n in firsts.values()}
        yield turn


class _Turn:
    """One page view each of many visitors; views are known by their place ``n`` in the group."""

    def __init__(self, tx: Tx, arrivals: dict[int, Arrival]) -> None:
        self._tx = tx
        self._arrivals = arrivals
        self._visitors: dict[int, int] = {}
        self._known: set[int] = set()
        self._visits: dict[int, int] = {}  # those that go on
        self._sources = {n: arrival.source for n, arrival in arrivals.items()}
        self._regions = {n: arrival.region for n, arrival in arrivals.items()}
        self._numbers: dict[tuple[int, int], tuple[int, str]] = {}  # view and pool -> number

    def shown(self) -> dict[int, Shown]:
        self._recognise()
        asking = {n: tuple(arrival.pools(self._sources[n], self._regions[n])) for n, arrival in self._arrivals.items()}
        self._keep([(n, pool_id) for n in self._known for pool_id in asking[n]])
        self._take([(n, pool_id) for n, pools in asking.items() for pool_id in pools])
        self._open(asking)
        return {n: self._one(n, asking[n]) for n in self._arrivals}

    def _one(self, n: int, pools: Sequence[int]) -> Shown:
        numbers = {pool_id: self._numbers[n, pool_id][1] for pool_id in pools if (n, pool_id) in self._numbers}
        return Shown(self._visits[n], self._sources[n], self._regions[n], numbers)

    def _run(self, statement: Prepared, asked: list[Row], **values: Any) -> list[tuple[Any, ...]]:
        return self._tx.run(statement, {"asked": orjson.dumps(asked).decode(), **values}) if asked else []

    def _recognise(self) -> None:
        asked = [{"n": n, **_who(arrival)} for n, arrival in self._arrivals.items() if not arrival.is_new]
        for n, visitor_id, visit_id, last_seen_at, region, *source in self._run(_KNOWN, asked):
            self._visitors[n] = visitor_id
            self._known.add(n)
            if visit_id is not None:
                self._continue(n, visit_id, last_seen_at, last_source(source), region)
        strangers = {(a.site_id, a.token): n for n, a in self._arrivals.items() if n not in self._visitors}
        asked = [{**_who(self._arrivals[n]), "now": to_micros(self._arrivals[n].now)} for n in strangers.values()]
        for site_id, token, visitor_id in self._run(_ARRIVED, asked):
            self._visitors[strangers[site_id, token]] = visitor_id

    def _continue(self, n: int, visit_id: int, last_seen_at: int, source: Source, region: str | None) -> None:
        arrival = self._arrivals[n]
        if continues(from_micros(last_seen_at), source, arrival.now, arrival.source):
            self._visits[n], self._sources[n], self._regions[n] = visit_id, source, region

    def _keep(self, wanted: Sequence[tuple[int, int]]) -> None:
        asked = [self._asking(n, pool_id) for n, pool_id in wanted]
        self._numbers |= {(n, pool_id): (number_id, e164) for n, pool_id, number_id, e164 in self._run(_KEPT, asked)}

    def _take(self, wanted: Sequence[tuple[int, int]]) -> None:
        """Give numbers to who has none, pool by pool."""
        pools: dict[int, list[int]] = {}
        for n, pool_id in wanted:
            if (n, pool_id) not in self._numbers:
                pools.setdefault(pool_id, []).append(n)
        for pool_id, asking in sorted(pools.items()):  # in one order, so that nobody waits crosswise
            now = max(self._arrivals[n].now for n in asking)
            self._take_of(pool_id, now, _TAKEN_CHOSEN, self._chosen(pool_id, now, asking))
            left = [n for n in asking if (n, pool_id) not in self._numbers]
            asked = [{"place": place, **self._asking(n, pool_id)} for place, n in enumerate(left, 1)]
            self._take_of(pool_id, now, _TAKEN, asked, most=len(asked))

    def _take_of(self, pool_id: int, now: datetime, statement: Prepared, asked: list[Row], **values: Any) -> None:
        if asked:
            values |= {"tenant_id": asked[0]["tenant_id"], "pool_id": pool_id, "now": to_micros(now)}
            taken = self._run(statement, asked, **values)
            self._numbers |= {(n, pool_id): (number_id, e164) for n, number_id, e164 in taken}

    def _chosen(self, pool_id: int, now: datetime, asking: Sequence[int]) -> list[Row]:
        """Choose numbers for who asks where regions count; one site's views all have its habits or none."""
        first = self._arrivals[asking[0]]
        if first.habits is None:
            return []
        wanted = [self._regions[n] for n in asking]
        chosen = free_numbers.choose(self._tx, first.tenant_id, pool_id, wanted, now, first.habits)
        return [
            {"place": place, **self._asking(n, pool_id), "number_id": one.number_id, "regions": one.regions}
            for place, (n, one) in enumerate(zip(asking, chosen, strict=False), 1)
        ]

    def _asking(self, n: int, pool_id: int) -> Row:
        arrival = self._arrivals[n]
        moments = {"now": to_micros(arrival.now), "until": to_micros(arrival.now + arrival.hold)}
        return {
            "n": n,
            "tenant_id": arrival.tenant_id,
            "pool_id": pool_id,
            "visitor_id": self._visitors[n],
            "region": self._regions[n],
            **moments,
        }

    def _open(self, asking: Mapping[int, Sequence[int]]) -> None:
        """Note that the visits that go on were seen, and begin the others."""
        now = {n: self._now(n, asking[n]) for n in self._arrivals}
        self._run(_SEEN, [{"visit_id": visit_id, **now[n]} for n, visit_id in self._visits.items()])
        beginning = {self._visitors[n]: n for n in self._arrivals if n not in self._visits}
        for visitor_id, visit_id in self._run(_OPENED, [self._begun(n, now[n]) for n in beginning.values()]):
            self._visits[beginning[visitor_id]] = visit_id

    def _now(self, n: int, pools: Sequence[int]) -> Row:
        arrival = self._arrivals[n]
        number_id = next((self._numbers[n, pool_id][0] for pool_id in pools if (n, pool_id) in self._numbers), None)
        return {"tenant_id": arrival.tenant_id, "now": to_micros(arrival.now), "number_id": number_id}

    def _begun(self, n: int, now: Row) -> Row:
        row = {**source_columns(self._sources[n]), "site_id": self._arrivals[n].site_id, "region": self._regions[n]}
        return row | {**now, "visitor_id": self._visitors[n], "started_at": now["now"], "last_seen_at": now["now"]}


def _who(arrival: Arrival) -> Row:
    return {"tenant_id": arrival.tenant_id, "site_id": arrival.site_id, "token": arrival.token}
