"""The marketplace package: what is in it, what the build refuses, and that it is the same twice."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from connectors import panel
from connectors.amocrm.drawing import SIZES
from connectors.amocrm.moderation import check
from connectors.amocrm.package import build, pipeline_secret
from connectors.packaging import PackageAsked, PackageRefused
from connectors.protocol import App
from hub.__main__ import cli
from hub.errors import HubError

APP = App("0f7c0000-0000-4000-8000-000000000001", "s3cret", "https://hub.example.com/oauth/amocrm/callback")
ASKED = PackageAsked("https://hub.example.com", APP, ("ru", "en"), "1.2.3")
APPS = json.dumps({"amocrm": {"client_id": APP.client_id, "client_secret": APP.client_secret}})


def opened(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(asked: PackageAsked) -> dict[str, Any]:
    return json.loads(opened(build(asked))["manifest.json"])


def test_it_passes_its_own_moderation() -> None:
    assert check("widget.zip", build(ASKED)) == ()


def test_it_holds_what_amocrm_asks_for_and_nothing_else() -> None:
    assert set(opened(build(ASKED))) == {
        "manifest.json",
        "script.js",
        "style.css",
        "i18n/ru.json",
        "i18n/en.json",
        *(f"images/{name}" for name in SIZES),
    }


def test_the_same_request_gives_the_same_bytes() -> None:
    assert build(ASKED) == build(ASKED)


def test_another_address_gives_other_bytes() -> None:
    assert build(replace(ASKED, base_url="https://calls.example.com")) != build(ASKED)


@pytest.mark.parametrize("name", SIZES)
def test_a_picture_has_its_exact_size(name: str) -> None:
    image = Image.open(BytesIO(opened(build(ASKED))[f"images/{name}"]))
    assert (image.format, image.size) == ("PNG", SIZES[name])


def test_the_script_knows_the_hub() -> None:
    assert "var HUB = 'https://hub.example.com';" in opened(build(ASKED))["script.js"].decode()


def test_the_style_sheet_is_the_panels() -> None:
    assert opened(build(ASKED))["style.css"].decode() == panel.text("panel.css")


def test_the_panel_stands_in_the_script_line_by_line() -> None:
    lines = [line.strip() for line in opened(build(ASKED))["script.js"].decode().splitlines()]
    own = [line.strip() for line in panel.text("panel.js").splitlines()]
    start = lines.index(own[0])
    assert lines[start : start + len(own)] == own


@pytest.mark.parametrize("code", ["ru", "en"])
def test_the_texts_are_the_panels_and_the_widgets_own(code: str) -> None:
    told = json.loads(opened(build(ASKED))[f"i18n/{code}.json"])
    shared = panel.words(code)
    assert told["card"] == shared["card"]
    assert told["settings"].keys() - shared["settings"].keys() == {"standing", "not_installed", "not_installed_todo"}
    assert told.keys() - shared.keys() == {"widget", "dp"}


def test_where_both_have_a_sentence_the_widgets_own_is_taken() -> None:
    told = json.loads(opened(build(ASKED))["i18n/en.json"])["failure"]
    shared = panel.words("en")["failure"]
    assert "the widget's settings" in told["todo_401"]
    assert {key for key, text in told.items() if text != shared[key]} == {"todo_401"}


def test_nothing_is_left_to_fill_in() -> None:
    texts = [raw.decode() for name, raw in opened(build(ASKED)).items() if not name.endswith(".png")]
    assert [text for text in texts if "{{" in text] == []


def test_a_slash_at_the_end_of_the_address_changes_nothing() -> None:
    assert build(replace(ASKED, base_url="https://hub.example.com/")) == build(ASKED)


def test_the_digital_pipeline_posts_to_an_address_with_a_secret() -> None:
    address = f"https://hub.example.com/embed/amocrm/pipeline/{pipeline_secret(APP)}"
    assert manifest(ASKED)["dp"]["webhook_url"] == address


def test_the_digital_pipeline_asks_for_the_name_of_the_goal() -> None:
    assert manifest(ASKED)["dp"]["settings"] == {"goal": {"name": "dp.goal", "type": "text", "required": True}}


def test_another_app_has_another_secret() -> None:
    assert pipeline_secret(replace(APP, client_secret="other")) != pipeline_secret(APP)


def test_the_secret_of_the_app_is_not_in_the_package() -> None:
    assert [name for name, raw in opened(build(ASKED)).items() if APP.client_secret.encode() in raw] == []


def test_without_an_app_the_digital_pipeline_is_left_out() -> None:
    made = manifest(replace(ASKED, app=None))
    assert "dp" not in made
    assert made["locations"] == ["lcard-1", "ccard-1", "settings"]


def test_without_an_app_it_passes_moderation_too() -> None:
    assert check("widget.zip", build(replace(ASKED, app=None))) == ()


def test_one_language_alone_passes_moderation() -> None:
    assert check("widget.zip", build(replace(ASKED, locales=("ru",)))) == ()


def test_a_russian_domain_beside_english_texts_is_told() -> None:
    flaws = check("widget.zip", build(replace(ASKED, base_url="https://hub.example.ru")))
    assert {flaw.file for flaw in flaws} == {"i18n/en.json", "manifest.json"}


def test_a_russian_domain_in_a_russian_widget_is_fine() -> None:
    assert check("widget.zip", build(replace(ASKED, base_url="https://hub.example.ru", locales=("ru",)))) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://hub.example.com"},
        {"base_url": "hub.example.com"},
        {"base_url": "https://хаб.example.com"},
        {"base_url": "https://hub.example.com/'+alert(1)+'"},
        {"locales": ("ru", "de")},
        {"locales": ()},
        {"version": "1.0"},
        {"support": "javascript:void(0)"},
        {"privacy": "https://hub.example.com/'"},
    ],
)
def test_what_cannot_stand_in_a_package_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PackageRefused):
        build(replace(ASKED, **wrong))


# -- the command line


@pytest.fixture
def here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_APPS", APPS)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["widget", *arguments])


def test_the_command_writes_what_the_build_makes(here: Any) -> None:
    run("build", "amocrm", "--base-url", "https://hub.example.com", "--version", "1.2.3")
    assert (here / "widget.zip").read_bytes() == build(ASKED)


def test_the_command_names_the_pages_a_moderator_opens(here: Any) -> None:
    told = run("build", "amocrm", "--base-url", "https://hub.example.com")
    assert "https://hub.example.com/support" in told.stderr
    assert "https://hub.example.com/privacy" in told.stderr


def test_the_command_says_that_the_pipeline_step_is_left_out(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_APPS", "{}")
    assert "left out" in run("build", "amocrm", "--base-url", "https://hub.example.com").stderr


def test_a_local_hub_is_not_written(here: Any) -> None:
    told = run("build", "amocrm", "--base-url", "https://hub.local")
    assert isinstance(told.exception, HubError)
    assert "is not an address of the open internet" in told.stdout
    assert not (here / "widget.zip").exists()


def test_an_address_without_tls_is_one_sentence(here: Any) -> None:
    told = run("build", "amocrm", "--base-url", "http://hub.example.com")
    assert str(told.exception).startswith("The address http://hub.example.com cannot be used")


def test_a_connector_that_is_not_there_is_one_sentence(here: Any) -> None:
    told = run("build", "abacus", "--base-url", "https://hub.example.com")
    assert str(told.exception) == "There is no package for abacus; there is one for amocrm."


def test_the_check_of_a_good_package_ends_with_0(here: Any) -> None:
    (here / "widget.zip").write_bytes(build(ASKED))
    assert run("check", "widget.zip").exit_code == 0


def test_the_check_of_a_bad_package_prints_a_line_and_ends_with_1(here: Any) -> None:
    (here / "other.zip").write_bytes(build(ASKED))
    told = run("check", "other.zip")
    assert told.stdout == "other.zip: the archive has another name; allowed: exactly widget.zip\n"
    assert told.exit_code == 1


def test_the_check_of_no_file_is_one_sentence(here: Any) -> None:
    assert str(run("check", "widget.zip").exception) == "widget.zip cannot be read: No such file or directory."
