"""``match``: calls matched per second by the hub's own matching, on 10,000 and on 1,000,000 leases of history.

The reference is the same work on the small history in the same run: the cost of a call must not grow with the history.
The numbers are so few that each has, in both, as many past holders as are weighed. Each call is matched in
full: dialled number, holders with their visits and what they did, earlier calls of the caller.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hub import matching
from hub.store import migrate, tracking
from hub.store.db import Db
from hub.store.enquiries import Person
from hub.store.moment import to_micros
from hub.store.tx import Tx
from tests import postgres
from tracking_core.call import Call, CallStatus, Direction

SMALL, LARGE = 10_000, 1_000_000
NUMBERS, CALLS, CALLERS = 200, 1_500, 5_000
STEP = timedelta(seconds=8)  # a new lease so often: a million are 93 days
BEGAN = datetime(2026, 8, 1, tzinfo=UTC)
ONE_CALLS_IN = 20

_HISTORY = (Path(__file__).parent / "match.sql").read_text()


def run() -> dict[str, Any]:
    """Measure both engines on both histories."""
    figures: dict[str, Any] = {}
    for engine in ("sqlite", "postgresql"):
        per_s = {leases: _per_second(engine, leases) for leases in (SMALL, LARGE)}
        figures |= {f"{engine}_{leases // 1_000}k_per_s": speed for leases, speed in per_s.items()}
        figures[f"{engine}_cost_growth"] = per_s[SMALL] / per_s[LARGE]
    return figures


def _per_second(engine: str, leases: int) -> float:
    with _database(engine) as url:
        db = Db(url)
        migrate.upgrade(db.engine)
        db.start()
        try:
            db.write_now(_fill, leases)
            return db.read_now(_matched_per_second, leases)
        finally:
            db.stop()


@contextmanager
def _database(engine: str) -> Iterator[str]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/hub.sqlite3"
    else:
        with postgres.server() as url:
            yield url


def _fill(tx: Tx, leases: int) -> None:
    step = STEP // timedelta(microseconds=1)
    values = {"began": to_micros(BEGAN), "step": step, "numbers": NUMBERS, "leases": leases}
    for statement in _HISTORY.split(";\n"):
        if statement.strip():
            tx.execute(text(statement), {**values, "callers": CALLERS, "ones": ONE_CALLS_IN})


def _matched_per_second(tx: Tx, leases: int) -> float:
    dice = random.Random(7)
    places = [dice.randrange(leases * 9 // 10, leases) for _ in range(CALLS)]
    began = time.perf_counter()
    found = [_match(tx, place, dice.randrange(CALLERS)) for place in places]
    took = time.perf_counter() - began
    assert any(one.visit_id is not None for one in found)
    return CALLS / took


def _match(tx: Tx, place: int, caller: int) -> matching.Match:
    call = Call(
        provider_call_id="1", direction=Direction.INBOUND, did=f"+7495{1_000_000 + place % NUMBERS}",
        caller="+79160000000", caller_anonymous=False, started_at=BEGAN + place * STEP + timedelta(minutes=5),
        answered_at=None, ended_at=None, settles_at=None, talk_s=60, wait_s=5, status=CallStatus.ANSWERED,
        operator=None, first_operator=None, recording_url=None, recording_id=None, visit_id=None,
        durations_differ=False,
    )  # fmt: skip
    number = tracking.find_number(tx, 1, call.did or "")
    return matching.find(tx, 1, call, number, Person(call.caller, None, f"caller-{caller}", None))
