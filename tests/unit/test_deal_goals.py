"""Which deals reach a goal, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracking_core.deal_goals import WON, DealRules, DealSeen, Stood, plain, reached, worth

T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(hours: int) -> datetime:
    return T0 + timedelta(hours=hours)


def stood(pipeline: str, stage: str, hours: int) -> Stood:
    return Stood(plain([pipeline]), plain([stage, f"id of {stage}"]), at(hours))


NEW, MEASURED = stood("Продажи", "Новая", 0), stood("Продажи", "Замер назначен", 2)
OPEN = DealSeen("open", ["VIP"], at(3), None, False, [NEW, MEASURED, stood("Продажи", "Договор", 3)])
LOST, GONE = replace(OPEN, outcome="lost", closed_at=at(3)), replace(OPEN, deleted=True, outcome="lost")
SOLD = replace(OPEN, outcome="won", closed_at=at(4))


def rules(**told: list[str]) -> DealRules:
    return DealRules("g", **{name: plain(names) for name, names in told.items()})


@pytest.mark.parametrize(
    ("deal", "asked", "since"),
    [
        (OPEN, rules(stages=["замер НАЗНАЧЕН "]), 2),
        (OPEN, rules(stages=["id of Замер назначен"]), 2),
        (OPEN, rules(stages=["Договор", "Замер назначен"]), 2),
        (OPEN, rules(stages=["Оплата"]), None),
        (OPEN, rules(stages=["Замер назначен"], pipelines=["Продажи"]), 2),
        (OPEN, rules(stages=["Замер назначен"], pipelines=["Опт"]), None),
        (OPEN, rules(pipelines=["продажи"]), 0),
        (OPEN, rules(tags=["vip"]), 3),
        (OPEN, rules(tags=["vip"], stages=["Новая"]), 3),
        (OPEN, rules(tags=["опт"], stages=["Новая"]), None),
        (OPEN, WON, None),
        (SOLD, WON, 4),
        (replace(SOLD, closed_at=None), WON, 3),
        (LOST, rules(stages=["Замер назначен"]), 2),
        (LOST, replace(rules(stages=["Замер назначен"]), unless_lost=True), None),
        (GONE, rules(stages=["Замер назначен"]), None),
    ],
)
def test_when_a_deal_reached_a_goal(deal: DealSeen, asked: DealRules, since: int | None) -> None:
    assert reached(deal, asked, None) == (None if since is None else at(since))


def test_a_tag_counts_since_it_was_first_seen() -> None:
    assert reached(OPEN, rules(tags=["vip"]), at(1)) == at(1)


@pytest.mark.parametrize(("deal", "minor"), [(OPEN, 500), (SOLD, 500), (LOST, 0), (GONE, 0)])
def test_a_deal_that_is_lost_is_worth_nothing(deal: DealSeen, minor: int) -> None:
    assert worth(deal.outcome, deal.deleted, 500) == minor
