"""Whom a CRM knew at moments of the past, by what the hub holds of it now: read all at once, for a dry-run.

What deliveries of the span made is told apart: a dry-run puts there what other rules would have made in its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from connectors.deciding import Decision, Known, KnownDeal, load_decision
from hub.store import contacts
from hub.store.crm import Installed
from hub.store.past_enquiries import PastEnquiry
from hub.store.tables import Deal, DealContact, Delivery, table_of
from hub.store.tx import Tx, in_parts
from hub.store.vault import Vault

_deal, _stands, _delivery = (table_of(model) for model in (Deal, DealContact, Delivery))
_OF_DEAL = tuple(_deal.c[name] for name in ("external_id", "outcome", "responsible", "pipeline", "stage", "closed_at"))
_MOST = 20  # newest deals of one contact, as everywhere


@dataclass(frozen=True, slots=True)
class PastDeal:
    """A deal as it is now, when it was made, and of which of our enquiries."""

    deal: KnownDeal
    created_at: datetime
    enquiry_id: int | None

    def at(self, moment: datetime) -> KnownDeal:
        """Return the deal as it was at a moment: open until it was closed."""
        closed_at = self.deal.closed_at
        if closed_at is None or closed_at <= moment:
            return self.deal
        return replace(self.deal, outcome="open", closed_at=None)


@dataclass(frozen=True, slots=True)
class Came:
    """What a delivery of the span came to: what it decided, and the contact that it made or found."""

    enquiry_id: int
    decision: Decision | None
    scenario_version: int
    contact: str | None
    is_settled: bool

    @property
    def made_contact(self) -> str | None:
        """The contact that was not there before it."""
        return self.contact if self.decision is not None and self.decision.contact is None else None


@dataclass(frozen=True, slots=True)
class Past:
    """An account's people and deals; names are those that were asked for.

    ``deals`` are by contact, the newest first; ``made`` are the deals of the span's enquiries, ``came`` is what became
    of its deliveries, by what each is of (``Planned.enquiry``), and ``span`` whose enquiries those are.
    """

    contacts: Mapping[str, Sequence[str]]
    deals: Mapping[str, Sequence[PastDeal]]
    made: Mapping[int, PastDeal]
    came: Mapping[str, Came]
    span: frozenset[int]
    fresh: frozenset[str]  # contacts that deliveries of the span made

    def known(self, name: str, moment: datetime) -> tuple[Known, ...]:
        """Return whom the account knew a person by at a moment, as if the span's enquiries had made nothing."""
        return tuple(
            Known(contact, tuple(one.at(moment) for one in self._deals(contact, moment)))
            for contact in self.contacts.get(name, ())
            if contact not in self.fresh
        )

    def _deals(self, contact: str, moment: datetime) -> list[PastDeal]:
        there = self.deals.get(contact, ())
        return [one for one in there if one.created_at < moment and one.enquiry_id not in self.span][:_MOST]


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
    fresh = frozenset(one.made_contact for one in came.values() if one.made_contact)
    found = dict(contacts.contacts_of(tx, of, keys, vault))
    if not of.contacts_known:
        found |= _met(tx, of, sorted({one.order_key for one in enquiries if one.order_key}))
    deals = _deals_of(tx, of, sorted({contact for several in found.values() for contact in several}))
    span = frozenset(one.enquiry_id for one in came.values())
    return Past(found, deals, _made(tx, of, [one.id for one in enquiries]), came, span, fresh)


def _met(tx: Tx, of: Installed, order_keys: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return whose deliveries led to which contacts."""
    here = (_delivery.c.tenant_id == of.tenant_id, _delivery.c.installation_id == of.id)
    asked = select(_delivery.c.order_key, _delivery.c.refs).where(*here).order_by(_delivery.c.position)
    found: dict[str, dict[str, None]] = {}
    for some in in_parts(order_keys):
        for key, refs in tx.execute(asked.where(_delivery.c.order_key.in_(some))):
            if contact := _contact_in(refs):
                found.setdefault(key, {})[contact] = None
    return {key: tuple(several) for key, several in found.items()}


def _deals_of(tx: Tx, of: Installed, whose: Sequence[str]) -> dict[str, list[PastDeal]]:
    same = and_(_deal.c.installation_id == _stands.c.installation_id, _deal.c.external_id == _stands.c.deal)
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id, _deal.c.deleted.is_(False))
    asked = select(_stands.c.contact, _deal.c.created_at, _deal.c.enquiry_id, *_OF_DEAL)
    found: dict[str, list[PastDeal]] = {}
    for some in in_parts(whose):
        rows = tx.execute(asked.select_from(_stands.join(_deal, same)).where(*here, _stands.c.contact.in_(some)))
        for contact, created_at, enquiry_id, *deal in rows:
            found.setdefault(contact, []).append(PastDeal(KnownDeal(*deal), created_at, enquiry_id))
    return {contact: sorted(several, key=_age, reverse=True) for contact, several in found.items()}


def _age(one: PastDeal) -> tuple[int, str]:
    return len(one.deal.id), one.deal.id


def _made(tx: Tx, of: Installed, enquiries: Sequence[int]) -> dict[int, PastDeal]:
    here = (_deal.c.tenant_id == of.tenant_id, _deal.c.installation_id == of.id)
    asked = select(_deal.c.created_at, _deal.c.enquiry_id, *_OF_DEAL).where(*here)
    rows = (row for some in in_parts(enquiries) for row in tx.execute(asked.where(_deal.c.enquiry_id.in_(some))))
    return {enquiry: PastDeal(KnownDeal(*deal), created_at, enquiry) for created_at, enquiry, *deal in rows}


def _came(tx: Tx, of: Installed, since: datetime) -> dict[str, Came]:
    columns = ("enquiry", "enquiry_id", "decision", "scenario_version", "refs", "state")
    rows = tx.execute(
        select(*(_delivery.c[name] for name in columns))
        .where(_delivery.c.tenant_id == of.tenant_id, _delivery.c.installation_id == of.id)
        .where(_delivery.c.position >= since, _delivery.c.enquiry_id.is_not(None))
    )
    return {row.enquiry: _told(row) for row in rows}


def _told(row: Any) -> Came:
    decision = load_decision(row.decision) if row.decision else None
    return Came(row.enquiry_id, decision, row.scenario_version, _contact_in(row.refs), row.state == "delivered")


def _contact_in(refs: Iterable[Mapping[str, str]]) -> str | None:
    return next((ref["id"] for ref in refs if ref["kind"] == "contact"), None)
