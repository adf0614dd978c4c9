"""Two cards of a kind become one, as a person merges them (sheet section 7)."""

from typing import TYPE_CHECKING

from sandbox.amocrm.changes import (
    card_trashed,
    card_updated,
    cards_linked,
    cards_unlinked,
    invoice_line,
    line,
    snapshot,
)
from sandbox.amocrm.store import CONTACTS, LEADS, Card

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account


def cards_merged(account: "Account", loser: Card, winner: Card, by: int) -> None:
    """Gives the survivor the loser's links, invoices, notes, tasks and what it has no value of; the loser is gone.

    Raises ValueError for cards of two kinds, a card with itself, or one in the trash bin.
    """
    if loser is winner or loser.kind != winner.kind or loser.is_deleted or winner.is_deleted:
        raise ValueError("Two different cards of one kind can be merged, neither of them deleted.")
    before = snapshot(winner)
    winner.updated_by = by
    _move_links(account, loser, winner)
    if winner.kind == LEADS:
        _move_invoices(account, loser, winner, by)
    _move_notes_and_tasks(account, loser, winner)
    _take_values(account, loser, winner)
    account.store.shelves[winner.kind].moved(winner, int(account.now()))
    line(account, winner, "entity_merged", [], [])
    card_updated(account, winner, before)
    card_trashed(account, loser, by)


def _move_links(account: "Account", loser: Card, winner: Card) -> None:
    for kind in list(loser.links):
        for id_ in list(loser.linked(kind)):
            other = account.store.shelves[kind].cards[id_]
            main = loser.kind == CONTACTS and other.linked(loser.kind).get(loser.id, False)
            cards_unlinked(account, loser, other)
            if kind == LEADS:  # a lead holds which of its contacts is the main one
                cards_linked(account, other, winner, main)
            else:
                cards_linked(account, winner, other, False)


def _move_invoices(account: "Account", loser: Card, winner: Card, by: int) -> None:
    for element in account.invoices.linked(loser.id):
        account.invoices.unlink(loser.id, element.id)
        invoice_line(account, "entity_unlinked", loser.id, element.id, by)
        if account.invoices.link(winner.id, element.id):
            invoice_line(account, "entity_linked", winner.id, element.id, by)


def _move_notes_and_tasks(account: "Account", loser: Card, winner: Card) -> None:
    store, old, new = account.store, (loser.kind, loser.id), (winner.kind, winner.id)
    for note in store.notes_of.pop(old, []):
        store.notes[winner.kind][note].entity_id = winner.id
        store.notes_of.setdefault(new, []).append(note)
    for task in store.tasks_of.pop(old, []):
        store.tasks[task].entity_id = winner.id
        store.tasks_of.setdefault(new, []).append(task)
    due = [one.complete_till for id_ in store.tasks_of.get(new, ()) if not (one := store.tasks[id_]).is_completed]
    winner.closest_task_at = min(due, default=None)


def _take_values(account: "Account", loser: Card, winner: Card) -> None:
    for id_, values in loser.fields.items():
        field = account.fields[winner.kind].by_id.get(id_)
        known = winner.fields.get(id_, [])
        if field is not None and field.type == "multitext":
            spelled = {raw["value"] for raw in known}
            winner.fields[id_] = known + [raw for raw in values if raw["value"] not in spelled]
        elif not known:
            winner.fields[id_] = list(values)
    winner.tags += [tag for tag in loser.tags if tag not in winner.tags]
    winner.price = winner.price or loser.price
