"""Children are heard, killed, started again, and always ended."""

import json
import os
import select
from pathlib import Path

import pytest

from sandbox.demo.processes import ChildFailed, Children

POLITE = """
import json, os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(json.dumps({"pid": os.getpid(), "grandchild": grandchild.pid}), flush=True)
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + POLITE


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules the children can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def died(*handles: int) -> list[bool]:
    """Says of each process whether it has ended; a signal takes a moment to be felt."""
    ready = [bool(select.select([handle], [], [], 5)[0]) for handle in handles]
    for handle in handles:
        os.close(handle)
    return ready


def handles(told: dict[str, int]) -> tuple[int, int]:
    return os.pidfd_open(told["pid"]), os.pidfd_open(told["grandchild"])


def test_ending_ends_the_whole_group(module: Path, tmp_path: Path) -> None:
    (module / "polite.py").write_text(POLITE)
    children = Children(tmp_path / "logs")
    both = handles(children.add("polite", "polite").greeting())

    children.end()

    assert died(*both) == [True, True]


def test_killing_spares_nobody_of_the_group(module: Path, tmp_path: Path) -> None:
    (module / "stubborn.py").write_text(STUBBORN)
    children = Children(tmp_path / "logs")
    child = children.add("stubborn", "stubborn")
    both = handles(child.greeting())

    child.kill()

    assert died(*both) == [True, True]
    children.end()


def test_a_killed_child_can_be_started_again(module: Path, tmp_path: Path) -> None:
    (module / "polite.py").write_text(POLITE)
    children = Children(tmp_path / "logs")
    child = children.add("polite", "polite")
    first = child.greeting()["pid"]

    child.kill()
    child.start()

    assert child.greeting()["pid"] != first
    children.end()


def test_a_child_that_fails_is_quoted(module: Path, tmp_path: Path) -> None:
    (module / "sorry.py").write_text("import sys; sys.exit('The port 8800 is taken.')")
    children = Children(tmp_path / "logs")

    with pytest.raises(ChildFailed, match=r"sorry ended before it was ready: The port 8800 is taken\."):
        children.run("sorry", "sorry")

    children.end()


def test_what_a_child_that_only_prints_says_is_returned(module: Path, tmp_path: Path) -> None:
    (module / "brief.py").write_text(f"print({json.dumps(json.dumps({'tenant': 'Ромашка'}))})")
    children = Children(tmp_path / "logs")

    assert children.run("brief", "brief", PYTHONIOENCODING="utf-8") == {"tenant": "Ромашка"}
    children.end()
