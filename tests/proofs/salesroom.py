"""A sales department at work in an amoCRM account: it moves, prices, deletes, merges and restores deals, and invoices them."""

from collections.abc import Sequence
from typing import Any

import httpx

from tests.proofs.department import Deed, Department

WON, LOST = 142, 143
FIRST_INVOICES = 0.2  # of the deals the department begins with


class Salesroom(Department[tuple[int, int]]):
    """People in an account; a stage is told by its pipeline and its own number."""

    def __init__(self, base_url: str, seed: int) -> None:
        super().__init__(base_url, seed)
        token = self._post("/_sandbox/token", {})["access_token"]
        self.web.headers["authorization"] = f"Bearer {token}"
        account = self.web.get("/api/v4/account?with=invoices_settings").json()
        self._elements = f"/api/v4/catalogs/{account['invoices_settings']['invoices_catalog_id']}/elements"
        pipelines = self.web.get("/api/v4/leads/pipelines").json()["_embedded"]["pipelines"]
        self.stages = [
            (pipeline["id"], stage["id"])
            for pipeline in pipelines
            for stage in pipeline["_embedded"]["statuses"]
            if stage["type"] == 0
        ]
        self.closed = [stage for stage in self.stages if stage[1] in (WON, LOST)]
        self.trash: list[int] = []

    def held(self) -> dict[int, tuple[int, int]]:
        """Return the deals the account holds, with their stages."""
        made = self.web.get("/_sandbox/state").json()["leads"]
        return {lead["id"]: (lead["pipeline_id"], lead["status_id"]) for lead in made}

    def fill(self, deals: int) -> None:
        """Make so many deals, and write invoices for some of them."""
        until = deals + len(self.live)
        while len(self.live) < until:
            self._create(min(200, until - len(self.live)))
        for _ in range(round(deals * FIRST_INVOICES)):
            self._invoice()

    def deeds(self) -> Sequence[tuple[Deed, int]]:
        """Return what people do, and how often beside each other."""
        return (
            (self._new, 8), (self.move, 20), (self._price, 14), (self.reopen, 6), (self._delete, 8),
            (self._restore, 6), (self._merge, 5), (self._invoice, 4), (self._pay, 10), (self._hand_over, 5),
            (self._tear_up, 2),
        )  # fmt: skip

    # -- deals

    def _new(self) -> int:
        return self._create(self.dice.randrange(1, 6))

    def _create(self, number: int) -> int:
        stages = [self.dice.choice(self.stages) for _ in range(number)]
        told = [{"name": "Сделка", "price": self._sum(), **_where(stage)} for stage in stages]
        made = self._post("/api/v4/leads", told)["_embedded"]["leads"]
        self.live |= {one["id"]: stage for one, stage in zip(made, stages, strict=True)}
        return number

    def put(self, moved: dict[int, tuple[int, int]]) -> None:
        """Move deals in one request."""
        self._send("PATCH", "/api/v4/leads", [{"id": deal, **_where(stage)} for deal, stage in moved.items()])
        self.live |= moved

    def _price(self) -> int:
        deals = self.some(self.dice.randrange(1, 6))
        self._send("PATCH", "/api/v4/leads", [{"id": deal, "price": self._sum()} for deal in deals])
        return len(deals)

    def _delete(self) -> int:
        (deal,) = self.some(1)
        self._post("/_sandbox/trash", {"kind": "leads", "id": deal})
        self._gone(deal)
        return 1

    def _restore(self) -> int:
        if not self.trash:
            return 0
        deal = self.trash.pop(self.dice.randrange(len(self.trash)))
        self._post("/_sandbox/restore", {"kind": "leads", "id": deal})
        self.live[deal] = self.stages[0]
        return 1

    def _merge(self) -> int:
        lose, keep = self.some(2)
        self._post("/_sandbox/merge", {"kind": "leads", "lose": lose, "keep": keep})
        self._gone(lose)
        self.invoices = {one: keep if deal == lose else deal for one, deal in self.invoices.items()}
        return 1

    def _gone(self, deal: int) -> None:
        del self.live[deal]
        self.trash.append(deal)

    # -- invoices

    def _invoice(self) -> int:
        """Write an invoice and hang it on a deal."""
        (deal,) = self.some(1)
        told = [{"name": "Счёт", "custom_fields_values": self._status()}]
        made = self._post(self._elements, told)["_embedded"]["elements"][0]["id"]
        self._link(deal, made, "link")
        self.invoices[made] = deal
        return 1

    def _pay(self) -> int:
        """An invoice is paid, paid in part, changed, or not paid after all."""
        if not self.invoices:
            return 0
        invoices = self.few(self.invoices)
        told = [{"id": one, "custom_fields_values": self._status()} for one in invoices]
        self._send("PATCH", self._elements, told)
        return len(invoices)

    def _hand_over(self) -> int:
        """An invoice goes to another deal."""
        movable = [one for one, deal in sorted(self.invoices.items()) if deal in self.live]
        if not movable:
            return 0
        invoice, (deal,) = self.dice.choice(movable), self.some(1)
        self._link(self.invoices[invoice], invoice, "unlink")
        self._link(deal, invoice, "link")
        self.invoices[invoice] = deal
        return 1

    def _tear_up(self) -> int:
        if not self.invoices:
            return 0
        invoice = self.dice.choice(sorted(self.invoices))
        self._post("/_sandbox/delete-invoice", {"id": invoice})
        del self.invoices[invoice]
        return 1

    def _status(self) -> list[dict[str, Any]]:
        status = self.dice.choice(("created", "paid", "paid", "paid", "partially_paid", "paid_in_advance"))
        told = {"BILL_STATUS": {"enum_code": status}, "BILL_PRICE": {"value": self._sum() + self.dice.choice((0, 0.5))}}
        return [{"field_code": code, "values": [value]} for code, value in told.items()]

    def _link(self, deal: int, invoice: int, deed: str) -> None:
        asked = [{"to_entity_id": invoice, "to_entity_type": "catalog_elements"}]
        self._send("POST", f"/api/v4/leads/{deal}/{deed}", asked)

    # -- what everybody does

    def _sum(self) -> int:
        return self.dice.randrange(1, 500_000)

    def _post(self, path: str, told: object) -> Any:
        return self._send("POST", path, told).json()

    def _send(self, method: str, path: str, told: object) -> httpx.Response:
        answer = self.web.request(method, path, json=told)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer


def _where(stage: tuple[int, int]) -> dict[str, int]:
    return {"pipeline_id": stage[0], "status_id": stage[1]}
