"""Run all benchmarks or the named ones, write bench/results/NAME.json and print a table."""

import importlib
import json
import os
import platform
import sqlite3
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

BENCHES = ("dni", "match", "queue", "drain", "drain-many", "page", "pipeline", "planning", "accuracy")
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    """Run the benchmarks named on the command line, or all."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; there are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    for name in names or BENCHES:
        figures: dict[str, Any] = importlib.import_module(f"bench.{name.replace('-', '_')}").run()
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
        Console().print(_table(name, figures))
    return 0


def _table(name: str, figures: dict[str, Any]) -> Table:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    table = Table(title=f"{name}  ({machine})")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for key, value in figures.items():
        table.add_row(key, f"{value:,.3f}" if isinstance(value, float) else str(value))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
