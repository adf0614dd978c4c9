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

Company = Annotated[str, typer.Option(help="Name of the company, or an e-mail of its owner, where a hub has several.")]
DaysBack = Annotated[int, typer.Option(help="How many days back from today.", min=1, max=3_660)]


def with_hub(work: Callable[[Hub], Any], *, writes: bool = True) -> Any:
    """Do something with the hub, and stop it whatever happens; without ``writes`` beside one that runs."""
    hub = build(read_settings(), writes=writes)
    try:
        return work(hub)
    finally:
        hub.db.stop()


def tenant_of(hub: Hub, company: str) -> int:
    """Return the tenant that a verb is for; raises HubError before the set-up, and where it does not say which."""
    there = hub.db.read_now(people.companies)
    if not there:
        raise HubError("This hub is not set up yet: run 'cthub apply FILE' first.")
    wanted = company.strip().casefold()
    found = [id_ for id_, *known in there if not wanted or wanted in (one.casefold() for one in known)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{name} ({email})" for _, name, email in there)
    if not wanted:
        raise HubError(f"This hub has {len(there)} companies: say which with --company: {names}.")
    which = "Several companies are" if found else "No company is"
    raise HubError(f"{which} called {company!r}; there are: {names}.")


def latest(hub: Hub, days: int) -> tuple[date, date]:
    """Return the first and the last of so many days, today included."""
    last = hub.clock.now().date()
    return last - timedelta(days=days - 1), last
