"""A letter on its way in: a new enquiry, or a later word of a conversation that is one already."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub import enquiries
from hub.enquiries import Letter
from hub.store import enquiries as kept
from hub.store import mail as letters
from hub.store.mail import MailDoor, Reply
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.enquiry import EnquiryKind
from tracking_core.mail import Mail
from tracking_core.match import SHEET_THRESHOLDS

_ON_THE_WAY = timedelta(days=7)  # how long a mail server tries at most


@dataclass(frozen=True, slots=True)
class Taken:
    """Which enquiry a letter is, or belongs to, and whether the hub did not have it yet."""

    enquiry_id: int
    is_new: bool
    is_reply: bool


def take(tx: Tx, door: MailDoor, mail: Mail, now: datetime, vault: Vault) -> Taken:
    """Keep a person's letter; the same letter again changes nothing."""
    tenant_id, key = door.tenant_id, _key(mail.key, door, vault)
    at = _at(mail, now)
    if not letters.is_known(tx, tenant_id, key):
        who = kept.person(tenant_id, None, mail.email or None, vault)
        thread = [_key(one, door, vault) for one in mail.thread]
        since = at - SHEET_THRESHOLDS.memory
        begun = letters.conversation(tx, tenant_id, thread, who.email_key, since)
        if begun is not None:
            enquiry_id, of = begun
            reply = Reply(at, mail.text or mail.subject)
            return Taken(enquiry_id, letters.add_reply(tx, tenant_id, of, key, reply, vault), is_reply=True)
    letter = Letter(
        EnquiryKind.MAIL,
        key,
        at,
        email=mail.email,
        name=mail.name,
        subject=mail.subject,
        text=mail.text,
        codes=mail.codes,
    )
    return Taken(*enquiries.take(tx, tenant_id, door.site_id, letter, now, vault), is_reply=False)


def _key(of: str, door: MailDoor, vault: Vault) -> str:
    """Return what makes a letter one: its own id may hold a name, so only a keyed hash of it is kept."""
    return f"mail:{vault.fingerprint(of, door.tenant_id)}"


def _at(mail: Mail, now: datetime) -> datetime:
    """Return when a letter was written, if that can be: its sender says it, and may be wrong."""
    at = mail.written_at
    return at if at is not None and now - _ON_THE_WAY <= at <= now else now
