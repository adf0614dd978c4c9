"""The ledger: each fact is written in the transaction that makes it true; ledger_chain.py seals it after that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import orjson
from sqlalchemy import bindparam as value
from sqlalchemy import insert, select, text

from hub.store.moment import to_micros
from hub.store.tables import LedgerEntry, table_of
from hub.store.tx import Prepared, Tx

_entry = table_of(LedgerEntry)


class Kind(StrEnum):
    """What an entry tells; docs/security.md says which facts each carries."""

    ENQUIRY_TAKEN = auto()
    EVENTS_TAKEN = auto()
    JUDGED = auto()
    MATCHED = auto()
    CORRECTED = auto()
    CORRECTION_TAKEN_BACK = auto()
    RECORDING_LINKED = auto()
    RECORDING_HEARD = auto()
    LINKS_REVOKED = auto()
    GOAL_REACHED = auto()
    GOAL_TAKEN_BACK = auto()
    PLANNED = auto()
    NOT_ASKED = auto()
    POPUP_ASKED = auto()
    POPUP_ENDED = auto()
    TRIED = auto()
    HELD = auto()
    DOUBTED = auto()
    ACCEPTED = auto()
    DELIVERED = auto()
    PARKED = auto()
    REPLAYED = auto()
    DROPPED = auto()
    GRANT_GIVEN = auto()
    GRANT_REFRESHED = auto()
    GRANT_REVOKED = auto()
    ERASURE_ASKED = auto()
    ERASURE_CALLED_OFF = auto()
    ERASED = auto()
    LOGGED_IN = auto()
    LOGIN_REFUSED = auto()
    PASSWORD_SET = auto()
    TOKEN_MADE = auto()
    SCENARIO_SAVED = auto()
    HOOK_REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact to be written; ``facts`` are small and hold nothing of a person: no phone, name, address or token."""

    kind: Kind
    at: datetime
    enquiry_id: int | None = None
    delivery_id: str | None = None
    installation_id: int | None = None
    who: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def person(person_id: int | None) -> str:
    """Return how an entry names a person who logs in; nobody is the hub itself."""
    return "" if person_id is None else f"person:{person_id}"


_WRITE = Prepared(insert(_entry).values({name: value(name) for name in ("tenant_id", *Entry.__slots__)}).inline())
_WRITE_ALL = Prepared(
    text("""
INSERT INTO ledger_entry (tenant_id, at, kind, enquiry_id, delivery_id, installation_id, who, facts)
SELECT CAST(:tenant_id AS bigint), told.* FROM json_to_recordset(:asked)
    AS told (at bigint, kind text, enquiry_id bigint, delivery_id text, installation_id bigint, who text, facts text)
""")
)


def write(tx: Tx, tenant_id: int, *entries: Entry) -> None:
    """Write entries in the transaction of what they tell: neither is there without the other."""
    tx.run_each(_WRITE, _WRITE_ALL, [_columns(one) for one in entries], tenant_id=tenant_id)


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "at": to_micros(entry.at),
        "kind": entry.kind.value,
        "enquiry_id": entry.enquiry_id,
        "delivery_id": entry.delivery_id,
        "installation_id": entry.installation_id,
        "who": entry.who,
        "facts": orjson.dumps(entry.facts, option=orjson.OPT_SORT_KEYS).decode(),
    }


_LAST = (
    select(_entry.c.kind, _entry.c.facts)
    .where(_entry.c.tenant_id == value("tenant_id"), _entry.c.enquiry_id == value("enquiry_id"))
    .where(_entry.c.kind.in_((Kind.EVENTS_TAKEN, Kind.JUDGED)))
    .order_by(_entry.c.id)
)


def not_asked(tx: Tx, tenant_id: int, enquiry_id: int) -> set[int]:
    """Return the installations of which it was told that their rules ask nothing for an enquiry."""
    here = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id == enquiry_id, _entry.c.kind == Kind.NOT_ASKED)
    return set(tx.execute(select(_entry.c.installation_id).where(*here)).scalars())


def popup_asked(tx: Tx, tenant_id: int, enquiry_id: int) -> set[tuple[int, str]]:
    """Return the installations that were asked to show a call's caller, and to which of their users."""
    here = (_entry.c.tenant_id == tenant_id, _entry.c.enquiry_id == enquiry_id, _entry.c.kind == Kind.POPUP_ASKED)
    rows = tx.execute(select(_entry.c.installation_id, _entry.c.facts).where(*here))
    return {(row.installation_id, user) for row in rows for user in orjson.loads(row.facts).get("users", ())}


def looks(tx: Tx, tenant_id: int, enquiry_id: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what was told of looks at an enquiry: kinds and facts, the first one first."""
    rows = tx.execute(_LAST, {"tenant_id": tenant_id, "enquiry_id": enquiry_id})
    return [(row.kind, orjson.loads(row.facts)) for row in rows]
