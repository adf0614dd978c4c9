"""What was paid for a deal is its revenue; where nothing was, a won deal's amount is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from connectors.protocol import DealChange, Page, PaymentChange
from hub import readback
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.store import crm, reports
from hub.store.db import Db
from hub.store.reports import Span
from hub.store.tables import Delivery, Enquiry, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW, customer, plan

_delivery, _enquiry = table_of(Delivery), table_of(Enquiry)


class Books:
    """A customer with two calls and the deals that came of them, 1,000.00 each: 771 is won, 772 open."""

    def __init__(self, db: Db, vault: Vault) -> None:
        self.db, self.vault = db, vault
        self.tenant_id, self.crm = db.write_now(customer, vault)
        self.deals = {
            "771": self._deal("771", "won"),
            "772": self._deal("772", "open"),
        }
        self.read(*self.deals.values())

    def _deal(self, id_: str, outcome: Any) -> DealChange:
        marker = self.db.write_now(self._enquiry, id_)
        return DealChange(id_, None, "1", "11", outcome, 100_000, "RUB", NOW, NOW, None, marker, payments=())

    def _enquiry(self, tx: Tx, key: str) -> str:
        judged = {"first_time": True, "qualified": True, "qualified_why": ""}
        told = {"tenant_id": self.tenant_id, "kind": "call", "key": key, "at": NOW, **judged}
        enquiry_id = tx.execute(insert(_enquiry).values(**told).returning(_enquiry.c.id)).scalar_one()
        asked = Planned(self.crm, f"call:{enquiry_id}", enquiry_id, key, NOW, plan(f"call:{enquiry_id}"))
        queue.enqueue(tx, self.tenant_id, asked, NOW, self.vault)
        marker = tx.execute(select(_delivery.c.marker).where(_delivery.c.enquiry_id == enquiry_id)).scalar_one()
        return str(marker)

    def read(self, *deals: DealChange, paid: dict[str, int] | None = None, are_all: bool = False) -> None:
        """Read back deals, and payments of so many minor units."""
        payments = tuple(PaymentChange(id_, None, amount, "RUB", NOW) for id_, amount in (paid or {}).items())

        def save(tx: Tx) -> None:
            page = Page(deals, payments, "c", more=False, all_payments=are_all)
            readback.save_page(tx, crm.installation(tx, self.tenant_id, self.crm), page, NOW, self.vault)

        self.db.write_now(save)

    def stands(self, deal: str, *payments: str, **changed: Any) -> None:
        """Read back that these payments stand on a deal."""
        self.read(replace(self.deals[deal], payments=payments, **changed))

    def revenue(self) -> int:
        span = Span(self.tenant_id, NOW.date(), NOW.date(), "UTC")
        return sum(row.revenue_minor for row in self.db.read_now(reports.deal_sums, span))


@pytest.fixture
def books(store: Db, vault: Vault) -> Books:
    return Books(store, vault)


def test_without_payments_the_won_deals_are_the_revenue(books: Books) -> None:
    assert books.revenue() == 100_000


def test_what_was_paid_is_the_revenue_of_a_won_deal(books: Books) -> None:
    books.stands("771", "p1", "p2")
    books.read(paid={"p1": 30_000, "p2": 7})
    assert books.revenue() == 30_007


def test_what_was_paid_for_an_open_deal_is_revenue_too(books: Books) -> None:
    books.read(paid={"p1": 500})
    books.stands("772", "p1")
    assert books.revenue() == 100_500


def test_an_invoice_nobody_has_paid_leaves_the_deal_s_amount(books: Books) -> None:
    books.stands("771", "p1")
    books.read(paid={"p1": 0})
    assert books.revenue() == 100_000


def test_a_payment_on_no_deal_is_nobody_s(books: Books) -> None:
    books.read(paid={"p1": 500})
    assert books.revenue() == 100_000


@pytest.mark.parametrize("order", [("771", "772"), ("772", "771")])
def test_a_payment_that_moved_counts_once_whichever_deal_is_read_first(books: Books, order: tuple[str, str]) -> None:
    books.stands("771", "p1")
    books.read(paid={"p1": 500})
    now = {"771": (), "772": ("p1",)}
    for deal in order:
        books.stands(deal, *now[deal])
    assert books.revenue() == 100_500


def test_a_payment_on_two_deals_is_the_first_one_s(books: Books) -> None:
    books.read(paid={"p1": 500})
    books.stands("772", "p1")
    books.stands("771", "p1")
    assert books.revenue() == 500
    books.stands("771", deleted=True)
    assert books.revenue() == 500  # now the other one's


def test_a_deal_that_does_not_tell_keeps_what_stands_on_it(books: Books) -> None:
    books.stands("772", "p1")
    books.read(replace(books.deals["772"], payments=None), paid={"p1": 500})
    assert books.revenue() == 100_500


def test_an_older_state_of_a_deal_moves_no_payment(books: Books) -> None:
    books.stands("772", "p1", updated_at=NOW + timedelta(hours=1))
    books.read(replace(books.deals["772"], payments=()), paid={"p1": 500})
    assert books.revenue() == 100_500


def test_what_a_whole_reading_does_not_name_is_withdrawn(books: Books) -> None:
    books.stands("771", "p1", "p2")
    books.read(paid={"p1": 300, "p2": 40})
    books.read(paid={"p2": 40})
    assert books.revenue() == 340
    books.read(paid={"p2": 40}, are_all=True)
    assert books.revenue() == 40
    books.read(are_all=True)
    assert books.revenue() == 100_000


def test_a_payment_that_names_its_deal_stands_there_alone(books: Books) -> None:
    def save(tx: Tx, deal: str) -> None:
        page = Page((), (PaymentChange("p1", deal, 500, "RUB", NOW),), "c", more=False)
        readback.save_page(tx, crm.installation(tx, books.tenant_id, books.crm), page, NOW, books.vault)

    books.db.write_now(save, "771")
    assert books.revenue() == 500
    books.db.write_now(save, "772")
    assert books.revenue() == 100_500
