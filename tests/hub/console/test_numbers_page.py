"""The page of a pool's plan says in one sentence what to do, and shows it as a picture and a table."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.pool_plan import Advice, PoolPlan, Queueing, Replayable, Trial
from hub.store import people, tables
from hub.store.db import Db
from hub.store.tx import Tx
from hub.web.console import numbers_page, numbers_told
from hub.web.console.formats import Formats
from hub.web.console.numbers_page import picture
from hub.web.words import LANGUAGES, Words
from tests.hub.crowd import write
from tests.hub.seed import NOW


def trial(numbers: int, right: float, on_intent: bool = False, hold_s: int = 600) -> Trial:
    return Trial(numbers, hold_s, on_intent, right, wrong=0.05, unknown=0.95 - right, overflow=0.02)


NOW_IT_IS, ADVISED = trial(12, 0.8), trial(24, 0.91)
REPLAYED = Replayable(
    2_200, 96, NOW - timedelta(days=30), NOW, busiest=60, is_simulated=False, is_cut=False, tells_reveals=True, sure=96,
    left_out=0,
)  # fmt: skip
PLAN = PoolPlan(
    site="okna", key="k1", pool="Общий", right=0.9, replayed=REPLAYED, queueing=Queueing(60, 4, 14, 0.1, 23),
    now=NOW_IT_IS,
    trials=(NOW_IT_IS, ADVISED, trial(12, 0.85, on_intent=True), trial(24, 0.93, on_intent=True)),
    other_hold=trial(12, 0.82, hold_s=180), fewest=24, fewest_on_intent=24, advice=Advice.MORE, advised=ADVISED,
)  # fmt: skip


def formats(language: str = "en") -> Formats:
    return Formats(Words(language), "UTC", "RUB")


def replayed(**facts: Any) -> list[str]:
    """What a plan says it rests on, with other facts of what was replayed."""
    return list(numbers_told.notes(formats(), replace(PLAN, replayed=replace(REPLAYED, **facts))))


# -- the sentences


def test_the_advice_names_the_numbers_and_what_they_bring() -> None:
    said = "You need 24 numbers instead of 12: 91.0% of the calls then go to the right visitor, now 80.0%."
    assert numbers_told.advice(formats(), PLAN) == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("advice", Advice)
@pytest.mark.parametrize("numbers", [1, 2, 5])
def test_every_advice_is_said_in_both_languages(language: str, advice: Advice, numbers: int) -> None:
    said = numbers_told.advice(formats(language), replace(PLAN, advice=advice, advised=trial(numbers, 0.91)))
    assert re.search(rf"\b{numbers}\b", said)
    assert "{" not in said


def test_recorded_days_are_told_with_their_figures() -> None:
    assert "Your own visits (2,200) and calls (96) from 21 Oct 2026 to 20 Nov 2026 were replayed." in replayed()


def test_simulated_days_are_called_so_and_not_the_sites_own() -> None:
    said = replayed(first=None, last=None, is_simulated=True, tells_reveals=False, sure=7)
    assert said[0].startswith("These days are simulated, for 50 calls whose caller is sure are needed and yours are 7.")
    assert not [one for one in said if "Your own visits" in one or "supposed" in one]


def test_calls_without_a_sure_caller_are_counted_with_what_they_may_cost() -> None:
    (said,) = [one for one in replayed(left_out=32) if "no sure caller" in one]
    assert said.startswith("32 calls of these days")
    assert said.endswith("today's pool has at least 60.0% right.")


@pytest.mark.parametrize(
    ("facts", "sign"),
    [
        ({"is_cut": True}, "Only the latest visits"),
        ({"tells_reveals": False}, "is supposed"),
        ({"left_out": 1}, "1 call of"),
    ],
    ids=["cut", "supposed", "left out"],
)
def test_what_limits_the_answer_is_said_only_where_it_does(facts: dict[str, Any], sign: str) -> None:
    assert any(sign in one for one in replayed(**facts))
    assert not any(sign in one for one in replayed())


# -- the picture


def test_a_higher_share_stands_higher() -> None:
    first, last = picture(PLAN).curves[False]
    assert first.top > last.top
    assert first.left < last.left


def test_the_accuracy_asked_for_has_its_line_between_the_pools_around_it() -> None:
    drawn = picture(PLAN)
    below, above = drawn.curves[False]
    assert above.top < drawn.asked[0] < below.top


@pytest.mark.parametrize("lowest", [0.0, 0.15, 0.5, 0.8, 0.95, 1.0])
def test_every_pool_is_inside_the_picture(lowest: float) -> None:
    drawn = picture(replace(PLAN, trials=(trial(2, lowest), *PLAN.trials)))
    tops = [mark.top for marks in drawn.curves.values() for mark in marks]
    assert drawn.rungs[0][0] <= min(tops)
    assert max(tops) <= drawn.rungs[-1][0] == drawn.bottom
    assert len(drawn.rungs) <= 7


def test_a_single_size_is_drawn() -> None:
    assert len(picture(replace(PLAN, trials=(NOW_IT_IS,))).curves[False]) == 1


# -- the page


@pytest.fixture
async def pooled(db: Db, seeded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's site has a pool of one number and no calls to it; a few simulated visits are enough to see the page."""
    monkeypatch.setattr(numbers_page, "_VISITS", 200)
    await db.write(give_pool, seeded.tenant, "Общий")


def give_pool(tx: Tx, tenant_id: int, name: str) -> None:
    site = tables.table_of(tables.Site)
    site_id = tx.execute(select(site.c.id).where(site.c.tenant_id == tenant_id)).scalar_one()
    of = {"tenant_id": tenant_id, "site_id": site_id}
    write(tx, tables.TrackingNumber, **of, e164=f"number of {name}", pool_id=write(tx, tables.Pool, **of, name=name))


async def text(client: httpx.AsyncClient, path: str = "/sites/k1/numbers") -> str:
    """What a person reads: no tags, one space."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def test_nobody_sees_it_without_a_login(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/sites/k1/numbers")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fsites%2Fk1%2Fnumbers")


async def test_the_page_of_sites_leads_to_it(owner: httpx.AsyncClient, pooled: None) -> None:
    assert 'href="/sites/k1/numbers"' in (await owner.get("/sites")).text


@pytest.mark.parametrize(
    "path", ["/sites/k9/numbers", "/sites/k2/numbers", "/sites/k1/numbers?pool=x"], ids=["unknown", "another's", "pool"]
)
async def test_what_the_tenant_does_not_have_is_not_here(owner: httpx.AsyncClient, pooled: None, path: str) -> None:
    assert (await owner.get(path)).status_code == 404


async def test_a_site_without_a_pool_is_told_where_to_describe_one(owner: httpx.AsyncClient) -> None:
    assert "Пулов пока нет" in await text(owner)


async def test_it_says_what_to_do_and_on_what_it_rests(owner: httpx.AsyncClient, pooled: None) -> None:
    told = await text(owner)
    assert re.search(r"(Нуж\w+|Выдавайте|Ни один из этих пулов)", told)
    assert "Эти дни смоделированы: нужно 50 звонков" in told
    assert "сейчас" in told


async def test_it_says_how_visitors_call(owner: httpx.AsyncClient, pooled: None) -> None:
    assert "Как звонят ваши посетители Ваши звонки ещё не изучены" in await text(owner)


async def test_it_says_so_in_the_readers_language(owner: httpx.AsyncClient, pooled: None, db: Db, seeded: Any) -> None:
    person = await db.read(people.owner, seeded.tenant)
    await db.write(people.set_language, seeded.tenant, person, "en")
    told = await text(owner)
    assert "These days are simulated, for 50 calls" in told
    assert not re.search("[а-яё]", told.replace("Общий", "").replace("Русский", "").replace("Окна Плюс", ""))


async def test_the_picture_can_be_read_without_seeing_it(owner: httpx.AsyncClient, pooled: None) -> None:
    shown = (await owner.get("/sites/k1/numbers")).text
    (drawn,) = re.findall(r'<svg class="chart curves".*?</svg>', shown, re.DOTALL)
    ids = re.search(r'aria-labelledby="([^"]+)"', drawn)
    assert ids is not None
    assert [one for one in ids[1].split() if f'id="{one}"' not in drawn] == []
    sizes = re.findall(r'<th scope="row"><span>(\d+)', shown)
    (words,) = re.findall(r"<desc[^>]*>(.*?)</desc>", drawn, re.DOTALL)
    assert [one for one in sizes if not re.search(rf"\b{one} для ", words)] == []


async def test_each_pool_has_its_own_plan(owner: httpx.AsyncClient, pooled: None, db: Db, seeded: Any) -> None:
    await db.write(give_pool, seeded.tenant, '"><script>alert(1)</script>')
    first, second = await text(owner), await text(owner, '/sites/k1/numbers?pool="><script>alert(1)</script>')
    assert "пула «Общий»" in first
    assert 'пула «"><script>alert(1)</script>»' in second
    assert "<script>alert" not in (await owner.get("/sites/k1/numbers")).text
