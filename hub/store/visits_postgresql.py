"""All page views that wait, as one transaction of PostgreSQL: each step is one statement for the whole group.

It says what ``visits.open_visit`` says view by view, and tests hold the two together. A round trip costs more than the
work it asks for, so fifty views pay for seven of them instead of three hundred (``make bench NAME=dni``).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from hub.store.arrival import Arrival, Shown, last_source, source_columns
from hub.store.moment import from_micros, to_micros
from hub.store.tx import Prepared, Tx
from tracking_core.visit import continues

Row = dict[str, Any]


# In each statement "asked" is the group: the rows it is given as JSON.

_KNOWN = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(n int, tenant_id bigint, site_id bigint, token text)
)
SELECT asked.n, visitor.id, latest.id, latest.last_seen_at, latest.channel, latest.source, latest.medium,
       latest.campaign, latest.content, latest.term, latest.click_ids
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
    AS asked(n int, tenant_id bigint, pool_id bigint, visitor_id bigint, until bigint)
)
UPDATE tracking_number SET free_at = asked.until FROM asked
WHERE tracking_number.tenant_id = asked.tenant_id AND tracking_number.pool_id = asked.pool_id
  AND tracking_number.visitor_id = asked.visitor_id
RETURNING asked.n, tracking_number.id, tracking_number.e164
""")
)

# The longest idle numbers of one pool, one for each who asks, as far as they go. A lease is written after the last one
# on its number has ended (counting "ended" makes it so).
_TAKEN = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(n int, place int, visitor_id bigint, until bigint)
), idle AS MATERIALIZED (
    SELECT id, free_at FROM tracking_number
    WHERE tenant_id = :tenant_id AND pool_id = :pool_id AND free_at <= :now
    ORDER BY free_at, id LIMIT :most FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT id, row_number() OVER (ORDER BY free_at, id) AS place FROM idle
), taken AS (
    UPDATE tracking_number SET visitor_id = asked.visitor_id, free_at = asked.until
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
""")
)

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
                   channel, source, medium, campaign, content, term, click_ids, referrer_host, landing)
SELECT * FROM json_to_recordset(:asked)
AS asked(tenant_id bigint, site_id bigint, visitor_id bigint, number_id bigint, started_at bigint, last_seen_at bigint,
         channel text, source text, medium text, campaign text, content text, term text, click_ids text,
         referrer_host text, landing text)
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
    """One page view each of many visitors."""

    def __init__(self, tx: Tx, arrivals: dict[int, Arrival]) -> None:
        self._tx = tx
        self._arrivals = arrivals
        self._visitors: dict[int, int] = {}
        self._known: dict[int, tuple[Any, ...]] = {}  # the latest visit of each
        self._numbers: dict[int, tuple[int, str]] = {}

    def shown(self) -> dict[int, Shown]:
        self._recognise()
        self._keep()
        self._take()
        visits = self._open()
        return {n: Shown(visits[n], self._numbers.get(n, (None, None))[1]) for n in self._arrivals}

    def _run(self, statement: Prepared, asked: list[Row], **values: Any) -> list[tuple[Any, ...]]:
        return self._tx.run(statement, {"asked": orjson.dumps(asked).decode(), **values}) if asked else []

    def _recognise(self) -> None:
        asked = [{"n": n, **_who(arrival)} for n, arrival in self._arrivals.items() if not arrival.is_new]
        for n, visitor_id, *latest in self._run(_KNOWN, asked):
            self._visitors[n], self._known[n] = visitor_id, tuple(latest)
        strangers = {(a.site_id, a.token): n for n, a in self._arrivals.items() if n not in self._visitors}
        asked = [{**_who(self._arrivals[n]), "now": to_micros(self._arrivals[n].now)} for n in strangers.values()]
        for site_id, token, visitor_id in self._run(_ARRIVED, asked):
            self._visitors[strangers[site_id, token]] = visitor_id

    def _keep(self) -> None:
        asked = [self._asking(n) for n, arrival in self._arrivals.items() if n in self._known and arrival.pool_id]
        self._numbers |= {n: (number_id, e164) for n, number_id, e164 in self._run(_KEPT, asked)}

    def _take(self) -> None:
        """Give numbers to who has none, pool by pool."""
        pools: dict[tuple[int, int], list[int]] = {}
        for n, arrival in self._arrivals.items():
            if arrival.pool_id and n not in self._numbers:
                pools.setdefault((arrival.tenant_id, arrival.pool_id), []).append(n)
        for (tenant_id, pool_id), asking in pools.items():
            asked = [{"place": place, **self._asking(n)} for place, n in enumerate(asking, 1)]
            now = to_micros(max(self._arrivals[n].now for n in asking))
            values = {"tenant_id": tenant_id, "pool_id": pool_id, "now": now, "most": len(asking)}
            self._numbers |= {n: (number_id, e164) for n, number_id, e164 in self._run(_TAKEN, asked, **values)}

    def _asking(self, n: int) -> Row:
        arrival = self._arrivals[n]
        until = to_micros(arrival.now + arrival.hold)
        asked = {"n": n, "tenant_id": arrival.tenant_id, "pool_id": arrival.pool_id, "until": until}
        return asked | {"visitor_id": self._visitors[n]}

    def _open(self) -> dict[int, int]:
        """Continue the visits that go on, begin the others; return the visit of each view."""
        visits = {n: self._known[n][0] for n in self._known if self._goes_on(n)}
        self._run(_SEEN, [{"visit_id": visits[n], **self._now(n)} for n in visits])
        beginning = {self._visitors[n]: n for n in self._arrivals if n not in visits}
        begun = self._run(_OPENED, [self._begun(n) for n in beginning.values()])
        return visits | {beginning[visitor_id]: visit_id for visitor_id, visit_id in begun}

    def _goes_on(self, n: int) -> bool:
        visit_id, last_seen_at, *source = self._known[n]
        arrival = self._arrivals[n]
        return visit_id is not None and continues(
            from_micros(last_seen_at), last_source(source), arrival.now, arrival.source
        )

    def _now(self, n: int) -> Row:
        number_id = self._numbers.get(n, (None, None))[0]
        return {
            "tenant_id": self._arrivals[n].tenant_id,
            "now": to_micros(self._arrivals[n].now),
            "number_id": number_id,
        }

    def _begun(self, n: int) -> Row:
        arrival, now = self._arrivals[n], self._now(n)
        row = {**source_columns(arrival.source), "site_id": arrival.site_id, "visitor_id": self._visitors[n]}
        return row | {**now, "started_at": now["now"], "last_seen_at": now["now"]}


def _who(arrival: Arrival) -> Row:
    return {"tenant_id": arrival.tenant_id, "site_id": arrival.site_id, "token": arrival.token}
