"""Groups of numbers, rules, the office, intent and consent: what the page script is told for each kind of visit."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.store import pages
from hub.store.tables import Lease, PageEvent, TrackingNumber, Visit, table_of
from tests.hub import world as worlds
from tests.hub.world import World

_lease, _event, _number, _visit = (table_of(model) for model in (Lease, PageEvent, TrackingNumber, Visit))
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
DIRECT_ADS = "https://okna.example/?utm_source=yandex&utm_medium=cpc&utm_campaign=msk_brand&yclid=7"
SITE = """
tenant: Окна
owner: {email: owner@okna.example, password: correct-horse-battery}
sites:
  - name: okna
    hosts: [okna.example]
    overflow_number: "+7 495 100-00-00"
    office: [198.51.100.0/24]
    targets:
      - {number: "+7 495 777-00-01", group: city}
      - {number: "+7 800 777-00-02", group: free, selectors: [".free"], mask: "8 (###) ###-##-##"}
    pools:
      - {name: everybody, group: city, numbers: ["+7 495 111-00-01", "+7 495 111-00-02"]}
      - {name: ads, group: city, overflow_number: "+7 495 100-00-05", numbers: ["+7 495 111-00-03"]}
      - {name: toll-free, group: free, numbers: ["+7 800 111-00-04"]}
    placements:
      - {name: map card, source: yandex-maps, number: "+7 495 222-00-01"}
    rules:
      - {name: maps, when: {source: [yandex-maps]}, show: {city: {placement: map card}}}
      - {name: letters, when: {medium: [email]}, show: {city: own, free: own}}
      - {name: brand, when: {source: [yandex], campaign: ["msk_*"]}, show: {city: {pool: ads}}}
telephony:
  - name: office
    adapter: generic
    secrets: {secret: whsec_YSBzaGFyZWQgc2VjcmV0IG9mIDMyIGJ5dGVzIGxvbmc=}
"""


@pytest.fixture
async def site(database_url: str, tmp_path: Any) -> AsyncIterator[World]:
    with worlds.still(database_url, tmp_path, SITE) as world:
        yield world


async def post(world: World, door: str, told: dict[str, Any], **headers: str) -> httpx.Response:
    body = json.dumps({"site": world.applied.sites[0]["key"], **told}).encode()
    return await world.web.post(f"/dni/v1/{door}", content=body, headers=headers)


async def seen(world: World, url: str = "https://okna.example/", agent: str = "", **more: Any) -> dict[str, Any]:
    headers = {"user-agent": agent} if agent else {}
    answer = await post(world, "visit", {"url": url, "referrer": "", **more}, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def numbers(told: dict[str, Any]) -> dict[str, str]:
    return {group: shown["number"] for group, shown in told["numbers"].items()}


async def test_a_visitor_holds_a_number_in_each_group(site: World) -> None:
    assert numbers(await seen(site)) == {"city": "+74951110001", "free": "+78001110004"}


async def test_only_the_groups_on_the_page_are_leased(site: World) -> None:
    await seen(site, groups=["city"])
    assert numbers(await seen(site, groups=["free"])) == {"free": "+78001110004"}


async def test_a_group_the_site_does_not_have_is_left_out(site: World) -> None:
    assert numbers(await seen(site, groups=["city", "mars"])) == {"city": "+74951110001"}


async def test_a_rule_chooses_the_pool(site: World) -> None:
    assert numbers(await seen(site, DIRECT_ADS))["city"] == "+74951110003"


async def test_the_rule_goes_by_the_visit_not_by_its_last_page(site: World) -> None:
    first = await seen(site, DIRECT_ADS)
    again = await seen(site, "https://okna.example/contacts", visitor=first["visitor"])
    assert (numbers(again), again["visit"]) == (numbers(first), first["visit"])


async def test_a_pool_has_its_own_overflow_number(site: World) -> None:
    await seen(site, DIRECT_ADS)
    told = (await seen(site, DIRECT_ADS))["numbers"]["city"]
    assert (told["number"], told["overflow"]) == ("+74951000005", True)


async def test_a_static_number_is_shown_without_a_lease(site: World) -> None:
    told = await seen(site, "https://okna.example/?utm_source=yandex-maps", groups=["city"])
    assert (numbers(told), told["hold_s"]) == ({"city": "+74952220001"}, 0)
    assert not told["numbers"]["city"]["overflow"]
    assert not await site.hub.db.read(lambda tx: tx.execute(select(_lease)).all())


async def test_a_rule_may_leave_the_sites_own_numbers(site: World) -> None:
    assert (await seen(site, "https://okna.example/?utm_source=letter&utm_medium=email"))["numbers"] == {}


async def test_the_office_sees_the_sites_own_numbers(database_url: str, tmp_path: Any) -> None:
    with worlds.still(database_url, tmp_path, SITE.replace("198.51.100.0/24", "127.0.0.0/8")) as world:
        assert (await seen(world))["numbers"] == {}
        assert not await world.hub.db.read(lambda tx: tx.execute(select(_lease)).all())


async def test_on_intent_the_visit_counts_and_the_number_comes_later(site: World) -> None:
    looked = await seen(site, DIRECT_ADS, lease=False)
    assert looked["numbers"] == {}
    reached = await seen(site, DIRECT_ADS, visitor=looked["visitor"], lease=True)
    assert (numbers(reached)["city"], reached["visit"]) == ("+74951110003", looked["visit"])


async def test_an_anonymous_visitor_leaves_his_channel_and_nothing_else(site: World) -> None:
    told = await seen(site, DIRECT_ADS, consent="anonymous")
    assert told["numbers"]["city"]["overflow"]
    row = await site.hub.db.read(lambda tx: tx.execute(select(_visit)).one())
    assert (row.channel, row.source, row.campaign, row.click_ids, row.landing) == ("paid_search", "", "", "[]", "")


async def test_a_heartbeat_keeps_the_numbers_of_all_groups(site: World) -> None:
    told = await seen(site)
    site.clock.forward(599)
    await post(site, "hb", {"visitor": told["visitor"]})
    site.clock.forward(599)
    until = await site.hub.db.read(
        lambda tx: tx.execute(select(_number.c.free_at).where(_number.c.visitor_id.is_not(None))).scalars().all()
    )
    assert len(until) == 2
    assert min(until) > site.clock.now().timestamp() * 1e6


# -- events


async def test_a_tap_is_kept_with_its_number_and_visit(site: World) -> None:
    told = await seen(site)
    his = {"visitor": told["visitor"], "visit": told["visit"]}
    answer = await post(site, "event", {**his, "kind": "tel_tap", "number": "8 (495) 111-00-01"})
    assert answer.status_code == 204
    row = await site.hub.db.read(
        lambda tx: tx.execute(select(_event, _number.c.e164).join(_number, _number.c.id == _event.c.number_id)).one()
    )
    assert (row.kind, row.visit_id, row.e164) == ("tel_tap", told["visit"], "+74951110001")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"visitor": "f" * 32}, "not a visit of this visitor"),
        ({"visitor": "x"}, "not a visitor this site was given"),
        ({"visit": 10**30}, "not a visit this site was given"),
        ({"visit": "1"}, "not a visit this site was given"),
        ({"kind": "dance"}, "allowed: seen, tel_tap, copy, form, reveal"),
        ({"number": ["x"]}, "The field number is not a text."),
    ],
)
async def test_an_event_of_nobody_is_a_counted_refusal(site: World, wrong: dict[str, Any], sentence: str) -> None:
    told = await seen(site)
    his = {"visitor": told["visitor"], "visit": told["visit"], "kind": "tel_tap", "number": "+74951110001"}
    answer = await post(site, "event", {**his, **wrong})
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert not await site.hub.db.read(lambda tx: tx.execute(select(_event)).all())


async def test_what_the_script_found_is_kept_by_page(site: World) -> None:
    for found in ({"city": 1}, {"city": 2, "free": 1, "mars": 9}):
        detail = {"url": "https://okna.example/contacts?x=1", "found": found, "images": 1}
        told = {"kind": "seen", "detail": detail}
        assert (await post(site, "event", told, origin="https://okna.example")).status_code == 204
    (kept,) = await site.hub.db.read(pages.pages_seen, 1, 1)
    assert (kept.page, kept.found, kept.images) == ("okna.example/contacts", {"city": 2, "free": 1}, 1)


async def test_what_a_page_shows_is_taken_from_browsers_alone(site: World) -> None:
    answer = await post(site, "event", {"kind": "seen", "detail": {"url": "https://okna.example/", "found": {}}})
    assert (answer.status_code, "origin is missing" in answer.json()["error"]) == (400, True)


async def test_a_page_not_seen_for_a_month_is_forgotten(site: World) -> None:
    for page in ("old", "new"):
        told = {"kind": "seen", "detail": {"url": f"https://okna.example/{page}", "found": {}}}
        await post(site, "event", told, origin="https://okna.example")
        site.clock.forward(31 * 86_400)
    assert [one.page for one in await site.hub.db.read(pages.pages_seen, 1, 1)] == ["okna.example/new"]


@pytest.mark.parametrize(("door", "more"), [("hb", {}), ("event", {"kind": "tel_tap", "number": "+74951110001"})])
async def test_of_an_anonymous_visit_nothing_more_is_kept(site: World, door: str, more: dict[str, Any]) -> None:
    told = await seen(site, consent="anonymous")
    before = await site.hub.db.read(worlds.stored)
    answer = await post(site, door, {"visitor": None, "visit": told["visit"], **more})
    assert answer.status_code == 204
    assert await site.hub.db.read(worlds.stored) == before


# -- a visitor who did not consent, while his page lives


async def visits(world: World) -> list[Any]:
    rows = await world.hub.db.read(lambda tx: tx.execute(select(_visit).order_by(_visit.c.id)).all())
    return list(rows)


async def test_the_routes_of_an_anonymous_page_are_one_visit(site: World) -> None:
    landed = await seen(site, DIRECT_ADS, consent="anonymous")
    went_on = await seen(site, consent="anonymous", visitor=landed["visitor"])
    assert (went_on["visit"], went_on["visitor"]) == (landed["visit"], landed["visitor"])
    assert [row.channel for row in await visits(site)] == ["paid_search"]


async def test_an_anonymous_page_that_stays_open_keeps_its_visit(site: World) -> None:
    landed = await seen(site, consent="anonymous")
    for _ in range(2):
        site.clock.forward(20 * 60)
        await post(site, "hb", {"visitor": landed["visitor"], "visit": landed["visit"]})
    assert (await seen(site, consent="anonymous", visitor=landed["visitor"]))["visit"] == landed["visit"]


@pytest.mark.parametrize("forged", [None, "p" + "0" * 31, "f" * 32], ids=["none", "of_no_page", "of_no_visitor"])
async def test_to_name_a_visit_without_its_token_does_not_continue_it(site: World, forged: str | None) -> None:
    landed = await seen(site, consent="anonymous")
    other = await seen(site, consent="anonymous", visitor=forged, visit=landed["visit"])
    assert other["visit"] != landed["visit"]


@pytest.mark.parametrize(("before", "after"), [("full", "anonymous"), ("anonymous", "full")])
async def test_a_change_of_consent_begins_a_visitor_anew(site: World, before: str, after: str) -> None:
    first = await seen(site, consent=before)
    second = await seen(site, consent=after, visitor=first["visitor"])
    assert len({first["visitor"], second["visitor"]}) == len({row.visitor_id for row in await visits(site)}) == 2


async def test_what_an_anonymous_visitor_does_is_not_kept_for_his_page_either(site: World) -> None:
    told = await seen(site, consent="anonymous")
    his = {"visitor": told["visitor"], "visit": told["visit"]}
    assert (await post(site, "event", {**his, "kind": "tel_tap", "number": "+74951110001"})).status_code == 204
    assert not await site.hub.db.read(lambda tx: tx.execute(select(_event)).all())
