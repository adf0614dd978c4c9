"""Who may come in, who may change something, and whose things are whose."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from hub.settings import Settings
from hub.store import health, people
from hub.store.db import Db

EMAIL, PASSWORD = "owner@example.com", "correct horse"


async def log_in(client: httpx.AsyncClient, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await client.post("/login", data={"email": EMAIL, "password": password, "next": "/enquiries"}, **more)


async def csrf_of(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/enquiries")).text)
    assert found
    return found.group(1)


# -- coming in


async def test_the_right_password_opens_the_page_that_was_asked_for(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await log_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/enquiries")
    assert (await browser.get("/enquiries")).status_code == 200


async def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(
    browser: httpx.AsyncClient, seeded: Any
) -> None:
    wrong = await log_in(browser, "wrong")
    unknown = await browser.post("/login", data={"email": "nobody@example.com", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert "Почта или пароль не подходят." in wrong.text
    assert "Почта или пароль не подходят." in unknown.text
    assert "set-cookie" not in wrong.headers


async def test_the_eleventh_try_in_a_minute_is_refused_even_with_the_right_password(
    browser: httpx.AsyncClient, seeded: Any
) -> None:
    for _ in range(10):
        assert (await log_in(browser, "wrong")).status_code == 401
    answer = await log_in(browser)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert "set-cookie" not in answer.headers


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: httpx.AsyncClient, seeded: Any) -> None:
    cookie = (await log_in(browser)).headers["set-cookie"]
    assert cookie.startswith("cthub=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_with_tls_the_cookie_is_bound_to_the_host(browser: httpx.AsyncClient, seeded: Any, hub: Any) -> None:
    hub.settings = Settings(public_url="https://hub.test")
    cookie = (await log_in(browser)).headers["set-cookie"]
    assert cookie.startswith("__Host-cthub=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
    ],
)
async def test_login_never_leads_to_another_site(browser: httpx.AsyncClient, seeded: Any, wanted: str) -> None:
    answer = await browser.post("/login", data={"email": EMAIL, "password": PASSWORD, "next": wanted})
    assert answer.headers["location"] == "/"


async def test_a_page_without_a_login_leads_to_the_login_and_back(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await browser.get("/enquiries?show=missed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fenquiries%3Fshow%3Dmissed")


async def test_a_session_ends_by_itself(owner: httpx.AsyncClient, clock: Any) -> None:
    clock.at += people.SESSION + timedelta(seconds=1)
    assert (await owner.get("/enquiries")).status_code == 303


async def test_logging_out_ends_the_session_everywhere(owner: httpx.AsyncClient) -> None:
    stolen = owner.cookies["cthub"]
    answer = await owner.post("/logout", data={"csrf": await csrf_of(owner)})
    assert answer.headers["location"] == "/login"
    owner.cookies.set("cthub", stolen)
    assert (await owner.get("/enquiries")).status_code == 303


@pytest.mark.parametrize("sent", [{"email": EMAIL}, {}, {"email": "x" * 5_000, "password": "\x00" * 5_000}])
async def test_a_login_that_cannot_be_is_refused(browser: httpx.AsyncClient, seeded: Any, sent: dict[str, str]) -> None:
    assert (await browser.post("/login", data=sent)).status_code == 401


async def test_a_login_form_with_files_is_refused(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await browser.post("/login", files={"email": ("a", b"x"), "password": ("b", b"y")})
    assert answer.status_code == 400


async def test_the_login_page_speaks_the_browsers_language(browser: httpx.AsyncClient, seeded: Any) -> None:
    assert "Электронная почта" in (await browser.get("/login")).text
    assert "E-mail" in (await browser.get("/login", headers={"accept-language": "en-GB"})).text
    assert "E-mail" in (await browser.get("/login?language=en")).text


# -- changing something


async def test_a_form_without_the_sessions_token_changes_nothing(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    for csrf in ({}, {"csrf": ""}, {"csrf": "ё"}, {"csrf": "x" * 40}):
        answer = await owner.post(f"/deliveries/{seeded.parked}/again", data=csrf)
        assert answer.status_code == 403
        assert "Форма устарела" in answer.text
    assert len(await db.read(health.waiting, seeded.tenant, "parked", 10)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://hub.test"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(
    owner: httpx.AsyncClient, db: Db, seeded: Any, headers: dict[str, str]
) -> None:
    csrf = {"csrf": await csrf_of(owner)}
    if "sec-fetch-site" not in headers:
        del owner.headers["sec-fetch-site"]
    answer = await owner.post(f"/deliveries/{seeded.parked}/again", data=csrf, headers=headers)
    assert answer.status_code == 403
    assert len(await db.read(health.waiting, seeded.tenant, "parked", 10)) == 1


async def test_another_site_cannot_log_a_browser_in(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await log_in(browser, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_an_old_browser_is_known_by_its_origin(owner: httpx.AsyncClient, seeded: Any) -> None:
    csrf = {"csrf": await csrf_of(owner)}
    del owner.headers["sec-fetch-site"]
    answer = await owner.post(f"/deliveries/{seeded.parked}/again", data=csrf, headers={"origin": "http://hub.test"})
    assert answer.status_code == 303


async def test_sending_again_puts_the_delivery_back_into_the_queue(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    answer = await owner.post(f"/deliveries/{seeded.parked}/again", data={"csrf": await csrf_of(owner)})
    assert answer.headers["location"] == "/deliveries?state=parked&done=again&n=1"
    waiting = await db.read(health.waiting, seeded.tenant, "ready", 10)
    assert seeded.parked in {one.id for one in waiting}
    assert "Поставлено в очередь: 1." in (await owner.get(answer.headers["location"])).text


async def test_sending_again_twice_says_that_it_was_sent(owner: httpx.AsyncClient, seeded: Any) -> None:
    csrf = {"csrf": await csrf_of(owner)}
    await owner.post(f"/deliveries/{seeded.parked}/again", data=csrf)
    answer = await owner.post(f"/deliveries/{seeded.parked}/again", data=csrf)
    assert "Здесь уже нечего решать" in (await owner.get(answer.headers["location"])).text


async def test_the_language_is_remembered(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    csrf = await csrf_of(owner)
    answer = await owner.post("/language", data={"csrf": csrf, "language": "en", "next": "/enquiries?show=missed"})
    assert answer.headers["location"] == "/enquiries?show=missed"
    assert '<html lang="en">' in (await owner.get("/enquiries")).text


async def test_a_language_we_do_not_speak_changes_nothing(owner: httpx.AsyncClient) -> None:
    await owner.post("/language", data={"csrf": await csrf_of(owner), "language": "xx"})
    assert '<html lang="ru">' in (await owner.get("/enquiries")).text


# -- whose is what


async def test_another_tenants_call_is_not_here(owner: httpx.AsyncClient, seeded: Any) -> None:
    answer = await owner.get(f"/enquiries/{seeded.foreign}")
    assert answer.status_code == 404
    assert "999" not in answer.text


async def test_another_tenants_delivery_is_not_here_and_stays_as_it_is(
    owner: httpx.AsyncClient, db: Db, seeded: Any
) -> None:
    csrf = {"csrf": await csrf_of(owner)}
    assert (await owner.post(f"/deliveries/{seeded.foreign_parked}/again", data=csrf)).status_code == 404
    assert [one.id for one in await db.read(health.waiting, seeded.stranger, "parked", 10)] == [seeded.foreign_parked]


async def test_no_list_shows_the_other_tenant(owner: httpx.AsyncClient) -> None:
    for path in ("/", "/enquiries", "/deliveries", "/connections"):
        html = (await owner.get(path)).text
        assert "***-**-99" not in html, path
        assert "dveri" not in html, path


@pytest.mark.parametrize("call_id", ["0", "-1", "abc", "1e3", "٣", "9" * 40])
async def test_an_id_that_cannot_be_is_not_here(owner: httpx.AsyncClient, call_id: str) -> None:
    assert (await owner.get(f"/enquiries/{call_id}")).status_code == 404


# -- when something goes wrong


async def test_an_error_page_names_the_request(owner: httpx.AsyncClient) -> None:
    answer = await owner.get("/nowhere")
    assert answer.status_code == 404
    assert "Такой страницы нет" in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_stranger_sees_the_error_without_the_menu(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await browser.get("/nowhere")
    assert answer.status_code == 404
    assert "/connections" not in answer.text


async def test_a_machine_gets_a_sentence_instead_of_a_page(browser: httpx.AsyncClient, seeded: Any) -> None:
    answer = await browser.get("/nowhere", headers={"accept": "application/json"})
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_bug_is_a_page_that_says_nothing_of_it(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hub.store.health.waiting", broken)
    answer = await owner.get("/deliveries")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_new_tenant_is_told_what_to_do_first(
    app: Starlette, browser: httpx.AsyncClient, db: Db, clock: Any
) -> None:
    tenant = await db.write(people.new_owner, "Новая", "new@example.com", "pw", clock.now())
    person = await db.read(people.owner, tenant)
    browser.cookies.set("cthub", await db.write(people.log_in, tenant, person, clock.now()))
    assert "Начните с четырёх шагов" in (await browser.get("/")).text
    assert "Обращений пока нет" in (await browser.get("/enquiries")).text
    assert "Подключить CRM" in (await browser.get("/deliveries")).text
    assert "Acme CRM ещё не подключён." in (await browser.get("/connections")).text
