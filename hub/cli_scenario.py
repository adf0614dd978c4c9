"""``cthub scenario``: rules are checked, and tried on what has been, before they run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.registry import CONNECTORS
from connectors.scenario import ScenarioError, every_rule, read_scenario
from connectors.scenario_schema import schema_text
from hub.cli_hub import Company, tenant_of, with_hub
from hub.dry_run import DAYS, Checked, DryRun
from hub.errors import HubError
from hub.hub import Hub
from hub.planning import Rules
from hub.store import crm
from hub.store.crm import Installed
from hub.web import decided, dry_run_told
from hub.web.console.formats import Formats
from hub.web.dry_run_told import MOST_DAYS
from hub.web.words import Words

scenario_cli = typer.Typer(no_args_is_help=True, help="What becomes of an enquiry in the CRM.")
File = Annotated[Path | None, typer.Argument(help="The scenario (YAML); the one that runs when left out.")]
Crm = Annotated[str, typer.Option("--connector", help="Whose; the connected CRM when left out.")]
_SHOWN = 20  # differences in the text; the JSON line has all


@scenario_cli.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The scenario (YAML).")],
    against: Annotated[
        bool, typer.Option("--against-account", help="Names are those of the connected account, too.")
    ] = False,
    connector: Crm = "",
    company: Company = "",
) -> None:
    """Read a scenario file; exit 1 and say what is wrong, where, and what is allowed."""
    text = text_of(file)
    facts = None
    if against:
        of = with_hub(lambda hub: account_of(hub, tenant_of(hub, company), connector), writes=False)
        facts = crm.facts_of(of.facts)
    with _told_by_line():
        scenario = read_scenario(text, str(file), facts)
    print(f"{file}: {len(list(every_rule(scenario)))} rules for {', '.join(scenario.rules)}.")


@scenario_cli.command("dry-run")
def dry_run_(
    file: File = None,
    days: Annotated[int, typer.Option(help="How many days back from now.", min=1, max=MOST_DAYS)] = DAYS,
    connector: Crm = "",
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """What a scenario would have done with the last days' enquiries, beside the one that runs; changes nothing."""
    text = text_of(file) if file else None

    def tried(hub: Hub) -> tuple[Installed, Rules, DryRun]:
        of = account_of(hub, tenant_of(hub, company), connector)
        found = hub.db.read_now(dry_run_told.tried, hub, of, text, str(file), days)
        if found is None:
            raise HubError(f"No scenario of {of.connector} runs that fits the account: name a file.")
        return of, *found

    with _told_by_line():
        of, rules, made = with_hub(tried, writes=False)
    if as_json:
        print(json.dumps(dry_run_told.plainly(made, rules), ensure_ascii=False, default=str))
    else:
        _Shown(of, rules, made).all()


@scenario_cli.command("schema")
def schema() -> None:
    """Print the JSON Schema of scenario files: editors complete and check by it."""
    print(schema_text(), end="")


@contextmanager
def _told_by_line() -> Iterator[None]:
    """Where something is wrong with a scenario, print each problem and end."""
    try:
        yield
    except ScenarioError as error:
        for problem in error.problems:
            print(problem)
        raise typer.Exit(1) from None


def text_of(file: Path) -> str:
    """Return the text of a file; raises HubError where it cannot be read."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise HubError(f"{file} cannot be read: {error}.") from None


def account_of(hub: Hub, tenant_id: int, connector: str) -> Installed:
    """Return the account a scenario is for; raises HubError where there is none, or more than one."""
    there = [one for one in hub.db.read_now(crm.installations, tenant_id) if one.status != crm.REMOVED]
    found = [one for one in there if connector in ("", one.connector)]
    kinds = sorted({one.connector for one in there})
    if not found:
        known = f"; connected: {', '.join(kinds)}" if kinds else ": no CRM is connected yet"
        allowed = "" if connector in ("", *CONNECTORS) else f"; allowed: {', '.join(CONNECTORS)}"
        raise HubError(f"There is no account of {connector or 'a CRM'}{known}{allowed}.")
    if len({one.connector for one in found}) > 1:
        raise HubError(f"Several CRMs are connected: say which with --connector: {', '.join(kinds)}.")
    return found[0]


# -- what is printed


class _Shown:
    """A dry-run as a person reads it."""

    def __init__(self, of: Installed, rules: Rules, made: DryRun) -> None:
        self._of, self._rules, self._made = of, rules, made
        self._f = Formats(Words("en"), "UTC", "")
        self._out = Console(soft_wrap=True, highlight=False)

    def all(self) -> None:
        t, made = self._f.words, self._made
        self._out.print(
            Text(t("dry_run.head", n=made.enquiries, since=self._f.moment(made.since), crm=self._of.connector))
        )
        self._out.print(self._figures())
        self._out.print(self._followed())
        if made.unsure:
            self._out.print(Text(t.count("dry_run.unsure", made.unsure)))
        self._differences()
        self._out.print(Text(_checked(made.checked, t)))

    def _figures(self) -> Table:
        t, made = self._f.words, self._made
        table = Table(box=None)
        for name in ("", t("dry_run.tried"), t("dry_run.live")):
            table.add_column(name, justify="right" if name else "left")
        live = asdict(made.live) if made.live else {}
        for name, count in asdict(made.tried).items():
            table.add_row(t(f"dry_run.{name}"), str(count), str(live.get(name, "-")))
        return table

    def _followed(self) -> Table:
        table = Table(box=None)
        table.add_column(self._f.words("dry_run.rule"))
        table.add_column(self._f.words("dry_run.times"), justify="right")
        for number, times in self._made.rules.items():
            name = (
                f"{number}. {dry_run_told.when(self._rules, number, self._f.words)}"
                if number
                else self._f.words("dry_run.no_rule")
            )
            table.add_row(Text(name), str(times))
        return table

    def _differences(self) -> None:
        t, found = self._f.words, self._made.differences
        self._out.print(Text(t.count("dry_run.differences", len(found)) if found else t("dry_run.no_differences")))
        for one in found[:_SHOWN]:
            enquiry = one.enquiry.enquiry
            live, tried = (decided.done(done, enquiry, self._of.facts, t) for done in (one.live, one.tried))
            head = f"{self._f.moment(enquiry.started_at)} {one.enquiry.masked or t('enquiry.no_phone')} ({enquiry.id})"
            self._out.print(Text(f"  {head}\n    {t('dry_run.live')}: {live}"))
            self._out.print(Text(f"    {t('dry_run.tried')}: {tried}"))
        if len(found) > _SHOWN:
            self._out.print(Text(t.count("dry_run.more", len(found) - _SHOWN)))


def _checked(checked: Checked, t: Words) -> str:
    if not checked.known:
        return t("dry_run.unchecked")
    return t("dry_run.checked", same=checked.same, known=checked.known, share=f"{checked.same / checked.known:.1%}")
