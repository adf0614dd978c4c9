"""Brings the index of an account's contacts up to date, and asks it for whole batches of people at once."""

from collections.abc import Mapping, Sequence

import structlog

from connectors.protocol import Connector, ContactPage, CrmSession, InstallationError, Known, Why
from hub.delivery import lanes
from hub.delivery.lanes import Claim
from hub.delivery.taking import Taken
from hub.store import contacts
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault

log = structlog.get_logger()

PAYS = 4  # people in a batch: fewer are searched for, which costs no more than bringing the index up to date
_PAGES = 20  # of one turn, so that a first reading never keeps deliveries waiting for long


async def pull(db: Db, claim: Claim, session: CrmSession, of: Installed, vault: Vault) -> bool:
    """Read contacts changed since the cursor; True when there is more to read.

    A list that makes no sense leaves the searches; any other trouble is the installation's, as ever.
    """
    cursor = of.contacts_cursor
    try:
        for _ in range(_PAGES):
            page = await session.contacts(cursor)
            await db.write(_save, claim, of, page, vault)
            cursor = page.cursor
            if not page.more:
                return False
    except InstallationError as error:
        if error.why is not Why.UNREADABLE:
            raise
        log.warning("contacts.not_read", installation=of.id, why=error.why, said=str(error.said))
        await db.write(contacts.forget, of)
        return False
    return True


def _save(tx: Tx, claim: Claim, of: Installed, page: ContactPage, vault: Vault) -> None:
    lanes.kept(tx, claim)  # who was halted for long does not write over what a later holder read
    contacts.save_page(tx, of, page, vault)


async def known(
    db: Db, connector: Connector, of: Installed, taken: Sequence[Taken], vault: Vault
) -> Mapping[str, tuple[Known, ...]]:
    """Return what the index knows of the people of a batch, by delivery; whom only a search can find is left out.

    So is what failed before: what was known may have been the reason.
    """
    fresh = [one for one in taken if not one.spent]
    asked = {one.id: keys for one in fresh if (keys := connector.keys_of(one.plan.enquiry)) is not None}
    return await db.read(contacts.people_of, of, asked, vault) if asked else {}
