"""Tokens: exchange a code, refresh once for everybody.

Only the holder of an installation's lane refreshes, so there is one refresher; the new pair is saved before it is used,
and no transaction is open while the vendor answers.
"""

from dataclasses import replace
from datetime import timedelta

from connectors.http import Http
from connectors.protocol import App, Connector, Grant, GrantRevoked
from hub import failpoints
from hub.clock import Clock
from hub.store import crm
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.vault import Vault

_EARLY = timedelta(minutes=10)


async def live_grant(
    db: Db, clock: Clock, vault: Vault, connector: Connector, app: App, of: Installed, http: Http
) -> Grant:
    """Return a grant whose access token is good for a while; refresh and save it first when it is not.

    Raises ``GrantRevoked`` when the vendor refuses the refresh token and nobody else refreshed meanwhile.
    """
    grant = await db.read(crm.load_grant, of, vault)
    if grant.expires_at - clock.now() > _EARLY or grant.refresh_token is None:
        return grant
    try:
        fresh = await connector.refresh(http, app, grant, clock.now())
    except GrantRevoked:
        kept = await db.read(crm.load_grant, of, vault)
        if kept.refresh_token == grant.refresh_token:
            raise
        return kept  # somebody else refreshed meanwhile: ours was refused because it is spent, not revoked
    failpoints.reach("grant.refreshed")
    await db.write(crm.save_grant, of.tenant_id, of.id, fresh, vault)
    failpoints.reach("grant.saved")
    return replace(fresh, account=of.account)
