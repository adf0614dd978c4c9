"""``cthub pool plan`` as a person meets it: a table and a sentence, one JSON line, and what he can mend in one sentence."""

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete
from typer.testing import Result

from hub import cli_pool
from hub.errors import HubError
from hub.pool_plan import Asked
from hub.store.db import Db
from hub.store.tables import Call, Enquiry, Lease, Match, Pool, Tenant, TrackingNumber, Visit, table_of
from hub.store.tx import Tx
from tests.hub.crowd import Crowd, write
from tests.hub.seed import NOW
from tests.hub.world import Cthub


@pytest.fixture
def site(bare_db: Db) -> Crowd:
    """A site with two numbers whose every visitor, one in a quarter of an hour, calls."""
    made = Crowd(bare_db)
    for who in range(55):
        made.calls(at=15 * who + 1, visit_id=made.comes(who, at=15 * who))
    return made


def emptied_of(tx: Tx, model: Any) -> None:
    tx.execute(delete(table_of(model)))


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "pool", "plan")


def refused(done: Result) -> str:
    """The sentence of a refusal, which ``main`` prints before it exits with 1."""
    assert isinstance(done.exception, HubError), done.exception
    return str(done.exception)


def test_it_prints_one_json_line(cthub: Cthub, site: Crowd) -> None:
    done = cthub("--json")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["site"], told["key"], told["pool"], told["right"]) == ("okna", site.key, "main", 0.9)
    assert (told["replayed"]["visits"], told["replayed"]["is_simulated"]) == (55, False)
    assert (told["now"]["numbers"], told["now"]["right"], told["advice"]) == (2, 1.0, "fewer")
    assert told["replayed"]["first"] == "2026-11-20T12:00:00+00:00"


def test_it_prints_a_table_and_what_to_do(cthub: Cthub, site: Crowd) -> None:
    told = cthub().stdout
    assert "1 number is enough instead of 2: 100.0% of the calls go to the right visitor, now 100.0%." in told
    assert all(column in told for column in ("Numbers", "Right", "Wrong", "Unknown", "Found none"))
    assert told.count("on intent") >= 4


def test_calls_that_nobody_is_sure_of_make_the_days_simulated(
    cthub: Cthub, site: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_pool, "Asked", partial(Asked, visits=300))  # a day of twenty thousand takes a while
    site.db.write_now(emptied_of, Match)
    told = json.loads(cthub("--json").stdout)["replayed"]
    assert (told["is_simulated"], told["first"], told["left_out"]) == (True, None, 55)


def test_the_site_and_the_pool_can_be_named(cthub: Cthub, site: Crowd) -> None:
    assert json.loads(cthub("--json", "--site", site.key, "--pool", "main").stdout)["key"] == site.key


def test_an_unknown_key_is_one_sentence_with_the_keys_there_are(cthub: Cthub, site: Crowd) -> None:
    assert refused(cthub("--site", "k9")) == f"No site has the key k9; there are: {site.key} (okna)."


def test_an_unknown_pool_is_one_sentence_with_the_pools_there_are(cthub: Cthub, site: Crowd) -> None:
    assert refused(cthub("--pool", "ads")) == "No pool of the site okna is called ads; there are: main."


def test_a_site_without_a_pool_says_so(cthub: Cthub, site: Crowd) -> None:
    for model in (Match, Call, Enquiry, Lease, Visit, TrackingNumber, Pool):
        site.db.write_now(emptied_of, model)
    assert "has no pool" in refused(cthub())


def test_a_hub_without_a_site_says_so(cthub: Cthub, bare_db: Db) -> None:
    bare_db.write_now(write, Tenant, name="Окна", created_at=NOW)
    assert "There is no site yet" in refused(cthub())


def test_a_hub_that_is_not_set_up_says_so(cthub: Cthub, bare_db: Db) -> None:
    assert "not set up yet" in refused(cthub())


@pytest.mark.parametrize("wrong", [("--right", "1.1"), ("--days", "0")], ids=["right", "days"])
def test_an_option_out_of_its_range_is_refused(cthub: Cthub, site: Crowd, wrong: tuple[str, str]) -> None:
    done = cthub(*wrong)
    assert (done.exit_code, wrong[0] in done.output) == (2, True)
