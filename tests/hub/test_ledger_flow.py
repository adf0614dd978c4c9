"""What the ledger tells of a customer's day: each step of an enquiry, who came in, and nothing of a person."""

import json
import re
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.protocol import Outcome, Status, Why
from connectors.telling import Said
from hub.delivery import by_hand, lanes
from hub.store import crm, grants, inbox, people
from hub.store.db import Db
from hub.store.tables import CallEvent, Enquiry, LedgerEntry, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub import world as worlds
from tests.hub.seed import NOW, Lane, grant
from tests.hub.test_accuracy import call, looked
from tests.hub.test_flow import AD, IVAN, sold
from tests.hub.test_secrets import CALLERS, spellings
from tests.hub.world import World

_entry, _event = table_of(LedgerEntry), table_of(CallEvent)
LETTER = {"kind": "form", "id": "f-1", "phone": CALLERS[1], "email": "petr@example.com", "name": "Петр Смирнов"}


async def of_enquiry(world: World, enquiry_id: int = 1) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await world.api(f"enquiries/{enquiry_id}/ledger"))["entries"]
    return entries


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in entries]


def told(db: Db, *of: str) -> list[Any]:
    asked = select(_entry).where(_entry.c.kind.in_(of)).order_by(_entry.c.id)
    return db.read_now(lambda tx: list(tx.execute(asked)))


def facts(db: Db, *of: str) -> list[dict[str, Any]]:
    return [json.loads(row.facts) for row in told(db, *of)]


# -- an enquiry


async def test_a_call_is_followed_from_telephony_to_the_crm_and_back(connected: World) -> None:
    deal = await sold(connected)
    await connected.hub.sealer.seal()
    entries = await of_enquiry(connected)
    steps = [one for one in kinds(entries) if one not in ("events_taken", "judged")]
    assert steps == ["matched", "goal_reached", "planned", "delivered", "goal_reached"]
    assert kinds(entries)[:2] == ["events_taken", "judged"]
    made = next(one for one in entries if one["kind"] == "delivered")
    assert {"kind": "deal", "id": str(deal["id"])} in made["facts"]["refs"]
    assert [one["fits"] for one in entries] == [True] * len(entries)


async def test_every_event_of_a_call_is_named_once(still: World) -> None:
    await still.mango_call("c1", IVAN, "+74951110001", talk_s=60)
    await looked(still)
    await still.mango_call("c1", IVAN, "+74951110001", talk_s=0)
    await looked(still)
    events = still.hub.db.read_now(lambda tx: list(tx.execute(select(_event.c.id).order_by(_event.c.id)).scalars()))
    taken = [one["events"] for one in facts(still.hub.db, "events_taken")]
    assert [one for some in taken for one in some] == events
    assert len(taken) > 1


async def test_a_look_that_finds_nothing_new_writes_nothing(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    before = await of_enquiry(still)
    await still.hub.db.write(_look_again, still.clock.now())
    await looked(still)
    assert await of_enquiry(still) == before


def _look_again(tx: Tx, now: datetime) -> None:
    row = tx.execute(select(table_of(Enquiry))).one()
    inbox.look_at(tx, row.tenant_id, row.kind, row.key, now)


async def test_a_correction_names_who_said_it_and_what_was_said_before(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    headers = {"authorization": f"Bearer {still.applied.api_token}"}
    await still.web.request("PUT", "/api/v1/enquiries/1/visit", headers=headers, json={"visit": None})
    await looked(still)
    await still.web.request("DELETE", "/api/v1/enquiries/1/visit", headers=headers)
    await looked(still)
    entries = (await of_enquiry(still))[-4:]
    assert kinds(entries) == ["corrected", "matched", "correction_taken_back", "matched"]
    assert [one["who"] for one in entries] == ["person:1", "", "person:1", ""]
    assert entries[1]["facts"]["instead_of"]["visit_id"] == shown["visit"]
    assert entries[3]["facts"]["visit_id"] == shown["visit"]


async def test_what_a_person_wrote_is_told_from_its_taking_on(still: World) -> None:
    await posted(still)
    assert kinds(await of_enquiry(still))[:3] == ["enquiry_taken", "judged", "matched"]


async def test_another_tenants_entries_are_not_there(still: World) -> None:
    headers = {"authorization": f"Bearer {still.applied.api_token}"}
    answer = await still.web.get("/api/v1/enquiries/1/ledger", headers=headers)
    assert answer.status_code == 404


async def posted(world: World) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    answer = await world.web.post("/api/v1/enquiries", headers=headers, json=LETTER)
    await looked(world)
    return answer


async def test_no_entry_holds_anything_of_a_person(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    await posted(still)
    rows = still.hub.db.read_now(lambda tx: list(tx.execute(select(_entry))))
    kept = json.dumps([list(row) for row in rows], default=str, ensure_ascii=False)
    hidden = [
        *(one for number in CALLERS for one in spellings(number)),
        "petr",
        "Петр",
        "owner@",
        still.applied.api_token,
    ]
    assert len(rows) > 6
    assert [one for one in hidden if one in kept] == []
    assert re.findall(r"\d{10,}", re.sub(r'"[0-9a-f]{32,64}"', "", re.sub(r"\d{4}-\d\d-\d\d", "", kept))) == []


# -- a delivery


@pytest.fixture
def lane(store: Db, vault: Vault) -> Lane:
    return Lane(store, vault)


DELIVERY = ("planned", "tried", "held", "doubted", "accepted", "delivered", "parked", "replayed")
OFF = Outcome(Status.RETRY, why=Why.UNAVAILABLE, said=(Said(f"No answer for {IVAN}."),), detail=IVAN)
REFUSED = Outcome(Status.REJECTED, why=Why.INVALID, said=(Said(f"The phone {IVAN} is wrong."),), detail=IVAN)


def test_tries_holds_and_a_persons_replay_are_told_in_order(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: REFUSED})
    assert lane.db.write_now(partial(by_hand.replay, vault=lane.vault), lane.tenant_id, taken[0].id, NOW, 7)
    taken = lane.take(claim)
    lane.settle(claim, taken, {})
    taken = lane.take(claim)
    lane.settle(claim, taken, {taken[0].id: OFF})
    rows = told(lane.db, *DELIVERY)
    assert [row.kind for row in rows] == ["planned", "parked", "replayed", "held", "tried"]
    assert {(row.delivery_id, row.installation_id) for row in rows} == {(taken[0].id, lane.installation_id)}
    assert rows[2].who == "person:7"
    tries = [json.loads(row.facts) for row in rows]
    assert [one.get("attempt") for one in tries] == [None, 1, None, 2, 3]
    assert (tries[1]["status"], tries[1]["why"]) == ("rejected", "invalid")
    assert IVAN not in "".join(row.facts for row in rows)


def test_a_try_whose_worker_died_is_told_by_the_next_one(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.send(lane.claimed())
    later = NOW.replace(hour=14)
    lane.take(lane.claimed(later), later)
    assert facts(lane.db, "doubted") == [{"attempt": 1}]


def test_one_that_a_dead_worker_claimed_and_never_sent_is_told_as_not_sent(lane: Lane) -> None:
    lane.enqueue("call:1")
    lane.take(lane.claimed())
    later = NOW.replace(hour=14)
    lane.take(lane.claimed(later), later)
    assert (facts(lane.db, "doubted"), facts(lane.db, "held")) == ([], [{"attempt": 1}])


def test_a_settling_that_lost_its_fence_tells_nothing(lane: Lane) -> None:
    lane.enqueue("call:1")
    claim = lane.claimed()
    taken = lane.take(claim)
    lane.claimed(NOW.replace(hour=14))
    with pytest.raises(lanes.FenceLost):
        lane.settle(claim, taken, {taken[0].id: REFUSED})
    assert [row.kind for row in told(lane.db, *DELIVERY)] == ["planned"]


# -- access


def test_a_grant_that_is_given_renewed_and_refused_is_told(lane: Lane) -> None:
    place = (lane.tenant_id, lane.installation_id)
    lane.db.write_now(crm.save_grant, *place, grant(access="access-2"), lane.vault, NOW)
    of = lane.db.read_now(crm.installation, *place)
    assert lane.db.write_now(grants.refused, of, 2, "It was taken back.", NOW)
    rows = told(lane.db, "grant_given", "grant_refreshed", "grant_revoked")
    assert [row.kind for row in rows] == ["grant_given", "grant_refreshed", "grant_revoked"]
    assert {row.installation_id for row in rows} == {lane.installation_id}


async def test_who_connected_the_crm_is_named(connected: World) -> None:
    (given,) = told(connected.hub.db, "grant_given")
    assert given.who == "person:1"


async def test_logins_passwords_and_tokens_are_told(still: World) -> None:
    await still.log_in()
    still.hub.db.write_now(people.set_password, "owner@okna.example", "another-long-password", NOW)
    rows = told(still.hub.db, "token_made", "logged_in", "password_set")
    assert [(row.kind, row.who, json.loads(row.facts)) for row in rows] == [
        ("token_made", "", {"person": 1}),
        ("logged_in", "person:1", {}),
        ("password_set", "", {"person": 1}),
    ]


async def test_refused_passwords_are_counted_and_noted_once_an_hour(still: World) -> None:
    for email in ("owner@okna.example", "owner@okna.example", "nobody@okna.example"):
        await still.web.post("/login", data={"email": email, "password": "wrong"})
    assert facts(still.hub.db, "login_refused") == [{"person": 1}]
    assert still.hub.db.read_now(worlds.refused) == 3


async def test_refused_events_of_telephony_are_counted_and_noted_once_an_hour(still: World) -> None:
    path = still.applied.telephony[0]["path"]
    for _ in range(3):
        await still.web.post(f"{path}/events/call", data={"vpbx_api_key": "x", "sign": "0", "json": "{}"})
    (noted,) = facts(still.hub.db, "hook_refused")
    assert (noted["door"], noted["account"]) == ("telephony", 1)
    assert still.hub.db.read_now(worlds.refused) == 3
