"""The real process: its one line, its refusals, its clock, its faults and events on real connections."""

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

Start = Callable[..., dict[str, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes on free ports and stops them afterwards."""
    running: list[subprocess.Popen[str]] = []

    def run(*options: str) -> dict[str, str]:
        command = [sys.executable, "-m", "sandbox", "bitrix24", "--port", "0", *options]
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


@pytest.fixture
def call() -> Iterator[Callable[..., httpx.Response]]:
    """Calls a method of a started portal with its token."""
    with httpx.Client(timeout=5, trust_env=False) as client:

        def method(told: dict[str, str], name: str, **params: Any) -> httpx.Response:
            return client.post(f"{told['client_endpoint']}{name}", json={"auth": told["access_token"], **params})

        yield method


def test_one_line_tells_all_that_a_caller_needs(start: Start, call) -> None:
    told = start("--redirect-uri", "https://hub.example/cb", "--scope", "crm, telephony")
    assert list(told) == [
        *("base_url", "client_id", "client_secret", "redirect_uri", "access_token", "refresh_token"),
        *("application_token", "member_id", "domain", "client_endpoint", "server_endpoint", "webhook_url"),
    ]
    assert told["redirect_uri"] == "https://hub.example/cb"
    assert told["client_endpoint"] == f"{told['base_url']}/rest/"
    assert call(told, "scope").json()["result"] == ["crm", "telephony"]
    assert httpx.get(f"{told['webhook_url']}profile", trust_env=False).json()["result"]["ID"] == "1"


def test_a_dropped_connection_has_no_answer_although_the_deal_is_stored(start: Start, call) -> None:
    told = start("--set", "rates=" + json.dumps({"drop_after": 1}))
    with pytest.raises(httpx.RemoteProtocolError):
        call(told, "crm.item.add", entityTypeId=2, fields={"originId": "hub:7f3a"})
    totals = httpx.get(f"{told['base_url']}/_sandbox/totals", trust_env=False).json()
    row = httpx.get(f"{told['base_url']}/_sandbox/ledger", trust_env=False).json()["rows"][0]
    assert totals["deals"] == 1
    assert (row["status"], row["committed"], row["markers"]) == (0, True, ["7f3a"])


def test_the_clock_file_moves_the_portal_and_so_does_its_door(start: Start, call, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<d", 1_767_225_600.0))
    told = start("--clock", str(clock))
    first = call(told, "server.time").json()["result"]
    with clock.open("r+b") as file:
        file.write(struct.pack("<d", 1_767_225_600.0 + 60))
    moved = call(told, "server.time").json()["result"]
    httpx.post(f"{told['base_url']}/_sandbox/clock", json={"forward": 3600}, trust_env=False)
    assert (first, moved) == ("2026-01-01T03:00:00+03:00", "2026-01-01T03:01:00+03:00")
    assert call(told, "server.time").json()["error"] == "expired_token"


def test_the_running_server_sends_events_by_itself(start: Start, call) -> None:
    told = start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        handler = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        call(told, "event.bind", event="ONCRMDEALADD", handler=handler)
        call(told, "crm.deal.add", fields={})
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            received = b""
            while b"&ts=" not in received:
                received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert received.startswith(b"POST /hook HTTP/1.1")
    assert b"event=ONCRMDEALADD&" in received


@pytest.mark.parametrize(
    "options", [["--set", "no_such_switch=1"], ["--set", "nothing"], ["--clock", "/nowhere/at/all"]]
)
def test_a_wrong_start_is_a_sentence_without_a_traceback(options: list[str]) -> None:
    command = [sys.executable, "-m", "sandbox", "bitrix24", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr
    assert "Traceback" not in ended.stderr
