"""The accuracy of matching in words: every sentence a reader may see, in both languages."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hub.accuracy import Accuracy, Check
from hub.web.console.accuracy_told import answer, band, notes, to_do, witnesses
from hub.web.console.formats import Formats
from hub.web.words import Words
from tracking_core.calibration import EDGES, Band

EN, RU = (Formats(Words(language), "Europe/Moscow", "RUB") for language in ("en", "ru"))
DAY = date(2026, 11, 20)
NONE = Check(0, 0, 0, {})
MADE = Accuracy(DAY, DAY, 200, 160, 20, 146.4, (), (), (), {}, NONE)


def checked(tested: int, right: int, wrong: int = 0, **by: int) -> Accuracy:
    return replace(MADE, check=Check(tested, right, wrong, by))


def test_the_answer_is_how_many_calls_got_the_right_visitor() -> None:
    told = "200 calls came to the numbers of your pools; 160 got a visitor, and about 146 of these the right one."
    assert answer(EN, MADE) == told


def test_without_a_check_the_reader_is_told_that_these_are_promises() -> None:
    assert "nothing could be checked" in " ".join(notes(EN, MADE))


def test_a_small_check_is_told_and_called_small() -> None:
    told = list(notes(EN, checked(7, 5, 1, tap=7)))
    assert told[0] == "Checked on 7 calls whose caller is known otherwise (7 by a tap): 5 right, 1 wrong, 1 left open."
    assert told[1].startswith("That is too few")


def test_a_check_that_says_something_gives_the_share_and_how_far_it_may_be_off() -> None:
    *_, told = notes(EN, checked(60, 45, 5))
    assert told.startswith(
        "Of the checked calls that got a visitor 90.0% got the right one; so few prove from 78.6% to 95.7%."
    )


@pytest.mark.parametrize(("right", "says"), [(10, True), (18, False)])
def test_a_promise_that_is_not_kept_is_followed_by_what_to_do(right: int, says: bool) -> None:
    made = replace(MADE, bands=(Band(0.9, 100, 0.93, 20, 0.93, right),))
    assert bool([one for one in to_do(EN, made) if "promises more" in one]) is says


@pytest.mark.parametrize(("named", "says"), [(120, True), (175, False)])
def test_many_calls_without_a_visitor_are_explained(named: int, says: bool) -> None:
    made = replace(MADE, named=named, probable=0)
    assert bool([one for one in to_do(EN, made) if "got no visitor" in one]) is says


def test_bands_are_named_by_where_they_begin_and_the_lowest_by_its_end() -> None:
    assert [band(EN, low, EDGES[1]) for low in (0.97, 0.6, 0.0)] == ["from 97%", "from 60%", "below 60%"]


def test_the_witnesses_are_counted() -> None:
    assert witnesses(EN, checked(5, 5, tap=3, form=2)) == "2 by a form, 3 by a tap"


@pytest.mark.parametrize("made", [MADE, checked(1, 1), checked(22, 21, 1), checked(60, 45, 5, tap=60)])
def test_russian_says_it_too(made: Accuracy) -> None:
    said: list[Any] = [answer(RU, made), *notes(RU, made), *to_do(RU, made), witnesses(RU, made)]
    assert not any(letter.isascii() and letter.isalpha() for one in said for letter in one)
