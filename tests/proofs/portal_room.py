"""A sales department at work in a Bitrix24 portal: it moves, prices, deletes and merges deals, and is paid for them.

Deals of even numbers are paid by invoices, those of odd numbers by payments of an order, so that one deal never has both.
"""

import random
from collections.abc import Sequence
from typing import Any

import httpx

from tests.proofs import drawing
from tests.proofs.drawing import Deed

LEAD, DEAL, INVOICE = 1, 2, 31
FIRST_PAID = 0.1  # of the deals the department begins with: invoices, and as many orders
ABROAD = 0.1  # share of deals in another currency
CLOSED = ("S", "F")


class PortalRoom:
    """People at the screen; what they do is drawn from a seed. Every change is one request or a part of one."""

    def __init__(self, base_url: str, seed: int) -> None:
        self.dice = random.Random(seed)
        self.web = httpx.Client(base_url=base_url, timeout=120)
        statuses = self._state()["statuses"]
        deal_stages = [one for one in statuses if one["entity_id"].startswith("DEAL_STAGE")]
        self._stages = [one["status_id"] for one in deal_stages]
        self._pipelines = {one["status_id"]: one["category_id"] or 0 for one in deal_stages}
        self._closed = [one["status_id"] for one in deal_stages if one["semantics"] in CLOSED]
        self._lead_stages = [one["status_id"] for one in statuses if one["entity_id"] == "STATUS"]
        self._lead_stages.remove("CONVERTED")
        bills = [one for one in statuses if one["entity_id"].startswith("SMART_INVOICE_STAGE")]
        self._bill_stages = [one["status_id"] for one in bills]
        self._paid_bill = next(one["status_id"] for one in bills if one["semantics"] == "S")
        self.ours: list[int] = []
        self.live: dict[int, str] = {}  # deal -> stage
        self.leads: list[int] = []
        self.invoices: dict[int, int] = {}  # invoice -> the deal it stands on
        self.payments: dict[int, int] = {}  # payment -> its deal
        self._merged: set[int] = set()
        self.changes = 0
        self.done: dict[str, int] = {}

    @property
    def merged(self) -> frozenset[str]:
        """The deals that went without a word: those that a merger took away, the hub's own among them."""
        return frozenset(str(deal) for deal in self._merged)

    def open(self, deals: int) -> None:
        """Begin with so many deals, some of them paid for, and those the hub has made so far."""
        self.live = {one["id"]: one["stageId"] for one in self._state()["deal"]}
        self.ours = list(self.live)
        for _ in range(deals):
            self._create()
        for _ in range(round(deals * FIRST_PAID)):
            self._invoice()
            self._order()
        self.changes, self.done = 0, {}

    def work(self, changes: int) -> None:
        """Make at least so many changes."""
        until = self.changes + changes
        deeds: Sequence[tuple[Deed, int]] = (
            (self._some, 8), (self._lead, 4), (self._move_lead, 4), (self._convert, 3), (self.move, 20),
            (self._price, 14), (self._reopen, 6), (self._delete, 7), (self._delete_lead, 1), (self._merge, 5),
            (self._invoice, 3), (self._settle, 6), (self._hand_over, 3), (self._order, 3), (self._pay, 6),
            (self._tear_up, 2),
        )  # fmt: skip
        while self.changes < until:
            deed = drawing.deed(self.dice, deeds)
            number = deed()
            self.changes += number
            name = deed.__name__.removeprefix("_")
            self.done[name] = self.done.get(name, 0) + number

    def close(self) -> None:
        """Let everybody go home."""
        self.web.close()

    # -- deals

    def _some(self) -> int:
        return sum(self._create() for _ in range(self.dice.randrange(1, 6)))

    def _create(self) -> int:
        stage = self.dice.choice(self._stages)
        told: dict[str, Any] = {"title": "Сделка", "stageId": stage, "categoryId": self._pipelines[stage]}
        told |= {"opportunity": self._minor() / 100, "currencyId": "USD" if self.dice.random() < ABROAD else "RUB"}
        self.live[self._method("crm.item.add", entityTypeId=DEAL, fields=told)["item"]["id"]] = stage
        return 1

    def move(self) -> int:
        """Move several deals, to other pipelines too, some of them twice in the same second."""
        deals = self._deals(self.dice.randrange(1, 8))
        for _ in range(self.dice.choice((1, 1, 2))):
            self._put({deal: self.dice.choice(self._stages) for deal in deals})
        return len(deals)

    def _reopen(self) -> int:
        """Close a deal, or open a closed one again."""
        (deal,) = self._deals(1)
        is_closed = self.live[deal] in self._closed
        self._put({deal: self.dice.choice([one for one in self._stages if (one in self._closed) != is_closed])})
        return 1

    def _put(self, moved: dict[int, str]) -> None:
        for deal, stage in moved.items():
            self._do("move", kind="deal", id=deal, stage=stage)
        self.live |= moved

    def _price(self) -> int:
        deals = self._deals(self.dice.randrange(1, 6))
        for deal in deals:
            self._do("amount", id=deal, minor=self._minor())
        return len(deals)

    def _delete(self) -> int:
        (deal,) = self._deals(1)
        self._do("delete", kind="deal", id=deal)
        self._gone(deal)
        return 1

    def _merge(self) -> int:
        """Merge a deal into another that is paid the same way."""
        keep = self._deals(1)[0]
        lose = [deal for deal in self.live if deal % 2 == keep % 2 and deal != keep]
        if not lose:
            return 0
        loser = self.dice.choice(lose)
        self._do("merge", kind="deal", lose=loser, keep=keep)
        self.payments = {one: keep if deal == loser else deal for one, deal in self.payments.items()}
        self._gone(loser)
        self._merged.add(loser)
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
        self.live[self._do("convert", id=lead)["deal"]] = self._stages[0]
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
        invoices = self.dice.sample(sorted(self.invoices), min(len(self.invoices), self.dice.randrange(1, 4)))
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
        payments = self.dice.sample(sorted(self.payments), min(len(self.payments), self.dice.randrange(1, 4)))
        for one in payments:
            self._do("payment", payment=one, paid=self.dice.random() < 0.7)
        return len(payments)

    # -- what everybody does

    def _deals(self, number: int) -> list[int]:
        return drawing.deals(self.dice, number, self.live, self.ours)

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
