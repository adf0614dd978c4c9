"""Whom a CRM knew at moments of the past, by what the hub holds of it now: read all at once, for a dry-run.

What deliveries of the span made is told apart: a dry-run puts there what other rules would have made in its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.deciding import Decision, Known, KnownDeal, load_decision
from connectors.known import LEADS
from hub.store import contacts
from hub.store.contacts import MOST_DEALS, DatedDeal
from hub.store.crm import Installed
from hub.store.past_enquiries import PastEnquiry
from hub.store.tables import DealContact, Delivery, table_of
from hub.store.tx import Tx, in_parts
from hub.store.vault import Vault

_delivery, _stands = table_of(Delivery), table_of(DealContact)


def at(kept: DatedDeal, moment: datetime) -> KnownDeal:
    """Return a deal or lead as it was at a moment: open until it was closed."""
    deal = replace(kept.deal, is_lead=kept.deal.pipeline == LEADS)
    if deal.closed_at is None or deal.closed_at <= moment:
        return deal
    return replace(deal, outcome="open", closed_at=None)


@dataclass(frozen=True, slots=True)
class Came:
    """What a delivery of the span came to: what it decided, and the deal and the contact that it made or found."""

    enquiry_id: int
    decision: Decision | None
    scenario_version: int
    deal: str | None
    contact: str | None

    @property
    def made_contact(self) -> str | None:
        """The contact that was not there before it."""
        return self.contact if self.decision is not None and self.decision.contact is None else None


@dataclass(frozen=True, slots=True)
class Past:
    """An account's people and deals; names are those that were asked for.

    ``deals`` are by contact, the newest first; ``made`` are the deals of the span's enquiries, ``came`` is what became
    of its deliveries, by what each is of (``Planned.enquiry``), and ``span`` whose enquiries those are. ``has_leads``
    says that what a person first accepts or declines is a lead in this account, which a caller is known by.
    """

    contacts: Mapping[str, Sequence[str]]
    deals: Mapping[str, Sequence[DatedDeal]]
    made: Mapping[int, DatedDeal]
    came: Mapping[str, Came]
    span: frozenset[int]
    fresh: frozenset[str]  # contacts that deliveries of the span made
    has_leads: bool = False
    leads: Mapping[str, Sequence[DatedDeal]] = field(default_factory=dict)  # of nobody's, by whose enquiries made them

    def known(self, name: str, moment: datetime) -> tuple[Known, ...]:
        """Return whom the account knew a person by at a moment, as if the span's enquiries had made nothing."""
        there = [contact for contact in self.contacts.get(name, ()) if contact not in self.fresh]
        known = [Known(one, tuple(at(deal, moment) for deal in self._deals(one, moment))) for one in there]
        leads = tuple(at(one, moment) for one in self._before(self.leads.get(name, ()), moment))
        return (*known, Known("", leads)) if leads else tuple(known)

    def by_hand(self, name: str, moment: datetime) -> tuple[KnownDeal, ...]:
        """Return the deals that others had made, by a moment, of a person whom the span's deliveries made a contact."""
        made = (contact for contact in self.contacts.get(name, ()) if contact in self.fresh)
        return tuple(at(one, moment) for contact in made for one in self._deals(contact, moment))

    def _deals(self, contact: str, moment: datetime) -> list[DatedDeal]:
        return self._before(self.deals.get(contact, ()), moment)[:MOST_DEALS]

    def _before(self, deals: Sequence[DatedDeal], moment: datetime) -> list[DatedDeal]:
        return [one for one in deals if one.created_at < moment and one.enquiry_id not in self.span]


def past_of(
    tx: Tx,
    of: Installed,
    keys: Mapping[str, Sequence[str]],
    since: datetime,
    enquiries: Sequence[PastEnquiry],
    vault: Vault,
) -> Past:
    """Return the past of an account for people by names and their keys (``Connector.keys_of``), and for a span.

    People of an account without an index of contacts are known by what they have in common with other deliveries.
    """
    came = _came(tx, of, since)
    fresh = _fresh(tx, of, came.values())
    found = dict(contacts.contacts_of(tx, of, keys, vault))
    leads: Mapping[str, Sequence[DatedDeal]] = {}
    if not of.contacts_known:
        met, leads = _met(tx, of, sorted({one.order_key for one in enquiries if one.order_key}))
        found |= met
    deals: dict[str, list[DatedDeal]] = {}
    for contact, deal in contacts.deals_of(tx, of, sorted({one for several in found.values() for one in several})):
        deals.setdefault(contact, []).append(deal)
    span = frozenset(one.enquiry_id for one in came.values())
    made = contacts.deals_made(tx, of, [one.id for one in enquiries])
    return Past(found, deals, made, came, span, fresh, has_leads(of), leads)


def has_leads(of: Installed) -> bool:
    """Say whether an account has leads beside its deals."""
    return any(one["id"] == LEADS for one in of.facts.get("pipelines", ()))


def _met(
    tx: Tx, of: Installed, order_keys: Sequence[str]
) -> tuple[dict[str, Sequence[str]], dict[str, list[DatedDeal]]]:
    """Return whose deliveries led to which contacts, and to which leads that are nobody's.

    Contacts are those on the deals of deliveries now, else those that they led to then.
    """
    here = (_delivery.c.tenant_id == of.tenant_id, _delivery.c.installation_id == of.id)
    columns = (_delivery.c.order_key, _delivery.c.refs, _delivery.c.enquiry_id)
    asked = select(*columns).where(*here).order_by(_delivery.c.position)
    rows = [row for some in in_parts(order_keys) for row in tx.execute(asked.where(_delivery.c.order_key.in_(some)))]
    stands = _standing(tx, of, [deal for _, refs, _ in rows if (deal := _first(refs, "deal"))])
    found: dict[str, dict[str, None]] = {}
    for key, refs, _ in rows:
        found.setdefault(key, {}).update(dict.fromkeys(_now(_first(refs, "contact"), _first(refs, "deal"), stands)))
    whose = {enquiry_id: key for key, _, enquiry_id in rows if enquiry_id is not None}
    leads: dict[str, list[DatedDeal]] = {}
    for enquiry_id, made in contacts.deals_made(tx, of, sorted(whose)).items():
        if made.deal.pipeline == LEADS and made.deal.id not in stands:
            leads.setdefault(whose[enquiry_id], []).append(made)
    return {key: tuple(several) for key, several in found.items() if several}, leads


def _fresh(tx: Tx, of: Installed, came: Iterable[Came]) -> frozenset[str]:
    """Return the contacts that deliveries made, and those in whom these went up since."""
    made = [one for one in came if one.made_contact]
    stands = _standing(tx, of, [one.deal for one in made if one.deal])
    went_up = {contact for one in made for contact in _now(one.made_contact, one.deal, stands)}
    return frozenset(went_up.union(one.made_contact for one in made if one.made_contact))


def _now(contact: str | None, deal: str | None, stands: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return a delivery's contact as it is now: where another stands on its deal the two were merged."""
    there = stands.get(deal or "", ())
    if contact is None or not there:
        return there if contact is None else (contact,)
    return (contact,) if contact in there else there


def _standing(tx: Tx, of: Installed, deals: Sequence[str]) -> dict[str, list[str]]:
    """Return which contacts stand on deals."""
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id)
    asked = select(_stands.c.deal, _stands.c.contact).where(*here).order_by(_stands.c.deal, _stands.c.contact)
    found: dict[str, list[str]] = {}
    for some in in_parts(sorted(set(deals))):
        for deal, contact in tx.execute(asked.where(_stands.c.deal.in_(some))):
            found.setdefault(deal, []).append(contact)
    return found


def _came(tx: Tx, of: Installed, since: datetime) -> dict[str, Came]:
    columns = ("enquiry", "enquiry_id", "decision", "scenario_version", "refs")
    rows = tx.execute(
        select(*(_delivery.c[name] for name in columns))
        .where(_delivery.c.tenant_id == of.tenant_id, _delivery.c.installation_id == of.id)
        .where(_delivery.c.position >= since, _delivery.c.enquiry_id.is_not(None))
    )
    return {row.enquiry: _told(row) for row in rows}


def _told(row: Any) -> Came:
    decision = load_decision(row.decision) if row.decision else None
    deal, contact = _first(row.refs, "deal"), _first(row.refs, "contact")
    return Came(row.enquiry_id, decision, row.scenario_version, deal, contact)


def _first(refs: Iterable[Mapping[str, str]], kind: str) -> str | None:
    return next((ref["id"] for ref in refs if ref["kind"] == kind), None)
