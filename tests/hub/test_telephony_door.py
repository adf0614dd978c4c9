"""The door of telephony: what is in order is on the disk before its 200, the rest is a counted refusal."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import create_engine, func, select

from hub.inbox import look
from hub.store.tables import Call, CallEvent, Enquiry, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World
from tracking_core.telephony import generic, mango

_enquiry, _call, _event = (table_of(model) for model in (Enquiry, Call, CallEvent))
SECRETS = (worlds.MANGO_KEY, worlds.MANGO_SALT, worlds.SIGNING, worlds.SIGNING.removeprefix("whsec_"))

Knock = tuple[str, str, bytes, Mapping[str, str]]  # method, path, body, headers


# -- what may come


def told(world: World, **more: Any) -> dict[str, Any]:
    """The end of an answered call, as the generic telephony tells it."""
    end = {"call_id": "c1", "event": "ended", "at": world.clock.now().isoformat(), "status": "answered"}
    return {**end, "dialled": "+74951110001", "caller": "+79161234567", "talk_s": 60, "wait_s": 5, **more}


def generic_knock(world: World, body: bytes, *, late_s: int = 0, secret: str = worlds.SIGNING) -> Knock:
    at = str(int((world.clock.now() - timedelta(seconds=late_s)).timestamp()))
    mark = generic.sign(secret, "m1", at, body)
    headers = {"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": mark}
    return "POST", str(world.applied.telephony[1]["path"]), body, headers


def generic_told(world: World, **more: Any) -> Knock:
    return generic_knock(world, json.dumps(told(world, **more)).encode())


def mango_form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def mango_knock(world: World, body: bytes, ending: str = "/events/summary") -> Knock:
    form = {"content-type": "application/x-www-form-urlencoded"}
    return "POST", f"{world.applied.telephony[0]['path']}{ending}", body, form


def mango_told(world: World, text: str, ending: str = "/events/summary", key: str = worlds.MANGO_KEY) -> Knock:
    mark = mango.sign(worlds.MANGO_KEY, worlds.MANGO_SALT, text)
    return mango_knock(world, mango_form(vpbx_api_key=key, sign=mark, json=text), ending)


def summary(world: World, **more: Any) -> str:
    start = int(world.clock.now().timestamp())
    times = {"create_time": start - 60, "talk_time": start - 50, "end_time": start, "entry_result": 1}
    ends = {"from": {"number": "79161234567"}, "to": {"extension": "101"}, "line_number": "74951110001"}
    return json.dumps({"entry_id": "c1", "call_direction": 1, **times, **ends, **more})


def elsewhere(world: World, path: str) -> Knock:
    _, _, body, headers = generic_told(world)
    return "POST", path, body, headers


def by(world: World, method: str) -> Knock:
    _, path, body, headers = generic_told(world)
    return method, path, body, headers


REFUSED: dict[str, tuple[int, Callable[[World], Knock]]] = {
    "generic_unsigned": (401, lambda w: (*generic_told(w)[:3], {})),
    "generic_signed_with_another_secret": (401, lambda w: generic_knock(w, b"{}", secret="whsec_AAAA")),
    "generic_changed_by_one_byte": (401, lambda w: (*generic_told(w)[:2], b" " + generic_told(w)[2], generic_told(w)[3])),
    "generic_signature_not_ascii": (401, lambda w: (*generic_told(w)[:3], {**generic_told(w)[3], "webhook-signature": "v1,\xff"})),
    "generic_six_minutes_old": (401, lambda w: generic_knock(w, b"{}", late_s=360)),
    "generic_six_minutes_ahead": (401, lambda w: generic_knock(w, b"{}", late_s=-360)),
    "generic_time_not_a_number": (400, lambda w: _timed(w, "soon")),
    "generic_over_64_kB": (413, lambda w: generic_knock(w, b'"' + b"x" * 65_536 + b'"')),
    "generic_of_3_MB": (413, lambda w: generic_knock(w, b"x" * 3_000_000)),
    "generic_not_utf8": (400, lambda w: generic_knock(w, b'{"call_id": "\xff\xfe"}')),
    "generic_not_json": (400, lambda w: generic_knock(w, b'{"call_id":')),
    "generic_a_list": (400, lambda w: generic_knock(w, b"[]")),
    "generic_deep_json": (400, lambda w: generic_knock(w, b"[" * 60_000)),
    "generic_empty": (400, lambda w: generic_knock(w, b"")),
    "generic_unknown_event": (400, lambda w: generic_told(w, event="hummed")),
    "generic_call_id_with_nul": (400, lambda w: generic_told(w, call_id="a\x00b")),
    "generic_call_id_half_a_surrogate_pair": (400, lambda w: generic_told(w, call_id="\ud800")),
    "generic_nested_field": (400, lambda w: generic_told(w, caller={"number": "+79161234567"})),
    "generic_a_day_ahead": (401, lambda w: generic_told(w, at=(w.clock.now() + timedelta(days=2)).isoformat())),
    "mango_unsigned": (401, lambda w: mango_knock(w, mango_form(vpbx_api_key=worlds.MANGO_KEY, json=summary(w)))),
    "mango_wrongly_signed": (401, lambda w: mango_knock(w, mango_form(vpbx_api_key=worlds.MANGO_KEY, sign="0" * 64, json=summary(w)))),
    "mango_of_another_account": (401, lambda w: mango_told(w, summary(w), key="OTHER")),
    "mango_over_64_kB": (413, lambda w: mango_told(w, json.dumps("x" * 70_000))),
    "mango_of_3_MB": (413, lambda w: mango_told(w, json.dumps("x" * 3_000_000))),
    "mango_form_not_utf8": (400, lambda w: mango_knock(w, b"vpbx_api_key=\xff\xfe&sign=1&json={}")),
    "mango_no_form": (401, lambda w: mango_knock(w, b"hello")),
    "mango_field_twice": (400, lambda w: mango_knock(w, b"sign=1&sign=2&vpbx_api_key=1&json={}")),
    "mango_not_json": (400, lambda w: mango_told(w, "{")),
    "mango_unknown_ending": (400, lambda w: mango_told(w, summary(w), ending="/events/unheard_of")),
    "mango_days_ahead": (401, lambda w: mango_told(w, summary(w, end_time=int(w.clock.now().timestamp()) + 200_000))),
    "unknown_path": (404, lambda w: elsewhere(w, "/telephony/nobody")),
    "unknown_path_with_3_MB": (404, lambda w: ("POST", "/telephony/nobody", b"x" * 3_000_000, {})),
    "path_with_nul": (404, lambda w: elsewhere(w, "/telephony/%00")),
    "path_not_utf8": (404, lambda w: elsewhere(w, "/telephony/%ff%fe")),
    "method_get": (405, lambda w: by(w, "GET")),
    "method_put": (405, lambda w: by(w, "PUT")),
    "method_delete": (405, lambda w: by(w, "DELETE")),
}  # fmt: skip


def _timed(world: World, at: str) -> Knock:
    mark = generic.sign(worlds.SIGNING, "m1", at, b"{}")
    headers = {"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": mark}
    return "POST", world.applied.telephony[1]["path"], b"{}", headers


async def send(world: World, knock: Knock) -> httpx.Response:
    method, path, body, headers = knock
    plain = {name: given.encode("latin-1") for name, given in headers.items()}
    return await world.web.request(method, path, content=body, headers=plain)


# -- refusals


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_in_order_is_a_counted_refusal_and_nothing_else(shared: World, name: str) -> None:
    status, knock = REFUSED[name]
    before, counted = await shared.hub.db.read(worlds.stored), await shared.hub.db.read(worlds.refused)
    answer = await send(shared, knock(shared))
    assert answer.status_code == status, answer.text
    assert await shared.hub.db.read(worlds.stored) == before
    assert await shared.hub.db.read(worlds.refused) == counted + 1


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_is_one_sentence_with_the_id_of_the_request_and_no_secret(shared: World, name: str) -> None:
    answer = await send(shared, REFUSED[name][1](shared))
    refusal = answer.json()
    assert set(refusal) == {"error", "request_id"}
    assert answer.headers["x-request-id"] == refusal["request_id"]
    assert refusal["request_id"]
    assert refusal["error"].endswith(".")
    assert len(refusal["error"].splitlines()) == 1
    paths = [told["path"].removeprefix("/telephony/") for told in shared.applied.telephony]
    assert [secret for secret in (*SECRETS, *paths, "79161234567") if secret in answer.text] == []


async def test_two_refusals_have_two_ids(shared: World) -> None:
    ids = {(await send(shared, by(shared, "GET"))).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2


# -- what is in order


async def test_an_event_answered_200_is_committed_already(still: World) -> None:
    answer = await send(still, generic_told(still))
    assert answer.json() == {"accepted": 1, "new": 1}
    other = create_engine(still.hub.db.url)  # a process that starts after this one died sees no more than this
    with other.connect() as connection:
        assert connection.execute(select(func.count()).select_from(_event)).scalar() == 1
    other.dispose()


async def test_a_repeated_event_is_taken_and_kept_once(still: World) -> None:
    answers = [(await send(still, generic_told(still))).json() for _ in range(3)]
    assert answers == [{"accepted": 1, "new": 1}, {"accepted": 1, "new": 0}, {"accepted": 1, "new": 0}]
    assert (await still.hub.db.read(worlds.stored))["call_event"] == 1


async def test_an_event_sent_twenty_times_at_once_is_kept_once(still: World) -> None:
    knock = mango_told(still, summary(still))
    answers = await asyncio.gather(*(send(still, knock) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["new"] for answer in answers) == 1
    assert (await still.hub.db.read(worlds.stored))["inbox"] == 1


async def test_a_trial_of_the_connection_is_answered_and_keeps_nothing(still: World) -> None:
    answer = await send(still, mango_knock(still, b"", "/ping"))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "new": 0})
    assert (await still.hub.db.read(worlds.stored))["call_event"] == 0


def calls(tx: Tx) -> list[dict[str, Any]]:
    own = {"id", "key", "enquiry_id", "provider_call_id", "phone", "recording"}
    return [
        {name: value for name, value in row._asdict().items() if name not in own}
        for row in tx.execute(
            select(_enquiry, _call).join(_call, _call.c.enquiry_id == _enquiry.c.id).order_by(_enquiry.c.id)
        )
    ]


async def test_every_order_of_the_events_gives_the_same_call(still: World) -> None:
    opening = still.clock.now()
    at = [(opening + timedelta(seconds=seconds)).isoformat() for seconds in (0, 7, 60)]
    still.clock.forward(70)
    steps = [
        {"event": "ringing", "at": at[0], "status": None, "talk_s": None, "wait_s": None},
        {"event": "answered", "at": at[1], "status": None, "talk_s": None, "wait_s": None, "operator": "101"},
        {"event": "ended", "at": at[2], "talk_s": 53, "wait_s": 7},
    ]
    for number, order in enumerate(permutations(steps)):
        for step in (*order, order[0]):  # and the first of them once more
            answer = await send(still, generic_told(still, **step, call_id=f"c{number}", caller=None))
            assert answer.status_code == 200, answer.text
            await still.hub.db.write(look, still.clock.now(), still.hub.vault)  # a look after each, as the loop would
    folded = await still.hub.db.read(calls)
    assert len(folded) == 6
    assert all(call == folded[0] for call in folded)
    assert (folded[0]["status"], folded[0]["talk_s"], folded[0]["operator"]) == ("answered", 53, "101")
