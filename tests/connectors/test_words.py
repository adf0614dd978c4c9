"""What connectors say to people: both languages say the same things, and every code that is said has its words."""

import ast
import re
import string
from pathlib import Path

import pytest

from connectors.common_words import common_words
from connectors.registry import CONNECTORS
from hub.web.words.en import EN

TABLES = {"": common_words, **{name: one.words for name, one in CONNECTORS.items()}}
NAMES = sorted(CONNECTORS)
ROOT = Path(__file__).parents[2] / "connectors"


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", TABLES)
def test_both_languages_say_the_same_with_the_same_values(name):
    russian, english = TABLES[name]["ru"], TABLES[name]["en"]
    assert russian.keys() == english.keys()
    for code in russian:
        both = [placeholders(one.what) | placeholders(one.to_do) for one in (russian[code], english[code])]
        assert both[0] == both[1], code


@pytest.mark.parametrize("name", TABLES)
def test_russian_is_russian_and_english_is_not(name):
    cyrillic = re.compile("[а-яА-Я]")
    assert [code for code, one in TABLES[name]["ru"].items() if not cyrillic.search(one.what)] == []
    assert [code for code, one in TABLES[name]["en"].items() if cyrillic.search(one.what.replace("{", ""))] == []


def said(path):
    """Return the codes a file says: the first argument of Said(...) and outcome(...), both of a choice."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        is_call = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Said", "_not", "outcome")
        if is_call and node.args:
            for one in ast.walk(node.args[0]):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def said_in(folder):
    return {code for path in folder.glob("*.py") for code in said(path)}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_has_words_and_no_words_are_left_over(name):
    codes, words = said_in(ROOT / name), CONNECTORS[name].words["ru"].keys()
    assert codes - common_words["ru"].keys() <= words
    assert words <= codes | common_words["ru"].keys() | EN.keys()  # a page of the hub may be said otherwise, too


def test_what_all_connectors_may_say_has_words_and_no_words_are_left_over():
    assert said_in(ROOT) == common_words["ru"].keys()


def test_a_code_without_words_would_be_missed(tmp_path):
    (tmp_path / "x.py").write_text('Said("nobody_says" if a else "this")', "utf-8")
    assert set(said(tmp_path / "x.py")) == {"nobody_says", "this"}
