"""The queue on each engine: one delivery per intended effect, in order per caller, settled by its claimer alone."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.protocol import Limits, Outcome, Ref, Status, Why
from connectors.telling import Said
from hub.delivery import lanes, queue, retry, taking
from hub.delivery.lanes import FenceLost
from hub.store.db import Db
from hub.store.said import unpack
from hub.store.tables import Attempt, Delivery, table_of
from hub.store.tables import Lane as LaneRow
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import LEASE, LIMITS, NOW, Lane, Payer, planned

_delivery, _attempt, _lane = table_of(Delivery), table_of(Attempt), table_of(LaneRow)
DELIVERED = Outcome(Status.DELIVERED, refs=(Ref("deal", "7"),))
REJECTED = Outcome(Status.REJECTED, why=Why.INVALID, said=(Said("The field is gone."),))
FAILED = Outcome(Status.RETRY, why=Why.UNAVAILABLE)


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


def rows(lane: Lane, table: Any = _delivery) -> list[Any]:
    order = table.c.enquiry if table is _delivery else table.c.number
    return lane.db.read_now(lambda tx: list(tx.execute(select(table).order_by(order))))


def row(lane: Lane) -> Any:
    (found,) = rows(lane)
    return found


def lane_row(lane: Lane) -> Any:
    return lane.db.read_now(lambda tx: tx.execute(select(_lane)).one())


def names(taken: list[queue.Taken]) -> list[str]:
    return [one.plan.enquiry.id for one in taken]


# -- planned


def test_an_effect_planned_twice_is_one_delivery(lane: Lane) -> None:
    assert [lane.enqueue("call:1") for _ in range(3)] == [True, False, False]
    assert len(rows(lane)) == 1


def test_another_version_of_the_rules_is_another_effect(lane: Lane) -> None:
    assert [lane.enqueue("call:1", version=version) for version in (1, 2)] == [True, True]


def test_the_same_plan_written_by_many_at_once_is_one_delivery(lane: Lane) -> None:
    written: list[bool] = []
    threads = [threading.Thread(target=lambda: written.append(lane.enqueue("call:1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == [False] * 7 + [True]


def test_what_is_planned_is_sealed(lane: Lane) -> None:
    lane.enqueue("call:1")
    assert b"79161234567" not in row(lane).plan


def test_a_plan_that_cannot_be_read_is_parked_alone(lane: Lane) -> None:
    for number in (1, 2, 3):
        lane.enqueue(f"call:{number}", caller=f"k{number}")
    sealed_elsewhere = update(_delivery).where(_delivery.c.enquiry == "call:2").values(plan=b"of another key")
    lane.db.write_now(lambda tx: tx.execute(sealed_elsewhere) and None)
    assert sorted(names(lane.take(lane.claimed()))) == ["call:1", "call:3"]
    parked = rows(lane)[1]
    assert (parked.state, parked.why) == ("parked", "unreadable")
    assert unpack(parked.sentence) == (Said("hub.plan_unreadable"),)


# -- order


def test_deliveries_of_one_caller_go_one_at_a_time_oldest_first(lane: Lane) -> None:
    for number, minutes in ((1, 9), (2, 1), (3, 5)):
        lane.enqueue(f"call:{number}", at=NOW - timedelta(minutes=minutes))
    claim, gone = lane.claimed(), []
    while taken := lane.take(claim):
        gone.append(names(taken))
        lane.settle(claim, taken, {taken[0].id: DELIVERED})
    assert gone == [["call:1"], ["call:3"], ["call:2"]]


def test_callers_do_not_wait_for_each_other(lane: Lane) -> None:
    for number in range(3):
        lane.enqueue(f"call:{number}", caller=f"k{number}", at=NOW - timedelta(minutes=number))
    assert names(lane.take(lane.claimed())) == ["call:2", "call:1", "call:0"]


def test_two_of_one_caller_at_the_same_moment_still_go_one_at_a_time(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.enqueue("call:2")
    claim = lane.claimed()
    assert len(lane.send(claim)) == 1
    assert lane.take(claim, NOW) == []  # the abandoned one rests, the other waits for it


def test_one_that_waits_for_its_next_try_keeps_the_later_ones_of_its_caller(lane: Lane) -> None:
    lane.enqueue("call:1", at=NOW - timedelta(minutes=2))
    lane.enqueue("call:2", at=NOW - timedelta(minutes=1))
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: FAILED})
    assert lane.take(claim) == []


def test_a_parked_one_does_not_keep_the_later_ones(lane: Lane) -> None:
    lane.enqueue("call:1", at=NOW - timedelta(minutes=2))
    lane.enqueue("call:2", at=NOW - timedelta(minutes=1))
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: REJECTED})
    assert names(lane.take(claim)) == ["call:2"]


def test_a_batch_is_no_larger_than_the_manifest_says(lane: Lane) -> None:
    for number in range(12):
        lane.enqueue(f"call:{number:02}", caller=f"k{number}")
    assert len(lane.take(lane.claimed())) == LIMITS.batch


def test_what_one_callers_last_delivery_made_goes_with_the_next(lane: Lane) -> None:
    lane.enqueue("call:1", at=NOW - timedelta(minutes=2))
    lane.enqueue("call:2", at=NOW - timedelta(minutes=1))
    claim = lane.claimed()
    first = lane.take(claim)
    lane.settle(claim, first, {first[0].id: DELIVERED})
    (second,) = lane.take(claim)
    assert second.nearby == DELIVERED.refs


# -- claimed before it is sent


def test_the_attempt_is_written_before_the_request(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.take(lane.claimed())
    assert (row(lane).state, row(lane).attempt) == ("sending", 1)
    (attempt,) = rows(lane, _attempt)
    assert (attempt.number, attempt.started_at, attempt.ended_at, attempt.status) == (1, NOW, None, None)


def test_a_lane_has_one_holder(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.claimed()
    assert lane.claim() is None


def test_a_lane_whose_lease_ran_out_goes_to_the_next_with_a_higher_fence(lane: Lane) -> None:
    lane.enqueue("call:1")
    first = lane.claimed()
    second = lane.claimed(NOW + LEASE)
    assert second.fence > first.fence


def test_many_who_claim_at_once_get_it_once(lane: Lane) -> None:
    claims: list[Any] = []
    threads = [threading.Thread(target=lambda: claims.append(lane.claim())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([claim for claim in claims if claim]) == 1


# -- settled


def test_a_delivered_one_keeps_what_was_made(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: DELIVERED})
    assert (row(lane).state, row(lane).spent, row(lane).refs) == (
        "delivered",
        0,
        [{"kind": "deal", "id": "7", "url": None}],
    )
    (attempt,) = rows(lane, _attempt)
    assert (attempt.status, attempt.ended_at) == ("delivered", NOW)


def test_a_holder_that_lost_its_fence_settles_nothing(lane: Lane) -> None:
    lane.enqueue("call:1")
    slow = lane.claimed()
    taken = lane.take(slow)
    lane.claimed(NOW + LEASE)
    with pytest.raises(FenceLost):
        lane.settle(slow, taken, {taken[0].id: DELIVERED})
    assert row(lane).state == "sending"


@pytest.mark.parametrize("write", ["take", "spend", "release"])
def test_a_holder_that_lost_its_fence_neither_takes_nor_spends_nor_gives_back(lane: Lane, write: str) -> None:
    slow = lane.claimed()
    lane.claimed(NOW + LEASE)
    before = lane_row(lane)
    acts = {
        "take": lambda: lane.take(slow),
        "spend": lambda: Payer(lane).pay(slow),
        "release": lambda: lane.db.write_now(queue.release, slow, NOW, NOW),
    }
    with pytest.raises(FenceLost):
        acts[write]()
    assert lane_row(lane) == before


def test_an_attempt_that_was_taken_again_is_not_settled_by_the_first(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    first = lane.take(claim)
    later = NOW + timedelta(minutes=5)
    lane.take(claim, later)  # the first take is abandoned: in doubt, resting
    (second,) = lane.take(claim, later + timedelta(minutes=5))
    lane.settle(claim, first, {first[0].id: DELIVERED}, later)
    assert (row(lane).state, row(lane).attempt) == ("sending", second.attempt)


def test_one_without_an_outcome_in_a_held_batch_goes_back_unspent(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    lane.settle(claim, lane.take(claim), {})
    assert (row(lane).state, row(lane).spent, row(lane).in_doubt, row(lane).due_at) == ("ready", 0, False, NOW)
    assert rows(lane, _attempt)[0].status == "held"


def test_what_an_attempt_made_stays_when_it_fails(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: Outcome(Status.UNKNOWN, refs=(Ref("contact", "5"),))})
    (again,) = lane.take(claim, NOW + timedelta(minutes=5))
    assert (again.refs, again.in_doubt, again.attempt) == ((Ref("contact", "5"),), True, 2)


# -- abandoned


def test_what_a_dead_worker_may_have_sent_is_in_doubt_and_rests(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.send(lane.claimed())
    risen = NOW + LEASE
    next_claim = lane.claimed(risen)
    assert lane.take(next_claim, risen) == []
    found = row(lane)
    assert (found.state, found.in_doubt, found.spent, found.due_at) == ("ready", True, 0, risen + LIMITS.search_lag * 2)
    assert rows(lane, _attempt)[0].status == "unknown"


def test_what_a_dead_worker_claimed_and_never_sent_is_sent_at_once_without_doubt(lane: Lane) -> None:
    lane.enqueue("call:1", caller="k1")
    lane.enqueue("call:2", caller="k2", at=NOW + timedelta(seconds=1))
    claim = lane.claimed()
    sent, _ = lane.take(claim, NOW + timedelta(seconds=1))
    lane.db.write_now(taking.note_sent, claim, {sent.id: sent.attempt}, NOW)
    risen = NOW + LEASE
    (again,) = lane.take(lane.claimed(risen), risen)
    assert (again.plan.enquiry.id, again.in_doubt, again.spent, again.attempt) == ("call:2", False, 0, 2)
    assert {one.status for one in rows(lane, _attempt)} == {"unknown", "held", None}


def test_one_in_doubt_before_stays_in_doubt_when_nothing_more_was_sent(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.send(lane.claimed())
    for moment in (NOW + LEASE, NOW + LEASE * 3):
        claim = lane.claimed(moment)
        lane.take(claim, moment)
        lane.take(claim, moment + LIMITS.search_lag * 2)
    (again,) = lane.take(lane.claimed(NOW + LEASE * 6), NOW + LEASE * 6)
    assert again.in_doubt


def test_after_its_rest_it_is_taken_as_in_doubt_with_a_new_number(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.send(lane.claimed())
    risen = NOW + LEASE
    claim = lane.claimed(risen)
    lane.take(claim, risen)
    (again,) = lane.take(claim, risen + LIMITS.search_lag * 2)
    assert (again.in_doubt, again.attempt) == (True, 2)


# -- held, given back, woken


def test_a_hold_gives_the_lane_back_but_leaves_the_account_alone(lane: Lane) -> None:
    lane.enqueue("call:1")
    until = lane.db.write_now(lanes.hold, lane.claimed(), NOW, Why.UNAVAILABLE, Said("down"), timedelta(minutes=5))
    assert until == NOW + timedelta(minutes=5)
    assert lane.claim(until - timedelta(seconds=1)) is None
    assert lane.claim(until) is not None


def test_what_waits_for_a_dark_account_is_parked_after_three_days_with_the_reason(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.db.write_now(queue.hold, lane.claimed(), NOW, Why.UNAVAILABLE, Said("It is down."), None)
    lane.enqueue("call:2", at=NOW + timedelta(days=1))
    later = NOW + retry.PATIENCE
    lane.db.write_now(queue.hold, lane.claimed(later), later, Why.UNAVAILABLE, Said("It is down."), None)
    found = {one.enquiry: one for one in rows(lane)}
    assert (found["call:1"].state, found["call:2"].state) == ("parked", "ready")
    assert unpack(found["call:1"].sentence) == (Said("hub.dark"), Said("It is down."))


def test_one_trouble_parks_nothing_however_long_the_hub_was_off(lane: Lane) -> None:
    lane.enqueue("call:1")
    later = NOW + timedelta(days=9)
    lane.db.write_now(queue.hold, lane.claimed(later), later, Why.UNAVAILABLE, Said("It is down."), None)
    assert row(lane).state == "ready"


def test_a_new_delivery_does_not_break_a_hold(lane: Lane) -> None:
    until = lane.db.write_now(lanes.hold, lane.claimed(), NOW, Why.UNAVAILABLE, Said("down"), timedelta(minutes=5))
    assert until is not None
    lane.enqueue("call:1")
    assert lane.claim(until - timedelta(seconds=1)) is None


def test_a_batch_that_failed_as_a_whole_comes_back_smaller_and_grows_again(lane: Lane) -> None:
    now, sizes = NOW, []
    for number in range(12):
        lane.enqueue(f"call:{number:02}", caller=f"k{number}")
    for _ in range(3):
        claim = lane.claimed(now)
        taken = lane.take(claim, now)
        sizes.append(len(taken))
        lane.settle(claim, taken, {}, now)
        held = lane.db.write_now(lanes.hold, claim, now, Why.UNAVAILABLE, Said("down"), None)
        assert held is not None
        now = held
    claim = lane.claimed(now)
    lane.db.write_now(queue.release, claim, now, now + timedelta(hours=1))
    sizes.append(len(lane.take(lane.claimed(now), now)))
    assert sizes == [10, 5, 2, 2]


def test_a_lane_given_back_sleeps_until_its_next_work(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: FAILED})
    lane.db.write_now(queue.release, claim, NOW, NOW + timedelta(hours=1))
    due = row(lane).due_at
    assert lane.claim(due - timedelta(milliseconds=1)) is None
    assert lane.claim(due) is not None


def test_a_new_delivery_wakes_a_sleeping_lane(lane: Lane) -> None:
    lane.db.write_now(queue.release, lane.claimed(), NOW, NOW + timedelta(hours=1))
    assert lane.claim() is None
    lane.enqueue("call:1")
    assert lane.claim() is not None


def test_one_planned_while_its_lane_is_served_wakes_it_for_the_next_turn(lane: Lane) -> None:
    claim = lane.claimed()
    lane.enqueue("call:1")
    lane.db.write_now(queue.release, claim, NOW, NOW + timedelta(hours=1))
    assert lane.claim() is not None


def test_a_doorbell_during_a_turn_is_heard_in_the_next(lane: Lane) -> None:
    claim, rung = lane.claimed(), NOW + timedelta(seconds=1)
    lane.db.write_now(lanes.ring, lane.tenant_id, lane.installation_id, rung)
    lane.db.write_now(queue.release, claim, rung, NOW + timedelta(hours=1))
    again = lane.claim(rung)
    assert again is not None
    assert again.readback_at <= rung


@pytest.fixture
def two_transactions(lane: Lane) -> Iterator[tuple[Tx, Any]]:
    """A transaction of the test's own, and the commit that ends it; PostgreSQL only."""
    with lane.db.engine.connect() as connection:
        begun = connection.begin()
        yield Tx(connection), begun.commit


@pytest.mark.parametrize("_store", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_giving_back_waits_for_one_that_is_being_planned(
    lane: Lane, two_transactions: tuple[Tx, Any], vault: Vault
) -> None:
    tx, commit = two_transactions
    claim = lane.claimed()
    queue.enqueue(tx, lane.tenant_id, planned(lane.installation_id, "call:1"), NOW, vault)
    releasing = threading.Thread(
        target=lane.db.write_now, args=(queue.release, claim, NOW, NOW + timedelta(hours=1)), daemon=True
    )
    releasing.start()
    releasing.join(timeout=0.3)
    commit()
    releasing.join(timeout=30)
    assert lane.claim() is not None  # not asleep for an hour with a delivery due


# -- the budget


def paid(lane: Lane, limits: Limits) -> list[datetime]:
    """The moments at which 40 requests of a hurried sender were paid for."""
    claim, payer, now, sent = lane.claimed(), Payer(lane, limits), NOW, list[datetime]()
    for number in range(40):
        now += timedelta(milliseconds=(0, 13, 350)[number % 3])
        while (at := payer.pay(claim, now)) is not None:
            assert at > now
            now = at
        sent.append(now)
    return sent


@pytest.mark.parametrize(("per_second", "burst"), [(5.0, 3), (2.0, 1), (7.0, 7), (0.5, 2)])
def test_no_span_holds_more_requests_than_rate_and_burst_allow(lane: Lane, per_second: float, burst: int) -> None:
    sent = paid(lane, Limits(10, per_second, burst, timedelta(seconds=10), timedelta(seconds=1)))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            window = (sent[last] - sent[first]).total_seconds()
            assert last - first + 1 <= burst + window * per_second + 1e-3


def test_no_second_holds_more_requests_than_its_window_allows(lane: Lane) -> None:
    sent = paid(lane, Limits(10, 7, 7, timedelta(seconds=10), timedelta(seconds=1), window=7))
    busiest = max(sum(at <= other < at + timedelta(seconds=1) for other in sent) for at in sent)
    assert busiest == 7


def test_a_spent_budget_is_not_forgotten_by_the_next_holder(lane: Lane) -> None:
    claim, payer = lane.claimed(), Payer(lane)
    while payer.pay(claim) is None:
        pass
    lane.db.write_now(queue.release, claim, NOW, NOW)
    assert Payer(lane).pay(lane.claimed()) is not None


def test_paying_for_a_request_renews_the_lease(lane: Lane) -> None:
    claim = lane.claimed()
    later = NOW + LEASE - timedelta(seconds=1)
    Payer(lane).pay(claim, later)
    assert lane_row(lane).leased_until == later + LEASE
