"""The panel alone: a bare page without jQuery, which may run no script but its own files, as a CRM's iframe shows it.

What a person sees of each answer is told by the tests of the widget; here is what another CRM's page relies on.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from connectors import panel
from tests.browser.embed_hub import NOBODY, enquiry, state

ORIGIN = "https://frame.example.com"
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; media-src https://hub.example.com"
LEAD = "GET cards/deal/L10"
EVIL = "<img src=x onerror=\"document.title='taken'\">"
_PAGE = """<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>CRM</title>
<link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/panel.css"></head><body><div id="root"></div>
<script src="/texts.js"></script><script src="/panel.js"></script><script src="/page.js"></script></body></html>"""
FILES = {
    "/": ("text/html", _PAGE),
    "/page.css": ("text/css", "div { display: block; }"),
    "/panel.css": ("text/css", panel.text("panel.css")),
    "/panel.js": ("text/javascript", panel.text("panel.js")),
    "/page.js": ("text/javascript", Path(__file__).with_name("panel_page.js").read_text(encoding="utf-8")),
}


def texts(words: panel.Words) -> tuple[str, str]:
    return "text/javascript", f"const texts = {json.dumps(words)};"


@pytest.fixture
def words() -> panel.Words:
    return panel.words("ru")


@pytest.fixture
async def frame(page: Page, words: panel.Words) -> AsyncIterator[Page]:
    """A page that has loaded the panel and shows nothing yet; nothing on it may be refused by its policy."""
    refused: list[str] = []

    async def fulfil(route: Route) -> None:
        files = {**FILES, "/texts.js": texts(words)}
        kind, body = files[route.request.url.removeprefix(ORIGIN)]
        headers = {"content-type": f"{kind}; charset=utf-8", "content-security-policy": CSP}
        await route.fulfill(body=body, headers=headers)

    page.on("console", lambda message: refused.append(message.text))
    await page.route(f"{ORIGIN}/**", fulfil)
    await page.goto(f"{ORIGIN}/")
    yield page
    assert refused == []


async def answers(frame: Page, key: str, what: Any) -> None:
    await frame.evaluate("given => answer(given)", [key, what])


async def refuses(frame: Page, key: str, what: Any) -> None:
    await frame.evaluate("given => answer([...given, 'reject'])", [key, what])


async def card(frame: Page, id: str = "L10", kind: str = "deal") -> None:  # noqa: A002
    await frame.evaluate("([kind, id]) => panel.card(root, kind, id)", [kind, id])


async def settings(frame: Page) -> None:
    await frame.evaluate("panel.settings(root)")


async def asked(frame: Page) -> list[str]:
    return [key for key, _ in await frame.evaluate("asked")]


async def comes_back(frame: Page) -> None:
    await frame.evaluate("void window.dispatchEvent(new Event('focus'))")


# -- the page


async def test_nothing_but_the_panel_is_there_to_help_it(frame: Page) -> None:
    assert await frame.evaluate("[typeof window.$, typeof window.jQuery, typeof window.define]") == ["undefined"] * 3


async def test_a_script_inside_the_page_would_not_run(page: Page) -> None:
    async def fulfil(route: Route) -> None:
        body = "<!doctype html><title>CRM</title><script>document.title = 'taken'</script>"
        await route.fulfill(body=body, headers={"content-type": "text/html", "content-security-policy": CSP})

    await page.route(f"{ORIGIN}/**", fulfil)
    await page.goto(f"{ORIGIN}/")
    assert await page.title() == "CRM"


# -- the card


async def test_a_lead_whose_id_has_a_letter_is_shown(frame: Page) -> None:
    await answers(frame, LEAD, {"enquiries": [enquiry(), enquiry(id=9, headline="Google / органика")]})
    await card(frame)
    await expect(frame.get_by_text("Обращений: 2")).to_be_visible()
    await expect(frame.locator(".cthub-headline")).to_have_text(["Яндекс.Директ / okna-msk", "Google / органика"])
    assert await frame.evaluate("asked") == [[LEAD, None]]


@pytest.mark.parametrize(("id", "path"), [("a/b ?#", "a%2Fb%20%3F%23"), ("Ж", "%D0%96"), ("0", "0")])
async def test_whatever_an_id_is_it_stays_one_step_of_the_path(frame: Page, id: str, path: str) -> None:  # noqa: A002
    await card(frame, id, "contact")
    assert await asked(frame) == [f"GET cards/contact/{path}"]


async def test_a_card_that_is_not_saved_says_so_and_asks_nobody(frame: Page) -> None:
    await card(frame, "")
    await expect(frame.locator("#root")).to_contain_text("Сделка ещё не сохранена")
    assert await asked(frame) == []


async def test_while_it_waits_it_says_so(frame: Page) -> None:
    await card(frame)
    await expect(frame.get_by_role("status")).to_have_text("Загружаем…")


async def test_an_answer_for_another_card_is_not_shown(frame: Page) -> None:
    await card(frame, "L9")
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await card(frame)
    await answers(frame, "GET cards/deal/L9", {"enquiries": [enquiry(headline="Google / органика")]})
    await expect(frame.locator(".cthub-headline")).to_have_text("Яндекс.Директ / okna-msk")


async def test_an_answer_after_the_panel_was_left_is_not_shown(frame: Page) -> None:
    await card(frame)
    await frame.evaluate("panel.leave()")
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await expect(frame.locator("#root")).to_have_text("Загружаем…")


async def test_a_correction_says_which_visit_and_taking_it_back_says_nothing(frame: Page) -> None:
    visit = "enquiries/12/visit"
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await answers(frame, f"POST {visit}", enquiry(headline="Google / органика", corrected=True))
    await answers(frame, f"DELETE {visit}", enquiry())
    await card(frame)
    await frame.get_by_role("button", name="Источник не тот?").click()
    await frame.get_by_role("button", name="26 минут до звонка").click()
    await expect(frame.get_by_text("Исправлено.")).to_be_visible()
    await frame.get_by_role("button", name="Вернуть, как было").click()
    await expect(frame.get_by_text("Исправление отменено.")).to_be_visible()
    assert await frame.evaluate("asked.slice(1)") == [[f"POST {visit}", {"visit": 30}], [f"DELETE {visit}", None]]


async def test_the_candidates_wait_behind_the_question_whatever_the_pages_own_style_is(frame: Page) -> None:
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await card(frame)
    question = frame.get_by_role("button", name="Источник не тот?")
    for shown in (False, True, False):
        await expect(frame.get_by_text("Кто это был на самом деле?")).to_be_visible(visible=shown)
        await expect(question).to_have_attribute("aria-expanded", str(shown).lower())
        await question.click()


# -- texts are text


async def test_nothing_the_hub_says_of_a_person_becomes_markup(frame: Page) -> None:
    call = {"answered": True, "talk_words": EVIL, "number": EVIL, "recording": "javascript:1"}
    step = {"at_words": EVIL, "title": EVIL, "url": "data:text/html,x"}
    said = {
        "headline": EVIL,
        "kind_words": EVIL,
        "source": [{"name": EVIL, "value": EVIL, "url": "javascript:1"}],
        "candidates": [{"visit": 1, "words": EVIL, "chosen": False}],
        "confidence": {"level": "__proto__ x", "words": EVIL, "percent": EVIL},
        "path": [step],
    }
    await answers(frame, LEAD, {"enquiries": [enquiry(call=call, **said)]})
    await card(frame)
    await expect(frame.locator(".cthub-headline")).to_have_text(EVIL)
    assert await frame.locator("#root :is(img, a, audio)").count() == 0


async def test_nothing_the_hub_says_of_an_account_becomes_markup(frame: Page) -> None:
    checks = [{"ok": False, "what": EVIL, "to_do": EVIL}]
    scenarios = [{"id": one, "name": EVIL, "chosen": True} for one in ("1", "2")]
    told = state(sentence=EVIL, to_do=EVIL, account={"name": EVIL}, checks=checks, scenarios=scenarios)
    await answers(frame, "GET state", told | {"connect_url": "javascript:1"})
    await settings(frame)
    await expect(frame.locator(".cthub-what")).to_have_text([EVIL, EVIL])
    assert await frame.locator("#root img").count() == 0
    assert await frame.locator("#root a").all_inner_texts() == ["Поддержка", "Конфиденциальность"]


async def test_what_a_refusal_says_is_no_markup(frame: Page) -> None:
    await refuses(frame, LEAD, {"status": 404, "said": {"error": EVIL}})
    await card(frame)
    await expect(frame.locator(".cthub-what")).to_have_text(EVIL)
    assert await frame.locator("#root img").count() == 0


# -- what was asked in vain


@pytest.mark.parametrize(
    ("problem", "what", "todo"),
    [
        ({"status": 404, "said": {"error": "Этой сделки хаб не знает."}}, "Этой сделки хаб не знает.", "могли удалить"),
        ({"status": 401, "said": None}, "не смог ответить (код 401)", "откроет настройки CallTracking Hub"),
        ({"status": 503, "said": "busy"}, "не смог ответить (код 503)", "Подождите минуту"),
        ({"status": 0, "said": None}, "Хаб hub.example.com не отвечает.", "Проверьте интернет"),
        (None, "Хаб hub.example.com не отвечает.", "Проверьте интернет"),
    ],
)
async def test_a_refusal_is_a_sentence_with_what_to_do(frame: Page, problem: Any, what: str, todo: str) -> None:
    await refuses(frame, LEAD, problem)
    await card(frame)
    await expect(frame.get_by_role("alert")).to_contain_text(what)
    await expect(frame.get_by_role("alert")).to_contain_text(todo)


@pytest.mark.parametrize("told", [None, "<h1>Log in to Wi-Fi</h1>", 7])
async def test_an_answer_that_is_none_is_like_a_refusal(frame: Page, told: Any) -> None:
    await answers(frame, LEAD, told)
    await card(frame)
    await expect(frame.get_by_role("alert")).to_contain_text("Хаб hub.example.com не смог ответить")


async def test_after_a_refusal_one_click_asks_for_the_same_card_again(frame: Page) -> None:
    await refuses(frame, LEAD, {"status": 500, "said": None})
    await card(frame)
    await expect(frame.get_by_role("alert")).to_be_visible()
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await frame.get_by_role("button", name="Попробовать ещё раз").click()
    await expect(frame.locator(".cthub-headline")).to_be_visible()
    assert await asked(frame) == [LEAD, LEAD]


async def test_a_correction_that_is_refused_can_be_tried_again(frame: Page) -> None:
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await refuses(frame, "POST enquiries/12/visit", {"status": 409, "said": {"error": "Уже исправлено."}})
    await card(frame)
    await frame.get_by_role("button", name="Источник не тот?").click()
    await frame.get_by_role("button", name="Никто из них").click()
    await expect(frame.get_by_role("alert")).to_contain_text("Уже исправлено.")
    await expect(frame.get_by_role("button", name="Никто из них")).to_be_enabled()
    await expect(frame.get_by_role("button", name="14 минут до звонка")).to_be_disabled()


# -- the settings


async def test_the_settings_show_the_account_and_take_a_scenario(frame: Page) -> None:
    chosen = [one | {"chosen": one["id"] == "2"} for one in state()["scenarios"]]
    await answers(frame, "GET state", state())
    await answers(frame, "POST scenario", state(scenarios=chosen))
    await settings(frame)
    await expect(frame.get_by_text("Аккаунт: Окна Ромашка")).to_be_visible()
    await frame.get_by_label("Всё попадает в «Неразобранное»").check()
    await expect(frame.get_by_text("Новые обращения пойдут по этому сценарию.")).to_be_visible()
    await expect(frame.get_by_label("Всё попадает в «Неразобранное»")).to_be_checked()
    assert await frame.evaluate("asked") == [["GET state", None], ["POST scenario", {"id": "2"}]]


async def test_a_scenario_that_is_refused_goes_back(frame: Page) -> None:
    await answers(frame, "GET state", state())
    await refuses(frame, "POST scenario", {"status": 403, "said": {"error": "Сценарий меняет администратор."}})
    await settings(frame)
    await frame.get_by_label("Всё попадает в «Неразобранное»").click()
    await expect(frame.get_by_role("alert")).to_contain_text("Сценарий меняет администратор.")
    await expect(frame.get_by_label("Звонок становится сделкой")).to_be_checked()
    await expect(frame.get_by_label("Всё попадает в «Неразобранное»")).to_be_enabled()


async def test_a_page_may_say_something_instead_and_then_nobody_is_asked(frame: Page) -> None:
    await frame.evaluate("panel.settings(root, () => ({ what: 'Ещё не установлено.', todo: 'Установите.' }))")
    await expect(frame.get_by_role("status")).to_have_text("Ещё не установлено.Установите.")
    await expect(frame.get_by_role("link", name="Поддержка")).to_be_visible()
    assert await asked(frame) == []


async def test_a_page_that_has_nothing_to_say_instead_lets_the_hub_be_asked(frame: Page) -> None:
    await frame.evaluate("panel.settings(root, () => null)")
    assert await asked(frame) == ["GET state"]


async def pressed_connect(frame: Page) -> None:
    await frame.context.route("https://hub.example.com/**", lambda route: route.fulfill(body="connect"))
    await answers(frame, "GET state", NOBODY)
    await settings(frame)
    async with frame.expect_popup() as opened:
        await frame.get_by_role("link", name="Подключить").click()
    await (await opened.value).close()


async def test_who_comes_back_from_connecting_sees_the_new_standing(frame: Page) -> None:
    await pressed_connect(frame)
    await answers(frame, "GET state", state())
    await comes_back(frame)
    await expect(frame.get_by_text("Аккаунт подключён, звонки становятся сделками.")).to_be_visible()
    before = await asked(frame)
    await comes_back(frame)
    assert await asked(frame) == before


@pytest.mark.parametrize("away", ["panel.leave()", "root.remove()"])
async def test_who_comes_back_when_the_settings_are_gone_asks_nobody(frame: Page, away: str) -> None:
    await pressed_connect(frame)
    before = await asked(frame)
    await frame.evaluate(away)
    await comes_back(frame)
    assert await asked(frame) == before


async def test_settings_that_were_opened_twice_ask_once_when_he_comes_back(frame: Page) -> None:
    await settings(frame)
    await pressed_connect(frame)
    before = await asked(frame)
    await comes_back(frame)
    assert await asked(frame) == [*before, "GET state"]


async def test_one_place_may_show_settings_and_then_a_card(frame: Page) -> None:
    await settings(frame)
    await expect(frame.locator("#root")).to_have_class("cthub cthub-settings")
    await card(frame)
    await expect(frame.locator("#root")).to_have_class("cthub")


# -- the height


async def height_told(frame: Page) -> int:
    """Wait until the page was told of the height the panel has now, and return it."""
    height = await frame.evaluate("root.offsetHeight")
    await expect(frame.locator("body")).to_have_attribute("data-height", str(height))
    return int(height)


async def test_the_page_is_told_when_the_panel_grows_and_shrinks(frame: Page) -> None:
    path, last = frame.get_by_text("Путь посетителя, шагов: 3"), frame.get_by_role("link", name="/kontakty")
    await answers(frame, LEAD, {"enquiries": [enquiry()]})
    await card(frame)
    await expect(path).to_be_visible()
    folded = await height_told(frame)
    await path.click()
    await expect(last).to_be_visible()
    assert await height_told(frame) > folded
    await path.click()
    await expect(last).to_be_hidden()
    assert await height_told(frame) == folded


async def test_a_panel_that_was_left_tells_nothing_more(frame: Page) -> None:
    await card(frame)
    before = await height_told(frame)
    await frame.evaluate("panel.leave(); root.replaceChildren()")
    await frame.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert await frame.evaluate("root.offsetHeight") < before
    await expect(frame.locator("body")).to_have_attribute("data-height", str(before))
