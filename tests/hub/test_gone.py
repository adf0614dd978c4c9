"""Deals that went without a word: a CRM that does not tell is asked, some deals with each reading, all of them in turn."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connectors.protocol import DealChange, InstallationError, Page, Ref, Why
from connectors.telling import Said
from hub import readback
from hub.store import crm, erasures, tables
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tables import Deal, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.double import Acme, StoppedClock
from tests.hub.seed import NOW, Lane, customer, grant

_deal = table_of(Deal)
WON = DealChange("1", None, "1", "142", "won", 50_000, "RUB", NOW, NOW, NOW, None)


class Account:
    """A CRM account that tells nobody which deals it has no more, and a hub that reads it."""

    def __init__(self, db: Db, vault: Vault, number: int) -> None:
        self.db, self.vault, self.number = db, vault, number
        self.tenant_id, self.id = db.write_now(customer, vault)
        self.gone: set[str] = set()
        self.asked: list[list[str]] = []
        self.trouble: InstallationError | None = None
        self.tells_gone = False

    # -- the account

    async def changes(self, cursor: str | None) -> Page:
        deals = tuple(replace(WON, id=str(number)) for number in range(1, self.number + 1)) if cursor is None else ()
        return Page(deals, (), "c", more=False, tells_gone=self.tells_gone)

    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        if self.trouble:
            raise self.trouble
        self.asked.append([ref.id for ref in refs])
        return frozenset(ref for ref in refs if ref.id in self.gone)

    # -- the hub

    @property
    def of(self) -> Installed:
        return self.db.read_now(crm.installation, self.tenant_id, self.id)

    def read(self, times: int = 1) -> None:
        """Read what changed, so many times."""
        for _ in range(times):
            session: Any = self
            asyncio.run(readback.pull(self.db, StoppedClock(), session, self.of, self.vault))

    def held(self, **what: object) -> int:
        """Count the deals the hub holds that are so."""

        def count(tx: Tx) -> int:
            return len(tx.execute(select(_deal.c.id).filter_by(**{"deleted": False, **what})).all())

        return self.db.read_now(count)


@pytest.fixture
def few(store: Db, vault: Vault) -> Account:
    """An account with three deals."""
    return Account(store, vault, 3)


@pytest.fixture
def many(store: Db, vault: Vault) -> Account:
    """An account with more deals than two looks ask for."""
    return Account(store, vault, 1_100)


def test_a_deal_that_is_gone_is_deleted_and_the_others_stay(few: Account) -> None:
    few.gone = {"2"}
    few.read()
    assert few.held() == 2
    assert few.held(external_id="2", deleted=True) == 1


def test_what_was_found_gone_is_not_asked_for_again(few: Account) -> None:
    few.gone = {"2"}
    few.read(2)
    assert few.asked == [["1", "2", "3"], ["1", "3"]]


def test_a_deal_that_is_there_again_is_held_again(few: Account) -> None:
    few.gone = {"2"}
    few.read()
    page = Page((replace(WON, id="2"),), (), "c", more=False)
    few.db.write_now(readback.save_page, few.of, page, NOW, few.vault)
    assert few.held() == 3


def test_a_crm_that_tells_what_goes_is_not_asked(few: Account) -> None:
    few.tells_gone = True
    few.read()
    assert few.asked == []


def test_where_no_deal_is_held_nothing_is_asked(store: Db, vault: Vault) -> None:
    account = Account(store, vault, 0)
    account.read()
    assert account.asked == []


def test_the_next_look_goes_on_where_the_last_ended_and_begins_anew_at_the_end(many: Account) -> None:
    many.read(4)
    assert [(asked[0], len(asked)) for asked in many.asked] == [("1", 500), ("501", 500), ("1001", 100), ("1", 500)]


def test_a_look_that_would_find_nothing_behind_the_last_deal_begins_anew(store: Db, vault: Vault) -> None:
    account = Account(store, vault, 500)
    account.read(2)
    assert [asked[0] for asked in account.asked] == ["1", "1"]


def test_trouble_of_the_look_loses_neither_the_page_before_it_nor_its_own_place(many: Account) -> None:
    many.read()
    place = many.of.looked_to
    many.trouble = InstallationError(Why.UNAVAILABLE, Said("busy"))
    with pytest.raises(InstallationError):
        many.read()
    assert (many.of.cursor, many.of.looked_to, many.held()) == ("c", place, 1_100)


def test_trouble_of_the_first_look_leaves_what_was_read(few: Account) -> None:
    few.trouble = InstallationError(Why.UNAVAILABLE, Said("busy"))
    with pytest.raises(InstallationError):
        few.read()
    assert (few.of.cursor, few.held()) == ("c", 3)


def test_who_connects_again_is_looked_at_from_the_first_deal(many: Account) -> None:
    many.read()
    many.db.write_now(crm.install, many.tenant_id, "acme", grant(), NOW, many.vault)
    assert many.of.looked_to is None


def test_what_is_erased_is_looked_at_from_the_first_deal(many: Account) -> None:
    many.read()
    many.db.write_now(crm.forget_access, many.of, "gone", many.vault)
    many.db.write_now(erasures.ask, many.tenant_id, many.id, NOW, "asked", NOW)
    many.db.write_now(erasures.take, NOW)
    assert many.of.looked_to is None


def test_another_customers_deals_are_not_asked_for(few: Account) -> None:
    few.read()
    tenant_id, installation_id = few.db.write_now(customer, few.vault, "acme", "32")
    other = few.db.read_now(crm.installation, tenant_id, installation_id)
    few.asked.clear()
    few.number = 0
    session: Any = few
    asyncio.run(readback.pull(few.db, StoppedClock(), session, other, few.vault))
    assert few.asked == []


def test_what_is_gone_and_where_the_next_look_begins_are_saved_together_or_not_at_all(
    few: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    few.gone = {"2"}
    monkeypatch.setattr(crm, "save_looked", broken)
    with pytest.raises(OSError, match="full"):
        few.read()
    assert few.held() == 3


async def test_trouble_of_the_look_holds_the_account_as_that_of_any_read_does(
    store: Db, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def changes(self: Acme, cursor: str | None) -> Page:
        return Page((WON,), (), "c", more=False, tells_gone=False)

    async def missing(self: Acme, refs: Sequence[Ref]) -> frozenset[Ref]:
        raise InstallationError(Why.UNAVAILABLE, Said("The CRM is out of order."))

    monkeypatch.setattr(Acme, "changes", changes)
    monkeypatch.setattr(Acme, "missing", missing)
    lane = Lane(store, vault)
    worker = Acme().worker(store, StoppedClock(), vault)
    assert await worker._serve_next()
    await asyncio.gather(*worker._serving, return_exceptions=True)
    held = store.read_now(lambda tx: tx.execute(select(table_of(tables.Lane))).one())
    assert held.hold_until > NOW
    assert "out of order" in held.hold_why
    assert store.read_now(crm.installation, lane.tenant_id, lane.installation_id).cursor == "c"
