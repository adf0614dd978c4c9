"""What the demo reads of a portal, and what its sales people do there."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.demo.crm import Deal, traffic
from sandbox.demo.crm_bitrix24 import Bitrix24, employees, read_state
from sandbox.demo.fates import Fate, Outcome
from sandbox.demo.sales_bitrix24 import PortalSales

MARK, OTHER = "a" * 32, "b" * 32
PHONE = "9161234567"
BORN = 1_000.0
ADVANCED = Fate(Outcome.WON, 500, 900, advance_minor=20_000)


class Portal:
    """Holds one deal of one contact, and keeps what the managers do."""

    def __init__(self, stage: str = "NEW", opportunity: int = 0, payments: int = 0) -> None:
        semantics = {"WON": "S", "LOSE": "F"}.get(stage, "P")
        deal = {"id": 21, "stageId": stage, "stageSemanticId": semantics, "opportunity": opportunity}
        deal |= {"createdTime": BORN, "movedTime": 2_000, "contactIds": [61], "originId": MARK}
        paid = {"id": 1, "owner": [2, 21], "sum": 20_000, "paid": True}
        self.holds: dict[str, Any] = {
            "deal": [deal],
            "contact": [{"id": 61, "fm": [{"type": "PHONE", "value": "+7 916 123-45-67"}]}],
            "payments": [paid] * payments,
            "comments": [],
            "activities": [],
            "users": [{"id": 1, "is_admin": True}, {"id": 6, "is_admin": False}, {"id": 12, "is_admin": False}],
        }
        self.done: list[tuple[str, int, Mapping[str, object]]] = []

    def stored(self) -> dict[str, Any]:
        return self.holds

    def do(self, deed: str, user_id: int, **told: object) -> None:
        self.done.append((deed, user_id, told))


def worked(portal: Portal, fate: Fate, age: float) -> list[tuple[str, Mapping[str, object]]]:
    """What the managers do in one shift."""
    sales = PortalSales(portal, {PHONE: fate}, (6, 12), ("NEW", "PREPARATION", "EXECUTING"))  # type: ignore[arg-type]
    sales.work(BORN + age)
    return [(deed, told) for deed, _, told in portal.done]


@pytest.mark.parametrize(("age", "stage"), [(100, None), (400, "PREPARATION"), (700, "EXECUTING")])
def test_a_deal_moves_through_the_stages(age: float, stage: str | None) -> None:
    done = worked(Portal(), Fate(Outcome.WON, 500, 900), age)

    assert [told["stage"] for deed, told in done if deed == "move"] == ([stage] if stage else [])


def test_a_won_deal_gets_its_amount_before_it_is_moved() -> None:
    done = worked(Portal("EXECUTING"), Fate(Outcome.WON, 500, 900), 900)

    assert done == [("amount", {"id": 21, "minor": 50_000}), ("move", {"kind": "deal", "id": 21, "stage": "WON"})]


def test_a_lost_deal_gets_none() -> None:
    done = worked(Portal("EXECUTING"), Fate(Outcome.LOST, 0, 900), 900)

    assert done == [("move", {"kind": "deal", "id": 21, "stage": "LOSE"})]


def test_a_decided_deal_is_left_alone() -> None:
    assert worked(Portal("WON", 50_000), Fate(Outcome.WON, 500, 900), 5_000) == []


def test_an_advance_is_paid_half_way_and_once() -> None:
    half_way = worked(Portal("PREPARATION"), ADVANCED, 500)
    later = worked(Portal("PREPARATION", payments=1), ADVANCED, 550)

    assert (half_way, later) == ([("payment", {"id": 21, "minor": 20_000, "paid": True})], [])


@pytest.mark.parametrize("is_owed", [False, True])
def test_the_rest_is_paid_with_the_end_or_owed(is_owed: bool) -> None:
    fate = Fate(Outcome.WON, 500, 900, advance_minor=20_000, is_owed=is_owed)
    done = worked(Portal("EXECUTING", 50_000, payments=1), fate, 900)

    assert ("payment", {"id": 21, "minor": 30_000, "paid": not is_owed}) in done


def test_a_won_deal_is_taken_back() -> None:
    fate = Fate(Outcome.WON, 500, 900, again_s=2_000)

    assert worked(Portal("WON", 50_000), fate, 2_000) == [("move", {"kind": "deal", "id": 21, "stage": "EXECUTING"})]


def test_a_later_deal_of_the_same_person_stays_where_it_is() -> None:
    portal = Portal("PREPARATION")
    portal.holds["deal"].append({**portal.holds["deal"][0], "id": 22})

    assert {told["id"] for _, told in worked(portal, Fate(Outcome.LOST, 0, 900), 900)} == {21}


def test_managers_take_turns_and_the_admin_does_not_sell() -> None:
    portal = Portal()
    sales = PortalSales(portal, {PHONE: Fate(Outcome.LOST, 0, 900)}, employees(portal.holds), ("NEW",))  # type: ignore[arg-type]
    for _ in range(3):
        sales.work(BORN + 900)

    assert [who for _, who, _ in portal.done] == [12, 6, 12]


def test_a_deal_is_read_with_marker_phones_and_what_was_paid() -> None:
    read = read_state(Portal("WON", 50_000, payments=1).holds)

    assert read.deals == [Deal(21, (MARK,), (PHONE,), 50_000, True, BORN, 2_000, paid=20_000)]


def test_an_unpaid_payment_is_not_paid() -> None:
    portal = Portal("WON", 50_000, payments=1)
    portal.holds["payments"][0]["paid"] = False

    assert read_state(portal.holds).deals[0].paid == 0


def test_an_open_deal_is_not_closed_by_its_plan() -> None:
    assert read_state(Portal("EXECUTING").holds).deals[0].closed_at is None


def test_comments_calls_and_tasks_carry_markers_too() -> None:
    portal = Portal()
    todo = {"PROVIDER_ID": "CRM_TODO", "DESCRIPTION": f"Перезвонить\n{OTHER}#2"}
    portal.holds["comments"] = [{"id": 81, "text": f"Ещё один звонок\n{OTHER}"}]
    portal.holds["activities"] = [{"id": 91, "values": {"ORIGIN_ID": OTHER}}, {"id": 92, "values": todo}]
    read = read_state(portal.holds)

    assert read.traces[OTHER] == {("note", 81), ("call", 91), ("task", 92)}
    assert read.tasks == 1


@pytest.mark.parametrize(("deals", "readings"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_of_many_deals_it_takes_more_readings_until_every_payment_is_known(deals: int, readings: int) -> None:
    crm = Bitrix24(door=None)  # type: ignore[arg-type]
    crm.stored = lambda: {"deal": [{}] * deals}  # type: ignore[method-assign]

    assert crm.readings() == readings


def test_a_full_bucket_is_throttling_and_no_failure() -> None:
    read = traffic({"totals": {"200": 40, "503": 2, "429": 1, "401": 3, "500": 4}}, (429, 503))

    assert (read.requests, read.throttled, read.refused, read.failed) == (50, 3, 3, 4)
