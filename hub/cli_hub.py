"""What every verb of the command line begins with: the hub of this environment, and its tenant."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

import typer

from hub.app import build
from hub.errors import HubError
from hub.hub import Hub
from hub.settings import read_settings
from hub.store import people

DaysBack = Annotated[int, typer.Option(help="How many days back from today.", min=1, max=3_660)]


def with_hub(work: Callable[[Hub], Any], *, writes: bool = True) -> Any:
    """Do something with the hub, and stop it whatever happens; without ``writes`` beside one that runs."""
    hub = build(read_settings(), writes=writes)
    try:
        return work(hub)
    finally:
        hub.db.stop()


def tenant_of(hub: Hub) -> int:
    """Return the hub's tenant; raises HubError before its set-up."""
    tenant_id = hub.db.read_now(people.first_tenant)
    if tenant_id is None:
        raise HubError("This hub is not set up yet: run 'cthub apply FILE' first.")
    return tenant_id


def latest(hub: Hub, days: int) -> tuple[date, date]:
    """Return the first and the last of so many days, today included."""
    last = hub.clock.now().date()
    return last - timedelta(days=days - 1), last
