"""``cthub deliveries``: what a person does with deliveries that wait for him."""

from functools import partial
from typing import Annotated

import typer

from hub.cli_hub import Company, tenant_of, with_hub
from hub.delivery import by_hand
from hub.errors import HubError
from hub.hub import Hub

deliveries_cli = typer.Typer(no_args_is_help=True, help="What became of deliveries.")


@deliveries_cli.callback()
def _deliveries() -> None:
    """Keep ``replay`` a verb of its own: with one command alone typer would make the group the command."""


@deliveries_cli.command("replay")
def replay(
    all_parked: Annotated[bool, typer.Option("--all-parked", help="Every delivery that is parked.")] = False,
    installation: Annotated[int | None, typer.Option(help="Only of this installation (its number).")] = None,
    company: Company = "",
) -> None:
    """Send parked deliveries again, each with a fresh schedule."""
    if not all_parked:
        raise HubError("Say which: --all-parked, and --installation N for those of one installation.")

    def send_again(hub: Hub) -> int:
        replay_parked = partial(by_hand.replay_parked, vault=hub.vault)
        return hub.db.write_now(replay_parked, tenant_of(hub, company), installation, hub.clock.now())

    number = with_hub(send_again)
    print(f"{number} {'delivery goes' if number == 1 else 'deliveries go'} out again.")
