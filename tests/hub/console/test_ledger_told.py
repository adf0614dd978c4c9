"""The ledger on an enquiry's page: how many entries, whether their seals fit, and what each tells."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from hub.store import ledger, ledger_chain, tables
from hub.store.db import Db
from hub.store.ledger import Entry, Kind
from hub.store.vault import Vault
from tests.hub.console.conftest import NOW

_entry = tables.table_of(tables.LedgerEntry)


@pytest.fixture
def written(db: Db, seeded: Any) -> Db:
    """A database with two entries of the answered call."""
    told = [Entry(kind, NOW, seeded.answered, facts={"attempt": 1}) for kind in (Kind.PLANNED, Kind.DELIVERED)]
    db.write_now(ledger.write, seeded.tenant, *told)
    return db


async def page(owner: httpx.AsyncClient, seeded: Any) -> str:
    return (await owner.get(f"/enquiries/{seeded.answered}")).text


async def test_entries_that_wait_for_their_seal_say_so(owner: httpx.AsyncClient, seeded: Any, written: Db) -> None:
    text = await page(owner, seeded)
    assert "Журнал: 2 записи, 2 ещё не запечатаны" in text
    assert "Запланировано для CRM" in text


async def test_a_chain_that_fits_says_so(owner: httpx.AsyncClient, seeded: Any, written: Db, vault: Vault) -> None:
    written.write_now(ledger_chain.seal, seeded.tenant, vault)
    assert "2 записи, запечатан, все печати сходятся" in await page(owner, seeded)


async def test_an_entry_that_was_changed_shows(
    owner: httpx.AsyncClient, seeded: Any, written: Db, vault: Vault
) -> None:
    written.write_now(ledger_chain.seal, seeded.tenant, vault)
    changed = update(_entry).where(_entry.c.kind == Kind.PLANNED).values(facts="{}")
    written.write_now(lambda tx: tx.execute(changed) and None)
    assert "что-то изменили после запечатывания" in await page(owner, seeded)


async def test_an_enquiry_nothing_was_written_of_has_no_ledger(owner: httpx.AsyncClient, seeded: Any) -> None:
    assert "Журнал" not in await page(owner, seeded)
