"""What people write takes the same way as calls: matched to its visit, judged, and told to the CRM once."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.inbox import look
from hub.store import enquiries
from hub.store.tables import Enquiry, Goal, table_of
from hub.store.tx import Tx
from tests.hub.test_flow import AD, IVAN, field
from tests.hub.world import World

ORIGIN = {"origin": "https://okna.example"}
FORM = {"kind": "form", "id": "f1", "phone": "8 (916) 123-45-67", "name": "Иван", "text": "Сколько стоит балкон?"}
_enquiry, _goal = table_of(Enquiry), table_of(Goal)


async def send_form(world: World, shown: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
    who = {"visitor": shown["visitor"], "visit": shown["visit"]} if shown else {}
    asked = {"site": world.applied.sites[0]["key"], **FORM, **who, **more}
    return await world.web.post("/dni/v1/enquiry", content=json.dumps(asked), headers=ORIGIN)


async def pass_on(world: World, **told: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    return await world.web.post("/api/v1/enquiries", content=json.dumps(told), headers=headers)


def goals(tx: Tx) -> list[tuple[str, str]]:
    return [tuple(row) for row in tx.execute(select(_goal.c.name, _goal.c.subject))]


# -- from a page


async def test_a_form_from_an_ad_becomes_a_deal_with_its_source(connected: World) -> None:
    shown = await connected.visit(AD)
    assert (await send_form(connected, shown)).status_code == 204
    await connected.delivered(1)
    state = await connected.state()
    (deal,), (contact,), (task,) = state["leads"], state["contacts"], state["tasks"]
    assert (field(deal, "UTM_SOURCE"), field(deal, "YCLID")) == ("yandex", "777")
    assert contact["first_name"] == "Иван"
    assert "Сколько стоит балкон?" in json.dumps(state["notes"], ensure_ascii=False)
    assert task["entity_id"] == deal["id"]


async def test_a_form_is_matched_to_the_visit_it_was_sent_from(connected: World) -> None:
    shown = await connected.visit(AD)
    await send_form(connected, shown)
    await connected.delivered(1)
    (form,) = (await connected.api("enquiries"))["enquiries"]
    assert (form["kind"], form["match"]["visit"], form["match"]["reason"]) == ("form", shown["visit"], "visit_id")
    assert (form["call"], form["qualified"]) == (None, True)


async def test_a_qualified_form_is_a_goal(connected: World) -> None:
    await send_form(connected, await connected.visit(AD))
    await connected.delivered(1)
    assert await connected.hub.db.read(goals) == [("form_qualified", "form:1")]


async def test_a_form_sent_twice_is_one_enquiry(connected: World) -> None:
    shown = await connected.visit(AD)
    await send_form(connected, shown)
    await send_form(connected, shown)
    await connected.delivered(1)
    assert len((await connected.api("enquiries"))["enquiries"]) == 1
    assert len((await connected.state())["leads"]) == 1


async def test_a_call_after_a_form_is_the_same_person(connected: World) -> None:
    shown = await connected.visit(AD)
    await send_form(connected, shown)
    await connected.delivered(1)
    connected.clock.forward(3 * 86_400)
    await connected.mango_call("c1", IVAN, "+74951000000", talk_s=40)
    await connected.delivered(2)
    (call,) = (await connected.api("calls"))["calls"]
    assert (call["match"]["reason"], call["match"]["visit"]) == ("repeat_caller", shown["visit"])
    assert call["first_time"] is False
    assert len((await connected.state())["leads"]) == 1


async def test_a_letter_without_a_phone_finds_its_contact_by_e_mail(connected: World) -> None:
    shown = await connected.visit(AD)
    await send_form(connected, shown, phone="", email=" Ivan@Okna.example ")
    await connected.delivered(1)
    await send_form(connected, shown, id="f2", phone="", email="ivan@okna.example")
    await connected.delivered(2)
    state = await connected.state()
    assert (len(state["contacts"]), len(state["leads"])) == (1, 1)


async def test_a_visit_of_somebody_else_is_not_taken(still: World) -> None:
    his, other = await still.visit(AD), await still.visit(AD)
    await send_form(still, {"visitor": his["visitor"], "visit": other["visit"]})
    kept = await still.hub.db.read(lambda tx: tx.execute(select(_enquiry.c.named_visit_id)).scalar_one())
    assert kept is None


REFUSED = {
    "nobody to answer to": ({"phone": "", "email": ""}, "phone and email are both empty"),
    "a kind pages do not send": ({"kind": "manual"}, "The field kind is 'manual'; allowed: form, callback."),
    "no id": ({"id": None}, "The field id is not a text"),
    "a text that is no text": ({"text": {"a": 1}}, "The field text is not a text."),
    "a visit that is none": ({"visit": "x"}, "The field visit is not the id of a visit."),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_form_that_cannot_be_taken_is_refused_with_a_sentence(shared: World, what: str) -> None:
    told, sentence = REFUSED[what]
    answer = await send_form(shared, **told)
    assert (answer.status_code, sentence in answer.json()["error"]) == (400, True)


async def test_a_form_without_an_origin_is_refused(shared: World) -> None:
    asked = {"site": shared.applied.sites[0]["key"], **FORM}
    assert (await shared.web.post("/dni/v1/enquiry", content=json.dumps(asked))).status_code == 400


async def test_a_phone_nobody_can_read_is_kept_as_it_was_written(still: World) -> None:
    await send_form(still, phone="звоните в офис")
    kept = await still.hub.db.read(enquiries.written, 1, "form", "site1:f1", still.hub.vault)
    assert (kept.about.person.phone, kept.about.told["phone"]) == (None, "звоните в офис")


async def test_a_flood_of_forms_is_asked_to_wait(still: World) -> None:
    answers = [(await send_form(still, id=f"f{n}")).status_code for n in range(11)]
    assert answers == [204] * 10 + [429]


async def test_a_visit_without_its_visitor_is_not_taken_from_a_page(still: World) -> None:
    shown = await still.visit(AD)
    await send_form(still, visit=shown["visit"], heard="from himself")
    asked = select(_enquiry.c.named_visit_id, _enquiry.c.heard)
    assert tuple(await still.hub.db.read(lambda tx: tx.execute(asked).one())) == (None, "")


async def test_a_form_whose_phone_nobody_can_read_still_becomes_a_deal(connected: World) -> None:
    await send_form(connected, await connected.visit(AD), phone="звоните в офис")
    await connected.delivered(1)
    state = await connected.state()
    assert (len(state["leads"]), len(state["contacts"])) == (1, 0)
    assert "звоните в офис" in json.dumps(state["notes"], ensure_ascii=False)


# -- from a customer's own programs


async def test_a_chat_passed_on_is_matched_by_its_visit(still: World) -> None:
    shown = await still.visit(AD)
    told = {"kind": "chat", "id": "77", "email": "a@b.example", "visit": shown["visit"]}
    answer = await pass_on(still, **told)
    assert answer.json() == {"enquiry": 1, "new": True}
    assert (await pass_on(still, **told)).json() == {"enquiry": 1, "new": False}


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-11-20T12:00:00", "2031-01-01T00:00:00+00:00", "2020-01-01T00:00:00Z"]
)
async def test_a_moment_that_cannot_be_is_refused(shared: World, at: str) -> None:
    answer = await pass_on(shared, kind="mail", id="1", email="a@b.example", at=at)
    assert (answer.status_code, "The field at is" in answer.json()["error"]) == (400, True)


async def test_what_a_manager_heard_stands_beside_the_measured_source(still: World) -> None:
    await pass_on(still, kind="manual", id="1", phone=IVAN)
    headers = {"authorization": f"Bearer {still.applied.api_token}"}
    answer = await still.web.put("/api/v1/enquiries/1/heard", content='{"heard": "от соседа"}', headers=headers)
    assert answer.json() == {"heard": "от соседа"}
    (noted,) = (await still.api("enquiries"))["enquiries"]
    assert (noted["heard"], noted["match"]["source"]) == ("от соседа", "(unknown)")


async def test_another_tenants_site_is_not_taken(shared: World) -> None:
    answer = await pass_on(shared, kind="form", id="1", phone=IVAN, site="nobody's")
    assert answer.status_code == 400


async def test_what_a_person_wrote_is_sealed(still: World) -> None:
    await send_form(still)
    row = await still.hub.db.read(lambda tx: tx.execute(select(_enquiry)).one())
    assert not any("балкон".encode() in value for value in row if isinstance(value, bytes))
    assert row.phone_masked == "+7 916 ***-**-67"


async def test_the_sites_own_pages_can_read_why_they_are_refused(shared: World) -> None:
    answer = await send_form(shared, kind="manual")
    assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]


async def test_a_hidden_field_that_no_script_has_filled_names_no_visit(still: World) -> None:
    assert (await pass_on(still, kind="form", id="1", phone=IVAN, visit="")).status_code == 200


@pytest.mark.parametrize("last", ["phone", "email"])
async def test_who_is_known_by_phone_and_mail_is_remembered_by_what_he_used_last(still: World, last: str) -> None:
    known = {"phone": IVAN, "email": "ivan@okna.example"}
    for name in sorted(known, key=lambda name: name == last):
        shown = await still.visit(AD)
        await pass_on(still, kind="chat", id=name, visit=shown["visit"], **{name: known[name]})
        assert await still.hub.db.write(look, still.clock.now(), still.hub.vault) is not None
        began = still.clock.forward(60)
    who = enquiries.person(1, *known.values(), still.hub.vault)
    found = await still.hub.db.read(enquiries.remembered, 1, who, still.clock.forward(60), began - timedelta(days=1))
    assert found is not None and found.visit_id == shown["visit"]


async def test_an_enquiry_that_is_his_by_phone_and_by_mail_is_one_later_enquiry(still: World) -> None:
    await pass_on(still, kind="mail", id="1", phone=IVAN, email="ivan@okna.example")
    who = enquiries.person(1, IVAN, "ivan@okna.example", still.hub.vault)
    moments = still.clock.now() - timedelta(days=1), still.clock.now()
    (found,) = await still.hub.db.read(enquiries.later_ones, 1, who, *moments)
    assert found[0] == "mail"
