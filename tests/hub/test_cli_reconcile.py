"""``cthub reconcile`` as a person meets it: a line and exit code 0, or each gap with what to do and exit code 1."""

import json
from functools import partial
from pathlib import Path

import pytest

from hub.reconcile import night
from hub.store import reconciliations
from hub.store.db import Db
from hub.store.vault import ring_in
from tests.hub.office import Office
from tests.hub.seed import NOW
from tests.hub.world import OPENING, Cthub

TOLD = {
    "since": "2026-11-20T04:00:00+00:00", "until": "2026-11-21T04:00:00+00:00", "unfinished_since": None, "gap_counts": {},
    "received": {"events": 2, "unseen": 0, "calls": 2, "going_on": 0, "ours": 0, "letters": 0, "looked_at": 2},
    "accounts": [], "gaps": [],
}  # fmt: skip


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    """The verb, run at six in the morning of the day after the office's."""
    return partial(cthub_next_day, "reconcile")


@pytest.fixture
def office(bare_db: Db, tmp_path: Path) -> Office:
    """A customer with a call that nobody has looked at."""
    made = Office(bare_db, ring_in(tmp_path))
    made.tell("c1")
    return made


def test_a_gap_is_a_line_with_what_to_do(cthub: Cthub, office: Office) -> None:
    done = cthub("--no-crm")
    assert done.exit_code == 1
    assert "acme.example: 0 delivered, not checked there (nobody asked); 1 gap." in done.stdout
    assert (
        "20 Nov 2026, 12:00: It came in, and the hub has not looked at it yet. See whether the hub runs" in done.stdout
    )


def test_it_prints_one_json_line(cthub: Cthub, office: Office) -> None:
    done = cthub("--no-crm", "--json")
    (gap,) = json.loads(done.stdout)["gaps"]
    assert (gap["gap"], gap["at"]) == ("not_looked_at", NOW.isoformat())
    assert gap["happened"].startswith("It came in")
    assert gap["to_do"].startswith("See whether")


def test_what_waits_since_yesterday_is_a_gap(cthub: Cthub, office: Office) -> None:
    office.look()
    done = cthub("--no-crm")
    assert "It has waited for more than an hour to be sent." in done.stdout


def test_a_day_without_gaps_ends_with_zero(cthub: Cthub, bare_db: Db, tmp_path: Path) -> None:
    office = Office(bare_db, ring_in(tmp_path))
    office.tell("c1", talk_s=0)
    office.look()
    done = cthub("--no-crm", "--days", "2")
    assert "1 enquiry; acme.example: 0 delivered, not checked there (nobody asked); no gaps." in done.stdout
    assert done.exit_code == 0


def test_without_the_hub_the_crm_is_asked_by_the_command_itself(cthub: Cthub, office: Office) -> None:
    (account,) = json.loads(cthub("--json").stdout)["accounts"]
    assert account["not_checked"] == ""


def test_beside_a_hub_on_its_file_the_crm_is_left_to_it(cthub: Cthub, office: Office, tmp_path: Path) -> None:
    running = Db(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    running.lock()
    (account,) = json.loads(cthub("--json").stdout)["accounts"]
    running.stop()
    assert account["not_checked"] == "beside"


def test_before_the_first_night_there_is_nothing_to_print(cthub: Cthub, office: Office) -> None:
    done = cthub("--last")
    assert done.exit_code == 1
    assert "No night was reconciled yet" in str(done.exception)


def test_the_last_night_is_printed(cthub: Cthub, office: Office) -> None:
    until = night(OPENING.replace(day=21))
    office.db.write_now(reconciliations.take, until, until)
    office.db.write_now(reconciliations.save, office.tenant_id, until, json.dumps(TOLD))
    done = cthub("--last")
    assert done.exit_code == 0
    assert done.stdout.startswith("Reconciled today at 04:00, since 20 Nov 2026, 04:00: 2 enquiries; no gaps.")
