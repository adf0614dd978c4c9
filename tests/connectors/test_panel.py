"""The panel's files: one script, one style sheet, the same texts in each language, and no CRM's name in any of them."""

import re

import pytest

from connectors import panel

FILES = ("panel.js", "panel.css", *(f"texts/{code}.json" for code in panel.LANGUAGES))
VENDORS = re.compile(r"amo|\bамо|kommo|bitrix|битрикс|jquery", re.IGNORECASE)
CHOSEN = re.compile(r"(todo|unsaved|nothing)_")  # the script adds a status or a kind to these


def sentences(code: str) -> dict[str, str]:
    return {f"{section}.{key}": text for section, told in panel.words(code).items() for key, text in told.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_names_no_crm(name: str) -> None:
    assert VENDORS.findall(panel.text(name)) == []


def test_the_script_needs_no_jquery_and_leaves_nothing_to_fill_in() -> None:
    assert [sign for sign in ("$", "{{", "}}") if sign in panel.text("panel.js")] == []


def test_the_script_makes_no_markup_of_a_text() -> None:
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", panel.text("panel.js")) == []


def test_every_language_has_the_same_texts_and_none_is_empty() -> None:
    russian, english = sentences("ru"), sentences("en")
    assert russian.keys() == english.keys()
    assert [key for told in (russian, english) for key, text in told.items() if not text.strip()] == []


def test_both_languages_fill_in_the_same() -> None:
    english = sentences("en")
    wrong = [key for key, text in sentences("ru").items() if _filled(text) != _filled(english[key])]
    assert wrong == []


def _filled(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def test_every_text_is_used() -> None:
    script = panel.text("panel.js")
    used = set(re.findall(r"\.(\w+)", script))
    keys = {key.split(".")[1] for key in sentences("en") if not key.startswith("language.")}
    assert {key for key in keys - used if not CHOSEN.match(key)} == set()


def test_every_section_the_script_asks_for_is_there() -> None:
    assert set(re.findall(r"words\('(\w+)'\)", panel.text("panel.js"))) == panel.words("ru").keys() - {"language"}


def test_a_language_says_which_it_is() -> None:
    assert [panel.words(code)["language"]["code"] for code in panel.LANGUAGES] == list(panel.LANGUAGES)
