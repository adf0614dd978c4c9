"""What was paid for deals: payments of those that say that they have an order, else paid invoices (sheet 4.11).

Whether a payment makes a deal a changed one is not documented. So beside what changed, all deals are looked over for
their orders, the newest first, some with each reading: that takes no request of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from connectors.bitrix24 import asking
from connectors.bitrix24.api import PAGE, Api, Json, Replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.encoding import Link, command, result
from connectors.bitrix24.facts import outcome_of
from connectors.bitrix24.mappings import DEAL, INVOICE_STAGES
from connectors.bitrix24.money import minor
from connectors.bitrix24.trouble import checked
from connectors.bitrix24.walk import in_turn, seconds
from connectors.protocol import PaymentChange

INVOICE_SELECT = ("id", "parentId2", "opportunity", "currencyId", "categoryId", "stageId", "movedTime", "updatedTime")
_IDS = 50  # of one list


_ORDER_SELECT = ("id", "orderStage", "currencyId", "updatedTime")
_ORDER_PAGES = 2  # of one reading, 50 deals each
_ABOVE = 10**18  # every id


def looked_over(last: int) -> dict[str, str]:
    """Return the commands that ask which of the deals below ``last`` have orders; 0 is the top."""
    asked: dict[str, str] = {}
    below: int | Link = last
    for place in range(_ORDER_PAGES):
        chosen = {"<id": below} if below else {}
        asked[f"orders{place}"] = asking.listed(DEAL, chosen, select=_ORDER_SELECT)
        below = result(f"orders{place}", "items", str(PAGE - 1), "id")
    return asked


def with_orders(told: Replies, last: int) -> tuple[list[Json], int]:
    """Return the deals with orders among those looked over, and where the next look goes on: 0 is the top again."""
    keys = [f"orders{place}" for place in range(_ORDER_PAGES)]
    if keys[0] not in told.results:
        return [], last
    rows, is_over = in_turn(told, keys, last or _ABOVE, falls=True)
    goes_on = whole(rows[-1].get("id")) if rows and not is_over else 0
    return [one for one in rows if has_order(one)], goes_on


def has_order(deal: Json) -> bool:
    """Say whether a deal tells of an order, whose payments can be asked for [4.11]."""
    return bool(deal.get("orderStage"))


async def of_deals(api: Api, deals: Sequence[Json]) -> list[PaymentChange]:
    """Return the payments of deals that have orders; raises ``ConnectorError``, ``InstallationError``."""
    asked = {f"paid{whole(one.get('id'))}": one for one in deals if has_order(one) and whole(one.get("id"))}
    commands = {
        key: command("crm.item.payment.list", {"entityTypeId": DEAL, "entityId": whole(one.get("id"))})
        for key, one in asked.items()
    }
    told = checked(await api.ask(commands)) if commands else Replies()
    return [
        _payment(row, whole(deal.get("id")), deal)
        for key, deal in asked.items()
        for row in told.rows(key, "payments")
        if whole(row.get("id"))
    ]


def _payment(row: Json, deal: int, of: Json) -> PaymentChange:
    is_paid = row.get("paid") in ("Y", True)
    return PaymentChange(
        id=f"P{whole(row['id'])}",
        deal=str(deal),
        amount_minor=minor(row.get("sum")) if is_paid else 0,
        currency=str(row.get("currency") or of.get("currencyId") or ""),
        paid_at=_at(row.get("datePaid"), of.get("updatedTime")),
    )


async def of_invoices(api: Api, invoices: Sequence[Json]) -> list[PaymentChange]:
    """Return invoices as payments; one on a deal that has an order counts nothing: its payments do.

    Raises ``ConnectorError``, ``InstallationError``.
    """
    asked = [one for one in invoices if whole(one.get("id")) and whole(one.get("parentId2"))]
    if not asked:
        return []
    parents = sorted({whole(one["parentId2"]) for one in asked})
    places = sorted({whole(one.get("categoryId")) for one in asked})
    commands = {
        f"deals{start}": asking.several(DEAL, parents[start : start + _IDS], ("id", "orderStage"))
        for start in range(0, len(parents), _IDS)
    }
    commands |= {f"stages{place}": _stages(place) for place in places}
    told = checked(await api.ask(commands))
    ordered = {whole(one.get("id")) for key in commands for one in told.rows(key) if has_order(one)}
    won = _won(told, places)
    return [
        _invoice(one, is_paid=str(one.get("stageId")) in won and whole(one["parentId2"]) not in ordered)
        for one in asked
    ]


def _stages(place: int) -> str:
    return command("crm.status.list", {"filter": {"ENTITY_ID": f"{INVOICE_STAGES}{place}"}})


def _won(told: Replies, places: Iterable[int]) -> set[str]:
    rows = [one for place in places for one in told.rows(f"stages{place}", "statuses")]
    return {str(one.get("STATUS_ID")) for one in rows if outcome_of(one) == "won"}


def _invoice(row: Json, *, is_paid: bool) -> PaymentChange:
    return PaymentChange(
        id=f"I{whole(row['id'])}",
        deal=str(whole(row["parentId2"])),
        amount_minor=minor(row.get("opportunity")) if is_paid else 0,
        currency=str(row.get("currencyId") or ""),
        paid_at=_at(row.get("movedTime"), row.get("updatedTime")),
    )


def withdrawn(invoice: int, at: datetime, currency: str) -> PaymentChange:
    """Return an invoice that was deleted: nothing was paid by it."""
    return PaymentChange(f"I{invoice}", None, 0, currency, at)


def _at(*told: object) -> datetime:
    return datetime.fromtimestamp(next((at for one in told if (at := seconds(one))), 0), UTC)
