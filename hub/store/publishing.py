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
    """What came of it: the version that runs, and whether it is new.

    With ``is_late`` nothing was saved: the text was written from another version than the ``running`` one.
    """

    version: int
    is_new: bool
    is_late: bool = False
    running: SavedScenario | None = None


def publish(tx: Tx, who: Who, connector: str, text: str, based_on: int, now: datetime) -> Published:
    """Save a text that was written from version ``based_on``, 0 where there was none; the same text again makes none.

    Of two who publish at once the later one waits for the other, and is late then.
    """
    _wait_for_others(tx, who.tenant_id)
    current = scenario_versions.live(tx, who.tenant_id, connector)
    before = current.version if current else 0
    if before != based_on:
        return Published(before, is_new=False, is_late=True, running=current)
    version = scenario_versions.save(tx, who.tenant_id, connector, text, who.email, now, who.person_id)
    return Published(version, is_new=version != before)


def _wait_for_others(tx: Tx, tenant_id: int) -> None:
    tx.execute(select(_tenant.c.id).where(_tenant.c.id == tenant_id).with_for_update(key_share=True))
