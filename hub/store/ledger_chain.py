"""The chain of a tenant's ledger: entries sealed in the order they were written, read with their seals, verified.

Each hash covers the hash before it; the hub's own mark, made with its key, is on the last one.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import bindparam as value
from sqlalchemy import func, select, text, update

from hub.store.ledger import Entry
from hub.store.moment import to_micros
from hub.store.tables import LedgerEntry, LedgerHead, table_of
from hub.store.tx import Prepared, Tx, insert_or
from hub.store.vault import Vault

_entry, _head = table_of(LedgerEntry), table_of(LedgerHead)
AT_ONCE = 200  # entries sealed in one transaction, so that SQLite's one writer is not kept for long
_PAGE = 1_000  # entries verified in one read
_LEAST = -(2**63)  # a number no entry has, not even a forged one


def unsealed(tx: Tx) -> list[int]:
    """Return the tenants that have entries to be sealed."""
    return list(tx.execute(select(_entry.c.tenant_id).where(_entry.c.seq.is_(None)).distinct()).scalars())


_TOLD = ("id", "tenant_id", *Entry.__slots__)  # what a seal covers, besides the entry's place in the chain
_UNSEALED = Prepared(
    select(*(_entry.c[name] for name in _TOLD))
    .where(_entry.c.tenant_id == value("tenant_id"), _entry.c.seq.is_(None))
    .order_by(_entry.c.id)
    .limit(value("most"))
)
_PLACE = ("seq", "previous", "hash")
_SEAL = Prepared(
    update(_entry)
    .where(_entry.c.tenant_id == value("of_tenant"), _entry.c.id == value("of_id"))
    .values({name: value(name) for name in _PLACE})
)
_SEAL_ALL = Prepared(
    text("""
UPDATE ledger_entry SET seq = place.seq, previous = place.previous, hash = place.hash
FROM json_to_recordset(:asked) AS place (of_id bigint, seq bigint, previous text, hash text)
WHERE ledger_entry.tenant_id = :of_tenant AND ledger_entry.id = place.of_id
""")
)


def seal(tx: Tx, tenant_id: int, vault: Vault) -> int:
    """Put the tenant's next entries into its chain, in the order they were written; return how many.

    One seals at a time: whoever comes second waits for the head, and goes on from where the first one ended.
    """
    seq, last = _locked(tx, tenant_id, vault)
    places = []
    for row in tx.run(_UNSEALED, {"tenant_id": tenant_id, "most": AT_ONCE}):
        told, previous, seq = dict(zip(_TOLD, row, strict=True)), last, seq + 1
        last = digest(told, seq, previous)
        places.append({"of_id": told["id"], "seq": seq, "previous": previous, "hash": last})
    if places:
        tx.run_each(_SEAL, _SEAL_ALL, places, of_tenant=tenant_id)
        marked = {"seq": seq, "hash": last, "mark": _mark(tenant_id, seq, last, vault)}
        tx.execute(update(_head).where(_head.c.tenant_id == tenant_id).values(**marked))
    return len(places)


def _locked(tx: Tx, tenant_id: int, vault: Vault) -> tuple[int, str]:
    """Lock the head for this transaction, made if need be; return its number and hash."""
    first = insert_or(tx, _head).values(tenant_id=tenant_id, seq=0, hash="", mark=_mark(tenant_id, 0, "", vault))
    kept = first.on_conflict_do_update(index_elements=["tenant_id"], set_={"seq": _head.c.seq})
    row = tx.execute(kept.returning(_head.c.seq, _head.c.hash)).one()
    return row.seq, row.hash


def digest(told: Mapping[str, Any], seq: int, previous: str) -> str:
    """Return the hash of an entry at its place: SHA-256 over the hash before it and the JSON, keys sorted, of the rest.

    ``told`` has its moment in microseconds since the epoch, and its facts as the text they are kept as.
    """
    whole = orjson.dumps({**told, "seq": seq}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(previous.encode() + whole).hexdigest()


def told_by(row: Any) -> Mapping[str, Any]:
    """Return what a row tells, as ``digest`` takes it."""
    return {name: getattr(row, name) for name in _TOLD} | {"at": to_micros(row.at)}


def _mark(tenant_id: int, seq: int, last: str, vault: Vault) -> str:
    return vault.fingerprint(f"ledger:{seq}:{last}", tenant_id)


# -- reading


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is kept; ``fits`` says whether its seal does, None before it has one."""

    id: int
    at: datetime
    kind: str
    enquiry_id: int | None
    delivery_id: str | None
    installation_id: int | None
    who: str
    facts: Mapping[str, Any]
    seq: int | None
    hash: str | None
    fits: bool | None


def of_enquiry(tx: Tx, tenant_id: int, enquiry_id: int) -> list[Line]:
    """Return the entries of an enquiry, the first one first."""
    here = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id == enquiry_id)
    return _lines(tx, tenant_id, tx.execute(select(_entry).where(*here).order_by(_entry.c.id)).all())


def newest(tx: Tx, tenant_id: int, most: int) -> list[Line]:
    """Return the tenant's newest entries of any kind, the first one first."""
    latest = select(_entry).where(_entry.c.tenant_id == tenant_id).order_by(_entry.c.id.desc()).limit(most)
    return _lines(tx, tenant_id, tx.execute(latest).all()[::-1])


def _lines(tx: Tx, tenant_id: int, rows: Sequence[Any]) -> list[Line]:
    wanted = [row.seq - 1 for row in rows if row.seq is not None]
    here = (_entry.c.tenant_id == tenant_id, _entry.c.seq.in_(wanted))
    before = {row.seq: row.hash for row in tx.execute(select(_entry.c.seq, _entry.c.hash).where(*here))}
    names = [name for name in Line.__slots__ if name not in ("facts", "fits")]
    return [
        Line(
            **{name: getattr(row, name) for name in names},
            facts=json.loads(row.facts),
            fits=None if row.seq is None else _misfit(row, row.seq, before.get(row.seq - 1) or "") is None,
        )
        for row in rows
    ]


# -- verifying


class What(StrEnum):
    """What of an entry does not fit."""

    NUMBER = "number"  # not the next one: an entry is missing before it
    PREDECESSOR = "predecessor"  # not sealed after the one that stands before it now
    HASH = "hash"  # it does not tell what it told when it was sealed
    HEAD = "head"  # the chain ends elsewhere than the hub's own mark says
    NOTED = "noted"  # a hash that a person noted earlier is not in the chain any more


_SAID = {
    What.NUMBER: "its number is not the next one: an entry before it is missing, or it was put in",
    What.PREDECESSOR: "it was not sealed after the entry that stands before it now",
    What.HASH: "it does not tell what it told when it was sealed",
    What.HEAD: "the chain does not end there by the hub's own mark: entries behind it are missing, were added, or "
    "the whole was written anew",
    What.NOTED: "the chain ends there without the hash you noted: the database was put back to an earlier moment",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first entry that does not fit, by its number; of a head that does not, where the chain ends."""

    seq: int
    what: What

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        return f"Entry {self.seq} does not fit: {_SAID[self.what]}."


@dataclass(frozen=True, slots=True)
class Verified:
    """What a tenant's ledger came to: entries that fit, entries that wait for their seal, the end of the chain."""

    sealed: int
    unsealed: int
    hash: str
    flaw: Flaw | None


@dataclass(frozen=True, slots=True)
class _End:
    """How far a chain goes, and the hash it ends with."""

    seq: int
    hash: str


def verify(tx: Tx, tenant_id: int, vault: Vault, noted: str = "") -> Verified:
    """Walk a tenant's chain from its first entry and hold its end against the head, and a ``noted`` hash against it."""
    end, flaw, head = _End(0, ""), None, _head_of(tx, tenant_id)
    while flaw is None:
        end, flaw = _walk(tx, tenant_id, end)
        before, head = head, _head_of(tx, tenant_id)
        if head == before:  # else the hub sealed on meanwhile
            break
    if flaw is None and not _is_head(head, tenant_id, end, vault):
        flaw = Flaw(end.seq, What.HEAD)
    if flaw is None and noted and not _holds(tx, tenant_id, noted):
        flaw = Flaw(end.seq, What.NOTED)
    here = (_entry.c.tenant_id == tenant_id, _entry.c.seq.is_(None))
    return Verified(end.seq, tx.execute(select(func.count()).where(*here)).scalar_one(), end.hash, flaw)


def _head_of(tx: Tx, tenant_id: int) -> tuple[_End, str] | None:
    row = tx.execute(select(_head).where(_head.c.tenant_id == tenant_id)).first()
    return (_End(row.seq, row.hash), row.mark) if row else None


def _is_head(head: tuple[_End, str] | None, tenant_id: int, end: _End, vault: Vault) -> bool:
    """Say whether a chain ends where the hub marked its end: without its key nobody makes another one fit."""
    if head is None:
        return end.seq == 0
    return head[0] == end and hmac.compare_digest(head[1], _mark(tenant_id, end.seq, end.hash, vault))


def _holds(tx: Tx, tenant_id: int, noted: str) -> bool:
    here = (_entry.c.tenant_id == tenant_id, _entry.c.hash == noted)
    return tx.execute(select(_entry.c.id).where(*here)).first() is not None


def _walk(tx: Tx, tenant_id: int, end: _End) -> tuple[_End, Flaw | None]:
    """Go on from where a chain was followed to; return how far it fits, and what comes then."""
    for row in _chain(tx, tenant_id, end.seq or _LEAST):
        what = _misfit(row, end.seq + 1, end.hash)
        if what is not None:
            return end, Flaw(row.seq, what)
        end = _End(row.seq, row.hash)
    return end, None


def _chain(tx: Tx, tenant_id: int, after: int) -> Iterator[Any]:
    while True:
        here = (_entry.c.tenant_id == tenant_id, _entry.c.seq > after)
        rows = tx.execute(select(_entry).where(*here).order_by(_entry.c.seq).limit(_PAGE)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].seq


def _misfit(row: Any, seq: int, previous: str) -> What | None:
    if row.seq != seq:
        return What.NUMBER
    if row.previous != previous:
        return What.PREDECESSOR
    return None if row.hash == digest(told_by(row), seq, previous) else What.HASH
