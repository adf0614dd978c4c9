"""Every rule of the moderation checker has a package that breaks it, and nothing else is told of that package."""

import json
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from connectors.amocrm.moderation import check
from connectors.amocrm.package import build
from connectors.packaging import Flaw, PackageAsked
from connectors.protocol import App

APP = App("0f7c0000-0000-4000-8000-000000000001", "s3cret", "https://hub.example.com/oauth/amocrm/callback")
GOOD = build(PackageAsked("https://hub.example.com", APP, ("ru", "en"), "1.0.0"))

Files = dict[str, bytes]


def files() -> Files:
    with zipfile.ZipFile(BytesIO(GOOD)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(inside: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, raw in inside.items():
            archive.writestr(name, raw)
    return out.getvalue()


def flaws(inside: Mapping[str, bytes]) -> tuple[Flaw, ...]:
    return check("widget.zip", packed(inside))


def with_manifest(change: Callable[[dict[str, Any]], object]) -> Files:
    inside = files()
    manifest = json.loads(inside["manifest.json"])
    change(manifest)
    return inside | {"manifest.json": json.dumps(manifest, indent=2).encode()}


def with_text(code: str, section: str, key: str, text: str) -> Files:
    inside = files()
    texts = json.loads(inside[f"i18n/{code}.json"])
    texts[section][key] = text
    return inside | {f"i18n/{code}.json": json.dumps(texts, indent=2, ensure_ascii=False).encode()}


def with_code(line: str) -> Files:
    """A script that has one more line, its third."""
    inside = files()
    lines = inside["script.js"].decode().split("\n")
    return inside | {"script.js": "\n".join([*lines[:2], line, *lines[2:]]).encode()}


def with_style(rule: str) -> Files:
    inside = files()
    return inside | {"style.css": inside["style.css"] + rule.encode() + b"\n"}


def image(width: int, height: int, kind: str = "PNG", **more: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height)).save(out, kind, **more)
    return out.getvalue()


def test_the_package_as_built_breaks_no_rule() -> None:
    assert check("widget.zip", GOOD) == ()


# -- the archive


def test_another_name_of_the_archive() -> None:
    (flaw,) = check("hub.zip", GOOD)
    assert (flaw.file, flaw.allowed) == ("hub.zip", "exactly widget.zip")


def test_no_archive_at_all() -> None:
    (flaw,) = check("widget.zip", b"PK not really")
    assert flaw.what == "this cannot be read as a zip archive"


def test_an_archive_that_unpacks_without_end() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (17 * 2**20))
    (flaw,) = check("widget.zip", out.getvalue())
    assert flaw.what == "the files are too large together"


def test_files_in_a_folder_instead_of_the_root() -> None:
    inside = files()
    inside["widget/script.js"] = inside.pop("script.js")
    told = {flaw.file: flaw.what for flaw in flaws(inside)}
    assert told["script.js"] == "stands at widget/script.js"


@pytest.mark.parametrize("name", ["script.js", "i18n/en.json", "images/logo_small.png", "images/logo_dp.png"])
def test_a_missing_file(name: str) -> None:
    inside = files()
    del inside[name]
    assert (name, "is missing") in {(flaw.file, flaw.what) for flaw in flaws(inside)}


def test_a_missing_manifest() -> None:
    inside = files()
    del inside["manifest.json"]
    assert [flaw.what for flaw in flaws(inside)] == ["is missing or empty"]


@pytest.mark.parametrize("name", ["readme.txt", "images/old.png", "i18n/es.json", "templates/old.twig", "lib/x.js"])
def test_a_file_nobody_uses(name: str) -> None:
    assert [(flaw.file, flaw.what) for flaw in flaws(files() | {name: b"{}"})] == [(name, "nothing uses this file")]


def test_a_template_the_script_names_is_used() -> None:
    assert flaws(with_code("  var NAME = 'card';") | {"templates/card.twig": b"<p></p>"}) == ()


def test_a_byte_order_mark() -> None:
    inside = files()
    (flaw,) = flaws(inside | {"style.css": b"\xef\xbb\xbf" + inside["style.css"]})[:1]
    assert (flaw.file, flaw.what, flaw.line) == ("style.css", "a byte order mark", 1)


def test_another_encoding() -> None:
    inside = files()
    (flaw,) = flaws(inside | {"script.js": inside["script.js"] + "// привет\n".encode("cp1251")})
    assert (flaw.what, flaw.line) == ("this is not UTF-8", inside["script.js"].count(b"\n") + 1)


def test_line_ends_of_windows() -> None:
    inside = files()
    (flaw,) = flaws(inside | {"style.css": inside["style.css"].replace(b"\n", b"\r\n")})
    assert flaw.allowed == "lines end with \\n alone"


@pytest.mark.parametrize("line", ["var a=1;" * 50, "var _0x3fa2 = 1;", r"var a = '\x61\x62\x63';"])
def test_code_nobody_can_read(line: str) -> None:
    (flaw,) = flaws(with_code(line))
    assert (flaw.file, flaw.what, flaw.line) == ("script.js", "this looks minified or obfuscated", 3)


# -- pictures


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (image(131, 100), "is 131x100"),
        (image(130, 100, "JPEG"), "holds a picture of the format JPEG"),
        (image(130, 100, "BMP"), "holds a picture of the format BMP"),
        (b"not a picture", "cannot be read as a picture"),
        (image(130, 100) + b"\0" * 300 * 1024, "weighs 301 KB"),
    ],
)
def test_a_wrong_picture(raw: bytes, what: str) -> None:
    assert [(one.file, one.what) for one in flaws(files() | {"images/logo.png": raw})] == [("images/logo.png", what)]


def test_a_picture_that_moves() -> None:
    inside = files()
    del inside["images/logo.png"]
    second = Image.new("RGB", (130, 100), "red")
    inside["images/logo.gif"] = image(130, 100, "GIF", save_all=True, append_images=[second])
    assert [(one.file, one.what) for one in flaws(inside)] == [("images/logo.gif", "moves")]


def test_a_jpeg_with_its_own_ending_is_fine() -> None:
    inside = files()
    del inside["images/logo.png"]
    assert flaws(inside | {"images/logo.jpg": image(130, 100, "JPEG")}) == ()


def test_a_tour_image_that_is_not_there() -> None:
    tour = {"is_tour": True, "tour_images": {"ru": ["/images/tour_1.png"]}, "tour_description": "widget.description"}
    (flaw,) = flaws(with_manifest(lambda told: told.update(tour=tour)))
    assert (flaw.file, flaw.what) == ("images/tour_1.png", "is missing")


def test_a_tour_image_of_another_size() -> None:
    tour = {"is_tour": True, "tour_images": {"ru": ["/images/tour_1.png"]}, "tour_description": "widget.description"}
    inside = with_manifest(lambda told: told.update(tour=tour)) | {"images/tour_1.png": image(600, 300)}
    assert [flaw.allowed for flaw in flaws(inside)] == ["exactly 1188x616"]


# -- the manifest


def test_a_manifest_that_is_not_json_is_told_with_its_line() -> None:
    (flaw,) = flaws(files() | {"manifest.json": b'{\n  "widget": nothing\n}'})
    assert (flaw.file, flaw.line) == ("manifest.json", 2)


def without(*path: str) -> Callable[[dict[str, Any]], object]:
    def change(told: dict[str, Any]) -> None:
        for name in path[:-1]:
            told = told[name]
        del told[path[-1]]

    return change


def saying(value: object, *path: str) -> Callable[[dict[str, Any]], object]:
    def change(told: dict[str, Any]) -> None:
        for name in path[:-1]:
            told = told[name]
        told[path[-1]] = value

    return change


CUSTOM = {"name": "settings.standing", "type": "custom", "required": False}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (without("widget", "name"), "widget.name is missing"),
        (without("widget", "description"), "widget.description is missing"),
        (without("widget", "short_description"), "widget.short_description is missing"),
        (without("widget", "installation"), "widget.installation is missing"),
        (without("settings"), "settings is missing"),
        (saying("soon", "widget", "version"), 'widget.version is "soon"'),
        (saying(1, "widget", "interface_version"), "widget.interface_version is 1"),
        (saying("yes", "widget", "installation"), 'widget.installation is "yes"'),
        (saying(True, "widget", "is_showcase"), "widget.is_showcase is true beside an installation"),
        (without("widget", "support"), "widget.support names nobody"),
        (saying("tel:112", "widget", "support", "link"), "support.link is tel:112"),
        (saying("https://www.amocrm.com/x", "widget", "support", "link"), "widget.support sends people to amoCRM's support"),
        (saying(["settings", "digital_pipeline", "telephony"], "locations"), "there is no location telephony"),
        (without("dp"), "the location digital_pipeline has no block dp"),
        (saying({"title": "dp.title"}, "advanced"), "advanced stands without the location advanced_settings"),
        (saying("date", "settings", "standing", "type"), 'settings.standing has the type "date"'),
        (without("settings", "standing", "required"), "settings.standing does not say required"),
        (saying({"one": CUSTOM, "two": CUSTOM}, "settings"), "settings has 2 fields of the type custom"),
        (saying("", "dp", "webhook_url"), 'dp.webhook_url is ""'),
        (saying({}, "dp", "settings"), "dp.settings is missing"),
        (saying("Источник", "widget", "short_description"), 'widget.short_description is "Источник"'),
        (without("dp", "title"), "dp.title is null"),
        (saying("settings.other", "settings", "standing", "name"), 'settings.standing.name is "settings.other"'),
    ],
)  # fmt: skip
def test_a_manifest_that_breaks_a_rule(change: Callable[[dict[str, Any]], object], what: str) -> None:
    assert {(flaw.file, flaw.what) for flaw in flaws(with_manifest(change)) if flaw.file == "manifest.json"} == {("manifest.json", what)}  # fmt: skip


def test_a_language_that_amocrm_does_not_have() -> None:
    told = [flaw.what for flaw in flaws(with_manifest(saying(["ru", "en", "de"], "widget", "locale")))]
    assert 'widget.locale is ["ru", "en", "de"]' in told


def test_a_flaw_of_the_manifest_has_its_line() -> None:
    inside = with_manifest(saying("soon", "widget", "version"))
    (flaw,) = flaws(inside)
    assert b'"version"' in inside["manifest.json"].split(b"\n")[(flaw.line or 0) - 1]


# -- texts and addresses


@pytest.mark.parametrize(
    ("inside", "file", "what"),
    [
        (with_text("en", "widget", "name", "Calls for amoCRM"), "i18n/en.json", "the name is Calls for amoCRM"),
        (with_text("ru", "widget", "name", "Звонки амо"), "i18n/ru.json", "the name is Звонки амо"),
        (with_text("ru", "widget", "name", "а" * 256), "i18n/ru.json", "the name has 256 characters"),
        (with_text("ru", "card", "back", "Вернуть в AmoCRM"), "i18n/ru.json", "card.back spells AmoCRM"),
        (with_text("ru", "card", "back", "Вернуть в АмоСРМ"), "i18n/ru.json", "card.back spells АмоСРМ"),
        (with_text("ru", "card", "back", " "), "i18n/ru.json", "card.back says nothing"),
        (with_text("en", "card", "back", "Вернуть"), "i18n/en.json", "card.back has Russian letters"),
        (with_text("en", "card", "back", "See example.ru"), "i18n/en.json", "card.back names example.ru"),
        (with_text("en", "card", "back", "Ask support@amocrm.com"), "i18n/en.json", "card.back sends people to amoCRM's support"),
        (with_text("en", "widget", "description", "No link"), "i18n/en.json", "the description has no link to a privacy policy"),
        (with_text("en", "card", "back", "http://hub.example.com"), "i18n/en.json", "http://hub.example.com is not encrypted"),
        (with_text("en", "card", "back", "https://localhost/"), "i18n/en.json", "https://localhost/ is not an address of the open internet"),
        (with_code("  var A = 'https://10.0.0.1/';"), "script.js", "https://10.0.0.1/ is not an address of the open internet"),
        (with_code("  var A = 'https://xn--80ak6aa92e.com/';"), "script.js", "https://xn--80ak6aa92e.com/ has a national host name"),
    ],
)  # fmt: skip
def test_a_text_that_breaks_a_rule(inside: Files, file: str, what: str) -> None:
    assert [(flaw.file, flaw.what) for flaw in flaws(inside)] == [(file, what)]


def test_a_text_that_only_one_language_has() -> None:
    (flaw,) = flaws(with_text("ru", "card", "news", "Новое"))
    assert (flaw.file, flaw.what) == ("i18n/en.json", "the text card.news is missing")


def test_texts_that_are_not_json() -> None:
    assert any(flaw.what.startswith("this is not JSON") for flaw in flaws(files() | {"i18n/en.json": b"{"}))


# -- the script


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("alert('x');", "a window of the browser"),
        ("if (window.confirm('x')) { }", "a window of the browser"),
        ("eval('1');", "code made of text"),
        ("var f = new Function('return 1');", "code made of text"),
        ("setTimeout('run()', 10);", "code made of text"),
        ("debugger;", "a stop for debugging"),
        ("$.ajax({ url: '/x', async: false });", "a synchronous request"),
        ("request.open('GET', '/x', false);", "a synchronous request"),
        ("document.write('x');", "document.write"),
        ("$.getScript('/x.js');", "a script loaded by hand"),
        ("document.createElement('script');", "a script element"),
        ("$('<script src=x>');", "a script element"),
        ("define(['//cdn.example.com/x.js'], function () {});", "a dependency of another host"),
        ("$('.js-widget-install').click();", "a virtual click"),
        ("$('.js-widget-install').trigger('click');", "a virtual click"),
        ("APP.data.current_card.id = 1;", "a change of amoCRM's own data"),
        ("console.log('x');", "console.log"),
        ("console.trace('x');", "console.trace"),
        ("for (var i = 0; i < 9; i++) { self.$authorizedAjax({}); }", "$authorizedAjax in a loop"),
        ("while (true) self.crm_post('/x', {}, done);", "crm_post in a loop"),
        ("do { $.ajax('/api/v4/leads'); } while (more);", "$.ajax in a loop"),
        ("ids.forEach(function (id) { self.$authorizedAjax({ url: id }); });", "$authorizedAjax in a loop"),
        ("$.each(ids, function (n, id) { $.get(id); });", "$.get in a loop"),
        ("// TODO: more", "unfinished or test text"),
    ],
)
def test_code_that_breaks_a_rule(line: str, what: str) -> None:
    assert [(flaw.file, flaw.line, flaw.what) for flaw in flaws(with_code(line))] == [("script.js", 3, what)]


@pytest.mark.parametrize(
    "line",
    [
        "// alert(1); eval(2); console.log(3)",
        "var text = 'alert(1); eval(2); console.log(3)';",
        "console.debug('x');",
        "try { run(); } catch (error) { console.trace(error); }",
        "asked.catch(function (error) { console.trace(error); });",
        "for (var i = 0; i < 9; i++) { sum += i; } self.$authorizedAjax({});",
        "if (APP.data.current_card.id === 1) { run(); }",
        "var quote = text.replace(/'/g, ''); // it's fine",
        "button.on('click', run);",
    ],
)
def test_code_that_breaks_no_rule(line: str) -> None:
    assert flaws(with_code(line)) == ()


# -- the style sheet


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("body { margin: 0; }", "the selector body"),
        (".card-fields { display: none; }", "the selector .card-fields"),
        (".cthub a, a { color: red; }", "the selector a"),
        ("#list_page_holder { color: red; }", "the selector #list_page_holder"),
        (".cthubby { color: red; }", "the selector .cthubby"),
        ("@media print { h1 { color: red; } }", "the selector h1"),
        ("@import 'more.css';", "@import"),
        (".cthub { background: url(https://cdn.example.com/x.png); }", "a picture or font of another host"),
        (".cthub { position: fixed; }", "position: fixed, which may cover amoCRM's own controls"),
    ],
)
def test_a_style_that_breaks_a_rule(rule: str, what: str) -> None:
    last = files()["style.css"].count(b"\n") + 1
    assert [(flaw.file, flaw.line, flaw.what) for flaw in flaws(with_style(rule))] == [("style.css", last, what)]


@pytest.mark.parametrize(
    "rule",
    ["/* body { } */", "@keyframes cthub-x { from { opacity: 0; } }", "@media print { .cthub a { color: red; } }"],
)
def test_a_style_that_breaks_no_rule(rule: str) -> None:
    assert flaws(with_style(rule)) == ()


# -- packages made by somebody else


def paths(told: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place of a manifest, the outermost first."""
    if not isinstance(told, dict):
        return [before]
    return [before, *(path for key, value in told.items() for path in paths(value, (*before, key)))][not before :]


@pytest.mark.parametrize("value", [None, 0, [1, None], {"a": None}], ids=str)
def test_whatever_stands_in_a_manifest_is_read(value: object) -> None:
    for path in paths(json.loads(files()["manifest.json"])):
        assert isinstance(flaws(with_manifest(saying(value, *path))), tuple)


@pytest.mark.parametrize("value", [None, 0, [], {}, "x"])
@pytest.mark.parametrize("file", ["manifest.json", "i18n/ru.json"])
def test_whatever_json_a_file_holds_is_read(file: str, value: object) -> None:
    assert flaws(files() | {file: json.dumps(value).encode()})


@pytest.mark.parametrize("place", range(0, len(GOOD), len(GOOD) // 24))
def test_a_damaged_archive_is_read_or_refused(place: int) -> None:
    damaged = GOOD[:place] + bytes([GOOD[place] ^ 0xFF]) + GOOD[place + 1 :]
    assert isinstance(check("widget.zip", damaged), tuple)


@pytest.mark.parametrize("length", [0, 8, 20, 50, 90])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
def test_half_a_picture_is_told(kind: str, length: int) -> None:
    inside = files()
    del inside["images/logo.png"]
    name = f"images/logo.{kind.lower()}"
    moving = {"save_all": True, "append_images": [Image.new("RGB", (130, 100), "red")]} if kind == "GIF" else {}
    assert flaws(inside | {name: image(130, 100, kind, **moving)[:length]})
