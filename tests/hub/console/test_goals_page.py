"""The page of goals: rules in words, what came of each, the names that are nowhere, and the last ones."""

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import update

from hub.setup_rules import GoalPart, goal_parts
from hub.store import goals_told, judging, tables
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.console.conftest import NOW, row

FACTS = {
    "name": "Окна",
    "warnings": [],
    "pipelines": [{"id": "1", "name": "Продажи", "stages": [{"id": "11", "name": "Новая", "outcome": "open"}]}],
}
TARGET = {"name": "target", "kinds": ["call"], "min_talk_s": 20, "called_back_within_s": 300, "value": "500"}
SOLD = {"name": "sold", "deal": {"outcome": "won"}}


class Company:
    """The first tenant, with goals a test writes for him."""

    def __init__(self, db: Db, seeded: Any, vault: Vault) -> None:
        self.db, self.seeded, self.vault = db, seeded, vault

    def rules(self, *goals: Mapping[str, Any]) -> None:
        self.db.write_now(judging.save, self.seeded.tenant, {"goals": list(goals)}, self.vault)

    def connected(self, facts: Mapping[str, Any]) -> None:
        installation = tables.table_of(tables.Installation)
        self.db.write_now(lambda tx: tx.execute(update(installation).values(facts=facts)).rowcount)

    def reaches(self, name: str, enquiry_id: int, **more: Any) -> None:
        told = {"value_minor": 0, "currency": "", "occurred_at": NOW - timedelta(hours=1), "withdrawn_at": None, **more}
        subject = f"call:{enquiry_id}:{len(told)}"

        def write(tx: Tx) -> None:
            mine = {"tenant_id": self.seeded.tenant, "enquiry_id": enquiry_id, "visit_id": None}
            row(tx, tables.Goal, **mine, name=name, subject=subject, **told)

        self.db.write_now(write)

    def clicked(self) -> None:
        """The visits came from clicks on ads."""
        visit = tables.table_of(tables.Visit)
        self.db.write_now(lambda tx: tx.execute(update(visit).values(click_ids='[["yclid", "777"]]')).rowcount)


@pytest.fixture
def company(db: Db, seeded: Any, vault: Vault) -> Company:
    return Company(db, seeded, vault)


async def text(client: httpx.AsyncClient) -> str:
    answer = await client.get("/goals")
    assert answer.status_code == 200, answer.text
    return plain(answer.text)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def test_without_goals_of_his_own_the_usual_ones_are_told(owner: httpx.AsyncClient) -> None:
    told = await text(owner)
    assert "В файле настройки цели не названы, поэтому действуют обычные." in told
    assert "call_qualified Звонок; разговор от 30 с 0 0 —" in told
    assert "deal_won Сделка по обращению; выиграна 0 0 — сумма сделки" in told
    assert "За 30 дней целей не достигли." in told


async def test_a_goal_says_its_rule_its_worth_and_what_came_of_it(owner: httpx.AsyncClient, company: Company) -> None:
    company.rules(TARGET)
    company.clicked()
    company.reaches("target", company.seeded.answered, value_minor=50_000, currency="RUB")
    company.reaches("target", company.seeded.missed, value_minor=50_000, currency="RUB")
    company.reaches("target", company.seeded.billboard, withdrawn_at=NOW, value_minor=50_000, currency="RUB")
    rule = "Звонок; разговор от 20 с; пропущенный или заказ звонка, если перезвонили за 5 мин 00 с"
    assert f"target {rule} 2 отозвана 1 1 50 % 1 000,00 ₽ по 500,00 ₽" in await text(owner)


async def test_a_goal_of_before_is_told_with_what_it_still_has(owner: httpx.AsyncClient, company: Company) -> None:
    company.rules(TARGET, SOLD)
    company.reaches("of_old", company.seeded.answered)
    assert "of_old В файле настройки её больше нет: новые не засчитываются. 1" in await text(owner)


async def test_the_last_ones_lead_to_their_enquiries(owner: httpx.AsyncClient, company: Company) -> None:
    company.clicked()
    company.reaches("deal_won", company.seeded.answered, value_minor=100, currency="USD")
    answer = await owner.get("/goals")
    assert f'href="/enquiries/{company.seeded.answered}"' in answer.text
    assert "deal_won +7 916 ***-**-67 Звонок searchads okna-brand yclid 1,00 $" in await text(owner)


async def test_a_story_tells_the_goals_it_has_reached(owner: httpx.AsyncClient, company: Company) -> None:
    company.reaches("target", company.seeded.answered, value_minor=50_000, currency="RUB")
    company.reaches("sold", company.seeded.answered, withdrawn_at=NOW)
    answer = await owner.get(f"/enquiries/{company.seeded.answered}")
    assert "Каких целей достигло 14:00 target 500,00 ₽ 14:00 sold отозвана" in plain(answer.text)


@pytest.mark.parametrize(
    ("deal", "said"),
    [
        ({"stage": ["Замер"]}, "Цель g: этапа «Замер» нет ни в одном подключённом аккаунте, он не засчитывается. Есть: «Новая»."),
        ({"pipeline": ["Опт"]}, "Цель g: воронки «Опт» нет ни в одном подключённом аккаунте, она не засчитывается. Есть: «Продажи»."),
    ],
)  # fmt: skip
async def test_what_no_account_has_is_named(owner: httpx.AsyncClient, company: Company, deal: Any, said: str) -> None:
    company.rules({"name": "g", "deal": deal})
    company.connected(FACTS)
    assert said in await text(owner)


@pytest.mark.parametrize("deal", [{"stage": ["новая "]}, {"stage": ["11"], "pipeline": ["1"]}, {"tag": ["VIP"]}])
async def test_what_is_there_is_no_trouble(owner: httpx.AsyncClient, company: Company, deal: Any) -> None:
    company.rules({"name": "g", "deal": deal})
    company.connected(FACTS)
    assert "не засчитывается" not in await text(owner)


async def test_before_a_crm_is_connected_the_page_says_so(owner: httpx.AsyncClient, company: Company) -> None:
    company.rules({"name": "g", "deal": {"stage": ["Замер"]}})
    company.connected({})
    assert "Цели по этапам и тегам сделок заработают, когда вы подключите CRM." in await text(owner)


async def test_goals_of_another_tenant_are_not_here(company: Company) -> None:
    company.reaches("deal_won", company.seeded.answered)
    assert company.db.read_now(goals_told.goal_sums, company.seeded.stranger, NOW - timedelta(days=30)) == []
    assert company.db.read_now(goals_told.goal_lines, company.seeded.stranger, 0, 9) == []


async def test_the_example_is_one_the_set_up_file_takes(owner: httpx.AsyncClient) -> None:
    (example,) = re.findall(r"<pre[^>]*>(.*?)</pre>", (await owner.get("/goals")).text, re.DOTALL)
    read = [GoalPart.model_validate(goal) for goal in yaml.safe_load(unescape(example))["goals"]]
    assert [goal.name for goal in read] == ["target", "measured", "sold"]


def test_goals_are_listed_a_page_at_a_time(company: Company) -> None:
    company.clicked()
    company.reaches("deal_won", company.seeded.answered, value_minor=100, currency="RUB")
    (one,) = company.db.read_now(goals_told.goal_lines, company.seeded.tenant, 0, 9)
    assert (one.name, one.value_minor, one.clicks, one.withdrawn_at) == ("deal_won", 100, {"yclid": "777"}, None)
    assert company.db.read_now(goals_told.goal_lines, company.seeded.tenant, one.id, 9) == []


def test_the_usual_goals_stand_in_for_those_a_file_does_not_name() -> None:
    assert [one.name for one in goal_parts('{"goals": [{"name": "g"}]}')] == ["g", "deal_won"]
    assert goal_parts('{"goals": [{"name": "g", "deal": {"tag": ["x"]}}]}')[0].name == "call_qualified"
