"""Invoices as payments: read whole, seldom, and believed to be all only where nothing can have been missed."""

from datetime import UTC, datetime

import httpx
import pytest

from connectors.amocrm import readback
from connectors.amocrm.invoices import DAY_S, PAGE_S, Books
from connectors.errors import Refused
from connectors.http import Answer
from connectors.protocol import PaymentChange, StagePassed

CATALOG, NOW = 9001, 1_767_230_000
ACCOUNT, LEADS, EVENTS = "api/v4/account", "api/v4/leads", "api/v4/events"
ELEMENTS = f"api/v4/catalogs/{CATALOG}/elements"
SETTINGS = {"currency": "RUB", "invoices_settings": {"lang": "ru", "invoices_catalog_id": CATALOG}}


def invoice(id_, status="paid", price="150.50", at=None, **more):
    told = {
        "BILL_STATUS": {"value": "Статус", "enum_code": status},
        "BILL_PRICE": {"value": price},
        "BILL_PAYMENT_DATE": {"value": at} if at else None,
    }
    fields = [{"field_code": code, "values": [value]} for code, value in told.items() if value]
    return {"id": id_, "updated_at": NOW, "custom_fields_values": fields, **more}


class Account:
    """An account whose invoices are in a list; a stand-in for ``Api`` that counts what it is asked."""

    address = "https://romashka.amocrm.ru"

    def __init__(self, *invoices, catalog=CATALOG):
        self.invoices, self.catalog, self.now = list(invoices), catalog, NOW
        self.deals, self.events, self.asked = {}, [], []
        self.refusal = None
        self.meanwhile = lambda: None  # what happens after each page

    async def account(self):
        self.asked.append("account")
        return {"invoices_settings": {"invoices_catalog_id": self.catalog}}

    async def deals_page(self, page, limit, since):
        listed = sorted(self.deals.values(), key=lambda deal: -deal["updated_at"])
        date = {"date": datetime.fromtimestamp(self.now, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        return listed[(page - 1) * limit : page * limit], False, Answer(200, date, b"")

    async def events_page(self, page, since, types, entity):
        return [event for event in self.events if event["created_at"] >= since and event["type"] in types], False

    async def deal(self, deal):
        return self.deals.get(deal)

    async def deals_by_id(self, deals):
        return [self.deals[id_] for id_ in deals if id_ in self.deals]

    async def invoices_page(self, catalog, page, limit):
        self.asked.append(f"page {page}")
        if self.refusal:
            raise self.refusal
        listed = self.invoices[(page - 1) * limit : page * limit]
        has_next = len(self.invoices) > page * limit
        self.meanwhile()
        return listed, has_next

    async def changes(self, cursor=None):
        self.asked.clear()
        return await readback.changes(self, None, "RUB", cursor)


def amounts(page):
    return {payment.id: payment.amount_minor for payment in page.payments}


async def test_a_paid_invoice_is_a_payment_of_its_day():
    page = await Account(invoice(7, at=NOW - 500)).changes()
    assert page.payments == (PaymentChange("7", None, 15_050, "RUB", datetime.fromtimestamp(NOW - 500, UTC)),)
    assert page.all_payments


@pytest.mark.parametrize("status", ["created", "partially_paid", "paid_in_advance", "gold", None])
async def test_what_is_not_paid_in_full_is_no_payment_since_nothing_says_how_much_of_it_is(status):
    assert amounts(await Account(invoice(7, status)).changes()) == {"7": 0}


@pytest.mark.parametrize("price", [None, "", "many", "-5", float("nan"), 1e300])
async def test_an_invoice_without_a_sum_is_nothing(price):
    assert amounts(await Account(invoice(7, price=price)).changes()) == {"7": 0}


@pytest.mark.parametrize("fields", [None, [], "x", [{"field_code": "BILL_STATUS", "values": None}]])
async def test_an_invoice_of_another_shape_is_nothing(fields):
    odd = {"id": 7, "custom_fields_values": fields}
    assert amounts(await Account(odd, {"id": "x"}, {}).changes()) == {"7": 0}


async def test_a_deal_tells_its_invoices_and_not_what_else_hangs_on_it():
    account = Account()
    element = [{"id": 7, "metadata": {"catalog_id": CATALOG}}, {"id": 8, "metadata": {"catalog_id": 5}}, {"id": 9}]
    account.deals["1"] = {"id": 1, "updated_at": NOW, "_embedded": {"catalog_elements": element}}
    assert [deal.payments for deal in (await account.changes()).deals] == [("7",)]


async def test_a_link_to_an_invoice_is_followed_and_a_link_to_a_contact_is_not():
    account = Account()
    first = await account.changes()
    link = {"type": "entity_linked", "entity_type": "lead", "created_at": NOW, "value_before": []}
    for id_, kind in ((21, "catalog_element"), (22, "contact")):
        account.events.append(
            {**link, "entity_id": id_, "value_after": [{"link": {"entity": {"type": kind, "id": 7}}}]}
        )
    assert [deal.id for deal in (await account.changes(first.cursor)).deals] == ["21"]


async def test_an_account_without_invoices_is_asked_for_them_once_a_day():
    account = Account(catalog=None)
    page = await account.changes()
    assert account.asked == ["account"]
    assert page.payments == () and not page.all_payments
    page = await account.changes(page.cursor)
    assert account.asked == []
    account.now += DAY_S
    page = await account.changes(page.cursor)  # whose own time is told only now
    page = await account.changes(page.cursor)
    account.now += DAY_S
    page = await account.changes(page.cursor)
    assert account.asked.count("account") <= 1


async def test_invoices_are_read_no_more_often_than_a_page_in_a_quarter_of_a_minute():
    account = Account(invoice(7))
    page = await account.changes()
    page = await account.changes(page.cursor)
    assert account.asked == []
    account.now += PAGE_S
    page = await account.changes(page.cursor)
    assert (account.asked, amounts(page)) == (["page 1"], {"7": 15_050})


async def test_invoices_that_are_switched_on_later_are_found_on_deals_read_before():
    account = Account(catalog=None)
    account.deals["1"] = {"id": 1, "updated_at": NOW - 5_000}
    cursor = (await account.changes()).cursor
    account.catalog = CATALOG
    account.now += 2 * DAY_S
    account.events.append({"type": "lead_added", "entity_type": "lead", "entity_id": 1, "created_at": account.now})
    for _ in range(3):
        page = await account.changes(cursor)
        cursor = page.cursor
        if "account" in account.asked:
            break
    assert [deal.payments for deal in page.deals] == [()]


async def test_where_invoices_are_switched_off_every_payment_is_withdrawn():
    account = Account(invoice(7))
    kept = readback.Cursor.load((await account.changes()).cursor)
    account.catalog = None
    page = await account.changes(kept.dump(invoices=Books(CATALOG, asked=1).kept()))
    assert (page.payments, page.all_payments) == ((), True)


@pytest.mark.parametrize("status", [403, 404])
async def test_a_list_that_may_not_be_seen_or_is_gone_withdraws_nothing_and_is_tried_tomorrow(status):
    account = Account(invoice(7))
    account.refusal = refused(status)
    page = await account.changes()
    assert (page.payments, page.all_payments) == ((), False)
    account.now += DAY_S - 1
    await account.changes(page.cursor)
    assert "page 1" not in account.asked


def refused(status):
    body = httpx.Response(status, json={"title": "no", "status": status, "detail": "no"}).content
    try:
        Answer(status, {"content-type": "application/problem+json"}, body).read()
    except Refused as error:
        return error
    raise AssertionError("an answer like this is a refusal")


# -- many of them


async def test_many_invoices_are_read_page_by_page_and_seldom():
    account = Account(*(invoice(id_) for id_ in range(1, 701)))
    page = await account.changes()
    assert (len(page.payments), page.all_payments) == (700, True)
    pages = len(account.asked) - 1
    account.now += pages * PAGE_S - 1
    await account.changes(page.cursor)
    assert account.asked == []


async def test_one_that_is_deleted_between_two_pages_hides_no_other():
    account = Account(*(invoice(id_) for id_ in range(1, 701)))
    account.meanwhile = lambda: account.invoices.pop(0)
    page = await account.changes()
    assert page.all_payments
    assert {str(one["id"]) for one in account.invoices} <= amounts(page).keys()


async def test_where_many_vanish_between_two_pages_nothing_is_called_gone():
    account = Account(*(invoice(id_) for id_ in range(1, 701)))
    account.meanwhile = lambda: account.invoices.__delitem__(slice(0, 60))
    assert not (await account.changes()).all_payments


async def test_in_a_list_of_no_known_order_nothing_is_called_gone():
    account = Account(*(invoice(id_) for id_ in range(700, 0, -1)))
    page = await account.changes()
    assert (len(page.payments), page.all_payments) == (700, False)


@pytest.mark.parametrize("text", [None, "", "junk", "[]", '{"invoices": 5}', '{"invoices": {"catalog": "x"}}'])
def test_a_cursor_that_keeps_nothing_of_invoices_asks_the_account(text):
    assert Books.load(text) == Books()


# -- stages passed


async def test_the_stages_a_deal_left_and_came_to_are_told_in_their_order():
    account = Account()
    moved = {"type": "lead_status_changed", "entity_type": "lead", "entity_id": 21}

    def side(stage):
        return [{"lead_status": {"id": stage, "pipeline_id": 5}}]

    account.events = [
        {**moved, "id": "b", "created_at": NOW + 1, "value_before": side(12), "value_after": side(13)},
        {**moved, "id": "a", "created_at": NOW + 1, "value_before": side(11), "value_after": side(12)},
        {**moved, "id": "c", "created_at": NOW + 1, "value_before": [], "value_after": [{"lead_status": "odd"}]},
    ]
    at = datetime.fromtimestamp(NOW + 1, UTC)
    stages = (await account.changes()).stages
    assert stages == tuple(StagePassed("21", "5", stage, at) for stage in ("11", "12", "12", "13"))
