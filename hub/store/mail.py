"""Letters: whose door they came to, the conversation each belongs to, and what was no enquiry."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam as value
from sqlalchemy import func, select, update

from hub.store.tables import Enquiry, Refusal, Site, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

_site, _enquiry, _refusal = (table_of(model) for model in (Site, Enquiry, Refusal))
_KIND = "mail"
_REPLY = "reply:"  # begins the name of a later letter of a conversation, in what the person told
_MOST_REPLIES = 100


@dataclass(frozen=True, slots=True)
class MailDoor:
    """Where a mail server posts a site's letters; ``own`` are the company's addresses and domains."""

    tenant_id: int
    site_id: int
    own: frozenset[str]

    @property
    def name(self) -> str:
        """By which what it did not take as enquiries is counted."""
        return door_name(self.site_id)


def door_name(site_id: int) -> str:
    """Return the name by which a site's refused letters are counted."""
    return f"mail:{site_id}"


_DOOR = select(_site.c.tenant_id, _site.c.id, _site.c.hosts, _site.c.mail).where(_site.c.mail_token == value("token"))


def mail_door(tx: Tx, token: str) -> MailDoor | None:
    """Find a site by the token in the path of its letters."""
    row = tx.execute(_DOOR, {"token": token}).first() if token.isprintable() else None
    if row is None:
        return None
    mail = row.mail or {}
    address = mail.get("address", "")
    domain = address.rpartition("@")[2]
    hosts = {host.removeprefix("www.") for host in row.hosts}
    # The domain of the address is ours if the site lives there: that of a public mail provider is everybody's.
    is_ours = any(host == domain or host.endswith(f".{domain}") for host in hosts)
    own = {address, *hosts, *mail.get("own", ()), *[domain] * is_ours} - {""}
    return MailDoor(row.tenant_id, row.id, frozenset(own))


# -- conversations


@dataclass(frozen=True, slots=True)
class Reply:
    """A later letter of a conversation."""

    at: datetime
    text: str


def is_known(tx: Tx, tenant_id: int, key: str) -> bool:
    """Say whether a letter is an enquiry already."""
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.kind == _KIND, _enquiry.c.key == key)
    return tx.execute(select(_enquiry.c.id).where(*here)).first() is not None


def conversation(
    tx: Tx, tenant_id: int, keys: Sequence[str], email_key: str | None, since: datetime
) -> tuple[int, str] | None:
    """Return id and key of the enquiry by which this person began one of these letters' conversations."""
    if not keys or email_key is None:
        return None
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.kind == _KIND, _enquiry.c.key.in_(keys))
    his = (_enquiry.c.email_key == email_key, _enquiry.c.at >= since)
    row = tx.execute(select(_enquiry.c.id, _enquiry.c.key).where(*here, *his).order_by(_enquiry.c.at).limit(1)).first()
    return (row.id, row.key) if row else None


def add_reply(tx: Tx, tenant_id: int, key: str, name: str, reply: Reply, vault: Vault) -> bool:
    """Keep what a person wrote later in a conversation; False when it is kept already."""
    place = (tenant_id, _KIND, key, "told")
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.kind == _KIND, _enquiry.c.key == key)
    sealed: bytes | None = tx.execute(select(_enquiry.c.told).where(*here).with_for_update()).scalar_one()
    told = json.loads(vault.open(sealed, *place)) if sealed else {}
    if _REPLY + name in told or sum(known.startswith(_REPLY) for known in told) >= _MOST_REPLIES:
        return False
    said = f"{reply.at.isoformat(timespec='seconds')}\n{reply.text}"
    text = json.dumps({**told, _REPLY + name: said}, ensure_ascii=False)
    tx.execute(update(_enquiry).where(*here).values(told=vault.seal(text, *place)))
    return True


def replies(told: Mapping[str, str]) -> list[Reply]:
    """Return the later letters among what a person told, in the order they were written."""
    found = [said.partition("\n") for name, said in told.items() if name.startswith(_REPLY)]
    return sorted((Reply(datetime.fromisoformat(at), text) for at, _, text in found), key=lambda one: one.at)


# -- how it goes


@dataclass(frozen=True, slots=True)
class LettersTold:
    """What came through a site's door: how many enquiries, when the latest, and what was none, by reason."""

    enquiries: int
    latest_at: datetime | None
    not_taken: Mapping[str, int]


def letters_told(tx: Tx, tenant_id: int, site_id: int, since: datetime) -> LettersTold:
    """Return what came through a site's door since a moment; reasons by how common they are."""
    latest = func.max(_enquiry.c.at, type_=_enquiry.c.at.type)
    here = (_enquiry.c.tenant_id == tenant_id, _enquiry.c.site_id == site_id, _enquiry.c.kind == _KIND)
    number, at = tx.execute(select(func.count(), latest).where(*here, _enquiry.c.at >= since)).one()
    times = func.sum(_refusal.c.times)
    refused = (_refusal.c.door == door_name(site_id), _refusal.c.day >= since.date())
    by_reason = select(_refusal.c.reason, times).where(*refused).group_by(_refusal.c.reason)
    rows = tx.execute(by_reason.order_by(times.desc(), _refusal.c.reason))
    return LettersTold(number, at, {reason: int(counted) for reason, counted in rows})
