"""The page of sites and numbers says what stands on the pages, who holds the numbers, and which visits see what."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from sqlalchemy import delete, insert, select, update

from hub.settings import Settings
from hub.store import people, tables
from hub.store.db import Db
from hub.store.moment import to_micros
from hub.store.pages import Seen, save_seen
from hub.store.tx import Tx
from hub.store.vault import Vault
from hub.web.page_script import snippet

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HTTPS = "https://calls.example"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def db(db_on_each: Db) -> Db:
    return db_on_each


@pytest.fixture
def seeded(db: Db, vault: Vault, seed: Any) -> Any:
    return db.write_now(seed, vault)


@pytest.fixture
def public(hub: Any, owner: httpx.AsyncClient) -> None:
    """The hub has an address that pages on https can load from, where the session's cookie has another name."""
    hub.settings = Settings(public_url=HTTPS)
    owner.cookies.set("__Host-cthub", owner.cookies["cthub"])


def write(tx: Tx, model: Any, **values: Any) -> int:
    table = tables.table_of(model)
    made: int = tx.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
    return made


def here(tx: Tx, tenant_id: int) -> dict[str, int]:
    """Return the columns that say: of this tenant's site."""
    site = tables.table_of(tables.Site)
    found = tx.execute(select(site.c.id).where(site.c.tenant_id == tenant_id)).scalar_one()
    return {"tenant_id": tenant_id, "site_id": found}


def pool(tx: Tx, of: dict[str, int], name: str, free_at: list[int], **more: Any) -> None:
    pool_id = write(tx, tables.Pool, **of, name=name, **more)
    for place, free in enumerate(free_at):
        e164 = f"+7495{of['tenant_id']}{pool_id:02d}{place:04d}"
        write(tx, tables.TrackingNumber, **of, e164=e164, pool_id=pool_id, free_at=free)


def number_the_site(tx: Tx, tenant_id: int) -> None:
    """Give the site two groups, two pools, a placement with its number, and rules."""
    of, minute = here(tx, tenant_id), timedelta(minutes=1)
    write(tx, tables.Target, **of, e164="+74957770001", group_name="main", selectors=[])
    write(
        tx, tables.Target, **of, e164="+78007770002", group_name="free", selectors=[".phone-free"], mask="8 (###) ###-##-##"
    )  # fmt: skip
    pool(tx, of, "Общий", [to_micros(NOW + minute), to_micros(NOW - minute), 0, 0])
    pool(tx, of, "Реклама", [to_micros(NOW + minute)], overflow_number="+74951000005")
    km42 = write(
        tx, tables.Placement, **of, name="км 42", source="billboard", campaign="ring", starts_on=date(2026, 11, 1)
    )
    write(tx, tables.TrackingNumber, **of, e164="+74952220001", placement_id=km42)
    rules: list[tuple[str, Any, Any]] = [
        ("Письма", {"medium": ["email"]}, {"main": "own"}),
        ("Москва", {"channel": ["paid_search"], "campaign": ["msk_*", "mo_*"]}, {"main": {"pool": "Реклама"}}),
        ("Щит", {"landing": ["*/km42*"]}, {"main": {"placement": "км 42"}, "free": {"pool": "Старый"}}),
    ]
    for place, (name, conditions, shows) in reversed(list(enumerate(rules))):
        write(tx, tables.NumberRule, **of, place=place, name=name, conditions=conditions, shows=shows)


def see(tx: Tx, tenant_id: int, page: str, found: dict[str, int], images: int = 0, at: datetime = NOW) -> None:
    save_seen(tx, tenant_id, here(tx, tenant_id)["site_id"], Seen(page, found, images, at))


def see_three_pages(tx: Tx, tenant_id: int) -> None:
    see(tx, tenant_id, "okna.example/", {"main": 2, "free": 0}, at=NOW - timedelta(minutes=5))
    see(tx, tenant_id, "okna.example/about", {"main": 0, "free": 0}, at=NOW - timedelta(hours=1))
    see(tx, tenant_id, "okna.example/contacts", {"main": 0, "free": 0}, images=1, at=NOW - timedelta(days=1))


@pytest.fixture
async def numbered(db: Db, seeded: Any, public: None) -> None:
    await db.write(number_the_site, seeded.tenant)


@pytest.fixture
async def seen(db: Db, seeded: Any, numbered: None) -> None:
    await db.write(see_three_pages, seeded.tenant)


async def speak(client: httpx.AsyncClient, db: Db, seeded: Any, language: str) -> None:
    person = await db.read(people.owner, seeded.tenant)
    await db.write(people.set_language, seeded.tenant, person, language)


async def page(client: httpx.AsyncClient) -> str:
    answer = await client.get("/sites")
    assert answer.status_code == 200, answer.text
    return answer.text


async def text(client: httpx.AsyncClient) -> str:
    """What a person reads: no tags, one space."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", await page(client))))


async def test_nobody_sees_it_without_a_login(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/sites")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fsites")


async def test_it_stands_in_the_navigation_and_says_where_one_is(owner: httpx.AsyncClient) -> None:
    assert re.search(r'<a href="/sites" aria-current="page">.*Сайты<', await page(owner))


# -- the installation


async def test_the_line_to_paste_is_the_page_scripts_own(owner: httpx.AsyncClient, public: None) -> None:
    assert snippet(HTTPS, "k1") in unescape(await page(owner))


async def test_the_line_is_selected_whole_without_a_script(owner: httpx.AsyncClient) -> None:
    html, style = await page(owner), await owner.get("/static/console.css")
    assert '<code class="paste" tabindex="0"' in html
    assert re.search(r"\.paste \{[^}]*user-select: all", style.text)
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", html)


async def test_the_line_can_be_sent_by_letter(owner: httpx.AsyncClient, public: None) -> None:
    (letter,) = re.findall(r'href="(mailto:[^"]+)"', await page(owner))
    assert snippet(HTTPS, "k1") in unquote(unescape(letter))


async def test_a_script_nobody_saw_yet_is_told_with_what_to_do(owner: httpx.AsyncClient, numbered: None) -> None:
    said = await text(owner)
    assert "Site Ещё не видели" in said
    assert "Мы ещё не видели скрипт ни на одной странице. Поставьте строку ниже на каждую страницу" in said
    assert "Откройте страницу okna.example в браузере без блокировщика рекламы" in said
    assert "Дайте согласие на странице" not in said


async def test_a_site_that_waits_for_consent_says_to_agree(owner: httpx.AsyncClient, db: Db, numbered: None) -> None:
    site = tables.table_of(tables.Site)
    await db.write(lambda tx: tx.execute(update(site).values(consent="off")).rowcount)
    assert "Дайте согласие на странице" in await text(owner)


async def test_what_the_script_found_is_told_in_a_sentence(owner: httpx.AsyncClient, seen: None) -> None:
    said = await text(owner)
    assert "Мы видели ваш скрипт на 3 страницах, последний раз сегодня в 14:55. Ваши номера нашлись в 2 местах." in said
    assert "Site Нужно внимание" in said


async def test_what_the_script_found_is_told_in_english(
    owner: httpx.AsyncClient, db: Db, seeded: Any, seen: None
) -> None:
    await speak(owner, db, seeded, "en")
    said = await text(owner)
    assert "We saw your script on 3 pages, last time today at 14:55. It found your numbers in 2 places." in said
    assert "The number is a picture on: okna.example/contacts." in said


async def test_pages_are_listed_latest_first_with_what_stands_there(owner: httpx.AsyncClient, seen: None) -> None:
    said = await text(owner)
    home = said.index("okna.example/ в 2 местах main: 2 сегодня в 14:55")
    about = said.index("okna.example/about здесь нет сегодня в 14:00")
    contacts = said.index("okna.example/contacts номер картинкой, 1 19.11.2026, 15:00")
    assert home < about < contacts


async def test_a_number_that_is_a_picture_is_told_with_its_page(owner: httpx.AsyncClient, seen: None) -> None:
    assert "Номер стоит картинкой на: okna.example/contacts. Картинку скрипт заменить не может" in await text(owner)


async def test_many_pages_with_pictures_are_counted(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    for page_ in range(5):
        await db.write(see, seeded.tenant, f"okna.example/{page_}", {"main": 1, "free": 1}, 1)
    said = "картинкой на: okna.example/0, okna.example/1, okna.example/2 и ещё 2."
    assert said in await text(owner)


async def test_a_number_found_on_no_page_is_told_with_what_to_do(owner: httpx.AsyncClient, seen: None) -> None:
    said = await text(owner)
    assert "8 800 777-00-02 (группа free): ни на одной увиденной странице не нашлось." in said
    assert "+7 495 777-00-01 (группа main)" not in said


@pytest.mark.parametrize(("days", "is_told"), [(3, False), (4, True)])
async def test_a_script_that_fell_silent_is_told(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None, days: int, is_told: bool
) -> None:
    latest = NOW - timedelta(days=days)
    await db.write(see, seeded.tenant, "okna.example/", {"main": 1, "free": 1}, 0, latest)
    assert ("15:00 от скрипта ничего не было" in await text(owner)) is is_told


async def test_the_latest_twenty_pages_are_shown(owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None) -> None:
    def many(tx: Tx) -> None:
        for number in range(23):
            see(tx, seeded.tenant, f"okna.example/p{number:02d}.", {"main": 1}, at=NOW - timedelta(minutes=number))

    await db.write(many)
    said = await text(owner)
    assert "Показаны последние 20 из 23." in said
    assert ("p19." in said, "p20." in said) == (True, False)


async def test_a_site_where_all_is_well_works(owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None) -> None:
    await db.write(see, seeded.tenant, "okna.example/", {"main": 1, "free": 1})
    full = tables.table_of(tables.TrackingNumber)
    await db.write(lambda tx: tx.execute(update(full).values(free_at=0)).rowcount)
    said = await text(owner)
    assert "Site Работает" in said


async def test_an_address_that_https_pages_cannot_load_from_is_told(owner: httpx.AsyncClient) -> None:
    assert "Адрес хаба: http://hub.test. Страницы на https" in await text(owner)


# -- the numbers


async def test_a_pool_tells_its_numbers(owner: httpx.AsyncClient, numbered: None) -> None:
    said = await text(owner)
    assert "Общий main 4 1 3 0 2 +7 495 123-00-00" in said
    assert "Реклама main 1 1 0 0 0 +7 495 100-00-05" in said


async def test_a_number_is_free_from_the_moment_its_time_is_up(
    owner: httpx.AsyncClient, clock: Any, numbered: None
) -> None:
    clock.at = NOW + timedelta(minutes=1)
    assert "Общий main 4 0 4 0 2" in await text(owner)


async def test_a_full_pool_says_what_visitors_see_now(owner: httpx.AsyncClient, numbered: None) -> None:
    said = await text(owner)
    assert "В пуле «Реклама» нет свободных номеров: новые посетители видят +7 495 100-00-05" in said
    assert "В пуле «Общий» нет свободных" not in said


async def test_own_numbers_tell_group_selectors_and_mask(owner: httpx.AsyncClient, seen: None) -> None:
    said = await text(owner)
    assert "+7 495 777-00-01 main есть на 1 странице вся страница как на странице" in said
    assert "8 800 777-00-02 free не найден .phone-free 8 (###) ###-##-##" in said


async def test_placements_tell_their_number_and_days(owner: httpx.AsyncClient, numbered: None) -> None:
    said = await text(owner)
    assert "км 42 +7 495 222-00-01 billboard ring с 01.11.2026" in said
    assert "МКАД 25 — billboard любые" in said


async def test_a_site_without_targets_says_that_nothing_is_replaced(owner: httpx.AsyncClient) -> None:
    said = await text(owner)
    assert "Скрипт не знает, какие номера заменять, поэтому не заменяет ничего." in said
    assert "Пулов нет" in said
    assert "Какие визиты что видят" not in said


async def test_a_pool_whose_group_is_on_no_page_is_told(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    table = tables.table_of(tables.Pool)
    await db.write(lambda tx: tx.execute(update(table).where(table.c.name == "Общий").values(group_name="x")).rowcount)
    assert "Пул «Общий» никогда не показывается: ни один номер ваших страниц не входит в его группу x." in await text(
        owner
    )


async def test_a_group_that_nothing_stands_in_for_is_told(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    rule = tables.table_of(tables.NumberRule)
    await db.write(lambda tx: tx.execute(delete(rule)).rowcount)
    assert "Номера группы free никогда не заменяются" in await text(owner)


# -- the rules and the settings


async def test_rules_are_told_in_their_order_and_in_words(owner: httpx.AsyncClient, numbered: None) -> None:
    said = await text(owner)
    letters = said.index("Письма Если тип трафика: «email» main остаётся ваш номер")
    moscow = said.index(
        "Москва Если канал: «реклама в поиске» и кампания: «msk_*» или «mo_*» main номер из пула «Реклама»"
    )
    board = said.index("Щит Если страница входа: «*/km42*» main номер размещения «км 42»: +7 495 222-00-01")
    others = said.index("Все остальные визиты main номер из пула «Общий» free остаётся ваш номер")
    assert letters < moscow < board < others


async def test_without_rules_every_visit_sees_the_first_pool(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    rule = tables.table_of(tables.NumberRule)
    await db.write(lambda tx: tx.execute(delete(rule)).rowcount)
    said = await text(owner)
    assert "Правил нет: для всех визитов одно и то же. Любой визит main номер из пула «Общий»" in said


async def test_rules_are_told_in_english(owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None) -> None:
    await speak(owner, db, seeded, "en")
    said = await text(owner)
    assert "If channel is “paid search” and campaign is “msk_*” or “mo_*” main a number from the pool “Реклама”" in said


async def test_a_rule_by_region_names_it_and_says_that_nobody_has_one(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    rule = tables.table_of(tables.NumberRule)
    conditions = {"region": ["RU-TA", "RU-M*"]}
    await db.write(
        lambda tx: tx.execute(update(rule).where(rule.c.name == "Щит").values(conditions=conditions)).rowcount
    )
    said = await text(owner)
    assert "Щит Если регион: «Республика Татарстан» или «RU-M*»" in said
    assert "Эти правила выбирают по региону и не подходят никому, потому что регион визитов неизвестен: Щит." in said


async def test_a_rule_for_a_pool_that_is_gone_leaves_the_own_number(owner: httpx.AsyncClient, numbered: None) -> None:
    assert "free остаётся ваш номер: пула «Старый» больше нет" in await text(owner)


async def test_settings_are_told_in_words(owner: httpx.AsyncClient, db: Db) -> None:
    site = tables.table_of(tables.Site)
    told = {"mode": "intent", "consent": "anonymous", "hold_s": 720, "office": ["203.0.113.0/24"]}
    await db.write(lambda tx: tx.execute(update(site).values(**told)).rowcount)
    said = await text(owner)
    assert "Номер выдаётся когда посетитель тянется к номеру" in said
    assert "До согласия посетителя хранится только канал" in said
    assert "ещё 12 минут после последнего сигнала" in said
    assert "Сети офиса 203.0.113.0/24" in said


# -- whose it is, and what was written


async def test_nothing_of_another_tenant_is_shown(owner: httpx.AsyncClient, db: Db, seeded: Any, public: None) -> None:
    def theirs(tx: Tx) -> None:
        number_the_site(tx, seeded.stranger)
        see(tx, seeded.stranger, "dveri.example/", {"main": 1})

    before = await text(owner)
    await db.write(theirs)
    assert await text(owner) == before
    assert "/k2.js" not in await page(owner)


async def test_numbers_of_another_site_are_told_at_their_own(
    owner: httpx.AsyncClient, db: Db, seeded: Any, numbered: None
) -> None:
    second = {"key": "k3", "name": "Второй", "hosts": ["second.example"], "overflow_number": "+74951230009"}
    await db.write(lambda tx: write(tx, tables.Site, tenant_id=seeded.tenant, **second))
    said = await text(owner)
    assert "Общий" not in said[said.rindex("Второй") :]
    assert "second.example" in said


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_what_others_wrote_is_shown_as_text(owner: httpx.AsyncClient, db: Db, seeded: Any, language: str) -> None:
    def hostile(tx: Tx) -> None:
        of = here(tx, seeded.tenant)
        tx.execute(update(tables.table_of(tables.Site)).values(name=HOSTILE, hosts=[HOSTILE], office=[HOSTILE]))
        write(
            tx, tables.Target, **of, e164="+74957770001", group_name=HOSTILE, selectors=[HOSTILE], mask=HOSTILE + "{x}"
        )
        pool(tx, of, HOSTILE, [to_micros(NOW + timedelta(days=1))], group_name=HOSTILE)
        write(tx, tables.Placement, **of, name=HOSTILE, source=HOSTILE, campaign=HOSTILE)
        conditions = {"campaign": [HOSTILE], "{0.__class__}": ["{x}"]}
        shows = {HOSTILE: {"pool": HOSTILE}, "b": {"placement": HOSTILE}, "c": {"pool": "{x}"}}
        write(tx, tables.NumberRule, **of, place=0, name=HOSTILE, conditions=conditions, shows=shows)
        see(tx, seeded.tenant, HOSTILE, {HOSTILE: 1}, images=1)

    await speak(owner, db, seeded, language)
    await db.write(hostile)
    html = await page(owner)
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)") > 15


async def test_a_page_a_stranger_named_is_no_link(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    await db.write(see, seeded.tenant, "evil.example/", {})
    assert not re.search(r'href="[^"]*evil', await page(owner))


async def test_a_tenant_without_sites_is_told_how_to_begin(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    def no_site(tx: Tx) -> None:
        tx.execute(update(tables.table_of(tables.Site)).values(tenant_id=seeded.stranger))

    await db.write(no_site)
    said = await text(owner)
    assert "Сайтов пока нет" in said
    assert "cthub apply setup.yaml" in said


async def test_an_english_page_has_no_russian_but_what_the_customer_wrote(
    owner: httpx.AsyncClient, db: Db, seeded: Any, seen: None
) -> None:
    await speak(owner, db, seeded, "en")
    html = await page(owner)
    for own in ("Русский", "Окна Плюс", "МКАД 25", "Общий", "Реклама", "км 42", "Письма", "Москва", "Щит", "Старый"):
        html = html.replace(own, "")
    assert not re.search("[а-яё]+", html, re.IGNORECASE)


async def test_every_table_has_a_caption_and_nothing_is_loaded_from_elsewhere(
    owner: httpx.AsyncClient, seen: None
) -> None:
    html = await page(owner)
    assert html.count("<table") == html.count("<caption") == 4
    assert html.count("<h1") == 1
    loaded = re.findall(r'<(?:link|script|img|iframe|use|source)\b[^>]*\b(?:href|src)="([^"]*)"', html)
    assert all(address.startswith("/static/") for address in loaded)
