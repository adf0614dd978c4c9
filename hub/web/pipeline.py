"""The door of a CRM's own automation: it asks that a deal counts as a goal.

Only the secret of the path speaks for who asks, and it is the same for every account of our app. So the request is a
doorbell: it is kept, answered at once, and looked at with our own access afterwards, whether the account answers now or
not.
"""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.protocol import GoalAsked, Rejected
from hub.delivery import lanes
from hub.hub import Hub
from hub.store import asked_goals, crm, market
from hub.store.calls import count_refusal
from hub.store.tx import Tx
from hub.web.answers import Json, refused
from hub.web.oauth import as_hook

_DOOR = "pipeline"


class AccountUnknown(Exception):
    """No customer of the hub has connected the account, or it removed us."""


class Asking:
    """The door at which goals are asked for."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def routes(self) -> list[Route]:
        """Return the one route."""
        return [Route(f"/embed/{{connector:str}}/{_DOOR}/{{secret:str}}", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """Keep what is asked, and answer; who asks waits two seconds, once."""
        name = request.path_params["connector"]
        connector, app = self.hub.connectors.get(name), self.hub.apps.get(name)
        asked = None
        if connector and app and connector.goal_asked:
            asked = connector.goal_asked(await as_hook(request), app, request.path_params["secret"])
        if asked is None:
            return await self._refuse(request, 404, "unknown_path", "There is nothing under this address.")
        if isinstance(asked, Rejected):
            return await self._refuse(request, 400, "unreadable", asked.sentence)
        try:
            is_kept = await self.hub.db.write(keep, name, asked, self.hub.clock.now())
        except AccountUnknown:
            sentence = f"The account {asked.account} is not connected to this hub: open the widget's settings there."
            return await self._refuse(request, 404, "unknown_account", sentence)
        if not is_kept:
            return await self._refuse(request, 429, "too_many", "Too many deals of this account wait to be looked at.")
        self.hub.worker.wake.set()
        return Json({"deal": asked.deal, "goal": asked.goal})

    async def _refuse(self, request: Request, status: int, reason: str, sentence: str) -> Response:
        await self.hub.db.write(count_refusal, _DOOR, reason, self.hub.clock.now())
        return refused(request, status, sentence)


def keep(tx: Tx, connector: str, asked: GoalAsked, now: datetime) -> bool:
    """Keep what is asked and have the account looked at soon; False when too much waits. Raises ``AccountUnknown``."""
    owner = market.owner_of(tx, connector, asked.account)
    if owner is None or owner[2] == crm.REMOVED:
        raise AccountUnknown
    tenant_id, installation_id, _ = owner
    is_kept = asked_goals.note(tx, tenant_id, installation_id, asked.deal, asked.goal, now)
    if is_kept:
        lanes.wake(tx, tenant_id, installation_id, now)
    return is_kept
