"""What the visitor does with the number, what the page can ask for, and the test of an installation."""

from playwright.async_api import Page, expect

from tests.browser.stage import ASK_VISIT, MOBILE_TARGET, ORIGINAL, POOL, SWAPPED, TARGET, TOKEN, Scene, settled, target

# Chromium may lose what a person does in the moment after a tel: link was followed.
STAY = "addEventListener('click', (event) => event.preventDefault())"
IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


async def test_a_tap_on_a_swapped_link_is_told_with_the_number_dialled(page: Page, scene: Scene) -> None:
    scene.pages["index"] = '<a id="phone" href="tel:84951112233"><b>+7 (495) 111-22-33</b></a>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.click("#phone b")
    (event,) = await scene.hears("event", "tel_tap")
    assert event == {
        "site": scene.key,
        "visitor": TOKEN,
        "visit": "v1",
        "kind": "tel_tap",
        "group": "city",
        "number": POOL,
    }


async def test_a_tap_on_a_link_that_kept_its_number_is_told_with_that_number(page: Page, scene: Scene) -> None:
    scene.numbers = {}
    scene.pages["index"] = '<a id="phone" href="tel:84951112233">позвонить</a>'
    await page.add_init_script(ASK_VISIT)
    await page.goto(scene.url())
    await settled(page)
    await page.click("#phone")
    (event,) = await scene.hears("event", "tel_tap")
    assert event["number"] == TARGET


async def test_a_tap_on_the_link_of_another_number_is_nobodys_business(page: Page, scene: Scene) -> None:
    scene.pages["index"] += '<a id="other" href="tel:88002000600">банк</a><a id="own" href="tel:84951112233">мы</a>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate(STAY)
    await page.click("#other")
    await page.click("#own")
    assert [event["number"] for event in await scene.hears("event", "tel_tap")] == [POOL]


async def copy(page: Page, selector: str) -> None:
    await page.evaluate(
        "selector => getSelection().selectAllChildren(document.querySelector(selector))",
        selector,
    )
    await page.keyboard.press("ControlOrMeta+C")


async def test_copying_a_swapped_number_is_told(page: Page, scene: Scene) -> None:
    scene.pages["index"] += '<p id="other">Окна и двери, ИНН 7701234567</p>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await copy(page, "#other")
    await copy(page, "#phone")
    (event,) = await scene.hears("event", "copy")
    assert (event["group"], event["number"]) == ("city", POOL)


async def test_a_form_is_told_even_when_the_page_is_left_and_carries_the_visit(page: Page, scene: Scene) -> None:
    scene.pages["thanks"] = "<p>Спасибо</p>"
    scene.pages["index"] += (
        '<form id="order" action="thanks"><input type="hidden" name="dni_visit"><input name="id" value="7">'
        "<button>Заказать</button></form>"
    )
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.click("button")
    await page.wait_for_url("**/thanks?dni_visit=v1&id=7")
    (event,) = await scene.hears("event", "form")
    assert (event["visit"], event["detail"]) == ("v1", {"form": "order"})


async def test_a_form_that_appears_later_carries_the_visit_too(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("document.body.innerHTML += '<form><input type=hidden name=dni_visit></form>'")
    await expect(page.locator("[name=dni_visit]")).to_have_value("v1")


async def test_the_installation_test_counts_places_and_images(page: Page, scene: Scene) -> None:
    scene.targets = [target(), target("mobile", MOBILE_TARGET)]
    scene.pages["index"] = (
        '<p id="phone">+7 (495) 111-22-33</p><a href="tel:84951112233">8 495 111-22-33</a>'
        f'<img src="{IMAGE}" alt="Звоните 8 (495) 111-22-33"><img src="/tel-84951112233.png"><img src="{IMAGE}">'
    )
    await page.goto(scene.url())
    (event,) = await scene.hears("event", "seen")
    assert event["visit"] == "v1"
    assert event["detail"] == {"found": {"city": 2, "mobile": 0}, "images": 2, "url": scene.url()}


async def test_the_installation_test_also_tells_of_a_page_without_a_target(page: Page, scene: Scene) -> None:
    scene.pages["index"] = "<p>Окна</p>"
    await page.goto(scene.url())
    (event,) = await scene.hears("event", "seen")
    assert event["detail"]["found"] == {"city": 0}
    assert [(said["groups"], said["lease"]) for said in scene.said("visit")] == [([], False)]


async def test_the_page_learns_the_visit_and_the_numbers(page: Page, scene: Scene) -> None:
    scene.head = """<script>window.told = [];
    (window.dni = window.dni || []).push(
        ["getVisit", (visit) => told.push(visit)],
        ["on", "number", (numbers, visit) => (window.latest = [numbers, visit])]
    );</script>"""
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert await page.evaluate("told") == ["v1"]
    assert await page.evaluate("latest") == [{"city": POOL}, "v1"]
    assert await page.evaluate("dataLayer") == [{"event": "dni_ready", "visit": "v1", "numbers": {"city": POOL}}]


async def test_who_asks_when_everything_is_known_is_answered_too(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    assert await page.evaluate("new Promise(done => dni.push(['getVisit', done]))") == "v1"
    assert await page.evaluate("new Promise(done => dni.push(['on', 'number', done]))") == {"city": POOL}


async def test_a_command_that_is_wrong_or_fails_does_not_stop_the_page(page: Page, scene: Scene) -> None:
    scene.head = """<script>window.dni = [["refresh"], ["dance"], ["on", "number", () => { throw Error("mine"); }],
        ["on", "number"], ["roots"]]</script>"""
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate("dni.push(['dance'])")


async def test_an_open_shadow_root_is_looked_after_when_it_is_named(page: Page, scene: Scene) -> None:
    scene.pages["index"] += '<div id="widget"></div>'
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    await page.evaluate(
        """() => {
            const root = document.getElementById("widget").attachShadow({ mode: "open" });
            root.innerHTML = "<a href='tel:84951112233'>+7 (495) 111-22-33</a><input type=hidden name=dni_visit>";
            dni.push(["roots", root]);
        }"""
    )
    link = page.locator("#widget a")
    await expect(link).to_have_text(SWAPPED)
    await expect(page.locator("#widget input")).to_have_value("v1")
    await page.evaluate("document.getElementById('widget').shadowRoot.firstChild.textContent = '84951112233'")
    await expect(link).to_have_text("84954445566")
    await link.click()
    await scene.hears("event", "tel_tap")


async def test_a_shadow_root_named_before_the_script_has_loaded_is_looked_after_too(page: Page, scene: Scene) -> None:
    scene.pages["index"] = """<div id="phone"></div><script>
        const root = document.getElementById("phone").attachShadow({ mode: "open" });
        root.innerHTML = "<p>+7 (495) 111-22-33</p>";
        (window.dni = window.dni || []).push(["roots", root]);
        </script>"""
    await page.goto(scene.url())
    await expect(page.locator("#phone p")).to_have_text(SWAPPED)


async def test_a_page_can_have_its_targets_looked_for_again(page: Page, scene: Scene) -> None:
    await page.goto(scene.url())
    await expect(page.locator("#phone")).to_have_text(SWAPPED)
    shown = await page.evaluate(f"phone.textContent = '{ORIGINAL}', dni.push(['refresh']), phone.textContent")
    assert shown == SWAPPED
