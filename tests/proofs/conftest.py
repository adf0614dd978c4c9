"""What every proof needs: whether it runs at its full size, and a hub in this process beside a sandbox."""

import json
import time
from collections.abc import Generator, Iterator

import pytest

from hub.store.db import Db
from tests.conftest import ENGINES, is_on
from tests.hub.conftest import connected as connected
from tests.hub.conftest import crm as crm
from tests.hub.conftest import crm_kind as crm_kind
from tests.hub.conftest import hand_clock as hand_clock
from tests.hub.conftest import set_up as set_up
from tests.hub.conftest import world as world
from tests.proofs import results

pytest.register_assert_rewrite("tests.proofs.queue_model")  # before anybody imports it: its asserts tell what differs


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick proofs show on one engine that they can fail: a control shows nothing of an engine."""
    if config.getoption("--full"):
        return
    spared = [item for item in items if item.get_closest_marker("control") and is_on("postgresql", item)]
    config.hook.pytest_deselected(items=spared)
    items[:] = [item for item in items if item not in spared]


_passed = pytest.StashKey[bool]()
_LINE = "line"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the lines of proofs that ran in processes of their own, whose output nobody sees."""
    if config.getoption("dist", "no") == "no":
        return
    for status in ("passed", "failed"):
        for report in terminalreporter.stats.get(status, []):
            for name, line in report.user_properties:
                if name == _LINE:
                    terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test's fixtures know whether it passed."""
    report = yield
    if report.when == "call":
        item.stash[_passed] = report.passed
    return report


@pytest.fixture
def db(db_on_each: Db) -> Db:
    return db_on_each


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Say whether the proofs run at full size (make proofs FULL=1)."""
    return bool(request.config.getoption("--full"))


@pytest.fixture
def tell(request: pytest.FixtureRequest, full: bool, capsys: pytest.CaptureFixture[str]) -> Iterator[results.Tell]:
    """Prints the one JSON line of a proof; what it told at full size is kept for the table in the docs."""
    test = request.node
    engine = next((one for one in ENGINES if is_on(one, test)), "")
    told: list[dict[str, object]] = []
    began = time.monotonic()

    def tell(proof: str, /, **figures: object) -> None:
        told.append({"proof": proof, "engine": engine, **figures})
        test.user_properties.append((_LINE, json.dumps(told[-1])))
        with capsys.disabled():
            print(json.dumps(told[-1]))

    yield tell
    if full:
        ran = {"passed": test.stash.get(_passed, False), "seconds": round(time.monotonic() - began)}
        name = test.nodeid.removeprefix("tests/proofs/")
        results.keep([{"test": name, **line, **ran, "on": time.strftime("%Y-%m-%d")} for line in told], name)
