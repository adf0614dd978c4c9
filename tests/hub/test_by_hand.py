"""What a person decides of stopped deliveries: sent again with a fresh schedule, or given up, by those it concerns."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from connectors.contract_inputs import cases
from connectors.protocol import Facts, Outcome, Pipeline, Ref, Stage, Status, Why
from connectors.scenario import CallerState
from hub.delivery import by_hand, queue
from hub.delivery.by_hand import Alike
from hub.delivery.taking import Taken
from hub.store import crm, scenario_versions
from hub.store.db import Db
from hub.store.tables import Delivery, LedgerEntry, table_of
from hub.store.tables import Lane as LaneRow
from hub.store.vault import Vault
from tests.hub.seed import NOW, Lane

_delivery, _lane, _entry = table_of(Delivery), table_of(LaneRow), table_of(LedgerEntry)
LATER = NOW + timedelta(hours=3)
DELIVERED, CONTACT = Outcome(Status.DELIVERED), Ref("contact", "5")


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


def parked(lane: Lane, *reasons: Why, made: Ref = CONTACT) -> list[str]:
    """Deliveries of as many callers, each refused for its reason; the lane is free again and sleeps."""
    for number, _ in enumerate(reasons):
        lane.enqueue(f"call:{number}", caller=f"k{number}", at=NOW - timedelta(seconds=len(reasons) - number))
    claim = lane.claimed()
    taken = lane.take(claim)
    refused = {one.id: Outcome(Status.REJECTED, refs=(made,), why=why) for one, why in zip(taken, reasons, strict=True)}
    lane.settle(claim, taken, refused)
    lane.db.write_now(queue.release, claim, NOW, NOW + timedelta(days=1))
    return [one.id for one in taken]


def states(lane: Lane) -> dict[str, int]:
    return lane.db.read_now(queue.counts, lane.tenant_id)


def test_a_parked_one_is_sent_again_with_a_fresh_schedule(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    assert lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id, one, NOW)
    (again,) = lane.take(lane.claimed())
    assert (again.spent, again.attempt, again.refs) == (0, 2, (Ref("contact", "5"),))


def test_one_that_waits_or_is_of_somebody_else_is_not_replayed(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    assert not lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id + 1, one, NOW)
    assert lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id, one, NOW)
    assert not lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id, one, NOW)


def test_what_stopped_for_one_reason_is_one_line_the_longest_first(lane: Lane) -> None:
    parked(lane, Why.UNSUPPORTED, Why.INVALID, Why.INVALID)
    told = lane.db.read_now(by_hand.alike, lane.tenant_id)
    assert told == [Alike(lane.installation_id, "invalid", 2), Alike(lane.installation_id, "unsupported", 1)]


def test_those_of_one_reason_go_together_and_wake_their_lane(lane: Lane) -> None:
    parked(lane, Why.UNSUPPORTED, Why.INVALID, Why.INVALID)
    assert (
        lane.db.write_now(
            partial(by_hand.replay_alike, vault=lane.vault), lane.tenant_id, lane.installation_id, "invalid", LATER
        )
        == 2
    )
    assert states(lane) == {"parked": 1, "ready": 2}
    assert lane.db.read_now(lambda tx: tx.execute(select(_lane.c.wake_at)).scalar()) == LATER


def test_all_that_is_parked_goes_together(lane: Lane) -> None:
    parked(lane, Why.UNSUPPORTED, Why.INVALID)
    assert lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, None, NOW) == 2
    assert states(lane) == {"ready": 2}


def test_all_that_is_parked_at_one_account_goes_together(lane: Lane) -> None:
    parked(lane, Why.UNSUPPORTED, Why.INVALID)
    assert (
        lane.db.write_now(
            partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, lane.installation_id + 1, NOW
        )
        == 0
    )
    assert (
        lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, lane.installation_id, NOW)
        == 2
    )


def test_nobody_decides_for_another_tenant(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    other = lane.tenant_id + 1
    assert lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), other, None, NOW) == 0
    assert (
        lane.db.write_now(partial(by_hand.replay_alike, vault=lane.vault), other, lane.installation_id, "invalid", NOW)
        == 0
    )
    assert lane.db.write_now(by_hand.drop_alike, other, lane.installation_id, "invalid", NOW) == 0
    assert not lane.db.write_now(by_hand.drop, other, one, NOW)
    assert states(lane) == {"parked": 1}


def test_one_that_is_given_up_is_not_sent(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    assert lane.db.write_now(by_hand.drop, lane.tenant_id, one, LATER)
    assert states(lane) == {"dropped": 1}
    assert lane.db.read_now(lambda tx: tx.execute(select(_delivery.c.settled_at)).scalar()) == LATER


def test_one_that_waits_cannot_be_given_up(lane: Lane) -> None:
    lane.enqueue("call:1")
    (one,) = lane.db.read_now(lambda tx: tx.execute(select(_delivery.c.id)).scalars().all())
    assert not lane.db.write_now(by_hand.drop, lane.tenant_id, one, NOW)


def test_those_of_one_reason_are_given_up_together(lane: Lane) -> None:
    parked(lane, Why.UNSUPPORTED, Why.INVALID, Why.INVALID)
    assert lane.db.write_now(by_hand.drop_alike, lane.tenant_id, lane.installation_id, "invalid", NOW) == 2
    assert states(lane) == {"parked": 1, "dropped": 2}


RULES = """
name: Новые правила
ended:
  unknown:
    - deal: {name: "Исправлено"}
"""


def mended(lane: Lane) -> None:
    """The rules that were refused are mended: there is a newer version of them."""
    for text in (RULES.replace("Исправлено", "Было"), RULES):
        lane.db.write_now(scenario_versions.save, lane.tenant_id, "acme", text, "owner", NOW)
    pipelines = (Pipeline("5", "Продажи", (Stage("7", "Новая", "open"),)),)
    facts = Facts("31", "Acme", "RUB", pipelines, {}, {})
    lane.db.write_now(crm.save_facts, lane.tenant_id, lane.installation_id, facts, NOW)


def sent_again(lane: Lane) -> Taken:
    assert lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, None, NOW) == 1
    (again,) = lane.take(lane.claimed())
    return again


def test_what_has_made_nothing_yet_is_sent_by_the_rules_of_now(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    mended(lane)
    again = sent_again(lane)
    assert (again.id, again.plan.scenario_version) == (one, 2)
    assert [action.name for action in cases(again.plan)[CallerState.UNKNOWN]] == ["Исправлено"]
    told = select(_entry.c.facts).where(_entry.c.kind == "replayed")
    assert lane.db.read_now(lambda tx: tx.execute(told).scalar_one()) == '{"scenario_version":2}'


@pytest.mark.parametrize("kind", ["deal", "note", "task"])
def test_what_has_made_something_keeps_its_plan(lane: Lane, kind: str) -> None:
    parked(lane, Why.INVALID, made=Ref(kind, "5"))
    mended(lane)
    assert sent_again(lane).plan.scenario_version == 1


def test_what_may_have_been_made_keeps_its_plan(lane: Lane) -> None:
    parked(lane, Why.INVALID)
    lane.db.write_now(lambda tx: tx.execute(update(_delivery).values(in_doubt=True)) and None)
    mended(lane)
    assert sent_again(lane).plan.scenario_version == 1


@pytest.mark.parametrize(
    "rules", [RULES.replace("ended", "missed"), RULES + "stage: Нет такого\n"], ids=["ask for nothing", "do not fit"]
)
def test_rules_that_give_no_plan_leave_the_one_there_is(lane: Lane, rules: str) -> None:
    parked(lane, Why.INVALID)
    mended(lane)
    lane.db.write_now(scenario_versions.save, lane.tenant_id, "acme", rules, "owner", NOW)
    assert sent_again(lane).plan.scenario_version == 1


def test_what_was_given_up_can_still_be_sent(lane: Lane) -> None:
    (one,) = parked(lane, Why.INVALID)
    lane.db.write_now(by_hand.drop, lane.tenant_id, one, NOW)
    assert lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id, one, NOW)
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {one: DELIVERED})
    assert states(lane) == {"delivered": 1}


def test_a_replay_of_all_leaves_alone_what_was_given_up(lane: Lane) -> None:
    first, _ = parked(lane, Why.INVALID, Why.INVALID)
    lane.db.write_now(by_hand.drop, lane.tenant_id, first, NOW)
    assert lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, None, NOW) == 1


def test_what_a_person_decided_is_in_the_ledger_with_his_name(lane: Lane) -> None:
    parked(lane, Why.INVALID, Why.UNSUPPORTED)
    lane.db.write_now(by_hand.drop_alike, lane.tenant_id, lane.installation_id, "invalid", NOW, 7)
    lane.db.write_now(partial(by_hand.replay_parked, vault=lane.vault), lane.tenant_id, None, NOW)
    told = select(_entry.c.kind, _entry.c.who).where(_entry.c.kind.in_(("dropped", "replayed"))).order_by(_entry.c.id)
    assert lane.db.read_now(lambda tx: tx.execute(told).all()) == [("dropped", "person:7"), ("replayed", "")]
