"""Links at which recordings are heard without a login: unguessable, ending, revocable, and told to the ledger.

A link is found by the hash of its secret. The secret is sealed beside it, so that a card that is opened again, or a
plan that is made again, is given the link it had.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import insert, select, text, update

from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.people import digest
from hub.store.tables import Call, RecordingLink, table_of
from hub.store.tables.calls import RECORDED
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault

_link, _call = table_of(RecordingLink), table_of(Call)

_CARD_LIFE = timedelta(hours=2)  # who looks at a card listens soon, and may go back to any part of a long talk
_CARD_LEFT = timedelta(hours=1)  # at least, when a card is opened
_SITTING = timedelta(minutes=10)  # a player asks for a recording part by part
_SECRET_CAP = 100  # characters


class Purpose(StrEnum):
    """What a link was made for."""

    CARD = auto()  # shown to who looks at a card of the CRM, vouched for by the vendor
    NOTE = auto()  # written into the CRM


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands; ``heard`` counts sittings."""

    id: int
    tenant_id: int
    enquiry_id: int
    purpose: str
    given_to: str
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    heard_at: datetime | None
    heard: int


def find(tx: Tx, secret: str) -> Link | None:
    """Return the link that has a secret, whether it is good or not; None where there is none."""
    if len(secret) > _SECRET_CAP or not secret.isascii():
        return None
    row = tx.execute(select(*_columns()).where(_link.c.secret_hash == digest(secret))).first()
    return Link(*row) if row else None


def live(tx: Tx, tenant_id: int, enquiry_id: int, now: datetime) -> list[Link]:
    """Return the links of a recording that are good now, the one that lasts longest first."""
    here = (_link.c.tenant_id == tenant_id, _link.c.enquiry_id == enquiry_id)
    rows = tx.execute(select(*_columns()).where(*here, *_good_at(now)).order_by(_link.c.ends_at.desc(), _link.c.id))
    return [Link(*row) for row in rows]


def hear(tx: Tx, link: Link, now: datetime) -> None:
    """Note that somebody listens at a link; the parts of one sitting are one."""
    here = (_link.c.tenant_id == link.tenant_id, _link.c.id == link.id)
    if link.heard_at is not None and now - link.heard_at < _SITTING:
        return
    tx.execute(update(_link).where(*here).values(heard_at=now, heard=_link.c.heard + 1))
    facts = {"purpose": link.purpose}
    told = Entry(Kind.RECORDING_HEARD, now, link.enquiry_id, who=link.given_to, facts=facts)
    ledger.write(tx, link.tenant_id, told)


def hear_in_console(tx: Tx, tenant_id: int, enquiry_id: int, person_id: int, now: datetime) -> None:
    """Note that a person who is logged in listens."""
    who, facts = ledger.person(person_id), {"purpose": "console"}
    ledger.write(tx, tenant_id, Entry(Kind.RECORDING_HEARD, now, enquiry_id, who=who, facts=facts))


def revoke(tx: Tx, tenant_id: int, enquiry_id: int, person_id: int, now: datetime) -> int:
    """End every link of a recording; return how many were good."""
    here = (_link.c.tenant_id == tenant_id, _link.c.enquiry_id == enquiry_id, *_good_at(now))
    ended = len(tx.execute(update(_link).where(*here).values(revoked_at=now).returning(_link.c.id)).all())
    if ended:
        told = Entry(Kind.LINKS_REVOKED, now, enquiry_id, who=ledger.person(person_id), facts={"links": ended})
        ledger.write(tx, tenant_id, told)
    return ended


# -- links are given


def for_cards(
    tx: Tx, tenant_id: int, enquiry_ids: Collection[int], who: str, now: datetime, vault: Vault
) -> dict[int, str]:
    """Return the secret of a link for each of these calls, for ``who`` looks at a card (``crm:`` and the user's id).

    A link is made where none of his is good for long enough.
    """
    known = good_for_cards(tx, tenant_id, enquiry_ids, who, now, vault)
    ends_at = now + _CARD_LIFE
    return {
        one: known.get(one) or _make(tx, tenant_id, one, Purpose.CARD, who, (now, ends_at), vault)
        for one in enquiry_ids
    }


def good_for_cards(
    tx: Tx, tenant_id: int, enquiry_ids: Collection[int], who: str, now: datetime, vault: Vault
) -> Mapping[int, str]:
    """Return the secrets of the links to these calls that ``who`` has already."""
    here = (_link.c.tenant_id == tenant_id, _link.c.enquiry_id.in_(enquiry_ids), _link.c.given_to == who)
    return _opened(tx, tenant_id, (*here, *_good_at(now + _CARD_LEFT), _link.c.purpose == Purpose.CARD), vault)


def for_note(tx: Tx, tenant_id: int, enquiry_id: int, life: timedelta, now: datetime, vault: Vault) -> str:
    """Return the secret of the link that is written into the CRM for a call; a plan made again has the same."""
    here = (_link.c.tenant_id == tenant_id, _link.c.enquiry_id == enquiry_id)
    known = _opened(tx, tenant_id, (*here, *_good_at(now), _link.c.purpose == Purpose.NOTE), vault)
    return known.get(enquiry_id) or _make(tx, tenant_id, enquiry_id, Purpose.NOTE, "", (now, now + life), vault)


def is_recorded(tx: Tx, tenant_id: int, account_id: int) -> bool:
    """Say whether a telephony account has ever told of a recording: it comes after the end of its call."""
    here = (_call.c.tenant_id == tenant_id, _call.c.account_id == account_id, text(f"({RECORDED})"))
    return tx.execute(select(_call.c.enquiry_id).where(*here).limit(1)).first() is not None


def _make(
    tx: Tx,
    tenant_id: int,
    enquiry_id: int,
    purpose: Purpose,
    who: str,
    span: tuple[datetime, datetime],
    vault: Vault,
) -> str:
    secret = secrets.token_urlsafe(32)
    made_at, ends_at = span
    tx.execute(
        insert(_link).values(
            tenant_id=tenant_id,
            enquiry_id=enquiry_id,
            secret_hash=digest(secret),
            secret=vault.seal(secret, tenant_id, enquiry_id, "recording_link"),
            purpose=purpose,
            given_to=who,
            made_at=made_at,
            ends_at=ends_at,
            heard=0,
        )
    )
    if purpose is Purpose.NOTE:  # who looks at a card has heard nothing yet
        facts = {"ends_at": ends_at.isoformat(timespec="seconds")}
        ledger.write(tx, tenant_id, Entry(Kind.RECORDING_LINKED, made_at, enquiry_id, facts=facts))
    return secret


def _opened(tx: Tx, tenant_id: int, which: Collection[Any], vault: Vault) -> dict[int, str]:
    found = {}
    for row in tx.execute(select(_link.c.enquiry_id, _link.c.secret).where(*which).order_by(_link.c.ends_at)):
        try:
            found[row.enquiry_id] = vault.open(row.secret, tenant_id, row.enquiry_id, "recording_link")
        except Unopenable:
            continue  # a new one is made
    return found


def _columns() -> list[Any]:
    return [_link.c[name] for name in Link.__slots__]


def _good_at(moment: datetime) -> tuple[Any, ...]:
    return _link.c.revoked_at.is_(None), _link.c.ends_at > moment
