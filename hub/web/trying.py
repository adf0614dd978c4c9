"""Asks an account one thing for a person who wants to know whether the connection works now."""

from datetime import timedelta

from connectors.protocol import Connector
from hub.delivery import errands, lanes
from hub.hub import Hub
from hub.store import crm
from hub.store.crm import Installed
from hub.web import telling
from hub.web.words import Words

_PATIENCE = timedelta(seconds=3)  # with a lane that is being served


async def try_now(hub: Hub, connector: Connector, of: Installed, words: Words) -> tuple[bool, str]:
    """Read an account once through our own access, by its lane; return whether that works, and the sentence about it.

    What a person may have mended is not waited for: calls that waited for it go at once, too.
    """
    if of.status != crm.ACTIVE:
        return False, words("connections.failed", why=telling.told(connector, of.reason, words.language))
    await hub.db.write(lanes.look_again, of.tenant_id, of.id, hub.clock.now())
    try:
        await errands.ask(hub.worker, of, lambda session: session.check(), _PATIENCE)
    except errands.Held as error:
        return False, words("connections.failed", why=telling.told(connector, error.said, words.language))
    except errands.Busy:
        return False, words("connections.busy")
    await hub.db.write(lanes.wake, of.tenant_id, of.id, hub.clock.now())
    hub.worker.wake.set()
    return True, words("connections.works", name=(of.facts or {}).get("name") or of.host)
