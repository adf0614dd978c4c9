"""A placement with its days and cost: what it cost is in the report, and a call after its end says so."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hub import report
from hub.errors import SetupInvalid
from hub.setup_file import read_setup
from tests.hub import world as worlds
from tests.hub.test_rematch import rings
from tests.hub.world import World

BILLBOARD = "Щит на МКАД, source: billboard, campaign: mkad-42"
DAYS = "starts_on: 2026-11-01, ends_on: 2026-11-19"
NUMBER = "+74952220001"


@pytest.fixture
async def poster(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose billboard came down the day before, and cost 100.00 for its 19 days."""
    setup = worlds.SETUP.replace(BILLBOARD, f"{BILLBOARD}, {DAYS}, cost: 100")
    with worlds.still(database_url, tmp_path, setup) as world:
        yield world


async def told(world: World, first: date, last: date) -> Any:
    made = await report.roi(world.hub.db, 1, first, last)
    return next((row for row in made.rows if row.source == "billboard"), None)


async def test_the_report_has_what_the_placement_cost_on_its_days(poster: World) -> None:
    row = await told(poster, date(2026, 11, 18), date(2026, 11, 30))
    assert (row.campaign, row.spend_minor) == ("mkad-42", 2 * 526)  # 10000 = 19 * 526 + 6, the 6 on the first days
    assert (await told(poster, date(2026, 11, 1), date(2026, 11, 30))).spend_minor == 10_000


async def test_a_placement_that_stood_at_another_time_is_not_in_the_report(poster: World) -> None:
    assert await told(poster, date(2026, 11, 20), date(2026, 11, 30)) is None


async def test_imported_spend_of_the_same_source_is_added(poster: World) -> None:
    key = poster.applied.sites[0]["key"]
    headers = {"authorization": f"Bearer {poster.applied.api_token}"}
    body = b"day,source,campaign,cost,clicks\n2026-11-18,billboard,mkad-42,1.00,0\n"
    await poster.web.post("/api/v1/spend", params={"site": key}, content=body, headers=headers)
    assert (await told(poster, date(2026, 11, 18), date(2026, 11, 18))).spend_minor == 526 + 100


async def test_a_call_after_its_end_counts_for_it_and_says_so(poster: World) -> None:
    await rings(poster, "c1", NUMBER)
    row = await told(poster, date(2026, 11, 1), date(2026, 11, 30))
    assert (row.calls, row.spend_minor) == (1, 10_000)
    await poster.log_in()
    story = (await poster.web.get("/enquiries/1")).text
    assert "Размещение закончилось 19.11.2026" in story


async def test_its_days_and_cost_stand_on_the_page_of_sites(poster: World) -> None:
    await poster.log_in()
    page = (await poster.web.get("/sites")).text.replace("&nbsp;", " ").replace("\u00a0", " ")
    assert [said for said in ("01.11.2026 – 19.11.2026", "100,00 ₽") if said not in page] == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("cost: 100", "cost needs starts_on and ends_on"),
        ("starts_on: 2026-11-01, cost: 100", "cost needs starts_on and ends_on"),
        ("starts_on: 2026-11-02, ends_on: 2026-11-01", "ends_on is 2026-11-01, before starts_on, 2026-11-02"),
        (f"{DAYS}, cost: -1", "greater than or equal to 0"),
        (f"{DAYS}, cost: 1.005", "no more than 2 decimal places"),
        (f"{DAYS}, cost: dear", "valid decimal"),
    ],
)
def test_a_cost_that_cannot_be_spread_is_refused_with_its_line(tmp_path: Path, said: str, sentence: str) -> None:
    path = tmp_path / "setup.yaml"
    path.write_text(worlds.SETUP.replace(BILLBOARD, f"{BILLBOARD}, {said}"), encoding="utf-8")
    with pytest.raises(SetupInvalid, match=rf"setup.yaml:12: sites\.0\.placements.*{sentence}"):
        read_setup(path)
