"""What every way of connecting an account ends with."""

import structlog

from connectors.errors import ConnectorError
from connectors.protocol import CrmSession, Facts, Grant, InstallationError
from hub import planning
from hub.delivery import lanes
from hub.hub import Hub
from hub.store import crm, market
from hub.store.market import Account
from hub.store.tx import Tx

log = structlog.get_logger()


async def facts_of(session: CrmSession) -> Facts | None:
    """Return what an account has while its owner waits; None when it cannot say so now: its access is worth keeping."""
    try:
        return await session.facts()
    except (InstallationError, ConnectorError) as error:
        log.warning("connecting.not_read", error=str(error))
        return None


def install(
    tx: Tx, tenant_id: int, of: Account, grant: Grant, facts: Facts | None, spent: list[int], hub: Hub, by: int | None
) -> None:
    """Write an account that has given access; ``spent`` is what asking it took of its budget.

    Without ``facts`` its worker reads what it has.
    """
    now = hub.clock.now()
    installation_id = crm.install(tx, tenant_id, of.connector, grant, now, hub.vault, by)
    if facts is not None:
        planning.learn(tx, tenant_id, installation_id, facts, now)
    lanes.open_lane(tx, tenant_id, installation_id, now, spent)
    market.forget_account(tx, of)


def wake(hub: Hub) -> None:
    """Have the new account served and its doorbell seen to at once."""
    hub.worker.wake.set()
    hub.doorbells.wake.set()
