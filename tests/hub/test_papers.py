"""The pages for everybody: help and privacy, as a marketplace's moderator opens them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import world as worlds
from tests.hub.world import World

PATHS = ("/support", "/privacy")


@pytest.fixture
def named(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A hub whose administrator has said who he is."""
    told = {"operator": "ООО «Ромашка» <Москва>", "support_email": "help@romashka.example", "recording_link_days": 30}
    with worlds.still(database_url, tmp_path, **told) as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("language", "title"), [("ru", ("Помощь", "Конфиденциальность")), ("en", ("Help", "Privacy"))])
async def test_a_page_opens_without_a_login_in_both_languages(
    shared: World, path: str, language: str, title: tuple[str, str]
) -> None:
    answer = await shared.web.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert f"<h1>{title[PATHS.index(path)]}</h1>" in answer.text
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_a_language_is_chosen_by_the_address_and_leads_to_the_other_page(shared: World, path: str) -> None:
    text = (await shared.web.get(f"{path}?language=en", headers={"accept-language": "ru"})).text
    (other,) = set(PATHS) - {path}
    assert '<html lang="en">' in text
    assert f'href="{other}?language=en"' in text


@pytest.mark.parametrize("path", PATHS)
async def test_an_english_page_says_nothing_in_russian_but_the_languages_name(shared: World, path: str) -> None:
    text = (await shared.web.get(f"{path}?language=en")).text
    assert set(re.findall("[А-Яа-яЁё]+", text)) == {"Русский"}


@pytest.mark.parametrize("path", PATHS)
async def test_it_says_who_runs_the_hub_and_whom_to_write_to(named: World, path: str) -> None:
    text = (await named.web.get(path)).text
    assert "ООО «Ромашка» &lt;Москва&gt;" in text
    assert 'href="mailto:help@romashka.example"' in text


async def test_it_says_for_how_long_a_link_in_the_crm_is_good(named: World) -> None:
    assert "действует столько дней: 30" in (await named.web.get("/privacy")).text


async def test_it_says_for_how_long_requests_to_the_crm_are_kept(named: World) -> None:
    assert "хранятся 7 дней без телефонов" in (await named.web.get("/privacy")).text


@pytest.mark.parametrize("path", PATHS)
async def test_where_nobody_has_named_himself_it_says_so_and_writes_to_nobody(shared: World, path: str) -> None:
    text = (await shared.web.get(f"{path}?language=en")).text
    assert "he has not named himself here" in text
    assert "No e-mail is named here" in text
    assert "mailto:" not in text
