"""The report page: figures, periods, order, and what it says when there is nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from hub import report
from hub.report import Line, Report, Source
from hub.store import tables
from hub.store.db import Db
from hub.store.tx import Tx
from hub.web.console.period import period_of
from hub.web.console.report_page import bars

spends, sites, visits, people, enquiries = (
    tables.table_of(model) for model in (tables.Spend, tables.Site, tables.Visit, tables.Person, tables.Enquiry)
)
TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)


def speak(tx: Tx, language: str) -> None:
    tx.execute(update(people).values(language=language))


async def page(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200
    return answer.text


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def table_of(html: str) -> str:
    return text_of(html[html.index("<tbody") : html.index("</table>")])


async def test_a_source_shows_what_it_cost_and_brought(owner: httpx.AsyncClient) -> None:
    table = table_of(await page(owner, "/"))
    assert "searchads 1 кампания 1 1 1 1 1 1 234 567,00 ₽ 30 000,00 ₽ 30 000,00 ₽ +4 015 %" in table
    assert "okna-brand 1 1 1 1 1 1 234 567,00 ₽" in table


async def test_the_totals_row_adds_up(owner: httpx.AsyncClient) -> None:
    total = "Итого 2 4 3 1 1 1 234 567,00 ₽ 30 000,00 ₽ 7 500,00 ₽ целевое 10 000,00 ₽ +4 015 %"
    assert total in table_of(await page(owner, "/"))


async def test_enquiries_of_nobody_are_a_row_of_their_own_with_an_explanation(owner: httpx.AsyncClient) -> None:
    table = table_of(await page(owner, "/"))
    assert "Источник неизвестен обращения, для которых не нашлось ни визита, ни размещения 0 2 1 0 0" in table


async def test_what_was_written_counts_beside_the_calls(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    form = {"kind": "form", "key": "f", "first_time": True, "qualified": False, "qualified_why": "", "at": NOON}
    await db.write(lambda tx: tx.execute(insert(enquiries).values(tenant_id=seeded.tenant, **form)))
    text = text_of(await page(owner, "/"))
    assert "Обращения 5 звонков 4" in text
    assert "Итого 2 5 звонков 4 3 1 1 1 234 567,00 ₽ 30 000,00 ₽ 6 000,00 ₽" in text


async def test_a_return_without_spend_is_a_dash(owner: httpx.AsyncClient) -> None:
    assert re.search(r"newsletter.*? 1 0 0 0 0 0,00 ₽ 0,00 ₽ — —", table_of(await page(owner, "/")))


async def test_the_formulas_are_on_the_page(owner: httpx.AsyncClient) -> None:
    text = text_of(await page(owner, "/"))
    assert "ROMI (выручка − расход) / расход" in text
    assert "CPL расход / обращения" in text


async def test_the_other_tenants_figures_are_not_here(owner: httpx.AsyncClient) -> None:
    assert "foreignads" not in await page(owner, "/")


async def test_a_heading_sorts_and_turns_the_order_around(owner: httpx.AsyncClient) -> None:
    down = table_of(await page(owner, "/?sort=visits&order=desc"))
    up = table_of(await page(owner, "/?sort=visits&order=asc"))
    assert down.index("searchads") < down.index("billboard")
    assert up.index("billboard") < up.index("searchads")
    assert 'aria-sort="ascending"' in await page(owner, "/?sort=visits&order=asc")


async def test_rows_without_a_figure_come_last_in_either_order(owner: httpx.AsyncClient) -> None:
    for order in ("asc", "desc"):
        table = table_of(await page(owner, f"/?sort=romi_percent&order={order}"))
        assert table.index("searchads") < table.index("newsletter")


async def test_sorting_keeps_the_period(owner: httpx.AsyncClient) -> None:
    html = await page(owner, "/?first=2026-11-18&last=2026-11-20")
    assert "?first=2026-11-18&amp;last=2026-11-20&amp;sort=visits&amp;order=desc#table-head" in html


@pytest.mark.parametrize("query", ["sort=nonsense", "sort=__class__", "order=x", "period=never"])
async def test_a_query_that_cannot_be_shows_the_default(owner: httpx.AsyncClient, query: str) -> None:
    assert "searchads" in await page(owner, f"/?{query}")


@pytest.mark.parametrize(
    ("first", "last", "trouble"),
    [
        ("2026-11-20", "2026-11-01", "Первый день позже последнего."),
        ("yesterday", "2026-11-01", "Даты не прочитались"),
        ("2026-11-01", "", "Даты не прочитались"),
        ("0001-01-01", "9999-12-31", "Даты не прочитались"),
    ],
)
async def test_days_that_cannot_be_are_said(owner: httpx.AsyncClient, first: str, last: str, trouble: str) -> None:
    text = text_of(await page(owner, f"/?first={first}&last={last}"))
    assert trouble in text
    assert "22.10.2026 – 20.11.2026" in text


async def test_days_without_anything_say_so(owner: httpx.AsyncClient) -> None:
    assert "За эти дни ничего не было" in await page(owner, "/?first=2020-01-01&last=2020-01-02")


@pytest.mark.parametrize(
    ("asked", "first"),
    [({}, date(2026, 10, 22)), ({"period": "week"}, date(2026, 11, 14)), ({"period": "today"}, TODAY)],
)
def test_a_period_ends_today(asked: dict[str, str], first: date) -> None:
    period = period_of(asked, TODAY)
    assert (period.first, period.last) == (first, TODAY)


async def test_the_report_has_the_same_total_by_campaign_and_by_source(db: Db, seeded: Any) -> None:
    made = await report.roi(db, seeded.tenant, date(2026, 11, 1), TODAY)
    assert sum(row.calls for row in made.rows) == sum(one.line.calls for one in made.sources) == made.total.calls == 4
    assert made.total.revenue_minor == 123_456_700


async def test_a_sources_line_is_the_sum_of_its_campaigns(db: Db, seeded: Any) -> None:
    def spend_on_another_campaign(tx: Tx) -> None:
        told = {"day": TODAY, "source": "searchads", "campaign": "second", "cost_minor": 500, "clicks": 1}
        site = tx.execute(select(sites.c.id).where(sites.c.tenant_id == seeded.tenant)).scalar_one()
        tx.execute(insert(spends).values(tenant_id=seeded.tenant, site_id=site, currency="RUB", **told))

    await db.write(spend_on_another_campaign)
    made = await report.roi(db, seeded.tenant, date(2026, 11, 1), TODAY)
    (ads,) = [one for one in made.sources if one.line.source == "searchads"]
    assert sorted(row.campaign for row in ads.campaigns) == ["okna-brand", "second"]
    assert ads.line.spend_minor == 3_000_500


# -- models


@pytest.fixture
async def came_twice(db: Db, seeded: Any) -> None:
    """Who called from the search advertisement came by the newsletter five days before."""

    def write(tx: Tx) -> None:
        (visit,) = tx.execute(select(visits).where(visits.c.tenant_id == seeded.tenant, visits.c.source == "searchads"))
        earlier = visit.started_at - timedelta(days=5)
        told = {**visit._asdict(), "source": "newsletter", "campaign": "november", "started_at": earlier}
        del told["id"]
        tx.execute(insert(visits).values(**told))

    await db.write(write)


@pytest.mark.usefixtures("came_twice")
async def test_a_model_divides_what_a_call_brought_and_says_what_it_was_by_the_last_touch(
    owner: httpx.AsyncClient,
) -> None:
    table = table_of(await page(owner, "/?model=linear"))
    assert "searchads 1 кампания 1 0,5 посл. 1 0,5 0,5 0,5 617 283,50 ₽ посл. 1 234 567,00 ₽" in table
    assert "newsletter 1 кампания 2 0,5 посл. 0 0,5 0,5 0,5 617 283,50 ₽ посл. 0,00 ₽" in table


@pytest.mark.usefixtures("came_twice")
async def test_by_the_last_touch_nothing_stands_beside(owner: httpx.AsyncClient) -> None:
    text = table_of(await page(owner, "/"))
    assert "searchads 1 кампания 1 1 1 1 1 1 234 567,00 ₽ 30 000,00 ₽" in text
    assert "посл." not in text


@pytest.mark.usefixtures("came_twice")
async def test_the_totals_are_the_same_by_every_model(owner: httpx.AsyncClient) -> None:
    for model in report.MODELS:
        assert "Итого 3 4 3 1 1 1 234 567,00 ₽ 30 000,00 ₽" in table_of(await page(owner, f"/?model={model}"))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", "Все касания поровну. Обращение и его сделки делятся поровну между всеми визитами за 90 дней до него."),
        (
            "en",
            "All touches alike. Each enquiry and its deals are divided alike between all visits of the 90 days before it.",
        ),
    ],
)
async def test_the_chosen_model_is_explained(owner: httpx.AsyncClient, db: Db, language: str, said: str) -> None:
    await db.write(speak, language)
    html = await page(owner, "/?model=linear")
    assert said in text_of(html)
    assert '<option value="linear" selected>' in html


async def test_markov_says_that_it_learned_from_few_journeys(owner: httpx.AsyncClient) -> None:
    assert "Модель училась на 3 путях: этого мало" in text_of(await page(owner, "/?model=markov"))
    assert "Модель училась" not in text_of(await page(owner, "/?model=linear"))


async def test_sorting_and_periods_keep_the_model(owner: httpx.AsyncClient) -> None:
    html = await page(owner, "/?period=week&model=linear")
    assert "?period=week&amp;model=linear&amp;sort=visits&amp;order=desc#table-head" in html
    assert 'href="/?period=today&amp;model=linear"' in html


async def test_a_model_that_is_not_there_is_the_last_touch(owner: httpx.AsyncClient) -> None:
    assert '<option value="last" selected>' in await page(owner, "/?model=best")


# -- the chart


def line(source: str, revenue: int, spend: int) -> Line:
    return Line(source, "", 0, 0, 0, 0, 0, 0, revenue, spend, None, None, None, None)


def test_bars_are_shares_of_the_longest() -> None:
    lines = [line("small", 50, 25), line("none", 0, 0), line("big", 100, 200)]
    made = Report(TODAY, TODAY, "UTC", (), tuple(Source(one, ()) for one in lines), line("", 150, 225))
    assert [(bar.source, bar.revenue_share, bar.spend_share) for bar in bars(made)] == [
        ("big", 50, 100),
        ("small", 25, 12.5),
    ]
