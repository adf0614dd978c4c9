"""``drain``: a backlog of 5,000 calls into one amoCRM account, beside the least time its documented limits allow.

The limits are 7 requests in any second; a search takes one text; up to 50 deals with their contacts in one request, up
to 250 notes or tasks; without the paid filters, which most accounts do not have, a deal is read by itself. Nine of ten
callers are new, every tenth has called earlier in the backlog; every fifth call was missed, and asks for a task. The
account is in use: it holds 50 contacts of others. So the least for these deliveries is, in requests:

    a search for each of 5,000 calls, since whoever it is may have become a contact meanwhile       5,000
    the deal of each of 500 callers who are known by then: is it still open?                          500
    4,500 deals with their contacts, 50 at once                                                        90
    10,000 notes, a call and its source for each, 250 at once                                          40
    1,000 tasks, 250 at once                                                                            4

which is 5,634 or 804.9 s. ``requests`` is what the hub sent instead, read-back and what it learns of the account
included. The hub's own worker and SQLite, and the CRM's sandbox behind real HTTP in a process of its own; both on a
clock that is real time but for moments when the hub only waits for its budget (bench/skipping.py).
"""

import asyncio
import random
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, select

from bench.history import opened
from bench.skipping import SkippingClock
from connectors.protocol import Grant
from connectors.registry import CONNECTORS
from connectors.scenario import Action, AddNote, AddTask, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub import logs
from hub.delivery import lanes, queue
from hub.delivery.queue import Planned
from hub.delivery.worker import Worker
from hub.store import crm
from hub.store.db import Db
from hub.store.moment import to_micros
from hub.store.tables import Delivery, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.processes import running
from tests.proofs.street import Crm

CALLS, REPEATED_IN, MISSED_IN = 5_000, 10, 5
PER_SECOND, DEALS, OTHERS = 7, 50, 250  # most in any second, and in one request
TOGETHER = 500  # planned in one transaction
OLD_CONTACTS = 50
READBACK = timedelta(minutes=1)  # the hub's default
LOOK_S = 0.2  # between two looks at whether it is over
VAULT = Vault({"bench": b"b" * 32})
SOURCE = {"utm_source": "yandex", "utm_medium": "cpc", "utm_campaign": "okna", "utm_term": "пластиковые окна"}
NOTE = AddNote("Входящий звонок на номер +74951110001\nИсточник: yandex\nКампания: okna")
TASK = AddTask("Перезвонить: пропущенный звонок", due_minutes=15)

_delivery, _tenant = table_of(Delivery), table_of(Tenant)


def run() -> dict[str, Any]:
    """Measure one account."""
    logs.configure("error")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clock = SkippingClock(Path(folder) / "skipped", lambda: 1 + len(worker._serving))
        sandbox = running("bench.skipping", f"{folder}/skipped", environment={}, log=Path(folder) / "log")
        asked = Crm(stack.enter_context(sandbox).printed, stack.enter_context(httpx.Client(timeout=60)))
        _fill(asked)
        db = stack.enter_context(opened(f"sqlite:///{folder}/hub.sqlite3"))
        worker = Worker(db, clock, VAULT, CONNECTORS, {"amocrm": asked.app}, READBACK)
        began = clock.now()
        db.write_now(_connected, asked.grant(), began)
        planned = _backlog(began)
        for first in range(0, CALLS, TOGETHER):
            db.write_now(queue.enqueue_all, 1, planned[first : first + TOGETHER], began, VAULT)
        return _figures(asked, *asyncio.run(_served(db, worker)))


def _fill(asked: Crm) -> None:
    """Let the account hold contacts from before."""
    phones = ([{"value": f"+7495{number:07}"}] for number in range(OLD_CONTACTS))
    contacts = [{"custom_fields_values": [{"field_code": "PHONE", "values": values}]} for values in phones]
    bearer = {"authorization": f"Bearer {asked.grant().access_token}"}
    httpx.post(f"{asked.base_url}/api/v4/contacts", json=contacts, headers=bearer).raise_for_status()
    asked.turn()


def _connected(tx: Tx, grant: Grant, now: datetime) -> None:
    tx.execute(insert(_tenant).values(id=1, name="bench", created_at=now))
    spent = [to_micros(now)]  # for the contacts from before
    lanes.open_lane(tx, 1, crm.install(tx, 1, "amocrm", grant, now, VAULT), now, spent)


def _backlog(now: datetime) -> list[Planned]:
    """Return the calls of the hours before; a caller who calls again does so at any time after his first call."""
    chance, callers, made = random.Random(7), list[str](), list[Planned]()
    for number in range(CALLS):
        if number % REPEATED_IN == REPEATED_IN - 1:
            caller = callers.pop(chance.randrange(len(callers)))
        else:
            caller = f"+7916{number:07}"
            callers.append(caller)
        at = now - timedelta(seconds=CALLS - number)
        made.append(Planned(1, f"call:{number}", None, caller, at, _plan(number, caller, at)))
    return made


def _plan(number: int, caller: str, at: datetime) -> Plan:
    is_missed = number % MISSED_IN == 0
    enquiry = Enquiry(
        id=f"call:{number}", caller=caller, dialled="+74951110001", started_at=at, talk_s=0 if is_missed else 60,
        wait_s=5, answered=not is_missed, recording_url=None, operator=None, source=SOURCE, confidence=0.9, reason="",
    )  # fmt: skip
    told: tuple[Action, ...] = (NOTE, TASK) if is_missed else (NOTE,)
    new: tuple[Action, ...] = (CreateDeal(f"Звонок {caller}", tags=("Коллтрекинг",)), *told)
    cases = {CallerState.UNKNOWN: new, CallerState.NO_OPEN_DEAL: new, CallerState.OPEN_DEAL: told}
    return Plan(enquiry, 1, Trigger.MISSED if is_missed else Trigger.ANSWERED, cases)


async def _served(db: Db, worker: Worker) -> tuple[datetime, datetime]:
    """Let the worker serve until all is delivered; return when it began and when the last delivery was settled."""
    began = worker.clock.now()
    serving = asyncio.create_task(worker.run())
    while (states := await db.read(queue.counts, 1)) != {"delivered": CALLS}:
        assert states.keys() <= {"ready", "sending", "delivered"}, states
        await asyncio.sleep(LOOK_S)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    ended: datetime = await db.read(lambda tx: tx.execute(select(func.max(_delivery.c.settled_at))).scalar_one())
    return began, ended


def _figures(asked: Crm, began: datetime, ended: datetime) -> dict[str, Any]:
    state = asked.state()
    repeated, missed = CALLS // REPEATED_IN, ceil(CALLS / MISSED_IN)
    new = CALLS - repeated
    made = {kind: len(state[kind]) for kind in ("contacts", "leads", "notes", "tasks")}
    assert made == {"contacts": OLD_CONTACTS + new, "leads": new, "notes": 2 * CALLS, "tasks": missed}, made
    least = CALLS + repeated + ceil(new / DEALS) + ceil(2 * CALLS / OTHERS) + ceil(missed / OTHERS)
    rows = [row for row in asked.ledger() if row["arrived"] <= ended.timestamp()]
    seconds = (ended - began).total_seconds()
    return {
        "amocrm_ratio": seconds / (least / PER_SECOND),
        "throttled": sum(row["status"] == 429 for row in rows),
        "seconds": seconds,
        "least_seconds": least / PER_SECOND,
        "requests": len(rows),
        "least_requests": least,
        "requests_ratio": len(rows) / least,
        "calls": CALLS,
        **_by_kind(rows),
    }


def _by_kind(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count the requests by what they asked for."""
    return dict(Counter(f"{row['method']} {row['path'].removeprefix('/api/v4/').rstrip('0123456789')}" for row in rows))
