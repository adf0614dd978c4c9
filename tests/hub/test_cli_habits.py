"""``cthub habits`` as a person meets it: sentences, one JSON line, and what he can mend in one sentence."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.__main__ import cli
from hub.errors import HubError
from hub.store import site_habits
from hub.store.db import Db
from hub.store.site_habits import Learned
from tests.hub.console.test_habits_told import OWN
from tests.hub.crowd import Crowd
from tests.hub.seed import NOW
from tracking_core.habits import SHEET_HABITS

Cthub = Callable[..., Result]


@pytest.fixture
def db(sqlite_template: Path, tmp_path: Path) -> Iterator[Db]:
    """A migrated database of which nobody knows yet."""
    opened = Db(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'hub.sqlite3')}")
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def cthub(tmp_path: Path) -> Cthub:
    return lambda *arguments: CliRunner().invoke(cli, ["habits", *arguments], env={"HUB_DATA_DIR": str(tmp_path)})


def keep(db: Db, learned: Learned) -> Crowd:
    made = Crowd(db)
    db.write_now(site_habits.save, made.tenant_id, made.site_id, learned)
    return made


def test_it_says_in_words_what_a_site_has_taught(cthub: Cthub, db: Db) -> None:
    keep(db, Learned(NOW, 1_240, OWN))
    assert "52% of the calls come while the visitor is on the page." in cthub().stdout


def test_it_prints_one_json_line(cthub: Cthub, db: Db) -> None:
    site = keep(db, Learned(NOW, 1_240, OWN))
    (told,) = json.loads(cthub("--json").stdout)
    assert (told["key"], told["calls"], told["learned_at"]) == (site.key, 1_240, "2026-11-20T12:00:00+00:00")
    assert told["habits"]["delays"]["present"] == [0.52, 5.0]


def test_general_figures_are_no_habits_of_the_site(cthub: Cthub, db: Db) -> None:
    keep(db, Learned(NOW, 12, SHEET_HABITS))
    assert json.loads(cthub("--json").stdout)[0]["habits"] is None


def test_a_hub_that_is_not_set_up_says_so(cthub: Cthub, db: Db) -> None:
    done = cthub()
    assert isinstance(done.exception, HubError) and "not set up yet" in str(done.exception)
