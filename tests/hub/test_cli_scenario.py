"""``cthub scenario`` as a person meets it: problems one a line, a trial as a table or one JSON line."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.errors import HubError
from hub.store.db import Db
from hub.store.tables import Installation, ScenarioVersion, table_of
from hub.store.tx import Tx
from hub.store.vault import ring_in
from tests.hub.office import SCENARIO, Office
from tests.hub.world import Cthub

LOOKS_RIGHT = "ended:\n  unknown: [deal]\nmissed:\n  unknown: [deal]\n"


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "scenario")


@pytest.fixture
def office(bare_db: Db, tmp_path: Path) -> Office:
    """A customer of amoCRM with an answered call that was delivered, and a missed one of which nothing is asked."""
    made = Office(bare_db, ring_in(tmp_path))
    asyncio.run(made.one_call("c1"))
    asyncio.run(made.one_call("c2", talk_s=0))
    bare_db.write_now(to_amocrm)
    return made


def to_amocrm(tx: Tx) -> None:
    """The command line knows real connectors alone."""
    for table in map(table_of, (Installation, ScenarioVersion)):
        tx.execute(update(table).values(connector="amocrm"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "calls.yaml"
    made.write_text(LOOKS_RIGHT, encoding="utf-8")
    return made


def test_a_file_that_can_be_used_is_one_line(cthub: Cthub, file: Path) -> None:
    done = cthub("check", str(file))
    assert (done.exit_code, done.stdout) == (0, f"{file}: 2 rules for ended, missed.\n")


def test_each_problem_is_a_line_with_its_place(cthub: Cthub, file: Path) -> None:
    file.write_text("endd:\n  unknown: [deal]\nmissed:\n  unknown: [note: '{calle}']\n", encoding="utf-8")
    done = cthub("check", str(file))
    assert done.exit_code == 1
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [f"{file}:1", f"{file}:4", f"{file}:4"]


def test_a_file_that_is_not_there_is_said(cthub: Cthub, tmp_path: Path) -> None:
    done = cthub("check", str(tmp_path / "none.yaml"))
    assert isinstance(done.exception, HubError)
    assert "none.yaml cannot be read" in str(done.exception)


def test_names_are_held_against_the_account(cthub: Cthub, office: Office, file: Path) -> None:
    file.write_text("pipeline: Nowhere\n" + LOOKS_RIGHT, encoding="utf-8")
    assert cthub("check", str(file)).exit_code == 0
    done = cthub("check", str(file), "--against-account")
    assert done.exit_code == 1
    assert "unknown pipeline 'Nowhere'" in done.stdout


def test_a_file_that_is_wrong_is_not_tried(cthub: Cthub, office: Office, file: Path) -> None:
    file.write_text("ended: {unknwn: [deal]}", encoding="utf-8")
    done = cthub("dry-run", str(file))
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{file}:1: unknown key 'unknwn'")


def test_a_trial_is_one_json_line(cthub: Cthub, office: Office, file: Path) -> None:
    told = json.loads(cthub("dry-run", str(file), "--days", "30", "--json").stdout)
    assert (told["enquiries"], told["tried"]["deals"], told["live"]["deals"]) == (2, 2, 1)
    assert told["checked"] == {"known": 0, "same": 0}  # the double of the CRM says of no delivery what it decided
    [missed] = told["differences"]
    assert missed["live"] == []
    [did] = missed["tried"]
    assert (did["trigger"], did["rule"], did["state"], did["actions"]) == ("missed", 2, "unknown", ["deal"])


def test_a_trial_is_a_table_and_the_calls_that_go_otherwise(cthub: Cthub, office: Office, file: Path) -> None:
    told = cthub("dry-run", str(file)).stdout
    assert "deals made" in told
    assert "1 enquiry would go otherwise than now:" in told
    assert "create the deal “Звонок +7" in told
    assert "Not checked yet" in told


def test_no_full_phone_is_printed(cthub: Cthub, office: Office, file: Path) -> None:
    told = cthub("dry-run", str(file)).stdout + cthub("dry-run", str(file), "--json").stdout
    assert "0000002" not in told.replace("-", "").replace(" ", "")


def test_without_a_file_the_rules_that_run_are_tried(cthub: Cthub, office: Office) -> None:
    told = json.loads(cthub("dry-run", "--json").stdout)
    assert told["differences"] == []
    assert told["tried"] == told["live"]


def test_without_an_account_it_says_what_there_is(cthub: Cthub, office: Office) -> None:
    done = cthub("dry-run", "--connector", "bitrix24")
    assert str(done.exception) == "There is no account of bitrix24; connected: amocrm."


def test_a_published_file_is_a_new_version_and_comes_back_as_it_was(cthub: Cthub, office: Office, file: Path) -> None:
    office.db.stop()
    assert cthub("publish", str(file)).stdout == "Version 2 runs.\n"
    assert cthub("show").stdout == LOOKS_RIGHT
    assert cthub("show", "--version", "1").stdout == SCENARIO
    assert [line.split("\t")[0] for line in cthub("versions").stdout.splitlines()] == ["2", "1"]


def test_one_step_leads_back(cthub: Cthub, office: Office, file: Path) -> None:
    office.db.stop()
    cthub("publish", str(file))
    assert cthub("rollback", "1").stdout == "Version 3 runs: the text of version 1.\n"
    assert cthub("show").stdout == SCENARIO
    assert str(cthub("rollback", "9").exception) == "There is no version 9; there are: 3, 2, 1."


def test_what_does_not_fit_the_account_is_not_published(cthub: Cthub, office: Office, file: Path) -> None:
    office.db.stop()
    file.write_text("pipeline: Nowhere\n" + LOOKS_RIGHT, encoding="utf-8")
    done = cthub("publish", str(file))
    assert str(done.exception).startswith(f"Nothing was saved. {file}:1: unknown pipeline 'Nowhere'")
    assert cthub("show").stdout == SCENARIO
