"""Their deal or lead -> ours."""

from datetime import UTC, datetime

from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import named, reference, whole
from connectors.bitrix24.mappings import LEAD, LEADS, ORIGINATOR, SEMANTICS
from connectors.bitrix24.money import minor
from connectors.bitrix24.walk import seconds
from connectors.protocol import DealChange


def marker_of(card: Json) -> str | None:
    """Return our mark of a card; None where it is another program's, or there is none."""
    return str(card.get("originId") or "") or None if card.get("originatorId") == ORIGINATOR else None


def change(address: str, kind: int, card: Json, marker: str | None, currency: str) -> DealChange:
    """Return a deal or lead as the hub keeps it; ``currency`` is of one that names none."""
    id_, updated = whole(card.get("id")), _time(card, "updatedTime")
    outcome = SEMANTICS.get(str(card.get("stageSemanticId") or ""), "open")
    # A lead that was converted lives on as a deal: whether it is won, and what it brings, only that deal says.
    is_deal_now = kind == LEAD and outcome == "won"
    outcome = "open" if is_deal_now else outcome
    several = card.get("contactIds")
    contacts = [card.get("contactId"), *(several if isinstance(several, list) else ())]
    return DealChange(
        id=named(kind, id_),
        url=reference(address, kind, id_).url,
        pipeline=LEADS if kind == LEAD else str(whole(card.get("categoryId"))),
        stage=str(card.get("stageId") or ""),
        outcome=outcome,
        amount_minor=0 if is_deal_now else minor(card.get("opportunity")),
        currency=str(card.get("currencyId") or currency),
        created_at=_time(card, "createdTime") if card.get("createdTime") else updated,
        updated_at=updated,
        closed_at=(_time(card, "movedTime") if card.get("movedTime") else updated) if outcome != "open" else None,
        marker=marker,
        contacts=tuple(dict.fromkeys(str(one) for told in contacts if (one := whole(told)))),
        responsible=_user(card, "assignedById"),
        author=_user(card, "createdBy"),
    )


def gone(address: str, kind: int, id_: int, at: datetime, currency: str) -> DealChange:
    """Return a deal or lead that was deleted."""
    return DealChange(
        id=named(kind, id_),
        url=reference(address, kind, id_).url,
        pipeline="",
        stage="",
        outcome="lost",
        amount_minor=0,
        currency=currency,
        created_at=at,
        updated_at=at,
        closed_at=at,
        marker=None,
        deleted=True,
    )


def _user(card: Json, key: str) -> str | None:
    return str(whole(card.get(key))) if whole(card.get(key)) else None


def _time(card: Json, key: str) -> datetime:
    return datetime.fromtimestamp(seconds(card.get(key)), UTC)
