"""``cthub ledger``: what was written of each fact, and whether anybody changed it since."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub.cli_hub import Company, tenant_of, with_hub
from hub.hub import Hub
from hub.store import ledger_chain
from hub.store.ledger_chain import Line, Verified

ledger_cli = typer.Typer(no_args_is_help=True, help="What happened, entry by entry, in a chain that shows any change.")


@ledger_cli.command("verify")
def verify(
    noted: Annotated[str, typer.Option(help="A last hash from an earlier time, kept elsewhere.")] = "",
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Follow the whole chain: exit 0 when everything fits, else name the first entry that does not, and exit 1."""

    def follow(hub: Hub) -> Verified:
        return hub.db.read_now(ledger_chain.verify, tenant_of(hub, company), hub.vault, noted)

    found = with_hub(follow, writes=False)
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        print(_sentence(found))
    if found.flaw is not None:
        raise typer.Exit(1)


def _sentence(found: Verified) -> str:
    waiting = f"{found.unsealed} wait for their seal."
    if found.flaw is None:
        return f"{found.sealed} entries, sealed, and every one fits. {waiting} The last hash is {found.hash or 'none'}."
    return f"{found.sealed} entries fit. {found.flaw.sentence} {waiting}"


@ledger_cli.command("show")
def show(
    enquiry: Annotated[int, typer.Option(help="Id of an enquiry; entries of any kind when left out.", min=0)] = 0,
    last: Annotated[int, typer.Option(help="How many of the newest, without an enquiry.", min=1, max=10_000)] = 50,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line for each entry.")] = False,
) -> None:
    """Print the entries of an enquiry, or the newest ones."""

    def listed(hub: Hub) -> list[Line]:
        tenant_id = tenant_of(hub, company)
        if enquiry:
            return hub.db.read_now(ledger_chain.of_enquiry, tenant_id, enquiry)
        return hub.db.read_now(ledger_chain.newest, tenant_id, last)

    lines = with_hub(listed, writes=False)
    if as_json:
        for line in lines:
            print(json.dumps({**asdict(line), "at": line.at.isoformat()}, ensure_ascii=False))
        return
    out = Console(soft_wrap=True)
    for line in lines:
        out.print(Text(_told(line)))


def _told(line: Line) -> str:
    """Return an entry as a line: its number, moment in UTC, kind, subjects, who, facts and whether its seal fits."""
    subjects = {"enquiry": line.enquiry_id, "delivery": line.delivery_id, "installation": line.installation_id}
    named = [f"{name} {of}" for name, of in subjects.items() if of is not None]
    facts = [f"{name} {json.dumps(told, ensure_ascii=False)}" for name, told in line.facts.items()]
    seal = {True: "fits", False: "DOES NOT FIT", None: "not sealed yet"}[line.fits]
    about = ", ".join(part for part in (*named, line.who, *facts) if part)
    return f"{line.seq or '-':>6}  {line.at:%Y-%m-%d %H:%M:%S}  {line.kind:<21}  {seal:<14}  {about}"
