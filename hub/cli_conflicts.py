"""``cthub conflicts``: whether another program makes deals or contacts of the same enquiries, with the evidence."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub.cli_hub import Company, tenant_of, with_hub
from hub.conflict_rule import Since
from hub.conflicts import DAYS, MOST_DAYS, Conflicts, Double, of_tenant, plainly
from hub.hub import Hub
from hub.web.console.conflicts_told import conflict_lines, gap, verdict, who
from hub.web.console.formats import Formats
from hub.web.words import Words


def conflicts(
    days: Annotated[int, typer.Option(help="How many days back from now.", min=1, max=MOST_DAYS)] = DAYS,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Who else makes deals or contacts of the same enquiries; exit 1 when another program does."""
    made: list[Conflicts] = with_hub(lambda hub: _made(hub, days, company), writes=False)
    if as_json:
        print(json.dumps({"conflicts": [plainly(one) for one in made]}, ensure_ascii=False))
    else:
        _show(Formats(Words("en"), "UTC", ""), made)
    if any(one.said for one in made):
        raise typer.Exit(1)


def _made(hub: Hub, days: int, company: str) -> list[Conflicts]:
    return hub.db.read_now(of_tenant, tenant_of(hub, company), hub.clock.now(), days)


def _show(f: Formats, made: list[Conflicts]) -> None:
    out = Console(soft_wrap=True)
    for one in made:
        out.print(Text(str(one.of.facts.get("name") or one.of.host), style="bold"))
        said = conflict_lines(f, one)
        told = (f"{f.words.of('enquiry_kind', kind)}: {verdict(f, judged)}" for kind, judged in one.judged.items())
        rest = [line for line in told if not line.endswith(": ")] if one.judged else [f.words("conflicts.none_say")]
        for line in (*said, *([f.words("conflicts.do")] if said else []), *rest):
            out.print(Text(line))
        for double in one.doubles:
            out.print(Text(_line(f, one, double)))


def _line(f: Formats, found: Conflicts, double: Double) -> str:
    card, told = double.card, double.told
    other = f"{card.kind} {card.id}{f' {card.url}' if card.url else ''}"
    after = f"{gap(f, double.gap(Since.BEGAN))} after it began"
    return f"enquiry {told.sent.enquiry_id}, deal {told.ours[0].id}: {other}, {after}, by {who(f, found, card.author)}"
