"""The built widget in a real browser: what a person sees on a deal, on a contact and in the settings.

Account and hub are two https origins with their real names; the token, CORS and the sound of a recording are real.
"""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.amocrm_account import Account
from tests.browser.conftest import FLAGS, chromium
from tests.browser.embed_hub import ACCOUNT, HUB, NOBODY, EmbedHub, enquiry, state
from tests.browser.two_hosts import Host, Hosts, certificate, serving

DEAL, CONTACT = "deal/21000001", "contact/21000001"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    files = certificate(tmp_path_factory.mktemp("tls"))
    with serving(Host(), *files) as account, serving(Host(), *files) as hub:
        yield Hosts(account, hub)


@pytest.fixture(scope="module")
async def there(hosts: Hosts) -> AsyncIterator[Browser]:
    """A browser for which the names of account and hub lead to loopback."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium(playwright.chromium.executable_path),
            args=[*FLAGS, f"--host-resolver-rules={hosts.rules()}"],
        )
        yield launched
        await launched.close()


@pytest.fixture
async def page(there: Browser) -> AsyncIterator[Page]:
    """A page that may neither fail nor write to the console."""
    context = await there.new_context(ignore_https_errors=True, viewport={"width": 900, "height": 700})
    made = await context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: wrong.append(message.text) if message.type in ("log", "warning") else None)
    yield made
    await context.close()
    assert wrong == []


@pytest.fixture
def account(hosts: Hosts) -> Account:
    made = Account()
    hosts.account.app = made.app()
    return made


@pytest.fixture
def hub(hosts: Hosts, account: Account) -> Iterator[EmbedHub]:
    """A hub that knows one call of the deal and is connected."""
    made = EmbedHub(state=state(), cards={DEAL: [enquiry()]})
    hosts.hub.app = made.app()
    yield made
    for gate in made.gates.values():
        gate.set()


async def shown(page: Page) -> None:
    await page.goto(ACCOUNT)


# -- the deal


async def test_the_deal_says_where_the_call_came_from(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    panel = page.locator("#cthub-panel")
    await expect(panel.get_by_text("Звонок · 20 ноября, 9:30")).to_be_visible()
    await expect(panel.locator(".cthub-headline")).to_have_text("Яндекс.Директ / okna-msk")
    facts = await panel.locator(".cthub-fact").evaluate_all("all => all.map(one => [...one.children].map(x => x.textContent))")  # fmt: skip
    assert facts == [
        ["Источник", "yandex / cpc"],
        ["Кампания", "okna-msk"],
        ["Ключевая фраза", "пластиковые окна цена"],
        ["Посадочная страница", "/okna"],
    ]


async def test_the_deal_says_how_sure_the_hub_is(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    told = page.locator(".cthub-confidence")
    await expect(told).to_contain_text("Уверены: номер был показан только этому посетителю")
    await expect(told).to_contain_text("98 %")


async def test_without_a_figure_the_words_stand_alone(page: Page, hub: EmbedHub) -> None:
    words = {"level": "unknown", "words": "Не знаем: номер показывали многим", "percent": None}
    hub.cards[DEAL] = [enquiry(confidence=words)]
    await shown(page)
    await expect(page.locator(".cthub-confidence")).to_have_text("Не знаем: номер показывали многим")


async def test_the_landing_page_opens_in_a_window_that_knows_nothing_of_this_one(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    link = page.locator(".cthub-facts").get_by_role("link", name="/okna")
    await expect(link).to_have_attribute("href", "https://okna.example.com/okna")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_the_path_of_the_visit_unfolds(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    await expect(page.get_by_role("link", name="/kontakty")).to_be_hidden()
    await page.get_by_text("Путь посетителя, шагов: 3").click()
    await expect(page.get_by_role("link", name="/kontakty")).to_be_visible()


async def test_the_recording_plays(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    await expect(page.get_by_text("Разговор 1 мин 20 с")).to_be_visible()
    await expect(page.get_by_text("на номер +7 495 111-00-01")).to_be_visible()
    length = await page.locator("audio").evaluate("async one => { one.muted = true; await one.play(); return one.duration; }")  # fmt: skip
    assert length == 80


async def test_a_recording_that_is_gone_says_so(page: Page, hub: EmbedHub) -> None:
    hub.cards[DEAL] = [enquiry(call={**enquiry()["call"], "recording": f"{HUB}/recordings/gone.wav"})]
    await shown(page)
    await page.locator("audio").evaluate("one => one.load()")
    await page.locator("audio").evaluate("one => one.play().catch(() => 0)")
    await expect(page.get_by_role("alert")).to_contain_text("Запись не открылась.")


async def test_a_missed_call_has_no_player(page: Page, hub: EmbedHub) -> None:
    missed = {"answered": False, "talk_words": "", "number": "+7 495 111-00-01", "recording": None}
    hub.cards[DEAL] = [enquiry(call=missed)]
    await shown(page)
    await expect(page.get_by_text("Пропущенный звонок")).to_be_visible()
    await expect(page.locator("audio")).to_have_count(0)


async def test_an_answered_call_whose_length_nobody_knows_says_that_it_was_answered(page: Page, hub: EmbedHub) -> None:
    hub.cards[DEAL] = [enquiry(call={**enquiry()["call"], "talk_words": ""})]
    await shown(page)
    await expect(page.get_by_text("Звонок принят")).to_be_visible()


async def test_a_form_has_no_call(page: Page, hub: EmbedHub) -> None:
    hub.cards[DEAL] = [enquiry(kind="form", kind_words="Форма", call=None, candidates=[])]
    await shown(page)
    await expect(page.get_by_text("Форма · 20 ноября, 9:30")).to_be_visible()
    await expect(page.locator(".cthub-call")).to_have_count(0)
    await expect(page.get_by_text("Источник не тот?")).to_have_count(0)


async def test_nothing_the_hub_says_becomes_markup(page: Page, hub: EmbedHub) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\">"
    bad_link = {"name": evil, "value": "страница", "url": "javascript:document.title='taken'"}
    candidates = [{"visit": 1, "words": evil, "chosen": True}]
    call = {"answered": True, "talk_words": evil, "number": evil, "recording": "javascript:1"}
    words = {"level": "constructor", "words": evil, "percent": evil}
    step = {"at_words": evil, "title": evil, "url": "data:text/html,x"}
    hub.cards[DEAL] = [enquiry(headline=evil, kind_words=evil, source=[bad_link], candidates=candidates, call=call, confidence=words, path=[step])]  # fmt: skip
    await shown(page)
    await expect(page.locator(".cthub-headline")).to_have_text(evil)
    assert await page.locator("#cthub-panel :is(img, a, audio)").count() == 0
    assert await page.title() == "amoCRM"


async def test_a_deal_the_hub_does_not_know_says_why_and_offers_to_look_again(page: Page, hub: EmbedHub) -> None:
    hub.cards = {}
    await shown(page)
    await expect(page.get_by_text("У этой сделки нет обращений, о которых знает хаб.")).to_be_visible()
    hub.cards[DEAL] = [enquiry()]
    await page.get_by_role("button", name="Обновить").click()
    await expect(page.locator(".cthub-headline")).to_be_visible()


async def test_a_new_deal_says_that_it_is_not_saved_and_asks_nobody(
    page: Page, hub: EmbedHub, account: Account
) -> None:
    account.card = 0
    await shown(page)
    await expect(page.locator("#cthub-panel")).to_contain_text("Сделка ещё не сохранена")
    assert hub.asked == []


async def test_while_it_waits_it_says_so(page: Page, hub: EmbedHub) -> None:
    gate = hub.gates[f"cards/{DEAL}"] = threading.Event()
    await shown(page)
    await expect(page.get_by_role("status")).to_have_text("Загружаем…")
    gate.set()
    await expect(page.locator(".cthub-headline")).to_be_visible()


async def test_an_answer_that_comes_late_is_not_shown_on_another_card(page: Page, hub: EmbedHub) -> None:
    gate = hub.gates[f"cards/{DEAL}"] = threading.Event()
    hub.cards["deal/7"] = [enquiry(headline="Google / органика")]
    await shown(page)
    await expect(page.get_by_role("status")).to_be_visible()
    await page.evaluate("card.turn(7)")
    await expect(page.locator(".cthub-headline")).to_have_text("Google / органика")
    async with page.expect_response(f"**/cards/{DEAL}*"):
        gate.set()
    await expect(page.locator(".cthub-headline")).to_have_text("Google / органика")


async def test_a_card_of_another_kind_has_no_panel(page: Page, hub: EmbedHub, account: Account) -> None:
    account.area, account.entity = "companies_card", "companies"
    await shown(page)
    await expect(page.locator("h1")).to_have_text("ООО «Ромашка»")
    assert await page.locator("#cthub-panel").count() == 0
    assert hub.asked == []


async def test_every_request_names_the_language(page: Page, hub: EmbedHub, account: Account) -> None:
    account.lang = "en"
    await shown(page)
    await expect(page.get_by_text("Talked for")).to_be_visible()
    assert [one.lang for one in hub.asked] == ["en"]


async def test_the_page_around_it_looks_as_before(page: Page, hub: EmbedHub) -> None:
    look = (
        "all => all.map(one => { const s = getComputedStyle(one); return [s.margin, s.color, s.fontSize, s.display]; })"
    )
    around = page.locator(".deal *, .card-widgets__caption *")
    await shown(page)
    await expect(page.locator(".cthub-headline")).to_be_visible()
    with_widget = await around.evaluate_all(look)
    await page.evaluate("document.querySelectorAll('link, .cthub').forEach(one => one.remove())")
    assert await around.evaluate_all(look) == with_widget


# -- wrong source?


async def choose(page: Page, text: str) -> None:
    await page.get_by_role("button", name="Источник не тот?").click()
    await page.get_by_role("button", name=text).click()


async def test_another_candidate_is_chosen(page: Page, hub: EmbedHub) -> None:
    others = [one | {"chosen": one["visit"] == 30} for one in enquiry()["candidates"]]
    hub.corrected["POST 30"] = enquiry(headline="Google / органика", corrected=True, candidates=others)
    await shown(page)
    await choose(page, "26 минут до звонка, Google / органика")
    await expect(page.locator(".cthub-headline")).to_have_text("Google / органика")
    await expect(page.get_by_text("Исправлено.")).to_be_visible()
    assert (hub.asked[-1].method, hub.asked[-1].path, hub.asked[-1].said) == (
        "POST",
        "enquiries/12/visit",
        {"visit": 30},
    )


async def test_none_of_them_is_chosen(page: Page, hub: EmbedHub) -> None:
    others = [one | {"chosen": False} for one in enquiry()["candidates"]]
    hub.corrected["POST None"] = enquiry(headline="Источник неизвестен", corrected=True, candidates=others)
    await shown(page)
    await choose(page, "Никто из них")
    await expect(page.locator(".cthub-headline")).to_have_text("Источник неизвестен")
    assert hub.asked[-1].said == {"visit": None}
    await page.get_by_role("button", name="Источник не тот?").click()
    await expect(page.get_by_role("button", name="Никто из них")).to_be_disabled()


async def test_a_correction_is_taken_back(page: Page, hub: EmbedHub) -> None:
    hub.cards[DEAL] = [enquiry(headline="Google / органика", corrected=True)]
    hub.corrected["DELETE"] = enquiry()
    await shown(page)
    await expect(page.get_by_text("Источник исправил сотрудник.")).to_be_visible()
    await page.get_by_role("button", name="Вернуть, как было").click()
    await expect(page.locator(".cthub-headline")).to_have_text("Яндекс.Директ / okna-msk")
    await expect(page.get_by_role("button", name="Вернуть, как было")).to_have_count(0)
    await expect(page.get_by_text("Исправление отменено.")).to_be_visible()
    assert hub.paths()[-1] == "DELETE enquiries/12/visit"


async def test_who_is_chosen_now_cannot_be_chosen_again(page: Page, hub: EmbedHub) -> None:
    await shown(page)
    await page.get_by_role("button", name="Источник не тот?").click()
    await expect(page.get_by_role("button", name="14 минут до звонка")).to_be_disabled()
    await expect(page.get_by_role("button", name="Никто из них")).to_be_enabled()


async def test_a_correction_the_hub_refuses_says_why_and_can_be_tried_again(page: Page, hub: EmbedHub) -> None:
    hub.refuse["enquiries/12/visit"] = (409, {"error": "Обращение уже исправил другой сотрудник."})
    await shown(page)
    await choose(page, "Никто из них")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("Обращение уже исправил другой сотрудник.")
    await expect(alert).to_contain_text("Обновите страницу")
    await expect(page.get_by_role("button", name="Никто из них")).to_be_enabled()
    await expect(page.locator(".cthub-headline")).to_have_text("Яндекс.Директ / okna-msk")


async def test_a_double_click_corrects_once(page: Page, hub: EmbedHub) -> None:
    gate = hub.gates["enquiries/12/visit"] = threading.Event()
    hub.corrected["POST None"] = enquiry(corrected=True)
    await shown(page)
    await page.get_by_role("button", name="Источник не тот?").click()
    nobody = page.get_by_role("button", name="Никто из них")
    await nobody.dblclick(force=True)
    gate.set()
    await expect(page.get_by_text("Исправлено.")).to_be_visible()
    assert hub.paths().count("POST enquiries/12/visit") == 1


# -- failures


@pytest.mark.parametrize(
    ("status", "told", "what", "todo"),
    [
        (401, {"error": "Ключ устарел."}, "Ключ устарел.", "пусть администратор откроет настройки виджета"),
        (404, {"error": "Этой сделки хаб не знает."}, "Этой сделки хаб не знает.", "могли удалить"),
        (500, "<h1>Internal Server Error</h1>", "Хаб hub.example.com не смог ответить (код 500).", "Подождите минуту"),
        (502, "<h1>Bad gateway</h1>", "Хаб hub.example.com не смог ответить (код 502).", "Подождите минуту"),
        (200, "<h1>Log in to Wi-Fi</h1>", "Хаб hub.example.com не смог ответить", "Подождите минуту"),
        (418, {}, "Хаб hub.example.com не смог ответить (код 418).", "Подождите минуту"),
    ],
)
@pytest.mark.parametrize("passes", [True, False], ids=["all options", "documented options"])
async def test_a_failure_is_a_sentence_with_what_to_do(
    page: Page, hub: EmbedHub, account: Account, status: int, told: Any, what: str, todo: str, passes: bool
) -> None:
    account.passes = passes
    hub.refuse[f"cards/{DEAL}"] = (status, told)
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text(what)
    await expect(page.get_by_role("alert")).to_contain_text(todo)


async def test_after_a_failure_one_click_tries_again(page: Page, hub: EmbedHub) -> None:
    hub.refuse[f"cards/{DEAL}"] = (500, "")
    await shown(page)
    await expect(page.get_by_role("alert")).to_be_visible()
    hub.refuse.clear()
    await page.get_by_role("button", name="Попробовать ещё раз").click()
    await expect(page.locator(".cthub-headline")).to_be_visible()


async def test_a_hub_that_is_away_is_named(page: Page, hub: EmbedHub) -> None:
    await page.route(f"{HUB}/**", lambda route: route.abort("connectionrefused"))
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text("Хаб hub.example.com не отвечает.")


async def test_a_hub_that_does_not_let_this_account_in_is_like_one_that_is_away(page: Page, hub: EmbedHub) -> None:
    hub.origin = "https://other.amocrm.ru"
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text("Хаб hub.example.com не отвечает.")
    assert hub.asked == []


async def test_a_token_of_another_app_is_not_taken(page: Page, hub: EmbedHub, account: Account) -> None:
    account.secret = "another secret of thirty-two letters"
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text("Ключ amoCRM не подошёл к этому хабу.")
    assert hub.asked == []


# -- the contact


async def test_the_contact_shows_all_his_enquiries_and_the_newest_open(page: Page, hub: EmbedHub, account: Account) -> None:  # fmt: skip
    account.contact()
    hub.cards[CONTACT] = [enquiry(), enquiry(id=9, kind_words="Форма", headline="Google / органика", call=None)]
    await shown(page)
    await expect(page.get_by_text("Обращений: 2")).to_be_visible()
    await expect(page.locator(".cthub-headline")).to_have_text(["Яндекс.Директ / okna-msk", "Google / органика"])
    assert await page.locator(".cthub-enquiry").evaluate_all("all => all.map(one => one.open)") == [True, False]


async def test_a_correction_on_a_contact_changes_that_enquiry_alone(page: Page, hub: EmbedHub, account: Account) -> None:  # fmt: skip
    account.contact()
    hub.cards[CONTACT] = [enquiry(), enquiry(id=9, headline="Google / органика")]
    hub.corrected["POST None"] = enquiry(headline="Источник неизвестен", corrected=True)
    await shown(page)
    await choose(page, "Никто из них")
    await expect(page.locator(".cthub-headline")).to_have_text(["Источник неизвестен", "Google / органика"])


async def test_a_new_contact_says_that_it_is_not_saved(page: Page, hub: EmbedHub, account: Account) -> None:
    account.contact()
    account.card = 0
    await shown(page)
    await expect(page.locator("#cthub-panel")).to_contain_text("Контакт ещё не сохранён")


# -- settings


@pytest.fixture
def settings(account: Account, hub: EmbedHub) -> EmbedHub:
    account.settings()
    return hub


async def test_before_the_installation_it_says_what_to_press_and_asks_nobody(page: Page, settings: EmbedHub, account: Account) -> None:  # fmt: skip
    account.install = "install"
    await shown(page)
    await expect(page.locator("#cthub-settings")).to_contain_text("Нажмите «Установить»")
    assert settings.asked == []


async def test_after_the_installation_the_button_is_there(page: Page, settings: EmbedHub, account: Account) -> None:
    account.install = "install"
    settings.state = NOBODY
    await shown(page)
    await page.evaluate("card.install()")
    await expect(page.get_by_role("link", name="Подключить")).to_be_visible()


async def test_connecting_opens_the_hub_in_a_new_window(page: Page, settings: EmbedHub) -> None:
    settings.state = NOBODY
    await shown(page)
    await expect(page.get_by_text("Хаб ещё не подключён к этому аккаунту.")).to_be_visible()
    await expect(page.get_by_text("войдите в свой хаб")).to_be_visible()
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Подключить").click()
    assert (await opened.value).url == NOBODY["connect_url"]


async def test_coming_back_from_connecting_shows_the_new_standing(page: Page, settings: EmbedHub) -> None:
    settings.state = NOBODY
    await shown(page)
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Подключить").click()
    settings.state = state()
    await (await opened.value).close()
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(page.get_by_text("Аккаунт подключён, звонки становятся сделками.")).to_be_visible()


async def test_coming_back_without_connecting_asks_nobody(page: Page, settings: EmbedHub) -> None:
    await shown(page)
    await expect(page.get_by_text("Аккаунт подключён")).to_be_visible()
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert settings.paths() == ["GET state"]


async def test_access_that_is_gone_offers_to_connect_again(page: Page, settings: EmbedHub) -> None:
    settings.state = NOBODY | {"standing": "reauthorise", "sentence": "Доступ отозван.", "to_do": "Подключите заново."}
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text("Доступ отозван.")
    await expect(page.get_by_role("link", name="Подключить заново")).to_be_visible()


async def test_an_account_somebody_else_has_offers_no_button(page: Page, settings: EmbedHub) -> None:
    settings.state = NOBODY | {"standing": "taken", "sentence": "Аккаунт подключён к другой компании.", "connect_url": None}  # fmt: skip
    await shown(page)
    await expect(page.get_by_role("alert")).to_contain_text("Аккаунт подключён к другой компании.")
    await expect(page.get_by_role("link", name="Подключить")).to_have_count(0)


async def test_the_start_check_says_what_is_missing_and_what_to_do(page: Page, settings: EmbedHub) -> None:
    await shown(page)
    lines = page.locator(".cthub-checks li")
    await expect(lines.nth(0)).to_contain_text("В порядке:Права администратора есть")
    await expect(lines.nth(2)).to_contain_text("Не хватает:Неразобранное выключено в воронке «Продажи»")
    await expect(lines.nth(2)).to_contain_text("Включите его в настройках воронки")


async def test_a_scenario_is_chosen(page: Page, settings: EmbedHub) -> None:
    await shown(page)
    await page.get_by_label("Всё попадает в «Неразобранное»").check()
    await expect(page.get_by_text("Новые обращения пойдут по этому сценарию.")).to_be_visible()
    await expect(page.get_by_label("Всё попадает в «Неразобранное»")).to_be_checked()
    assert (settings.paths()[-1], settings.asked[-1].said) == ("POST scenario", {"id": "2"})


async def test_the_only_scenario_is_told_and_not_offered(page: Page, settings: EmbedHub) -> None:
    settings.state["scenarios"] = [{"id": "3", "name": "Сценарий из файла настройки, версия 3", "chosen": True}]
    await shown(page)
    await expect(page.get_by_text("Сценарий из файла настройки, версия 3")).to_be_visible()
    await expect(page.get_by_role("radio")).to_have_count(0)


async def test_a_scenario_chosen_by_somebody_without_the_right_goes_back(page: Page, settings: EmbedHub) -> None:
    settings.admin = False
    await shown(page)
    await page.get_by_label("Всё попадает в «Неразобранное»").click()
    await expect(page.get_by_role("alert")).to_contain_text("Сценарий меняет только администратор аккаунта.")
    await expect(page.get_by_label("Звонок становится сделкой")).to_be_checked()


async def test_the_test_button_says_what_came_of_it(page: Page, settings: EmbedHub) -> None:
    await shown(page)
    await page.get_by_role("button", name="Проверить сейчас").click()
    await expect(page.get_by_text("Аккаунт отвечает.")).to_be_visible()


async def test_a_test_that_fails_is_told_in_the_hubs_words(page: Page, settings: EmbedHub) -> None:
    settings.tested = {"ok": False, "sentence": "Аккаунт не оплачен: продлите его, звонки пока ждут."}
    await shown(page)
    await page.get_by_role("button", name="Проверить сейчас").click()
    await expect(page.get_by_role("alert")).to_contain_text("Аккаунт не оплачен")


async def test_settings_speak_english(page: Page, settings: EmbedHub, account: Account) -> None:
    account.lang = "en"
    await shown(page)
    await expect(page.get_by_role("heading", name="What was checked in the account")).to_be_visible()
    assert [one.lang for one in settings.asked] == ["en"]


async def test_help_and_privacy_are_one_click_away(page: Page, settings: EmbedHub) -> None:
    await shown(page)
    await expect(page.get_by_role("link", name="Поддержка")).to_have_attribute("href", f"{HUB}/support")
    await expect(page.get_by_role("link", name="Конфиденциальность")).to_have_attribute("href", f"{HUB}/privacy")
