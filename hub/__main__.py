"""The command line: ``cthub``."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import report as reporting
from hub.app import build, web_app, work_until
from hub.cli_accuracy import accuracy
from hub.cli_app import app_cli
from hub.cli_conflicts import conflicts
from hub.cli_deliveries import deliveries_cli
from hub.cli_habits import habits
from hub.cli_hub import Company, DaysBack, latest, tenant_of, with_hub
from hub.cli_ledger import ledger_cli
from hub.cli_pool import pool_cli
from hub.cli_reconcile import reconcile_
from hub.cli_versions import scenario_cli
from hub.cli_widget import widget_cli
from hub.errors import HubError, PortTaken
from hub.hub import Hub
from hub.settings import read_settings
from hub.setup import apply
from hub.setup_file import read_setup
from hub.store import people
from hub.store.vault import new_key
from hub.web.words import Words

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Call tracking that proves what it does.",
)
report_cli = typer.Typer(no_args_is_help=True, help="What came of it.")
cli.add_typer(report_cli, name="report")
cli.add_typer(pool_cli, name="pool")
cli.add_typer(ledger_cli, name="ledger")
cli.add_typer(deliveries_cli, name="deliveries")
cli.add_typer(widget_cli, name="widget")
cli.add_typer(app_cli, name="app")
cli.add_typer(scenario_cli, name="scenario")
cli.command()(habits)
cli.command()(accuracy)
cli.command()(conflicts)
cli.command("reconcile")(reconcile_)
err = Console(stderr=True)

_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@cli.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8800,
    worker: Annotated[bool, typer.Option(help="Also serve deliveries in this process.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line when it listens.")] = False,
) -> None:
    """Serve the page script, telephony, the console and, unless --no-worker, the deliveries."""
    settings = read_settings()
    listener = _listen(host, port)
    hub = build(settings)
    if not hub.db.is_sqlite or worker:
        works = worker
    else:
        raise HubError("SQLite has one process for everything: leave out --no-worker, or use PostgreSQL.")
    url = f"http://{host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        web_app(hub, works=works),
        log_level=settings.log_level,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(server, listener, lambda: _say_ready(url, as_json)))
    hub.db.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it each answer may wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or error
        raise PortTaken(f"Nobody can listen on {host}:{port}: {why}. Choose another with --port.") from error
    return listener


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None]) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells it only by this flag
        await asyncio.sleep(0.01)
    if server.started:
        gc.freeze()  # what is here now stays: looking through it at each collection would halt every request in flight
        ready()
    await serving
    if not server.started:
        raise HubError("The hub did not start; the lines above say why.")


def _say_ready(url: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": url}), flush=True)
    else:
        err.print(f"The hub listens. Console: [bold]{url}[/bold]   (Ctrl-C ends it)")


@cli.command()
def worker() -> None:
    """Serve deliveries beside 'cthub up --no-worker'; any number of them on one PostgreSQL."""

    async def work(hub: Hub) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await work_until(hub, stop)

    with_hub(lambda hub: asyncio.run(work(hub)))


@cli.command("apply")
def apply_(
    file: Annotated[Path, typer.Argument(help="The set-up file (YAML).")],
    is_new: Annotated[bool, typer.Option("--new-tenant", help="Make one more company of it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Make tenant, sites, numbers, telephony and scenarios as a set-up file says; again changes nothing."""
    asked, texts = read_setup(file)
    done = with_hub(lambda hub: hub.db.write_now(apply, asked, texts, hub.clock.now(), hub.vault, is_new))
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
        return
    out = Console(soft_wrap=True)
    out.print(f"[bold]{done.tenant}[/bold]: log in as {done.owner_email}")
    if done.owner_password:
        out.print(f"Password (shown once): [bold]{done.owner_password}[/bold]")
    public_url = read_settings().public_url.rstrip("/")
    for site in done.sites:
        out.print(f"Site {site['name']}: key {site['key']}")
        if site["mail"]:
            out.print(f"Letters to {site['name']}: post a copy of each to {public_url}{site['mail']}")
    for path in done.telephony:
        out.print(f"Telephony {path['name']}: send events to {public_url}{path['path']}")
    if done.api_token:
        out.print(f"API token (shown once): {done.api_token}")


@cli.command()
def password(email: Annotated[str, typer.Argument(help="Whose password to set.")]) -> None:
    """Set a new password for a person and end his sessions."""
    new = typer.prompt("New password (at least 12 characters)", hide_input=True, confirmation_prompt=True)
    if len(new) < 12:
        raise HubError("The password is shorter than 12 characters.")
    if not with_hub(lambda hub: hub.db.write_now(people.set_password, email, new, hub.clock.now())):
        raise HubError(f"Nobody here logs in as {email}.")
    err.print("The password is set.")


@cli.command()
def token(company: Company = "") -> None:
    """Make a new API token of the owner."""

    def make(hub: Hub) -> str:
        tenant_id = tenant_of(hub, company)
        person = hub.db.read_now(people.owner, tenant_id)
        return hub.db.write_now(people.log_in, tenant_id, person, hub.clock.now(), "api")

    print(with_hub(make))


@cli.command()
def key() -> None:
    """Print a new encryption key as HUB_KEYS takes it; put it first, keep the old ones behind it."""
    print(new_key())


@report_cli.command("roi")
def report_roi(
    days: DaysBack = 30,
    model: Annotated[str, typer.Option(help=f"Who has the credit: {', '.join(reporting.MODELS)}.")] = reporting.LAST,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Visits, calls, deals, revenue, spend and ROMI by source and campaign."""

    def make(hub: Hub) -> Any:
        return asyncio.run(reporting.roi(hub.db, tenant_of(hub, company), *latest(hub, days), model))

    made = with_hub(make, writes=False)
    note = Words("en").caveat(made.caveat)
    if as_json:
        rows = [{name: getattr(row, name) for name in row.__slots__} for row in (*made.rows, made.total)]
        told = {"model": model, "note": note, "rows": rows[:-1], "total": rows[-1]}
        print(json.dumps(told, ensure_ascii=False))
        return
    Console().print(_roi_table(made))
    if note:
        err.print(note)


def _roi_table(made: Any) -> Table:
    table = Table(title=f"ROI by source and campaign, model: {made.model}", show_footer=True)
    total = made.total
    columns = (
        "visits",
        "enquiries",
        "calls",
        "qualified",
        "deals",
        "won",
        "revenue_minor",
        "spend_minor",
        "cost_per_enquiry_minor",
    )
    table.add_column("source")
    table.add_column("campaign", footer="total")
    for name in columns:
        table.add_column(name.removesuffix("_minor").replace("_", " "), justify="right", footer=_cell(name, total))
    table.add_column("ROMI", justify="right", footer=_percent(total.romi_percent))
    for row in made.rows:
        cells = [_cell(name, row) for name in columns]
        table.add_row(row.source, row.campaign, *cells, _percent(row.romi_percent))
    return table


def _cell(name: str, row: Any) -> str:
    value = getattr(row, name)
    if value is None:
        return "—"
    if name.endswith("_minor"):
        return f"{value / 100:,.2f}".replace(",", " ")
    return str(value) if isinstance(value, int) else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f} %"


@cli.command(context_settings=_PASS_ON)
def sandbox(context: typer.Context) -> None:
    """Start a vendor's sandbox alone: cthub sandbox NAME --port 8801."""
    _become("sandbox", context.args)


@cli.command(context_settings=_PASS_ON)
def demo(context: typer.Context) -> None:
    """Play a business day against sandboxes on loopback and print what came of it."""
    _become("sandbox.demo", context.args)


def _become(module: str, arguments: list[str]) -> None:
    """Replace this process: the sandboxes share no code with the hub, only this command line."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own interpreter and module


def main() -> None:
    """Run the command line; what a person can mend is one sentence and exit code 1."""
    try:
        cli()
    except HubError as error:
        err.print(Text(str(error), style="red"), soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
