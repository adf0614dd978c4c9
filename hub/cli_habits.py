"""``cthub habits``: how the visitors of each site call, as the hub has learned it."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from hub.cli_hub import Company, tenant_of, with_hub
from hub.hub import Hub
from hub.store.habits_text import write_habits
from hub.store.site_habits import Learned, learned_of
from hub.store.sites_told import sites_told
from hub.web.console.formats import Formats
from hub.web.console.habits_told import told
from hub.web.words import Words

Each = list[tuple[str, str, Learned | None]]  # key and name of a site, and what it has taught


def habits(
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """How the visitors of each site call, learned from its calls, and whether the general figures still hold."""
    sites, now = with_hub(lambda hub: (_sites(hub, company), hub.clock.now()), writes=False)
    if as_json:
        print(json.dumps([_plain(*site) for site in sites], ensure_ascii=False))
        return
    out, f = Console(soft_wrap=True), Formats(Words("en"), "UTC", "")
    for _, name, learned in sites:
        out.print(Text(name, style="bold"))
        for sentence in told(f, learned, now):
            out.print(Text(f"  {sentence}"))


def _sites(hub: Hub, company: str) -> Each:
    tenant_id = tenant_of(hub, company)
    sites = hub.db.read_now(sites_told, tenant_id, hub.clock.now())
    return [(site.key, site.name, hub.db.read_now(learned_of, tenant_id, site.id)) for site in sites]


def _plain(key: str, name: str, learned: Learned | None) -> dict[str, Any]:
    """Return a site as JSON takes it; ``habits`` is null while the general figures are used."""
    own = learned is not None and learned.is_own
    return {
        "key": key,
        "site": name,
        "learned_at": learned.learned_at.isoformat() if learned else None,
        "calls": learned.from_calls if learned else 0,
        "habits": json.loads(write_habits(learned.habits)) if learned and own else None,
    }
