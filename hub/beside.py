"""An account that is asked beside any lane: while somebody connects it, or opens our page in it."""

from types import TracebackType
from typing import Self

from connectors.http import Http
from connectors.protocol import App, Connector
from hub.clock import Clock
from hub.pace import Pace
from hub.round_trips import Notes


class Beside:
    """The requests to such an account: spaced in memory, and noted until it is known whose it is."""

    def __init__(self, connector: Connector, app: App, clock: Clock) -> None:
        self.notes, self._pace = Notes(clock), Pace(connector.manifest.limits, clock)
        hosts = connector.manifest.hosts
        self.http = Http(allowed=hosts, origins=app.origins, turn=self._pace.turn, heard=self.notes.hear)

    @property
    def spent(self) -> list[int]:
        """What was taken of the account's budget: its lane goes on with that."""
        return self._pace.spent

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()
