"""Who is who in an account: its contacts by keyed hashes of what a person is known by there, and their deals.

A row without a contact says that only a search can tell whom its key leads to: contacts were merged there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, and_, delete, select, update

from connectors.deciding import age_of
from connectors.protocol import ContactPage, DealChange, Known, KnownDeal
from hub.store.crm import Installed
from hub.store.tables import ContactKey, Deal, DealContact, Installation, table_of
from hub.store.tx import Tx, in_parts, insert_or
from hub.store.vault import Vault

_key, _deal, _stands, _installation = (table_of(model) for model in (ContactKey, Deal, DealContact, Installation))
_NOBODY_KNOWS = ""  # the contact of a key that only a search can answer
_OF_DEAL = ("external_id", "outcome", "responsible", "pipeline", "stage", "closed_at")  # in the order of ``KnownDeal``
_KEPT = tuple(_deal.c[name] for name in ("created_at", "enquiry_id", *_OF_DEAL))
MOST_DEALS = 20  # newest deals of one contact: the most a connector looks at


def save_page(tx: Tx, of: Installed, page: ContactPage, vault: Vault) -> None:
    """Write a page of contacts and its cursor."""
    before = _pairs(tx, of, _key.c.contact, _key.c.key, [change.id for change in page.contacts])
    now, doubted = dict(before), set[str]()
    for change in page.contacts:
        if change.is_sure:
            now[change.id] = set() if change.deleted else set(hashes(of, change.keys, vault).values())
        else:
            doubted |= now.get(change.id, set())
    made = {change.id: {"made_at": change.made_at, "author": change.author} for change in page.contacts}
    _write(tx, of, _key.c.contact, _key.c.key, before, now, made)
    _write(tx, of, _key.c.contact, _key.c.key, {}, {_NOBODY_KNOWS: doubted})
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    kept = {"contacts_cursor": page.cursor, "contacts_known": page.is_whole}
    tx.execute(update(_installation).where(*here).values(**kept))


def forget(tx: Tx, of: Installed) -> None:
    """Let nobody ask the index until every contact has been read anew."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(contacts_cursor=None, contacts_known=False))


def save_deals(tx: Tx, of: Installed, changes: Sequence[DealChange]) -> None:
    """Write which contacts stand on some deals."""
    before = _pairs(tx, of, _stands.c.deal, _stands.c.contact, [change.id for change in changes])
    _write(tx, of, _stands.c.deal, _stands.c.contact, before, {change.id: set(change.contacts) for change in changes})


def _pairs(tx: Tx, of: Installed, whose: Column[str], what: Column[str], asked: Collection[str]) -> dict[str, set[str]]:
    table = whose.table
    here = (table.c.tenant_id == of.tenant_id, table.c.installation_id == of.id, whose.in_(asked))
    found: dict[str, set[str]] = {}
    for one, other in tx.execute(select(whose, what).where(*here)) if asked else ():
        found.setdefault(one, set()).add(other)
    return found


def _write(
    tx: Tx,
    of: Installed,
    whose: Column[str],
    what: Column[str],
    before: Mapping[str, set[str]],
    now: Mapping[str, set[str]],
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write what each has now in place of what it had, all at once; ``more`` are values that stand beside it."""
    table, place = whose.table, {"tenant_id": of.tenant_id, "installation_id": of.id}
    here = (table.c.tenant_id == of.tenant_id, table.c.installation_id == of.id)
    for one in now:
        for other in sorted(before.get(one, set()) - now[one]):  # seldom any
            tx.execute(delete(table).where(*here, whose == one, what == other))
    come = [(one, other) for one in now for other in sorted(now[one] - before.get(one, set()))]
    if come:
        rows = [{**place, whose.name: one, what.name: other, **(more or {}).get(one, {})} for one, other in come]
        tx.execute(insert_or(tx, table).on_conflict_do_nothing(), rows)


def people_of(tx: Tx, of: Installed, asked: Mapping[str, Sequence[str]], vault: Vault) -> dict[str, tuple[Known, ...]]:
    """Return by each name the contacts that its first key with any leads to, the oldest first.

    ``asked`` are keys by name, in the order in which they are tried. A name that only a search can answer is left out.
    """
    found = contacts_of(tx, of, asked, vault)
    deals = _deals_of(tx, of, {contact for contacts in found.values() for contact in contacts})
    return {
        name: tuple(Known(contact, tuple(deals.get(contact, ()))) for contact in contacts)
        for name, contacts in found.items()
    }


def contacts_of(tx: Tx, of: Installed, asked: Mapping[str, Sequence[str]], vault: Vault) -> dict[str, Sequence[str]]:
    """Return by each name the ids of the contacts that its first key with any leads to, the oldest first.

    A name that only a search can answer is left out.
    """
    hashed = hashes(of, (key for keys in asked.values() for key in keys), vault)
    holders: dict[str, list[str]] = {}
    for some in in_parts(sorted(set(hashed.values()))):
        holders |= _holders(tx, of, some)
    found = {name: _first(holders, [hashed[key] for key in keys]) for name, keys in asked.items()}
    return {name: contacts for name, contacts in found.items() if _NOBODY_KNOWS not in contacts}


def _first(holders: Mapping[str, Sequence[str]], keys: Sequence[str]) -> Sequence[str]:
    return next((holders[key] for key in keys if key in holders), ())


def _holders(tx: Tx, of: Installed, keys: Iterable[str]) -> dict[str, list[str]]:
    here = (_key.c.tenant_id == of.tenant_id, _key.c.installation_id == of.id)
    asked = select(_key.c.key, _key.c.contact).where(*here, _key.c.key.in_(keys))
    holders: dict[str, list[str]] = {}
    for key, contact in tx.execute(asked):
        holders.setdefault(key, []).append(contact)
    return {key: sorted(contacts, key=age_of) for key, contacts in holders.items()}


def _deals_of(tx: Tx, of: Installed, contacts: Collection[str]) -> dict[str, list[KnownDeal]]:
    found: dict[str, list[KnownDeal]] = {}
    for contact, deal in deals_of(tx, of, sorted(contacts)):
        found.setdefault(contact, []).append(deal.deal)
    return {contact: deals[:MOST_DEALS] for contact, deals in found.items()}


@dataclass(frozen=True, slots=True)
class DatedDeal:
    """A deal as it was last read, when it was made, and of which of our enquiries."""

    deal: KnownDeal
    created_at: datetime
    enquiry_id: int | None


def deals_of(tx: Tx, of: Installed, contacts: Sequence[str]) -> Iterator[tuple[str, DatedDeal]]:
    """Yield the deals of contacts that are there, each with whose it is, those of a contact the newest first."""
    same = and_(_deal.c.installation_id == _stands.c.installation_id, _deal.c.external_id == _stands.c.deal)
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id, _deal.c.deleted.is_(False))
    asked = select(_stands.c.contact, *_KEPT).select_from(_stands.join(_deal, same)).where(*here)
    rows = [row for some in in_parts(contacts) for row in tx.execute(asked.where(_stands.c.contact.in_(some)))]
    found = ((contact, _kept(*deal)) for contact, *deal in rows)
    return iter(sorted(found, key=lambda one: age_of(one[1].deal.id), reverse=True))


def deals_made(tx: Tx, of: Installed, enquiries: Sequence[int]) -> dict[int, DatedDeal]:
    """Return the deals that were made of enquiries, by these; deleted ones, too."""
    here = (_deal.c.tenant_id == of.tenant_id, _deal.c.installation_id == of.id)
    asked = select(*_KEPT).where(*here)
    rows = (row for some in in_parts(enquiries) for row in tx.execute(asked.where(_deal.c.enquiry_id.in_(some))))
    return {deal.enquiry_id: deal for row in rows if (deal := _kept(*row)).enquiry_id is not None}


def _kept(created_at: datetime, enquiry_id: int | None, *deal: Any) -> DatedDeal:
    return DatedDeal(KnownDeal(*deal), created_at, enquiry_id)


def hashes(of: Installed, keys: Iterable[str], vault: Vault) -> dict[str, str]:
    """Return what keys of an account's contacts are found by, without being stored in the clear."""
    return {key: vault.fingerprint(f"contact:{key}", of.tenant_id) for key in keys}
