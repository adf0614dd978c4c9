"""ready -> sending: the next deliveries of a lane are claimed for sending, and their attempts written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson
import structlog
from sqlalchemy import text

from connectors.deciding import Decision, load_decision
from connectors.protocol import Limits, Ref, Why
from connectors.scenario import Plan, load_plan
from connectors.telling import Said
from hub import failpoints
from hub.delivery import lanes, noted, retry
from hub.delivery.lanes import Claim
from hub.store import asked_goals, ledger
from hub.store.moment import from_micros, to_micros
from hub.store.said import pack
from hub.store.tx import Prepared, Tx
from hub.store.vault import Unopenable, Vault

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery claimed for sending: ``attempt`` is the number that settling must name."""

    id: str
    enquiry_id: int | None
    marker: str
    plan: Plan
    attempt: int
    spent: int
    in_doubt: bool
    created_at: datetime
    refs: tuple[Ref, ...]
    decided: Decision | None
    nearby: tuple[Ref, ...]  # what this caller's deliveries made lately: a lagging search may not show it yet

    @property
    def on(self) -> noted.On:
        """What the ledger is told it is about."""
        return self.enquiry_id, self.id, self.attempt


class _Row(NamedTuple):
    """A delivery that can be taken, as both engines give it."""

    id: str
    enquiry_id: int | None
    tenant_id: int
    marker: str
    plan: bytes
    attempt: int
    spent: int
    in_doubt: int
    created_at: int
    refs: str
    why: str
    decision: str | None
    nearby: str | None  # JSON: a list of lists of refs, the latest first


# States are said as words, not as values: only then does SQLite see that its indexes of unsettled deliveries will do.
# Adding nothing to the tenant keeps it, which has no statistics, from the index of a tenant's whole history.
_READY = """
delivery.tenant_id + 0 = :tenant_id AND delivery.installation_id = :installation_id AND delivery.state = 'ready'
AND NOT EXISTS (
    SELECT 1 FROM delivery AS earlier
    WHERE earlier.tenant_id + 0 = delivery.tenant_id AND earlier.installation_id = delivery.installation_id
      AND earlier.order_key = delivery.order_key AND (earlier.state = 'ready' OR earlier.state = 'sending')
      AND earlier.position <= delivery.position AND (earlier.position < delivery.position OR earlier.id < delivery.id)
)"""
_NEARBY = """(
    SELECT {list_of_refs} FROM (
        SELECT latest.refs FROM delivery AS latest
        WHERE latest.tenant_id + 0 = :tenant_id AND latest.installation_id = :installation_id
          AND latest.order_key = delivery.order_key AND latest.settled_at >= :since
        ORDER BY latest.settled_at DESC LIMIT 3
    ) AS recent
)"""
_LISTS = {True: "json_group_array(json(recent.refs))", False: "CAST(json_agg(recent.refs) AS text)"}
_COLUMNS = ", ".join(
    "CAST(delivery.refs AS text)" if name == "refs" else f"delivery.{name}" for name in _Row._fields[:-1]
)
_TAKE = {
    is_sqlite: Prepared(
        text(f"""
SELECT {_COLUMNS}, {_NEARBY.format(list_of_refs=lists)}
FROM delivery WHERE {_READY} AND delivery.due_at <= :now
ORDER BY delivery.position, delivery.id LIMIT :most
""")  # noqa: S608 - put together of our own words alone
    )
    for is_sqlite, lists in _LISTS.items()
}

_SEND = Prepared(
    text("UPDATE delivery SET state = 'sending', attempt = :attempt WHERE tenant_id = :tenant_id AND id = :id")
)
_TRY = Prepared(
    text("""
INSERT INTO attempt (delivery_id, number, tenant_id, started_at, why, detail)
VALUES (:id, :attempt, :tenant_id, :now, '', '')
""")
)
_ASKED = "WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset(:asked) AS asked(id text, attempt int))"
_SEND_ALL = Prepared(
    text(f"""{_ASKED}
UPDATE delivery SET state = 'sending', attempt = asked.attempt FROM asked
WHERE delivery.tenant_id = :tenant_id AND delivery.id = asked.id
""")  # noqa: S608 - as above
)
_TRY_ALL = Prepared(
    text(f"""{_ASKED}
INSERT INTO attempt (delivery_id, number, tenant_id, started_at, why, detail)
SELECT asked.id, asked.attempt, :tenant_id, :now, '', '' FROM asked
""")  # noqa: S608 - as above
)


def take_batch(tx: Tx, claim: Claim, limits: Limits, now: datetime, vault: Vault) -> list[Taken]:
    """Claim the next deliveries of the lane, oldest first and one per caller, and write their attempts."""
    lanes.kept(tx, claim)
    _leave_the_abandoned(tx, claim, limits, now)
    batch = []
    for row in _apart(_due(tx, claim, limits, now)):
        try:
            batch.append(_taken(row, vault))
        except (Unopenable, ValueError) as error:
            _park_unreadable(tx, claim, row, error, now)
    asked = [{"id": one.id, "attempt": one.attempt} for one in batch]
    tx.run_each(_SEND, _SEND_ALL, asked, tenant_id=claim.tenant_id)
    tx.run_each(_TRY, _TRY_ALL, asked, tenant_id=claim.tenant_id, now=to_micros(now))
    if batch:
        failpoints.reach("batch.written")
    return batch


def _due(tx: Tx, claim: Claim, limits: Limits, now: datetime) -> list[_Row]:
    values = {
        "tenant_id": claim.tenant_id,
        "installation_id": claim.installation_id,
        "now": to_micros(now),
        "since": to_micros(now - retry.rest(limits.search_lag)),  # of what a search may have caught up with
        "most": max(1, limits.batch // claim.share),
    }
    return [_Row(*row) for row in tx.run(_TAKE[tx.is_sqlite], values)]


def _apart(rows: Sequence[_Row]) -> Sequence[_Row]:
    """What made no sense last time goes alone in its turn, so that it takes no other with it again and again."""
    if rows and rows[0].why == Why.UNREADABLE:
        return rows[:1]
    return [row for row in rows if row.why != Why.UNREADABLE]


def _taken(row: _Row, vault: Vault) -> Taken:
    return Taken(
        id=row.id,
        enquiry_id=row.enquiry_id,
        marker=row.marker,
        plan=load_plan(vault.open(row.plan, row.tenant_id, row.id, "plan").encode()),
        attempt=row.attempt + 1,
        spent=row.spent,
        in_doubt=bool(row.in_doubt),
        created_at=from_micros(row.created_at),
        decided=load_decision(row.decision) if row.decision else None,
        refs=_refs([orjson.loads(row.refs)]) if row.refs != "[]" else (),
        nearby=_refs(orjson.loads(row.nearby)) if row.nearby else (),
    )


def _refs(lists: Sequence[Sequence[dict[str, str]]]) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys(Ref(**ref) for refs in lists for ref in refs))  # type: ignore[arg-type]


_PARK = Prepared(
    text("""
UPDATE delivery SET state = 'parked', why = :why, sentence = :sentence, settled_at = :now
WHERE tenant_id = :tenant_id AND id = :id AND state = 'ready' RETURNING id
""")
)


def _park_unreadable(tx: Tx, claim: Claim, row: _Row, error: Exception, now: datetime) -> None:
    """A plan that nobody can read waits for a person alone; the others of its lane go on."""
    log.error("queue.plan_unreadable", delivery=row.id, error=type(error).__name__)
    here = {"tenant_id": claim.tenant_id, "id": row.id}
    sentence = pack(Said("hub.plan_unreadable"))
    tx.run(_PARK, {**here, "why": str(Why.UNREADABLE), "sentence": sentence, "now": to_micros(now)})
    on = (row.enquiry_id, row.id, row.attempt)
    ledger.write(tx, claim.tenant_id, noted.parked(claim, on, Why.UNREADABLE, now))


_PAID = Prepared(
    text("UPDATE attempt SET sent_at = :now WHERE tenant_id = :tenant_id AND delivery_id = :id AND number = :attempt")
)
_PAID_ALL = Prepared(
    text(f"""{_ASKED}
UPDATE attempt SET sent_at = :now FROM asked
WHERE attempt.tenant_id = :tenant_id AND attempt.delivery_id = asked.id AND attempt.number = asked.attempt
""")  # noqa: S608 - as above
)


def note_sent(tx: Tx, claim: Claim, sent: Mapping[str, int], now: datetime) -> None:
    """Note with its payment that a request may take effect for these deliveries, by their attempts."""
    asked = [{"id": id_, "attempt": attempt} for id_, attempt in sent.items()]
    tx.run_each(_PAID, _PAID_ALL, asked, tenant_id=claim.tenant_id, now=to_micros(now))


# -- sending -> ready

_SENT = """EXISTS (
    SELECT 1 FROM attempt WHERE attempt.tenant_id = delivery.tenant_id AND attempt.delivery_id = delivery.id
      AND attempt.number = delivery.attempt AND attempt.sent_at IS NOT NULL
)"""
_LEAVE = {
    was_sent: Prepared(
        text(f"""
UPDATE delivery SET state = 'ready', {change}
WHERE tenant_id + 0 = :tenant_id AND installation_id = :installation_id AND state = 'sending' AND {condition}
RETURNING enquiry_id, id, attempt
""")  # noqa: S608 - as above
    )
    for was_sent, change, condition in (
        (True, "in_doubt = true, due_at = :due_at", _SENT),
        (False, "due_at = :due_at", f"NOT {_SENT}"),
    )
}
_END = Prepared(
    text("""
UPDATE attempt SET ended_at = :now, status = :status, detail = :detail
WHERE tenant_id = :tenant_id AND delivery_id = :id AND number = :attempt RETURNING number
""")
)


def _leave_the_abandoned(tx: Tx, claim: Claim, limits: Limits, now: datetime) -> None:
    """What an earlier holder left in sending may have taken effect where a request for it was paid: it rests, then is
    looked for. The rest is as it was before it was claimed."""
    left = _left(tx, claim, now + retry.rest(limits.search_lag), was_sent=True)
    _end(tx, claim, left, "unknown", "the worker that sent it ended before it knew", now)
    ledger.write(tx, claim.tenant_id, *(noted.doubted(claim, on, now) for on in left))
    unsent = _left(tx, claim, now, was_sent=False)
    _end(tx, claim, unsent, "held", "the worker that claimed it ended before it sent anything", now)
    ledger.write(tx, claim.tenant_id, *(noted.held(claim, on, now) for on in unsent))


def _left(tx: Tx, claim: Claim, due_at: datetime, *, was_sent: bool) -> list[noted.On]:
    here = {"tenant_id": claim.tenant_id, "installation_id": claim.installation_id}
    return [(on[0], on[1], on[2]) for on in tx.run(_LEAVE[was_sent], {**here, "due_at": to_micros(due_at)})]


def _end(tx: Tx, claim: Claim, left: Sequence[noted.On], status: str, detail: str, now: datetime) -> None:
    same = {"tenant_id": claim.tenant_id, "status": status, "detail": detail, "now": to_micros(now)}
    for _, delivery_id, number in left:
        tx.run(_END, {**same, "id": delivery_id, "attempt": number})


# -- the lane goes back

_DUE = Prepared(text(f"SELECT 1 FROM delivery WHERE {_READY} AND delivery.due_at <= :now LIMIT :most"))  # noqa: S608 - as above
_NEXT_DUE = Prepared(text(f"SELECT min(delivery.due_at) FROM delivery WHERE {_READY}"))  # noqa: S608 - as above


def release(tx: Tx, claim: Claim, now: datetime, readback_at: datetime) -> None:
    """Give the lane back until its next delivery, asked goal or read-back is due."""
    # The lane's row is locked first: whoever enqueues now is either seen below or waits and wakes the lane after us.
    lanes.kept(tx, claim)
    asked = asked_goals.next_due(tx, claim.tenant_id, claim.installation_id)
    due = min(filter(None, (_next_due(tx, claim, now), asked)), default=None)
    lanes.release(tx, claim, now, wake_at=min(due, readback_at) if due else readback_at, readback_at=readback_at)


def are_due(tx: Tx, claim: Claim, most: int, now: datetime) -> bool:
    """Say whether as many deliveries of the lane as that can be taken now."""
    here = {"tenant_id": claim.tenant_id, "installation_id": claim.installation_id}
    return len(tx.run(_DUE, {**here, "most": most, "now": to_micros(now)})) == most


def _next_due(tx: Tx, claim: Claim, now: datetime) -> datetime | None:
    """Return when something can be taken next; ``now`` where that was possible already, however much there is."""
    if are_due(tx, claim, 1, now):
        return now
    here = {"tenant_id": claim.tenant_id, "installation_id": claim.installation_id}
    ((due,),) = tx.run(_NEXT_DUE, here)
    return None if due is None else from_micros(due)
