"""What a CRM is given in place of a recording: a link of ours, never an address of telephony's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.store import recording_links
from hub.store.tx import Tx
from hub.store.vault import Vault

PATH = "/recordings"


def address(public_url: str, secret: str) -> str:
    """Return the address of a link."""
    return f"{public_url.rstrip('/')}{PATH}/{secret}"


@dataclass(frozen=True, slots=True)
class NoteLinks:
    """How recordings are linked in what is written into a CRM: where the hub answers, and for how long a link is good.

    Without an address, or with no time, nothing is linked there.
    """

    public_url: str = ""
    life: timedelta = timedelta()

    def link(self, tx: Tx, tenant_id: int, enquiry_id: int, now: datetime, vault: Vault) -> str | None:
        """Return the link for a call's note; None where none is wanted."""
        if not self.public_url or not self.life:
            return None
        return address(self.public_url, recording_links.for_note(tx, tenant_id, enquiry_id, self.life, now, vault))


NO_LINKS = NoteLinks()
