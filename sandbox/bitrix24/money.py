"""Product rows, payments and orders of deals (sheet section 4.11)."""

from typing import Any

from sandbox.bitrix24.changes import Told, change
from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.filters import chosen
from sandbox.bitrix24.model import DEAL, SHORT, Item
from sandbox.bitrix24.php import as_int, as_list, as_map, is_yes
from sandbox.bitrix24.schema import money_read, money_shown
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import Owner, Payment
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

OWNER_LETTERS = {kind: letters for letters, kind in SHORT.items()}
DENIED = Refusal(400, "0", "Access denied")
ABSENT = Refusal(400, "0", "Payment was not found")
CASH = (6, "Наличные")
UNITS = 796


def _order_id(turn: Turn, owner: Owner) -> int:
    orders = turn.portal.store.orders
    if owner not in orders:
        orders[owner] = turn.portal.ids.next("order")
    return orders[owner]


def _owner(turn: Turn, kind: int | None, id_: int | None) -> Item:
    item = turn.portal.store.find((kind or 0, id_ or 0))
    if item is None:
        raise Refusal(400, "0", "Element not found")
    if not may_read(turn, item):
        raise DENIED
    return item


def payment_row(turn: Turn, one: Payment) -> dict[str, Any]:
    """Returns a payment as `crm.item.payment.*` shows it."""
    return {
        "id": one.id,
        "accountNumber": f"{one.order_id}/{one.number}",
        "paid": "Y" if one.paid else "N",
        "datePaid": None if one.paid_at is None else turn.clock_text(one.paid_at),
        "empPaidId": one.paid_by or None,
        "paySystemId": CASH[0],
        "sum": money_shown(one.sum),
        "currency": one.currency,
        "paySystemName": CASH[1],
    }


def list_payments(turn: Turn) -> list[dict[str, Any]]:
    """crm.item.payment.list: the payments of a deal."""
    owner = _owner(turn, turn.needed_number("entityTypeId"), turn.needed_number("entityId"))
    held = turn.portal.store.payments.values()
    return [payment_row(turn, one) for one in held if one.owner == (owner.kind, owner.id)]


def _payment(turn: Turn) -> Payment:
    found = turn.portal.store.payments.get(turn.needed_number("id"))
    if found is None:
        raise ABSENT
    _owner(turn, *found.owner)
    return found


def get_payment(turn: Turn) -> dict[str, Any]:
    """crm.item.payment.get: one payment."""
    return payment_row(turn, _payment(turn))


def add_payment(turn: Turn) -> int:
    """crm.item.payment.add: a payment of a deal for the whole amount, unpaid."""
    item = _owner(turn, turn.needed_number("entityTypeId"), turn.needed_number("entityId"))
    return make_payment(turn, item, int(item.values.get("opportunity") or 0)).id


def make_payment(turn: Turn, item: Item, sum_: int) -> Payment:
    """Makes an unpaid payment of so many minor units and tells of it."""
    owner = (item.kind, item.id)
    number = 1 + len([one for one in turn.portal.store.payments.values() if one.owner == owner])
    currency = str(item.values.get("currencyId") or "RUB")
    payment = Payment(turn.portal.ids.next("payment"), owner, _order_id(turn, owner), number, sum_, currency)
    turn.portal.store.payments[payment.id] = payment
    turn.portal.changes += 1
    _tell(turn, payment)
    return payment


def pay(turn: Turn, payment: Payment, is_paid: bool) -> None:
    """Marks a payment as paid or not, tells the deal's payment stage and the event."""
    payment.paid = is_paid
    payment.paid_at, payment.paid_by = (turn.now, turn.user_id) if is_paid else (None, 0)
    item = turn.portal.store.find(payment.owner)
    if item is not None and item.kind == DEAL:
        item.values["orderStage"] = "PAID" if is_paid else "SENT_NO_VIEWED"
    turn.portal.changes += 1
    _tell(turn, payment)


def _tell(turn: Turn, payment: Payment) -> None:
    turn.portal.sender.tell("ONPAYMENTENTITYSAVED", {"FIELDS": {"ID": payment.id}}, turn)


def pay_payment(turn: Turn) -> bool:
    """crm.item.payment.pay: paid."""
    pay(turn, _payment(turn), True)
    return True


def unpay_payment(turn: Turn) -> bool:
    """crm.item.payment.unpay: not paid after all."""
    pay(turn, _payment(turn), False)
    return True


def order_entities(turn: Turn) -> Listing:
    """crm.orderentity.list: which order belongs to which deal."""
    rows = [
        {"orderId": order, "ownerId": id_, "ownerTypeId": kind}
        for (kind, id_), order in turn.portal.store.orders.items()
    ]
    select = {str(one) for one in as_list(turn.get("select"))} - {"*"}
    found = chosen(rows, turn.map("filter"), dict.get)
    shown = [{k: v for k, v in row.items() if not select or k in select} for row in found]
    return paged(turn, shown, lambda page: {"orderEntity": page})


def list_products(turn: Turn) -> Listing:
    """crm.item.productrow.list: the product rows of an object."""
    rows = [
        {name: value for name, value in row.items() if name != "minor"}
        for held in turn.portal.store.products.values()
        for row in held
    ]
    found = chosen(rows, turn.map("filter"), dict.get)
    return paged(turn, found, lambda page: {"productRows": page})


def set_products(turn: Turn) -> dict[str, Any]:
    """crm.item.productrow.set: replaces the product rows of an object; its amount follows unless set by hand."""
    letters, id_ = str(turn.needed("ownerType")), turn.needed_number("ownerId")
    kind = SHORT.get(letters)
    item = turn.portal.store.find((kind or 0, id_))
    if item is None:
        raise Refusal(400, "OWNER_NOT_FOUND", "Owner was not found")
    if not may_read(turn, item):
        raise Refusal(400, "ACCESS_DENIED", "Access denied.")
    rows = [_product(turn, item, as_map(one), 10 * n) for n, one in enumerate(as_list(turn.get("productRows")), 1)]
    turn.portal.store.products[(item.kind, item.id)] = rows
    turn.portal.changes += 1
    change(turn, item, Told({"opportunity": _amount(item, rows)}))
    return {"productRows": [{name: value for name, value in row.items() if name != "minor"} for row in rows]}


def _amount(item: Item, rows: list[dict[str, Any]]) -> int:
    by_hand = is_yes(item.values.get("isManualOpportunity", "N"))
    return int(item.values.get("opportunity") or 0) if by_hand else sum(row["minor"] for row in rows)


def _product(turn: Turn, item: Item, told: dict[str, Any], sort: int) -> dict[str, Any]:
    price, quantity = money_read(told.get("price") or 0) or 0, float(told.get("quantity") or 1)
    return {
        "id": turn.portal.ids.next("product"),
        "ownerId": item.id,
        "ownerType": OWNER_LETTERS[item.kind],
        "productId": as_int(told.get("productId")) or 0,
        "productName": str(told.get("productName") or ""),
        "price": money_shown(price),
        "priceExclusive": money_shown(price),
        "quantity": int(quantity) if quantity == int(quantity) else quantity,
        "discountSum": 0,
        "taxRate": None,
        "taxIncluded": "Y",
        "measureCode": UNITS,
        "sort": sort,
        "minor": round(price * quantity),
    }


METHODS: Methods = {
    "crm.item.payment.list": Method(list_payments),
    "crm.item.payment.get": Method(get_payment),
    "crm.item.payment.add": Method(add_payment),
    "crm.item.payment.pay": Method(pay_payment),
    "crm.item.payment.unpay": Method(unpay_payment),
    "crm.orderentity.list": Method(order_entities),
    "crm.item.productrow.list": Method(list_products),
    "crm.item.productrow.set": Method(set_products),
}
