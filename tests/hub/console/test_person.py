"""A story tells the person's path over his browsers and why; somebody may say that it is not the same person."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.store import ties
from hub.store.db import Db
from hub.store.evidence import Evidence
from hub.store.tables import Visit, table_of
from hub.store.tx import Tx
from tests.hub.console.conftest import NOW, call, match, site, visit
from tests.hub.console.test_pages import page, text_of
from tests.hub.console.test_session import csrf_of
from tracking_core.ties import MOST_VISITORS, Key, TieKind

PHONE = Key(TieKind.PHONE, "ivan")
_visit = table_of(Visit)


def visitor_of(tx: Tx, visit_id: int) -> int:
    return int(tx.execute(select(_visit.c.visitor_id).where(_visit.c.id == visit_id)).scalar_one())


def known(tx: Tx, tenant_id: int, visit_id: int, enquiry_id: int | None, key: Key = PHONE, days: int = 0) -> None:
    at = NOW - timedelta(days=days)
    ties.tell(tx, tenant_id, Evidence(enquiry_id, at), {(visitor_of(tx, visit_id), key)}, set(), NOW)


def write_ivan(tx: Tx, tenant_id: int) -> tuple[int, int]:
    """Ivan saw an ad on his telephone and called; a week later he called from his desktop. Return the calls."""
    here, calls = site(tx, tenant_id, "k9"), []
    account = 1
    for days, source in ((9, "mobileads"), (2, "newsletter")):
        came = visit(tx, tenant_id, here, source, "autumn", at=NOW - timedelta(days=days))
        calls.append(call(tx, tenant_id, account, f"ivan-{days}", NOW - timedelta(days=days, minutes=-5)))
        match(tx, tenant_id, calls[-1], "exclusive_lease", "", visit_id=came, confidence=0.95)
        known(tx, tenant_id, came, calls[-1], days=days)
    return calls[0], calls[1]


@pytest.fixture
def ivans(db: Db, seeded: Any) -> tuple[int, int]:
    return db.write_now(write_ivan, seeded.tenant)


async def say(client: httpx.AsyncClient, enquiry_id: int, what: str, visitor: object) -> httpx.Response:
    told = {"csrf": await csrf_of(client), "visitor": str(visitor)}
    return await client.post(f"/enquiries/{enquiry_id}/person/{what}", data=told)


def other_of(html: str) -> str:
    """Return the visitor that the page's only button is about."""
    (found,) = [part.split('"')[0] for part in html.split('name="visitor" value="')[1:]]
    return found


async def test_a_story_tells_the_visits_of_all_his_browsers_and_why(
    owner: httpx.AsyncClient, ivans: tuple[int, int]
) -> None:
    html = await page(owner, f"/enquiries/{ivans[1]}")
    text = text_of(html)
    assert "2 визита, браузеров: 2; считаем, что это один человек" in text
    assert text.index("mobileads") < text.rindex("newsletter")
    assert "Тот же телефон: звонок, 11.11.2026, 15:00" in text
    assert f'<a href="/enquiries/{ivans[0]}">' in html


async def test_said_not_to_be_the_same_person_they_are_two_and_it_is_written_who_said_it(
    owner: httpx.AsyncClient, ivans: tuple[int, int]
) -> None:
    html = await page(owner, f"/enquiries/{ivans[1]}")
    answer = await say(owner, ivans[1], "apart", other_of(html))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/enquiries/{ivans[1]}")
    text = text_of(await page(owner, f"/enquiries/{ivans[1]}"))
    assert "1 визит в этом браузере" in text
    assert "Отмечено: другой человек Другой браузер owner@example.com, 20.11.2026, 15:00" in text


async def test_what_was_said_is_taken_back_from_either_side(owner: httpx.AsyncClient, ivans: tuple[int, int]) -> None:
    other = other_of(await page(owner, f"/enquiries/{ivans[1]}"))
    await say(owner, ivans[1], "apart", other)
    assert "Браузер этого обращения" in text_of(await page(owner, f"/enquiries/{ivans[0]}"))
    await say(owner, ivans[0], "together", other)
    text = text_of(await page(owner, f"/enquiries/{ivans[1]}"))
    assert ("браузеров: 2" in text, "другой человек" in text.replace("Это другой человек", "")) == (True, False)


async def test_what_is_no_browser_of_his_changes_nothing(
    owner: httpx.AsyncClient, ivans: tuple[int, int], seeded: Any
) -> None:
    before = await page(owner, f"/enquiries/{ivans[1]}")
    for visitor in (1, 999):
        assert (await say(owner, ivans[1], "apart", visitor)).status_code == 303
    await say(owner, seeded.foreign, "apart", other_of(before))
    assert await page(owner, f"/enquiries/{ivans[1]}") == before


async def test_a_browser_that_cannot_be_is_not_here(owner: httpx.AsyncClient, ivans: tuple[int, int]) -> None:
    assert [(await say(owner, ivans[1], what, "x")).status_code for what in ("apart", "together")] == [404, 404]


async def test_a_form_without_the_sessions_token_changes_nothing(
    owner: httpx.AsyncClient, ivans: tuple[int, int]
) -> None:
    answer = await owner.post(f"/enquiries/{ivans[1]}/person/apart", data={"visitor": "1"})
    assert answer.status_code == 403


async def test_a_phone_of_too_many_browsers_is_said_to_join_nobody(
    owner: httpx.AsyncClient, db: Db, seeded: Any, ivans: tuple[int, int]
) -> None:
    def crowd(tx: Tx) -> None:
        for number in range(MOST_VISITORS):
            came = visit(tx, seeded.tenant, 1, "crowd", at=NOW - timedelta(days=1, minutes=number))
            known(tx, seeded.tenant, came, None)

    await db.write(crowd)
    text = text_of(await page(owner, f"/enquiries/{ivans[1]}"))
    assert "Этот телефон пришёл из разных браузеров, их 12. Он не одного человека и никого не объединяет." in text
    assert "браузеров: 2" not in text


async def test_an_enquiry_of_one_visit_tells_no_path(owner: httpx.AsyncClient, seeded: Any) -> None:
    assert "Путь человека" not in text_of(await page(owner, f"/enquiries/{seeded.answered}"))
