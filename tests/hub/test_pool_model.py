"""The statement that leases numbers against the rule in its plainest form (tracking_core.pool.choose)."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from hub.store import setup as kept
from hub.store import visits
from hub.store.arrival import Arrival, Shown
from hub.store.db import Db
from hub.store.tables import Lease, Tenant, TrackingNumber, Visit, Visitor, table_of
from hub.store.tx import Tx
from tests.hub.seed import NOW
from tracking_core.habits import SHEET_HABITS, Habits
from tracking_core.pool import HeldNumber, PastHolder, choose
from tracking_core.pool import given as given_to
from tracking_core.source import Channel, Source, read_source

_number, _lease, _visit, _visitor = (table_of(model) for model in (TrackingNumber, Lease, Visit, Visitor))
HOLD = timedelta(minutes=10)
NUMBERS = [f"+7495111000{digit}" for digit in range(1, 4)]
DIRECT = Source(Channel.DIRECT)
PAGES = (DIRECT, *(read_source(f"https://okna.example/?utm_source={name}", "", []) for name in ("yandex", "vk")))


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody opens a page or is still there, some seconds after the step before."""

    kind: str  # arrive | beat
    who: int
    after_s: int
    page: Source = DIRECT


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["arrive", "arrive", "beat"]),
        who=st.integers(0, 5),
        after_s=st.sampled_from([1, 30, 299, 300, 599, 600, 601, 1_801]),
        page=st.sampled_from(PAGES),
    ),
    min_size=1,
    max_size=25,
)
known_or_not = st.sampled_from([None, SHEET_HABITS])  # the regions of visits


class Pool:
    """A site with three numbers in a database, new for each example; with habits, regions count in the choice."""

    hold = HOLD

    def __init__(self, db: Db, habits: Habits | None = None) -> None:
        self.db, self.habits = db, habits
        self.tenant_id, self.site_id, self.pool_id = db.write_now(self._made)

    @staticmethod
    def _made(tx: Tx) -> tuple[int, int, int]:
        tenant = table_of(Tenant)
        row = tenant.insert().values(name="Окна", created_at=NOW).returning(tenant.c.id)
        tenant_id = tx.execute(row).scalar_one()
        about = {"hosts": [], "zone": "UTC", "currency": "RUB", "overflow_number": "+74951000000", "hold_s": 600}
        site_id, *_ = kept.save_site(tx, tenant_id, "okna", about)
        pool_id = kept.save_pool(tx, tenant_id, site_id, "main", {})
        for number in NUMBERS:
            # each example has numbers of its own, told apart by what stands before the plus
            kept.save_number(tx, tenant_id, f"{tenant_id}:{number}", site_id, pool_id=pool_id)
        return tenant_id, site_id, pool_id

    def arrival(self, who: int, page: Source, now: Any, is_new: bool) -> Arrival:
        token = f"{self.tenant_id:016x}{who:016x}"
        asks = (self.tenant_id, self.site_id, lambda *_: (self.pool_id,))
        return Arrival(*asks, token, page, now, self.hold, is_new, region_of(who), self.habits)

    def holds(self, who: int) -> bool:
        token = f"{self.tenant_id:016x}{who:016x}"
        held = select(_number.c.id).join(_visitor, _visitor.c.id == _number.c.visitor_id)
        held = held.where(_visitor.c.token == token, _visitor.c.tenant_id == self.tenant_id)
        return self.db.read_now(lambda tx: tx.execute(held).first() is not None)

    def visits(self) -> list[tuple[Any, ...]]:
        """When each visit began and was last seen, whoever's it is."""
        asked = select(_visit.c.started_at, _visit.c.last_seen_at, _visit.c.number_id.is_(None))
        asked = asked.where(_visit.c.tenant_id == self.tenant_id)
        return self.db.read_now(lambda tx: sorted(tuple(row) for row in tx.execute(asked)))

    def beat(self, who: int, now: Any) -> None:
        token = f"{self.tenant_id:016x}{who:016x}"
        self.db.write_now(visits.touch, self.tenant_id, self.site_id, token, now, HOLD)


def region_of(who: int) -> str | None:
    return ("RU-MOW", "RU-SPE", None)[who % 3]


Open = Callable[[Arrival], Shown]


def by_arrive(db: Db) -> Open:
    def open_(arrival: Arrival) -> Shown:
        return asyncio.run(visits.arrive(db, arrival))

    return open_


def by_open_visit(db: Db) -> Open:
    def open_(arrival: Arrival) -> Shown:
        return db.write_now(visits.open_visit, arrival)

    return open_


def number_of(shown: Shown) -> str | None:
    """Return the number as the rule knows it, None when there was none."""
    held = next(iter(shown.numbers.values()), None)
    return held.partition(":")[2] if held else None


def played(pool: Pool, moves: list[Step], open_: Open) -> list[tuple[str | None, int | None]]:
    """Play the moves; return for each arrival the number and which of the visits so far it is."""
    now, seen, opened, told = NOW, set[int](), list[int](), list[tuple[str | None, int | None]]()
    for move in moves:
        now += timedelta(seconds=move.after_s)
        if move.kind == "beat":
            pool.beat(move.who, now)
            continue
        shown = open_(pool.arrival(move.who, move.page, now, move.who not in seen))
        seen.add(move.who)
        if shown.visit_id not in opened:
            opened.append(shown.visit_id)
        told.append((number_of(shown), opened.index(shown.visit_id)))
    return told


def modelled(moves: list[Step], habits: Habits | None = None) -> list[str | None]:
    """The same by the plain rule."""
    now, told = NOW, list[str | None]()
    numbers = {number: HeldNumber(number) for number in NUMBERS}
    for move in moves:
        now += timedelta(seconds=move.after_s)
        who, region = str(move.who), region_of(move.who)
        if move.kind == "beat":
            held = next((one.number for one in numbers.values() if one.visitor == who), None)
        else:
            held = choose([*numbers.values()], who, now, HOLD, region=region, habits=habits)
            told.append(held)
        if held is not None:
            numbers[held] = given_to(numbers[held], who, PastHolder(now, region), habits or SHEET_HABITS)
    return told


def leases(db: Db, pool: Pool) -> tuple[int, int]:
    """The most live leases of one number, and how many leases lack a beginning before their end."""

    def read(tx: Tx) -> tuple[int, int]:
        here = (_lease.c.tenant_id == pool.tenant_id,)
        live = select(func.count()).where(*here, _lease.c.ended_at.is_(None)).group_by(_lease.c.number_id)
        odd = select(func.count()).where(*here, _lease.c.ended_at < _lease.c.started_at)
        return max(tx.execute(live).scalars(), default=0), tx.execute(odd).scalar_one()

    return db.read_now(read)


def check(db: Db, moves: list[Step], habits: Habits | None = None) -> None:
    first, second = Pool(db, habits), Pool(db, habits)
    expected = modelled(moves, habits)
    arrived = played(first, moves, by_arrive(db))
    assert [number for number, _ in arrived] == expected
    assert played(second, moves, by_open_visit(db)) == arrived
    assert leases(db, first) in ((0, 0), (1, 0))


def check_crowd(db: Db, moves: list[Step], crowd: list[int], after_s: int, habits: Habits | None) -> None:
    """Many at once see what they would see one by one, those first who hold a number."""
    together, alone = Pool(db, habits), Pool(db, habits)
    for pool in (together, alone):
        played(pool, moves, by_open_visit(db))
    now = NOW + timedelta(seconds=sum(move.after_s for move in moves) + after_s)
    at_once = [together.arrival(who, DIRECT, now, False) for who in crowd]
    shown = dict(zip(crowd, db.write_now(visits.open_visits, at_once), strict=True))
    in_line = sorted(dict.fromkeys(crowd), key=lambda who: not alone.holds(who))
    expected = {who: db.write_now(visits.open_visit, alone.arrival(who, DIRECT, now, False)) for who in in_line}
    assert {who: number_of(one) for who, one in shown.items()} == {who: number_of(one) for who, one in expected.items()}
    assert leases(db, together) in ((0, 0), (1, 0))
    assert together.visits() == alone.visits()


@pytest.fixture(scope="module")
def sqlite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Db]:
    path = tmp_path_factory.mktemp("pool") / "hub.sqlite3"
    path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
    db = Db(f"sqlite:///{path}")
    db.start()
    yield db
    db.stop()


QUIET = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=40, **QUIET)
@given(moves=steps, habits=known_or_not)
def test_the_numbers_shown_are_the_rules_on_sqlite(sqlite: Db, moves: list[Step], habits: Habits | None) -> None:
    check(sqlite, moves, habits)


@pytest.mark.postgresql
def test_the_numbers_shown_are_the_rules_on_postgresql(pg_url: str) -> None:
    db = Db(pg_url)
    db.start()

    @settings(max_examples=20, **QUIET)
    @given(moves=steps, habits=known_or_not)
    def run(moves: list[Step], habits: Habits | None) -> None:
        check(db, moves, habits)

    try:
        run()
    finally:
        db.stop()


@pytest.mark.postgresql
def test_a_crowd_sees_what_a_line_would_see(pg_url: str) -> None:
    db = Db(pg_url)
    db.start()

    @settings(max_examples=40, **QUIET)
    @given(
        moves=steps,
        crowd=st.lists(st.integers(0, 7), min_size=1, max_size=9),
        after_s=st.sampled_from([1, 600]),
        habits=known_or_not,
    )
    def run(moves: list[Step], crowd: list[int], after_s: int, habits: Habits | None) -> None:
        check_crowd(db, moves, crowd, after_s, habits)

    try:
        run()
    finally:
        db.stop()


def test_the_comparison_catches_a_lease_that_ends_too_early(sqlite: Db) -> None:
    pool = Pool(sqlite)
    moves = [Step("arrive", who, 1) for who in range(4)]
    told = played(pool, moves, by_arrive(sqlite))
    assert [number for number, _ in told] == modelled(moves)
    here = (_number.c.tenant_id == pool.tenant_id,)
    sqlite.write_now(lambda tx: tx.execute(update(_number).where(*here).values(free_at=0)) and None)
    shown = by_arrive(sqlite)(pool.arrival(9, DIRECT, NOW + timedelta(seconds=5), True))
    assert number_of(shown) is not None
    assert modelled([*moves, Step("arrive", 9, 1)])[-1] is None
