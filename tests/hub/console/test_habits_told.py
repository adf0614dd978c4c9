"""How visitors call, in sentences: learned figures, too few calls, and whether the general figures still hold."""

from dataclasses import replace

import pytest

from hub.store.site_habits import Learned
from hub.web.console.formats import Formats
from hub.web.console.habits_told import told
from hub.web.words import LANGUAGES, Words
from tests.hub.seed import NOW
from tracking_core.habits import SHEET_HABITS, Delays, Habits

OWN = replace(SHEET_HABITS, delays=Delays(((0.5, 2.0), (0.5, 120.0)), present=(0.52, 5.0)))


def sentences(habits: Habits, calls: int = 1_240, language: str = "en") -> list[str]:
    return list(told(Formats(Words(language), "UTC", ""), Learned(NOW, calls, habits), NOW))


def test_when_calls_come_is_told_first() -> None:
    first, second, *_ = sentences(OWN)
    assert first == (
        "52% of the calls come while the visitor is on the page. Of the others half come within 7 min after, nine in ten within 3 h."
    )
    assert second.startswith("Learned from 1240 first calls of the last 90 days, ")


def test_general_figures_that_differ_stand_beside_the_sites_own() -> None:
    assert sentences(OWN)[2] == (
        "By the general figures 24% would come from the page and 16% more than 10 min after; with you 23% do. Your own figures are used."
    )


def test_general_figures_that_are_near_still_hold() -> None:
    near = replace(SHEET_HABITS, delays=Delays(((0.84, 3.0), (0.16, 60.0))))
    assert sentences(near)[2] == "The general figures, 24% from the page and 16% more than 10 min after, still hold."


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"regions": {"RU-MOW": 1.0}, "region_known": 0.4}, "40% of the callers' phones tell a region; 10% of these tell another than the visit's."),
        ({"tap_share": 0.6}, "60% of the calls from the page come right after a tap on the number."),
    ],
)  # fmt: skip
def test_signs_are_told_where_they_were_learned(about: dict[str, object], sentence: str) -> None:
    assert sentences(replace(OWN, **about))[-1] == sentence  # type: ignore[arg-type]


def test_too_few_calls_say_how_many_are_needed() -> None:
    (said,) = sentences(SHEET_HABITS, calls=12)
    assert (
        said == "General figures are used: your own are learned from 50 first calls of people on, so far there are 12."
    )


def test_a_site_nobody_has_looked_at_says_so() -> None:
    (said,) = told(Formats(Words("en"), "UTC", ""), None, NOW)
    assert said.startswith("Your calls have not been looked at yet")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_its_figures(language: str) -> None:
    assert not any("{" in one for one in sentences(replace(OWN, tap_share=0.6, regions={"KZ": 1.0}), language=language))
