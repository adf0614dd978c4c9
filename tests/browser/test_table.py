"""The table of the DNI sheet, section 2: what stands on a page and what a visitor sees instead."""

from collections.abc import Iterable
from dataclasses import dataclass

from playwright.async_api import Page, expect

from tests.browser.stage import MOBILE_POOL, MOBILE_TARGET, POOL, TARGET, Scene, Stage, target

SARATOV, SARATOV_POOL = "+78452123456", "+78452998877"
FREE, FREE_POOL = "+78001112233", "+78001234567"
PETERSBURG_POOL = "+78124445566"
LONDON, LONDON_POOL, LEEDS_POOL = "+442071838750", "+442079460000", "+441134960000"
NEW_YORK, BOSTON_POOL = "+12125550123", "+16175550188"
TALLINN, TALLINN_POOL = "+3726123456", "+3726987654"
MASK = "+# (###) ###-##-##"


@dataclass(frozen=True)
class Row:
    """HTML on a page, and the HTML expected once the script has shown the pool number."""

    name: str
    written: str
    shown: str
    number: str = TARGET
    pool: str = POOL
    mask: str | None = None
    selectors: tuple[str, ...] = ()


def together(rows: Iterable[Row]) -> Iterable[list[Row]]:
    """Return the rows by what the site has set: its number, pool number, mask and selectors."""
    settings: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        settings.setdefault((row.number, row.pool, row.mask, row.selectors), []).append(row)
    return settings.values()


def scene_of(stage: Stage, rows: list[Row]) -> Scene:
    """Return a site with one page of these rows, and its number once more at the end."""
    scene, first = stage.scene(), rows[0]
    scene.targets = [target(number=first.number, mask=first.mask, selectors=list(first.selectors))]
    scene.numbers = {"city": first.pool}
    written = "".join(f'<div class="row" id="{row.name}">{row.written}</div>' for row in rows)
    scene.pages["index"] = f'{written}<div><p id="last">{first.number}</p></div>'
    return scene


def same(name: str, written: str, **more: str) -> Row:
    return Row(name, written, written, **more)


ROWS = [
    Row("seven_with_brackets", "тел. +7 (495) 111-22-33, доб. 5", "тел. +7 (495) 444-55-66, доб. 5"),
    Row("eight_with_brackets", "8 (495) 111-22-33", "8 (495) 444-55-66"),
    Row("eight_with_hyphens", "8-495-111-22-33", "8-495-444-55-66"),
    Row("eight_without_signs", "84951112233", "84954445566"),
    Row("seven_without_signs", "+74951112233", "+74954445566"),
    Row("seven_without_plus", "7 495 111 22 33", "7 495 444 55 66"),
    Row("dots", "8.495.111.22.33.", "8.495.444.55.66."),
    Row("two_in_a_text", "(495) 111-22-33 или 8 495 111 22 33", "(495) 444-55-66 или 8 495 444 55 66"),
    Row("two_in_a_row", "+7 495 111-22-33 8 495 111-22-33", "+7 495 444-55-66 8 495 444-55-66"),
    Row("nbsp_and_u2011", "+7\u00a0(495)\u00a0111\u201122\u201133", "+7\u00a0(495)\u00a0444\u201155\u201166"),
    Row("thin_space_and_dash", "8\u202f495\u2007111\u201322\u201333", "8\u202f495\u2007444\u201355\u201366"),
    Row("after_hours", "Пн-Пт 9-18 (495) 111-22-33", "Пн-Пт 9-18 (495) 444-55-66"),
    Row("after_a_house_number", "дом 5 8 (495) 111-22-33", "дом 5 8 (495) 444-55-66"),
    Row("end_of_a_sentence", "Звоните: 8 (495) 111-22-33.", "Звоните: 8 (495) 444-55-66."),
    # split over children
    Row("split", "<span>8 (495)</span> <b>111-22-33</b>", "<span>8 (495)</span> <b>444-55-66</b>"),
    Row(
        "split_deeper",
        "<span>+7 <i>495</i></span> <b>111-<u>22</u>-33</b>",
        "<span>+7 <i>495</i></span> <b>444-<u>55</u>-66</b>",
    ),
    Row("split_in_lines", "<b>8 (495)</b>\n        <b>111-22-33</b>", "<b>8 (495)</b>\n        <b>444-55-66</b>"),
    Row(
        "split_in_a_link",
        '<a href="tel:84951112233"><span>8 (495)</span> 111-22-33</a>',
        '<a href="tel:+74954445566"><span>8 (495)</span> 444-55-66</a>',
    ),
    Row(
        "split_by_mask",
        "<span>8 (8452)</span> <b>12-34-56</b>",
        "<span>+7 (495) 444-55-66</span><b></b>",
        number=SARATOV,
    ),
    # not this number, or not a place for it
    same("another_number", "84951112234"),
    same("a_digit_before", "184951112233"),
    same("a_digit_behind", "849511122334"),
    same("taxpayer_number", "ИНН 7701234567"),
    same("moment", "2024-01-02 10:00"),
    same("order_number", "заказ 12-84951112233"),
    same("longer_by_hyphen", "8-495-111-22-33-44"),
    same("america", "+1 495 111 22 33"),
    same("america_with_hyphens", "1-495-111-2233"),
    same("germany", "+4951112233"),
    same("vietnam", "+84951112233"),
    same("input_value", '<input value="8 (495) 111-22-33">'),
    same("textarea", "<textarea>8 (495) 111-22-33</textarea>"),
    same("option", "<select><option>8 (495) 111-22-33</option></select>"),
    same("script_text", '<script type="application/ld+json">{"telephone": "+74951112233"}</script>'),
    same("style_text", "<style>/* 84951112233 */</style>"),
    same("code", "<pre>8 (495) 111-22-33</pre><code>84951112233</code>"),
    same("editable", '<div contenteditable="true">8 (495) 111-22-33</div>'),
    same("ignored", '<p data-dni-ignore="">8 <b>(495) 111-22-33</b><a href="tel:84951112233">!</a></p>'),
    same("whatsapp_link", '<a href="https://wa.me/74951112233">+7 (495) 111-22-33</a>'),
    same("viber_link", '<a href="viber://chat?number=%2B74951112233">+7 (495) 111-22-33</a>'),
    same("page_link", '<a href="/84951112233">да</a>'),
    same("attributes", '<b title="8 (495) 111-22-33" data-phone="84951112233">да</b>'),
    # tel: links
    Row("link", '<a href="tel:84951112233">да</a>', '<a href="tel:+74954445566">да</a>'),
    Row("link_plus", '<a href="tel:+74951112233">да</a>', '<a href="tel:+74954445566">да</a>'),
    Row("link_signs", '<a href="TEL:8(495)111-22-33">да</a>', '<a href="tel:+74954445566">да</a>'),
    Row("link_encoded", '<a href="tel:+7%20495%20111-22-33">да</a>', '<a href="tel:+74954445566">да</a>'),
    Row("link_extension", '<a href="tel:+74951112233,5">да</a>', '<a href="tel:+74954445566">да</a>'),
    Row("link_ext_parameter", '<a href="tel:+74951112233;ext=5">да</a>', '<a href="tel:+74954445566">да</a>'),
    same("link_of_another", '<a href="tel:+74951112234">да</a>'),
    # 8-800
    Row("free_pool", "+7 (495) 111-22-33", "8 (800) 123-45-67", pool=FREE_POOL),
    Row("free_pool_eight", "8 495 111-22-33", "8 800 123-45-67", pool=FREE_POOL),
    Row("free_target", "8 (800) 111-22-33", "8 (800) 123-45-67", number=FREE, pool=FREE_POOL),
    Row("free_target_city_pool", "8-800-111-22-33", "8-495-444-55-66", number=FREE),
    # the length of the area code
    Row("area_of_four_by_mask", "+7 (8452) 12-34-56", "+7 (495) 444-55-66", number=SARATOV, mask=MASK),
    Row("area_of_four_without_mask", "8 (8452) 12-34-56", "+7 (495) 444-55-66", number=SARATOV),
    Row("area_of_four_free_pool", "8 (8452) 12-34-56", "8 (800) 123-45-67", number=SARATOV, pool=FREE_POOL),
    Row("own_mask", "8-8452-12-34-56", "8 495 4445566", number=SARATOV, mask="8 ### #######"),
    Row("same_area_of_four", "+7 (8452) 12-34-56", "+7 (8452) 99-88-77", number=SARATOV, pool=SARATOV_POOL),
    Row("area_not_visible", "88452123456", "84954445566", number=SARATOV),
    Row("another_city", "+7 (495) 111-22-33", "+7 (812) 444-55-66", pool=PETERSBURG_POOL),
    # seven digits
    same("short", "111-22-33"),
    Row("short_marked", '<b class="dni-phone">111-22-33</b>', '<b class="dni-phone">444-55-66</b>'),
    Row("short_attribute", '<b data-dni="city">т. 111-22-33</b>', '<b data-dni="city">т. 444-55-66</b>'),
    Row("short_selector", '<b class="tel">111-22-33</b>', '<b class="tel">444-55-66</b>', selectors=("b.tel",)),
    Row(
        "short_split",
        '<b class="dni-phone"><i>8</i> 111-22-33</b>',
        '<b class="dni-phone"><i>8</i> 444-55-66</b>',
    ),
    Row(
        "short_of_another_city",
        '<b class="dni-phone">111-22-33</b>',
        '<b class="dni-phone">+7 (812) 444-55-66</b>',
        pool=PETERSBURG_POOL,
    ),
    Row("full_marked", '<b data-dni="">8 (495) 111-22-33</b>', '<b data-dni="">8 (495) 444-55-66</b>'),
    same("marked_but_another", '<b class="dni-phone">8 (812) 111-22-33</b>'),
    same("bad_selector_is_survived", "111-22-33", selectors=("b..tel",)),
    # other countries
    Row("london", "+44 20 7183 8750", "+44 20 7946 0000", number=LONDON, pool=LONDON_POOL),
    Row("london_trunk", "020 7183 8750", "020 7946 0000", number=LONDON, pool=LONDON_POOL),
    Row("london_bare", "(20) 7183-8750", "(20) 7946-0000", number=LONDON, pool=LONDON_POOL),
    Row("london_to_leeds", "020 7183 8750", "+441134960000", number=LONDON, pool=LEEDS_POOL),
    Row("new_york", "(212) 555-0123", "(617) 555-0188", number=NEW_YORK, pool=BOSTON_POOL),
    Row("new_york_full", "+1 212-555-0123", "+1 617-555-0188", number=NEW_YORK, pool=BOSTON_POOL),
    Row("tallinn", "+372 612 3456 / 612 3456", "+372 698 7654 / 698 7654", number=TALLINN, pool=TALLINN_POOL),
    Row("moscow_to_london", "8 (495) 111-22-33", "+442079460000", pool=LONDON_POOL),
]


async def test_every_row_of_the_table(page: Page, stage: Stage) -> None:
    await page.add_init_script("localStorage.clear()")  # rows of another number came before
    shown: dict[str, str] = {}
    for rows in together(ROWS):
        await page.goto(scene_of(stage, rows).url())
        await expect(page.locator("#last")).not_to_have_text(rows[0].number)
        shown |= dict(await page.eval_on_selector_all(".row", "rows => rows.map(row => [row.id, row.innerHTML])"))
    assert shown == {row.name: row.shown.replace("\u00a0", "&nbsp;") for row in ROWS}


async def test_the_title_of_a_page_keeps_the_real_number(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text("+7 (495) 444-55-66")
    assert await page.title() == "Окна +7 (495) 111-22-33"


async def test_several_groups_on_a_page_get_a_number_each(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    scene.pages["index"] = '<p id="phone">8 495 111-22-33, 8 916 111-22-33</p><a href="tel:+79161112233">моб.</a>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text("8 495 444-55-66, 8 916 444-55-66")
    assert await page.get_attribute("a", "href") == f"tel:{MOBILE_POOL}"
    (asked,) = scene.said("visit")
    assert sorted(asked["groups"]) == ["city", "mobile"]


async def test_a_mark_chooses_between_groups_with_the_same_number(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("branch")]
    scene.numbers = {"city": POOL, "branch": PETERSBURG_POOL}
    scene.pages["index"] = '<p data-dni="branch">8 495 111-22-33</p><p id="phone" data-dni="city">8 495 111-22-33</p>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text("8 495 444-55-66")
    await expect(page.locator("[data-dni=branch]")).to_have_text("8 812 444-55-66")


async def test_a_short_number_that_fits_two_groups_is_the_first_ones(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    scene.numbers = {"city": POOL, "mobile": "+79167778899"}
    scene.pages["index"] = '<b class="dni-phone" id="phone">111-22-33</b> <i>8 916 111-22-33</i>'
    await page.goto(scene.url())
    await expect(page.locator("i")).to_have_text("8 916 777-88-99")
    assert await page.inner_text("#phone") == "444-55-66"


async def test_listeners_of_the_page_survive(page: Page, scene: Scene) -> None:
    scene.pages["index"] = '<p><span>8 (495)</span> <b id="phone">111-22-33</b></p>'
    await page.goto(scene.url(), wait_until="commit")
    await page.evaluate("document.getElementById('phone').onclick = () => (document.title = 'heard')")
    await expect(page.locator("#phone")).to_have_text("444-55-66")
    await page.click("#phone")
    assert await page.title() == "heard"


async def test_a_group_without_a_number_keeps_its_link_as_written(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    scene.numbers = {"city": POOL}
    scene.pages["index"] = '<a href="tel:+7%20916%20111-22-33">моб.</a><p id="phone">8 495 111-22-33</p>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text("8 495 444-55-66")
    assert await page.get_attribute("a", "href") == "tel:+7%20916%20111-22-33"
