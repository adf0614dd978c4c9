"""The versions of a customer's scenarios: each save is one, none is ever changed, the newest one runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.tables import ScenarioVersion, table_of
from hub.store.tx import Tx

_scenario = table_of(ScenarioVersion)


@dataclass(frozen=True, slots=True)
class SavedScenario:
    """One saved version of the rules for a connector, as it was written; ``author`` is his e-mail."""

    version: int
    text: str
    author: str
    created_at: datetime


_COLUMNS = tuple(_scenario.c[name] for name in SavedScenario.__slots__)


def save(tx: Tx, tenant_id: int, connector: str, text: str, author: str, now: datetime, by: int | None = None) -> int:
    """Save a new version; the same text again makes none. Return the version that runs.

    ``by`` is the person who is logged in. To go back to an older version is to save its text again.
    """
    current = live(tx, tenant_id, connector)
    if current and current.text == text:
        return current.version
    version = current.version + 1 if current else 1
    new = {"tenant_id": tenant_id, "connector": connector, "version": version, "text": text}
    tx.execute(insert(_scenario).values(**new, author=author, created_at=now))
    told = {"connector": connector, "version": version}
    ledger.write(tx, tenant_id, Entry(Kind.SCENARIO_SAVED, now, who=ledger.person(by), facts=told))
    return version


def live(tx: Tx, tenant_id: int, connector: str) -> SavedScenario | None:
    """Return the newest version of the rules for a connector."""
    return next(iter(_found(tx, tenant_id, connector, limit=1)), None)


def of_all(tx: Tx, tenant_id: int) -> dict[str, SavedScenario]:
    """Return the newest version of each connector's rules."""
    asked = select(_scenario.c.connector, *_COLUMNS).where(_scenario.c.tenant_id == tenant_id)
    rows = tx.execute(asked.order_by(_scenario.c.version))
    return {connector: SavedScenario(*saved) for connector, *saved in rows}


def every(tx: Tx, tenant_id: int, connector: str) -> list[SavedScenario]:
    """Return every version of the rules for a connector, the newest first."""
    return _found(tx, tenant_id, connector)


def one(tx: Tx, tenant_id: int, connector: str, version: int) -> SavedScenario | None:
    """Return a version of the rules for a connector; None where there is no such one."""
    return next((saved for saved in _found(tx, tenant_id, connector) if saved.version == version), None)


def _found(tx: Tx, tenant_id: int, connector: str, limit: int | None = None) -> list[SavedScenario]:
    here = (_scenario.c.tenant_id == tenant_id, _scenario.c.connector == connector)
    asked = select(*_COLUMNS).where(*here).order_by(_scenario.c.version.desc()).limit(limit)
    return [SavedScenario(*row) for row in tx.execute(asked)]
