"""``cthub scenario versions``, ``show``, ``publish``, ``rollback``: what was saved, and what runs from now on."""

from pathlib import Path
from typing import Annotated

import typer

from connectors.scenario import ScenarioError, read_scenario
from hub.cli_hub import Company, tenant_of, with_hub
from hub.cli_scenario import Crm, account_of, text_of
from hub.cli_scenario import scenario_cli as scenario_cli
from hub.errors import HubError
from hub.hub import Hub
from hub.store import crm, scenario_versions
from hub.store.crm import Installed
from hub.store.scenario_versions import SavedScenario

_AUTHOR = "cthub"  # whoever may write to the database at the command line


@scenario_cli.command("versions")
def versions(connector: Crm = "", company: Company = "") -> None:
    """List the versions of a scenario, the newest first: it is the one that runs."""
    for saved in with_hub(lambda hub: _versions(hub, company, connector), writes=False):
        print(f"{saved.version}\t{saved.created_at:%Y-%m-%d %H:%M} UTC\t{saved.author}")


@scenario_cli.command("show")
def show(
    version: Annotated[int, typer.Option(help="Which; the one that runs when left out.", min=0)] = 0,
    connector: Crm = "",
    company: Company = "",
) -> None:
    """Print a version of a scenario as it was written."""
    found = with_hub(lambda hub: _versions(hub, company, connector), writes=False)
    print(_one(found, version).text, end="")


@scenario_cli.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="The scenario (YAML).")], connector: Crm = "", company: Company = ""
) -> None:
    """Let a scenario file run from now on, as a new version; one that does not fit the account is refused."""
    text = text_of(file)
    print(f"Version {with_hub(lambda hub: _save(hub, _account(hub, company, connector), text, str(file)))} runs.")


@scenario_cli.command("rollback")
def rollback(
    version: Annotated[int, typer.Argument(help="The version to go back to.", min=1)],
    connector: Crm = "",
    company: Company = "",
) -> None:
    """Let an older version run again, as a new one: none is ever lost."""

    def back(hub: Hub) -> int:
        of = _account(hub, company, connector)
        older = _one(hub.db.read_now(scenario_versions.every, of.tenant_id, of.connector), version)
        return _save(hub, of, older.text, f"version {version}")

    print(f"Version {with_hub(back)} runs: the text of version {version}.")


def _account(hub: Hub, company: str, connector: str) -> Installed:
    return account_of(hub, tenant_of(hub, company), connector)


def _versions(hub: Hub, company: str, connector: str) -> list[SavedScenario]:
    of = _account(hub, company, connector)
    return hub.db.read_now(scenario_versions.every, of.tenant_id, of.connector)


def _one(found: list[SavedScenario], version: int) -> SavedScenario:
    saved = next((one for one in found if version in (0, one.version)), None)
    if saved is None:
        there = ", ".join(str(one.version) for one in found) or "none"
        raise HubError(f"There is no version {version}; there are: {there}.")
    return saved


def _save(hub: Hub, of: Installed, text: str, name: str) -> int:
    try:
        read_scenario(text, name, crm.facts_of(of.facts))
    except ScenarioError as error:
        raise HubError(f"Nothing was saved. {error}") from None
    return hub.db.write_now(scenario_versions.save, of.tenant_id, of.connector, text, _AUTHOR, hub.clock.now())
