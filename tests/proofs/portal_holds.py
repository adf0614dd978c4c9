"""What a proof counts in a Bitrix24 portal: deals and calls by our markers, and what it holds in the hub's words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.proofs.truth import Books, Row

OUTCOMES = {"S": "won", "F": "lost"}
DEAL, CALL = 2, 2  # kind of a card, type of an activity
RUBLES = "RUB"


def deals(state: Mapping[str, Any]) -> Counter[str]:
    """Count the deals that carry each of our markers."""
    return Counter(marker for _, marker in markers(state))


def calls(state: Mapping[str, Any]) -> Counter[str]:
    """Count the calls that carry each of our markers."""
    told = [one["values"] for one in state["activities"]]
    return Counter(one["ORIGIN_ID"] for one in told if int(one["TYPE_ID"]) == CALL and one.get("ORIGIN_ID"))


def markers(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each deal with a marker of ours, and the marker."""
    for deal in state["deal"]:
        if deal.get("originId"):
            yield str(deal["id"]), deal["originId"]


def theirs(state: Mapping[str, Any]) -> Books:
    """Read the books of a portal; leads are deals of a pipeline of their own, worth nothing once they are deals."""
    deals = {str(one["id"]): _deal(one) for one in state["deal"]}
    leads = {f"L{one['id']}": _lead(one) for one in state["lead"]}
    ordered = {str(one["id"]) for one in state["deal"] if one.get("orderStage")}
    paid: Counter[str] = Counter()
    for one in state["payments"]:
        kind, id_ = one["owner"]
        paid[str(id_)] += one["sum"] if kind == DEAL and one["paid"] else 0
    for one in state["smart_invoice"]:
        parent = str(one.get("parentId2") or "")
        if parent in deals and parent not in ordered and one["stageSemanticId"] == "S":
            paid[parent] += one.get("opportunity") or 0
    return Books(deals | leads, +paid)


def _deal(deal: Mapping[str, Any]) -> Row:
    outcome = OUTCOMES.get(deal["stageSemanticId"], "open")
    return str(deal["categoryId"]), deal["stageId"], outcome, *_sum(deal)


def _lead(lead: Mapping[str, Any]) -> Row:
    amount, currency = _sum(lead)
    if lead["stageSemanticId"] == "S":
        return "leads", lead["stageId"], "open", 0, currency
    return "leads", lead["stageId"], OUTCOMES.get(lead["stageSemanticId"], "open"), amount, currency


def _sum(card: Mapping[str, Any]) -> tuple[int, str]:
    return card.get("opportunity") or 0, card.get("currencyId") or RUBLES
