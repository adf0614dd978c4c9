"""Who is who in an account: its contacts by keyed hashes of what a person is known by there, and their deals.

A row without a contact says that only a search can tell whom its key leads to: contacts were merged there.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy import bindparam as value

from connectors.protocol import ContactChange, ContactPage, DealChange, Known, KnownDeal
from hub.store.crm import Installed
from hub.store.tables import ContactKey, Deal, DealContact, Installation, table_of
from hub.store.tx import Prepared, Tx, insert_or
from hub.store.vault import Vault

_key, _deal, _stands, _installation = (table_of(model) for model in (ContactKey, Deal, DealContact, Installation))
_LEAVE = Prepared(
    delete(_stands).where(
        _stands.c.tenant_id == value("tenant_id"),
        _stands.c.installation_id == value("installation_id"),
        _stands.c.deal == value("deal"),
    )
)
_STAND = Prepared(
    insert(_stands).values({name: value(name) for name in ("tenant_id", "installation_id", "deal", "contact")})
)
_DROP_KEY = Prepared(
    delete(_key).where(
        _key.c.tenant_id == value("tenant_id"),
        _key.c.installation_id == value("installation_id"),
        _key.c.contact == value("contact"),
        _key.c.key == value("key"),
    )
)
_ADD_KEY = Prepared(
    insert(_key).values({name: value(name) for name in ("tenant_id", "installation_id", "contact", "key")})
)
_NOBODY_KNOWS = ""  # the contact of a key that only a search can answer
_DEALS = 20  # newest deals of one contact: the most a connector looks at


def save_page(tx: Tx, of: Installed, page: ContactPage, vault: Vault) -> None:
    """Write a page of contacts and its cursor."""
    known = _keys_of(tx, of, [change.id for change in page.contacts])
    for change in page.contacts:
        if change.is_sure:
            known[change.id] = _save(tx, of, change, known.get(change.id, set()), vault)
        else:
            _doubt(tx, of, change)
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    kept = {"contacts_cursor": page.cursor, "contacts_known": page.is_whole}
    tx.execute(update(_installation).where(*here).values(**kept))


def forget(tx: Tx, of: Installed) -> None:
    """Let nobody ask the index until every contact has been read anew."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(contacts_cursor=None, contacts_known=False))


def save_deal(tx: Tx, of: Installed, change: DealChange) -> None:
    """Write which contacts stand on a deal."""
    here = {"tenant_id": of.tenant_id, "installation_id": of.id, "deal": change.id}
    tx.run(_LEAVE, here)
    for contact in dict.fromkeys(change.contacts):
        tx.run(_STAND, {**here, "contact": contact})


def _keys_of(tx: Tx, of: Installed, contacts: Sequence[str]) -> dict[str, set[str]]:
    here = (_key.c.tenant_id == of.tenant_id, _key.c.installation_id == of.id, _key.c.contact.in_(contacts))
    known: dict[str, set[str]] = {}
    for contact, key in tx.execute(select(_key.c.contact, _key.c.key).where(*here)):
        known.setdefault(contact, set()).add(key)
    return known


def _save(tx: Tx, of: Installed, change: ContactChange, known: set[str], vault: Vault) -> set[str]:
    place = {"tenant_id": of.tenant_id, "installation_id": of.id, "contact": change.id}
    keys = set() if change.deleted else set(_hashes(of, change.keys, vault).values())
    for key in known - keys:
        tx.run(_DROP_KEY, {**place, "key": key})
    for key in sorted(keys - known):
        tx.run(_ADD_KEY, {**place, "key": key})
    return keys


def _doubt(tx: Tx, of: Installed, change: ContactChange) -> None:
    here = (_key.c.tenant_id == of.tenant_id, _key.c.installation_id == of.id)
    keys = tx.execute(select(_key.c.key).where(*here, _key.c.contact == change.id)).scalars()
    rows = [{"tenant_id": of.tenant_id, "installation_id": of.id, "contact": _NOBODY_KNOWS, "key": key} for key in keys]
    if rows:
        tx.execute(insert_or(tx, _key).on_conflict_do_nothing(), rows)


def people_of(tx: Tx, of: Installed, asked: Mapping[str, Sequence[str]], vault: Vault) -> dict[str, tuple[Known, ...]]:
    """Return by each name the contacts that its first key with any leads to, the oldest first.

    ``asked`` are keys by name, in the order in which they are tried. A name that only a search can answer is left out.
    """
    hashes = _hashes(of, (key for keys in asked.values() for key in keys), vault)
    holders = _holders(tx, of, hashes.values())
    found = {name: _first(holders, [hashes[key] for key in keys]) for name, keys in asked.items()}
    deals = _deals_of(tx, of, {contact for contacts in found.values() for contact in contacts})
    return {
        name: tuple(Known(contact, tuple(deals.get(contact, ()))) for contact in contacts)
        for name, contacts in found.items()
        if _NOBODY_KNOWS not in contacts
    }


def _first(holders: Mapping[str, Sequence[str]], keys: Sequence[str]) -> Sequence[str]:
    return next((holders[key] for key in keys if key in holders), ())


def _holders(tx: Tx, of: Installed, keys: Iterable[str]) -> dict[str, list[str]]:
    here = (_key.c.tenant_id == of.tenant_id, _key.c.installation_id == of.id)
    asked = select(_key.c.key, _key.c.contact).where(*here, _key.c.key.in_(sorted(set(keys))))
    holders: dict[str, list[str]] = {}
    for key, contact in tx.execute(asked):
        holders.setdefault(key, []).append(contact)
    return {key: sorted(contacts, key=_age) for key, contacts in holders.items()}


def _deals_of(tx: Tx, of: Installed, contacts: set[str]) -> dict[str, list[KnownDeal]]:
    same = and_(_deal.c.installation_id == _stands.c.installation_id, _deal.c.external_id == _stands.c.deal)
    asked = (
        select(_stands.c.contact, _deal.c.external_id, _deal.c.outcome, _deal.c.responsible)
        .select_from(_stands.join(_deal, same))
        .where(_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id, _deal.c.deleted.is_(False))
        .where(_stands.c.contact.in_(sorted(contacts)))
    )
    found: dict[str, list[KnownDeal]] = {}
    for contact, deal, outcome, responsible in tx.execute(asked):
        found.setdefault(contact, []).append(KnownDeal(deal, outcome == "open", responsible))
    return {
        contact: sorted(deals, key=lambda deal: _age(deal.id), reverse=True)[:_DEALS]
        for contact, deals in found.items()
    }


def _hashes(of: Installed, keys: Iterable[str], vault: Vault) -> dict[str, str]:
    return {key: vault.fingerprint(f"contact:{key}", of.tenant_id) for key in keys}


def _age(id_: str) -> tuple[int, str]:
    """Order ids as they were given: numbers by their size, whatever else by its text."""
    return len(id_) if id_.isdigit() else 0, id_
