"""The laws of the house (docs/architecture.md): each is one short test over the source."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from tests.house.source import BUILDINGS, ROOT, files, imports, names, shown, tree

ALLOWED = {  # law 1: who may import whom
    "tracking_core": {"tracking_core"},
    "connectors": {"connectors", "tracking_core"},
    "hub": {"hub", "connectors", "tracking_core"},
    "sandbox": {"sandbox"},  # law 5
}
ROOMS = {  # law 1 inside hub, from the archive outwards: a room imports itself and what stands before it
    "hub.store": 0,
    "hub.delivery": 1,
    "hub.matching": 1,
    "hub.inbox": 2,
    "hub.readback": 1,
    "hub.web": 3,
    "hub.app": 4,
    "hub.__main__": 5,
}


@pytest.mark.parametrize("building", BUILDINGS)
def test_imports_go_one_way(building: str) -> None:
    wrong = [
        f"{shown(path, node)} imports {module}"
        for path in files(building)
        for module, node in imports(path)
        if module.split(".")[0] in set(BUILDINGS) - ALLOWED[building]
    ]
    assert not wrong


def test_no_import_is_relative() -> None:
    wrong = [
        shown(path, node) for b in BUILDINGS for path in files(b) for m, node in imports(path) if m.startswith(".")
    ]
    assert not wrong


def test_inside_the_hub_imports_go_from_the_archive_outwards() -> None:
    wrong = []
    for path in files("hub"):
        here = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        floor = next((level for room, level in ROOMS.items() if here.startswith(room)), None)
        for module, node in imports(path):
            above = next((level for room, level in ROOMS.items() if module.startswith(room)), None)
            if floor is not None and above is not None and above > floor:
                wrong.append(f"{shown(path, node)} imports {module}")
    assert not wrong


STUDY = {"phonenumbers"}  # law 2: beside the standard library
STUDY_ROOMS = {"tracking_core/telephony": {"cryptography"}}  # signatures of vendors
IMPURE_MODULES = {
    "logging",
    "random",
    "time",
    "socket",
    "os",
    "subprocess",
    "asyncio",
    "threading",
    "sqlite3",
}
IMPURE_CALLS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "getenv", "urandom"}


def _of_room(path: Path) -> set[str]:
    return STUDY_ROOMS.get(path.relative_to(ROOT).parent.as_posix(), set())


def test_the_study_imports_the_standard_library_and_phonenumbers_alone() -> None:
    wrong = [
        f"{shown(path, node)} imports {module}"
        for path in files("tracking_core")
        for module, node in imports(path)
        if (root := module.split(".")[0]) not in sys.stdlib_module_names | STUDY | _of_room(path) | {"tracking_core"}
        or root in IMPURE_MODULES
    ]
    assert not wrong


def test_the_study_asks_nobody_for_the_time() -> None:
    wrong = [
        f"{shown(path, node)} calls {node.func.attr}"
        for path in files("tracking_core")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in IMPURE_CALLS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date", "time", "os"}
    ]
    assert not wrong


def connector_names() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "connectors").glob("*/manifest.py"))


def test_a_connector_imports_no_other_and_speaks_through_the_one_client() -> None:
    wrong = []
    for path in files("connectors"):
        own = path.relative_to(ROOT / "connectors").parts[0]
        for module, node in imports(path):
            root = module.split(".")[0]
            if root in {"httpx", "requests", "aiohttp", "urllib3"} and path.name not in {
                "http.py",
                "contract.py",
            }:
                wrong.append(f"{shown(path, node)} imports {module}")
            for other in set(connector_names()) - {own}:
                if own in connector_names() and module.startswith(f"connectors.{other}"):
                    wrong.append(f"{shown(path, node)} imports {module}")
    assert not wrong


def test_a_connector_does_not_sleep_retry_or_store() -> None:
    forbidden = {"asyncio", "time", "tenacity", "sqlalchemy", "sqlmodel", "sqlite3", "pathlib", "os"}
    wrong = [
        f"{shown(path, node)} imports {module}"
        for name in connector_names()
        for path in files(f"connectors/{name}")
        for module, node in imports(path)
        if module.split(".")[0] in forbidden
    ]
    assert not wrong


VENDORS = re.compile(r"amo|kommo|bitrix|b24|yandex|metri[ck]a|google|mango|zadarma|twilio", re.IGNORECASE)


def test_the_hub_names_no_vendor() -> None:
    wrong = [
        f"{shown(path, node)}: {text[:60]}"
        for path in files("hub")
        for text, node in names(path)
        if VENDORS.search(re.sub(r"amount|among|diamond", "", text, flags=re.IGNORECASE))
    ]
    assert not wrong


def test_the_pages_of_the_hub_name_no_vendor() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "hub").rglob("*")
        if path.suffix in {".html", ".css", ".js", ".svg"}
        and VENDORS.search(re.sub(r"amount|among", "", path.read_text(encoding="utf-8"), flags=re.IGNORECASE))
    ]
    assert not wrong


SQL_DOORS = (  # law 6
    "hub/store/",
    *(f"hub/delivery/{name}.py" for name in ("queue", "taking", "settling", "parking", "by_hand", "lanes")),
)


def test_there_is_one_door_to_the_tables() -> None:
    wrong = [
        f"{shown(path, node)} imports {module}"
        for path in files("hub")
        for module, node in imports(path)
        if module.split(".")[0] in {"sqlalchemy", "sqlmodel", "sqlite3", "psycopg", "alembic"}
        and not str(path.relative_to(ROOT)).startswith(SQL_DOORS)
    ]
    assert not wrong


def test_tenacity_wraps_reads_of_one_file() -> None:
    users = {
        str(path.relative_to(ROOT)) for b in BUILDINGS for path in files(b) for m, _ in imports(path) if m == "tenacity"
    }
    assert users == {"connectors/http.py"}


REQUIRED_ROOMS = {
    "__init__.py",
    "manifest.py",
    "api.py",
    "mappings.py",
    "deliver.py",
    "settings.py",
    "README.md",
}  # law 8
CRM_ROOMS = {"readback.py", "hooks.py"}


@pytest.mark.parametrize("name", connector_names())
def test_every_connector_has_the_same_rooms(name: str) -> None:
    from connectors.registry import CONNECTORS

    there = {path.name for path in (ROOT / "connectors" / name).iterdir()}
    needed = REQUIRED_ROOMS | (CRM_ROOMS if CONNECTORS[name].manifest.kind == "crm" else {"costs.py"})
    assert needed <= there


def test_httpx2_is_not_there_to_be_preferred_silently() -> None:
    assert importlib.util.find_spec("httpx2") is None


EMPTY_WORDS = re.compile(r"(Manager|Service|Helper|Utils?|Base)$")


def test_no_class_has_a_name_that_says_nothing() -> None:
    wrong = [
        f"{shown(path, node)} class {node.name}"
        for b in BUILDINGS
        for path in files(b)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and EMPTY_WORDS.search(node.name)
    ]
    assert not wrong


def test_no_file_is_empty_of_meaning_or_too_long_to_read() -> None:
    long = [
        f"{shown(path)}: {lines} lines"
        for b in BUILDINGS
        for path in files(b)
        if "migrations" not in path.parts  # written once, by Alembic
        and (lines := path.read_text(encoding="utf-8").count("\n")) > 450
    ]
    assert not long
