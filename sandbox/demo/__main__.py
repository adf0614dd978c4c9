"""Plays a business day of two companies against one hub and their CRMs' sandboxes and says what came of it."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sandbox.demo.door import NoAnswer
from sandbox.demo.plan import Day, make_days
from sandbox.demo.player import Player
from sandbox.demo.processes import ChildFailed, end_on_signals
from sandbox.demo.report import Result, judge_all, print_summary
from sandbox.demo.stage import Stage, free_or

HOME = Path("var/demo")
MARK = "this folder is emptied by the demo"


def main(argv: Sequence[str] | None = None) -> int:
    """Plays the day; the code is 1, with a sentence on stderr for each, when an expectation is not met."""
    asked = _parser().parse_args(argv)
    end_on_signals()
    try:
        days = make_days(asked.seed, asked.visits, asked.calls, asked.kills)
        with _folder(asked) as folder:
            return _demo(asked, days, folder)
    except KeyboardInterrupt:
        return 130
    except (ChildFailed, NoAnswer, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cthub demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the day, keep nothing open")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line of stdout")
    parser.add_argument("--seed", type=int, default=1, help="which day (default 1)")
    parser.add_argument("--visits", type=int, default=2_200, help="how many visits of the first company (default 2200)")
    parser.add_argument("--calls", type=int, default=170, help="how many calls of the first company (default 170)")
    parser.add_argument("--kills", type=int, default=0, help="how often the hub is killed and started again")
    parser.add_argument("--database-url", default="", help="an empty database instead of a SQLite file")
    parser.add_argument(
        "--data-dir", type=Path, help=f"where to keep everything (default {HOME}; temporary with --once)"
    )
    parser.add_argument("--port", type=int, help="the hub's port (default: a free one)")
    return parser


@contextmanager
def _folder(asked: argparse.Namespace) -> Iterator[Path]:
    if asked.once and asked.data_dir is None:
        with tempfile.TemporaryDirectory(prefix="cthub-demo-") as temporary:
            yield Path(temporary)
        return
    folder: Path = asked.data_dir or HOME
    _empty(folder)
    yield folder


def _empty(folder: Path) -> None:
    """Empties a folder of an earlier demo; one that holds anything else is left alone and refused."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise ValueError(f"{folder} holds what is not of an earlier demo; choose an empty --data-dir.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _demo(asked: argparse.Namespace, days: Sequence[Day], folder: Path) -> int:
    began = time.monotonic()
    with _progress() as (say, progress):
        say("setting the stage")
        stage = Stage(days, folder, free_or(asked.port), asked.database_url, say)
        with stage:
            run = Player(days, stage, progress).play()
            result = judge_all(days, run, time.monotonic() - began)
            say("done")
            if not asked.once:
                return _stay_open(asked, stage, result, say)
    _tell(asked, result, None)
    return 1 if result.failures else 0


def _stay_open(asked: argparse.Namespace, stage: Stage, result: Result, say: Callable[[str], None]) -> int:
    say("")
    _tell(asked, result, stage)
    while True:  # the day goes on with the real clock until Ctrl-C
        stage.clock.pass_time(0.1)
        stage.hub.revive()


def _tell(asked: argparse.Namespace, result: Result, stage: Stage | None) -> None:
    print_summary(Console(stderr=asked.json), result, stage)
    for sentence in result.failures:
        print(sentence, file=sys.stderr)
    if asked.json:
        print(json.dumps(result.as_json(), ensure_ascii=False), flush=True)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[float, str], None]]]:
    """Shows on stderr which phase the demo is in and how far the day is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[clock]}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=1.0, clock="")

        def say(phase: str) -> None:
            shown.update(task, description=phase, visible=bool(phase))
            if not phase:
                shown.stop()

        def progress(part: float, clock: str) -> None:
            shown.update(task, completed=part, clock=clock, description="the day" if part < 1 else "coming to rest")

        yield say, progress


if __name__ == "__main__":
    sys.exit(main())
