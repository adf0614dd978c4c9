"""A scenario is published: a new version, unless another was saved after the one it was written from."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hub.store import scenario_versions
from hub.store.people import Who
from hub.store.scenario_versions import SavedScenario
from hub.store.tables import Tenant, table_of
from hub.store.tx import Tx

_tenant = table_of(Tenant)


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it: the version that runs, and whether it is new; ``other`` is what was saved meanwhile."""

    version: int
    is_new: bool
    other: SavedScenario | None = None


def publish(tx: Tx, who: Who, connector: str, text: str, based_on: int, now: datetime) -> Published:
    """Save a text that was written from version ``based_on``, 0 where there was none; the same text again makes none.

    Where another version runs by now nothing is saved.
    """
    _alone(tx, who.tenant_id)
    current = scenario_versions.live(tx, who.tenant_id, connector)
    if current is not None and current.version != based_on:
        return Published(current.version, is_new=False, other=current)
    version = scenario_versions.save(tx, who.tenant_id, connector, text, who.email, now, who.person_id)
    return Published(version, is_new=current is None or version != current.version)


def _alone(tx: Tx, tenant_id: int) -> None:
    """Let the scenarios of a tenant be published one after the other; SQLite has one writer anyway."""
    tx.execute(select(_tenant.c.id).where(_tenant.c.id == tenant_id).with_for_update(key_share=True))
