"""``cthub habits`` as a person meets it: sentences, one JSON line, and what he can mend in one sentence."""

import json
from functools import partial

import pytest

from hub.errors import HubError
from hub.store import site_habits
from hub.store.db import Db
from hub.store.site_habits import Learned
from tests.hub.console.test_habits_told import OWN
from tests.hub.crowd import Crowd
from tests.hub.seed import NOW
from tests.hub.world import Cthub
from tracking_core.habits import SHEET_HABITS


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "habits")


def keep(db: Db, learned: Learned) -> Crowd:
    made = Crowd(db)
    db.write_now(site_habits.save, made.tenant_id, made.site_id, learned)
    return made


def test_it_says_in_words_what_a_site_has_taught(cthub: Cthub, bare_db: Db) -> None:
    keep(bare_db, Learned(NOW, 1_240, OWN))
    assert "52% of the calls come while the visitor is on the page." in cthub().stdout


def test_it_prints_one_json_line(cthub: Cthub, bare_db: Db) -> None:
    site = keep(bare_db, Learned(NOW, 1_240, OWN))
    (told,) = json.loads(cthub("--json").stdout)
    assert (told["key"], told["calls"], told["learned_at"]) == (site.key, 1_240, "2026-11-20T12:00:00+00:00")
    assert told["habits"]["delays"]["present"] == [0.52, 5.0]


def test_general_figures_are_no_habits_of_the_site(cthub: Cthub, bare_db: Db) -> None:
    keep(bare_db, Learned(NOW, 12, SHEET_HABITS))
    assert json.loads(cthub("--json").stdout)[0]["habits"] is None


def test_a_hub_that_is_not_set_up_says_so(cthub: Cthub, bare_db: Db) -> None:
    done = cthub()
    assert isinstance(done.exception, HubError) and "not set up yet" in str(done.exception)
