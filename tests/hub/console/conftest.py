"""A console over a real SQLite file: two tenants, and calls in every condition a page must show."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from pydantic import BaseModel
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from connectors.contract_inputs import rules
from connectors.protocol import App, Can, Idempotency, Limits, Manifest, OAuth
from connectors.scenario import AddNote, AddTask, CallerState, CreateDeal, Enquiry, MoveDeal, Plan, Trigger, dump_plan
from connectors.telling import NotTaken, Said, Sentence
from hub.ledger import Refusals
from hub.round_trips import RoundTrips
from hub.settings import Settings
from hub.store import people, tables
from hub.store.db import Db
from hub.store.tx import Tx
from hub.store.vault import Vault
from hub.web import console, words
from hub.web.middleware import Frame
from tracking_core.numbering_plan import NO_PLAN

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EMAIL, PASSWORD = "owner@example.com", "correct horse"
STRANGER = "stranger@example.com"
_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)  # cheap: tests are many
STATIC = Path(words.__file__).parent.parent / "static"


class StoppedClock:
    """A clock that stands at NOW until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a test may speak of."""

    tenant: int
    stranger: int
    answered: int  # call: matched, deal won
    missed: int  # call: unmatched, delivery parked
    billboard: int  # call: a placement's, delivery waits
    hidden: int  # call: anonymous, nothing planned
    foreign: int  # call of the other tenant
    parked: str
    foreign_parked: str


def row(tx: Tx, model: Any, **values: Any) -> Any:
    """Write one row and return its key."""
    table = tables.table_of(model)
    key = next(iter(table.primary_key.columns))
    return tx.execute(insert(table).values(**values).returning(key)).scalar_one()


def person(tx: Tx, tenant: str, email: str) -> int:
    tenant_id = row(tx, tables.Tenant, name=tenant, created_at=NOW)
    told = {"email": email, "password_hash": _HASH, "language": "ru", "created_at": NOW}
    row(tx, tables.Person, tenant_id=tenant_id, **told)
    return tenant_id


def site(tx: Tx, tenant_id: int, key: str) -> int:
    return row(
        tx, tables.Site, tenant_id=tenant_id, key=key, name="Site", hosts=["okna.example"], zone="Europe/Moscow",
        currency="RUB", overflow_number="+74951230000", hold_s=600,
    )  # fmt: skip


def visit(tx: Tx, tenant_id: int, site_id: int, source: str, campaign: str = "", **more: Any) -> int:
    started = more.pop("at", NOW - timedelta(hours=3))
    visitor = row(
        tx, tables.Visitor, tenant_id=tenant_id, site_id=site_id, token=f"{tenant_id}:{source}:{campaign}:{started}:{more}",
        first_seen_at=started,
    )  # fmt: skip
    told = {"channel": "paid_search", "medium": "cpc", "content": "", "term": "", "landing": "/", **more}
    return row(
        tx, tables.Visit, tenant_id=tenant_id, site_id=site_id, visitor_id=visitor, started_at=started,
        last_seen_at=started + timedelta(minutes=4), source=source, campaign=campaign, click_ids="[]", referrer_host="",
        **told,
    )  # fmt: skip


def call(tx: Tx, tenant_id: int, account_id: int, name: str, at: datetime, **more: Any) -> int:
    told = {
        "direction": "inbound", "status": "answered", "dialled": "+74951234567", "durations_differ": False,
        "ended_at": at + timedelta(minutes=3), "talk_s": 125, "wait_s": 9, "operator": "101",
    }  # fmt: skip
    about = {
        "phone_masked": "+7 916 ***-**-67", "first_time": True, "qualified": True,
        "qualified_why": "The talk lasted 125 s, at least 30 s count.",
    }  # fmt: skip
    of_enquiry = about | {name: value for name, value in more.items() if name in tables.table_of(tables.Enquiry).c}
    told |= {name: value for name, value in more.items() if name not in of_enquiry}
    for number, kind in enumerate(("ringing", "ended")):
        row(
            tx, tables.CallEvent, tenant_id=tenant_id, account_id=account_id, provider_call_id=name,
            dedupe_key=f"{name}:{kind}", kind=kind, occurred_at=at + timedelta(minutes=3 * number),
            received_at=at + timedelta(minutes=3 * number, seconds=1), facts=b"", raw=b"",
        )  # fmt: skip
    key = f"{account_id}:{name}"
    enquiry_id = row(tx, tables.Enquiry, tenant_id=tenant_id, kind="call", key=key, at=at, **of_enquiry)
    account = {"account_id": account_id, "provider_call_id": name}
    tx.execute(
        insert(tables.table_of(tables.Call)).values(enquiry_id=enquiry_id, tenant_id=tenant_id, **account, **told)
    )
    return enquiry_id


def match(tx: Tx, tenant_id: int, call_id: int, reason: str, words_: str, **more: Any) -> int:
    told = {"visit_id": None, "placement_id": None, "confidence": 0.0, "candidates": [], **more}
    return row(
        tx, tables.Match, tenant_id=tenant_id, enquiry_id=call_id, reason=reason, words=words_, made_at=NOW, **told
    )


def plan_of(call_id: int, trigger: Trigger) -> Plan:
    enquiry = Enquiry(
        id=f"call:{call_id}", caller="+79161234567", dialled="+74951234567", started_at=NOW, talk_s=125, wait_s=9,
        answered=trigger is Trigger.ENDED, recording_url=None, operator=None, source={}, confidence=0.94, reason="",
    )  # fmt: skip
    unknown = (CreateDeal("Звонок +7 916 123-45-67"), AddNote("Источник"), AddTask("Перезвонить +79161234567", 15))
    return Plan(
        enquiry,
        3,
        trigger,
        rules({CallerState.UNKNOWN: unknown, CallerState.OPEN_DEAL: (AddNote("Ещё"), MoveDeal("1", "12", ("11",)))}),
    )


def delivery(tx: Tx, vault: Vault, tenant_id: int, installation: int, call_id: int, state: str, **more: Any) -> str:
    name = f"{call_id:032x}"
    told = {
        "due_at": NOW, "attempt": 1, "spent": 1, "in_doubt": False, "refs": [], "why": "", "sentence": "",
        "created_at": NOW - timedelta(hours=2), "settled_at": None, **more,
    }  # fmt: skip
    row(
        tx, tables.Delivery, id=name, tenant_id=tenant_id, installation_id=installation, position=NOW - timedelta(hours=2),
        order_key=name, enquiry=f"call:{call_id}", enquiry_id=call_id, scenario_version=3, marker=f"hub:{name}",
        plan=vault.seal(dump_plan(plan_of(call_id, Trigger.MISSED)).decode(), tenant_id, name, "plan"), state=state, **told,
    )  # fmt: skip
    return name


def installation(tx: Tx, tenant_id: int, account: str, **more: Any) -> int:
    told = {
        "status": "active",
        "facts": {
            "name": "Окна Плюс",
            "warnings": [{"code": "no_source", "values": {}}],
            "pipelines": [
                {"id": "1", "name": "Продажи", "stages": [{"id": "12", "name": "В работе", "outcome": "open"}]}
            ],
        },
        **more,
    }
    made = row(
        tx, tables.Installation, tenant_id=tenant_id, connector="acme", account=account, host=f"{account}.example",
        hook_token=f"hook-{account}", connected_at=NOW - timedelta(days=9), **told,
    )  # fmt: skip
    row(
        tx, tables.Lane, installation_id=made, tenant_id=tenant_id, leased_until=NOW, wake_at=NOW, spent=[], turns={},
        readback_at=NOW + timedelta(minutes=1), hold_until=NOW, held_since=NOW,
    )  # fmt: skip
    return made


def write_tenants(tx: Tx, vault: Vault) -> Seeded:
    """Write the two tenants."""
    tenant, stranger = person(tx, "Окна Плюс", EMAIL), person(tx, "Двери", STRANGER)
    account = {
        of: row(
            tx, tables.TelephonyAccount, tenant_id=of, name="АТС", adapter="x", token=f"t{of}", zone="UTC", secrets=b""
        )
        for of in (tenant, stranger)
    }
    here, there = site(tx, tenant, "k1"), site(tx, stranger, "k2")
    crm, their_crm = installation(tx, tenant, "okna"), installation(tx, stranger, "dveri")
    poster = row(tx, tables.Placement, tenant_id=tenant, site_id=here, name="МКАД 25", source="billboard", campaign="")
    named = visit(tx, tenant, here, "searchads", "okna-brand", term="пластиковые окна")
    other = visit(tx, tenant, here, "newsletter", "november", channel="email", medium="email")
    visit(tx, there and stranger, there, "foreignads", "theirs")
    for day in range(3):
        row(
            tx, tables.Spend, tenant_id=tenant, site_id=here, day=date(2026, 11, 18 + day), source="searchads",
            campaign="okna-brand", cost_minor=1_000_000, clicks=10, currency="RUB",
        )  # fmt: skip
    answered = call(tx, tenant, account[tenant], "c1", NOW - timedelta(hours=2))
    lone = "The number was this visitor's alone at the time of the call; last seen 5 min before it."
    odds = [[named, 0.94], [other, 0.04]]
    match(tx, tenant, answered, "exclusive_lease", lone, visit_id=named, confidence=0.94, candidates=odds)
    deal = {"kind": "deal", "id": "771", "url": "https://okna.example/deals/771"}
    delivery(tx, vault, tenant, crm, answered, "delivered", refs=[deal], settled_at=NOW - timedelta(hours=1))
    row(
        tx, tables.Deal, tenant_id=tenant, installation_id=crm, external_id="771", url=deal["url"], pipeline="1", stage="142",
        outcome="won", amount_minor=123_456_700, currency="RUB", created_at=NOW, updated_at=NOW, enquiry_id=answered,
    )  # fmt: skip
    nobody = {"status": "missed", "talk_s": 0, "qualified": False, "qualified_why": "Nobody answered."}
    missed = call(tx, tenant, account[tenant], "c2", NOW - timedelta(hours=1), **nobody)
    match(tx, tenant, missed, "nobody", "Nobody was shown the number before the call.")
    said = "The field SOURCE was deleted in the account."
    parked = delivery(tx, vault, tenant, crm, missed, "parked", why="invalid", sentence=said)
    row(
        tx, tables.Attempt, delivery_id=parked, number=1, tenant_id=tenant, started_at=NOW - timedelta(minutes=50),
        ended_at=NOW - timedelta(minutes=50), status="rejected", why="invalid", detail=said,
    )  # fmt: skip
    billboard = call(tx, tenant, account[tenant], "c3", NOW - timedelta(minutes=30), first_time=False)
    only = "The number is shown only in the placement МКАД 25."
    match(tx, tenant, billboard, "static_number", only, placement_id=poster, confidence=1.0)
    delivery(tx, vault, tenant, crm, billboard, "ready", due_at=NOW + timedelta(minutes=10), why="unavailable")
    hidden = call(tx, tenant, account[tenant], "c4", NOW - timedelta(minutes=5), phone_masked="", first_time=True)
    foreign = call(tx, stranger, account[stranger], "c5", NOW, phone_masked="+7 999 ***-**-99")
    theirs = delivery(tx, vault, stranger, their_crm, foreign, "parked", why="invalid")
    return Seeded(tenant, stranger, answered, missed, billboard, hidden, foreign, parked, theirs)


class _NoSettings(BaseModel):
    pass


def connector() -> Any:
    """A connector of a vendor that does not exist."""
    manifest = Manifest(
        name="acme",
        title="Acme CRM",
        kind="crm",
        can={Can.DEAL: None, Can.NOTE: Said("only_deals")},
        idempotency=Idempotency.MARKER,
        limits=Limits(50, 7, 7, timedelta(seconds=10), timedelta(seconds=30)),
        hosts=(".example",),
        oauth=OAuth("https://acme.example", (), False, timedelta(days=1), timedelta(days=90), True),
        settings=_NoSettings,
        standing="sandbox-tested",
    )
    words = {
        "ru": {
            "no_source": Sentence("Нет поля для источника.", "Подключите ещё раз."),
            "only_deals": Sentence("Только у сделок."),
        },
        "en": {
            "no_source": Sentence("There is no field for the source.", "Connect it again."),
            "only_deals": Sentence("Only on deals."),
        },
    }
    return SimpleNamespace(
        asked_in=None,
        manifest=manifest,
        words=words,
        by_hand=_nobody,
        by_hand_is_address=False,
        frames=None,
        keys_of=lambda _enquiry: None,
    )


async def _nobody(*_: Any) -> Any:
    raise NotTaken(Said("no_source"))


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault({"k1": b"1" * 32})


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, vault: Vault) -> tuple[Path, Seeded]:
    """A SQLite file with the two tenants, made once: each test works on its own copy."""
    path = tmp_path_factory.mktemp("console") / "example.sqlite3"
    opened = Db(f"sqlite:///{path}")
    tables.metadata.create_all(opened.engine)
    opened.start()
    seeded = opened.write_now(write_tenants, vault)
    opened.stop()
    return path, seeded


@pytest.fixture
def db(tmp_path: Path, example: tuple[Path, Seeded]) -> Iterator[Db]:
    opened = Db(f"sqlite:///{shutil.copy(example[0], tmp_path / 'hub.sqlite3')}")
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def seeded(example: tuple[Path, Seeded]) -> Seeded:
    return example[1]


@pytest.fixture
def seed() -> Callable[[Tx, Vault], Seeded]:
    """The unit of work that writes the two tenants, for a database of a test's own."""
    return write_tenants


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def hub(db: Db, vault: Vault, clock: StoppedClock) -> Any:
    acme = connector()
    return SimpleNamespace(
        settings=Settings(public_url="http://hub.test"),
        db=db,
        clock=clock,
        vault=vault,
        numbering=NO_PLAN,
        inbox=SimpleNamespace(wake=lambda: None),
        round_trips=RoundTrips(db, clock, vault, timedelta(days=7)),
        refusals=Refusals(),
        connectors={"acme": acme},
        apps={"acme": App("id", "secret", "http://hub.test/oauth/acme/callback")},
    )


@pytest.fixture
def app(hub: Any) -> Starlette:
    made = Starlette(
        routes=[Mount("/static", StaticFiles(directory=STATIC), name="static"), *console.routes],
        middleware=[Middleware(Frame)],
        exception_handlers=console.exception_handlers,
    )
    made.state.hub = hub
    return made


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody logged in with."""
    transport = httpx.ASGITransport(app=app)
    headers = {"accept": "text/html", "accept-language": "ru,en;q=0.5", "sec-fetch-site": "same-origin"}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=headers) as client:
        yield client


@pytest.fixture
async def owner(browser: httpx.AsyncClient, db: Db, seeded: Seeded) -> httpx.AsyncClient:
    """A browser in which the owner of the first tenant is logged in."""
    person_id = await db.read(people.owner, seeded.tenant)
    browser.cookies.set("cthub", await db.write(people.log_in, seeded.tenant, person_id, NOW))
    return browser
