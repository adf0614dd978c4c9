"""``cthub accuracy`` as a person meets it: a table with its sentences, one JSON line, and what he can mend."""

import json
from functools import partial

import pytest

from hub.errors import HubError
from hub.store.db import Db
from tests.hub.crowd import Crowd
from tests.hub.world import Cthub


@pytest.fixture
def tapped(bare_db: Db) -> Crowd:
    """A site with one number whose every visitor, one in an hour, taps it and calls."""
    made = Crowd(bare_db, numbers=1)
    for who in range(22):
        visit_id = made.comes(who, at=60 * who)
        made.does(who, visit_id, "tel_tap", at=60 * who + 1, number=made.numbers()[0])
        made.calls(at=60 * who + 1.2, visit_id=visit_id, confidence=0.98, reason="exclusive_lease")
    return made


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "accuracy")


def test_it_prints_one_json_line(cthub: Cthub, tapped: Crowd) -> None:
    (line,) = cthub("--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["calls"], told["named"], told["expected"]) == (22, 22, 21.6)
    assert told["check"]["witnesses"] == {"tap": 22}
    assert (told["check"]["right"], told["bands"][0]["word"]) == (22, "kept")


def test_it_prints_a_table_and_what_it_proves(cthub: Cthub, tapped: Crowd) -> None:
    told = cthub().stdout
    assert "from 97%" in told
    assert "keeps its word" in told
    assert "Checked on 22 calls whose caller is known otherwise (22 by a tap): 22 right, 0 wrong, 0 left open." in told


def test_days_without_calls_are_one_sentence(cthub: Cthub, bare_db: Db) -> None:
    Crowd(bare_db)
    assert cthub().stdout == "No calls in these days\n"


def test_a_hub_that_is_not_set_up_says_what_to_do(cthub: Cthub, bare_db: Db) -> None:
    done = cthub()
    assert isinstance(done.exception, HubError)
    assert "cthub apply FILE" in str(done.exception)
