import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.templates import TEMPLATE_CAP, TEXT_CAP, faults, fill

NAMES = ("caller", "talk", "campaign", "text")
KNOWN = {"caller": "+7 916 123-45-67", "talk": "", "campaign": "окна", "text": "Перезвоните"}


def problems(text):
    return [phrase for phrase, _ in faults(text, NAMES)]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{caller}", "+7 916 123-45-67"),
        ("{ caller }", "+7 916 123-45-67"),
        ("{{caller}}", "{caller}"),
        ("{talk or 'без разговора'}", "без разговора"),
        ("{campaign | upper}", "ОКНА"),
        ("{campaign | truncate(3, True, '', 0)}", "окн"),
        ("{% if talk %}Разговор {talk}{% endif %}Конец", "Конец"),
        ("{% if campaign == 'окна' %}Отдел окон{% else %}Остальные{% endif %}", "Отдел окон"),
        ("{# не видно #}{campaign}", "окна"),
        ("просто текст", "просто текст"),
    ],
)
def test_a_template_says_what_is_known(template, text):
    assert problems(template) == []
    assert fill(template, KNOWN) == text


def test_a_line_of_which_nothing_is_known_is_left_out():
    assert (
        fill("Разговор: {talk}\nКампания: {campaign}\n\nКонец {talk}{campaign}", KNOWN)
        == "Кампания: окна\n\nКонец окна"
    )


def test_a_condition_on_a_line_of_its_own_leaves_no_empty_line():
    assert fill("a\n{% if talk %}\n{talk}\n{% endif %}\nb", KNOWN) == "a\nb"


@pytest.mark.parametrize(
    ("template", "phrase"),
    [
        ("{calle}", "unknown placeholder {calle}"),
        ("{caller.__class__}", "getattr is not allowed in braces"),
        ("{caller['x']}", "getitem is not allowed in braces"),
        ("{caller()}", "call is not allowed in braces"),
        ("{caller * 100000000}", "mul is not allowed in braces"),
        ("{caller ~ caller}", "concat is not allowed in braces"),
        ("{% for x in caller %}{% endfor %}", "for is not allowed in braces"),
        ("{% set caller = 1 %}", "assign is not allowed in braces"),
        ("{% include 'x' %}", "include is not allowed in braces"),
        ("{% macro caller() %}{% endmacro %}", "macro is not allowed in braces"),
        ("{caller | replace('', 'xxx')}", "the filter replace is not allowed"),
        ("{caller | attr('x')}", "the filter attr is not allowed"),
        ("{caller", "a lone {: write {{ for a brace"),
        ("caller}", "a lone }: write }} for a brace"),
        ("{% if caller %}", "not readable: "),
        ("{caller caller}", "not readable: "),
        ("x" * (TEMPLATE_CAP + 1), f"longer than {TEMPLATE_CAP} characters"),
    ],
)
def test_what_is_more_than_words_is_refused(template, phrase):
    assert any(one.startswith(phrase) for one in problems(template)), problems(template)


def test_a_value_is_never_a_template():
    assert fill("{text}", {"text": "{caller} {% if x %} {{"}) == "{caller} {% if x %} {{"


def test_a_filled_text_has_an_end():
    assert len(fill("{text}" * 100, {"text": "x" * 4_000})) <= TEXT_CAP


def test_what_a_filter_cannot_take_leaves_the_text_empty():
    assert fill("{caller | truncate('x')}", KNOWN) == ""


@given(st.text(alphabet=st.sampled_from("{}%#|'\"() \nacler.*~_0"), max_size=40), st.text(max_size=20))
def test_what_passes_the_check_can_be_filled(template, value):
    if not problems(template):
        assert isinstance(fill(template, dict.fromkeys(NAMES, value)), str)
