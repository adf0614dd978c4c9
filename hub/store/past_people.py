"""Whom a CRM knew at moments of the past, by what the hub holds of it now: read all at once, for a dry-run.

What deliveries of the span made is told apart: a dry-run puts there what other rules would have made in its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.deciding import Decision, Known, KnownDeal, load_decision
from hub.store import contacts
from hub.store.contacts import MOST_DEALS, DatedDeal
from hub.store.crm import Installed
from hub.store.past_enquiries import PastEnquiry
from hub.store.tables import Delivery, table_of
from hub.store.tx import Tx, in_parts
from hub.store.vault import Vault

_delivery = table_of(Delivery)


def at(kept: DatedDeal, moment: datetime) -> KnownDeal:
    """Return a deal as it was at a moment: open until it was closed."""
    closed_at = kept.deal.closed_at
    if closed_at is None or closed_at <= moment:
        return kept.deal
    return replace(kept.deal, outcome="open", closed_at=None)


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
    deals: Mapping[str, Sequence[DatedDeal]]
    made: Mapping[int, DatedDeal]
    came: Mapping[str, Came]
    span: frozenset[int]
    fresh: frozenset[str]  # contacts that deliveries of the span made

    def known(self, name: str, moment: datetime) -> tuple[Known, ...]:
        """Return whom the account knew a person by at a moment, as if the span's enquiries had made nothing."""
        return tuple(
            Known(contact, tuple(at(one, moment) for one in self._deals(contact, moment)))
            for contact in self.contacts.get(name, ())
            if contact not in self.fresh
        )

    def _deals(self, contact: str, moment: datetime) -> list[DatedDeal]:
        there = self.deals.get(contact, ())
        return [one for one in there if one.created_at < moment and one.enquiry_id not in self.span][:MOST_DEALS]


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
    deals: dict[str, list[DatedDeal]] = {}
    for contact, deal in contacts.deals_of(tx, of, sorted({one for several in found.values() for one in several})):
        deals.setdefault(contact, []).append(deal)
    span = frozenset(one.enquiry_id for one in came.values())
    return Past(found, deals, contacts.deals_made(tx, of, [one.id for one in enquiries]), came, span, fresh)


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
