"""``drain``: a backlog of 5,000 calls into one amoCRM account, beside the least time its documented limits allow.

The limits are 7 requests in any second and, as the vendor recommends, 50 deals with their contacts, notes or tasks in a
request; a list shows 250. Nine of ten callers are new, every tenth has called earlier in the backlog; every fifth call
was missed, and asks for a task. The account is connected and read, and in use: it holds 50 deals of others with their
contacts. Before each batch of 500 the hub reads what changed; its own new cards stand at the head of each list, and who
was deleted or merged stands in none. So the least for these deliveries is, in requests:

    4,500 new contacts and 4,500 new deals, passed once in lists of what changed, 250 at once                  36
    events of who was deleted or merged, before each batch                                                     10
    4,500 deals with their contacts, 50 at once                                                                90
    10,000 notes, a call and its source for each, 50 at once                                                  200
    1,000 tasks, 50 at once                                                                                    20

which is 356 or 50.9 s; a search for each call would be 5,000 more. ``requests`` is what the hub sent instead. The hub's
own worker and SQLite, and the CRM's sandbox behind real HTTP in a process of its own, in real time.

Then an independent client from PyPI (bench/one_by_one.py) delivers 200 calls of the same kind, of other callers, to the
same account with the same limits, call by call. What it does costs the same for each, however many there are, so both
are told for each call: the hub's time and requests by its 5,000, the client's by its 200.
"""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, select

from bench import one_by_one
from bench.history import opened
from connectors.protocol import Grant
from connectors.registry import CONNECTORS
from connectors.scenario import Action, AddNote, AddTask, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub import logs
from hub.clock import SystemClock
from hub.delivery import lanes, queue
from hub.delivery.queue import Planned
from hub.delivery.worker import Worker
from hub.store import crm
from hub.store.moment import to_micros
from hub.store.tables import Delivery, Installation, Lane, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.processes import running
from tests.proofs.street import Crm

CALLS, REPEATED_IN, MISSED_IN = 5_000, 10, 5
ONE_BY_ONE = 200  # of the other client
PER_SECOND, AT_ONCE, LISTED = 7, 50, 250  # most in any second; in one request; in a list
TOGETHER = 500  # planned in one transaction
OLD = 50  # deals from before, each with its contact
READBACK = timedelta(minutes=1)  # the hub's default
LOOK_S = 0.2  # between two looks at whether it is over
VAULT = Vault({"bench": b"b" * 32})
SOURCE = {"utm_source": "yandex", "utm_medium": "cpc", "utm_campaign": "okna", "utm_term": "пластиковые окна"}
NOTE = AddNote("Входящий звонок на номер +74951110001\nИсточник: yandex\nКампания: okna")
TASK = AddTask("Перезвонить: пропущенный звонок", due_minutes=15)

_delivery, _tenant, _installation, _lane = map(table_of, (Delivery, Tenant, Installation, Lane))


def run() -> dict[str, Any]:
    """Measure one account."""
    logs.configure("error")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sandbox = running("sandbox", "amocrm", "--port", "0", environment={}, log=Path(folder) / "log")
        asked = Crm(stack.enter_context(sandbox).printed, stack.enter_context(httpx.Client(timeout=60)))
        _fill(asked)
        db = stack.enter_context(opened(f"sqlite:///{folder}/hub.sqlite3"))
        clock = SystemClock()
        worker = Worker(db, clock, VAULT, CONNECTORS, {"amocrm": asked.app}, READBACK)
        db.write_now(_connected, asked.grant(), clock.now())
        loop = stack.enter_context(asyncio.Runner())  # one for both: the worker belongs to it
        loop.run(_until(worker, _is_read, lambda _: True))
        before, planned = asked.ledger()[-1]["number"], _backlog(clock.now(), CALLS, "+7916")
        for first in range(0, CALLS, TOGETHER):
            db.write_now(queue.enqueue_all, 1, planned[first : first + TOGETHER], clock.now(), VAULT)
        began = clock.now()
        loop.run(_until(worker, lambda tx: queue.counts(tx, 1), _are_delivered))
        ended = db.read_now(lambda tx: tx.execute(select(func.max(_delivery.c.settled_at))).scalar_one())
        figures = _figures(asked, before, began, ended)
        return {**figures, **_beside(asked, figures, _backlog(clock.now(), ONE_BY_ONE, "+7917"))}


def _fill(asked: Crm) -> None:
    """Let the account hold deals from before, with their contacts."""
    phones = ([{"value": f"+7495{number:07}"}] for number in range(OLD))
    contacts = ({"custom_fields_values": [{"field_code": "PHONE", "values": values}]} for values in phones)
    deals = [{"name": "Заказ", "_embedded": {"contacts": [contact]}} for contact in contacts]
    bearer = {"authorization": f"Bearer {asked.grant().access_token}"}
    httpx.post(f"{asked.base_url}/api/v4/leads/complex", json=deals, headers=bearer).raise_for_status()
    asked.turn()


def _connected(tx: Tx, grant: Grant, now: datetime) -> None:
    tx.execute(insert(_tenant).values(id=1, name="bench", created_at=now))
    spent = [to_micros(now)]  # for what it holds from before
    lanes.open_lane(tx, 1, crm.install(tx, 1, "amocrm", grant, now, VAULT), now, spent)


def _backlog(now: datetime, calls: int, prefix: str) -> list[Planned]:
    """Return the calls of the hours before; a caller who calls again does so at any time after his first call."""
    chance, callers, made = random.Random(7), list[str](), list[Planned]()
    for number in range(calls):
        if number % REPEATED_IN == REPEATED_IN - 1:
            caller = callers.pop(chance.randrange(len(callers)))
        else:
            caller = f"{prefix}{number:07}"
            callers.append(caller)
        at = now - timedelta(seconds=calls - number)
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


async def _until(worker: Worker, look: Callable[[Tx], Any], holds: Callable[[Any], bool]) -> None:
    """Let the worker serve until what is looked at is so."""
    serving = asyncio.create_task(worker.run())
    while not ((seen := await worker.db.read(look)) and holds(seen)):  # noqa: ASYNC110 - a worker tells nobody
        await asyncio.sleep(LOOK_S)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


def _is_read(tx: Tx) -> bool:
    """Say whether the account and its contacts have been read once, and the lane rests."""
    of = tx.execute(select(_installation.c.facts_at, _installation.c.contacts_known)).one()
    leased_until = tx.execute(select(_lane.c.leased_until)).scalar_one()
    return of.facts_at is not None and of.contacts_known and to_micros(leased_until) == 0


def _are_delivered(states: dict[str, int]) -> bool:
    assert states.keys() <= {"ready", "sending", "delivered"}, states
    return states == {"delivered": CALLS}


def _figures(asked: Crm, before: int, began: datetime, ended: datetime) -> dict[str, Any]:
    state = asked.state()
    repeated, missed = CALLS // REPEATED_IN, ceil(CALLS / MISSED_IN)
    new = CALLS - repeated
    made = {kind: len(state[kind]) for kind in ("contacts", "leads", "notes", "tasks")}
    assert made == {"contacts": OLD + new, "leads": OLD + new, "notes": 2 * CALLS, "tasks": missed}, made
    batches = ceil(CALLS / CONNECTORS["amocrm"].manifest.limits.batch)
    least = batches + 2 * ceil(new / LISTED) + sum(ceil(number / AT_ONCE) for number in (new, 2 * CALLS, missed))
    rows = [row for row in asked.ledger() if row["number"] > before and row["arrived"] <= ended.timestamp()]
    seconds = (ended - began).total_seconds()
    return {
        "amocrm_ratio": seconds / (least / PER_SECOND),
        "throttled": sum(row["status"] == 429 for row in rows),
        "blind_s": _blind(rows),
        "seconds": seconds,
        "least_seconds": least / PER_SECOND,
        "requests": len(rows),
        "least_requests": least,
        "requests_ratio": len(rows) / least,
        "requests_per_call": len(rows) / CALLS,
        "calls": CALLS,
        **_by_kind(rows),
    }


def _blind(rows: list[dict[str, Any]]) -> float:
    """Return the longest time from a look at what changed to a deal made by it: whom others make then is missed."""
    longest, looked_at = 0.0, 0.0
    for row in rows:
        if row["path"] == "/api/v4/contacts" and "page=1&" in f"{row['query']}&":
            looked_at = row["arrived"]
        if row["path"] == "/api/v4/leads/complex":
            longest = max(longest, row["arrived"] - looked_at)
    return longest


def _beside(asked: Crm, hub: dict[str, Any], planned: list[Planned]) -> dict[str, Any]:
    """Measure the other client on calls of its own, and compare it with the hub for each call."""
    before, held = asked.ledger()[-1]["number"], {kind: len(asked.state()[kind]) for kind in ("contacts", "leads")}
    as_documented = {"retry_after_header": False}
    httpx.post(f"{asked.base_url}/_sandbox/dial", json=as_documented).raise_for_status()
    seconds = one_by_one.deliver(asked.base_url, asked.grant().access_token, [one.plan.enquiry for one in planned])
    new = len({one.order_key for one in planned})
    made = {kind: len(asked.state()[kind]) - number for kind, number in held.items()}
    assert made == {"contacts": new, "leads": new}, made
    rows = [row for row in asked.ledger() if row["number"] > before]
    return {
        "client_requests_ratio": len(rows) / len(planned) / hub["requests_per_call"],
        "client_time_ratio": seconds / len(planned) / (hub["seconds"] / CALLS),
        "client_calls": len(planned),
        "client_requests": len(rows),
        "client_requests_per_call": len(rows) / len(planned),
        "client_seconds": seconds,
        "client_seconds_per_call": seconds / len(planned),
        "client_throttled": sum(row["status"] == 429 for row in rows),
        "seconds_per_call": hub["seconds"] / CALLS,
    }


def _by_kind(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count the requests by what they asked for."""
    return dict(Counter(f"{row['method']} {row['path'].removeprefix('/api/v4/').rstrip('0123456789')}" for row in rows))
