"""A sales department at work in a Bitrix24 portal: it moves, prices, deletes and merges deals, and is paid for them.

Deals of even numbers are paid by invoices, those of odd numbers by payments of an order, so that one deal never has both.
"""

from collections.abc import Sequence
from typing import Any

from tests.proofs.department import Deed, Department

LEAD, DEAL, INVOICE = 1, 2, 31
FIRST_PAID = 0.1  # of the deals the department begins with: invoices, and as many orders
ABROAD = 0.1  # share of deals in another currency
CLOSED = ("S", "F")


class PortalRoom(Department[str]):
    """People in a portal; a stage's name says its pipeline."""

    def __init__(self, base_url: str, seed: int) -> None:
        super().__init__(base_url, seed)
        statuses = self._state()["statuses"]
        deal_stages = [one for one in statuses if one["entity_id"].startswith("DEAL_STAGE")]
        self.stages = [one["status_id"] for one in deal_stages]
        self.closed = [one["status_id"] for one in deal_stages if one["semantics"] in CLOSED]
        self._pipelines = {one["status_id"]: one["category_id"] or 0 for one in deal_stages}
        self._lead_stages = [one["status_id"] for one in statuses if one["entity_id"] == "STATUS"]
        self._lead_stages.remove("CONVERTED")
        bills = [one for one in statuses if one["entity_id"].startswith("SMART_INVOICE_STAGE")]
        self._bill_stages = [one["status_id"] for one in bills]
        self._paid_bill = next(one["status_id"] for one in bills if one["semantics"] == "S")
        self.leads: list[int] = []
        self.payments: dict[int, int] = {}  # payment -> its deal

    def held(self) -> dict[int, str]:
        """Return the deals the portal holds, with their stages."""
        return {one["id"]: one["stageId"] for one in self._state()["deal"]}

    def fill(self, deals: int) -> None:
        """Make so many deals, and pay some of them either way."""
        for _ in range(deals):
            self._create()
        for _ in range(round(deals * FIRST_PAID)):
            self._invoice()
            self._order()

    def deeds(self) -> Sequence[tuple[Deed, int]]:
        """Return what people do, and how often beside each other."""
        return (
            (self._new, 8), (self._lead, 4), (self._move_lead, 4), (self._convert, 3), (self.move, 20),
            (self._price, 14), (self.reopen, 6), (self._delete, 7), (self._delete_lead, 1), (self._merge, 5),
            (self._invoice, 3), (self._settle, 6), (self._hand_over, 3), (self._order, 3), (self._pay, 6),
            (self._tear_up, 2),
        )  # fmt: skip

    # -- deals

    def _new(self) -> int:
        return sum(self._create() for _ in range(self.dice.randrange(1, 6)))

    def _create(self) -> int:
        stage = self.dice.choice(self.stages)
        told: dict[str, Any] = {"title": "Сделка", "stageId": stage, "categoryId": self._pipelines[stage]}
        told |= {"opportunity": self._minor() / 100, "currencyId": "USD" if self.dice.random() < ABROAD else "RUB"}
        self.live[self._method("crm.item.add", entityTypeId=DEAL, fields=told)["item"]["id"]] = stage
        return 1

    def put(self, moved: dict[int, str]) -> None:
        """Move deals one by one."""
        for deal, stage in moved.items():
            self._do("move", kind="deal", id=deal, stage=stage)
        self.live |= moved

    def _price(self) -> int:
        deals = self.some(self.dice.randrange(1, 6))
        for deal in deals:
            self._do("amount", id=deal, minor=self._minor())
        return len(deals)

    def _delete(self) -> int:
        (deal,) = self.some(1)
        self._do("delete", kind="deal", id=deal)
        self._gone(deal)
        return 1

    def _merge(self) -> int:
        """Merge a deal into another that is paid the same way."""
        keep = self.some(1)[0]
        lose = [deal for deal in self.live if deal % 2 == keep % 2 and deal != keep]
        if not lose:
            return 0
        loser = self.dice.choice(lose)
        self._do("merge", kind="deal", lose=loser, keep=keep)
        self.payments = {one: keep if deal == loser else deal for one, deal in self.payments.items()}
        self._gone(loser)
        self.merged |= {str(loser)}
        return 1

    def _gone(self, deal: int) -> None:
        del self.live[deal]
        self.payments = {one: of for one, of in self.payments.items() if of != deal}

    # -- leads

    def _lead(self) -> int:
        told = {"title": "Лид", "opportunity": self._minor() / 100}
        self.leads.append(self._method("crm.item.add", entityTypeId=LEAD, fields=told)["item"]["id"])
        return 1

    def _move_lead(self) -> int:
        if not self.leads:
            return 0
        self._do("move", kind="lead", id=self.dice.choice(self.leads), stage=self.dice.choice(self._lead_stages))
        return 1

    def _convert(self) -> int:
        """A lead becomes a deal."""
        if not self.leads:
            return 0
        lead = self.leads.pop(self.dice.randrange(len(self.leads)))
        self.live[self._do("convert", id=lead)["deal"]] = self.stages[0]
        return 1

    def _delete_lead(self) -> int:
        if not self.leads:
            return 0
        self._do("delete", kind="lead", id=self.leads.pop(self.dice.randrange(len(self.leads))))
        return 1

    # -- what is paid

    def _invoice(self) -> int:
        """Write an invoice for a deal, paid at once or not."""
        deal = self._payable(0)
        if deal is None:
            return 0
        told = self._do("invoice", id=deal, minor=self._minor(), paid=self.dice.random() < 0.5)
        self.invoices[told["id"]] = deal
        return 1

    def _settle(self) -> int:
        """Invoices are paid, or not after all; one of them gets another sum."""
        if not self.invoices:
            return 0
        invoices = self.few(self.invoices)
        for one in invoices:
            stage = self.dice.choice((self._paid_bill, *self._bill_stages))
            self._do("move", kind="invoice", id=one, stage=stage)
        self._do("amount", kind="invoice", id=invoices[0], minor=self._minor())
        return len(invoices)

    def _hand_over(self) -> int:
        """An invoice goes to another deal."""
        movable = [one for one, deal in sorted(self.invoices.items()) if deal in self.live]
        deal = self._payable(0)
        if not movable or deal is None:
            return 0
        invoice = self.dice.choice(movable)
        self._method("crm.item.update", entityTypeId=INVOICE, id=invoice, fields={"parentId2": deal})
        self.invoices[invoice] = deal
        return 1

    def _tear_up(self) -> int:
        if not self.invoices:
            return 0
        invoice = self.dice.choice(sorted(self.invoices))
        self._do("delete", kind="invoice", id=invoice)
        del self.invoices[invoice]
        return 1

    def _order(self) -> int:
        """A deal gets a payment, paid at once or not."""
        deal = self._payable(1)
        if deal is None:
            return 0
        told = self._do("payment", id=deal, minor=self._minor(), paid=self.dice.random() < 0.5)
        self.payments[told["id"]] = deal
        return 1

    def _pay(self) -> int:
        """Payments are paid, or given back."""
        if not self.payments:
            return 0
        payments = self.few(self.payments)
        for one in payments:
            self._do("payment", payment=one, paid=self.dice.random() < 0.7)
        return len(payments)

    # -- what everybody does

    def _payable(self, odd: int) -> int | None:
        fitting = [deal for deal in self.live if deal % 2 == odd]
        return self.dice.choice(fitting) if fitting else None

    def _minor(self) -> int:
        return self.dice.randrange(1, 50_000_000)

    def _method(self, method: str, **params: Any) -> Any:
        return self._do("call-method", method=method, params=params)["result"]

    def _do(self, deed: str, **told: Any) -> Any:
        answer = self.web.post(f"/_sandbox/{deed}", json=told)
        assert answer.is_success, f"{deed}: {answer.text}"
        return answer.json()

    def _state(self) -> Any:
        return self.web.get("/_sandbox/state").json()
