"""Links to recordings: a card and a note of the CRM are given ours, each plays one call, ends, and can be revoked."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.inbox import look
from hub.recording_links import NO_LINKS, NoteLinks
from hub.store import recording_links
from hub.store.tables import RecordingLink, table_of
from hub.store.tx import Tx
from hub.web.middleware import _shown
from tests.hub import world as worlds
from tests.hub.test_embed import asked, card, frame_token
from tests.hub.test_flow import AD, IVAN
from tests.hub.test_recordings import SOUND, Vendor, serving
from tests.hub.world import World

_link = table_of(RecordingLink)
HOURS = 3_600.0


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A server of telephony's that keeps recordings."""
    with serving() as made:
        yield made


@pytest.fixture
def set_up(vendor: Vendor) -> str:
    return allowing(vendor)


def allowing(vendor: Vendor) -> str:
    return worlds.SETUP.replace("adapter: generic", f"adapter: generic, recordings_from: ['{vendor.address}']")


def links(tx: Tx) -> list[Any]:
    return list(tx.execute(select(_link).order_by(_link.c.id)))


async def told(world: World, call_id: str, event: str, **facts: Any) -> None:
    """Let telephony tell of a call to the first number of the pool."""
    about = {"call_id": call_id, "event": event, "at": world.clock.now().isoformat(), "dialled": "+74951110001"}
    answer = await world.generic({**about, **facts}, f"{call_id} {event}")
    assert answer.status_code == 200, answer.text


async def ended(world: World, call_id: str, **facts: Any) -> None:
    await told(world, call_id, "ended", caller=IVAN, talk_s=60, wait_s=5, status="answered", **facts)


async def recorded(world: World, call_id: str, vendor: Vendor) -> None:
    await told(world, call_id, "recorded", recording_url=f"{vendor.address}/1.mp3")


async def one_call(world: World, vendor: Vendor, call_id: str = "c1") -> str:
    """Live a call that is recorded; return its deal."""
    done = (await world.api("status"))["deliveries"].get("delivered", 0)
    await world.visit(AD)
    await ended(world, call_id, recording_url=f"{vendor.address}/1.mp3")
    await world.delivered(done + 1)
    return str((await world.state())["leads"][0]["id"])


async def on_card(world: World, deal: str) -> str | None:
    """Return the path of the link on the deal's card."""
    (one,) = await card(world, "deal", deal)
    link: str | None = one["call"]["recording"]
    return link and link.removeprefix("http://hub.test")


async def in_note(world: World) -> str | None:
    """Return the path of the link in the newest call note."""
    notes = [one for one in (await world.state())["notes"] if one["note_type"] == "call_in"]
    link: str | None = notes[-1]["params"].get("link")
    return link and link.removeprefix("http://hub.test")


def stranger(world: World) -> httpx.AsyncClient:
    """A browser that is logged in nowhere."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://hub.test")


# -- a card


async def test_a_card_plays_the_recording_without_a_login(connected: World, vendor: Vendor) -> None:
    deal = await one_call(connected, vendor)
    link = await on_card(connected, deal)
    assert link is not None and link.startswith("/recordings/")
    async with stranger(connected) as web:
        whole = await web.get(link)
        part = await web.get(link, headers={"range": "bytes=3-12"})
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, SOUND, "audio/mpeg")
    assert (part.status_code, part.content) == (206, SOUND[3:13])
    assert part.headers["cross-origin-resource-policy"] == "cross-origin"
    assert part.headers["cache-control"] == "private, no-store"
    assert part.headers["referrer-policy"] == "no-referrer"


async def test_a_call_that_is_not_recorded_has_no_link(connected: World, vendor: Vendor) -> None:
    await connected.visit(AD)
    await ended(connected, "c1")
    await connected.delivered(1)
    deal = str((await connected.state())["leads"][0]["id"])
    assert await on_card(connected, deal) is None
    assert await connected.hub.db.read(links) == []


async def test_a_card_opened_again_has_the_same_link_while_it_is_good_for_long(
    connected: World, vendor: Vendor
) -> None:
    deal = await one_call(connected, vendor)
    first = await on_card(connected, deal)
    connected.clock.forward(HOURS / 2)
    assert await on_card(connected, deal) == first
    connected.clock.forward(HOURS)
    assert await on_card(connected, deal) != first


async def test_the_link_of_a_card_ends_and_says_what_to_do(connected: World, vendor: Vendor) -> None:
    link = await on_card(connected, await one_call(connected, vendor))
    assert link is not None
    connected.clock.forward(2 * HOURS)
    heard_before = len(vendor.heard)
    async with stranger(connected) as web:
        answer = await web.get(link, headers={"accept-language": "ru"})
    assert answer.status_code == 410
    assert "Срок ссылки вышел. Откройте карточку сделки в CRM" in answer.text
    assert len(vendor.heard) == heard_before


async def test_an_account_that_is_not_this_calls_gets_no_link(connected: World, vendor: Vendor) -> None:
    await one_call(connected, vendor)
    assert (await asked(connected, "GET", "cards/deal/987654321")).json() == {"enquiries": []}
    assert [row.purpose for row in await connected.hub.db.read(links)] == ["note"]


# -- a note


async def test_a_note_carries_our_link_and_the_crm_is_told_no_address_of_telephony(
    connected: World, vendor: Vendor
) -> None:
    await one_call(connected, vendor)
    link = await in_note(connected)
    assert link is not None
    async with stranger(connected) as web:
        assert (await web.get(link)).content == SOUND
    assert vendor.address not in json.dumps(await connected.state())


async def test_a_note_has_its_link_before_the_recording_is_there(connected: World, vendor: Vendor) -> None:
    await one_call(connected, vendor)
    await ended(connected, "c2")
    await connected.delivered(2)
    link = await in_note(connected)
    assert link is not None
    async with stranger(connected) as web:
        early = await web.get(link, headers={"accept-language": "en"})
        assert (early.status_code, "try again in a minute" in early.text) == (404, True)
        await recorded(connected, "c2", vendor)
        await connected.until(lambda status: not status["inbox"])
        assert (await web.get(link)).content == SOUND


async def test_a_note_of_telephony_that_records_nothing_has_none(connected: World, vendor: Vendor) -> None:
    await connected.visit(AD)
    await ended(connected, "c1")
    await connected.delivered(1)
    assert await in_note(connected) is None


async def test_the_link_of_a_note_is_good_for_as_long_as_the_settings_say(connected: World, vendor: Vendor) -> None:
    await one_call(connected, vendor)
    (row,) = await connected.hub.db.read(links)
    assert row.ends_at - row.made_at == timedelta(days=90)


@pytest.mark.parametrize("how", [NO_LINKS, NoteLinks("http://hub.test", timedelta()), NoteLinks("", timedelta(days=9))])
async def test_where_no_links_are_wanted_none_is_made(
    database_url: str, tmp_path: Path, vendor: Vendor, how: NoteLinks
) -> None:
    with worlds.still(database_url, tmp_path, allowing(vendor)) as world:
        await ended(world, "c1", recording_url=f"{vendor.address}/1.mp3")
        while await world.hub.db.write(look, world.clock.now(), world.hub.vault, links=how):
            pass
        assert await world.hub.db.read(links) == []


# -- revoked, guessed, written down


async def test_a_revoked_link_never_works_again_and_the_card_gets_another(connected: World, vendor: Vendor) -> None:
    deal = await one_call(connected, vendor)
    before = await on_card(connected, deal)
    assert before is not None
    csrf = await connected.log_in()
    page = (await connected.web.get("/enquiries/1")).text
    assert "Показана на карточке в CRM" in page and "Для примечания в CRM" in page
    form = {"data": {"csrf": csrf}, "headers": {"sec-fetch-site": "same-origin"}}
    answer = await connected.web.post("/enquiries/1/recording/revoke", **form)  # type: ignore[arg-type]
    assert answer.headers["location"] == "/enquiries/1"
    async with stranger(connected) as web:
        gone = await web.get(before, headers={"accept-language": "en"})
        assert (gone.status_code, "was revoked" in gone.text) == (410, True)
        note = await in_note(connected)
        assert note is not None
        assert (await web.get(note)).status_code == 410
        after = await on_card(connected, deal)
        assert after is not None
        assert (await web.get(after)).status_code == 200
    assert "Для примечания в CRM" not in (await connected.web.get("/enquiries/1")).text


async def test_only_who_is_logged_in_revokes(connected: World, vendor: Vendor) -> None:
    await one_call(connected, vendor)
    async with stranger(connected) as web:
        await web.post("/enquiries/1/recording/revoke", headers={"sec-fetch-site": "same-origin"})
    assert [row.revoked_at for row in await connected.hub.db.read(links)] == [None]


@pytest.mark.parametrize("secret", ["x", "x" * 43, "x" * 5_000, "%00", "секрет", "1"])
async def test_what_is_no_link_is_not_here(still: World, secret: str) -> None:
    assert (await still.web.get(f"/recordings/{secret}")).status_code == 404
    (refusal,) = (await still.api("status"))["refusals"]
    assert (refusal["door"], refusal["reason"]) == ("recordings", "unknown_path")


async def test_its_secret_is_kept_sealed_and_found_by_its_hash_alone(connected: World, vendor: Vendor) -> None:
    link = await on_card(connected, await one_call(connected, vendor))
    assert link is not None
    secret = link.rpartition("/")[2]
    rows = await connected.hub.db.read(links)
    assert len(secret) == 43
    assert [row for row in rows if secret.encode() in row.secret or secret in row.secret_hash] == []
    assert await connected.hub.db.read(recording_links.find, rows[-1].secret_hash) is None


async def test_a_sitting_is_counted_once_and_told_to_the_ledger(connected: World, vendor: Vendor) -> None:
    link = await on_card(connected, await one_call(connected, vendor))
    assert link is not None
    async with stranger(connected) as web:
        for part in ("bytes=0-9", "bytes=10-19", "bytes=5-"):
            await web.get(link, headers={"range": part})
        connected.clock.forward(700)
        await web.get(link)
    heard = [one for one in (await connected.api("enquiries/1/ledger"))["entries"] if one["kind"] == "recording_heard"]
    assert [one["facts"] for one in heard] == [{"purpose": "card"}] * 2
    admin = next(user for user in (await connected.state())["users"] if user["is_admin"])
    assert {one["who"] for one in heard} == {f"crm:{admin['id']}"}
    assert [row.heard for row in await connected.hub.db.read(links)] == [0, 2]


async def test_the_ledger_says_who_listened_in_the_console(connected: World, vendor: Vendor) -> None:
    await one_call(connected, vendor)
    await connected.log_in()
    for part in ("bytes=0-", "bytes=20-"):
        assert (await connected.web.get("/enquiries/1/recording", headers={"range": part})).status_code == 206
    heard = [one for one in (await connected.api("enquiries/1/ledger"))["entries"] if one["kind"] == "recording_heard"]
    assert [(one["who"], one["facts"]) for one in heard] == [("person:1", {"purpose": "console"})]


async def test_the_ledger_tells_of_a_link_that_is_written_into_the_crm(connected: World, vendor: Vendor) -> None:
    await on_card(connected, await one_call(connected, vendor))
    entries = (await connected.api("enquiries/1/ledger"))["entries"]
    assert [one["who"] for one in entries if one["kind"] == "recording_linked"] == [""]


async def test_two_users_of_the_crm_have_links_of_their_own(connected: World, vendor: Vendor) -> None:
    deal = await one_call(connected, vendor)
    manager = next(user for user in (await connected.state())["users"] if not user["is_admin"])
    headers = {"X-Auth-Token": await frame_token(connected, user_id=manager["id"])}
    his = (await connected.web.get(f"/embed/amocrm/cards/deal/{deal}", headers=headers)).json()["enquiries"][0]
    assert his["call"]["recording"].removeprefix("http://hub.test") != await on_card(connected, deal)


async def test_what_telephony_does_not_give_out_says_so_and_is_not_heard(connected: World, vendor: Vendor) -> None:
    link = await on_card(connected, await one_call(connected, vendor))
    assert link is not None
    vendor.answers.clear()
    async with stranger(connected) as web:
        assert (await web.get(link)).status_code == 404
    assert [row.heard for row in await connected.hub.db.read(links)] == [0, 0]


@pytest.mark.parametrize("path", ["/recordings/s3cret", "/embed/amocrm/pipeline/s3cret"])
def test_a_log_shows_no_secret_of_a_path(path: str) -> None:
    assert _shown(path).endswith("/...")


def test_a_log_shows_other_pages_whole() -> None:
    assert _shown("/embed/amocrm/cards/deal/1") == "/embed/amocrm/cards/deal/1"
