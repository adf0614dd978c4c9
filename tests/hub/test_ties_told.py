"""A user of the site, a contact of the CRM, lists of phones and shared keys: what joins visitors, and what does not."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from hub import ties
from hub.store import judging
from hub.store.tables import Delivery, Installation, Tie, table_of
from hub.store.tx import Tx
from tests.hub.seed import NOW
from tests.hub.test_attribution_report import row
from tests.hub.test_enquiries import ORIGIN, pass_on, send_form
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_heat import STRANGERS, call
from tests.hub.test_ties import MAIL, are_one, ivan_calls_from, look_at_all, people
from tests.hub.world import World
from tracking_core.ties import MOST_VISITORS

_tie = table_of(Tie)


# -- a user of the site


async def log_in(world: World, shown: dict[str, Any], user: object, headers: Any = ORIGIN) -> httpx.Response:
    told = {"site": world.applied.sites[0]["key"], "visitor": shown["visitor"], "user": user}
    return await world.web.post("/dni/v1/user", content=json.dumps(told), headers=headers)


async def tell_user(world: World, visitor: str, body: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    return await world.web.put(f"/api/v1/visitors/{visitor}/user", content=body, headers=headers)


async def test_who_logs_in_from_two_browsers_is_one_person(still: World) -> None:
    first, second, other = await still.visit(AD), await still.visit(MAIL), await still.visit(AD)
    answers = [await log_in(still, first, "u-17"), await tell_user(still, second["visitor"], '{"user": "u-17"}')]
    await log_in(still, other, "u-18")
    assert [answer.status_code for answer in answers] == [204, 200]
    assert await are_one(still, first, second)
    assert not await are_one(still, first, other)


async def test_a_user_passed_on_with_an_enquiry_is_of_its_visit(still: World) -> None:
    first, second = await still.visit(AD), await still.visit(MAIL)
    await log_in(still, first, "17")
    await pass_on(still, kind="form", id="1", email="a@b.example", visit=second["visit"], user=17)
    assert await are_one(still, first, second)


async def test_a_users_id_is_not_kept_in_the_clear(still: World) -> None:
    await log_in(still, await still.visit(AD), "ivan@okna.example")
    kept = await still.hub.db.read(lambda tx: tx.execute(select(_tie)).one())
    assert not any("ivan" in str(value) for value in kept)


async def test_the_same_user_told_again_is_one_fact(still: World) -> None:
    shown = await still.visit(AD)
    for _ in range(2):
        await log_in(still, shown, "u-17")
    assert await still.hub.db.read(lambda tx: len(tx.execute(select(_tie)).all())) == 1


REFUSED = {
    "no origin": ({"user": "u-17", "headers": {}}, "The header origin is missing"),
    "no user": ({"user": None}, "The field user is missing"),
    "a user that is none": ({"user": ["u-17"]}, "The field user is not a text of 1 to 200 printable characters."),
    "too long a user": ({"user": "u" * 201}, "The field user is not a text of 1 to 200 printable characters."),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_user_that_cannot_be_is_refused_with_a_sentence(shared: World, what: str) -> None:
    told, sentence = REFUSED[what]
    answer = await log_in(shared, await shared.visit(AD), **told)
    assert (answer.status_code, sentence in answer.json()["error"]) == (400, True)


async def test_a_user_of_nobody_we_know_is_refused(shared: World) -> None:
    answers = [
        await log_in(shared, {"visitor": "0" * 32}, "u-17"),
        await tell_user(shared, "0" * 32, '{"user": "u-17"}'),
        await tell_user(shared, "%00", '{"user": "u-17"}'),
        await tell_user(shared, "0" * 32, "u-17"),
    ]
    assert [answer.status_code for answer in answers] == [400, 404, 404, 400]


# -- a contact of the CRM


def deliver(tx: Tx, enquiry_id: int, contact: str) -> list[tuple[str, str]]:
    """Write that an enquiry was delivered to a contact; return what the worker says of it."""
    crm = tx.execute(select(table_of(Installation).c.id)).scalar() or row(
        tx, Installation, tenant_id=1, connector="acme", account="31", host="", hook_token="h", status="active",
        connected_at=NOW, facts={},
    )  # fmt: skip
    name = f"d{enquiry_id}"
    told = {
        "id": name, "tenant_id": 1, "installation_id": crm, "position": NOW, "order_key": "", "enquiry": name, "marker": name,
        "enquiry_id": enquiry_id, "scenario_version": 1, "plan": b"", "state": "delivered", "due_at": NOW, "created_at": NOW,
        "refs": [{"kind": "contact", "id": contact, "url": None}],
    }  # fmt: skip
    tx.execute(insert(table_of(Delivery)).values(**told))
    return [(name, contact)]


async def reach(world: World, enquiry_id: int, contact: str) -> None:
    reached = await world.hub.db.write(deliver, enquiry_id, contact)
    await world.hub.db.write(ties.contacts_told, 1, 1, reached, NOW, world.hub.vault)


async def two_callers(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    first = await ivan_calls_from(world, AD, "c1")
    second = await world.visit(MAIL)
    await call(world, "c2", STRANGERS[0], second["number"])
    return first, second


async def test_two_phones_of_one_contact_are_one_person(still: World) -> None:
    shown = await two_callers(still)
    await reach(still, 1, "55")
    assert not await are_one(still, *shown)
    await reach(still, 2, "55")
    assert await are_one(still, *shown)


async def test_contacts_of_two_installations_are_not_the_same(still: World) -> None:
    shown = await two_callers(still)
    await reach(still, 1, "55")
    reached = await still.hub.db.write(deliver, 2, "55")
    await still.hub.db.write(ties.contacts_told, 1, 2, reached, NOW, still.hub.vault)
    assert not await are_one(still, *shown)


async def test_a_contact_moves_with_the_corrected_match(still: World) -> None:
    first, _ = await two_callers(still)
    await reach(still, 1, "55")
    await reach(still, 2, "66")
    told = {"call_id": "c2", "event": "ended", "at": still.clock.now().isoformat(), "status": "answered"}
    await still.generic(told | {"visit_id": str(first["visit"])}, "c2-late")
    await look_at_all(still)
    held = select(_tie.c.visitor_id, _tie.c.gone_at.is_(None)).where(_tie.c.kind == "contact").order_by(_tie.c.id)
    rows = await still.hub.db.read(lambda tx: [tuple(row) for row in tx.execute(held)])
    assert [(visitor, bool(holds)) for visitor, holds in rows] == [(1, True), (2, False), (1, True)]


async def test_a_delivered_form_is_known_by_its_contact(connected: World) -> None:
    shown = await connected.visit(AD)
    for number in (1, 2):  # what is sent after it comes after all that is kept of it
        await send_form(connected, shown, id=f"f{number}")
        await connected.delivered(number)
    kinds = select(_tie.c.kind).where(_tie.c.enquiry_id == 1).order_by(_tie.c.kind)
    assert await connected.hub.db.read(lambda tx: tx.execute(kinds).scalars().all()) == ["contact", "phone"]


# -- what joins nobody


async def test_a_phone_of_the_staff_joins_nobody(still: World) -> None:
    await still.hub.db.write(judging.save, 1, {"staff": [IVAN]}, still.hub.vault)
    first, second = await still.visit(AD), await still.visit(MAIL)
    await send_form(still, first, email="ivan@okna.example")
    await send_form(still, second, id="f2", email="ivan@okna.example")
    await look_at_all(still)
    assert not await are_one(still, first, second)


async def test_a_phone_that_comes_onto_a_list_later_joins_nobody_any_more(still: World) -> None:
    shown = [await still.visit(AD), await still.visit(MAIL)]
    for number, one in enumerate(shown):
        await send_form(still, one, id=f"f{number}", email="ivan@okna.example")
    await look_at_all(still)
    assert await are_one(still, *shown)
    await still.hub.db.write(ties.leave_out, 1, [IVAN], NOW, still.hub.vault)
    assert set((await still.hub.db.read(people)).values()) == {None}


async def test_an_offices_phone_joins_nobody_once_too_many_have_it(still: World) -> None:
    shown = [await still.visit(AD) for _ in range(MOST_VISITORS + 1)]
    for number, one in enumerate(shown):
        await pass_on(still, kind="form", id=f"f{number}", phone=IVAN, visit=one["visit"])
        if number == MOST_VISITORS - 1:
            await look_at_all(still)
            assert await are_one(still, *shown[:-1])
    await look_at_all(still)
    assert set((await still.hub.db.read(people)).values()) == {None}
