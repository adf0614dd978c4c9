"""sending -> delivered, accepted, ready, parked: what became of claimed deliveries is written, their attempts end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from connectors.deciding import dump_decision
from connectors.protocol import Limits, Outcome, Ref
from hub import failpoints
from hub.delivery import lanes, noted, retry
from hub.delivery.lanes import Claim
from hub.delivery.retry import State
from hub.delivery.taking import Taken
from hub.store import cards, ledger
from hub.store.ledger import Entry
from hub.store.moment import to_micros
from hub.store.said import pack
from hub.store.tx import Prepared, Tx

_SETTLE = Prepared(
    text("""
UPDATE delivery SET state = :state, due_at = :due_at, spent = :spent, in_doubt = :in_doubt, refs = :refs,
    why = coalesce(:why, why), sentence = coalesce(:sentence, sentence), settled_at = :settled_at,
    decision = coalesce(:decision, decision)
WHERE tenant_id = :tenant_id AND id = :id AND state = 'sending' AND attempt = :attempt
""")
)
_END = Prepared(
    text("""
UPDATE attempt SET ended_at = :now, status = :status, why = coalesce(:why, ''), detail = :detail
WHERE tenant_id = :tenant_id AND delivery_id = :id AND number = :attempt
""")
)
# The state is said so that PostgreSQL does not look through the whole queue for each row, as it would with statistics
# of a moment when the queue was empty: a delivery is found by its id.
_SETTLE_ALL = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(id text, attempt int, state text, due_at bigint, spent int,
        in_doubt boolean, refs text, why text, sentence text, settled_at bigint,
        decision text)
)
UPDATE delivery SET state = asked.state, due_at = asked.due_at, spent = asked.spent, in_doubt = asked.in_doubt,
    refs = CAST(asked.refs AS json), why = coalesce(asked.why, delivery.why),
    sentence = coalesce(asked.sentence, delivery.sentence), settled_at = asked.settled_at,
    decision = coalesce(asked.decision, delivery.decision)
FROM asked
WHERE delivery.tenant_id = :tenant_id AND delivery.id = asked.id AND delivery.state || '' = 'sending'
  AND delivery.attempt = asked.attempt
""")
)
_END_ALL = Prepared(
    text("""
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:asked) AS asked(id text, attempt int, status text, why text, detail text)
)
UPDATE attempt SET ended_at = :now, status = asked.status, why = coalesce(asked.why, ''), detail = asked.detail
FROM asked
WHERE attempt.tenant_id = :tenant_id AND attempt.delivery_id = asked.id AND attempt.number = asked.attempt
""")
)


def settle(
    tx: Tx,
    claim: Claim,
    taken: Sequence[Taken],
    outcomes: Mapping[str, Outcome],
    limits: Limits,
    now: datetime,
) -> None:
    """Write what became of each claimed delivery; one that is missing in ``outcomes`` goes back unspent."""
    troubles = lanes.kept(tx, claim)
    if troubles and all(delivery.id in outcomes for delivery in taken):  # the account answered for the whole batch
        lanes.ease(tx, claim)
    rows = [
        _settled(delivery, outcome, limits, now) if outcome else _put_back(delivery, now)
        for delivery in taken
        for outcome in (outcomes.get(delivery.id),)
    ]
    tx.run_each(_SETTLE, _SETTLE_ALL, rows, tenant_id=claim.tenant_id)
    tx.run_each(_END, _END_ALL, rows, tenant_id=claim.tenant_id, now=to_micros(now))
    told = zip(taken, rows, strict=True)
    entries = [_noted(claim, one, outcomes.get(one.id), row, now) for one, row in told]
    ledger.write(tx, claim.tenant_id, *entries)
    made = [(one.enquiry_id, outcomes[one.id].refs) for one in taken if one.enquiry_id and one.id in outcomes]
    cards.note(tx, claim.tenant_id, claim.installation_id, made)
    failpoints.reach("settle.written")


def _noted(claim: Claim, delivery: Taken, outcome: Outcome | None, row: Mapping[str, Any], now: datetime) -> Entry:
    if outcome is None:
        return noted.held(claim, delivery.on, now)
    return noted.settled(claim, delivery.on, outcome, State(row["state"]), now)


def _settled(delivery: Taken, outcome: Outcome, limits: Limits, now: datetime) -> dict[str, Any]:
    then = retry.after(
        outcome,
        delivery_id=delivery.id,
        spent=delivery.spent,
        in_doubt=delivery.in_doubt,
        created_at=delivery.created_at,
        now=now,
        search_lag=limits.search_lag,
    )
    is_settled = then.state not in (State.READY, State.ACCEPTED)
    return {
        "id": delivery.id,
        "attempt": delivery.attempt,
        "state": then.state.value,
        "due_at": to_micros(then.due_at),
        "spent": then.spent,
        "in_doubt": then.in_doubt,
        "refs": _json(delivery, outcome.refs),
        "why": outcome.why.value if outcome.why else "",
        "sentence": pack(*outcome.said),
        "settled_at": to_micros(now) if is_settled else None,
        "decision": dump_decision(outcome.decision) if outcome.decision else None,
        "status": outcome.status.value,
        "detail": outcome.detail[:2_000] or pack(*outcome.said),
    }


def _put_back(delivery: Taken, now: datetime) -> dict[str, Any]:
    """The delivery is as it was before it was claimed: no try was spent, and it keeps its last trouble's words."""
    return {
        "id": delivery.id,
        "attempt": delivery.attempt,
        "state": State.READY.value,
        "due_at": to_micros(now),
        "spent": delivery.spent,
        "in_doubt": delivery.in_doubt,
        "refs": _json(delivery),
        "why": None,
        "sentence": None,
        "settled_at": None,
        "decision": None,
        "status": "held",
        "detail": "the installation is held; no try was spent",
    }


def _json(delivery: Taken, made: Sequence[Ref] = ()) -> str:
    """Return what a delivery has made by now, each once."""
    return orjson.dumps(tuple(dict.fromkeys((*delivery.refs, *made)))).decode()
