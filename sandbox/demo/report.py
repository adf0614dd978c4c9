"""The result of a day: one flat JSON object with its expectations, and the same for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sandbox.demo.company import OWNER, TENANT
from sandbox.demo.gestures import GestureKind
from sandbox.demo.people import Consent
from sandbox.demo.plan import Day
from sandbox.demo.player import Played
from sandbox.demo.truth import (
    crm_revenue_minor,
    doubled_contacts,
    doubled_deals,
    judge_matches,
    lost_calls,
    read_call,
    unproven_calls,
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold at the end of the day; `sentence` says what is wrong when it does not."""

    name: str
    is_met: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Result:
    """Figures for machines, expectations for both; how the CRM was connected and the ROI rows for people."""

    figures: Mapping[str, Any]
    expectations: Sequence[Expectation]
    rows: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]
    story: Sequence[str]

    @property
    def failures(self) -> Sequence[str]:
        """One sentence for each expectation that is not met."""
        return [one.sentence for one in self.expectations if not one.is_met]

    def as_json(self) -> dict[str, Any]:
        """Returns the object of `--json`."""
        return {**self.figures, "expectations": {one.name: one.is_met for one in self.expectations}}


def judge(day: Day, played: Played, seconds: float) -> Result:
    """Compares the day with what it left behind."""
    told = {call.provider_call_id: call for call in map(read_call, played.hub_calls)}
    matching = judge_matches(day.calls, played.browsers.tokens, told)
    lost, unproven = lost_calls(day.calls, told, played.crm), unproven_calls(day.calls, played.crm)
    doubled = doubled_deals(played.crm)
    total = dict(played.report["total"])  # type: ignore[call-overload]
    figures = {
        "visits": played.hub_status.visits,
        "sources": day.sources,
        "calls": played.hub_status.calls,
        "matched": matching.right + matching.wrong,
        "matched_right": matching.right,
        "matched_wrong": matching.wrong,
        "unmatched": matching.unmatched,
        "unmatched_rightly": matching.unmatched_rightly,
        "by_reason": matching.by_reason,
        "named": played.accuracy["named"],
        "named_rightly": matching.named_rightly,
        "named_rightly_told": played.accuracy["expected"],
        "checked": played.accuracy["check"]["tested"],
        "checked_rightly": played.accuracy["check"]["right"],
        "contacts": played.crm.contacts,
        "contacts_duplicated": doubled_contacts(played.crm),
        "deals": sum(bool(deal.markers) for deal in played.crm.deals),
        "deals_duplicated": len(doubled),
        "calls_lost": max(len(lost), unproven),
        "tasks": played.crm.tasks,
        "won": len(played.crm.won),
        "revenue_minor": total["revenue_minor"],
        "revenue_crm_minor": crm_revenue_minor(played.crm),
        "spend_minor": total["spend_minor"],
        "romi_percent": total["romi_percent"],
        "overflow_visits": len(played.browsers.overflowed),
        "anonymous_visits": day.visits_with(Consent.ANONYMOUS),
        "opted_out_visits": day.visits_with(Consent.OFF),
        "taps": played.browsers.gestures[GestureKind.TAP],
        "copies": played.browsers.gestures[GestureKind.COPY],
        "pages_tested": len(played.browsers.tested),
        "numbers_wasted": played.browsers.wasted,
        "kills": played.kills,
        "repeated_requests": played.repeats,
        "install_answer_ms": round(played.connection.answer_ms, 1),
        "requests_crm": played.traffic.requests,
        "throttled": played.traffic.throttled,
        "refused_crm": played.traffic.refused,
        "failed_crm": played.traffic.failed,
        "refused": played.forged_refused,
        "deal_moves": played.moves,
        "played_seconds": round(played.seconds, 1),
        "seconds": round(seconds, 1),
    }
    details = [f"{one.provider_call_id}: {one.why}" for one in lost]
    rows: Sequence[Mapping[str, Any]] = played.report["rows"]  # type: ignore[assignment]
    return Result(figures, expect(day, played, figures, details), rows, total, played.connection.story)


def expect(day: Day, played: Played, figures: Mapping[str, Any], lost: Sequence[str]) -> Sequence[Expectation]:
    """Returns what must hold of a day's figures; `lost` names the lost calls."""
    spent = sum(one.cost_minor for one in day.spend)
    named = f" ({'; '.join(lost[:5])})" if lost else ""
    return (
        Expectation("calls_lost", figures["calls_lost"] == 0, f"{figures['calls_lost']} calls are lost{named}."),
        Expectation(
            "deals_duplicated",
            figures["deals_duplicated"] == 0,
            f"{figures['deals_duplicated']} deals are there twice.",
        ),
        Expectation(
            "accuracy",
            abs(figures["named_rightly"] - figures["named_rightly_told"]) <= max(5, 0.1 * figures["named"]),
            f"The hub takes {figures['named_rightly_told']} of {figures['named']} calls for rightly matched,"
            f" in truth it is {figures['named_rightly']}.",
        ),
        Expectation(
            "revenue",
            figures["revenue_minor"] == figures["revenue_crm_minor"],
            f"The report's revenue is {figures['revenue_minor']}, but the CRM's won deals are worth"
            f" {figures['revenue_crm_minor']}.",
        ),
        Expectation(
            "spend",
            figures["spend_minor"] == spent,
            f"The report's spend is {figures['spend_minor']}, but {spent} was imported.",
        ),
        Expectation(
            "visits",
            figures["visits"] >= day.visits_told,
            f"The hub counts {figures['visits']} visits of {day.visits_told}.",
        ),
        Expectation(
            "numbers_wasted",
            played.browsers.wasted == 0,
            f"{played.browsers.wasted} numbers were given to robots, the office or people who did not agree.",
        ),
        Expectation(
            "calls",
            figures["calls"] == len(day.calls),
            f"The hub counts {figures['calls']} calls of {len(day.calls)}.",
        ),
        Expectation(
            "forged_refused",
            played.forged == played.forged_refused,
            f"{played.forged - played.forged_refused} forged call events were not refused.",
        ),
    )


def print_summary(console: Console, result: Result, lasts: Mapping[str, str] | None = None) -> None:
    """Prints the day for people; `lasts` holds where console and CRM are, and the password, while they stay open."""
    console.print()
    console.print(_story(result.story))
    console.print(_figures(result.figures))
    console.print(_reasons(result.figures["by_reason"]))
    console.print(_roi(result))
    for one in result.expectations:
        sign, style = ("✓", "green") if one.is_met else ("✗", "bold red")
        console.print(Text(f"{sign} {_EXPECTED[one.name] if one.is_met else one.sentence}", style=style))
    if lasts:
        text = (
            f"Console  [bold]{lasts['url']}[/bold]\n{OWNER}   password: [bold]{lasts['password']}[/bold]\n\n"
            f"CRM      [bold]{lasts['crm']}[/bold]\nPlay the sales manager there: move deals, sell, delete, merge."
        )
        console.print(Panel(Group(text), title="Both stay open until Ctrl-C", expand=False))


_EXPECTED = {
    "calls_lost": "No call is lost: each one has its deal, note or task in the CRM.",
    "deals_duplicated": "No deal is there twice.",
    "accuracy": "The hub knows how accurate it is, to 10 in 100.",
    "revenue": "The report's revenue is what the CRM's won deals are worth, to the kopeck.",
    "spend": "The report's spend is what was imported, to the kopeck.",
    "visits": "Every visit is counted whose visitor did not opt out.",
    "numbers_wasted": "No number was given to a robot, the office, or people who did not agree.",
    "calls": "Every call is counted once.",
    "forged_refused": "Every forged call event was refused.",
}


def _story(steps: Sequence[str]) -> Table:
    table = Table(title="How the CRM was connected", show_header=False, title_style="bold", box=box.SIMPLE)
    for number, step in enumerate(steps, 1):
        table.add_row(f"{number}.", Text(step))
    return table


_PAIRS = 2  # of label and figure in one line


def _figures(figures: Mapping[str, Any]) -> Table:
    title = f"{TENANT}: one business day"
    table = Table(title=title, show_header=False, title_style="bold", box=box.SIMPLE)
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
        ("deals", figures["deals"]),
        ("tasks", figures["tasks"]),
        ("won deals", figures["won"]),
        ("revenue, ₽", _money(figures["revenue_minor"])),
        ("spend, ₽", _money(figures["spend_minor"])),
        ("CRM requests", figures["requests_crm"]),
        ("hub killed", f"{figures['kills']} times"),
        ("played in", f"{figures['seconds']} s"),
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


def _roi(result: Result) -> Table:
    table = Table(title="ROI by source, roubles", show_footer=True, title_style="bold", box=box.SIMPLE)
    table.padding, table.pad_edge = (0, 0, 0, 1), False
    cells = _cells(result.total)
    table.add_column("source", footer="total", no_wrap=True, max_width=14)
    for title, footer in zip((*_COLUMNS.values(), "ROMI"), cells, strict=True):
        table.add_column(title, justify="right", footer=footer, no_wrap=True)
    for source, sums in sorted(_by_source(result.rows).items(), key=lambda pair: -pair[1]["revenue_minor"]):
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
