"""Regions of visits and callers through a real hub: rules that choose by them, and calls they decide."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.errors import HubError, SetupInvalid
from hub.inbox import look
from hub.places import Places, numbering_plan
from hub.setup_file import read_setup
from hub.store.tables import Visit, table_of
from tests.hub import mmdb, test_heat
from tests.hub import world as worlds
from tests.hub.mmdb import COUNTRY, KAZAN, MOSCOW, NAMED, ODD, UNKNOWN
from tests.hub.world import World

_visit = table_of(Visit)
MINUTE = 60
PLAN = "АВС/ DEF;От;До;Емкость;Оператор;Регион;ИНН\r\n917;2000000;2999999;1000000;О;Республика Татарстан;16\r\n917;x;y;;;;\r\n"
SETUP = worlds.SETUP.replace(
    "    placements:",
    """      - name: volga
        numbers: ["+7 843 111-00-06"]
    rules:
      - {name: volga, when: {region: [Татарстан]}, show: {main: {pool: volga}}}
    placements:""",
)
ONE_NUMBER = worlds.SETUP.replace(', "+7 495 111-00-02", "+7 495 111-00-03"', "").replace(
    "    pools:", "    hold_minutes: 1\n    pools:"
)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mmdb.written(tmp_path_factory.mktemp("geo") / "city.mmdb")


@contextmanager
def hub(url: str, folder: Path, database: Path, setup: str) -> Iterator[World]:
    (folder / "plan").mkdir()
    (folder / "plan" / "DEF-9xx.csv").write_text(PLAN, encoding="cp1251")
    with worlds.still(url, folder, setup, geo_database=database, numbering_plan=folder / "plan") as world:
        yield world


@pytest.fixture
async def site(database_url: str, tmp_path: Path, database: Path) -> AsyncIterator[World]:
    with hub(database_url, tmp_path, database, SETUP) as world:
        yield world


@pytest.fixture
async def narrow(database_url: str, tmp_path: Path, database: Path) -> AsyncIterator[World]:
    """A site with one number, free again a minute after its holder was last seen."""
    with hub(database_url, tmp_path, database, ONE_NUMBER) as world:
        yield world


async def visit(world: World, address: str, **told: Any) -> dict[str, Any]:
    """Open a page from an address; return what the script is told."""
    asked = {"site": world.applied.sites[0]["key"], "url": "https://okna.example/", "referrer": "", **told}
    transport = httpx.ASGITransport(world.app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=world.web.headers) as web:
        answer = await web.post("/dni/v1/visit", content=json.dumps(asked))
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown | shown["numbers"]["main"]


async def regions(world: World) -> list[str | None]:
    return await world.hub.db.read(lambda tx: list(tx.execute(select(_visit.c.region).order_by(_visit.c.id)).scalars()))


async def call(world: World, caller: str, dialled: str) -> dict[str, Any]:
    """Tell a call that begins now; return its match."""
    told = {"call_id": "c1", "event": "ringing", "at": world.clock.now().isoformat(), "dialled": dialled}
    assert (await world.generic(told | {"caller": caller}, "c1")).status_code == 200
    while await world.hub.db.write(look, world.clock.now(), world.hub.vault, world.hub.numbering) is not None:
        pass
    (found,) = (await world.api("calls"))["calls"]
    return dict(found["match"])


@pytest.mark.parametrize(
    ("address", "region"),
    [
        (MOSCOW, "RU-MOW"),
        (KAZAN, "RU-TA"),
        (NAMED, "RU-SVE"),
        (COUNTRY, "KZ"),
        (ODD, None),
        (UNKNOWN, None),
        ("nowhere", None),
        ("::1", None),
    ],
)
def test_an_address_has_the_region_the_database_says(database: Path, address: str, region: str | None) -> None:
    assert Places(database).region(address) == region


def test_without_a_database_no_address_has_a_region() -> None:
    assert Places().region(MOSCOW) is None


def test_a_database_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "city.mmdb").write_text("not one")
    with pytest.raises(HubError, match="HUB_GEO_DATABASE"):
        Places(tmp_path / "city.mmdb")


def test_a_plan_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="HUB_NUMBERING_PLAN"):
        numbering_plan(tmp_path / "nothing.csv")


def test_a_plan_without_a_line_that_can_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_bytes(b"\xff\x00nonsense")
    assert numbering_plan(tmp_path).region("+79161234567") is None


async def test_a_visit_keeps_the_region_it_began_with_and_its_number(site: World) -> None:
    first = await visit(site, KAZAN)
    again = await visit(site, MOSCOW, visitor=first["visitor"])
    assert (await regions(site), again["number"]) == (["RU-TA"], first["number"])


async def test_visitors_of_a_region_get_numbers_of_its_pool(site: World) -> None:
    shown = [(await visit(site, address))["number"] for address in (KAZAN, MOSCOW, UNKNOWN)]
    assert shown == ["+78431110006", "+74951110001", "+74951110002"]


async def of_three(world: World) -> list[dict[str, Any]]:
    """One from Moscow and two from Sverdlovsk leave, a minute after one another."""
    shown = []
    for address in (MOSCOW, NAMED, NAMED):
        shown.append(await visit(world, address))
        world.clock.forward(MINUTE)
    return shown


@pytest.mark.parametrize(("address", "given"), [(MOSCOW, 1), (NAMED, 0), (UNKNOWN, 0)])
async def test_a_visitor_gets_the_number_of_somebody_from_elsewhere(site: World, address: str, given: int) -> None:
    shown = await of_three(site)
    site.clock.forward(20 * MINUTE)
    assert (await visit(site, address))["number"] == shown[given]["number"]


async def test_who_has_called_is_known_by_his_phone_wherever_he_is_from(site: World) -> None:
    shown = await of_three(site)
    await test_heat.call(site, "c1", "+79160000001", shown[0]["number"])
    site.clock.forward(20 * MINUTE)
    assert (await visit(site, MOSCOW))["number"] == shown[0]["number"]


async def test_an_earlier_holder_from_the_same_region_counts_too(site: World) -> None:
    shown = await of_three(site)
    site.clock.forward(15 * MINUTE)
    taken = [(await visit(site, NAMED))["number"] for _ in shown]
    site.clock.forward(20 * MINUTE)
    assert taken == [one["number"] for one in shown]
    assert (await visit(site, MOSCOW))["number"] == taken[1]


async def test_of_who_did_not_consent_no_region_is_kept(site: World) -> None:
    await visit(site, KAZAN, consent="anonymous")
    assert await regions(site) == [None]


async def test_a_mobile_phone_tells_its_region_by_the_plan(site: World) -> None:
    shown = await visit(site, KAZAN)
    site.clock.forward(2 * MINUTE)
    found = await call(site, "+79172345678", shown["number"])
    assert found["words"].endswith("The caller's region is the visit's.")


@pytest.mark.parametrize(
    ("caller", "likely"),
    [("+79160000001", 0.9852), ("+74952000000", 0.9524)],  # of 0.147886 (and 0.3 of it), 0.001716 and 0.0005
)
async def test_the_worked_example_of_two_holders(narrow: World, caller: str, likely: float) -> None:
    """One last seen 25 min ago in Moscow, one 2 min ago in Kazan."""
    await visit(narrow, MOSCOW)
    narrow.clock.forward(23 * MINUTE)
    shown = await visit(narrow, KAZAN)
    narrow.clock.forward(2 * MINUTE)
    found = await call(narrow, caller, shown["number"])
    assert (found["visit"], found["confidence"]) == (shown["visit"], pytest.approx(likely, abs=5e-5))


@pytest.mark.parametrize(("caller", "named"), [("+78432000000", 0), ("+79160000001", 1)])
async def test_a_region_turns_the_answer_between_two_past_holders(narrow: World, caller: str, named: int) -> None:
    shown = [await visit(narrow, KAZAN)]
    narrow.clock.forward(2 * MINUTE)
    shown.append(await visit(narrow, MOSCOW))
    narrow.clock.forward(20 * MINUTE)
    assert (await call(narrow, caller, shown[0]["number"]))["visit"] == shown[named]["visit"]


async def test_the_story_tells_the_region_by_name(narrow: World) -> None:
    shown = await visit(narrow, KAZAN)
    await call(narrow, "+78432000000", shown["number"])
    await narrow.log_in()
    told = await narrow.web.get("/enquiries/1", headers={"accept-language": "ru"})
    assert "Республика Татарстан" in told.text


def test_a_region_nobody_knows_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "setup.yaml").write_text(SETUP.replace("Татарстан", "Казнь"), encoding="utf-8")
    with pytest.raises(SetupInvalid, match=r"'Казнь' is no region; allowed: a name like .* did you mean Казань"):
        read_setup(tmp_path / "setup.yaml")


def test_a_name_of_a_region_becomes_its_code(tmp_path: Path) -> None:
    (tmp_path / "setup.yaml").write_text(SETUP, encoding="utf-8")
    (tmp_path / "calls_to_deals.yaml").write_text(worlds.SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    asked, _ = read_setup(tmp_path / "setup.yaml")
    assert asked.sites[0].rules[0].when == {"region": ["RU-TA"]}
