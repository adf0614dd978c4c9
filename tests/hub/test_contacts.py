"""The index of an account's contacts: by keyed hashes, with their deals; what it is not sure of it does not say."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from connectors.protocol import ContactChange, ContactPage, DealChange, Known, KnownDeal
from hub.store import contacts, crm
from hub.store.crm import Installed
from hub.store.db import Db
from hub.store.tables import ContactKey, table_of
from hub.store.vault import Vault
from tests.hub.seed import customer


class Book:
    """The contacts of one account."""

    def __init__(self, db: Db, vault: Vault, account: str = "31") -> None:
        self.db, self.vault = db, vault
        self.place = db.write_now(lambda tx: customer(tx, vault, account=account))

    @property
    def of(self) -> Installed:
        return self.db.read_now(crm.installation, *self.place)

    def told(self, *changes: ContactChange, cursor: str = "c1", is_whole: bool = True) -> None:
        page = ContactPage(changes, cursor, more=False, is_whole=is_whole)
        self.db.write_now(contacts.save_page, self.of, page, self.vault)

    def deal(self, id_: str, *of: str, outcome: str = "open", deleted: bool = False, minute: int = 0) -> None:
        at = datetime(2026, 11, 20, 9, minute, tzinfo=UTC)
        change = DealChange(
            id_, None, "1", "2", outcome, 0, "RUB", at, at, None, None, deleted, contacts=of, responsible="7"
        )  # type: ignore[arg-type]
        self.db.write_now(crm.save_deal, self.of, change)
        self.db.write_now(contacts.save_deals, self.of, [change])

    def people(self, *keys: str) -> tuple[Known, ...] | None:
        return self.db.read_now(contacts.people_of, self.of, {"asked": keys}, self.vault).get("asked")


@pytest.fixture
def book(store: Db, vault: Vault) -> Book:
    return Book(store, vault)


def test_a_contact_is_found_by_each_of_its_keys(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1", "email:a")))
    assert book.people("phone:1") == book.people("email:a") == (Known("61", ()),)


def test_nobody_has_a_key_that_no_contact_has(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)))
    assert book.people("phone:2") == ()


def test_the_first_key_that_anybody_has_decides(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)), ContactChange("62", ("email:a",)))
    assert book.people("phone:2", "email:a") == (Known("62", ()),)
    assert book.people("phone:1", "email:a") == (Known("61", ()),)


def test_of_several_contacts_the_oldest_comes_first(book: Book) -> None:
    book.told(*(ContactChange(id_, ("phone:1",)) for id_ in ("100", "99", "61")))
    assert [one.contact for one in book.people("phone:1") or ()] == ["61", "99", "100"]


def test_a_phone_that_was_taken_from_a_contact_leads_to_it_no_more(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1", "phone:2")))
    book.told(ContactChange("61", ("phone:2",)))
    assert (book.people("phone:1"), book.people("phone:2")) == ((), (Known("61", ()),))


def test_a_deleted_contact_is_nobody(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)))
    book.told(ContactChange("61", (), deleted=True))
    assert book.people("phone:1") == ()


def test_after_a_merge_only_a_search_can_tell(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)), ContactChange("62", ("phone:2",)))
    book.told(ContactChange("61", (), is_sure=False))
    assert (book.people("phone:1"), book.people("phone:2")) == (None, (Known("62", ()),))


def test_of_what_one_page_tells_of_a_contact_the_last_is_so(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)), ContactChange("61", ("phone:2",)))
    assert (book.people("phone:1"), book.people("phone:2")) == ((), (Known("61", ()),))


def test_a_merge_told_in_the_page_of_its_contact_leaves_it_to_a_search_too(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)), ContactChange("61", (), is_sure=False))
    assert book.people("phone:1") is None


def test_the_deals_of_a_contact_are_the_newest_first_and_none_that_is_deleted(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)))
    book.deal("9", "61", outcome="won")
    book.deal("10", "61", "62")
    book.deal("11", "61", deleted=True)
    assert book.people("phone:1") == (
        Known("61", (KnownDeal("10", "open", "7", "1", "2"), KnownDeal("9", "won", "7", "1", "2"))),
    )


def test_a_contact_taken_off_a_deal_has_it_no_more(book: Book) -> None:
    book.told(ContactChange("61", ("phone:1",)))
    book.deal("9", "61")
    book.deal("9", "62", minute=1)
    assert book.people("phone:1") == (Known("61", ()),)


def test_no_phone_stands_in_the_index(book: Book) -> None:
    book.told(ContactChange("61", ("phone:9161234567",)))
    (key,) = book.db.read_now(lambda tx: list(tx.execute(select(table_of(ContactKey).c.key)).scalars()))
    assert "916" not in key
    assert len(key) == 32


def test_each_account_has_its_own_contacts(book: Book, store: Db, vault: Vault) -> None:
    book.told(ContactChange("61", ("phone:1",)))
    assert Book(store, vault, account="32").people("phone:1") == ()


def test_the_index_is_known_once_it_is_whole_and_forgotten_whole(book: Book) -> None:
    assert (book.of.contacts_cursor, book.of.contacts_known) == (None, False)
    book.told(cursor="c1", is_whole=False)
    assert (book.of.contacts_cursor, book.of.contacts_known) == ("c1", False)
    book.told(cursor="c2")
    assert (book.of.contacts_cursor, book.of.contacts_known) == ("c2", True)
    book.db.write_now(contacts.forget, book.of)
    assert (book.of.contacts_cursor, book.of.contacts_known) == (None, False)
