"""Bad input, a full disk (docs/reliability.md): SQLite finds no room for what it is given, and later it does.

The disk is a small tmpfs where it may be mounted, and everywhere a limit on the size of the hub's files, which its
running process is given and relieved of. Nobody starts anything anew. Quick: once; with --full: 20 times.
"""

import resource
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.proofs.crashing import is_whole
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.results import Tell
from tests.proofs.stage import Stage
from tests.proofs.telling import Exchange

LIMIT = 32_768  # bytes
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a hub, and how it gets full and empty again."""

    by: str
    stage: Stage
    fill: Callable[[], None]
    free: Callable[[], None]


def limited(stage: Stage, _folder: Path) -> Disk:
    """A disk on which no file can be written past its first pages: the database is larger, our log is not."""

    def fill() -> None:
        resource.prlimit(stage.mortal.pid, resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))

    def free() -> None:
        resource.prlimit(stage.mortal.pid, resource.RLIMIT_FSIZE, UNLIMITED)

    return Disk("limit", stage, fill, free)


def small(stage: Stage, folder: Path) -> Disk:
    """A disk on which something else takes the room."""
    ballast = folder / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4_096))

    return Disk("tmpfs", stage, fill, ballast.unlink)


def mounted(folder: Path) -> bool:
    """Mount a small tmpfs there; False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    return subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == 0


def until_full(exchange: Exchange) -> httpx.Response:
    """Let calls come until not even the least thing finds room; files that have been larger take some all the same."""
    for _ in range(1_000):
        exchange.call()
        health = exchange.stage.web.get("/health")
        if health.status_code == 503:
            return health
    raise AssertionError("it never was full")


def until_a_loop_says_so(hub: Stage) -> None:
    """Let time go on until not only the doors have met the full disk."""
    for _ in range(1_000):
        log = (hub.folder / "log").read_text()
        if '"worker.database_away"' in log or '"loop.database_away"' in log:
            return
        hub.forward(5)
        hub.web.get("/health")
    raise AssertionError("no loop has met it")


@pytest.fixture(params=["limit", "tmpfs"])
def disk(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with ExitStack() as stack:
        is_small = request.param == "tmpfs" and mounted(folder)
        if is_small:
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        (folder / "hub.sqlite3").write_bytes(sqlite_template.read_bytes())
        careless = request.node.get_closest_marker("careless") is not None
        module = "tests.proofs.trusting" if careless else "hub"
        made = Stage(tmp_path, f"sqlite:///{folder / 'hub.sqlite3'}", module=module)
        made.open(stack)
        yield (small if is_small else limited)(made, folder)


def test_on_a_full_disk_the_hub_holds_and_goes_on_by_itself_when_there_is_room(
    disk: Disk, full: bool, tell: Tell
) -> None:
    hub, exchange = disk.stage, Exchange(disk.stage)
    times = 20 if full else 1
    for _ in range(times):
        for _ in range(6):
            exchange.call()
        exchange.until_sending()
        disk.fill()
        assert "disk is full" in until_full(exchange).json()["error"]
        refused = len(exchange.refusals)
        for _ in range(6):
            exchange.call()
            hub.forward(5)
        assert len(exchange.refusals) == refused + 6
        until_a_loop_says_so(hub)
        disk.free()
        exchange.tell_again()
        assert hub.web.get("/health").status_code == 200
    hub.drain(exchange.calls)
    state = hub.state()
    made, noted = deals(state), call_notes(state)
    figures = {"refused": len(exchange.refusals), "deals": len(made), "doubled": doubled(made) + doubled(noted)}
    tell("full disk", by=disk.by, calls=exchange.calls, times=times, **figures)
    assert {answer.status_code for answer in exchange.refusals} == {503}
    assert all("disk is full" in answer.json()["error"] for answer in exchange.refusals)
    assert (len(made), doubled(made)) == (exchange.calls, 0)
    assert (len(noted), doubled(noted)) == (exchange.calls, 0)
    assert '"web.database_away"' in (hub.folder / "log").read_text()
    assert hub.db.read_now(is_whole)


def settled(stage: Stage) -> Counter[str]:
    """Let time go on until nothing is left to do; return the deals."""
    for _ in range(5_000):
        seen = stage.go_on()
        if seen.inbox_due is None and seen.deliveries.keys() == {"delivered"}:
            break
    return deals(stage.state())


@pytest.mark.careless
@pytest.mark.parametrize("disk", ["limit"], indirect=True)
def test_who_says_200_whatever_his_disk_said_loses_calls(disk: Disk, tell: Tell) -> None:
    exchange = Exchange(disk.stage)
    exchange.call()
    disk.stage.drain(1)
    disk.fill()
    until_full(exchange)
    exchange.call()
    disk.free()
    exchange.tell_again()
    made = settled(disk.stage)
    tell("full disk (control)", calls=exchange.calls, deals=len(made))
    assert len(made) < exchange.calls
