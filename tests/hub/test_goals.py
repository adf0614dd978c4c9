"""Goals by what the CRM says of a deal, and what a goal is worth."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from connectors.protocol import DealChange, Facts, Page, Pipeline, Stage, StagePassed
from hub import goals as reaching
from hub import readback
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.setup_rules import read_rules
from hub.store import crm, judging
from hub.store.db import Db
from hub.store.tables import Delivery, Enquiry, Goal, Site, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW, customer, plan
from tests.hub.world import World
from tracking_core.qualify import Verdict

_goal, _delivery = table_of(Goal), table_of(Delivery)
STAGES = (Stage("11", "Новая", "open"), Stage("12", "Замер назначен", "open"), Stage("13", "Договор", "open"))
FACTS = Facts("31", "Окна", "RUB", (Pipeline("1", "Продажи", STAGES),), {}, {})


class Sales:
    """A customer with his rules, one qualified call of his, and the deal that came of it."""

    def __init__(self, db: Db, vault: Vault, *goals: Mapping[str, Any]) -> None:
        self.db, self.vault = db, vault
        self.deal = DealChange("771", None, "1", "11", "open", 0, "RUB", NOW, NOW, None, "", tags=())
        db.write_now(self._begin, goals)

    def _begin(self, tx: Tx, goals: Any) -> None:
        self.tenant_id, self.crm = customer(tx, self.vault)
        crm.save_facts(tx, self.tenant_id, self.crm, FACTS, NOW)
        judging.save(tx, self.tenant_id, {"goals": list(goals)}, self.vault)
        site = {"hosts": [], "zone": "UTC", "overflow_number": "+74951000000", "hold_s": 600}
        for key, currency in (("k1", "RUB"), ("k2", "EUR")):
            made = insert(table_of(Site)).values(tenant_id=self.tenant_id, key=key, name=key, currency=currency, **site)
            site_id = tx.execute(made.returning(table_of(Site).c.id)).scalar_one()
        judged = {"first_time": True, "qualified": True, "qualified_why": ""}
        told = {"tenant_id": self.tenant_id, "kind": "call", "key": "1:c", "site_id": site_id, "at": NOW, **judged}
        made = insert(table_of(Enquiry)).values(**told).returning(table_of(Enquiry).c.id)
        self.enquiry_id = tx.execute(made).scalar_one()
        asked = Planned(self.crm, f"call:{self.enquiry_id}", self.enquiry_id, "k", NOW, plan())
        queue.enqueue(tx, self.tenant_id, asked, NOW, self.vault)
        self.deal = replace(self.deal, marker=tx.execute(select(_delivery.c.marker)).scalar_one())

    def changes(self, hours: int, **changed: Any) -> None:
        """Read back that the deal changed so many hours later."""
        self.deal = replace(self.deal, updated_at=NOW + timedelta(hours=hours), **changed)
        self._read_back((self.deal,))

    def passes(self, *stages: tuple[int, str], deal: str = "771", **changed: Any) -> None:
        """Read back that the deal stood in stages, as (hours, stage), and is elsewhere if it is said to be."""
        if changed:
            self.deal = replace(self.deal, updated_at=NOW + timedelta(hours=stages[-1][0]), **changed)
        passed = tuple(StagePassed(deal, "1", stage, hours(number)) for number, stage in stages)
        self._read_back((self.deal,) if changed else (), passed)

    def _read_back(self, deals: tuple[DealChange, ...], passed: tuple[StagePassed, ...] = ()) -> None:
        def save(tx: Tx) -> None:
            page = Page(deals, (), "c", more=False, stages=passed)
            readback.save_page(tx, crm.installation(tx, self.tenant_id, self.crm), page, NOW, self.vault)

        self.db.write_now(save)

    def is_judged(self, *, qualified: bool = True) -> None:
        """Judge the call by the rules."""
        told = {"enquiry_id": self.enquiry_id, "visit_id": None, "occurred_at": NOW}

        def judge(tx: Tx) -> None:
            rules = read_rules(judging.rules_of(tx, self.tenant_id, self.vault))
            judged = [(one, Verdict(qualified, "")) for one in rules]
            reaching.of_enquiry(tx, self.tenant_id, "call", told, judged, NOW)

        self.db.write_now(judge)

    def reached(self) -> dict[str, datetime]:
        return {row.name: row.occurred_at for row in self._goals() if row.withdrawn_at is None}

    def worth(self) -> dict[str, tuple[int, str]]:
        return {row.name: (row.value_minor, row.currency) for row in self._goals() if row.withdrawn_at is None}

    def _goals(self) -> list[Any]:
        return self.db.read_now(lambda tx: list(tx.execute(select(_goal))))


def hours(number: int) -> datetime:
    return NOW + timedelta(hours=number)


MEASURED = {"name": "measured", "deal": {"stage": ["замер назначен"]}}


def test_a_stage_counts_from_when_it_was_reached_and_stays_reached(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.changes(1)
    assert sales.reached() == {}
    sales.changes(2, stage="12")
    sales.changes(3, stage="13")
    sales.changes(4, stage="143", outcome="lost")
    assert sales.reached() == {"measured": hours(2)}


def test_a_stage_that_was_only_passed_counts_from_when_the_deal_came_to_it(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.passes((1, "11"), (2, "12"), (3, "13"), stage="13")
    assert sales.reached() == {"measured": hours(2)}


def test_a_passed_stage_counts_though_the_deal_itself_was_read_before(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.changes(3, stage="13")
    assert sales.reached() == {}
    sales.passes((2, "12"))
    assert sales.reached() == {"measured": hours(2)}


def test_a_passed_stage_of_a_deal_lost_since_counts_unless_the_rule_says_so(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED, {"name": "kept", "deal": {"stage": ["12"], "unless_lost": True}})
    sales.changes(3, stage="143", outcome="lost")
    sales.passes((2, "12"))
    assert sales.reached() == {"measured": hours(2)}


def test_a_passed_stage_that_also_asks_for_a_tag_waits_until_the_deal_is_read(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "good", "deal": {"stage": ["12"], "tag": ["Целевой"]}})
    sales.changes(3, stage="13", tags=("целевой",))
    sales.passes((2, "12"))
    assert sales.reached() == {}
    sales.changes(4)
    assert sales.reached() == {"good": hours(4)}


def test_a_passed_stage_and_a_tag_count_though_the_deal_read_with_it_is_no_news(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "good", "deal": {"stage": ["12"], "tag": ["Целевой"]}})
    sales.changes(3, stage="13", tags=("целевой",))
    sales.passes((3, "12"), stage="13")
    assert sales.reached() == {"good": hours(3)}


def test_stages_of_deals_that_are_not_ours_are_nobodys(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.passes((2, "12"), deal="999")
    assert sales.reached() == {}


def test_a_lost_deal_takes_its_goal_back_where_the_rule_says_so(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "measured", "deal": {"stage": ["12"], "unless_lost": True}})
    sales.changes(2, stage="12")
    sales.changes(3, stage="143", outcome="lost")
    assert sales.reached() == {}
    sales.changes(4, stage="12", outcome="open")
    assert sales.reached() == {"measured": hours(2)}


def test_a_deleted_deal_takes_every_goal_back(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.changes(2, stage="12")
    sales.changes(3, deleted=True, pipeline="", stage="")
    assert sales.reached() == {}


def test_a_tag_counts_from_when_it_was_first_seen_and_as_long_as_it_is_there(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "good", "deal": {"tag": ["Целевой"]}})
    sales.changes(1, tags=("целевой", "другой"))
    sales.changes(2)
    assert sales.reached() == {"good": hours(1)}
    sales.changes(3, tags=())
    assert sales.reached() == {}


def test_without_such_goals_a_won_deal_is_one(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target"})
    sales.changes(2, stage="142", outcome="won", amount_minor=500, closed_at=hours(1))
    assert (sales.reached(), sales.worth()) == ({"deal_won": hours(1)}, {"deal_won": (500, "RUB")})
    sales.changes(3, stage="12", outcome="open", closed_at=None)
    assert sales.reached() == {}


def test_a_deal_that_came_from_elsewhere_reaches_no_goal(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, MEASURED)
    sales.changes(2, stage="12", marker=None)
    assert sales.reached() == {}


# -- what it is worth


def test_a_fixed_value_is_in_the_currency_of_the_enquiry_s_site(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target", "value": "1499.90"}, {**MEASURED, "value": 7})
    sales.is_judged()
    sales.changes(2, stage="12", amount_minor=100)
    assert sales.worth() == {"target": (149_990, "EUR"), "measured": (700, "EUR")}


def test_the_deal_s_value_follows_the_deal(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target", "value": "deal"}, MEASURED)
    sales.is_judged()
    assert sales.worth() == {"target": (0, "")}
    sales.changes(2, stage="12", amount_minor=100)
    assert sales.worth() == {"target": (100, "RUB"), "measured": (100, "RUB")}
    sales.changes(3, amount_minor=300)
    assert sales.worth() == {"target": (300, "RUB"), "measured": (300, "RUB")}
    sales.changes(4, outcome="lost")
    assert sales.worth() == {"target": (0, ""), "measured": (0, "RUB")}


def test_an_enquiry_judged_again_keeps_the_deal_s_value(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target", "value": "deal"})
    sales.changes(2, amount_minor=300)
    sales.is_judged()
    assert sales.worth() == {"target": (300, "RUB")}


def test_an_enquiry_that_no_longer_counts_takes_its_goal_back(store: Db, vault: Vault) -> None:
    sales = Sales(store, vault, {"name": "target", "value": 5})
    sales.is_judged()
    sales.is_judged(qualified=False)
    assert sales.worth() == {}


# -- what the set-up file may say


@pytest.mark.parametrize("value", [-1, "1.005", "much", True, "NaN", 10**14])
def test_a_value_that_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is an amount like 500"):
        read_rules(json.dumps({"goals": [{"name": "g", "value": value}]}))


@pytest.mark.parametrize(
    ("goal", "why"),
    [
        ({"deal": {}}, "names at least one of stage, pipeline, tag and outcome"),
        ({"deal": {"tag": ["x"]}, "min_talk_s": 5, "kinds": ["form"]}, "leave out kinds, min_talk_s"),
        ({"kinds": ["form"], "called_back_within_s": 60}, "kinds names neither"),
        ({"called_back_within_s": 0}, "greater than or equal to 1"),
    ],
)
def test_a_goal_that_contradicts_itself_is_refused(goal: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_rules(json.dumps({"goals": [{"name": "g", **goal}]}))


# -- the programming interface


async def test_goals_are_listed_from_an_id_on(shared: World) -> None:
    assert await shared.api("goals", after=7) == {"goals": [], "next": 7}


async def test_a_page_of_goals_is_asked_for_by_a_number(shared: World) -> None:
    headers = {"authorization": f"Bearer {shared.applied.api_token}"}
    answer = await shared.web.get("/api/v1/goals", params={"after": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "The parameter after is a whole number.")
