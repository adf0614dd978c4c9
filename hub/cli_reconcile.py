"""``cthub reconcile``: what came in, was planned, was delivered and is in the CRM, and each gap between them."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from connectors.registry import CONNECTORS
from hub.app import take_over
from hub.cli_hub import Company, tenant_of, with_hub
from hub.errors import DatabaseBusy, HubError
from hub.hub import Hub
from hub.reconcile import MOST_DAYS, reconcile
from hub.reconcile_crm import Asker, Unchecked
from hub.store import reconciliations
from hub.web.console.formats import Formats
from hub.web.console.gaps_told import GapLine, gap_lines, gaps_in, headline, plainly
from hub.web.words import Words

Told = Mapping[str, Any]
Reconciled = tuple[Told, datetime]  # and when it is printed


def reconcile_(
    days: Annotated[int, typer.Option(help="How many days back from now.", min=1, max=MOST_DAYS)] = 1,
    crm: Annotated[bool, typer.Option("--crm/--no-crm", help="Ask the CRM, too.")] = True,
    last: Annotated[bool, typer.Option("--last", help="Print what the hub found the last night.")] = False,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Compare what came in, was planned, was delivered and is in the CRM; exit 1 when there are gaps."""
    told, now = _last(company) if last else _fresh(days, company, crm=crm)
    if as_json:
        print(json.dumps(plainly(told, CONNECTORS), ensure_ascii=False))
    else:
        _show(Formats(Words("en"), "UTC", ""), told, now)
    if gaps_in(told):
        raise typer.Exit(1)


def _last(company: str) -> Reconciled:
    told, now = with_hub(
        lambda hub: (hub.db.read_now(reconciliations.last, tenant_of(hub, company)), hub.clock.now()), writes=False
    )
    if told is None:
        raise HubError("No night was reconciled yet: the hub does so at 04:00 UTC.")
    return json.loads(told), now


def _fresh(days: int, company: str, *, crm: bool) -> Reconciled:
    made: Reconciled
    if not crm:
        made = with_hub(lambda hub: _made(hub, tenant_of(hub, company), days, Unchecked.SKIPPED), writes=False)
        return made
    try:
        made = with_hub(lambda hub: _made(hub, tenant_of(hub, company), days, None))
    except DatabaseBusy:
        made = with_hub(lambda hub: _made(hub, tenant_of(hub, company), days, Unchecked.BESIDE), writes=False)
    return made


def _made(hub: Hub, tenant_id: int, days: int, why_not: Unchecked | None) -> Reconciled:
    """Reconcile now; without a reason against it the CRM is asked, too."""
    return asyncio.run(_compared(hub, tenant_id, days, why_not))


async def _compared(hub: Hub, tenant_id: int, days: int, why_not: Unchecked | None) -> Reconciled:
    asker = None
    if why_not is None:
        await take_over(hub)
        asker = Asker(hub.worker, tenant_id)
    now = hub.clock.now()
    made = await reconcile(hub.db, tenant_id, now - timedelta(days=days), now, hub.vault, asker, why_not or "")
    await hub.round_trips.write_waiting()  # no loop runs here
    return made, now


def _show(f: Formats, told: Told, now: datetime) -> None:
    out = Console(soft_wrap=True)
    out.print(Text(headline(f, told, now, CONNECTORS), style="bold"))
    lines = gap_lines(f.words, told, CONNECTORS)
    for line in lines:
        out.print(Text(_gap(f, line)))
    if len(lines) < gaps_in(told):
        out.print(Text(f.words("reconciled.cut", n=len(lines))))


def _gap(f: Formats, line: GapLine) -> str:
    of = f"enquiry {line.enquiry}" if line.enquiry is not None else ""
    about = ", ".join(part for part in (of, f.moment(line.at), line.account) if part)
    detail = f" [{line.detail}]" if line.detail else ""
    return f"{about}: {line.happened}{detail} {line.to_do}"
