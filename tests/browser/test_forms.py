"""What people write into a site's forms reaches the hub once, with their visit, and nothing else of the form does."""

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import ASK_VISIT, BLOCKED, ENQUIRIES, SWAPPED, Scene, settled
from tests.browser.test_script import DANGEROUS

SMALL = 5_120  # bytes, compressed
# A form that stays on its page, as those of frameworks do: the site's own code sends it, after us.
STAYS = "<script>addEventListener('submit', (event) => event.preventDefault())</script>"
PHONE = '<input name="phone">'
ORDER = f"""<form id="order"><input name="user-name" placeholder="Ваше имя">{PHONE}
<input type="email" name="mail"><textarea name="comment"></textarea><button>Заказать</button></form>"""
WRITTEN = {"user-name": "Анна", "phone": "8 (916) 123-45-67", "mail": "anna@mail.example", "comment": "Окно 2 x 1,5"}
COUNTED = """window.asked = 0;
const inner = window.fetch;
window.fetch = (address, ...rest) => {
    if (address.endsWith("/enquiry")) window.asked++;
    return inner(address, ...rest);
};"""
KEPT = "JSON.parse(localStorage._cth_e || '[]').map((one) => one.said.id)"


@pytest.fixture
def forms(scene: Scene) -> Scene:
    """A site that loads the second script; its one form stays on its page."""
    scene.takes_enquiries()
    scene.pages["index"] += STAYS + ORDER
    scene.pages["thanks"] = '<p id="phone">+7 (495) 111-22-33</p>'
    return scene


async def fill(page: Page, written: Mapping[str, str]) -> None:
    for name, text in written.items():
        await page.locator(f"[name={name}]").fill(text)


async def send(page: Page, scene: Scene, written: Mapping[str, str] = WRITTEN) -> None:
    """Fill the form of the site's page in, and send it, once the visit is known."""
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await fill(page, written)
    await page.click("button")


async def told(page: Page, scene: Scene, forms: str) -> list[Mapping[str, Any]]:
    """Return what the hub hears, in any order, when each of these forms is sent."""
    scene.pages["index"] = f'<p id="phone">+7 (495) 111-22-33</p>{STAYS}{forms}'
    await page.add_init_script(COUNTED)
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.eval_on_selector_all("form", "forms => forms.forEach((form) => form.requestSubmit())")
    asked = await page.evaluate("new Promise((done) => setTimeout(() => done(window.asked)))")
    return list(await scene.hears("enquiry", times=asked))


# -- the script as a file


def test_the_script_is_small() -> None:
    assert len(gzip.compress(ENQUIRIES.read_bytes())) <= SMALL


def test_the_script_makes_no_code_or_markup_out_of_text() -> None:
    text = ENQUIRIES.read_text(encoding="utf-8")
    assert [word for word in DANGEROUS if re.search(rf"(?<![\w.]){word}\b|\.{word}\b", text)] == []


# -- what is told


async def test_a_form_is_told_with_the_visit_and_the_page(page: Page, forms: Scene) -> None:
    await send(page, forms)
    (said,) = await forms.hears("enquiry")
    assert len(said.pop("id")) >= 16
    assert said == forms.letter(
        "form", phone="8 (916) 123-45-67", email="anna@mail.example", name="Анна", company="", text="Окно 2 x 1,5"
    )


async def test_the_pages_query_stays_in_the_browser(page: Page, forms: Scene) -> None:
    await page.goto(forms.url("index?email=a@b.example#token=1"))
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await fill(page, WRITTEN)
    await page.click("button")
    (said,) = await forms.hears("enquiry")
    assert said["page"] == forms.url()


PHONE_FIELDS = {
    "type": '<input type="tel" name="x">',
    "autocomplete": '<input autocomplete="shipping tel-national" name="x">',
    "inputmode": '<input inputmode="tel" name="x">',
    "name": '<input name="clientPhone">',
    "camel_case": '<input name="userTel">',
    "id": '<input id="form-phone" name="x">',
    "placeholder": '<input placeholder="Ваш телефон" name="x">',
    "label": '<label for="f7">Моб. для связи</label><input id="f7" name="x">',
    "label_around": '<label>Mobile <input name="x"></label>',
    "number": '<input type="number" name="phone">',
}


async def test_a_phone_is_found_by_any_of_its_signs(page: Page, forms: Scene) -> None:
    """Each form names its sign in its text."""
    named = [
        f"<form>{field.replace('<input', '<input value=4951112233')}<textarea>{sign}</textarea></form>"
        for sign, field in PHONE_FIELDS.items()
    ]
    heard = await told(page, forms, "".join(named))
    assert {said["text"]: said["phone"] for said in heard} == dict.fromkeys(PHONE_FIELDS, "4951112233")


async def test_a_phone_without_any_sign_is_found_by_its_look(page: Page, forms: Scene) -> None:
    looks = ["89161234567", "+7 916 123-45-67", "(495) 111-22-33", "8-495-111-22-33", "+44 20 7946 0000"]
    heard = await told(page, forms, "".join(f'<form><input name="field" value="{look}"></form>' for look in looks))
    assert sorted(said["phone"] for said in heard) == sorted(looks)


OTHERS = {
    "taxpayer_number": '<form><input name="inn" value="7701234567"></form>',
    "order_number": '<form><input name="order" value="4951112233"></form>',
    "part_of_a_word": '<form><input placeholder="Имя получателя" value="7701234567"></form>',
    "too_short": '<form><input name="phone" value="112"></form>',
    "unfilled_mask": '<form><input name="phone" value="+7 (___) ___-__-__"></form>',
    "too_long": '<form><input name="phone" value="8916123456789012"></form>',
    "no_address": '<form><input name="name" value="Анна"><textarea>Здравствуйте</textarea></form>',
    "half_an_email": '<form><input type="text" name="email" value="anna@"></form>',
    "search": '<form><input type="search" name="phone" value="+7 916 123-45-67"></form>',
    "hidden": '<form><input type="hidden" name="phone" value="+7 916 123-45-67"></form>',
    "choice": '<form><input type="radio" name="phone" value="+7 916 123-45-67" checked></form>',
    "ignored_field": '<form><input name="phone" value="+7 916 123-45-67" data-cth-ignore></form>',
    "ignored_form": '<form data-cth-ignore><input name="phone" value="+7 916 123-45-67"></form>',
    "ignored_part": '<div data-cth-ignore><form><input name="phone" value="+7 916 123-45-67"></form></div>',
    "ignored_form_elsewhere": '<form id="f" data-cth-ignore></form><input form="f" name="phone" value="89161234567">',
    "field_of_no_form": '<form></form><input name="phone" value="+7 916 123-45-67">',
    "log_in": '<form><input name="phone" value="+7 916 123-45-67"><input type="password" value="x"></form>',
    "shown_password": '<form><input type="email" value="a@b.example"><input name="password" value="x"></form>',
    "card": '<form><input autocomplete="cc-number" name="phone" value="+7 916 123-45-67"></form>',
}


async def test_what_is_no_enquiry_is_not_told(page: Page, forms: Scene) -> None:
    assert await told(page, forms, "".join(OTHERS.values())) == []


async def test_the_same_form_without_its_reason_is_told(page: Page, forms: Scene) -> None:
    """The control: each of these forms is silent for one reason alone."""
    reasons = ('type="hidden" ', 'type="search" ', " data-cth-ignore", 'autocomplete="cc-number" ')
    silent = [form for form in OTHERS.values() if any(reason in form for reason in reasons)]
    spoken = "".join(silent)
    for reason in reasons:
        spoken = spoken.replace(reason, "")
    heard = await told(page, forms, spoken.replace("89161234567", "+7 916 123-45-67"))
    assert len(silent) == 7
    assert {said["phone"] for said in heard} == {"+7 916 123-45-67"}


SECRETS = """<form><input name="name" value="Анна"><input name="phone" value="+7 916 123-45-67">
<input type="password" value="SECRET"><input type="text" autocomplete="new-password" name="name" value="SECRET">
<input autocomplete="cc-name" name="name" value="SECRET"><input name="card_number" value="4111111111111111">
<input name="cvc" value="SECRET"><input type="hidden" name="comment" value="SECRET"><input type="file" name="comment">
<label>Номер карты <input value="4111111111111111"></label><textarea data-cth-ignore>SECRET</textarea>
<input name="company_name" value="ООО Ромашка"></form>"""
SPY = """window.read = [];
const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
Object.defineProperty(HTMLInputElement.prototype, 'value', {
    get() { const text = value.get.call(this); window.read.push(text); return text; },
    set: value.set,
});"""


async def test_passwords_cards_hidden_and_ignored_fields_are_not_even_read(page: Page, forms: Scene) -> None:
    await page.add_init_script(SPY)
    (said,) = await told(page, forms, SECRETS)
    assert (said["name"], said["phone"], said["email"], said["text"]) == ("Анна", "+7 916 123-45-67", "", "")
    assert said["company"] == "ООО Ромашка"
    read = await page.evaluate("window.read")
    assert "Анна" in read  # the spy sees what is read
    assert [text for text in read if "SECRET" in text or "4111" in text] == []


async def test_names_and_texts_of_several_fields_come_together(page: Page, forms: Scene) -> None:
    form = """<form><input name="first_name" value="Анна"><label>Фамилия <input value="Орлова"></label>
    <input name="question" value="Когда замер?"><textarea>Третий этаж</textarea><input name="tel" value="4951112233"></form>"""
    (said,) = await told(page, forms, form)
    assert (said["name"], said["text"], said["phone"]) == ("Анна Орлова", "Когда замер?\nТретий этаж", "4951112233")


async def test_a_field_may_stand_outside_its_form(page: Page, forms: Scene) -> None:
    (said,) = await told(page, forms, '<form id="far"></form><input form="far" name="phone" value="89161234567">')
    assert said["phone"] == "89161234567"


async def test_a_form_whose_fields_have_names_of_the_browsers_own_is_read(page: Page, forms: Scene) -> None:
    form = '<form><input name="closest"><input name="elements"><input name="phone" value="89161234567"></form>'
    (said,) = await told(page, forms, form)
    assert said["phone"] == "89161234567"


async def test_a_long_text_is_cut_between_characters(page: Page, forms: Scene) -> None:
    await send(page, forms, WRITTEN | {"comment": "x" * 3_999 + "🪟🪟"})
    (said,) = await forms.hears("enquiry")
    assert said["text"] == "x" * 3_999 + "🪟"


# -- once


async def test_a_double_click_tells_one_enquiry(page: Page, forms: Scene) -> None:
    await page.goto(forms.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await fill(page, WRITTEN)
    await page.dblclick("button")
    await fill(page, {"phone": "+7 999 000-00-00"})
    await page.click("button")
    said = await forms.hears("enquiry", times=2)
    assert len(await forms.hears("event", "form", times=3)) == 3  # the browser did send three
    assert [one["phone"] for one in said] == ["8 (916) 123-45-67", "+7 999 000-00-00"]


async def test_a_second_copy_of_the_script_tells_nothing_twice(page: Page, forms: Scene) -> None:
    forms.takes_enquiries()
    await send(page, forms)
    assert await page.locator("script[src$='enquiries.js']").count() == 2
    await fill(page, {"phone": "+7 999 000-00-00"})
    await page.click("button")
    assert len(await forms.hears("enquiry", times=2)) == 2


async def test_the_form_is_neither_stopped_nor_delayed(page: Page, forms: Scene) -> None:
    forms.pages["index"] = forms.pages["index"].replace(STAYS, "").replace("<form ", '<form action="thanks" ')
    await send(page, forms)
    await page.wait_for_url("**/thanks?*")
    assert len({said["id"] for said in await forms.hears("enquiry")}) == 1


async def test_a_page_that_stops_the_submit_itself_is_heard_before(page: Page, forms: Scene) -> None:
    forms.pages["index"] += """<script>document.querySelector('form').addEventListener('submit', (event) => {
        event.stopImmediatePropagation(); event.target.reset(); history.pushState({}, '', 'sent'); });</script>"""
    await send(page, forms)
    (said,) = await forms.hears("enquiry")
    assert (said["phone"], said["page"]) == ("8 (916) 123-45-67", forms.url())


# -- trouble


async def test_what_a_failing_hub_did_not_take_is_sent_once_more_on_the_next_page(page: Page, forms: Scene) -> None:
    forms.statuses = [503]
    await send(page, forms)
    await forms.hears("enquiry")
    assert len(await page.evaluate(KEPT)) == 1
    await page.goto(forms.url("thanks"))
    first, second = await forms.hears("enquiry", times=2)
    assert first == second
    await page.wait_for_function(f"{KEPT}.length === 0")
    await page.goto(forms.url("thanks"))
    await forms.hears("visit", times=3)
    assert len(forms.said("enquiry")) == 2


async def test_a_page_that_never_navigates_sends_it_on_its_next_route(page: Page, forms: Scene) -> None:
    forms.statuses = [503]
    await send(page, forms)
    await forms.hears("enquiry")
    await page.evaluate("history.pushState({}, '', 'next')")
    first, second = await forms.hears("enquiry", times=2)
    assert first["id"] == second["id"]


async def test_a_hub_that_is_not_reached_leaves_it_waiting(page: Page, forms: Scene) -> None:
    await page.route("**/dni/v1/enquiry", lambda route: route.abort())
    await send(page, forms)
    await page.wait_for_function(f"{KEPT}.length === 1")
    await page.unroute_all()
    await page.goto(forms.url("thanks"))
    (said,) = await forms.hears("enquiry")
    assert said["phone"] == "8 (916) 123-45-67"


async def test_what_the_hub_refuses_is_not_sent_again(page: Page, forms: Scene) -> None:
    forms.statuses = [400]
    await send(page, forms)
    await page.wait_for_function(f"{KEPT}.length === 0")
    await page.goto(forms.url("thanks"))
    await forms.hears("visit", times=2)
    assert len(forms.said("enquiry")) == 1


async def waiting_since(page: Page, scene: Scene, *ages_h: float) -> None:
    """Leave enquiries of these ages in the browser, each with its age as the id."""
    kept = [{"at": -hours * 3_600_000, "said": {"site": scene.key, "id": f"{hours} h"}} for hours in ages_h]
    await page.goto(scene.url("thanks"))
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    script = "kept => (localStorage._cth_e = JSON.stringify(kept.map((one) => ({ ...one, at: Date.now() + one.at }))))"
    await page.evaluate(script, kept)


async def test_what_waits_longer_than_a_day_is_given_up(page: Page, forms: Scene) -> None:
    await waiting_since(page, forms, 24.1, 23.9)
    await page.goto(forms.url("thanks"))
    await page.wait_for_function(f"{KEPT}.length === 0")
    assert [said["id"] for said in forms.said("enquiry")] == ["23.9 h"]


async def test_at_most_ten_wait_and_the_oldest_give_way(page: Page, forms: Scene) -> None:
    await waiting_since(page, forms, *range(11, 0, -1))
    forms.statuses = [503] * 20
    await send(page, forms)
    await page.wait_for_function(f"{KEPT}.length === 10")
    kept = await page.evaluate(KEPT)
    assert kept[:9] == [f"{hours} h" for hours in range(9, 0, -1)]


@pytest.mark.parametrize("litter", ["", "{", "{}", "null", "[1]", '"x"'])
async def test_litter_in_the_browsers_store_does_no_harm(page: Page, forms: Scene, litter: str) -> None:
    await page.add_init_script(f"localStorage._cth_e = localStorage._cth_e || {json.dumps(litter)}")
    await send(page, forms)
    (said,) = await forms.hears("enquiry")
    assert said["phone"] == "8 (916) 123-45-67"


async def test_a_browser_that_keeps_nothing_still_tells_it(page: Page, forms: Scene) -> None:
    await page.add_init_script(BLOCKED)
    await send(page, forms)
    (said,) = await forms.hears("enquiry")
    assert (said["visit"], said["phone"]) == ("v1", "8 (916) 123-45-67")


# -- consent


async def test_an_anonymous_visitors_enquiry_names_neither_him_nor_his_visit(page: Page, forms: Scene) -> None:
    forms.settings["consent"] = "anonymous"
    forms.statuses = [503]
    await send(page, forms)
    (said,) = await forms.hears("enquiry")
    assert (said["visitor"], said["visit"], said["phone"]) == (None, None, "8 (916) 123-45-67")
    assert await page.evaluate("({...localStorage})") == {}


@pytest.fixture
async def unwatched(page: Page) -> Page:
    """A page that asks for the visit, so that a test can tell when the page script has settled."""
    await page.add_init_script(ASK_VISIT)
    return page


async def test_with_consent_off_nothing_is_told_until_it_is_given(unwatched: Page, forms: Scene) -> None:
    forms.settings["consent"] = "off"
    await unwatched.goto(forms.url())
    assert await settled(unwatched) is None
    await fill(unwatched, WRITTEN)
    await unwatched.click("button")
    await unwatched.evaluate("dni.push(['consent', 'full'])")
    await expect(unwatched.locator("#phone")).to_have_text(SWAPPED)
    await fill(unwatched, {"phone": "+7 999 000-00-00"})
    await unwatched.click("button")
    assert [said["phone"] for said in await forms.hears("enquiry")] == ["+7 999 000-00-00"]


async def test_who_opted_out_tells_nothing_and_what_waited_is_forgotten(unwatched: Page, forms: Scene) -> None:
    await waiting_since(unwatched, forms, 1)
    await unwatched.goto(forms.url("index?dni=off"))
    assert await settled(unwatched) is None
    await fill(unwatched, WRITTEN)
    await unwatched.click("button")
    await unwatched.wait_for_function("!localStorage._cth_e")
    assert forms.said("enquiry") == []


async def test_consent_withdrawn_forgets_what_waited(page: Page, forms: Scene) -> None:
    forms.statuses = [503]
    await send(page, forms)
    await forms.hears("enquiry")
    await page.evaluate("dni.push(['consent', 'anonymous'])")
    assert await page.evaluate("localStorage._cth_e") is None


async def test_without_the_page_script_nothing_is_told(page: Page, forms: Scene) -> None:
    await page.route(f"**/{forms.key}.js", lambda route: route.abort())
    await page.goto(forms.url(), wait_until="networkidle")
    await fill(page, WRITTEN)
    await page.click("button")
    assert await page.evaluate("window.__dni_enquiries.on")
    assert forms.heard == []


async def test_a_page_may_switch_the_reading_of_forms_off(page: Page, scene: Scene) -> None:
    scene.takes_enquiries(forms="off")
    scene.pages["index"] += STAYS + ORDER
    await send(page, scene)
    await scene.hears("event", "form")
    assert await page.evaluate("window.__dni_enquiries.on")
    assert scene.said("enquiry") == []
