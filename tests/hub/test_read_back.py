"""What read-back brings from the CRM's sandbox besides stages and amounts: invoices, and stages passed between two looks."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from hub.store.tables import Goal, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World

_goal = table_of(Goal)
RULES = """
goals:
  - {name: negotiated, deal: {stage: [Переговоры]}}
  - {name: deal_won, deal: {outcome: won}}
"""
PERIOD_S = 61


@pytest.fixture
def set_up() -> str:
    return worlds.SETUP + RULES


class Sales:
    """A deal that came of a call, and the sales department that has it."""

    def __init__(self, world: World, deal: dict[str, Any], stages: dict[str, int], elements: str) -> None:
        self.world, self.deal, self.stages, self.elements = world, deal["id"], stages, elements

    async def ask(self, method: str, path: str, told: object = None) -> Any:
        """Do something at the screen."""
        answer = await self.world.crm_web.request(method, path, json=told)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def move(self, *stages: str) -> None:
        """Move the deal through stages, all in one second."""
        for stage in stages:
            await self.ask("PATCH", f"/api/v4/leads/{self.deal}", {"status_id": self.stages[stage], "price": 1_000})

    async def invoice(self, price: float) -> int:
        """Write an invoice that is paid and hang it on the deal."""
        paid = {"BILL_STATUS": {"enum_code": "paid"}, "BILL_PRICE": {"value": price}}
        told = [{"field_code": code, "values": [value]} for code, value in paid.items()]
        made = await self.ask("POST", self.elements, [{"name": "Счёт", "custom_fields_values": told}])
        (invoice,) = (one["id"] for one in made["_embedded"]["elements"])
        await self.hang(self.deal, invoice)
        return int(invoice)

    async def hang(self, deal: int, invoice: int, deed: str = "link") -> None:
        """Hang an invoice on a deal, or take it off."""
        asked = [{"to_entity_id": invoice, "to_entity_type": "catalog_elements"}]
        await self.ask("POST", f"/api/v4/leads/{deal}/{deed}", asked)

    async def set_price(self, invoice: int, price: float) -> None:
        """Change the sum of an invoice."""
        told = [{"field_code": "BILL_PRICE", "values": [{"value": price}]}]
        await self.ask("PATCH", f"{self.elements}/{invoice}", {"custom_fields_values": told})

    async def read(self, brings: Callable[[Tx], bool]) -> None:
        """Let the hub read back until something is there."""
        await self.world.until(lambda _: self.world.hub.db.read_now(brings), step_s=5)

    async def read_for(self, seconds: float) -> None:
        """Let the hub read back for so long."""
        until = self.world.clock.now().timestamp() + seconds
        await self.world.until(lambda _: self.world.clock.now().timestamp() >= until, step_s=2)

    async def comes_to(self, amount_minor: int) -> None:
        """Let the hub read back until the report says so much."""
        await self.world.comes_to(self.revenue, lambda found: found == amount_minor, 2)

    async def revenue(self) -> int:
        day = self.world.clock.now().date().isoformat()
        report = await self.world.api("report/roi", **{"from": day, "to": day})
        return int(report["total"]["revenue_minor"])


@pytest.fixture
async def sales(world: World) -> Sales:
    """A deal at a customer whose account keeps invoices."""
    await world.crm_web.post("/_sandbox/dial", json={"invoices": True})
    assert (await world.connect()).status_code == 303
    token = (await world.crm_web.post("/_sandbox/token", json={})).json()["access_token"]
    world.crm_web.headers["authorization"] = f"Bearer {token}"
    account = (await world.crm_web.get("/api/v4/account?with=invoices_settings")).json()
    pipelines = (await world.crm_web.get("/api/v4/leads/pipelines")).json()["_embedded"]["pipelines"]
    stages = {stage["name"]: stage["id"] for stage in pipelines[0]["_embedded"]["statuses"]}
    told = {"call_id": "g1", "event": "ended", "at": world.clock.now().isoformat(), "status": "answered"}
    told |= {"dialled": "+74952220001", "caller": "+79165554433", "talk_s": 45, "wait_s": 5}
    assert (await world.generic(told, "m1")).status_code == 200
    await world.delivered(1)
    (deal,) = (await world.state())["leads"]
    elements = f"/api/v4/catalogs/{account['invoices_settings']['invoices_catalog_id']}/elements"
    return Sales(world, deal, stages, elements)


def has_reached(name: str) -> Callable[[Tx], bool]:
    """Say whether a goal was reached."""
    return lambda tx: tx.execute(select(_goal.c.id).where(_goal.c.name == name)).first() is not None


async def test_an_invoice_that_is_paid_changed_and_torn_up_is_the_revenue_while_it_is_there(sales: Sales) -> None:
    invoice = await sales.invoice(150.50)
    await sales.comes_to(15_050)
    await sales.set_price(invoice, 200)
    await sales.comes_to(20_000)
    await sales.ask("POST", "/_sandbox/delete-invoice", {"id": invoice})
    await sales.comes_to(0)


async def test_an_invoice_that_goes_to_another_deal_takes_its_money_with_it(sales: Sales) -> None:
    invoice = await sales.invoice(100)
    await sales.comes_to(10_000)
    other = (await sales.ask("POST", "/api/v4/leads", [{"name": "Другая"}]))["_embedded"]["leads"][0]["id"]
    await sales.hang(sales.deal, invoice, "unlink")
    await sales.hang(other, invoice)
    await sales.comes_to(0)


async def test_a_stage_that_was_only_passed_reaches_its_goal_and_costs_no_request(sales: Sales) -> None:
    await sales.read_for(2 * PERIOD_S)
    await sales.world.crm_web.post("/_sandbox/ledger/clear")
    await sales.move("Переговоры", "Закрыто и не реализовано")
    await sales.read(has_reached("negotiated"))
    await sales.read_for(2 * PERIOD_S)
    ledger = (await sales.world.crm_web.get("/_sandbox/ledger")).json()["rows"]
    read = [row["path"].rpartition("/")[2] for row in ledger if row["method"] == "GET"]
    assert set(read) - {"elements"} == {"events", "leads"}
    asked = [what for what in read if what != "elements"]
    since = asked[asked.index("leads") :]  # one reading was under way when the ledger was cleared, perhaps
    assert since == [("leads", "events")[place % 2] for place in range(len(since))]


async def test_a_deal_that_was_won_and_reopened_between_two_looks_is_not_won(sales: Sales) -> None:
    await sales.move("Успешно реализовано", "Переговоры")
    await sales.read(has_reached("negotiated"))
    assert not sales.world.hub.db.read_now(has_reached("deal_won"))
    assert await sales.revenue() == 0
