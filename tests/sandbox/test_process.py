"""The real process: its one line, its refusals, and faults on a real connection."""

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

Start = Callable[..., dict[str, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes on free ports and stops them afterwards."""
    running: list[subprocess.Popen[str]] = []

    def run(*options: str) -> dict[str, str]:
        command = [sys.executable, "-m", "sandbox", "amocrm", "--port", "0", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        line = process.stdout.readline()  # type: ignore[union-attr]
        assert line, process.stderr.read()  # type: ignore[union-attr]
        told: dict[str, str] = json.loads(line)
        return told

    yield run
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


def client(told: dict[str, str]) -> httpx.Client:
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    return httpx.Client(base_url=told["base_url"], headers=headers, timeout=5, trust_env=False)


def test_one_line_tells_all_that_a_caller_needs(start: Start) -> None:
    told = start("--subdomain", "vasilek", "--redirect-uri", "https://hub.example/cb")
    assert list(told) == [
        "base_url",
        "client_id",
        "client_secret",
        "redirect_uri",
        "access_token",
        "refresh_token",
        "account_id",
        "subdomain",
    ]
    assert (told["redirect_uri"], told["subdomain"]) == ("https://hub.example/cb", "vasilek")
    with client(told) as api:
        answer = api.get("/api/v4/account")
    assert answer.json()["id"] == told["account_id"]
    assert answer.json()["_links"]["self"]["href"] == f"{told['base_url']}/api/v4/account"


def test_a_dropped_connection_has_no_answer_although_the_lead_is_stored(start: Start) -> None:
    told = start("--set", "rates=" + json.dumps({"drop_after": 1}))
    with client(told) as api:
        with pytest.raises(httpx.RemoteProtocolError):
            api.post("/api/v4/leads", json=[{"name": "hub:7f3a"}])
        totals = api.get("/_sandbox/totals").json()
        row = api.get("/_sandbox/ledger").json()["rows"][0]
    assert totals["leads"] == 1
    assert (row["status"], row["committed"], row["marker"]) == (0, True, "7f3a")


def test_the_clock_file_moves_the_sandbox(start: Start, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<d", 1_767_225_600.0))
    told = start("--clock", str(clock))
    with client(told) as api:
        api.post("/api/v4/leads", json=[{}])
        with clock.open("r+b") as file:
            file.write(struct.pack("<d", 1_767_225_600.0 + 86_400))
        expired = api.get("/api/v4/account")
        state = api.get("/_sandbox/state").json()
    assert state["leads"][0]["created_at"] == 1_767_225_600
    assert expired.status_code == 401


def test_the_running_server_sends_webhooks_by_itself(start: Start) -> None:
    told = start()
    with socket.create_server(("127.0.0.1", 0)) as listener, client(told) as api:
        listener.settimeout(10)
        destination = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        api.post("/api/v4/webhooks", json={"destination": destination, "settings": ["add_lead"]})
        api.post("/api/v4/leads", json=[{"name": "hook"}])
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            received = b""
            while b"%5Bname%5D=hook" not in received:
                received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert received.startswith(b"POST /hook HTTP/1.1")


def test_a_taken_port_is_one_sentence_and_exit_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sandbox", "amocrm", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip().count("\n") == 0
    assert port in ended.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["mastercrm"],
        [],
        ["amocrm", "--set", "no_such_switch=1"],
        ["amocrm", "--set", "nothing"],
        ["amocrm", "--clock", "/nowhere/at/all"],
    ],
)
def test_a_wrong_start_is_a_sentence_without_a_traceback(options: list[str]) -> None:
    command = [sys.executable, "-m", "sandbox", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr
    assert "Traceback" not in ended.stderr
