"""A backlog is delivered by what was read of the account's contacts, while others work in the same CRM."""

from typing import Any

import pytest
from sqlalchemy import select

from connectors.amocrm.session import Session
from connectors.protocol import ContactPage, InstallationError, Why
from connectors.telling import Said
from hub.store.tables import Installation, table_of
from tests.hub.world import World

PHONES = [f"+7916000000{digit}" for digit in range(6)]
DOWN = {"rates": {"drop_before": 0.5, "html_error": 0.5}, "only": {"path": ""}}
UP = {"rates": {"drop_before": 0, "html_error": 0}}
_installation = table_of(Installation)


async def as_person(world: World, method: str, path: str, body: Any) -> Any:
    """Do something in the CRM as somebody who works there."""
    minted = (await world.crm_web.post("/_sandbox/token", json={})).json()
    headers = {"authorization": f"Bearer {minted['access_token']}"}
    answer = await world.crm_web.request(method, f"/api/v4/{path}", json=body, headers=headers)
    answer.raise_for_status()
    return answer.json()


async def contact(world: World, phone: str) -> int:
    """Make a contact as a person makes it, with a phone in his own spelling."""
    spelt = f"8 ({phone[2:5]}) {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    field = {"field_code": "PHONE", "values": [{"value": spelt, "enum_code": "WORK"}]}
    made = await as_person(world, "POST", "contacts", [{"name": "Иван", "custom_fields_values": [field]}])
    return int(made["_embedded"]["contacts"][0]["id"])


async def deal(world: World, contact_id: int) -> int:
    """Make a deal of a contact, as a person does."""
    asked = [{"name": "Сделка", "_embedded": {"contacts": [{"id": contact_id, "is_main": True}]}}]
    made = await as_person(world, "POST", "leads", asked)
    return int(made["_embedded"]["leads"][0]["id"])


async def merge(world: World, winner: int, loser: int) -> None:
    """Merge two contacts, as a person does."""
    asked = {"kind": "contacts", "keep": winner, "lose": loser}
    (await world.crm_web.post("/_sandbox/merge", json=asked)).raise_for_status()


async def known(world: World) -> None:
    """Wait until the account's contacts have been read once."""
    asked = select(_installation.c.contacts_known)
    await world.until(lambda _: bool(world.hub.db.read_now(lambda tx: tx.execute(asked).scalar_one())))


async def backlog(world: World, phones: list[str]) -> list[dict[str, Any]]:
    """Let these people call while the CRM is away; return what was asked of it once it is back."""
    (await world.crm_web.post("/_sandbox/dial", json=DOWN)).raise_for_status()
    for number, phone in enumerate(phones):
        await world.mango_call(f"c{number}", phone, "+74951110001", talk_s=30)
    await world.until(lambda status: status["deliveries"].get("ready", 0) == len(phones) and not status["inbox"])
    (await world.crm_web.post("/_sandbox/dial", json=UP)).raise_for_status()
    before = (await world.crm_web.get("/_sandbox/ledger")).json()["rows"][-1]["number"]
    await world.until(lambda status: status["deliveries"].get("delivered", 0) == len(phones), step_s=2)
    rows: list[dict[str, Any]] = (await world.crm_web.get("/_sandbox/ledger", params={"since": before})).json()["rows"]
    return rows


def searches(rows: list[dict[str, Any]]) -> list[str]:
    return [row["query"] for row in rows if row["path"].endswith("/contacts") and "query=" in row["query"]]


@pytest.fixture
async def read(connected: World) -> World:
    """An account whose contacts have been read."""
    await known(connected)
    return connected


async def test_strangers_become_contacts_without_a_search(read: World) -> None:
    rows = await backlog(read, PHONES)
    assert searches(rows) == []
    state = await read.state()
    assert (len(state["contacts"]), len(state["leads"])) == (6, 6)


async def test_a_contact_somebody_made_by_hand_is_known_without_a_search(read: World) -> None:
    ivan = await contact(read, PHONES[0])
    rows = await backlog(read, PHONES)
    assert searches(rows) == []
    state = await read.state()
    assert (len(state["contacts"]), len(state["leads"])) == (6, 6)
    assert ivan in {one["id"] for deal in state["leads"] for one in deal["links"]["contacts"]}


async def test_the_open_deal_somebody_made_by_hand_gets_the_call(read: World) -> None:
    theirs = await deal(read, await contact(read, PHONES[0]))
    assert searches(await backlog(read, PHONES)) == []
    state = await read.state()
    assert len(state["leads"]) == 6
    assert theirs in {note["entity_id"] for note in state["notes"]}


async def test_a_person_whose_contacts_were_merged_is_searched_for_and_not_doubled(read: World) -> None:
    first, second = await contact(read, PHONES[0]), await contact(read, PHONES[0])
    await merge(read, second, first)
    rows = await backlog(read, PHONES)
    state = await read.state()
    assert len([one for one in state["contacts"] if not one["is_deleted"]]) == 6
    assert all("9160000000" in search for search in searches(rows))
    assert second in {one["id"] for deal in state["leads"] for one in deal["links"]["contacts"]}


async def test_where_contacts_cannot_be_read_people_are_searched_for(
    read: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(*_asked: object) -> ContactPage:
        raise InstallationError(Why.UNREADABLE, Said("The list makes no sense."))

    monkeypatch.setattr(Session, "contacts", unreadable)
    assert len(searches(await backlog(read, PHONES))) >= 6
    assert len((await read.state())["contacts"]) == 6


async def test_a_few_calls_are_searched_for(read: World) -> None:
    assert len(searches(await backlog(read, PHONES[:3]))) >= 3
