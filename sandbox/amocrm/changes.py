"""Every change of a card ends here: indexes, history lines and webhooks follow from before and after."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.amocrm.history import Side
from sandbox.amocrm.hook_form import card_fields, deleted_fields
from sandbox.amocrm.stage_actions import deal_came
from sandbox.amocrm.store import LEADS, SINGULAR, Card
from sandbox.amocrm.values import phones_of

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account


def snapshot(card: Card) -> Card:
    """Returns a copy that later changes of the card do not touch."""
    links = {kind: dict(ids) for kind, ids in card.links.items()}
    return replace(card, fields=dict(card.fields), tags=list(card.tags), links=links)


def reindex(account: "Account", card: Card) -> None:
    """Renews what searches see of a card."""
    account.store.shelves[card.kind].reindex(card, phones_of(card, account.fields[card.kind]))


def card_added(account: "Account", card: Card) -> None:
    """Stores a new card and tells history and webhooks."""
    account.store.shelves[card.kind].put(card)
    account.store.changes += 1
    reindex(account, card)
    if card.in_unsorted:
        return
    announce_added(account, card)


def announce_added(account: "Account", card: Card) -> None:
    """Tells history and webhooks about a card that has just become visible."""
    line(account, card, f"{SINGULAR[card.kind]}_added", [], [])
    _tell(account, "add", card)
    deal_came(account, card)


def card_updated(account: "Account", card: Card, before: Card) -> None:
    """Renews indexes and tells history and webhooks what is different from `before`."""
    account.store.changes += 1
    reindex(account, card)
    _tell_differences(account, card, before)
    if card.in_unsorted:
        return
    moved = (card.status_id, card.pipeline_id) != (before.status_id, before.pipeline_id)
    old: dict[str, Any] = {"old_status_id": before.status_id} if moved else {}
    if card.kind != LEADS and card.responsible_user_id != before.responsible_user_id:
        old["old_responsible_user_id"] = before.responsible_user_id
    _tell(account, "update", card, old)
    if moved:
        _tell(account, "status", card, old)
        deal_came(account, card, before)
    if card.responsible_user_id != before.responsible_user_id:
        told = {"old_responsible_user_id": before.responsible_user_id}
        _tell(account, "responsible", card, told)


def card_trashed(account: "Account", card: Card, by: int) -> None:
    """Puts a card into the trash bin and tells history and webhooks."""
    account.store.changes += 1
    card.is_deleted = True
    card.updated_by = by
    account.store.shelves[card.kind].moved(card, int(account.now()))
    line(account, card, f"{SINGULAR[card.kind]}_deleted", [], [])
    account.sender.tell("delete", card, deleted_fields(card))


def card_restored(account: "Account", card: Card, by: int) -> None:
    """Takes a card out of the trash bin."""
    account.store.changes += 1
    card.is_deleted = False
    card.updated_by = by
    account.store.shelves[card.kind].moved(card, int(account.now()))
    line(account, card, f"{SINGULAR[card.kind]}_restored", [], [])
    _tell(account, "restore", card)


def _tell(account: "Account", action: str, card: Card, old: Mapping[str, Any] | None = None) -> None:
    if account.sender.subscriptions:
        account.sender.tell(action, card, card_fields(account, card, old))


def _tell_differences(account: "Account", card: Card, before: Card) -> None:
    old_status = {"lead_status": {"id": before.status_id, "pipeline_id": before.pipeline_id}}
    new_status = {"lead_status": {"id": card.status_id, "pipeline_id": card.pipeline_id}}
    if old_status != new_status:
        line(account, card, "lead_status_changed", [new_status], [old_status])
    if card.price != before.price:
        sale = [{"sale_field_value": {"sale": value}} for value in (card.price, before.price)]
        line(account, card, "sale_field_changed", [sale[0]], [sale[1]])
    if card.name != before.name:
        names = [{"name_field_value": {"name": value}} for value in (card.name, before.name)]
        line(account, card, "name_field_changed", [names[0]], [names[1]])
    if card.responsible_user_id != before.responsible_user_id:
        users = [{"responsible_user": {"id": one.responsible_user_id}} for one in (card, before)]
        line(account, card, "entity_responsible_changed", [users[0]], [users[1]])
    for id_ in {*card.fields, *before.fields}:
        if card.fields.get(id_) != before.fields.get(id_):
            sides = [_field_side(account, one, id_) for one in (card, before)]
            line(account, card, f"custom_field_{id_}_value_changed", sides[0], sides[1])


def _field_side(account: "Account", card: Card, field_id: int) -> Side:
    field = account.fields[card.kind].by_id.get(field_id)
    return [
        {
            "custom_field_value": {
                "field_id": field_id,
                "field_type": field.type if field else None,
                "enum_id": raw.get("enum_id"),
                "text": str(raw.get("value")),
            }
        }
        for raw in card.fields.get(field_id, ())
    ]


def line(account: "Account", card: Card, type_: str, after: Side, before: Side) -> None:
    """Writes one line of history about a card, in the name of who changed it last."""
    by = card.updated_by
    account.history.add(account.now(), type_, (SINGULAR[card.kind], card.id), by, after, before)


def cards_linked(account: "Account", card: Card, other: Card, is_main: bool) -> None:
    """Links two cards both ways; a lead has one main contact."""
    fresh = other.id not in card.linked(other.kind)
    mine = card.links.setdefault(other.kind, {})
    first = not mine
    if is_main or first:
        for id_ in mine:
            mine[id_] = False
    mine[other.id] = is_main or first or mine.get(other.id, False)
    other.links.setdefault(card.kind, {})[card.id] = mine[other.id]
    account.store.changes += 1
    if fresh:
        _link_line(account, card, other, "entity_linked")


def cards_unlinked(account: "Account", card: Card, other: Card) -> None:
    """Takes a link away on both sides."""
    if other.id not in card.linked(other.kind):
        return
    del card.links[other.kind][other.id]
    other.links.get(card.kind, {}).pop(card.id, None)
    account.store.changes += 1
    _link_line(account, card, other, "entity_unlinked")


def _link_line(account: "Account", card: Card, other: Card, type_: str) -> None:
    side: Side = [{"link": {"entity": {"type": SINGULAR[other.kind], "id": other.id}}}]
    empty: Side = []
    after, before = (side, empty) if type_ == "entity_linked" else (empty, side)
    line(account, card, type_, after, before)


def invoice_line(account: "Account", type_: str, lead_id: int, element_id: int, by: int) -> None:
    """Writes that an invoice was hung on a deal or taken off; whether history tells of it is a switch."""
    if account.dial["invoice_links_told"]:
        side: Side = [{"link": {"entity": {"type": "catalog_element", "id": element_id}}}]
        after, before = (side, []) if type_ == "entity_linked" else ([], side)
        account.history.add(account.now(), type_, (SINGULAR[LEADS], lead_id), by, after, before)
