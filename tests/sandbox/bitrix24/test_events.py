"""Events: binding, what is told and to whom, once and without repeats; the offline queue."""

from typing import Any

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from sandbox.brackets import parse_brackets
from tests.sandbox.bitrix24.conftest import Rest

HANDLER = "https://hub.example/b24/events"


@pytest.fixture
def bind(rest: Rest):
    """Binds the handler to events."""

    async def to(*events: str, **more: Any) -> None:
        for event in events:
            await rest("event.bind", event=event, handler=HANDLER, **more)

    return to


@pytest.fixture
def heard(control, outbox: list[httpx.Request]):
    """Lets the queue run and returns the events that arrived since, as trees."""

    async def listen() -> list[dict[str, Any]]:
        await control("events/pump")
        found = [dict(parse_brackets(one.content.decode())) for one in outbox]
        outbox.clear()
        return found

    return listen


async def test_a_handler_is_bound_once_listed_and_taken_away(rest: Rest, bind) -> None:
    await bind("OnCrmDealUpdate")
    told = {"event": "ONCRMDEALUPDATE", "handler": HANDLER}
    assert await rest.refused("event.bind", **told) == (400, "ERROR_CORE")
    assert "already binded" in await rest.text("event.bind", **told)
    assert await rest("event.get") == [{**told, "auth_type": "0", "offline": 0}]
    assert await rest("event.unbind", **told) == {"count": 1}
    assert await rest("event.unbind", **told) == {"count": 0}


async def test_what_cannot_be_bound(rest: Rest, maria: Rest) -> None:
    assert await rest.refused("event.bind", event="ONNOTHING", handler=HANDLER) == (400, "ERROR_EVENT_NOT_FOUND")
    offline = {"event": "ONCRMDEALADD", "event_type": "offline"}
    assert await maria.refused("event.bind", **offline) == (403, "ACCESS_DENIED")
    other = {"event": "ONCRMDEALADD", "handler": HANDLER, "auth_type": 1}
    assert await maria.refused("event.bind", **other) == (403, "ACCESS_DENIED")


async def test_the_catalogue(rest: Rest, sandbox: Sandbox) -> None:
    assert "ONPAYMENTENTITYSAVED" in await rest("events")
    assert await rest("events", SCOPE="sale") == ["ONPAYMENTENTITYSAVED"]
    sandbox.portal.installed.scopes = ("crm",)
    assert "ONVOXIMPLANTCALLEND" not in await rest("events")
    assert "ONVOXIMPLANTCALLEND" in await rest("events", FULL=1)


async def test_an_event_tells_an_id_and_brings_tokens_of_whoever_did_it(rest: Rest, bind, heard, control, web) -> None:
    await bind("ONCRMDEALADD")
    made = await control("call-method", method="crm.deal.add", params={"fields": {}}, user_id=6)
    (told,) = await heard()
    auth = told["auth"]
    assert told["data"] == {"FIELDS": {"ID": str(made["result"])}}
    assert (told["event"], auth["user_id"], auth["expires_in"]) == ("ONCRMDEALADD", "6", "3600")
    assert "refresh_token" not in auth
    assert {"event_handler_id", "ts"} <= set(told)
    assert (await Rest(web, auth["access_token"])("profile"))["ID"] == "6"


async def test_a_robot_brings_no_tokens_unless_the_handler_names_a_user(rest: Rest, bind, heard, control) -> None:
    await bind("ONCRMDEALADD")
    await rest("event.bind", event="ONCRMDEALADD", handler=f"{HANDLER}/2", auth_type=1)
    await control("call-method", method="crm.deal.add", params={"fields": {}}, robot=True)
    bare, named = (one["auth"] for one in await heard())
    assert not {"access_token", "user_id", "expires"} & set(bare)
    assert {"application_token", "member_id", "domain"} <= set(bare)
    assert named["user_id"] == "1"


async def test_updates_moves_and_deletions_have_their_names_and_silence_when_nothing_changed(
    rest: Rest, bind, heard
) -> None:
    await bind("ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMDEALMOVETOCATEGORY")
    service = (await rest("crm.category.list", entityTypeId=2))["categories"][1]["id"]
    deal = (await rest("crm.item.add", entityTypeId=2, fields={"title": "x"}))["item"]["id"]
    for fields in ({"title": "x"}, {"title": "y"}, {"categoryId": service}):
        await rest("crm.item.update", entityTypeId=2, id=deal, fields=fields)
    await rest("crm.item.delete", entityTypeId=2, id=deal)
    told = await heard()
    assert [one["event"] for one in told] == ["ONCRMDEALUPDATE", "ONCRMDEALMOVETOCATEGORY", "ONCRMDEALDELETE"]
    moved = {"ID": str(deal), "CATEGORY_ID": str(service), "STAGE_ID": f"C{service}:NEW"}
    assert told[1]["data"]["FIELDS"] == moved


async def test_an_update_that_changes_nothing_may_be_told(sandbox: Sandbox, rest: Rest, bind, heard) -> None:
    sandbox.dial.turn({"noop_update_event": True})
    await bind("ONCRMDEALUPDATE")
    deal = await rest("crm.deal.add", fields={"TITLE": "x"})
    await rest("crm.deal.update", id=deal, fields={"TITLE": "x"})
    assert len(await heard()) == 1


async def test_every_kind_of_thing_has_its_events(rest: Rest, bind, heard, control) -> None:
    await bind("ONCRMLEADADD", "ONCRMCONTACTADD", "ONCRMCOMPANYADD", "ONCRMDYNAMICITEMADD", "ONCRMDYNAMICITEMADD_31")
    await bind("ONCRMACTIVITYADD", "ONCRMTIMELINECOMMENTADD", "ONCRMDEALUSERFIELDADD", "ONPAYMENTENTITYSAVED")
    for kind in (1, 3, 4, 31):
        await rest("crm.item.add", entityTypeId=kind, fields={})
    deal = await rest("crm.deal.add", fields={})
    await rest("crm.timeline.comment.add", fields={"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "x"})
    await rest("crm.activity.todo.add", ownerTypeId=2, ownerId=deal, deadline="2026-01-02")
    await rest("crm.deal.userfield.add", fields={"FIELD_NAME": "A", "USER_TYPE_ID": "string"})
    await control("payment", id=deal, minor=100, paid=False)
    told = await heard()
    assert [one["event"] for one in told] == [
        *("ONCRMLEADADD", "ONCRMCONTACTADD", "ONCRMCOMPANYADD", "ONCRMDYNAMICITEMADD", "ONCRMDYNAMICITEMADD_31"),
        *("ONCRMTIMELINECOMMENTADD", "ONCRMACTIVITYADD", "ONCRMDEALUSERFIELDADD", "ONPAYMENTENTITYSAVED"),
    ]
    assert told[3]["data"]["FIELDS"]["ENTITY_TYPE_ID"] == "31"
    assert told[7]["data"]["FIELDS"]["FIELD_NAME"] == "UF_CRM_A"


async def test_no_event_tells_of_a_merge_unless_the_dial_says_so(
    sandbox: Sandbox, rest: Rest, bind, heard, control
) -> None:
    await bind("ONCRMCONTACTDELETE", "ONCRMCONTACTUPDATE")
    ids = [await rest("crm.contact.add", fields={"NAME": "x"}) for _ in range(4)]
    await heard()
    await control("merge", kind="contact", lose=ids[0], keep=ids[1])
    silent = await heard()
    sandbox.dial.turn({"merge_fires_delete": True})
    await control("merge", kind="contact", lose=ids[2], keep=ids[3])
    assert silent == []
    assert [one["data"]["FIELDS"]["ID"] for one in await heard()] == [str(ids[2])]


async def test_an_event_nobody_takes_is_lost(receiver, rest: Rest, bind, heard, sandbox: Sandbox, clock) -> None:
    await bind("ONCRMDEALADD")
    for code in (500, 302, 499):
        receiver(code)
        await rest("crm.deal.add", fields={})
        assert len(await heard()) == 1
    receiver(200)
    clock.forward(3000)
    assert await heard() == []
    assert [one["code"] for one in sandbox.portal.sender.log] == [500, 302, 499]


async def test_a_handler_that_was_too_slow_waits_longer(
    receiver, rest: Rest, bind, heard, sandbox: Sandbox, clock
) -> None:
    sandbox.dial.turn({"slow_handler_penalty": 60})
    await bind("ONCRMDEALADD")
    receiver(499)
    await rest("crm.deal.add", fields={})
    await heard()
    receiver(200)
    await rest("crm.deal.add", fields={})
    soon = await heard()
    clock.forward(60)
    assert (soon, len(await heard())) == ([], 1)


async def test_the_test_event_comes_back(rest: Rest, bind, heard) -> None:
    await bind("ONAPPTEST")
    assert await rest("event.test", ping="pong") == 1
    (told,) = await heard()
    assert (told["event"], told["data"]["QUERY"]) == ("ONAPPTEST", {"ping": "pong"})


async def test_events_may_be_lost_doubled_delayed_or_out_of_order(
    sandbox: Sandbox, rest: Rest, bind, heard, clock
) -> None:
    await bind("ONCRMDEALADD")

    async def told_with(**dial: Any) -> list[str]:
        sandbox.dial.turn(dial)
        await rest("crm.deal.add", fields={})
        return [one["data"]["FIELDS"]["ID"] for one in await heard()]

    lost = await told_with(lost_event=1)
    twice = await told_with(lost_event=0, duplicate_event=1)
    held = await told_with(duplicate_event=0, shuffled_event=1)
    after = await told_with(shuffled_event=0)
    late = await told_with(event_delay=60)
    clock.forward(60)
    assert (lost, len(twice), held, late) == ([], 2, [], [])
    assert int(after[0]) > int(after[1])
    assert len(await heard()) == 1


async def test_the_offline_queue_keeps_the_latest_of_each_object(rest: Rest, heard) -> None:
    for event in ("ONCRMDEALADD", "ONCRMDEALUPDATE"):
        await rest("event.bind", event=event, event_type="offline")
    deal = await rest("crm.deal.add", fields={"TITLE": "x"})
    await rest("crm.deal.update", id=deal, fields={"TITLE": "y"})
    listed = await rest("event.offline.list")
    taken = await rest("event.offline.get")
    assert await heard() == []
    assert [one["EVENT_NAME"] for one in listed] == ["ONCRMDEALUPDATE"]
    assert taken["process_id"] is None
    assert taken["events"][0]["EVENT_DATA"] == {"FIELDS": {"ID": str(deal)}}
    assert (await rest("event.offline.get"))["events"] == []


async def test_held_events_are_nobody_elses_until_they_are_cleared(rest: Rest, sandbox: Sandbox, maria: Rest) -> None:
    await rest("event.bind", event="ONCRMDEALADD", event_type="offline")
    for _ in range(3):
        await rest("crm.deal.add", fields={})
    first = await rest("event.offline.get", clear=0, limit=2)
    second = await rest("event.offline.get", clear=0)
    again = await rest("event.offline.get", clear=0, process_id=first["process_id"])
    await rest("event.offline.error", process_id=second["process_id"])
    failed = await rest("event.offline.get", clear=0, error=1)
    await rest("event.offline.clear", process_id=first["process_id"])
    assert (len(first["events"]), len(second["events"]), again["events"]) == (2, 1, first["events"])
    assert failed["events"] == second["events"]
    assert [one["ERROR"] for one in await rest("event.offline.list")] == [1]
    assert await maria.refused("event.offline.get") == (403, "ACCESS_DENIED")
    sandbox.dial.turn({"offline_extended": False})
    assert await rest.refused("event.offline.get", clear=0) == (403, "ACCESS_DENIED")


async def test_own_changes_can_be_kept_out_and_a_bell_rings(rest: Rest, bind, heard) -> None:
    await rest("event.bind", event="ONCRMDEALADD", event_type="offline", auth_connector="hub")
    await bind("ONOFFLINEEVENT", options={"minTimeout": 1})
    await rest("crm.deal.add", fields={}, auth_connector="hub")
    silent = await heard()
    await rest("crm.deal.add", fields={})
    assert silent == []
    assert [one["event"] for one in await heard()] == ["ONOFFLINEEVENT"]
    assert len((await rest("event.offline.get"))["events"]) == 1
