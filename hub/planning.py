"""An enquiry and the customer's rules -> deliveries: one for each connected account that wants it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from connectors import scenario as scenarios
from connectors.scenario import Enquiry, Plan, Scenario, ScenarioError
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.sentences import told
from hub.store import crm, ledger
from hub.store.crm import Installed, SavedScenario
from hub.store.ledger import Entry, Kind
from hub.store.tx import Tx
from hub.store.vault import Vault


def plan(
    tx: Tx,
    tenant_id: int,
    enquiry_id: int,
    enquiry: Enquiry,
    now: datetime,
    vault: Vault,
    recording: Callable[[], str | None] | None = None,
) -> int:
    """Write the deliveries that each connected account's scenario asks for; return how many are new.

    ``recording`` makes the link to the call's recording: only where something is asked for.

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
        rules = Rules(rules_of(saved, installed), saved.version)
        asked = rules.plan(enquiry)
        if asked is not None and recording is not None and enquiry.recording_url is None:
            enquiry = replace(enquiry, recording_url=recording())
            asked = rules.plan(enquiry)
        if asked is not None:
            planned.append(Planned(installed.id, enquiry.id, enquiry_id, order_key, enquiry.started_at, asked))
        else:
            idle.append((installed.id, saved.version))
    _note(tx, tenant_id, enquiry_id, idle, now)
    return queue.enqueue_all(tx, tenant_id, planned, now, vault) if planned else 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of an account as they are now, and their version."""

    scenario: Scenario
    version: int

    def plan(self, enquiry: Enquiry) -> Plan | None:
        """Return what they ask for an enquiry; None when they ask for nothing."""
        in_words = replace(enquiry, reason=told(self.scenario.language, enquiry.reason))
        return scenarios.plan(self.scenario, self.version, in_words)


def misfit(saved: SavedScenario, installed_facts: Mapping[str, Any]) -> str:
    """Return why rules do not fit an account as it is now; empty where they do."""
    try:
        _read_rules(saved.text, saved.version, json.dumps(installed_facts, sort_keys=True))
    except ScenarioError as error:
        return "; ".join(error.problems)
    return ""


def live_rules(tx: Tx, tenant_id: int, installation_id: int) -> Rules | None:
    """Return the rules of an account; None where there are none, or they do not fit it."""
    installed = crm.installation(tx, tenant_id, installation_id)
    saved = crm.live_scenario(tx, tenant_id, installed.connector)
    try:
        return Rules(rules_of(saved, installed), saved.version) if saved else None
    except ScenarioError:
        return None


def _note(tx: Tx, tenant_id: int, enquiry_id: int, idle: Sequence[tuple[int, int]], now: datetime) -> None:
    """Say of which accounts nothing is asked, those it was said of already left out."""
    told = ledger.not_asked(tx, tenant_id, enquiry_id) if idle else set()
    entries = [
        Entry(Kind.NOT_ASKED, now, enquiry_id, installation_id=account, facts={"scenario_version": version})
        for account, version in idle
        if account not in told
    ]
    ledger.write(tx, tenant_id, *entries)


def rules_of(saved: SavedScenario, installed: Installed) -> Scenario:
    """Return the rules with the names of this account resolved, read once per version."""
    return _read_rules(saved.text, saved.version, json.dumps(installed.facts, sort_keys=True))


@lru_cache(maxsize=64)
def _read_rules(text: str, version: int, facts: str) -> Scenario:
    return scenarios.read_scenario(text, f"scenario version {version}", crm.facts_of(json.loads(facts)))
