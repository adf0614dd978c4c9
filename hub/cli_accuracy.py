"""``cthub accuracy``: how accurate matching is, checked on the customer's own calls."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.accuracy import Accuracy, accuracy_of, plainly
from hub.cli_hub import Company, DaysBack, latest, tenant_of, with_hub
from hub.hub import Hub
from hub.web.console.accuracy_told import answer, band, notes, to_do
from hub.web.console.formats import Formats
from hub.web.words import Words
from tracking_core.calibration import EDGES


def accuracy(
    days: DaysBack = 30,
    company: Company = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """How accurate matching is: what it promises, checked on calls whose caller is known otherwise."""
    made = with_hub(lambda hub: _made(hub, days, company), writes=False)
    if as_json:
        print(json.dumps(plainly(made)))
    else:
        _show(made)


def _made(hub: Hub, days: int, company: str) -> Accuracy:
    return asyncio.run(accuracy_of(hub.db, tenant_of(hub, company), *latest(hub, days), hub.vault, hub.numbering))


def _show(made: Accuracy) -> None:
    f = Formats(Words("en"), "UTC", "")
    out = Console(soft_wrap=True)
    if not made.calls:
        out.print(Text(f.words("accuracy.none_title")))
        return
    table = Table(title=Text(f.words("accuracy.promises")), title_justify="left")
    for name in ("band", "band_calls", "told", "tested", "right", "word"):
        table.add_column(f.words(f"accuracy.{name}"), justify="left" if name in ("band", "word") else "right")
    for one in made.bands:
        share = f.percent(one.right / one.tested, 1) if one.tested else f.percent(None)
        cells = (f.number(one.calls), f.percent(one.told, 1), f.number(one.tested), share)
        table.add_row(band(f, one.low, EDGES[1]), *cells, f.words(f"accuracy.word.{one.word}"))
    out.print(table)
    out.print(Text(answer(f, made), style="bold"))
    for line in (*notes(f, made), *to_do(f, made)):
        out.print(Text(line))
