"""``match``: calls matched per second by the hub's own matching, on 10,000 and on 1,000,000 leases of history.

The reference is the same work on the small history in the same run, round by round in turn: the cost of a call must not
grow with the history. Each call is matched in full: dialled number, holders with their visits, taps and calls, earlier
calls of the caller. Both histories are alike but for their length: the numbers are so few that each has as many past
holders as are weighed, and each caller has called twice before, at any moment of the history. A call comes at the end
of the history, as it does in life: the last leases are the ones that are asked for, and that both engines still hold in
memory. SQLite has no statistics, because a hub gathers none; PostgreSQL has been vacuumed, because its autovacuum does.
"""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from bench.history import LARGE, SMALL, databases, fill, opened
from hub import matching
from hub.store import tracking
from hub.store.db import Db
from hub.store.enquiries import Person
from hub.store.moment import to_micros
from hub.store.tables import Pool, Site, TelephonyAccount, Tenant, table_of
from hub.store.tx import Tx
from tracking_core.call import Call, CallStatus, Direction
from tracking_core.match import Match

ROUNDS, CALLS = 9, 200  # after a round to warm up
NUMBERS, NEWEST = 200, 1_000  # the calls are about the last so many leases
STEP = timedelta(seconds=8)  # a new lease so often: a million are 93 days
BEGAN = datetime(2026, 8, 1, tzinfo=UTC)
ONE_CALLS_IN, CALLS_OF_ONE, ONE_TAPS_IN = 20, 2, 10

_HISTORY = Path(__file__).parent / "match.sql"


def run() -> dict[str, Any]:
    """Measure both engines on both histories."""
    return _measure("sqlite") | _measure("postgresql")


def _measure(engine: str) -> dict[str, Any]:
    with ExitStack() as stack:
        urls = stack.enter_context(databases(engine))
        small, large = (stack.enter_context(filled(url, leases)) for leases, url in urls.items())
        rounds = [(_per_second(small, SMALL, turn), _per_second(large, LARGE, turn)) for turn in range(ROUNDS + 1)][1:]
    return {
        f"{engine}_10k_per_s": median(few for few, _ in rounds),
        f"{engine}_1000k_per_s": median(many for _, many in rounds),
        f"{engine}_cost_growth": median(few / many for few, many in rounds),
    }


@contextmanager
def filled(url: str, leases: int) -> Iterator[Db]:
    """Yield a hub with a past of so many leases."""
    often = {"ones": ONE_CALLS_IN, "taps": ONE_TAPS_IN, "callers": _callers(leases)}
    values = {"began": to_micros(BEGAN), "step": STEP // timedelta(microseconds=1), "numbers": NUMBERS}
    with opened(url) as db:
        db.write_now(_settle)
        fill(db, _HISTORY, {**values, **often, "leases": leases})
        yield db


def _settle(tx: Tx) -> None:
    """Write what a history needs before it can begin."""
    site = {"id": 1, "tenant_id": 1, "key": "bench", "name": "bench", "hosts": [], "overflow_number": "+74950000000"}
    account = {"id": 1, "tenant_id": 1, "name": "bench", "adapter": "generic", "token": "bench", "zone": "UTC"}
    tx.execute(insert(table_of(Tenant)).values(id=1, name="bench", created_at=BEGAN))
    tx.execute(insert(table_of(Site)).values(**site))
    tx.execute(insert(table_of(Pool)).values(id=1, tenant_id=1, site_id=1, name="bench"))
    tx.execute(insert(table_of(TelephonyAccount)).values(**account, secrets=b""))


def _callers(leases: int) -> int:
    return leases // ONE_CALLS_IN // CALLS_OF_ONE


def _per_second(db: Db, leases: int, turn: int) -> float:
    return db.read_now(_matched_per_second, leases, random.Random(turn))


def _matched_per_second(tx: Tx, leases: int, dice: random.Random) -> float:
    asked = [(dice.randrange(leases - NEWEST, leases), dice.randrange(_callers(leases))) for _ in range(CALLS)]
    began = time.perf_counter()
    found = [_match(tx, place, caller) for place, caller in asked]
    took = time.perf_counter() - began
    assert any(one.visit_id is not None for one in found)
    return CALLS / took


def _match(tx: Tx, place: int, caller: int) -> Match:
    call = Call(
        provider_call_id="1", direction=Direction.INBOUND, did=f"+7495{1_000_000 + place % NUMBERS}",
        caller="+79160000000", caller_anonymous=False, started_at=BEGAN + place * STEP + timedelta(minutes=5),
        answered_at=None, ended_at=None, settles_at=None, talk_s=60, wait_s=5, status=CallStatus.ANSWERED,
        operator=None, first_operator=None, rung=(), rung_since=None, recording_url=None, recording_id=None,
        visit_id=None, durations_differ=False,
    )  # fmt: skip
    number = tracking.find_number(tx, 1, call.did or "")
    return matching.find(tx, 1, call, number, Person(call.caller, None, f"caller-{caller}", None))
