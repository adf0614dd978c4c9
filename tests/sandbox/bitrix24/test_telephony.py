"""External calls from register to record, lines, statistics, and calls that are not ours."""

import base64
from typing import Any

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from sandbox.brackets import parse_brackets
from tests.sandbox.bitrix24.conftest import HOST, Rest

NUMBER = "+79991112233"
HANDLER = "https://hub.example/b24/events"


@pytest.fixture
def register(rest: Rest):
    """Registers an incoming call of Maria's."""

    async def call(**more: Any) -> dict[str, Any]:
        told = {"USER_ID": 6, "PHONE_NUMBER": NUMBER, "TYPE": 2, "SHOW": 0, "EXTERNAL_CALL_ID": "c-77", **more}
        found: dict[str, Any] = await rest("telephony.externalCall.register", **told)
        return found

    return call


@pytest.fixture
def finish(rest: Rest):
    """Finishes a call after 95 seconds."""

    async def end(call_id: str, **more: Any) -> dict[str, Any]:
        told = {"CALL_ID": call_id, "USER_ID": 6, "DURATION": 95, **more}
        found: dict[str, Any] = await rest("telephony.externalCall.finish", **told)
        return found

    return end


@pytest.fixture
async def contact(rest: Rest) -> int:
    """A contact with the number."""
    return int(await rest("crm.contact.add", fields={"NAME": "Иван", "PHONE": [{"VALUE": NUMBER}]}))


async def test_a_call_of_a_known_number_is_the_contacts(register, contact: int) -> None:
    told = await register(CRM_CREATE=1)
    assert told["CALL_ID"].startswith("externalCall.")
    assert told["CALL_ID"].rsplit(".", 1)[1].isdecimal()
    assert (told["CRM_ENTITY_TYPE"], told["CRM_ENTITY_ID"]) == ("CONTACT", contact)
    assert (told["CRM_CREATED_LEAD"], told["CRM_CREATED_ENTITIES"]) == (None, [])


async def test_an_unknown_number_makes_nothing_unless_asked(register) -> None:
    told = await register()
    assert (told["CRM_ENTITY_TYPE"], told["CRM_ENTITY_ID"]) == (None, None)


async def test_an_unknown_number_makes_a_lead_in_the_classic_mode(register, rest: Rest) -> None:
    told = await register(CRM_CREATE=1, CRM_SOURCE="WEB")
    lead = await rest("crm.lead.get", id=told["CRM_CREATED_LEAD"])
    assert told["CRM_CREATED_ENTITIES"] == [{"ENTITY_TYPE": "LEAD", "ENTITY_ID": told["CRM_CREATED_LEAD"]}]
    assert (lead["SOURCE_ID"], lead["ASSIGNED_BY_ID"], lead["PHONE"][0]["VALUE"]) == ("WEB", "6", NUMBER)


async def test_and_a_contact_with_a_deal_in_the_simple_one(sandbox: Sandbox, register, finish, rest: Rest) -> None:
    sandbox.dial.turn({"crm_mode": 2})
    told = await register(CRM_CREATE=1)
    contact, deal = (one["ENTITY_ID"] for one in told["CRM_CREATED_ENTITIES"])
    done = await finish(told["CALL_ID"], USER_ID=12)
    bound = await rest("crm.activity.binding.list", activityId=done["CRM_ACTIVITY_ID"])
    assert [one["ENTITY_TYPE"] for one in told["CRM_CREATED_ENTITIES"]] == ["CONTACT", "DEAL"]
    assert [(one["entityTypeId"], one["entityId"]) for one in bound] == [(3, contact), (2, deal)]
    assert (await rest("crm.deal.get", id=deal))["ASSIGNED_BY_ID"] == "12"


async def test_the_same_call_within_half_an_hour_is_the_call_that_is_there(register, clock) -> None:
    first = await register()
    other = await register(EXTERNAL_CALL_ID="c-78")
    clock.forward(1799)
    again = await register(CRM_CREATE=1)
    clock.forward(1)
    late = await register()
    assert again == first
    assert len({first["CALL_ID"], other["CALL_ID"], late["CALL_ID"]}) == 3


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"USER_ID": ""}, "USER_ID or USER_PHONE_INNER should be set."),
        ({"USER_ID": 99}, "User is not found or is not active."),
        ({"TYPE": 9}, "Unknown TYPE."),
        ({"PHONE_NUMBER": "nobody"}, "Unsupported phone number format."),
        ({"CALL_START_DATE": "soon"}, "CALL_START_DATE should be in the ISO-8601 format."),
    ],
)
async def test_the_errors_of_register(rest: Rest, more: dict[str, Any], text: str) -> None:
    told = {"USER_ID": 6, "PHONE_NUMBER": NUMBER, "TYPE": 2, **more}
    assert await rest.refused("telephony.externalCall.register", **told) == (400, "ERROR_CORE")
    assert await rest.text("telephony.externalCall.register", **told) == text


async def test_a_user_may_be_named_by_his_inner_number(register) -> None:
    assert (await register(USER_ID=None, USER_PHONE_INNER="101"))["CALL_ID"]


async def test_finishing_writes_the_row_and_the_activity(
    register, finish, rest: Rest, contact: int, sandbox: Sandbox
) -> None:
    call = await register(LINE_NUMBER="74951234567", CALL_START_DATE="2026-01-01T12:00:00+03:00")
    done = await finish(call["CALL_ID"], COST="1.5", COST_CURRENCY="RUB")
    activity = await rest("crm.activity.get", id=done["CRM_ACTIVITY_ID"])
    (row,) = await rest("voximplant.statistic.get", FILTER={"CALL_ID": call["CALL_ID"]})
    assert (done["CALL_START_DATE"], done["INCOMING"], done["CALL_FAILED_CODE"]) == ({}, "2", "200")
    assert (done["PHONE_NUMBER"], done["PORTAL_NUMBER"], done["PORTAL_USER_ID"]) == ("79991112233", "74951234567", 6)
    assert (activity["PROVIDER_ID"], activity["ORIGIN_ID"]) == ("VOXIMPLANT_CALL", f"VI_{call['CALL_ID']}")
    assert (activity["OWNER_TYPE_ID"], activity["OWNER_ID"]) == ("3", str(contact))
    assert (row["ID"], row["CALL_DURATION"], row["EXTERNAL_CALL_ID"]) == (str(done["ID"]), "95", "c-77")
    assert row["CALL_START_DATE"] == "2026-01-01T12:00:00+03:00"
    assert (await rest.raw("voximplant.statistic.get", FILTER={">ID": row["ID"]})).json()["total"] == 0


async def test_a_call_cannot_be_finished_twice(sandbox: Sandbox, rest: Rest, register, finish) -> None:
    call = (await register())["CALL_ID"]
    done = await finish(call)
    told = {"CALL_ID": call, "USER_ID": 6}
    assert done["CRM_ACTIVITY_ID"] == 0
    assert await rest.refused("telephony.externalCall.finish", **told) == (400, "ERROR_CORE")
    sandbox.dial.turn({"finish_error_code": ""})
    assert await rest.refused("telephony.externalCall.finish", **told) == (400, "")
    assert await rest.refused("telephony.externalCall.finish", CALL_ID=5) == (400, "INVALID_ARGUMENT")


async def test_a_call_nobody_took_is_missed(register, finish) -> None:
    call = (await register())["CALL_ID"]
    assert (await finish(call, DURATION=0))["CALL_FAILED_CODE"] == "304"


async def test_the_card_of_a_call_is_shown_and_hidden(sandbox: Sandbox, rest: Rest, register) -> None:
    call = (await register(SHOW=1))["CALL_ID"]
    told = {"CALL_ID": call, "USER_ID": [6, 12]}
    assert await rest("telephony.externalCall.hide", CALL_ID=call, USER_ID=6) is True
    assert await rest("telephony.externalCall.show", **told) is True
    assert [one["user_id"] for one in sandbox.portal.store.shown] == [6, 12]
    assert await rest("telephony.externalCall.show", CALL_ID="externalCall.no", USER_ID=6) is False


async def test_a_recording_is_attached_after_the_end(sandbox: Sandbox, rest: Rest, register, finish) -> None:
    call = (await register())["CALL_ID"]
    record = {"CALL_ID": call, "FILENAME": "c-77.mp3", "FILE_CONTENT": base64.b64encode(b"sound").decode()}
    early = await rest.text("telephony.externalCall.attachRecord", **record)
    await finish(call)
    first = await rest("telephony.externalCall.attachRecord", **record)
    second = await rest("telephony.externalCall.attachRecord", **record)
    assert early.startswith("Call is not found in the statistic table.")
    assert list(sandbox.portal.store.files) == [second["FILE_ID"]]
    assert first["FILE_ID"] != second["FILE_ID"]
    assert await rest.refused("telephony.externalCall.attachRecord", **{**record, "FILENAME": "a.ogg"}) == (
        400,
        "ERROR_CORE",
    )
    assert (await rest("voximplant.statistic.get"))[0]["RECORD_FILE_ID"] == second["FILE_ID"]


async def test_a_recording_may_be_uploaded_in_a_second_request(
    sandbox: Sandbox, rest: Rest, register, finish, web: httpx.AsyncClient
) -> None:
    call = (await register())["CALL_ID"]
    await finish(call)
    promised = await rest("telephony.externalCall.attachRecord", CALL_ID=call, FILENAME="c-77.wav")
    files = {promised["fieldName"]: ("c-77.wav", b"RIFF sound", "audio/wav")}
    answer = await web.post(promised["uploadUrl"], files=files)
    again = await web.post(promised["uploadUrl"], files=files)
    assert promised["uploadUrl"].startswith(f"{HOST}/rest/upload.json?auth=")
    assert sandbox.portal.store.files[answer.json()["result"]["FILE_ID"]] == ("c-77.wav", b"RIFF sound")
    assert again.status_code == 400


async def test_a_transcript(rest: Rest, register, finish) -> None:
    call = (await register())["CALL_ID"]
    await finish(call)
    words = [{"SIDE": "User", "START_TIME": 1, "STOP_TIME": 2, "MESSAGE": "Алло"}]
    told = await rest("telephony.call.attachTranscription", CALL_ID=call, MESSAGES=words)
    assert (await rest("voximplant.statistic.get"))[0]["TRANSCRIPT_ID"] == told["TRANSCRIPT_ID"]


async def test_who_has_this_number(rest: Rest, contact: int) -> None:
    lead = await rest("crm.lead.add", fields={"TITLE": "Заявка", "PHONE": [{"VALUE": NUMBER}]})
    found = await rest("telephony.externalCall.searchCrmEntities", PHONE_NUMBER="79991112233")
    assert [(one["CRM_ENTITY_TYPE"], one["CRM_ENTITY_ID"]) for one in found] == [("CONTACT", contact), ("LEAD", lead)]
    assert (found[0]["NAME"], found[0]["ASSIGNED_BY"]["USER_PHONE_INNER"]) == ("Иван", "100")
    assert await rest("telephony.externalCall.searchCrmEntities", PHONE_NUMBER="+70000000000") == []
    assert await rest.text("telephony.externalCall.searchCrmEntities") == "PHONE_NUMBER is empty"


async def test_lines_are_added_once_changed_and_deleted(rest: Rest) -> None:
    line = {"NUMBER": "74951234567"}
    id_ = (await rest("telephony.externalLine.add", **line, NAME="Сайт"))["ID"]
    assert await rest.text("telephony.externalLine.add", **line) == "Line already exists"
    assert await rest.text("telephony.externalLine.update", **line) == "There are no fields to update"
    assert await rest("telephony.externalLine.update", **line, CRM_AUTO_CREATE="N") == {"ID": str(id_)}
    assert await rest("telephony.externalLine.get") == [{**line, "NAME": "Сайт", "CRM_AUTO_CREATE": "N"}]
    assert await rest("telephony.externalLine.delete", **line) == []
    assert await rest.text("telephony.externalLine.delete", **line) == "Could not find line with number 74951234567"


async def test_a_line_may_forbid_an_outgoing_call_to_make_anything(rest: Rest, register) -> None:
    await rest("telephony.externalLine.add", NUMBER="74951234567", CRM_AUTO_CREATE="N")
    told = await register(TYPE=1, CRM_CREATE=1, LINE_NUMBER="74951234567")
    assert told["CRM_CREATED_ENTITIES"] == []


async def test_a_call_of_the_portals_own_telephony_is_told_from_ring_to_end(
    rest: Rest, control, contact: int, outbox: list[httpx.Request]
) -> None:
    for event in ("INIT", "START", "END"):
        await rest("event.bind", event=f"ONVOXIMPLANTCALL{event}", handler=HANDLER)
    call = await control("call", phone=NUMBER, line="74951234567", user_id=12, duration=30)
    await control("events/pump")
    init, start, end = (dict(parse_brackets(one.content.decode()))["data"] for one in outbox)
    assert (init["PHONE_NUMBER"], init["CALLER_ID"]) == ("74951234567", NUMBER)
    assert start == {"CALL_ID": call["call_id"], "USER_ID": "12"}
    assert (end["PHONE_NUMBER"], end["PORTAL_NUMBER"], end["CALL_DURATION"]) == ("79991112233", "74951234567", "30")
    activity = await rest("crm.activity.get", id=end["CRM_ACTIVITY_ID"])
    assert activity["OWNER_ID"] == str(contact)
    assert (await rest("voximplant.statistic.get"))[0]["REST_APP_ID"] is None


async def test_our_own_call_is_told_with_our_number_as_an_app(
    rest: Rest, register, finish, control, outbox: list[httpx.Request], sandbox: Sandbox
) -> None:
    for event in ("INIT", "END"):
        await rest("event.bind", event=f"ONVOXIMPLANTCALL{event}", handler=HANDLER)
    await finish((await register())["CALL_ID"])
    await control("events/pump")
    init, end = (dict(parse_brackets(one.content.decode()))["data"] for one in outbox)
    assert init["REST_APP_ID"] == str(sandbox.portal.app.id)
    assert end["PORTAL_NUMBER"] == f"REST_APP:{sandbox.portal.app.id}"


async def test_a_click_on_a_phone_asks_the_app_to_dial(
    rest: Rest, finish, control, contact: int, outbox: list[httpx.Request]
) -> None:
    await rest("event.bind", event="ONEXTERNALCALLSTART", handler=HANDLER)
    await rest("event.bind", event="ONEXTERNALCALLBACKSTART", handler=HANDLER)
    clicked = await control("click-to-call", phone=NUMBER, entity_type="CONTACT", entity_id=contact, user_id=6)
    await control("callback", phone=NUMBER, text="Перезвоните")
    await control("events/pump")
    start, back = (dict(parse_brackets(one.content.decode()))["data"] for one in outbox)
    assert (start["CALL_ID"], start["CRM_ENTITY_ID"]) == (clicked["call_id"], str(contact))
    assert back["TEXT"] == "Перезвоните"
    assert (await finish(clicked["call_id"]))["CRM_ENTITY_ID"] == contact


async def test_a_webhook_registers_no_calls(web: httpx.AsyncClient, keys: dict[str, object]) -> None:
    hook = str(keys["webhook_url"]).removeprefix(HOST)
    answer = await web.post(f"{hook}telephony.externalcall.register", json={})
    assert (answer.status_code, answer.json()["error"]) == (403, "WRONG_AUTH_TYPE")
