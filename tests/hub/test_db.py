"""The one way to write: grouped on SQLite, one by one on PostgreSQL, the same for whoever calls."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from hub.errors import DatabaseBusy, DatabaseUnreachable
from hub.store.db import Db
from hub.store.tx import Prepared, Tx

notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True))


@pytest.fixture
def db(database_url: str) -> Iterator[Db]:
    db = Db(database_url)
    notes.metadata.create_all(db.engine)
    db.start()
    yield db
    db.stop()


@pytest.fixture
def postgresql(pg_url: str) -> Iterator[Db]:
    db = Db(pg_url)
    notes.metadata.create_all(db.engine)
    db.start()
    yield db
    db.stop()


def write_note(tx: Tx, number: int) -> int:
    tx.execute(insert(notes).values(id=number))
    return number


def all_notes(tx: Tx) -> list[int]:
    return [row.id for row in tx.execute(select(notes).order_by(notes.c.id))]


async def test_a_unit_of_work_is_there_for_every_reader_once_it_is_answered(db: Db) -> None:
    await db.write(write_note, 1)
    assert await db.read(all_notes) == [1]


async def test_a_failing_unit_takes_nobody_of_its_group_with_it(db: Db) -> None:
    await db.write(write_note, 3)
    written = await asyncio.gather(*(db.write(write_note, n) for n in range(6)), return_exceptions=True)
    assert [n for n in written if isinstance(n, int)] == [0, 1, 2, 4, 5]
    assert await db.read(all_notes) == [0, 1, 2, 3, 4, 5]


async def test_a_unit_that_raises_leaves_nothing_behind(db: Db) -> None:
    def write_and_fail(tx: Tx) -> None:
        write_note(tx, 7)
        raise LookupError("changed its mind")

    with pytest.raises(LookupError, match="changed its mind"):
        await db.write(write_and_fail)
    assert await db.read(all_notes) == []


async def test_a_unit_whose_caller_gave_up_before_it_began_is_not_done(db: Db) -> None:
    given_up = asyncio.ensure_future(db.write(write_note, 1))
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert await db.read(all_notes) in ([], [1])  # begun or not, it is whole
    await db.write(write_note, 2)
    assert 2 in await db.read(all_notes)


def write_notes(tx: Tx, numbers: Sequence[int]) -> list[tuple[int, int]]:
    return [(write_note(tx, number), len(numbers)) for number in numbers]


@pytest.mark.postgresql
async def test_what_waits_together_is_one_transaction_on_postgresql(postgresql: Db) -> None:
    first, *others = await asyncio.gather(*(postgresql.together(write_notes, n, place=str(n)) for n in range(9)))
    assert first[1] + max(size for _, size in others) >= 9  # the first may have left alone
    assert await postgresql.read(all_notes) == list(range(9))


async def test_an_item_that_fails_takes_no_other_with_it(db: Db) -> None:
    await db.write(write_note, 3)
    asked = (db.together(write_notes, n, place=str(n)) for n in range(6))
    written = await asyncio.gather(*asked, return_exceptions=True)
    assert [answer[0] for answer in written if isinstance(answer, tuple)] == [0, 1, 2, 4, 5]
    assert await db.read(all_notes) == [0, 1, 2, 3, 4, 5]


@pytest.mark.postgresql
async def test_a_broken_connection_is_opened_anew(postgresql: Db) -> None:
    await asyncio.gather(*(postgresql.together(write_notes, 1, place=""), postgresql.read(all_notes)))
    with postgresql.engine.connect() as other:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        other.exec_driver_sql(f"{others} AND datname = current_database()")
    await asyncio.gather(*(postgresql.together(write_notes, n, place="") for n in (2, 3)), return_exceptions=True)
    await asyncio.gather(postgresql.together(write_notes, 4, place=""))
    assert 4 in await postgresql.read(all_notes)


async def test_a_prepared_statement_says_the_same_on_both_engines(db: Db) -> None:
    prepared = Prepared(select(notes.c.id).where(notes.c.id > 1).order_by(notes.c.id))
    await asyncio.gather(*(db.write(write_note, n) for n in range(4)))
    assert await db.read(lambda tx: tx.run(prepared, {})) == [(2,), (3,)]


async def test_a_reader_cannot_write(db: Db) -> None:
    with pytest.raises(Exception, match=r"read-only|readonly"):
        await db.read(write_note, 1)


def test_a_second_process_on_one_sqlite_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    first, second = (Db(f"sqlite:///{tmp_path / 'hub.sqlite3'}") for _ in range(2))
    first.lock()
    with pytest.raises(DatabaseBusy, match="in use by another hub process"):
        second.lock()
    first.stop()
    second.lock()
    second.stop()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is not a database URL"),
        ("mysql://u@127.0.0.1/x", "mysql is not a database we use"),
        ("postgresql://hub:secret@127.0.0.1:1/hub", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=sentence) as caught:
        Db(url).check()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
