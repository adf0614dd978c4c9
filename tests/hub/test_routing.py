"""The door telephony asks where a call goes: the nearest word counts, and every call gets an answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import SetupInvalid
from hub.setup import apply
from hub.setup_file import read_setup
from hub.web.middleware import _shown
from tests.hub import world as worlds
from tests.hub.world import World

SETUP = """
tenant: Окна
owner: {email: owner@okna.example, password: correct-horse-battery}
sites:
  - name: okna
    hosts: [okna.example]
    overflow_number: "+7 495 100-00-00"
    destination: 8 495 700-00-01
    destinations: {"+7 495 111-00-02": "102"}
    targets: [{number: "+7 495 777-00-01"}]
    pools:
      - {name: main, numbers: ["+7 495 111-00-01", "+7 495 111-00-02"], destination: "sip:sales@pbx.example"}
      - {name: other, numbers: ["+7 495 111-00-03"]}
    placements:
      - {name: billboard, source: billboard, number: "+7 495 222-00-01", destination: "101"}
      - {name: leaflet, source: leaflet, number: "+7 495 222-00-02"}
  - name: doors
    hosts: [doors.example]
    overflow_number: "+7 495 100-00-01"
    destination: +7 495 700-00-02
    targets: [{number: "+7 495 777-00-02"}]
telephony:
  - {name: asterisk, adapter: asterisk, secrets: {secret: s}}
  - {name: cloud, adapter: twilio, secrets: {auth_token: "12345"}}
  - {name: exchange, adapter: uis, secrets: {secret: s}}
"""
SITES, ASTERISK, TWILIO, UIS = "+74957000001", 0, 1, 2


@pytest.fixture
async def ringing(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    with worlds.still(database_url, tmp_path, SETUP) as world:
        yield world


def door(world: World, account: int = ASTERISK) -> str:
    return f"/telephony/v1/route/{world.applied.telephony[account]['path'].rpartition('/')[2]}"


async def asked(world: World, to: str) -> dict[str, Any]:
    answer = await world.web.get(door(world), params={"to": to, "from": "+79161234567"})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def test_the_nearest_word_about_a_number_counts(ringing: World) -> None:
    found = {}
    for to in ("111-00-02", "111-00-01", "222-00-01", "222-00-02", "111-00-03", "100-00-00", "100-00-01"):
        told = await asked(ringing, f"+7 495 {to}")
        found[to] = (told["destination"], told["kind"], told["said_by"], told["name"])
    assert found == {
        "111-00-02": ("102", "extension", "number", "main"),
        "111-00-01": ("sip:sales@pbx.example", "sip", "pool", "main"),
        "222-00-01": ("101", "extension", "placement", "billboard"),
        "222-00-02": (SITES, "phone", "site", "leaflet"),
        "111-00-03": (SITES, "phone", "site", "other"),
        "100-00-00": (SITES, "phone", "site", "okna"),
        "100-00-01": ("+74957000002", "phone", "site", "doors"),
    }


@pytest.mark.parametrize("to", ["84951110001", "74951110001", " 74951110001", "sip:74951110001@trunk.example"])
async def test_a_number_is_asked_for_in_any_spelling(ringing: World, to: str) -> None:
    assert (await asked(ringing, to))["to"] == "+74951110001"


@pytest.mark.parametrize(
    ("to", "destination"),
    [
        ("+74957770002", "+74957000002"),  # the second site's own number
        ("+74959999999", SITES),
        ("anonymous", SITES),
        ("", SITES),
        ("\x00", SITES),
        ("x" * 4_000, SITES),
    ],
)
async def test_a_number_that_is_none_of_ours_rings_at_its_site_or_the_first(
    ringing: World, to: str, destination: str
) -> None:
    told = await asked(ringing, to)
    assert (told["destination"], told["known"], told["said_by"]) == (destination, False, "fallback")


async def test_a_dialplan_reads_one_line(ringing: World) -> None:
    told = {"to": "+74952220001"}
    for answer in (
        await ringing.web.post(door(ringing), data=told, headers={"accept": "text/plain"}),
        await ringing.web.post(door(ringing, TWILIO), json={**told, "answer": "text"}),
    ):
        assert (answer.text, answer.headers["content-type"]) == ("101", "text/plain; charset=utf-8")


async def test_each_source_reads_what_it_documents(ringing: World) -> None:
    twilio = await ringing.web.post(door(ringing, TWILIO), data={"To": "+74952220002", "From": "+79161234567"})
    assert (twilio.headers["content-type"], f">{SITES}</Number>" in twilio.text) == ("text/xml; charset=utf-8", True)
    assert f'action="http://hub.test{ringing.applied.telephony[TWILIO]["path"]}/dial"' in twilio.text
    uis = await ringing.web.get(door(ringing, UIS), params={"numb": "74952220002", "numa": "79161234567"})
    assert uis.json() == {"phones": [SITES[1:]]}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"{" * 9_000, b"x" * 100_000])
async def test_a_question_that_cannot_be_read_is_answered_all_the_same(ringing: World, body: bytes) -> None:
    answer = await ringing.web.post(door(ringing), content=body)
    assert (answer.status_code, answer.json()["destination"]) == (200, SITES)


async def test_a_fault_of_ours_leaves_the_call_to_the_exchange(ringing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(type(ringing.hub.db), "read", broken)
    answer = await ringing.web.get(door(ringing), params={"to": "+74951110001"}, headers={"accept": "text/plain"})
    assert (answer.status_code, answer.text) == (200, "")


def test_the_token_of_the_address_is_not_logged() -> None:
    assert _shown("/telephony/v1/route/TOKEN") == "/telephony/v1/route/..."
    assert _shown("/telephony/TOKEN/events/call") == "/telephony/.../events/call"


async def test_an_account_that_is_not_there_is_refused(ringing: World) -> None:
    answer = await ringing.web.get("/telephony/v1/route/guessed", params={"to": "+74951110001"})
    assert (answer.status_code, answer.json()["error"]) == (404, "No telephony account has this path.")
    answer = await ringing.web.get("/telephony/v1/route/guessed", params={"to": "+74951110001", "answer": "text"})
    assert (answer.status_code, answer.text) == (404, "")


async def test_where_nothing_is_said_the_exchange_decides(database_url: str, tmp_path: Path) -> None:
    with worlds.still(database_url, tmp_path) as world:
        answer = (await world.web.get(door(world, 1), params={"to": "+74951110001"})).json()
        assert (answer["destination"], answer["known"], answer["said_by"]) == (None, True, "")
        await world.log_in()
        assert "Куда идут звонки" not in (await world.web.get("/sites")).text


async def test_applying_again_takes_back_what_is_not_said_any_more(ringing: World, tmp_path: Path) -> None:
    (tmp_path / "setup.yaml").write_text(SETUP.replace('{"+7 495 111-00-02": "102"}', "{}"), encoding="utf-8")
    again = read_setup(tmp_path / "setup.yaml")
    await ringing.hub.db.write(apply, *again, ringing.clock.now(), ringing.hub.vault)
    assert (await asked(ringing, "+74951110002"))["said_by"] == "pool"


async def test_the_page_of_sites_says_where_numbers_ring(ringing: World) -> None:
    await ringing.log_in()
    page = (await ringing.web.get("/sites")).text.replace("\u00a0", " ")
    said = ("sip:sales@pbx.example", "+7 495 700-00-01", "как у всего сайта", "звонки идут на 102")
    assert [one for one in said if one not in page] == []


async def test_a_pool_whose_numbers_ring_nowhere_is_pointed_at(database_url: str, tmp_path: Path) -> None:
    with worlds.still(database_url, tmp_path, SETUP.replace("destination: 8 495 700-00-01", "")) as world:
        await world.log_in()
        page = (await world.web.get("/sites")).text
        assert ("У 1 номера пула «other»" in page, "номера пула «main» не" in page) == (True, False)


@pytest.mark.parametrize(
    ("said", "wrong", "sentence"),
    [
        ('destination: "101"', "destination: nobody here", "is not a phone like"),
        ('"102"', '"${EXTEN}"', "is not a phone like"),
        ('{"+7 495 111-00-02":', '{"+7 495 999-00-02":', "names \\+74959990002, which is no tracking number"),
        ('destination: "101"', 'destination: "+7 495 111-00-01"', "\\+74951110001 is a tracking number itself"),
    ],
)
def test_a_destination_that_cannot_be_is_refused(tmp_path: Path, said: str, wrong: str, sentence: str) -> None:
    path = tmp_path / "setup.yaml"
    path.write_text(SETUP.replace(said, wrong), encoding="utf-8")
    with pytest.raises(SetupInvalid, match=rf"sites\.0.*{sentence}"):
        read_setup(path)
