"""The page script's doors: what cannot be read is refused, everybody else sees a number he can call."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from hub.store import sites
from hub.store.tables import Lease, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.world import World

_lease, _number, _visit = table_of(Lease), table_of(TrackingNumber), table_of(Visit)
OVERFLOW = "+74951000000"
POOL = ["+74951110001", "+74951110002", "+74951110003"]
HOLD_S = 600
ORIGIN = {"origin": "https://okna.example"}
PAGE = "https://okna.example/"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def asked(world: World, **more: Any) -> dict[str, Any]:
    return {"site": world.applied.sites[0]["key"], "url": PAGE, "referrer": "", "visitor": None, **more}


async def knock(world: World, told: Any, path: str = "visit", **headers: str) -> httpx.Response:
    body = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    return await world.web.post(f"/dni/v1/{path}", content=body, headers=headers)


async def shown(world: World, visitor: str | None = None, **headers: str) -> dict[str, Any]:
    answer = await knock(world, asked(world, visitor=visitor), **headers)
    assert answer.status_code == 200, answer.text
    return flat(answer.json())


def flat(told: dict[str, Any]) -> dict[str, Any]:
    """The answer with the number of the site's one group beside the rest."""
    return told | told["numbers"]["main"]


# -- the site's settings


def readings(monkeypatch: pytest.MonkeyPatch, failing: int = 0) -> list[str]:
    """Note each reading of a site's settings from now on; the first so many fail."""
    noted: list[str] = []
    honest = sites.site_door

    def noting(tx: Tx, key: str) -> Any:
        noted.append(key)
        if len(noted) <= failing:
            raise ZeroDivisionError
        return honest(tx, key)

    monkeypatch.setattr(sites, "site_door", noting)
    return noted


async def test_settings_are_read_once_for_all_who_come_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = readings(monkeypatch)
    answers = await asyncio.gather(*(knock(world, asked(world)) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(noted) == 1


async def test_settings_that_could_not_be_read_are_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = readings(monkeypatch, failing=1)
    assert (await knock(world, asked(world))).status_code == 500
    assert (await knock(world, asked(world))).status_code == 200
    assert len(noted) == 2


# -- refusals

UNREADABLE: dict[str, Any] = {
    "no_json": b"{",
    "not_utf8": b'{"site": "\xff"}',
    "empty": b"",
    "a_list": b"[]",
    "a_number": b"7",
    "deep": b'{"site":' * 3_000 + b"1" + b"}" * 3_000,
    "over_16_kB": b'{"site": "' + b"x" * 20_000 + b'"}',
    "over_2_MB": b"x" * 3_000_000,
    "no_site": b"{}",
    "site_of_nobody": {"site": "nobody"},
    "site_a_number": {"site": 7},
    "site_a_list": {"site": ["x"]},
    "site_with_nul": {"site": "a\x00b"},
    "site_half_a_surrogate_pair": b'{"site": "\\ud800"}',
    "site_very_long": {"site": "x" * 15_000},
}


@pytest.mark.parametrize("path", ["visit", "hb"])
@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_a_counted_refusal_and_nothing_else(shared: World, name: str, path: str) -> None:
    before, counted = await shared.hub.db.read(worlds.stored), await shared.hub.db.read(worlds.refused)
    answer = await knock(shared, UNREADABLE[name], path)
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()) == {"error", "request_id"}
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert await shared.hub.db.read(worlds.stored) == before
    assert await shared.hub.db.read(worlds.refused) == counted + 1


@pytest.mark.parametrize(
    "wrong",
    [{"url": 7}, {"url": {"a": 1}}, {"referrer": ["x"]}, {"url": True}],
    ids=["url_a_number", "url_an_object", "referrer_a_list", "url_a_truth"],
)
async def test_a_field_that_is_no_text_is_refused_by_its_name(shared: World, wrong: dict[str, Any]) -> None:
    answer = await knock(shared, asked(shared, **wrong))
    assert answer.status_code == 400
    assert f"The field {next(iter(wrong))} is not a text." == answer.json()["error"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://okna.example.evil.example", "https://notokna.example", "null", "okna.example"],
)
async def test_a_page_of_another_site_gets_no_number(shared: World, origin: str) -> None:
    answer = await knock(shared, asked(shared), origin=origin)
    assert answer.status_code == 400
    assert "okna.example" in answer.json()["error"]
    assert "access-control-allow-origin" not in answer.headers


async def test_a_heartbeat_without_a_visitor_is_refused(shared: World) -> None:
    assert (await knock(shared, asked(shared), "hb")).status_code == 400


# -- what a browser needs to be allowed


async def test_the_preflight_allows_a_json_post(shared: World) -> None:
    answer = await shared.web.options("/dni/v1/visit", headers=ORIGIN)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://okna.example", "https://www.okna.example:8443", "http://OKNA.example"])
async def test_the_page_of_the_site_may_read_the_answer(shared: World, origin: str) -> None:
    answer = await knock(shared, asked(shared), origin=origin)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "origin"


# -- odd, but a visit all the same

ODD: dict[str, dict[str, Any]] = {
    "nul_in_url": {"url": PAGE + "?utm_source=a\x00b&utm_campaign=%00c"},
    "half_a_surrogate_pair_in_percents": {"url": PAGE + "?utm_source=%ed%a0%80&utm_term=%ff"},
    "bad_host": {"url": "https://[::1/?utm_source=x"},
    "very_long_url": {"url": PAGE + "?utm_campaign=" + "ж" * 3_000},
    "very_long_referrer": {"url": PAGE, "referrer": "https://" + "a" * 9_000},
    "control_characters": {"url": "\x01\x02\n" + PAGE, "referrer": "\r\n\x00"},
    "emoji": {"url": PAGE + "?utm_campaign=🔥", "referrer": "https://пример.рф/"},
    "no_url": {"url": None, "referrer": None},
    "visitor_a_number": {"visitor": 7},
    "visitor_too_long": {"visitor": "a" * 5_000},
    "visitor_not_hex": {"visitor": "z" * 32},
    "visitor_with_nul": {"visitor": "\x00" * 32},
    "unknown_fields": {"more": {"deep": [[[1]]]}},
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_page_view_is_a_visit_all_the_same(shared: World, name: str) -> None:
    answer = await knock(shared, asked(shared, **ODD[name]))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    row = await shared.hub.db.read(lambda tx: tx.execute(select(_visit).where(_visit.c.id == told["visit"])).one())
    assert all(word.isprintable() for word in (row.source, row.campaign, row.term, row.landing, row.referrer_host))
    assert len(row.landing) <= 2_000


async def test_half_a_surrogate_pair_is_no_json(shared: World) -> None:
    key = shared.applied.sites[0]["key"]
    answer = await knock(shared, f'{{"site": "{key}", "url": "\\ud800"}}'.encode())
    assert answer.status_code == 400


async def test_a_visitor_of_another_site_is_a_new_one_here(tmp_path: Any, database_url: str) -> None:
    twice = worlds.SETUP.replace(
        "telephony:", '  - {name: doors, hosts: [doors.example], overflow_number: "+7 495 100-00-09"}\ntelephony:'
    )
    with worlds.still(database_url, tmp_path, twice) as world:
        here = await shown(world)
        answer = await knock(world, asked(world, site=world.applied.sites[1]["key"], visitor=here["visitor"]))
        there = answer.json()
        assert there["numbers"] == {}  # a site without pools and targets keeps its own
        assert there["visit"] != here["visit"]
        assert (await shown(world, here["visitor"]))["number"] == here["number"]


# -- who holds which number


@pytest.mark.parametrize("agent", [GOOGLEBOT, "", "curl/8.5.0"], ids=["googlebot", "none", "curl"])
async def test_a_robot_sees_the_overflow_number(shared: World, agent: str) -> None:
    told = await shown(shared, **{"user-agent": agent})
    assert (told["number"], told["overflow"]) == (OVERFLOW, True)
    assert told["hold_s"] == 0


async def test_an_address_that_asks_too_often_sees_the_overflow_number(tmp_path: Any, database_url: str) -> None:
    with worlds.still(database_url, tmp_path, visits_per_minute=2) as world:
        numbers = [(await shown(world))["number"] for _ in range(4)]
    assert numbers == [*POOL[:2], OVERFLOW, OVERFLOW]


async def test_one_who_returns_sees_his_number_again(still: World) -> None:
    first = await shown(still)
    await shown(still)
    still.clock.forward(HOLD_S * 3)
    again = await shown(still, first["visitor"])
    assert (again["number"], again["visitor"]) == (first["number"], first["visitor"])


async def test_a_reload_continues_the_visit(still: World) -> None:
    first = await shown(still)
    still.clock.forward(60)
    assert (await shown(still, first["visitor"]))["visit"] == first["visit"]


async def test_the_number_idle_longest_goes_first(still: World) -> None:
    for _ in POOL:
        await shown(still)
        still.clock.forward(10)
    still.clock.forward(HOLD_S)
    assert [(await shown(still))["number"] for _ in POOL] == POOL


async def test_without_a_free_number_the_overflow_number_is_shown(still: World) -> None:
    held = [await shown(still) for _ in POOL]
    told = await shown(still)
    assert sorted(one["number"] for one in held) == POOL
    assert (told["number"], told["overflow"], told["display"]) == (OVERFLOW, True, "+7 495 100-00-00")


@pytest.mark.parametrize(("after_s", "is_free"), [(HOLD_S - 1, False), (HOLD_S, True)])
async def test_a_number_is_free_again_when_its_hold_is_over(still: World, after_s: int, is_free: bool) -> None:
    for _ in POOL:
        await shown(still)
    still.clock.forward(after_s)
    assert (await shown(still))["overflow"] is not is_free


async def test_a_heartbeat_keeps_the_number(still: World) -> None:
    held = await shown(still)
    for _ in POOL[1:]:
        await shown(still)
    still.clock.forward(HOLD_S - 1)
    beat = await knock(still, asked(still, visitor=held["visitor"]), "hb", **ORIGIN)
    assert (beat.status_code, beat.headers["access-control-allow-origin"]) == (204, ORIGIN["origin"])
    still.clock.forward(HOLD_S - 1)
    numbers = {(await shown(still))["number"] for _ in POOL}
    assert held["number"] not in numbers
    assert (await shown(still, held["visitor"]))["number"] == held["number"]


async def test_a_heartbeat_of_somebody_unknown_changes_nothing(still: World) -> None:
    before = await still.hub.db.read(worlds.stored)
    assert (await knock(still, asked(still, visitor="0" * 32), "hb")).status_code == 204
    assert await still.hub.db.read(worlds.stored) == before


def live_leases(tx: Tx) -> list[int]:
    """How many live leases each number has that has any."""
    live = select(func.count()).where(_lease.c.ended_at.is_(None)).group_by(_lease.c.number_id)
    return list(tx.execute(live).scalars())


FIFTY = ", ".join(f'"+7 495 333-00-{number:02}"' for number in range(50))


async def test_two_hundred_at_once_share_fifty_numbers_without_sharing_one(tmp_path: Any, database_url: str) -> None:
    setup = worlds.SETUP.replace('"+7 495 111-00-01", "+7 495 111-00-02", "+7 495 111-00-03"', FIFTY)
    with worlds.still(database_url, tmp_path, setup) as world:
        told = await asyncio.gather(*(shown(world) for _ in range(200)))
        held = [one["number"] for one in told if not one["overflow"]]
        assert (len(held), len(set(held))) == (50, 50)
        assert await world.hub.db.read(live_leases) == [1] * 50
        world.clock.forward(HOLD_S)
        again = await asyncio.gather(*(shown(world) for _ in range(200)))
        assert len({one["number"] for one in again if not one["overflow"]}) == 50
        assert await world.hub.db.read(live_leases) == [1] * 50
