"""The picture and tables of docs/accuracy.md: ``python -m bench.accuracy_picture [frontier] [otherwise] [sheet]``.

``frontier``: numbers against the share right and against the share wrong, ours and the last holder's, with a lease for
every visitor and on intent. ``otherwise``: what happens when the assumptions are others. ``sheet``: the sheet's own
table. Each takes a minute or two; all three when none is named.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from bench.accuracy import Recorded, by_last_holder, fixed_lease, mean, others, ours
from bench.accuracy_sheet import SHEET, replayed
from bench.accuracy_svg import Line, drawn
from tracking_core.calibration import calibration_error
from tracking_core.planner import Replayed
from tracking_core.simulated_traffic import Traffic, simulate

DOCS = Path(__file__).parents[1] / "docs"
COUNTS = (8, 12, 16, 24, 36, 48, 72)
SEEDS = (11, 12)
TRAFFIC = Traffic(days=30)
OTHERWISE = {
    "as above": TRAFFIC,
    "the page tells who saw the number (30 %)": replace(TRAFFIC, page_tells_seen=True),
    "one telling phone in ten tells another region": replace(TRAFFIC, region_differs=0.1),
    "no phone tells its region": replace(TRAFFIC, region_known=0.0),
    "no taps": replace(TRAFFIC, tapped=0.0),
    "delays counted from the departure, no taps": replace(TRAFFIC, delay_from_departure=True, tapped=0.0),
    "twice the visitors": replace(TRAFFIC, per_hour=120.0),
}

Play = Callable[[Recorded, int], Replayed]
LINES: Sequence[tuple[str, str, bool, Play]] = (
    ("ours, on intent", "#0a7d4f", False, lambda one, count: ours(one, count, on_intent=True)),
    ("ours, every visitor", "#1f5fbf", False, ours),
    ("last holder, on intent", "#0a7d4f", True, lambda one, count: others(one, by_last_holder(count, True))),
    ("last holder, every visitor", "#1f5fbf", True, lambda one, count: others(one, by_last_holder(count))),
    ("fixed 20 min, random", "#a33", True, lambda one, count: others(one, fixed_lease(count, 7))),
)


def main(names: Sequence[str]) -> int:
    """Run the named parts, or all: draw the picture, write the tables into the page."""
    parts = {"frontier": _frontier, "otherwise": _otherwise, "sheet": _sheet}
    unknown = [name for name in names if name not in parts]
    if unknown:
        print(f"There is no part {unknown[0]}; there are: {', '.join(parts)}.", file=sys.stderr)
        return 2
    page = DOCS / "accuracy.md"
    for name in names or parts:
        rows = parts[name]()
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        head, rest = page.read_text(encoding="utf-8").split(begin)
        page.write_text(head + begin + "\n".join(rows) + "\n" + end + rest.split(end)[1], encoding="utf-8")
    return 0


def _curve(by_count: dict[int, list[Replayed]]) -> dict[int, tuple[float, float]]:
    return {count: (_mean(played, "right"), _mean(played, "wrong")) for count, played in by_count.items()}


def _mean(played: Sequence[Replayed], outcome: str) -> float:
    return mean(one.share(outcome) for one in played)


def _cell(played: Sequence[Replayed]) -> str:
    return " / ".join(f"{100 * _mean(played, name):.1f}" for name in ("right", "wrong", "unknown"))


def _frontier() -> list[str]:
    recorded = [simulate(Random(seed), TRAFFIC) for seed in SEEDS]
    played = {name: {count: [play(one, count) for one in recorded] for count in COUNTS} for name, _, _, play in LINES}
    lines = [Line(name, color, dashed, _curve(played[name])) for name, color, dashed, _ in LINES]
    (DOCS / "images" / "accuracy.svg").write_text(drawn(lines, COUNTS), encoding="utf-8")
    rows = ["| numbers |" + "".join(f" {name} |" for name in played), "|---:|" + "---:|" * len(played)]
    return rows + [f"| {count} |" + "".join(f" {_cell(one[count])} |" for one in played.values()) for count in COUNTS]


def _otherwise() -> list[str]:
    rows = ["| with 24 numbers | ours | calibration error | last holder |", "|---|---:|---:|---:|"]
    for name, traffic in OTHERWISE.items():
        recorded = [simulate(Random(seed), traffic) for seed in SEEDS]
        rows.append(_compared(name, [ours(one, 24) for one in recorded], recorded))
        if traffic is TRAFFIC:
            untaught = [ours(one, 24, learn=False) for one in recorded]
            rows.append(_compared("the sheet's figures, nothing learned", untaught, recorded))
    return rows


def _compared(name: str, played: Sequence[Replayed], recorded: Sequence[Recorded]) -> str:
    error = 100 * calibration_error(pair for one in played for pair in one.told)
    last = [others(one, by_last_holder(24)) for one in recorded]
    return f"| {name} | {_cell(played)} | {error:.1f} | {_cell(last)} |"


def _sheet() -> list[str]:
    rows = ["| numbers | hold | choice | the sheet | this simulation |", "|---:|---:|---|---:|---:|"]
    recorded = [simulate(Random(seed), Traffic(days=40)) for seed in SEEDS]  # as many as the sheet's
    for row in SHEET:
        found = [replayed(one, row) for one in recorded]
        minutes = row.hold // timedelta(minutes=1)
        told = f"{row.overflow:.1f} / {row.right:.1f} / {row.wrong:.1f}"
        here = f"{100 * mean(one.overflow for one in found):.1f} / " + _cell(found).rpartition(" / ")[0]
        rows.append(f"| {row.numbers} | {minutes} min | {row.choice} | {told} | {here} |")
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
