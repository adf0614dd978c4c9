"""The README names every key of the dial, every fault and every control route."""

from pathlib import Path

from starlette.routing import Route

import sandbox.bitrix24
from sandbox.bitrix24.app import Sandbox
from sandbox.dial import FAULTS

README = (Path(sandbox.bitrix24.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_every_switch_has_its_row_and_says_what_the_switch_says(sandbox: Sandbox) -> None:
    knobs = sandbox.dial.knobs.values()
    rows = README.splitlines()
    missing = [k.name for k in knobs if not any(row.startswith(f"| `{k.name}` |") and k.says in row for row in rows)]
    assert missing == []


def test_no_row_names_a_switch_that_is_gone(sandbox: Sandbox) -> None:
    cells = [line.split("`")[1] for line in README.splitlines() if line.startswith("| `")]
    rows = [cell for cell in cells if not cell.startswith(("GET", "POST", "/"))]
    assert set(rows) - set(sandbox.dial.knobs) == set()


def test_every_fault_is_named() -> None:
    assert [fault for fault in FAULTS if f"`{fault}`" not in README] == []


def test_every_control_route_is_named(sandbox: Sandbox) -> None:
    paths = [route.path for route in sandbox.app.routes if isinstance(route, Route)]
    told = [path for path in paths if path in README or f"/{path.rsplit('/', 1)[1]}`" in README]
    assert [path for path in paths if path not in told] == []
