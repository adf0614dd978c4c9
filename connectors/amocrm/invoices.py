"""Reads invoices as payments: the elements of one catalog, which hang on deals [4.7].

Their list is not told to be in the order of changes, and nothing in it tells what is gone: so it is read whole, each
page of it once in 15 seconds at most. Which deal an invoice stands on only the deal says. Times are the vendor's.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from connectors.amocrm.api import Api, Json, linked, objects, whole
from connectors.amocrm.find import values_of
from connectors.amocrm.mappings import BILL_PAID, BILL_PAYMENT_DATE, BILL_PRICE, BILL_STATUS
from connectors.amocrm.money import minor, number
from connectors.amocrm.walk import SHARED, seconds, window
from connectors.errors import Refused
from connectors.protocol import PaymentChange

DAY_S = 86_400
PAGE_S = 15
MOST_PAGES = 40


@dataclass(frozen=True, slots=True)
class Books:
    """An account's catalog of invoices, 0 for none; when the account was asked for it, when it is to be read next."""

    catalog: int = 0
    asked: int = 0
    due: int = 0

    @classmethod
    def load(cls, cursor: str | None) -> "Books":
        """Return what a cursor keeps of invoices; one that keeps nothing asks the account."""
        try:
            kept = json.loads(cursor or "")["invoices"]
            return cls(*(int(kept[name]) for name in ("catalog", "asked", "due")))
        except (ValueError, KeyError, TypeError, RecursionError):
            return cls()

    def kept(self) -> dict[str, int]:
        """Return what a cursor is to keep."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reading of the catalog brought; ``is_all`` says that there is no other invoice."""

    payments: tuple[PaymentChange, ...] = ()
    is_all: bool = False


async def looked_for(api: Api, books: Books, now: int) -> Books:
    """Return the books with the catalog the account names; the same ones where it was asked within a day."""
    if books.asked and now < books.asked + DAY_S:
        return books
    told = (await api.account()).get("invoices_settings")
    catalog = whole(told.get("invoices_catalog_id")) if isinstance(told, dict) else 0
    return replace(books, catalog=catalog, asked=now, due=0)


async def paid(api: Api, books: Books, before: Books, currency: str, clock: int) -> tuple[Books, Reading]:
    """Read the invoices if they are due; ``before`` is the books before the account was asked."""
    if books.catalog == 0:
        return books, Reading(is_all=before.catalog != 0)
    if clock and clock < books.due:
        return books, Reading()
    try:
        found, is_all, pages = await _whole(api, books.catalog)
    except Refused as error:
        # Without the right to see lists, or after the list was removed: the account is asked again in a day.
        if error.status in (403, 404) and error.readable:
            return replace(books, due=clock + DAY_S), Reading()
        raise
    payments = tuple(_payment(one, currency) for one in found.values())
    return replace(books, due=clock + pages * PAGE_S), Reading(payments, is_all)


async def _whole(api: Api, catalog: int) -> tuple[dict[int, Json], bool, int]:
    """Return all invoices by id, whether they are surely all, and how many pages they took.

    Pages overlap: one without an invoice of the page before says that more vanished in between than they share.
    """
    found: dict[int, Json] = {}
    tail: set[int] = set()
    end = 0
    for pages in range(1, MOST_PAGES + 1):
        page, limit = window(end)
        listed, has_next = await api.invoices_page(catalog, page, limit)
        ids = [one["id"] for one in listed if whole(one.get("id"))]
        if tail and tail.isdisjoint(ids):
            return found, False, pages
        found |= {one["id"]: one for one in listed if whole(one.get("id")) and not one.get("is_deleted")}
        if not has_next:
            return found, pages == 1 or list(found) == sorted(found), pages
        tail, end = set(ids[-SHARED:]), page * limit
    return found, False, MOST_PAGES


def on_deal(deal: Json, catalog: int) -> tuple[str, ...] | None:
    """Return the ids of a deal's invoices; None where the account keeps none."""
    if not catalog:
        return None
    return tuple(str(one["id"]) for one in linked(deal, "catalog_elements") if _catalog_of(one) == catalog)


def _catalog_of(element: Json) -> int:
    told = element.get("metadata")
    return whole(told.get("catalog_id")) if isinstance(told, dict) else 0


def _payment(invoice: Json, currency: str) -> PaymentChange:
    is_paid = BILL_PAID in _enum_codes(invoice)
    price = next(iter(values_of(invoice, BILL_PRICE, None)), None)
    at = number(next(iter(values_of(invoice, BILL_PAYMENT_DATE, None)), None))
    moment = int(at) if 0 < at < 2**33 else seconds(invoice, "updated_at")
    return PaymentChange(
        id=str(invoice["id"]),
        deal=None,
        amount_minor=max(minor(number(price)), 0) if is_paid else 0,
        currency=currency,
        paid_at=datetime.fromtimestamp(moment, UTC),
    )


def _enum_codes(invoice: Json) -> Iterator[object]:
    for field in objects(invoice.get("custom_fields_values")):
        if field.get("field_code") == BILL_STATUS:
            yield from (value.get("enum_code") for value in objects(field.get("values")))
