"""``pipeline``: time from the call-end request to the deal existing in the CRM's sandbox, on the real clock.

A call each second and a half (2,400 an hour) from callers never seen before, so each costs its searches and a creation;
the sandbox answers in 40 to 120 ms and enforces its documented limits. ``crm_p95_ms`` is the sandbox's own answering
time on the way to the deal.
"""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.proofs.stage import Stage

CALLS, GAP_S = 60, 1.5
LATENCY_MS = [40, 120]


def run() -> dict[str, Any]:
    """Measure on SQLite, hub and sandbox as processes of their own."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stage = Stage(Path(folder), f"sqlite:///{folder}/hub.sqlite3", real_clock=True)
        stage.open(stack)
        httpx.post(f"{stage.crm['base_url']}/_sandbox/dial", json={"latency_ms": LATENCY_MS}).raise_for_status()
        began = [_call(stage, number) for number in range(CALLS)]
        _settle(stage)
        return _figures(stage, began)


def _call(stage: Stage, number: int) -> float:
    began = time.time()
    stage.tell(number)
    time.sleep(max(0.0, GAP_S - (time.time() - began)))
    return began


def _settle(stage: Stage) -> None:
    for _ in range(200):
        if stage.status()["deliveries"] == {"delivered": CALLS}:
            return
        time.sleep(0.1)
    raise RuntimeError(f"it did not drain: {stage.status()}")


def _figures(stage: Stage, began: list[float]) -> dict[str, Any]:
    ledger = httpx.get(f"{stage.crm['base_url']}/_sandbox/ledger").json()["rows"]
    api = [row for row in ledger if row["path"].startswith("/api/")]
    made = {
        marker.removeprefix("hub:"): row
        for row in api
        if row["path"].endswith("/leads/complex") and row["status"] == 200
        for marker in row["markers"]  # calls that came close together share a request
    }
    whole, crm = [], []
    for began_at, marker in zip(began, _markers(stage), strict=True):
        deal = made[marker]
        on_the_way = [row for row in api if began_at <= row["arrived"] and row["answered"] <= deal["answered"]]
        whole.append((deal["answered"] - began_at) * 1_000)
        crm.append(sum(row["answered"] - row["arrived"] for row in on_the_way) * 1_000)
    own = [total - theirs for total, theirs in zip(whole, crm, strict=True)]
    return {
        "p50_ms": _percentile(whole, 50),
        "p95_ms": _percentile(whole, 95),
        "crm_p50_ms": _percentile(crm, 50),
        "crm_p95_ms": _percentile(crm, 95),
        "own_p95_ms": _percentile(own, 95),
        "requests_per_call": len(api) / CALLS,
        "throttled": sum(row["status"] == 429 for row in api),
    }


def _markers(stage: Stage) -> list[str]:
    """Return the marker of each call's delivery, in the order of the calls."""
    bearer = {"authorization": f"Bearer {stage.applied['api_token']}"}
    told = stage.web.get("/api/v1/calls", headers=bearer).json()["calls"]
    by_call = {call["provider_call_id"]: call["deliveries"][0]["id"] for call in told}
    return [by_call[f"call-{number}"] for number in range(CALLS)]


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, round(len(values) * percent / 100))]


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
