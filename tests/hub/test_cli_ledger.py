"""``cthub ledger`` as a person meets it: what fits is a sentence and exit code 0, what does not is named."""

import json
from functools import partial

import pytest
from sqlalchemy import update

from hub.store import ledger, ledger_chain
from hub.store.db import Db
from hub.store.ledger import Entry, Kind
from hub.store.tables import LedgerEntry, table_of
from hub.store.vault import ring_in
from tests.hub.seed import NOW, customer
from tests.hub.world import Cthub

_entry = table_of(LedgerEntry)


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "ledger")


@pytest.fixture
def sealed(bare_db: Db, tmp_path: object) -> Db:
    """Four sealed entries, the last two of enquiry 7, and one that is not."""
    vault = ring_in(tmp_path)  # type: ignore[arg-type]
    tenant_id, _ = bare_db.write_now(customer, vault)
    told = [Entry(Kind.JUDGED, NOW, one, facts={"qualified": True}) for one in (6, 7, 7)]
    bare_db.write_now(ledger.write, tenant_id, *told)
    bare_db.write_now(ledger_chain.seal, tenant_id, vault)
    bare_db.write_now(ledger.write, tenant_id, Entry(Kind.PASSWORD_SET, NOW, facts={"person": 1}))
    return bare_db


def test_a_ledger_that_fits_is_one_sentence(cthub: Cthub, sealed: Db) -> None:
    done = cthub("verify")
    assert done.exit_code == 0
    assert done.stdout.startswith("4 entries, sealed, and every one fits. 1 wait for their seal. The last hash is ")


def test_an_entry_that_was_changed_is_named(cthub: Cthub, sealed: Db) -> None:
    sealed.write_now(lambda tx: tx.execute(update(_entry).where(_entry.c.seq == 3).values(facts="{}")) and None)
    done = cthub("verify")
    assert done.exit_code == 1
    assert done.stdout.startswith(
        "2 entries fit. Entry 3 does not fit: it does not tell what it told when it was sealed."
    )


def test_it_prints_one_json_line(cthub: Cthub, sealed: Db) -> None:
    sealed.write_now(lambda tx: tx.execute(update(_entry).where(_entry.c.seq == 3).values(seq=30)) and None)
    done = cthub("verify", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["sealed"], told["flaw"]) == (1, 2, {"seq": 4, "what": "number"})


def test_the_entries_of_an_enquiry_are_shown(cthub: Cthub, sealed: Db) -> None:
    lines = [json.loads(line) for line in cthub("show", "--enquiry", "7", "--json").stdout.splitlines()]
    assert [(line["seq"], line["kind"], line["fits"]) for line in lines] == [(3, "judged", True), (4, "judged", True)]


def test_the_newest_of_any_kind_are_shown(cthub: Cthub, sealed: Db) -> None:
    shown = cthub("show", "--last", "2").stdout
    assert "password_set" in shown
    assert "not sealed yet" in shown
    assert shown.count("judged") == 1
