"""Every page says what it should, in both languages, and nothing of anybody else."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from connectors.protocol import Grant
from connectors.telling import Said
from hub.store import crm, people, tables
from hub.store.db import Db
from hub.store.said import pack
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.console.conftest import call

PAGES = (
    "/",
    "/report",
    "/goals",
    "/enquiries",
    "/deliveries",
    "/deliveries?state=delivered",
    "/connections",
    "/connections/acme/token",
    "/connections/1/requests",
    "/connections/1/conflicts",
)
STATES = ("ready", "sending", "accepted", "delivered", "parked", "dropped")
FILTERS = ("all", "missed", "written", "unmatched", "undelivered")


async def page(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def text_of(html: str) -> str:
    """What a person reads: no tags, one space."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def speak(client: httpx.AsyncClient, db: Db, seeded: Any, language: str) -> None:
    person = await db.read(people.owner, seeded.tenant)
    await db.write(people.set_language, seeded.tenant, person, language)


def paths_of(seeded: Any) -> list[str]:
    calls = [f"/enquiries/{one}" for one in (seeded.answered, seeded.missed, seeded.billboard, seeded.hidden)]
    shown = [f"/enquiries?show={name}" for name in FILTERS]
    return [*PAGES, *calls, *shown, *(f"/deliveries?state={state}" for state in STATES)]


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_every_page_renders_in_each_language(
    owner: httpx.AsyncClient, db: Db, seeded: Any, language: str
) -> None:
    await speak(owner, db, seeded, language)
    for path in paths_of(seeded):
        assert f'<html lang="{language}">' in await page(owner, path), path


async def test_an_english_page_has_no_russian_but_what_the_customer_wrote(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    await speak(owner, db, seeded, "en")
    own = ("Русский", "Окна Плюс", "МКАД 25", "АТС", "пластиковые окна", "Звонок", "Перезвонить", "В работе")
    for path in paths_of(seeded):
        text = await page(owner, path)
        for words in own:
            text = text.replace(words, "")
        assert not re.search("[а-яё]+", text, re.IGNORECASE), path


async def test_no_page_loads_anything_from_another_host(owner: httpx.AsyncClient, seeded: Any) -> None:
    for path in paths_of(seeded):
        loaded = re.findall(
            r'<(?:link|script|img|iframe|use|source)\b[^>]*\b(?:href|src)="([^"]*)"', await page(owner, path)
        )
        assert loaded, path
        assert all(address.startswith("/static/") for address in loaded), path


async def test_the_only_foreign_addresses_are_the_customers_own_crm(owner: httpx.AsyncClient, seeded: Any) -> None:
    for path in paths_of(seeded):
        addresses = set(re.findall(r"https?://[^\"'\s<]+", await page(owner, path)))
        assert addresses <= {"https://okna.example/deals/771"}, path


async def test_pages_need_neither_scripts_nor_inline_styles(owner: httpx.AsyncClient, seeded: Any) -> None:
    for path in paths_of(seeded):
        html = await page(owner, path)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", html), path


async def test_the_style_sheet_loads_nothing(browser: httpx.AsyncClient) -> None:
    style = await page(browser, "/static/console.css")
    assert not re.search(r"@import|url\(|https?:", style)


async def test_every_field_has_a_label_and_every_table_a_caption(owner: httpx.AsyncClient, seeded: Any) -> None:
    for path in paths_of(seeded):
        html = await page(owner, path)
        fields = re.findall(r'<input(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', html)
        assert all(f'<label for="{name}"' in html for name in fields), path
        assert html.count("<table") == html.count("<caption"), path
        assert html.count("<h1") == 1, path


async def test_pages_are_not_kept_by_caches(owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/enquiries")).headers["cache-control"] == "no-store"


async def test_what_a_person_wrote_is_shown_as_text(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    placement = tables.table_of(tables.Placement)
    await db.write(lambda tx: tx.execute(update(placement).values(name="<script>alert(1)</script>")).rowcount)
    html = await page(owner, "/enquiries")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)" in html


async def test_a_link_that_is_no_web_address_is_not_a_link(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    deal = tables.table_of(tables.Deal)
    await db.write(lambda tx: tx.execute(update(deal).values(url="javascript:alert(1)")).rowcount)
    assert "javascript:" not in await page(owner, f"/enquiries/{seeded.answered}")


# -- calls


async def test_the_list_shows_source_confidence_and_deal(owner: httpx.AsyncClient) -> None:
    text = text_of(await page(owner, "/enquiries"))
    assert "searchads okna-brand реклама в поиске Точно · 94 % номер видел только он" in text
    assert "сделка 771 выиграна 1 234 567,00 ₽" in text
    assert "Отвечен разговор 2 мин 05 с" in text


async def test_the_list_is_newest_first(owner: httpx.AsyncClient, seeded: Any) -> None:
    shown = re.findall(r'class="time" href="/enquiries/(\d+)"', await page(owner, "/enquiries"))
    assert [int(one) for one in shown] == [seeded.hidden, seeded.billboard, seeded.missed, seeded.answered]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("missed", ["missed"]),
        ("unmatched", ["hidden", "missed"]),
        ("undelivered", ["billboard", "missed"]),
        ("nonsense", ["hidden", "billboard", "missed", "answered"]),
    ],
)
async def test_a_filter_shows_what_it_says(
    owner: httpx.AsyncClient, seeded: Any, shown: str, expected: list[str]
) -> None:
    found = re.findall(r'class="time" href="/enquiries/(\d+)"', await page(owner, f"/enquiries?show={shown}"))
    assert [int(one) for one in found] == [getattr(seeded, name) for name in expected]


async def test_paging_goes_on_after_the_given_call(owner: httpx.AsyncClient, seeded: Any) -> None:
    found = re.findall(r'class="time" href="/enquiries/(\d+)"', await page(owner, f"/enquiries?before={seeded.missed}"))
    assert [int(one) for one in found] == [seeded.answered]


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30, "%00", "²"])
async def test_a_page_that_cannot_be_is_the_first_or_empty(owner: httpx.AsyncClient, before: str) -> None:
    assert (await owner.get(f"/enquiries?before={before}")).status_code == 200


async def test_the_callers_number_is_masked(owner: httpx.AsyncClient, seeded: Any) -> None:
    for path in paths_of(seeded):
        assert "9161234567" not in re.sub(r"[\s()-]", "", text_of(await page(owner, path))), path


async def test_a_story_tells_the_match_its_reason_and_who_else(owner: httpx.AsyncClient, seeded: Any) -> None:
    text = text_of(await page(owner, f"/enquiries/{seeded.answered}"))
    assert "В момент звонка номер был закреплён только за этим посетителем; был на сайте за 5 мин до звонка." in text
    assert "Кто ещё это мог быть 4 % newsletter · november" in text
    assert "Разговор длился 125 с, засчитывается от 30 с." in text


async def test_a_story_tells_the_plan_and_each_try(owner: httpx.AsyncClient, seeded: Any) -> None:
    text = text_of(await page(owner, f"/enquiries/{seeded.missed}"))
    assert "Если человека нет в CRM создать сделку «Звонок +7 916 ***-**-67»" in text
    assert "поставить задачу «Перезвонить +7 916 ***-**-67» на 15 мин" in text
    assert "14:10:00 попытка 1: отказ · CRM не приняла эти данные" in text


async def test_a_story_names_the_stage_a_deal_is_moved_to(owner: httpx.AsyncClient, seeded: Any) -> None:
    text = text_of(await page(owner, f"/enquiries/{seeded.missed}"))
    assert "передвинуть сделку на этап «В работе»" in text


async def test_what_a_delivery_left_undone_is_told_in_the_readers_language(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    deliveries = tables.table_of(tables.Delivery)
    undone = update(deliveries).values(sentence=pack(Said("no_source")))
    await db.write(lambda tx: tx.execute(undone.where(deliveries.c.state == "delivered")).rowcount)
    text = text_of(await page(owner, f"/enquiries/{seeded.answered}"))
    assert "Нет поля для источника. Подключите ещё раз." in text


async def test_a_story_whose_plan_does_not_open_is_told_without_it(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    delivery = tables.table_of(tables.Delivery)
    await db.write(lambda tx: tx.execute(update(delivery).values(plan=b"\x01\x02k9")).rowcount)
    text = text_of(await page(owner, f"/enquiries/{seeded.missed}"))
    assert "План зашифрован ключом, которого у хаба больше нет." in text


async def test_a_missed_call_says_when_he_was_called_back(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    enquiries, calls = tables.table_of(tables.Enquiry), tables.table_of(tables.Call)

    def call_back(tx: Tx) -> int:
        missed = (calls.c.tenant_id == seeded.tenant, calls.c.enquiry_id == seeded.missed)
        account, ended_at = tx.execute(select(calls.c.account_id, calls.c.ended_at).where(*missed)).one()
        tx.execute(update(enquiries).where(enquiries.c.id == seeded.missed).values(phone_key="k"))
        at = ended_at + timedelta(minutes=4)
        return call(tx, seeded.tenant, account, "back", at, direction="outbound", phone_key="k", talk_s=70)

    assert "Перезвонили ещё нет" in text_of(await page(owner, f"/enquiries/{seeded.missed}"))
    back = await db.write(call_back)
    html = await page(owner, f"/enquiries/{seeded.missed}")
    assert f'href="/enquiries/{back}"' in html
    assert "Перезвонили через 4 мин 00 с разговор 1 мин 10 с" in text_of(html)


async def test_a_corrected_match_is_told(owner: httpx.AsyncClient, db: Db, seeded: Any, clock: Any) -> None:
    def correct(tx: Tx) -> None:
        match = tables.table_of(tables.Match)
        tx.execute(update(match).where(match.c.enquiry_id == seeded.missed).values(superseded_at=clock.now()))

    await db.write(correct)
    text = text_of(await page(owner, f"/enquiries/{seeded.missed}"))
    assert "До 20.11.2026, 15:00 считалось иначе: номер никто не видел или слишком давно." in text


# -- deliveries and connections


async def test_what_needs_a_person_is_shown_first_with_its_reason(owner: httpx.AsyncClient, seeded: Any) -> None:
    html = await page(owner, "/deliveries")
    assert "Остановлено: CRM не приняла эти данные. The field SOURCE was deleted in the account." in text_of(html)
    assert f'action="/deliveries/{seeded.parked}/again"' in html


async def test_a_waiting_delivery_says_when_it_is_tried(owner: httpx.AsyncClient) -> None:
    assert "Попытка 2 будет сегодня в 15:10." in text_of(await page(owner, "/deliveries?state=ready"))


@pytest.mark.parametrize(
    ("installation", "lane", "delivery", "said"),
    [
        ({"status": "reauthorise"}, {}, {}, "Ждёт, пока вы снова подключите аккаунт."),
        ({"status": "removed"}, {}, {}, "Аккаунт отключён."),
        ({}, {"hold_why": "throttled: slow down"}, {}, "Аккаунт на паузе до: сегодня в 15:05."),
        ({}, {}, {"due_at": timedelta()}, "Уйдёт сейчас."),
        ({}, {}, {"in_doubt": True}, "Неизвестно, дошла ли прошлая попытка: сегодня в 15:10"),
        ({}, {}, {"order_key": "same"}, "Ждёт, пока уйдёт прошлый звонок этого же человека."),
    ],
)
async def test_a_waiting_delivery_says_what_it_waits_for(
    owner: httpx.AsyncClient,
    db: Db,
    clock: Any,
    installation: dict[str, Any],
    lane: dict[str, Any],
    delivery: dict[str, Any],
    said: str,
) -> None:
    def arrange(tx: Tx) -> None:
        held = {"hold_until": clock.now() + timedelta(minutes=5)}
        tx.execute(update(tables.table_of(tables.Lane)).values(**lane, **held))
        if installation:
            tx.execute(update(tables.table_of(tables.Installation)).values(**installation))
        table = tables.table_of(tables.Delivery)
        told = {name: clock.now() + value if name == "due_at" else value for name, value in delivery.items()}
        if told:
            tx.execute(update(table).where(table.c.state == "ready").values(**told))
        if "order_key" in told:
            earlier = clock.now() - timedelta(hours=3)
            tx.execute(
                update(table).where(table.c.state == "delivered").values(**told, state="ready", position=earlier)
            )

    await db.write(arrange)
    assert said in text_of(await page(owner, "/deliveries?state=ready"))


async def test_a_connection_shows_its_warnings_and_next_reading(owner: httpx.AsyncClient) -> None:
    text = text_of(await page(owner, "/connections"))
    assert "Acme CRM" in text
    assert "Окна Плюс Работает" in text
    assert "Нет поля для источника. Подключите ещё раз." in text
    assert "Следующее чтение сделок сегодня в 15:01" in text


@pytest.mark.parametrize(("language", "caveat"), [("ru", "Только у сделок."), ("en", "Only on deals.")])
async def test_what_a_connector_can_do_is_told_in_the_readers_language(
    owner: httpx.AsyncClient, db: Db, seeded: Any, language: str, caveat: str
) -> None:
    await speak(owner, db, seeded, language)
    assert caveat in text_of(await page(owner, "/connections"))


async def test_connecting_is_a_form_with_the_sessions_token(owner: httpx.AsyncClient) -> None:
    html = await page(owner, "/connections")
    assert re.search(r'action="/connect/acme">\s*<input type="hidden" name="csrf" value="[\w-]{20,}">', html)


async def test_a_connector_without_a_registration_says_what_to_do(owner: httpx.AsyncClient, hub: Any) -> None:
    hub.apps = {}
    html = await page(owner, "/connections")
    assert "/connect/acme" not in html
    assert "задайте его ключи в HUB_APPS под именем acme" in text_of(html)


async def test_a_lost_login_at_the_vendor_is_said_everywhere(owner: httpx.AsyncClient, db: Db) -> None:
    table = tables.table_of(tables.Installation)
    await db.write(lambda tx: tx.execute(update(table).values(status="reauthorise", reason="revoked")).rowcount)
    assert "1 подключение не работает" in text_of(await page(owner, "/enquiries"))
    assert "Подключить снова" in text_of(await page(owner, "/connections"))


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        ({}, "его отозвали в CRM или приложение там отключили. Подключите аккаунт снова"),
        ({"in_doubt": True}, "Ответ CRM на продление доступа потерялся"),
        ({"refresh_token": None}, "Доступ по токену закончился"),
    ],
)
async def test_a_connection_without_access_says_why_and_what_to_do(
    owner: httpx.AsyncClient, db: Db, seeded: Any, clock: Any, grant: dict[str, Any], said: str
) -> None:
    def arrange(tx: Tx) -> None:
        (of,) = crm.installations(tx, seeded.tenant)
        kept = Grant(of.account, of.host, "access", "refresh", clock.now())
        crm.save_grant(tx, of.tenant_id, of.id, kept, Vault({"k1": b"1" * 32}))
        crm.set_status(tx, of.tenant_id, of.id, crm.REAUTHORISE, "")
        if grant:
            tx.execute(update(tables.table_of(tables.Grant)).values(**grant))

    await db.write(arrange)
    assert said in text_of(await page(owner, "/connections"))
