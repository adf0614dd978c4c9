"""What the proofs came to: the lines kept from runs at full size, and the table in docs/reliability.md made of them.

``make proofs FULL=1`` writes both; ``python -m tests.proofs.results`` makes the table anew.
"""

import fcntl
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

_DOCS = Path(__file__).parents[2] / "docs"
KEPT = _DOCS / "proofs.jsonl"
PAGE = _DOCS / "reliability.md"
BEGIN, END = "<!-- results: begin -->\n", "<!-- results: end -->"
_COLUMNS = ("test", "proof", "crm", "engine", "passed", "seconds", "on")  # the rest are the proof's own figures
Line = Mapping[str, Any]


class Tell(Protocol):
    """Prints the one JSON line of a proof."""

    def __call__(self, proof: str, /, **figures: object) -> None: ...


def kept(path: Path = KEPT) -> list[Line]:
    """Return the lines of the last runs, in the order of the tests."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(told: Iterable[Line], test: str, path: Path = KEPT) -> None:
    """Put the lines of a test in place of those that it told before; proofs of several processes wait their turn."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = [*(line for line in kept(path) if line["test"] != test), *told]
        lines.sort(key=lambda line: line["test"])
        file.truncate(0)
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a table in Markdown."""
    rows = [f"| {' | '.join(_row(line))} |\n" for line in lines]
    return "".join(["| proof | CRM | engine | figures | time | on | |\n|---|---|---|---|---:|---|---|\n", *rows])


def _row(line: Line) -> list[str]:
    figures = ", ".join(f"{name} {_figure(told)}" for name, told in line.items() if name not in _COLUMNS)
    passed = "passed" if line["passed"] else "**failed**"
    where = [line.get("crm", "-"), line["engine"] or "-"]
    return [line["proof"], *where, figures, _time(line["seconds"]), line["on"], passed]


def _figure(told: object) -> str:
    if isinstance(told, bool) or not isinstance(told, int | float | list):
        return str(told)
    if isinstance(told, list):
        return "; ".join(map(_figure, told)) or "none"
    return f"{told:,}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def in_page(page: str, made: str) -> str:
    """Return the page with this table between its marks."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + made + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(in_page(PAGE.read_text(), table(kept())))
