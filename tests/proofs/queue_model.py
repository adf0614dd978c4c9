"""The delivery queue of one account beside plain records that say what it must do: the machine of proof 4.

Whatever order things come in, the rows equal the records, and each moved only along a documented arrow.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, update

from connectors.protocol import Outcome, Status, Why
from connectors.telling import Said
from hub.delivery import by_hand, lanes, queue, retry, taking
from hub.delivery.lanes import Claim, FenceLost
from hub.delivery.queue import Taken
from hub.delivery.retry import State
from hub.store.db import Db
from hub.store.tables import Attempt, Delivery, table_of
from hub.store.tables import Lane as LaneRow
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import LEASE, LIMITS, NOW, Lane, planned

_attempt, _delivery, _lane = table_of(Attempt), table_of(Delivery), table_of(LaneRow)

ARROWS = {
    State.READY: {State.SENDING},
    State.SENDING: {State.READY, State.DELIVERED, State.PARKED},
    State.PARKED: {State.READY, State.DROPPED},
    State.DROPPED: {State.READY},
    State.DELIVERED: set[State](),
}
OUTCOMES = (
    None,  # not named in the answer
    Outcome(Status.DELIVERED),
    Outcome(Status.REJECTED, why=Why.INVALID),
    Outcome(Status.RETRY, why=Why.UNAVAILABLE),
    Outcome(Status.UNKNOWN, why=Why.UNAVAILABLE),
)
SPANS = (0, 1, 39, 40, 41, 90, 3_600, 80_000)


@dataclass
class Record:
    """What a delivery must be like."""

    id: str
    enquiry: str
    caller: str
    position: datetime
    due_at: datetime
    created_at: datetime
    state: State = State.READY
    attempt: int = 0
    spent: int = 0
    in_doubt: bool = False
    is_sent: bool = False  # a request was paid that may take effect for its attempt

    @property
    def place(self) -> tuple[datetime, str]:
        return self.position, self.id

    @property
    def is_unsettled(self) -> bool:
        return self.state in (State.READY, State.SENDING)


@dataclass
class Holder:
    """Somebody who claimed the lane once, and what he has taken and not settled."""

    claim: Claim
    taken: list[Taken] = field(default_factory=list)
    has_looked: bool = False  # for work: nobody gives a lane back before


class QueueMachine(RuleBasedStateMachine):
    """One account's lane with any number of holders, each of whom may be late."""

    db: Db
    vault: Vault
    account = 0

    @initialize()
    def customer(self) -> None:
        """A customer of its own for each run; the accounts of earlier runs are held."""
        type(self).account += 1
        held = update(_lane).values(hold_until=NOW + timedelta(days=9_999))
        self.db.write_now(lambda tx: tx.execute(held) and None)
        self.lane = Lane(self.db, self.vault, f"account {id(type(self))}-{self.account}")
        self.now, self.fence = NOW, 0
        self.leased_until = self.hold_until = NOW
        self.records: dict[str, Record] = {}
        self.holders: list[Holder] = []
        self.before: dict[str, State] = {}

    # -- the hub

    @rule(caller=st.sampled_from(["k1", "k2"]), ago=st.sampled_from([0, 60, 600]))
    def enqueue(self, caller: str, ago: int) -> None:
        number = len(self.records)
        enquiry, position = f"call:{number}", self.now - timedelta(seconds=ago, microseconds=number)
        asked = planned(self.lane.installation_id, enquiry, caller, position)
        assert self._write(queue.enqueue, self.lane.tenant_id, asked, self.now, self.vault)
        assert not self._write(queue.enqueue, self.lane.tenant_id, asked, self.now, self.vault)
        of = (_delivery.c.tenant_id == self.lane.tenant_id, _delivery.c.enquiry == enquiry)
        id_ = self.db.read_now(lambda tx: tx.execute(select(_delivery.c.id).where(*of)).scalar_one())
        self.records[id_] = Record(id_, enquiry, caller, position, self.now, self.now)

    @rule(seconds=st.sampled_from(SPANS))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # -- holders of the lane

    @precondition(lambda self: len(self.holders) < 4)  # or most moves would be claims in vain
    @rule()
    def claim(self) -> None:
        found = self._write(lanes.claim, self.now, LEASE)
        is_free = self.leased_until <= self.now and self.hold_until <= self.now
        if found is None:
            assert not (is_free and self._due()), "what is due is claimed by nobody"
            return
        assert is_free, "the lane was somebody's, or held"
        assert found.fence > self.fence
        self.fence, self.leased_until = found.fence, self.now + LEASE
        self.holders.append(Holder(found))

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self.holders))
        with self._fenced(holder) as lost:
            holder.taken = self._write(queue.take_batch, holder.claim, LIMITS, self.now, self.vault)
        holder.has_looked = True
        if lost:
            return
        for one in self.records.values():
            if one.state is State.SENDING:
                one.state, one.in_doubt = State.READY, one.in_doubt or one.is_sent
                one.due_at = self.now + (retry.rest(LIMITS.search_lag) if one.is_sent else timedelta())
        expected = sorted(self._due(), key=lambda one: one.place)
        assert [one.id for one in holder.taken] == [one.id for one in expected[: LIMITS.batch]]
        for one, taken in zip(expected, holder.taken, strict=True):
            one.state, one.attempt, one.is_sent = State.SENDING, one.attempt + 1, False
            assert (taken.attempt, taken.in_doubt) == (one.attempt, one.in_doubt)

    @precondition(lambda self: any(holder.taken for holder in self.holders))
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        """Pay for a request that may take effect for some of what was taken."""
        holder = data.draw(st.sampled_from([one for one in self.holders if one.taken]))
        touched = {one.id: one.attempt for one in data.draw(st.lists(st.sampled_from(holder.taken), min_size=1))}
        with self._fenced(holder) as lost:
            self._write(self._paid, holder.claim, touched)
        if lost:
            return
        self.leased_until = self.now + LEASE
        for id_, attempt in touched.items():
            record = self.records[id_]
            record.is_sent = record.is_sent or record.attempt == attempt

    def _paid(self, tx: Tx, claim: lanes.Claim, touched: dict[str, int]) -> None:
        lanes.spend(tx, claim, LIMITS, [], 0, self.now, LEASE)
        taking.note_sent(tx, claim, touched, self.now)

    @precondition(lambda self: any(holder.taken for holder in self.holders))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from([one for one in self.holders if one.taken]))
        drawn = {one.id: data.draw(st.sampled_from(OUTCOMES)) for one in holder.taken}
        outcomes = {id_: outcome for id_, outcome in drawn.items() if outcome is not None}
        taken, holder.taken = holder.taken, []
        with self._fenced(holder) as lost:
            self._write(queue.settle, holder.claim, taken, outcomes, LIMITS, self.now)
        for one in [] if lost else taken:
            record = self.records[one.id]
            if record.state is State.SENDING and record.attempt == one.attempt:
                self._settled(record, one, outcomes.get(one.id))

    def _settled(self, record: Record, taken: Taken, outcome: Outcome | None) -> None:
        if outcome is None:
            record.state, record.due_at = State.READY, self.now
            return
        told = {"delivery_id": taken.id, "spent": taken.spent, "in_doubt": taken.in_doubt}
        told |= {"created_at": taken.created_at, "now": self.now, "search_lag": LIMITS.search_lag}
        then = retry.after(outcome, **told)  # type: ignore[arg-type]
        record.state, record.due_at = then.state, then.due_at
        record.spent, record.in_doubt = then.spent, then.in_doubt

    @precondition(lambda self: self._through())
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(self._through()))
        self.holders.remove(holder)
        with self._fenced(holder) as lost:
            self._write(queue.release, holder.claim, self.now, self.now + timedelta(hours=1))
        if not lost:
            self.leased_until = self.now

    @precondition(lambda self: self._through())
    @rule(data=st.data(), why=st.sampled_from([Why.THROTTLED, Why.UNAVAILABLE]))
    def hold(self, data: st.DataObject, why: Why) -> None:
        holder = data.draw(st.sampled_from(self._through()))
        self.holders.remove(holder)
        until = self._write(lanes.hold, holder.claim, self.now, why, Said(""), None)
        assert (until is None) == (holder.claim.fence != self.fence)
        if until is not None:
            self.leased_until, self.hold_until = self.now, until

    # -- a person

    @precondition(lambda self: self.records)
    @rule(data=st.data(), does=st.sampled_from(["replay", "drop"]))
    def a_person_decides(self, data: st.DataObject, does: str) -> None:
        record = data.draw(st.sampled_from(list(self.records.values())))
        decide = partial(by_hand.replay, vault=self.vault) if does == "replay" else by_hand.drop
        done = self._write(decide, self.lane.tenant_id, record.id, self.now)
        decidable = {State.PARKED, State.DROPPED} if does == "replay" else {State.PARKED}
        assert done == (record.state in decidable)
        if done and does == "replay":
            record.state, record.due_at, record.spent, record.created_at = State.READY, self.now, 0, self.now
        elif done:
            record.state = State.DROPPED

    # -- what always holds

    @invariant()
    def the_rows_are_the_records(self) -> None:
        of = _delivery.c.tenant_id == self.lane.tenant_id
        rows = self.db.read_now(lambda tx: tx.execute(select(_delivery).where(of)).all())
        moved = [(self.before.get(row.id), State(row.state)) for row in rows]
        assert all(old in (None, new) or new in ARROWS[old] for old, new in moved)
        self.before = {row.id: State(row.state) for row in rows}
        found = {row.id: (row.state, row.attempt, row.spent, row.in_doubt) for row in rows}
        told = {one.id: (one.state, one.attempt, one.spent, one.in_doubt) for one in self.records.values()}
        assert found == told
        waiting = {row.id: row.due_at for row in rows if row.state == State.READY}
        assert waiting == {one.id: one.due_at for one in self.records.values() if one.state is State.READY}

    @invariant()
    def what_may_have_been_sent_is_noted(self) -> None:
        here = (_attempt.c.tenant_id == self.lane.tenant_id, _attempt.c.sent_at.is_not(None))
        rows = self.db.read_now(lambda tx: tx.execute(select(_attempt).where(*here)).all())
        noted = {(row.delivery_id, row.number) for row in rows}
        sending = [one for one in self.records.values() if one.state is State.SENDING]
        assert {one.id for one in sending if (one.id, one.attempt) in noted} == {
            one.id for one in sending if one.is_sent
        }

    @invariant()
    def of_one_caller_one_is_sent_at_a_time(self) -> None:
        sent = [one.caller for one in self.records.values() if one.state is State.SENDING]
        assert len(sent) == len(set(sent))

    def _due(self) -> list[Record]:
        return [
            one
            for one in self.records.values()
            if one.state is State.READY
            and one.due_at <= self.now
            and not any(
                other.is_unsettled and other.caller == one.caller and other.place < one.place
                for other in self.records.values()
            )
        ]

    def _through(self) -> list[Holder]:
        """Who has settled what he took, as everybody does before he gives the lane back."""
        return [holder for holder in self.holders if holder.has_looked and not holder.taken]

    def _fenced(self, holder: Holder) -> Any:
        """Expect ``FenceLost`` of a holder who lost the lane, and of nobody else."""
        return pytest.raises(FenceLost) if holder.claim.fence != self.fence else nullcontext()

    def _write(self, work: Callable[..., Any], *values: Any) -> Any:
        return self.db.write_now(work, *values)
