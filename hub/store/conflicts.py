"""What stands in a CRM beside our deliveries: cards of the same people that somebody else made; a few bounded reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, and_, select

from hub.store.cards import KINDS
from hub.store.crm import Installed
from hub.store.enquiries import its_call
from hub.store.tables import Call, CardOf, ContactKey, Deal, DealContact, Delivery, Enquiry, table_of
from hub.store.tx import Tx, in_parts, of_few

MOST = 2_000  # newest deliveries of an account that are looked at

_enquiry, _call, _delivery = table_of(Enquiry), table_of(Call), table_of(Delivery)
_card, _deal, _stands, _key = (table_of(model) for model in (CardOf, Deal, DealContact, ContactKey))


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery that arrived, and the enquiry it is of; ``unit`` is what it is of (``planning.unit_of``)."""

    enquiry_id: int
    unit: str
    scenario_version: int
    settled_at: datetime
    kind: str
    at: datetime
    phone_masked: str
    ended_at: datetime | None  # of a call


def sent(tx: Tx, of: Installed, since: datetime, until: datetime) -> list[Sent]:
    """Return the newest deliveries to an account that were planned in a span and arrived, at most ``MOST``."""
    names = ("enquiry_id", "enquiry", "scenario_version", "settled_at")
    columns = (*(_delivery.c[name] for name in names), _enquiry.c.kind, _enquiry.c.at, _enquiry.c.phone_masked)
    whose = and_(_enquiry.c.id == _delivery.c.enquiry_id, _enquiry.c.tenant_id == _delivery.c.tenant_id)
    rows = tx.execute(
        select(*columns, _call.c.ended_at)
        .select_from(_delivery.join(_enquiry, whose).outerjoin(_call, its_call))
        .where(_delivery.c.tenant_id == of.tenant_id, of_few(_delivery.c.installation_id) == of.id)
        .where(_delivery.c.created_at >= since, _delivery.c.created_at <= until)
        .where(_delivery.c.state == "delivered", _delivery.c.settled_at.is_not(None))
        .order_by(_delivery.c.created_at.desc(), _delivery.c.id.desc())
        .limit(MOST)
    )
    return [Sent(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Card:
    """A deal or a contact of an account, as it was last read; ids are the CRM's.

    ``contacts`` are those of the people asked for whom it is of: those a deal stands on, those a contact shares a phone
    or e-mail with.
    """

    kind: str  # deal | contact
    id: str
    made_at: datetime
    contacts: tuple[str, ...]
    url: str | None = None
    author: str | None = None
    responsible: str | None = None
    is_ours: bool = False  # it carries a mark of ours


@dataclass(frozen=True, slots=True)
class People:
    """Whom the enquiries of an account are of, and what stands there of them.

    ``contacts`` are by enquiry; ``deals`` and ``written`` are those that a delivery of an enquiry made or wrote on, the
    one with what was read of each, the other the first moment at which somebody came whose delivery was on it.
    """

    contacts: Mapping[int, frozenset[str]]
    deals: Mapping[int, tuple[Card, ...]]
    written: Mapping[tuple[str, str], datetime]
    others: tuple[Card, ...]


def people(tx: Tx, of: Installed, enquiries: Sequence[int], since: datetime) -> People:
    """Return the people of enquiries, and the deals and contacts of theirs that were made since a moment."""
    found, named = _cards(tx, of, enquiries)
    deals = sorted({id_ for ids in named.values() for id_ in ids})
    known = {card.id: card for card in _deals(tx, of, deals)}
    stand = _standing(tx, of, deals)
    contacts = {
        id_: _contacts(found.get(id_, ()), [stand.get(one, frozenset()) for one in ids]) for id_, ids in named.items()
    }
    mine = sorted({one for several in contacts.values() for one in several})
    twins = list(_twins(tx, of, mine, since))
    whose = {one: {one} for one in mine}
    for twin in twins:
        whose.setdefault(twin.id, set()).update(twin.contacts)
    others = (*_deals_of(tx, of, whose, since), *twins)
    return People(
        contacts=contacts,
        deals={id_: tuple(known[one] for one in ids if one in known) for id_, ids in named.items()},
        written=_written(tx, of, others),
        others=others,
    )


def _contacts(found: Sequence[str], stand: Sequence[frozenset[str]]) -> frozenset[str]:
    """Return who an enquiry is of: who was made or found for it, and whom its deal was given to since, if it was."""
    given = {one for contacts in stand if contacts.isdisjoint(found) for one in contacts}
    return frozenset({*found, *given})


def _standing(tx: Tx, of: Installed, deals: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the contacts that stand on deals."""
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id)
    asked = select(_stands.c.deal, _stands.c.contact).where(*here)
    found: dict[str, frozenset[str]] = {}
    for deal, contact in _each(tx, asked, _stands.c.deal, deals):
        found[deal] = found.get(deal, frozenset()) | {contact}
    return found


def _cards(tx: Tx, of: Installed, enquiries: Sequence[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Return the contacts and the deals that deliveries of enquiries made or found."""
    found: dict[str, dict[int, list[str]]] = {"contact": {}, "deal": {}}
    here = (_card.c.tenant_id == of.tenant_id, of_few(_card.c.installation_id) == of.id)
    asked = select(_card.c.kind, _card.c.enquiry_id, _card.c.external_id).where(*here)
    for some in in_parts(enquiries):
        for kind, enquiry_id, id_ in tx.execute(asked.where(_card.c.enquiry_id.in_(some))):
            found[kind].setdefault(enquiry_id, []).append(id_)
    return found["contact"], found["deal"]


_OF_DEAL = tuple(_deal.c[name] for name in ("created_at", "url", "author", "responsible", "marker", "enquiry_id"))


def _deals(tx: Tx, of: Installed, ids: Sequence[str]) -> Iterator[Card]:
    here = (_deal.c.tenant_id == of.tenant_id, _deal.c.installation_id == of.id, _deal.c.deleted.is_(False))
    asked = select(_deal.c.external_id, *_OF_DEAL).where(*here)
    for id_, *told in _each(tx, asked, _deal.c.external_id, ids):
        yield _card_of(id_, (), told)


def _deals_of(tx: Tx, of: Installed, whose: Mapping[str, set[str]], since: datetime) -> Iterator[Card]:
    """Yield the deals of contacts that were made since a moment, each once, with whose they are."""
    same = and_(_deal.c.installation_id == _stands.c.installation_id, _deal.c.external_id == _stands.c.deal)
    here = (_stands.c.tenant_id == of.tenant_id, _stands.c.installation_id == of.id)
    there = (_deal.c.deleted.is_(False), _deal.c.created_at >= since)
    asked = select(_stands.c.contact, _deal.c.external_id, *_OF_DEAL).select_from(_stands.join(_deal, same))
    found: dict[str, Card] = {}
    for contact, id_, *told in _each(tx, asked.where(*here, *there), _stands.c.contact, sorted(whose)):
        before = found[id_].contacts if id_ in found else ()
        found[id_] = _card_of(id_, tuple(sorted({*before, *whose[contact]})), told)
    return iter(found.values())


def _card_of(id_: str, contacts: tuple[str, ...], told: Sequence[Any]) -> Card:
    made_at, url, author, responsible, marker, enquiry_id = told
    is_ours = marker is not None or enquiry_id is not None
    return Card("deal", id_, made_at, contacts, url, author, responsible, is_ours)


def _twins(tx: Tx, of: Installed, contacts: Sequence[str], since: datetime) -> Iterator[Card]:
    """Yield other contacts with a phone or e-mail of these that were made since a moment."""
    other = _key.alias("other")
    same = and_(other.c.installation_id == _key.c.installation_id, other.c.key == _key.c.key)
    here = (_key.c.tenant_id == of.tenant_id, _key.c.installation_id == of.id)
    there = (other.c.tenant_id == of.tenant_id, other.c.contact != _key.c.contact, other.c.made_at >= since)
    asked = select(_key.c.contact, other.c.contact, other.c.made_at, other.c.author)
    asked = asked.select_from(_key.join(other, same)).where(*here, *there)
    found: dict[str, Card] = {}
    for mine, id_, made_at, author in _each(tx, asked, _key.c.contact, contacts):
        before = found[id_].contacts if id_ in found else ()
        found[id_] = Card("contact", id_, made_at, tuple(sorted({*before, mine})), author=author)
    return iter(found.values())


def _written(tx: Tx, of: Installed, cards: Sequence[Card]) -> dict[tuple[str, str], datetime]:
    """Return since when cards are known to deliveries: when the first person came whose delivery was on each."""
    whose = and_(_enquiry.c.id == _card.c.enquiry_id, _enquiry.c.tenant_id == _card.c.tenant_id)
    here = (_card.c.tenant_id == of.tenant_id, _card.c.installation_id == of.id)
    asked = select(_card.c.kind, _card.c.external_id, _enquiry.c.at).select_from(_card.join(_enquiry, whose))
    found: dict[tuple[str, str], datetime] = {}
    asked = asked.where(*here, _card.c.kind.in_(KINDS))
    for kind, id_, at in _each(tx, asked, _card.c.external_id, sorted({one.id for one in cards})):
        found[kind, id_] = min(at, found.get((kind, id_), at))
    return found


def _each(tx: Tx, asked: Any, column: Column[Any], values: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of a question about so many values, as many at a time as one statement takes."""
    for some in in_parts(values):
        yield from tx.execute(asked.where(column.in_(some)))
