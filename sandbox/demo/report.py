"""The result of a day: one JSON object with the figures of each company, and the same for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sandbox.demo.company import Vendor
from sandbox.demo.plan import Day
from sandbox.demo.player import Run
from sandbox.demo.stage import Stage
from sandbox.demo.tenant import Tenant
from sandbox.demo.verdict import Verdict, judge

_NOT_SUMMED = {"by_reason", "romi_percent", "install_answer_ms"}


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on each company's day, in their order, and what the one hub went through."""

    verdicts: Sequence[Verdict]
    hub: Mapping[str, float]

    @property
    def failures(self) -> Sequence[str]:
        """One sentence for each expectation that is not met, with the company it is about."""
        return [sentence for verdict in self.verdicts for sentence in verdict.failures]

    def as_json(self) -> dict[str, Any]:
        """Returns the object of `--json`: sums of all companies, what is met by all, and each company by itself."""
        told = [verdict.as_json() for verdict in self.verdicts]
        summed = (name for name in self.verdicts[0].figures if name not in _NOT_SUMMED)
        sums = {name: sum(one[name] for one in told) for name in summed}
        met = {name: all(one["expectations"][name] for one in told) for name in told[0]["expectations"]}
        return {**sums, **self.hub, "expectations": met, "companies": told}


def judge_all(days: Sequence[Day], run: Run, seconds: float) -> Result:
    """Compares the day of each company with what it left behind."""
    verdicts = [judge(day, played) for day, played in zip(days, run.played, strict=True)]
    times = {"played_seconds": round(run.seconds, 1), "seconds": round(seconds, 1)}
    return Result(verdicts, {"kills": run.kills, "repeated_requests": run.repeats, **times})


def print_summary(console: Console, result: Result, stage: Stage | None = None) -> None:
    """Prints the day for people; with `stage`, what stays open and who may log in where."""
    for verdict in result.verdicts:
        _print_company(console, verdict)
    hub = result.hub
    console.print(Text(f"One hub for all, killed {hub['kills']} times. Played in {hub['seconds']} s.", style="dim"))
    if stage:
        text = "\n\n".join((f"Console  [bold]{stage.hub.url}[/bold]", *map(_open_to, stage.tenants)))
        console.print(Panel(Group(text), title="All stays open until Ctrl-C", expand=False))


def _print_company(console: Console, verdict: Verdict) -> None:
    company = verdict.company
    console.print()
    console.print(Rule(f"[bold]{company.name}[/bold]: {company.crm.called}"))
    console.print(_story(verdict.story))
    console.print(_figures(verdict.figures))
    console.print(_reasons(verdict.figures["by_reason"]))
    console.print(_roi(verdict))
    for one in verdict.expectations:
        sign, style = ("✓", "green") if one.is_met else ("✗", "bold red")
        console.print(Text(f"{sign} {_EXPECTED[one.name] if one.is_met else one.sentence}", style=style))


def _open_to(tenant: Tenant) -> str:
    """What a person needs to look around in one company: his log-in, and where its CRM is."""
    crm, keys = tenant.company.crm, tenant.keys
    return (
        f"[bold]{tenant.company.name}[/bold]   {keys.owner}   password: [bold]{keys.password}[/bold]\n"
        f"{crm.called:<9}[bold]{tenant.crm_url}[/bold]   {_PLAYS[crm]}"
    )


_PLAYS = {
    Vendor.AMOCRM: "Move deals, sell, delete, merge.",
    Vendor.BITRIX24: "Open a deal: the hub's tab is on it.\n         Its settings: /marketplace/app/",
}
_EXPECTED = {
    "calls_lost": "No call and no form is lost: each one has its deal, note or task in the CRM.",
    "deals_duplicated": "No deal is there twice.",
    "accuracy": "The hub knows how accurate it is, to 10 in 100.",
    "revenue": "The report's revenue is what the CRM's deals brought, to the kopeck.",
    "spend": "The report's spend is what was imported, to the kopeck.",
    "visits": "Every visit is counted whose visitor did not opt out.",
    "numbers_wasted": "No number was given to a robot, the office, or people who did not agree.",
    "calls": "Every call is counted once.",
    "forms": "Every form is counted once and given to who wrote it.",
    "foreseen": "A trial of the rules that run foresees at least 99.5 in 100 of what they did.",
    "throttled": "The CRM never asked the hub to be slower.",
    "forged_refused": "Every forged call event was refused.",
    "walls": "Its owner sees nothing of the other company, neither in the console nor by the interface.",
}


def _story(steps: Sequence[str]) -> Table:
    table = Table(title="How the CRM was connected", show_header=False, title_style="bold", box=box.SIMPLE)
    for number, step in enumerate(steps, 1):
        table.add_row(f"{number}.", Text(step))
    return table


_PAIRS = 2  # of label and figure in one line


def _figures(figures: Mapping[str, Any]) -> Table:
    table = Table(title="One business day", show_header=False, title_style="bold", box=box.SIMPLE)
    for _ in range(_PAIRS):
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right", style="bold", no_wrap=True)
    cells = [
        ("visits", figures["visits"]),
        ("sources", figures["sources"]),
        ("calls", figures["calls"]),
        ("unmatched", f"{figures['unmatched']}, {figures['unmatched_rightly']} rightly"),
        ("matched rightly", figures["matched_right"]),
        ("matched wrongly", figures["matched_wrong"]),
        ("rightly, says the hub", f"{figures['named_rightly_told']:.0f} of {figures['named']}"),
        ("in truth", figures["named_rightly"]),
        ("taps and copies", figures["taps"] + figures["copies"]),
        ("anonymous, opted out", f"{figures['anonymous_visits']}, {figures['opted_out_visits']}"),
        ("contacts", figures["contacts"]),
        ("forms", figures["forms"]),
        ("deals", figures["deals"]),
        ("tasks", figures["tasks"]),
        ("won deals, paid ones", f"{figures['won']}, {figures['paid']}"),
        ("revenue, ₽", _money(figures["revenue_minor"])),
        ("spend, ₽", _money(figures["spend_minor"])),
        ("CRM requests", figures["requests_crm"]),
        ("a trial foresees", f"{figures['foreseen']} of {figures['foreseen_of']}"),
        ("of the last part", f"{figures['foreseen_late']} of {figures['foreseen_late_of']}"),
    ]
    for start in range(0, len(cells), _PAIRS):
        table.add_row(*(str(cell) for pair in cells[start : start + _PAIRS] for cell in pair))
    return table


_REASONS = {
    "visit_id": "the telephony named the visit",
    "exclusive_lease": "the only holder of the number",
    "repeat_caller": "called before",
    "last_holder": "was shown the number last",
    "static_number": "the number of a placement",
    "probable": "likeliest of several",
    "nobody": "shown to nobody, or long ago",
}
_VERDICTS = ("right", "wrong", "rightly unmatched", "unmatched")


def _reasons(by_reason: Mapping[str, Mapping[str, int]]) -> Table:
    """Shows what decided who called, the surest first, and how often that was the truth of the day."""
    table = Table(title="Who called, by what decided", show_footer=True, title_style="bold", box=box.SIMPLE)
    table.padding, table.pad_edge = (0, 0, 0, 1), False
    table.add_column("because", footer="all", no_wrap=True)
    for verdict in _VERDICTS:
        total = sum(told.get(verdict, 0) for told in by_reason.values())
        table.add_column(verdict, justify="right", footer=str(total))
    for reason in (*_REASONS, *(by_reason.keys() - _REASONS.keys())):
        if told := by_reason.get(reason):
            table.add_row(_REASONS.get(reason, reason), *(str(told.get(verdict, 0)) for verdict in _VERDICTS))
    return table


_COLUMNS = {
    "visits": "visits",
    "calls": "calls",
    "qualified": "target",
    "deals": "deals",
    "won": "won",
    "revenue_minor": "revenue",
    "spend_minor": "spend",
}


def _roi(verdict: Verdict) -> Table:
    table = Table(title="ROI by source, roubles", show_footer=True, title_style="bold", box=box.SIMPLE)
    table.padding, table.pad_edge = (0, 0, 0, 1), False
    cells = _cells(verdict.total)
    table.add_column("source", footer="total", no_wrap=True, max_width=14)
    for title, footer in zip((*_COLUMNS.values(), "ROMI"), cells, strict=True):
        table.add_column(title, justify="right", footer=footer, no_wrap=True)
    for source, sums in sorted(_by_source(verdict.rows).items(), key=lambda pair: -pair[1]["revenue_minor"]):
        table.add_row(source, *_cells(sums))
    return table


def _cells(sums: Mapping[str, Any]) -> Sequence[str]:
    """What one row shows after its source."""
    told = [_money(sums[name]) if name.endswith("_minor") else str(sums[name]) for name in _COLUMNS]
    return (*told, _percent(sums))


def _by_source(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for row in rows:
        held = sums.setdefault(row["source"], dict.fromkeys(_COLUMNS, 0))
        for name in _COLUMNS:
            held[name] += row[name]
    return sums


def _percent(sums: Mapping[str, Any]) -> str:
    spent = sums["spend_minor"]
    return f"{(sums['revenue_minor'] - spent) * 100 / spent:.0f} %" if spent else "—"


def _money(minor: int) -> str:
    """Whole roubles are enough for people; the JSON has the kopecks."""
    return f"{round(minor / 100):,}".replace(",", " ")
