"""What a CRM holds (here: amoCRM) and what the hub holds of it, in the same words, so that they can be compared."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from hub.store.tables import Deal, DealPayment, Payment, table_of
from hub.store.tx import Tx
from tests.proofs.look import tenant

_deal, _payment, _stands = (table_of(model) for model in (Deal, Payment, DealPayment))
OUTCOMES = {142: "won", 143: "lost"}
Row = tuple[str, str, str, int, str]  # pipeline, stage, outcome, minor units, currency


@dataclass(frozen=True, slots=True)
class Books:
    """The deals that are not deleted, and what was paid for each; by ids of the CRM, money in minor units."""

    deals: Mapping[str, Row]
    paid: Mapping[str, int]

    @property
    def revenue(self) -> Counter[str]:
        """The revenue by currency: what was paid, or where that is nothing the amount of a won deal."""
        found: Counter[str] = Counter()
        for id_, (_, _, outcome, amount, currency) in self.deals.items():
            found[currency] += self.paid.get(id_, 0) or (amount if outcome == "won" else 0)
        return found

    def differs(self, other: "Books") -> int:
        """Return how many deals differ, or what was paid for them."""
        ids = self.deals.keys() | other.deals.keys()
        return sum(self.of(id_) != other.of(id_) for id_ in ids)

    def moved(self, other: "Books") -> int:
        """Return how many deals differ, whatever was paid for them."""
        return sum(self.deals.get(id_) != other.deals.get(id_) for id_ in self.deals.keys() | other.deals.keys())

    def without(self, ids: Collection[str]) -> "Books":
        """Return the books without some deals."""
        deals = {id_: row for id_, row in self.deals.items() if id_ not in ids}
        return Books(deals, {id_: paid for id_, paid in self.paid.items() if id_ not in ids})

    def of(self, id_: str) -> tuple[Row | None, int]:
        """Return what is held of one deal."""
        return self.deals.get(id_), self.paid.get(id_, 0)


def theirs(state: Mapping[str, Any], currency: str = "RUB") -> Books:
    """Read the books of an amoCRM account."""
    deals = {str(lead["id"]): _row(lead, currency) for lead in state["leads"] if not lead["is_deleted"]}
    paid: Counter[str] = Counter()
    for invoice in state["invoices"]:
        on = [str(lead) for lead in invoice["leads"] if str(lead) in deals]
        paid.update({deal: _paid(invoice) for deal in sorted(on)[:1]})
    return Books(deals, +paid)


def _row(lead: Mapping[str, Any], currency: str) -> Row:
    stage = lead["status_id"]
    return str(lead["pipeline_id"]), str(stage), OUTCOMES.get(stage, "open"), lead["price"] * 100, currency


def _paid(invoice: Mapping[str, Any]) -> int:
    told = {one["field_code"]: one["values"][0] for one in invoice["custom_fields_values"] or []}
    return round(float(told["BILL_PRICE"]["value"]) * 100) if told["BILL_STATUS"]["enum_code"] == "paid" else 0


def ours(tx: Tx) -> Books:
    """Read the books of the hub."""
    here = _deal.c.tenant_id == tenant(tx)
    rows = tx.execute(select(_deal).where(here, _deal.c.deleted.is_(False)))
    deals = {row.external_id: (row.pipeline, row.stage, row.outcome, row.amount_minor, row.currency) for row in rows}
    stands = tx.execute(select(_stands.c.payment, _stands.c.deal).where(_stands.c.tenant_id == tenant(tx)))
    holder: dict[str, str] = {}
    for payment, deal in stands:
        holder[payment] = min(deal, holder.get(payment, deal))
    paid: Counter[str] = Counter()
    for row in tx.execute(select(_payment).where(_payment.c.tenant_id == tenant(tx))):
        if row.external_id in holder:
            paid[holder[row.external_id]] += row.amount_minor
    return Books(deals, +paid)


# -- the report, recounted


@dataclass(frozen=True, slots=True)
class Sold:
    """What one source brought: its calls, the deals of them that are left, won ones, and their revenue."""

    calls: int
    deals: int
    won: int
    revenue_minor: int


def recount(books: Books, marked: Iterable[tuple[str, str]], source_of: Mapping[str, str]) -> dict[str, Sold]:
    """Recount the report from the CRM's books.

    ``marked`` are deals with a marker of ours, and ``source_of`` tells where the calls of the markers came from.
    """
    calls = Counter(source_of.values())
    deals, won, revenue = Counter[str](), Counter[str](), Counter[str]()
    for id_, marker in marked:
        source = source_of.get(marker)
        if source is None or id_ not in books.deals:
            continue
        _, _, outcome, amount, _ = books.deals[id_]
        deals[source] += 1
        won[source] += outcome == "won"
        revenue[source] += books.paid.get(id_, 0) or (amount if outcome == "won" else 0)
    return {source: Sold(calls[source], deals[source], won[source], revenue[source]) for source in calls}


def markers(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each deal of an amoCRM account with a marker of ours, and the marker."""
    for lead in state["leads"]:
        for told in lead["custom_fields_values"] or []:
            if told["field_code"] == "HUB_CALL_ID":
                yield str(lead["id"]), told["values"][0]["value"]
