"""Session rules of the DNI sheet, section 8."""

from datetime import UTC, datetime, timedelta

import pytest

from tracking_core.source import read_source
from tracking_core.visit import continues

SEEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAID = read_source("https://okna.example/?utm_source=yandex&utm_medium=cpc&utm_campaign=okna&yclid=1", "", ())


def view(query: str = "", referrer: str = "", minutes: float = 5) -> bool:
    new = read_source("https://okna.example/" + query, referrer, ("okna.example",))
    return continues(SEEN, PAID, SEEN + timedelta(minutes=minutes), new)


@pytest.mark.parametrize(("minutes", "same"), [(29.9, True), (30, True), (30.1, False)])
def test_half_an_hour_of_silence_ends_a_visit(minutes, same):
    assert view(minutes=minutes) is same


def test_an_idle_time_of_the_site_is_respected():
    assert not continues(SEEN, PAID, SEEN + timedelta(minutes=11), PAID, timedelta(minutes=10))


@pytest.mark.parametrize("referrer", ["", "https://okna.example/a", "https://bank.example/3ds", "https://yandex.ru/"])
def test_a_view_without_tags_continues_whatever_its_referrer(referrer):
    assert view(referrer=referrer)


def test_a_reload_of_the_landing_page_continues():
    assert view("?utm_source=yandex&utm_medium=cpc&utm_campaign=okna&yclid=1")


def test_the_same_tags_without_the_click_id_continue():
    assert view("?utm_source=yandex&utm_medium=cpc&utm_campaign=okna")


@pytest.mark.parametrize(
    "query",
    [
        "?utm_source=yandex&utm_medium=cpc&utm_campaign=okna&yclid=2",
        "?utm_source=yandex&utm_medium=cpc&utm_campaign=dveri",
        "?utm_source=vk&utm_medium=cpc&utm_campaign=okna",
        "?gclid=1",
    ],
)
def test_a_new_campaign_begins_a_new_visit(query):
    assert not view(query)
