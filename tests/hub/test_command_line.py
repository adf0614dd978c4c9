"""The command line as a person meets it, in processes of its own: what he can mend is one sentence and exit code 1."""

import json
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.forker import forker
from tests.hub.world import MANGO_SALT, SCENARIO, SETUP
from tests.processes import running


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    stdout: str
    stderr: str


Cthub = Callable[..., Done]


@pytest.fixture(scope="module")
def cthub() -> Cthub:
    """Runs the command line, each command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}

    def run(*arguments: str, data: Path, **environment: str) -> Done:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            pid = forker("hub").start(arguments, {**clean, "HUB_DATA_DIR": str(data), **environment}, out, err)
            code = forker("hub").wait(pid)
            out.seek(0)
            err.seek(0)
            return Done(code, out.read(), err.read())

    return run


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory, cthub: Cthub) -> Path:
    """A data folder that was set up by 'cthub apply'."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "setup.yaml").write_text(SETUP, encoding="utf-8")
    (folder / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    done = cthub("apply", str(folder / "setup.yaml"), "--json", data=folder / "data")
    assert done.code == 0, done.stderr
    (folder / "applied.json").write_text(done.stdout)
    return folder


def sentence(done: Done) -> str:
    """What a refused command said, after checking that it is one sentence, code 1, and no traceback."""
    assert done.code == 1, (done.code, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"HUB_DATABASE_URL": "postgresql://hub:hidden@127.0.0.1:1/hub"}, "cannot be reached"),
        ({"HUB_DATABASE_URL": "mysql://u@127.0.0.1/x"}, "mysql is not a database we use"),
        ({"HUB_DATABASE_URL": "nonsense"}, "is not a database URL"),
        ({"HUB_DATABASE_URL": "sqlite:////nowhere/at/all/hub.sqlite3"}, "cannot be reached: unable to open database file"),
        ({"HUB_DATABASE_URL": f"sqlite:///{__file__}"}, "cannot be reached: file is not a database"),
        ({"HUB_KEYS": "hidden"}, "HUB_KEYS holds id:base64 pairs"),
        ({"HUB_APPS": "{hidden"}, "apps"),
        ({"HUB_APPS": '{"amocrm": {"client_id": "x", "client_secret": "hidden", "colour": "red"}}'}, "HUB_APPS__AMOCRM__COLOUR"),
        ({"HUB_READBACK_S": "hidden"}, "HUB_READBACK_S"),
        ({"HUB_LOG_LEVEL": "loud"}, "HUB_LOG_LEVEL"),
        ({"HUB_DATA_DIR": "/dev/null/x"}, "HUB_DATA_DIR"),
    ],
    ids=[
        "database_unreachable", "database_unknown", "database_no_url", "folder_missing", "no_database_file", "keys_wrong",
        "apps_no_json", "apps_unknown_key", "number_wrong", "level_unknown", "data_dir_impossible",
    ],
)  # fmt: skip
def test_an_environment_that_cannot_be_used_is_one_sentence(
    cthub: Cthub, tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    given = {"data": tmp_path / "data", **environment}
    said = sentence(cthub("up", "--port", "0", **given))  # type: ignore[arg-type]
    assert told in said
    assert "hidden" not in said


def test_a_port_that_is_taken_is_one_sentence(cthub: Cthub, set_up: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"Nobody can listen on 127.0.0.1:{port}" in sentence(cthub("up", "--port", port, data=set_up / "data"))


def test_a_port_that_is_none_is_one_sentence(cthub: Cthub, set_up: Path) -> None:
    assert "99999" in sentence(cthub("up", "--port", "99999", data=set_up / "data"))


def test_sqlite_without_a_worker_is_refused(cthub: Cthub, set_up: Path) -> None:
    assert "leave out --no-worker" in sentence(cthub("up", "--port", "0", "--no-worker", data=set_up / "data"))


def test_a_second_process_on_one_sqlite_file_is_refused_and_the_first_serves_on(cthub: Cthub, set_up: Path) -> None:
    environment = {"HUB_DATA_DIR": str(set_up / "data")}
    with running("hub", "up", "--port", "0", "--json", environment=environment, log=set_up / "log") as hub:
        assert "in use by another hub process" in sentence(cthub("up", "--port", "0", data=set_up / "data"))
        assert "in use by another hub process" in sentence(cthub("token", data=set_up / "data"))
        report = cthub("report", "roi", "--json", data=set_up / "data")  # reading is allowed beside it
        assert json.loads(report.stdout)["rows"] == []
        assert hub.printed["url"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "text", ["tenant: [", "colour: red", "tenant: x", ""], ids=["no_yaml", "unknown_key", "key_missing", "empty"]
)
def test_a_bad_set_up_file_is_refused_with_its_line(cthub: Cthub, tmp_path: Path, text: str) -> None:
    file = tmp_path / "[red]setup.yaml"  # a name that looks like markup
    file.write_text(text)
    done = cthub("apply", str(file), data=tmp_path / "data")
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert all(line.startswith(f"{file}:1: ") for line in done.stderr.strip().splitlines())
    assert not (tmp_path / "data" / "hub.sqlite3").exists()


@pytest.mark.parametrize("command", [["report", "roi"], ["token"]], ids=["report", "token"])
def test_a_hub_that_is_not_set_up_says_so(cthub: Cthub, tmp_path: Path, command: list[str]) -> None:
    assert "not set up yet" in sentence(cthub(*command, data=tmp_path / "data"))


def test_the_report_is_one_json_object(cthub: Cthub, set_up: Path) -> None:
    done = cthub("report", "roi", "--json", "--days", "7", data=set_up / "data")
    report = json.loads(done.stdout)
    assert (done.code, done.stderr) == (0, "")
    assert (report["rows"], report["total"]["revenue_minor"]) == ([], 0)


def test_the_report_by_a_model_says_which_and_what_it_lacks(cthub: Cthub, set_up: Path) -> None:
    report = json.loads(cthub("report", "roi", "--json", "--model", "markov", data=set_up / "data").stdout)
    assert report["model"] == "markov"
    assert report["note"].startswith("This model learned from 0 journeys")
    shown = cthub("report", "roi", "--model", "markov", data=set_up / "data")
    assert "model: markov" in shown.stdout
    assert report["note"] in shown.stderr.replace("\n", " ")


def test_a_model_that_is_not_there_is_one_sentence(cthub: Cthub, set_up: Path) -> None:
    assert "There is no model best" in sentence(cthub("report", "roi", "--model", "best", data=set_up / "data"))


def test_the_sandbox_prints_what_a_client_needs(tmp_path: Path) -> None:
    with running("hub", "sandbox", "amocrm", "--port", "0", environment={}, log=tmp_path / "log") as vendor:
        told: dict[str, Any] = vendor.printed
    assert {"base_url", "client_id", "client_secret", "redirect_uri", "access_token"} <= set(told)


def test_applying_prints_what_to_paste_and_keeps_secrets_sealed(set_up: Path) -> None:
    applied = json.loads((set_up / "applied.json").read_text())
    assert applied["api_token"]
    assert [path["path"].startswith("/telephony/") for path in applied["telephony"]] == [True, True]
    kept = b"".join(file.read_bytes() for file in (set_up / "data").iterdir() if file.name.startswith("hub.sqlite3"))
    assert [secret for secret in (MANGO_SALT, applied["api_token"]) if secret.encode() in kept] == []


def test_a_key_is_printed_for_hub_keys(cthub: Cthub, tmp_path: Path) -> None:
    first, second = (cthub("key", data=tmp_path / "data").stdout for _ in range(2))
    assert first != second
    assert cthub("token", data=tmp_path / "data", HUB_KEYS=first.strip()).code == 1  # read, then: not set up
