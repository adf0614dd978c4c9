"""What can be connected, and how each connection is."""

from starlette.responses import Response

from hub.store import health
from hub.web.console.page import page
from hub.web.console.shell import Desk, render


@page
async def show(desk: Desk) -> Response:
    """Show every connector with its installations."""
    hub = desk.hub
    installed = await hub.db.read(health.installations, desk.tenant_id)
    return render(
        desk,
        "connections.html",
        connectors=[
            (connector.manifest, name in hub.apps, [one for one in installed if one.connector == name])
            for name, connector in hub.connectors.items()
        ],
        others=[one for one in installed if one.connector not in hub.connectors],
    )
