"""``dni``: ``POST /dni/v1/visit`` on a pool of 2,000 numbers, beside an empty endpoint of the same server and run.

How many: closed loop, wrk with one thread and 64 connections, three interleaved rounds of which the medians count. How
soon: 1,000 visitors on connections of their own, 500 requests a second whatever the server does (bench/steady.py). On
SQLite (``synchronous=FULL``) and PostgreSQL with ``fsync``.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests import postgres

HERE = Path(__file__).parent
ROUNDS, SECONDS, CONNECTIONS = 3, 5, 64
STEADY_S, STEADY_EMPTY_S, STEADY_WARM_S = 20, 10, 4


def run() -> dict[str, Any]:
    """Measure both engines."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        figures |= _measure("sqlite", f"sqlite:///{folder}/hub.sqlite3", folder)
    with tempfile.TemporaryDirectory() as folder, postgres.server(durable=True) as url:
        figures |= _measure("postgresql", url, folder)
    return figures


def _measure(engine: str, url: str, folder: str) -> dict[str, Any]:
    with _server(url, folder) as served:
        base = f"http://127.0.0.1:{served['port']}"
        environment = {**os.environ, "BENCH_SITE": served["site"]}
        soon = _soon(engine, served)
        _wrk(f"{base}/dni/v1/visit", "visits.lua", environment, 2)  # warm up
        empty, visits = [], []
        for _ in range(ROUNDS):
            empty.append(_wrk(f"{base}/empty", "empty.lua", environment, SECONDS))
            visits.append(_wrk(f"{base}/dni/v1/visit", "visits.lua", environment, SECONDS))
    bare, asked = _per_second(empty), _per_second(visits)
    failed = sum(row["errors"] + row["refused"] for row in [*empty, *visits])
    return {
        f"{engine}_ratio": asked / bare,
        f"{engine}_per_s": asked,
        f"{engine}_empty_per_s": bare,
        f"{engine}_p50_ms": median(row["p50_ms"] for row in visits),
        f"{engine}_p99_ms": median(row["p99_ms"] for row in visits),
        f"{engine}_failed": failed,
        **soon,
    }


def _soon(engine: str, served: dict[str, Any]) -> dict[str, Any]:
    """Measure how soon a visitor is answered, on a server that has seen nothing but the warm-up."""
    _steady(served["port"], STEADY_WARM_S, served["site"])
    empty = _steady(served["port"], STEADY_EMPTY_S)
    visits = _steady(served["port"], STEADY_S, served["site"])
    return {
        f"{engine}_500rps_p50_ms": visits["p50_ms"],
        f"{engine}_500rps_p99_ms": visits["p99_ms"],
        f"{engine}_500rps_late": visits["late"],
        f"{engine}_500rps_failed": visits["failed"] + empty["failed"],
        f"{engine}_empty_500rps_p99_ms": empty["p99_ms"],
        f"{engine}_500rps_lag_p99_ms": visits["lag_p99_ms"],
    }


def _per_second(rows: list[dict[str, Any]]) -> float:
    return float(median(row["requests"] / row["seconds"] for row in rows))


@contextmanager
def _server(url: str, folder: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.server", url, folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def _wrk(url: str, script: str, environment: dict[str, str], seconds: int) -> dict[str, Any]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / script), url]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]


def _steady(port: int, seconds: int, *site: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.steady", str(port), str(seconds), *site]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)  # type: ignore[no-any-return]
