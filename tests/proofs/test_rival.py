"""Proof "Beside another" (docs/reliability.md): while others make and merge contacts of who calls, nobody stands twice.

The API makes nothing on a condition: whom somebody makes between our last look and our writing stands twice until the
look after it. A deal that came with him stays; none stands twice but what was made in that time, which is measured.
Quick: 80 calls, a look for each 27; with --full: 2,000, a look for each 500.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from connectors.amocrm.doubles import Doubles
from connectors.contract_inputs import rules
from connectors.scenario import AddNote, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub.delivery.serving import Serving
from hub.store.db import Db
from hub.store.tables import Installation, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.world import HandClock
from tests.proofs.results import Tell
from tests.proofs.rival import Rival, held, judge
from tests.proofs.street import Crm, Street, StreetClock, crms

CALLS_AGAIN = 5  # every fifth call is of somebody who has called before
House = tuple[HandClock, Crm]
_installation = table_of(Installation)
NOTE = AddNote("Источник: yandex")


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A CRM that keeps what it was asked."""
    with crms(tmp_path_factory.mktemp("rival"), 1) as (clock, made):
        made[0].turn(keep_bodies=True)
        yield clock, made[0]


def backlog(numbers: range, street: Street) -> list[Plan]:
    """Return what the scenario asks for each call."""
    return [_plan(number, _caller(number), street) for number in numbers]


def _caller(number: int) -> str:
    first = number // 2 if number % CALLS_AGAIN == CALLS_AGAIN - 1 else number
    return f"+7916{first:07}"


def _plan(number: int, caller: str, street: Street) -> Plan:
    asked = Enquiry(
        id=f"call:{number}", caller=caller, dialled="+74951110001", started_at=street.clock.now(), talk_s=60, wait_s=5,
        answered=True, recording_url=None, operator=None, source={}, confidence=None, reason="",
    )  # fmt: skip
    new = (CreateDeal(f"Звонок {caller}"), NOTE)
    cases = {CallerState.UNKNOWN: new, CallerState.NO_OPEN_DEAL: new, CallerState.OPEN_DEAL: (NOTE,)}
    return Plan(asked, 1, Trigger.ENDED, rules(cases))


async def drained(db: Db, house: House, full: bool) -> dict[str, Any]:
    """Deliver a backlog beside the other client; return what stands twice, and what becomes of it afterwards."""
    hand, crm = house
    calls, batch, acts = (2_000, 500, 6) if full else (80, 27, 3)
    phones = sorted({_caller(number) for number in range(calls)})
    bearer = {"authorization": f"Bearer {crm.person()}"}
    with httpx.Client(base_url=crm.base_url, headers=bearer, timeout=30) as web:
        rival = Rival(web, phones)
        street = Street(db, Vault({"k1": b"1" * 32}), StreetClock(hand), [crm], rival.beside(batch))
        await street.live(lambda: db.read_now(_is_read))
        rival.acts = acts
        await deliver(street, backlog(range(calls), street))
        rival.acts = 0
        told = judge(crm, phones)
        rival.merge_all(told.contacts[::2])
        before = held(crm)
        again = [_plan(calls + place, phone, street) for place, phone in enumerate({*told.contacts, *told.deals})]
        await deliver(street, again)
    new = [now - then for now, then in zip(held(crm), before, strict=True)]
    return {
        "calls": calls,
        "made_by_others": rival.made,
        "merged_by_others": rival.merged,
        **told.figures(),
        "made_when_they_called_again": sum(new),
    }


def _is_read(tx: Tx) -> bool:
    """Say whether the account and its contacts have been read."""
    return bool(tx.execute(select(_installation.c.contacts_known)).scalar_one())


async def deliver(street: Street, plans: list[Plan]) -> None:
    now = street.clock.now()
    street.enqueue("crm-0", plans)
    await street.live(lambda: not street.waits_for(["crm-0"], now))
    assert {row.state for row in street.rows("crm-0")} <= {"delivered"}


async def test_nobody_stands_twice_and_no_deal_but_one_made_between_our_look_and_our_writing(
    db: Db, house: House, full: bool, tell: Tell
) -> None:
    told = await drained(db, house, full)
    tell("beside another", **told)
    assert told["otherwise"] == 0
    assert (told["contacts_doubled"], told["own_deals_doubled"]) == (0, 0)
    assert told["found"] > 0
    assert told["joined"] > 0
    assert told["merged_by_others"] > 0
    assert told["made_when_they_called_again"] == 0


@pytest.mark.control
async def test_without_a_look_before_each_batch_nobody_whom_others_made_is_found(
    db: Db, house: House, full: bool, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trust(lane: Serving, *_session: object) -> bool:
        return (await lane._fresh()).contacts_known

    monkeypatch.setattr(Serving, "_refresh", trust)
    told = await drained(db, house, full)
    tell("beside another (control)", **told)
    assert told["found"] == 0


@pytest.mark.control
async def test_without_the_look_after_each_batch_people_stand_twice(
    db: Db, house: House, full: bool, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubles, "note", lambda *_: None)
    told = await drained(db, house, full)
    tell("beside another (no look after, control)", **told)
    assert told["contacts_doubled"] > 0
