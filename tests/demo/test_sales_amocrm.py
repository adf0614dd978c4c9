"""The sales people in amoCRM do to each deal what its fate says, when it says so, and nothing twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.demo.crm_amocrm import LOST, WON
from sandbox.demo.fates import Fate, Outcome
from sandbox.demo.sales_amocrm import AmoSales, Pipeline

STAGES = (11, 12, 13)
PHONE = "9161234567"
BORN = 1_000.0


def department(fate: Fate) -> AmoSales:
    made = AmoSales(door=None, fates={PHONE: fate}, tokens=["t"])  # type: ignore[arg-type]
    made._pipeline = Pipeline(5, STAGES)
    made._phones[61] = PHONE
    return made


def lead(status: int = 11, price: int = 0, number: int = 21) -> Mapping[str, Any]:
    contacts = {"contacts": [{"id": 61}]}
    return {"id": number, "status_id": status, "price": price, "created_at": BORN, "_embedded": contacts}


@pytest.mark.parametrize(("age", "stage"), [(100, None), (400, 12), (700, 13)])
def test_a_deal_moves_through_the_stages(age: float, stage: int | None) -> None:
    move = department(Fate(Outcome.WON, 500, 900))._move(lead(), BORN + age)

    assert move == (stage and {"id": 21, "pipeline_id": 5, "status_id": stage})


def test_a_won_deal_gets_its_price() -> None:
    move = department(Fate(Outcome.WON, 500, 900))._move(lead(13), BORN + 900)

    assert move == {"id": 21, "pipeline_id": 5, "status_id": WON, "price": 500}


def test_a_lost_deal_gets_none() -> None:
    move = department(Fate(Outcome.LOST, 0, 900))._move(lead(13), BORN + 900)

    assert move == {"id": 21, "pipeline_id": 5, "status_id": LOST}


def test_a_decided_deal_is_left_alone() -> None:
    assert department(Fate(Outcome.WON, 500, 900))._move(lead(WON, 500), BORN + 5_000) is None


def test_a_price_is_corrected_after_winning() -> None:
    fate = Fate(Outcome.WON, 500, 900, again_s=2_000, again=Outcome.WON, again_price=600)
    move = department(fate)._move(lead(WON, 500), BORN + 2_000)

    assert move == {"id": 21, "pipeline_id": 5, "status_id": WON, "price": 600}


def test_a_won_deal_is_taken_back() -> None:
    fate = Fate(Outcome.WON, 500, 900, again_s=2_000)
    move = department(fate)._move(lead(WON, 500), BORN + 2_000)

    assert move == {"id": 21, "pipeline_id": 5, "status_id": 13}


def test_a_later_deal_of_the_same_person_stays_where_it_is() -> None:
    sales = department(Fate(Outcome.WON, 500, 900))
    sales._move(lead(), BORN + 100)

    assert sales._move(lead(number=22), BORN + 900) is None
