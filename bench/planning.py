"""``planning``: enquiries decided per second, and a dry-run of 30 days with 10,000 enquiries on SQLite.

Planning is what the hub does for an enquiry between its match and its delivery: the scenario is asked what it wants,
and one rule is chosen for whom the CRM knows. Its reference is each plan written as JSON and read again, in the same
run: what it costs to keep a plan at all. A dry-run does that twice for each enquiry, for the rules that are tried
and for those that run, with people and deals of the hub's own index, and fills the texts of the rule that is followed.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from bench.history import opened
from connectors.deciding import Known, KnownDeal, decide
from connectors.registry import CONNECTORS
from connectors.scenario import Enquiry, Scenario, dump_plan, load_plan, plan, read_scenario
from hub.dry_run import DryRun, dry_run
from hub.planning import Rules
from hub.store import contacts, crm
from hub.store.enquiries import person
from hub.store.tables import (
    Call,
    ContactKey,
    Deal,
    DealContact,
    Installation,
    Site,
    TelephonyAccount,
    Tenant,
    table_of,
)
from hub.store.tables import (
    Enquiry as EnquiryRow,
)
from hub.store.tx import Tx
from hub.store.vault import Vault

ENQUIRIES, DAYS, KNOWN_IN = 10_000, 30, 2  # every second caller is in the CRM
ROUNDS, PLANNED = 9, 2_000
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
READY_MADE = Path(__file__).parents[1] / "connectors" / "scenarios" / "ru" / "calls_to_deals.yaml"
_VAULT = Vault({"k1": b"1" * 32})


def run() -> dict[str, Any]:
    """Measure planning alone, then a dry-run on a hub's own data."""
    scenario = read_scenario(READY_MADE.read_text("utf-8"), READY_MADE.name, None)
    enquiries = [_enquiry(number) for number in range(PLANNED)]
    rounds = [(_planned(scenario, enquiries), _kept(scenario, enquiries)) for _ in range(ROUNDS + 1)][1:]
    per_s, kept_per_s = (median(PLANNED / seconds for seconds in column) for column in zip(*rounds, strict=True))
    return {"planned_per_s": per_s, "kept_per_s": kept_per_s, "planned_ratio": per_s / kept_per_s} | _dry_run(scenario)


def _enquiry(number: int) -> Enquiry:
    return Enquiry(
        id=f"call:{number}", caller=f"+7916{number:07}", dialled="+74951110001", started_at=NOW,
        talk_s=number % 90, wait_s=5, answered=bool(number % 5), recording_url=None, operator="101",
        confidence=0.9, reason="",
        source={"utm_source": "yandex", "utm_campaign": "окна", "channel": "paid_search", "landing": "https://o.example/"},
    )  # fmt: skip


_PEOPLE: Sequence[tuple[Known, ...]] = (
    (),
    (Known("61", (KnownDeal("20", "open", "7", "1", "2"), KnownDeal("19", "lost", "7", "1", "143", NOW))),),
    (Known("61", (KnownDeal("20", "won", "7", "1", "142", NOW),)),),
)


def _planned(scenario: Scenario, enquiries: Sequence[Enquiry]) -> float:
    began = time.perf_counter()
    for number, one in enumerate(enquiries):
        made = plan(scenario, 1, one)
        assert made is not None
        decide(made, _PEOPLE[number % len(_PEOPLE)])
    return time.perf_counter() - began


def _kept(scenario: Scenario, enquiries: Sequence[Enquiry]) -> float:
    plans = [made for one in enquiries if (made := plan(scenario, 1, one))]
    began = time.perf_counter()
    for made in plans:
        load_plan(dump_plan(made))
    return time.perf_counter() - began


# -- a dry-run


def _dry_run(live: Scenario) -> dict[str, Any]:
    tried = read_scenario(READY_MADE.read_text("utf-8").replace("due_minutes: 15", "due_minutes: 20"), "tried", None)
    with tempfile.TemporaryDirectory() as folder, opened(f"sqlite:///{folder}/hub.sqlite3") as db:
        db.write_now(_filled)
        began = time.perf_counter()
        made: DryRun = db.read_now(_tried, Rules(tried, 0), Rules(live, 1))
        seconds = time.perf_counter() - began
    assert made.enquiries == ENQUIRIES, made.enquiries
    return {"dry_run_s": seconds, "dry_run_enquiries": made.enquiries, "dry_run_differences": len(made.differences)}


def _tried(tx: Tx, tried: Rules, live: Rules) -> DryRun:
    (account,) = crm.installations(tx, 1)
    return dry_run(tx, account, CONNECTORS["amocrm"], tried, live, NOW, _VAULT, DAYS)


def _filled(tx: Tx) -> None:
    """Write a customer's 30 days: every caller calls twice, every second one is a contact with two deals."""
    site = {"id": 1, "tenant_id": 1, "key": "bench", "name": "bench", "hosts": [], "overflow_number": "+74950000000"}
    telephony = {"id": 1, "tenant_id": 1, "name": "bench", "adapter": "generic", "token": "bench", "zone": "UTC"}
    account = {"id": 1, "tenant_id": 1, "connector": "amocrm", "account": "31", "host": "a.example", "status": "active"}
    tx.execute(insert(table_of(Tenant)).values(id=1, name="bench", created_at=NOW))
    tx.execute(insert(table_of(Site)).values(**site))
    tx.execute(insert(table_of(TelephonyAccount)).values(**telephony, secrets=b""))
    tx.execute(
        insert(table_of(Installation)).values(
            **account, facts={}, contacts_known=True, hook_token="hook", connected_at=NOW
        )
    )
    dice, step = random.Random(7), timedelta(days=DAYS) / (ENQUIRIES + 2)
    callers = [f"+7916{number:07}" for number in range(ENQUIRIES // 2)]
    asked = [*callers, *dice.sample(callers, len(callers))]
    tx.execute(
        insert(table_of(EnquiryRow)), [_row(n, caller, NOW - step * (n + 1)) for n, caller in enumerate(asked, 1)]
    )
    tx.execute(insert(table_of(Call)), [_call(number, dice) for number in range(1, ENQUIRIES + 1)])
    of, keys_of = crm.installations(tx, 1)[0], CONNECTORS["amocrm"].keys_of
    known = [(str(number), caller) for number, caller in enumerate(callers[::KNOWN_IN], 1_000_000)]
    keys = {contact: keys_of(_enquiry(int(caller[5:]))) or () for contact, caller in known}
    hashes = contacts.hashes(of, (key for several in keys.values() for key in several), _VAULT)
    here = {"tenant_id": 1, "installation_id": 1}
    tx.execute(
        insert(table_of(ContactKey)),
        [{**here, "contact": one, "key": hashes[key]} for one, several in keys.items() for key in several],
    )
    deals = [(f"{contact}{n}", contact, outcome) for contact, _ in known for n, outcome in enumerate(("open", "lost"))]
    tx.execute(insert(table_of(Deal)), [_deal(here, id_, outcome) for id_, _, outcome in deals])
    tx.execute(insert(table_of(DealContact)), [{**here, "deal": id_, "contact": contact} for id_, contact, _ in deals])


def _row(number: int, caller: str, at: datetime) -> dict[str, Any]:
    key = f"1:c{number}"
    return {
        "id": number, "tenant_id": 1, "kind": "call", "key": key, "at": at, "heard": "", "phone_masked": "",
        "corrected_in_crm": "",
        "phone": _VAULT.seal(caller, 1, "call", key, "phone"), "phone_key": person(1, caller, None, _VAULT).phone_key,
        "first_time": True, "qualified": bool(number % 2), "qualified_why": "",
    }  # fmt: skip


def _call(number: int, dice: random.Random) -> dict[str, Any]:
    talk_s = dice.choice((0, 30, 120))
    return {
        "enquiry_id": number, "tenant_id": 1, "account_id": 1, "provider_call_id": f"c{number}", "direction": "inbound",
        "dialled": "+74951110001", "ended_at": NOW, "talk_s": talk_s, "wait_s": 5, "durations_differ": False,
        "status": "answered" if talk_s else "missed",
    }  # fmt: skip


def _deal(here: dict[str, int], id_: str, outcome: str) -> dict[str, Any]:
    return {
        **here, "external_id": id_, "pipeline": "1", "stage": "2", "outcome": outcome, "amount_minor": 0,
        "currency": "RUB", "created_at": NOW - timedelta(days=60), "updated_at": NOW, "deleted": False, "told": "",
        "closed_at": NOW - timedelta(days=40) if outcome == "lost" else None,
    }  # fmt: skip
