"""``cthub pool``: what the hub's own past says of its numbers."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli_hub import Company, tenant_of, with_hub
from hub.errors import HubError
from hub.hub import Hub
from hub.pool_plan import DAYS, RIGHT, Asked, PoolPlan, Trial, plan_pool
from hub.store.sites_told import PoolTold, SiteTold, sites_told
from hub.web.console.formats import Formats
from hub.web.console.numbers_told import advice, notes, way
from hub.web.words import Words

pool_cli = typer.Typer(no_args_is_help=True, help="What the pools of numbers need.")


@pool_cli.callback()
def _pools() -> None:
    """Keep ``plan`` a verb of its own: with one command alone typer would make the group the command."""


@pool_cli.command("plan")
def pool_plan(
    site: Annotated[str, typer.Option(help="Key of the site; the first when left out.")] = "",
    pool: Annotated[str, typer.Option(help="Name of the pool; the site's first when left out.")] = "",
    days: Annotated[int, typer.Option(help="How many days back from now.", min=1, max=366)] = DAYS,
    right: Annotated[float, typer.Option(help="Share of calls to be matched rightly.", min=0, max=1)] = RIGHT,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """How many numbers for which accuracy: replays the pool's visits and calls with more and fewer numbers."""
    made = with_hub(lambda hub: _plan(hub, tenant_of(hub, company), site, pool, Asked(right, days)), writes=False)
    if as_json:
        print(json.dumps(_plain(asdict(made) | {"least_right": made.least_right}), ensure_ascii=False))
    else:
        _show(made)


def _plan(hub: Hub, tenant_id: int, key: str, name: str, asked: Asked) -> PoolPlan:
    site = _site(hub.db.read_now(sites_told, tenant_id, hub.clock.now()), key)
    return asyncio.run(plan_pool(hub, tenant_id, site, _pool(site, name), asked))


def _site(sites: Sequence[SiteTold], key: str) -> SiteTold:
    if not sites:
        raise HubError("There is no site yet: describe one in the set-up file and run 'cthub apply FILE'.")
    found = next((one for one in sites if key in ("", one.key)), None)
    if found is None:
        there = ", ".join(f"{one.key} ({one.name})" for one in sites)
        raise HubError(f"No site has the key {key}; there are: {there}.")
    return found


def _pool(site: SiteTold, name: str) -> PoolTold:
    if not site.pools:
        raise HubError(f"The site {site.name} has no pool: there is nothing to plan.")
    found = next((one for one in site.pools if name in ("", one.name)), None)
    if found is None:
        there = ", ".join(one.name for one in site.pools)
        raise HubError(f"No pool of the site {site.name} is called {name}; there are: {there}.")
    return found


def _plain(told: Any) -> Any:
    """Return what JSON takes: moments in ISO form, shares and figures with four digits."""
    if isinstance(told, Mapping):
        return {name: _plain(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_plain(value) for value in told]
    if isinstance(told, datetime):
        return told.isoformat()
    return round(told, 4) if isinstance(told, float) else told


def _show(plan: PoolPlan) -> None:
    f = Formats(Words("en"), "UTC", "")
    table = Table(title=Text(f"{f.words('numbers.table')}: {plan.pool}, {plan.site}"), title_justify="left")
    for name in ("numbers", "given", "right", "wrong", "unknown", "overflow"):
        table.add_column(f.words(f"numbers.{name}"), justify="left" if name == "given" else "right")
    for one in plan.trials:
        table.add_row(*_cells(f, one), style="bold" if one in (plan.now, plan.advised) else None)
    out = Console(soft_wrap=True)
    out.print(table)
    out.print(Text(advice(f, plan), style="bold"))
    for note in notes(f, plan):
        out.print(Text(note))


def _cells(f: Formats, one: Trial) -> list[str]:
    shares = (f.percent(share, 1) for share in (one.right, one.wrong, one.unknown, one.overflow))
    return [f.number(one.numbers), way(f, one.on_intent), *shares]
