"""An enquiry and the customer's rules -> deliveries: one for each connected account that wants it."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from connectors import scenario as scenarios
from connectors.scenario import Enquiry, Scenario
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.store import crm, ledger
from hub.store.crm import Installed, SavedScenario
from hub.store.ledger import Entry, Kind
from hub.store.tx import Tx
from hub.store.vault import Vault


def plan(tx: Tx, tenant_id: int, enquiry_id: int, enquiry: Enquiry, now: datetime, vault: Vault) -> int:
    """Write the deliveries that each connected account's scenario asks for; return how many are new.

    An account whose scenario asks for nothing is an entry of the ledger, once: nothing was forgotten there.

    Raises ``ScenarioError`` when the rules do not fit an account as it is now.
    """
    planned, idle = [], []
    known_by = enquiry.caller or enquiry.email
    order_key = vault.fingerprint(known_by, tenant_id) if known_by else enquiry.id
    for installed in crm.installations(tx, tenant_id):
        saved = crm.live_scenario(tx, tenant_id, installed.connector)
        if installed.status == crm.REMOVED or saved is None:
            continue
        if queue.is_planned(tx, tenant_id, installed.id, enquiry.id):  # rules changed since are for enquiries to come
            continue
        asked = scenarios.plan(_rules(saved, installed), saved.version, enquiry)
        if asked is not None:
            planned.append(Planned(installed.id, enquiry.id, enquiry_id, order_key, enquiry.started_at, asked))
        else:
            idle.append((installed.id, saved.version))
    _note(tx, tenant_id, enquiry_id, idle, now)
    return queue.enqueue_all(tx, tenant_id, planned, now, vault) if planned else 0


def _note(tx: Tx, tenant_id: int, enquiry_id: int, idle: Sequence[tuple[int, int]], now: datetime) -> None:
    """Say of which accounts nothing is asked, those it was said of already left out."""
    told = ledger.not_asked(tx, tenant_id, enquiry_id) if idle else set()
    entries = [
        Entry(Kind.NOT_ASKED, now, enquiry_id, installation_id=account, facts={"scenario_version": version})
        for account, version in idle
        if account not in told
    ]
    ledger.write(tx, tenant_id, *entries)


def _rules(saved: SavedScenario, installed: Installed) -> Scenario:
    """Return the rules with the names of this account resolved, read once per version."""
    return _read_rules(saved.text, saved.version, json.dumps(installed.facts, sort_keys=True))


@lru_cache(maxsize=64)
def _read_rules(text: str, version: int, facts: str) -> Scenario:
    return scenarios.read_scenario(text, f"scenario version {version}", crm.facts_of(json.loads(facts)))
