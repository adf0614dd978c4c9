"""The ledger: written with its fact, sealed after it, and whatever is done to it later is found and named."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from hub.store import ledger, ledger_chain
from hub.store.db import Db
from hub.store.ledger import Entry, Kind
from hub.store.ledger_chain import Flaw, Verified, What, digest, told_by
from hub.store.tables import LedgerEntry, LedgerHead, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW, customer

_entry, _head = table_of(LedgerEntry), table_of(LedgerHead)


class Book:
    """A tenant's ledger in a database."""

    def __init__(self, db: Db, vault: Vault) -> None:
        self.db, self.vault = db, vault
        self.tenant_id, _ = db.write_now(customer, vault)
        db.write_now(lambda tx: tx.execute(delete(_entry)) and None)  # of the customer's own set-up

    def write(self, *enquiries: int) -> None:
        told = [Entry(Kind.JUDGED, NOW, one, facts={"qualified": True}) for one in enquiries]
        self.db.write_now(ledger.write, self.tenant_id, *told)

    def seal(self) -> int:
        return self.db.write_now(ledger_chain.seal, self.tenant_id, self.vault)

    def verify(self, noted: str = "") -> Verified:
        return self.db.read_now(ledger_chain.verify, self.tenant_id, self.vault, noted)

    def rows(self) -> list[Any]:
        return self.db.read_now(lambda tx: list(tx.execute(select(_entry).order_by(_entry.c.id))))

    def change(self, at: int, /, **columns: Any) -> None:
        changed = update(_entry).where(_entry.c.seq == at).values(**columns)
        self.db.write_now(lambda tx: tx.execute(changed) and None)

    def put(self, seq: int, previous: str) -> None:
        """Put an entry at a place, its hash made as the hub makes it."""

        def add(tx: Tx) -> None:
            ledger.write(tx, self.tenant_id, Entry(Kind.JUDGED, NOW, 99))
            row = tx.execute(select(_entry).where(_entry.c.seq.is_(None))).one()
            own = {"seq": seq, "previous": previous, "hash": digest(told_by(row), seq, previous)}
            tx.execute(update(_entry).where(_entry.c.id == row.id).values(**own))

        self.db.write_now(add)

    def remove(self, seq: int) -> None:
        self.db.write_now(lambda tx: tx.execute(delete(_entry).where(_entry.c.seq == seq)) and None)


@pytest.fixture
def book(store: Db, vault: Vault) -> Book:
    return Book(store, vault)


@pytest.fixture
def sealed(book: Book) -> Book:
    """A ledger with the entries 1 to 5, sealed."""
    book.write(11, 12, 13, 14, 15)
    book.seal()
    return book


# -- sealing


def test_what_is_sealed_is_a_chain_in_the_order_it_was_written(sealed: Book) -> None:
    rows = sealed.rows()
    assert [(row.seq, row.enquiry_id) for row in rows] == [(1, 11), (2, 12), (3, 13), (4, 14), (5, 15)]
    assert [row.previous for row in rows] == ["", *(row.hash for row in rows[:-1])]
    found = sealed.verify()
    assert (found.sealed, found.unsealed, found.hash, found.flaw) == (5, 0, rows[-1].hash, None)


def test_sealing_twice_changes_nothing(sealed: Book) -> None:
    before = sealed.rows()
    assert sealed.seal() == 0
    assert sealed.rows() == before


def test_what_is_written_later_goes_on_from_there(sealed: Book) -> None:
    sealed.write(16)
    assert (sealed.verify().sealed, sealed.verify().unsealed) == (5, 1)
    assert sealed.seal() == 1
    assert (sealed.verify().sealed, sealed.verify().flaw) == (6, None)


def test_a_long_ledger_is_sealed_part_by_part_and_verified_page_by_page(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_chain, "AT_ONCE", 3)
    monkeypatch.setattr(ledger_chain, "_PAGE", 2)
    book.write(*range(1, 9))
    assert [book.seal() for _ in range(4)] == [3, 3, 2, 0]
    assert (book.verify().sealed, book.verify().flaw) == (8, None)


def test_many_sealers_at_once_make_one_chain(book: Book) -> None:
    book.write(*range(1, 301))
    counted: list[int] = []

    def seals() -> None:
        while number := book.seal():
            counted.append(number)

    threads = [threading.Thread(target=seals) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 300
    assert (book.verify().sealed, book.verify().flaw) == (300, None)


def test_each_tenant_has_a_chain_of_his_own(sealed: Book, store: Db, vault: Vault) -> None:
    other, _ = store.write_now(lambda tx: customer(tx, vault, account="32"))
    assert store.read_now(ledger_chain.unsealed) == [other]
    store.write_now(ledger_chain.seal, other, vault)
    assert store.read_now(ledger_chain.verify, other, vault).sealed == 1
    assert sealed.verify().sealed == 5
    assert store.read_now(ledger_chain.of_enquiry, other, 11) == []


def test_a_fact_that_is_rolled_back_leaves_no_entry(book: Book) -> None:
    def fails(tx: Tx) -> None:
        ledger.write(tx, book.tenant_id, Entry(Kind.JUDGED, NOW, 1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book.db.write_now(fails)
    assert book.rows() == []


# -- what is done to it later


def appended(book: Book) -> None:
    """Put an entry behind the last one."""
    book.put(6, book.rows()[-1].hash)


def put_between(book: Book) -> None:
    """Make room behind entry 2 and put one there that follows from it."""
    for seq in (5, 4, 3):
        book.change(seq, seq=seq + 1)
    book.put(3, book.rows()[1].hash)


def swapped(book: Book) -> None:
    for old, new in ((2, 900), (3, 2), (900, 3)):
        book.change(old, seq=new)


def rewritten(book: Book) -> None:
    """Change an entry and seal all behind it anew, head and all, as who lacks the hub's key must."""
    book.change(3, facts='{"qualified": false}')
    last = ""
    for row in book.rows():
        now = digest(told_by(row), row.seq, last)
        book.change(row.seq, previous=last, hash=now)
        last = now
    book.db.write_now(lambda tx: tx.execute(update(_head).values(hash=last)) and None)


@pytest.mark.parametrize(
    ("done", "seq", "what"),
    [
        (lambda book: book.change(3, facts='{"qualified": false}'), 3, What.HASH),
        (lambda book: book.change(3, kind="parked"), 3, What.HASH),
        (lambda book: book.change(3, at=NOW.replace(year=2025)), 3, What.HASH),
        (lambda book: book.change(3, enquiry_id=None), 3, What.HASH),
        (lambda book: book.change(3, hash=None), 3, What.HASH),
        (lambda book: book.change(3, previous=None), 3, What.PREDECESSOR),
        (lambda book: book.change(3, seq=None), 4, What.NUMBER),
        (lambda book: book.remove(1), 2, What.NUMBER),
        (lambda book: book.remove(3), 4, What.NUMBER),
        (lambda book: book.remove(5), 4, What.HEAD),
        (lambda book: book.change(5, seq=-7), -7, What.NUMBER),
        (appended, 6, What.HEAD),
        (put_between, 4, What.PREDECESSOR),
        (swapped, 2, What.PREDECESSOR),
        (rewritten, 5, What.HEAD),
    ],
    ids=[
        "facts", "kind", "moment", "subject", "no_hash", "no_predecessor", "unsealed", "first_removed", "one_removed",
        "last_removed", "hidden", "appended", "put_between", "swapped", "rewritten_whole",
    ],
)  # fmt: skip
def test_what_was_done_to_a_sealed_entry_is_found_and_named(
    sealed: Book, done: Callable[[Book], None], seq: int, what: What
) -> None:
    done(sealed)
    assert sealed.verify().flaw == Flaw(seq, what)


def test_a_head_that_is_gone_is_found(sealed: Book) -> None:
    sealed.db.write_now(lambda tx: tx.execute(delete(_head)) and None)
    assert sealed.verify().flaw == Flaw(5, What.HEAD)


def test_a_ledger_put_back_to_an_earlier_moment_is_found_by_a_hash_noted_elsewhere(sealed: Book) -> None:
    noted, head = sealed.verify().hash, sealed.db.read_now(lambda tx: tx.execute(select(_head)).one())
    sealed.write(16)
    sealed.seal()
    later = sealed.verify().hash
    sealed.remove(6)
    sealed.db.write_now(lambda tx: tx.execute(update(_head).values(**head._asdict())) and None)
    assert sealed.verify().flaw is None
    assert sealed.verify(noted).flaw is None
    assert sealed.verify(later).flaw == Flaw(5, What.NOTED)


def test_the_entries_of_an_enquiry_say_whether_their_seals_fit(sealed: Book) -> None:
    sealed.write(13)
    sealed.change(3, facts='{"qualified": false}')
    assert [line.fits for line in sealed.db.read_now(ledger_chain.of_enquiry, sealed.tenant_id, 13)] == [False, None]
    assert [line.fits for line in sealed.db.read_now(ledger_chain.newest, sealed.tenant_id, 4)] == [
        False, True, True, None,
    ]  # fmt: skip


def test_an_empty_ledger_fits(book: Book) -> None:
    assert book.verify() == Verified(0, 0, "", None)
    assert book.db.read_now(lambda tx: tx.execute(select(func.count()).select_from(_head)).scalar_one()) == 0


def test_an_empty_ledger_fits_after_it_was_sealed(book: Book) -> None:
    assert book.seal() == 0
    assert book.verify() == Verified(0, 0, "", None)
