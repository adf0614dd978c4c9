"""Several visitors are one person by what ties them; what is undone is as if it had never been told."""

import asyncio
import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub import report
from hub.inbox import look
from hub.store import ties
from hub.store.db import Db
from hub.store.evidence import Evidence
from hub.store.tables import Person, Tie, Visitor, table_of
from hub.store.ties import Known
from hub.store.tx import Tx
from tests.hub.seed import NOW
from tests.hub.test_attribution_report import Customer, row
from tests.hub.test_enquiries import pass_on, send_form
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_heat import DAY, MINUTE, call
from tests.hub.world import OPENING, World
from tracking_core import ties as core
from tracking_core.ties import Key, TieKind

_visitor, _tie = table_of(Visitor), table_of(Tie)
API = Path(__file__).parents[2] / "docs" / "api.md"
MAIL = "https://okna.example/?utm_source=newsletter&utm_medium=email&utm_campaign=autumn"


async def look_at_all(world: World) -> None:
    while await world.hub.db.write(look, world.clock.now(), world.hub.vault) is not None:
        pass


def people(tx: Tx) -> dict[str, int | None]:
    """Return the person of each visitor, by his token."""
    return {row.token: row.person_id for row in tx.execute(select(_visitor.c.token, _visitor.c.person_id))}


async def are_one(world: World, *shown: dict[str, Any]) -> bool:
    found = await world.hub.db.read(people)
    told = {found[one["visitor"]] for one in shown}
    return len(told) == 1 and None not in told


async def ivan_calls_from(world: World, url: str, name: str) -> dict[str, Any]:
    """A new visitor comes, sees a number and calls it from Ivan's phone."""
    shown = await world.visit(url)
    await call(world, name, IVAN, shown["number"])
    return shown


# -- what an enquiry tells


async def test_one_phone_called_from_two_browsers_is_one_person(still: World) -> None:
    first = await ivan_calls_from(still, AD, "c1")
    second = await ivan_calls_from(still, MAIL, "c2")
    assert await are_one(still, first, second)


async def test_a_form_and_a_call_of_one_phone_are_one_person(still: World) -> None:
    first, second = await still.visit(AD), await still.visit(MAIL)
    await send_form(still, first)
    await look_at_all(still)
    await call(still, "c1", IVAN, second["number"])
    assert await are_one(still, first, second)


async def test_one_e_mail_written_from_two_browsers_is_one_person(still: World) -> None:
    first, second = await still.visit(AD), await still.visit(MAIL)
    await send_form(still, first, phone="", email="ivan@okna.example")
    await send_form(still, second, id="f2", phone="", email=" Ivan@Okna.example")
    await look_at_all(still)
    assert await are_one(still, first, second)


async def test_a_form_that_names_no_visit_tells_of_nobody(still: World) -> None:
    await send_form(still, await still.visit(AD))
    await pass_on(still, kind="mail", id="m1", phone=IVAN)
    await look_at_all(still)
    assert await still.hub.db.read(lambda tx: len(tx.execute(select(_tie)).all())) == 1


async def test_a_match_that_is_not_sure_joins_nobody(still: World) -> None:
    first = await ivan_calls_from(still, AD, "c1")
    second = await still.visit(MAIL)
    still.clock.forward(30 * DAY)
    await call(still, "c2", IVAN, second["number"])
    assert not await are_one(still, first, second)


async def test_a_call_without_a_phone_tells_nothing(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, "c1", "", shown["number"])
    assert await still.hub.db.read(lambda tx: tx.execute(select(_tie)).all()) == []


async def test_who_did_not_consent_is_nobody_else(still: World) -> None:
    named = await ivan_calls_from(still, AD, "c1")
    asked = {"site": still.applied.sites[0]["key"], "url": MAIL, "consent": "anonymous"}
    anonymous = (await still.web.post("/dni/v1/visit", json=asked)).json()
    await pass_on(still, kind="form", id="1", phone=IVAN, visit=anonymous["visit"])
    await look_at_all(still)
    assert not await are_one(still, named, anonymous)


async def test_a_corrected_match_takes_back_what_it_told(still: World) -> None:
    """Telephony names the second call's visit only after it was matched to the holder of its number."""
    first = await ivan_calls_from(still, AD, "c1")
    second = await ivan_calls_from(still, MAIL, "c2")
    told = {"call_id": "c2", "event": "ended", "at": still.clock.now().isoformat(), "status": "answered"}
    answer = await still.generic(told | {"visit_id": str(first["visit"])}, "c2-late")
    assert answer.status_code == 200, answer.text
    await look_at_all(still)
    assert await still.hub.db.read(people) == {first["visitor"]: None, second["visitor"]: None}


# -- what it is good for


async def test_a_later_call_is_matched_to_the_latest_visit_of_the_person(still: World) -> None:
    await ivan_calls_from(still, AD, "c1")
    second = await still.visit(MAIL)
    await send_form(still, second)
    await look_at_all(still)
    still.clock.forward(3 * DAY)
    again = await still.visit("https://okna.example/", visitor=second["visitor"])
    still.clock.forward(DAY)
    await call(still, "c2", IVAN, "+74951000000")
    matched = [one["match"]["visit"] for one in (await still.api("calls"))["calls"]]
    assert matched[1] == again["visit"]


async def test_a_memory_that_was_of_two_is_looked_at_again_when_they_are_told_apart(still: World) -> None:
    first = await ivan_calls_from(still, AD, "c1")
    still.clock.forward(20 * MINUTE)
    second = await still.visit(MAIL)
    await send_form(still, second, phone="+79160000009", email="ivan@okna.example")
    await send_form(still, first, id="f2", phone="", email="ivan@okna.example")
    await look_at_all(still)
    await call(still, "c2", IVAN, "+74951000000")
    assert (await still.api("calls"))["calls"][1]["match"]["visit"] == second["visit"]
    known = await still.hub.db.read(lambda tx: by_email(tx, second["visitor"]))
    await still.hub.db.write(ties.undo, 1, known, 1, still.clock.now())
    await look_at_all(still)
    assert (await still.api("calls"))["calls"][1]["match"]["visit"] == first["visit"]


def by_email(tx: Tx, token: str) -> set[Known]:
    mine = (_visitor.c.token == token, _tie.c.kind == "email")
    rows = tx.execute(
        select(_tie.c.visitor_id, _tie.c.key).join(_visitor, _visitor.c.id == _tie.c.visitor_id).where(*mine)
    )
    return {(visitor_id, Key(TieKind.EMAIL, key)) for visitor_id, key in rows}


async def test_the_interface_tells_the_visits_of_all_his_browsers_and_why(still: World) -> None:
    first = await ivan_calls_from(still, AD, "c1")
    second = await ivan_calls_from(still, MAIL, "c2")
    told = await still.api("enquiries/2")
    assert [(seen["visit"], seen["browser"], seen["source"]) for seen in told["path"]] == [
        (first["visit"], 2, "yandex"),
        (second["visit"], 1, "newsletter"),
    ]
    (other,) = told["browsers"]
    assert (other["browser"], other["visits"], [(why["kind"], why["enquiry"]) for why in other["why"]]) == (
        2, 1, [("phone", 1)],
    )  # fmt: skip


async def test_the_interface_tells_it_as_documented(still: World) -> None:
    await ivan_calls_from(still, AD, "c1")
    await ivan_calls_from(still, MAIL, "c2")
    (text,) = re.findall(r"```json path-answer\n(.*?)```", API.read_text(encoding="utf-8"), re.DOTALL)
    shown, told = json.loads(text), await still.api("enquiries/2")
    assert shown.keys() <= told.keys()
    for name in ("path", "browsers"):
        assert shown[name][0].keys() == told[name][0].keys()
    assert shown["browsers"][0]["why"][0].keys() == told["browsers"][0]["why"][0].keys()


async def test_the_journey_of_a_report_is_of_the_person(still: World) -> None:
    await ivan_calls_from(still, AD, "c1")
    await ivan_calls_from(still, MAIL, "c2")
    made = await report.roi(still.hub.db, 1, OPENING.date(), OPENING.date(), "linear")
    assert {row.source: row.calls for row in made.rows if row.calls} == {"yandex": 1.5, "newsletter": 0.5}


# -- facts come, go, are undone and taken back, in any order

VISITORS = 5
KEYS = [*(Key(TieKind.PHONE, f"p{n}") for n in range(3)), Key(TieKind.EMAIL, "e")]
WHAT = st.sampled_from(["tell", "tell", "tell", "go", "undo", "back"])
STEP = st.tuples(WHAT, st.integers(0, VISITORS - 1), st.sampled_from(KEYS), st.sampled_from([0, 0, 1]))


@contextmanager
def small_limits() -> Iterator[None]:
    """So that a few visitors are already too many."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MOST_VISITORS", "MOST_KEYS"):
            patch.setattr(core, name, 2)
        patch.setattr(core, "MOST_TOGETHER", 3)
        yield


class Town:
    """A tenant with some visitors and two enquiries to tell of them, and what should hold of them by now."""

    def __init__(self, tx: Tx) -> None:
        customer = Customer(tx)
        self.tenant_id = customer.id
        mine = {"tenant_id": self.tenant_id, "site_id": customer.site, "first_seen_at": NOW}
        self.visitors = [row(tx, Visitor, **mine, token=f"{self.tenant_id}:{n}") for n in range(VISITORS)]
        self.enquiries = [customer.calls() for _ in range(2)]
        told = {"email": f"{self.tenant_id}@okna.example", "password_hash": "", "created_at": NOW}
        self.owner = row(tx, Person, tenant_id=self.tenant_id, **told)
        self.told: set[tuple[Known, int]] = set()
        self.undone: set[Known] = set()

    def do(self, tx: Tx, what: str, who: int, key: Key, which: int) -> None:
        known, enquiry = (self.visitors[who], key), self.enquiries[which]
        if what == "tell":
            ties.tell(tx, self.tenant_id, Evidence(enquiry, NOW), {known}, set(), NOW)
            self.told.add((known, enquiry))
        elif what == "go":
            ties.tell(tx, self.tenant_id, Evidence(enquiry, NOW), set(), {known}, NOW)
            self.told.discard((known, enquiry))
        elif what == "undo":
            ties.undo(tx, self.tenant_id, {known}, self.owner, NOW)
            self.undone |= {known} & self.rows(tx)
        else:
            ties.take_back(tx, self.tenant_id, {known}, NOW)
            self.undone.discard(known)

    def rows(self, tx: Tx) -> set[Known]:
        rows = tx.execute(select(_tie.c.visitor_id, _tie.c.kind, _tie.c.key).where(_tie.c.tenant_id == self.tenant_id))
        return {(visitor_id, Key(TieKind(kind), key)) for visitor_id, kind, key in rows}

    def should_be(self) -> dict[int, int | None]:
        """Return who is who when all that holds is told to the core at once."""
        holds = {known for known, _ in self.told} - self.undone

        def keys_of(visitor: int) -> Collection[Key]:
            return {key for who, key in holds if who == visitor}

        def known_by(key: Key) -> Collection[int]:
            return {who for who, one in holds if one == key}

        return dict(core.people(self.visitors, keys_of, known_by))

    def is_so(self, tx: Tx) -> dict[int, int | None]:
        here = _visitor.c.tenant_id == self.tenant_id
        return {row.id: row.person_id for row in tx.execute(select(_visitor.c.id, _visitor.c.person_id).where(here))}


def live(tx: Tx, steps: list[Any]) -> None:
    town = Town(tx)
    for step in steps:
        town.do(tx, *step)
        assert town.is_so(tx) == town.should_be()


def test_who_is_one_person_follows_from_what_holds_whatever_happened_before(store: Db) -> None:
    @settings(max_examples=15 if store.is_sqlite else 4, deadline=None)
    @given(steps=st.lists(STEP, min_size=20, max_size=40))
    def lives(steps: list[Any]) -> None:
        store.write_now(live, steps)

    with small_limits():
        lives()


def test_what_somebody_undid_does_not_come_back_by_other_evidence(store: Db) -> None:
    def live(tx: Tx) -> None:
        town = Town(tx)
        for step in (("tell", 0), ("tell", 1), ("undo", 1)):
            town.do(tx, *step, KEYS[0], 0)
        town.do(tx, "tell", 1, KEYS[0], 1)
        assert set(town.is_so(tx).values()) == {None}

    store.write_now(live)


async def test_two_who_are_told_of_at_once_are_joined_all_the_same(store: Db) -> None:
    town = store.write_now(Town)
    tells = [
        store.write(ties.tell, town.tenant_id, Evidence(town.enquiries[0], NOW), {(visitor, KEYS[0])}, set(), NOW)
        for visitor in town.visitors
    ]
    await asyncio.gather(*tells)
    assert set((await store.read(town.is_so)).values()) == {min(town.visitors)}
