"""An enquiry and the customer's rules -> deliveries: one for each connected account that wants it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from connectors import scenario as scenarios
from connectors.protocol import Facts
from connectors.scenario import CALL_OVER, Enquiry, Plan, Scenario, ScenarioError, Trigger
from connectors.scenario_gone import without_gone
from hub.delivery import queue
from hub.delivery.queue import Planned
from hub.sentences import told as in_language
from hub.store import crm, ledger, scenario_versions
from hub.store.crm import Installed
from hub.store.ledger import Entry, Kind
from hub.store.scenario_versions import SavedScenario
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.enquiry import EnquiryKind

_Link = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Told:
    """An enquiry of which accounts are told: what has happened to it, and what it is, asked for only where it matters.

    ``recording`` makes the link to the call's recording: only where something is asked for.
    """

    enquiry_id: int
    happened: Sequence[Trigger]
    tell: Callable[[], Enquiry]
    recording: _Link | None = None


def plan(tx: Tx, tenant_id: int, told: Told, now: datetime, vault: Vault) -> int:
    """Write the deliveries that each connected account's scenario asks for; return how many are new.

    An account whose scenario asks for nothing when the enquiry is there is an entry of the ledger, once: nothing was
    forgotten there. Raises ``ScenarioError`` when the rules do not fit an account, and never did.
    """
    planned: list[Planned] = []
    idle: list[tuple[int, int]] = []
    enquiry = cache(told.tell)
    for installed in crm.installations(tx, tenant_id):
        saved = scenario_versions.live(tx, tenant_id, installed.connector)
        if installed.status == crm.REMOVED or saved is None:
            continue
        rules = Rules(rules_of(saved, installed), saved.version)
        for trigger in told.happened:
            is_main = trigger in _MAIN
            if not (is_main or rules.asks_of(trigger)):
                continue
            unit = unit_of(enquiry().id, trigger)
            if queue.is_planned(tx, tenant_id, installed.id, unit):  # rules changed since are for enquiries to come
                continue
            asked = _asked(rules, enquiry(), trigger, told.recording)
            if asked is not None:
                planned.append(_planned(tenant_id, installed, unit, told.enquiry_id, asked, vault))
            elif is_main:
                idle.append((installed.id, saved.version))
    _note(tx, tenant_id, told.enquiry_id, idle, now)
    return queue.enqueue_all(tx, tenant_id, planned, now, vault) if planned else 0


# What happens to every enquiry once; the rest is beside it.
_MAIN = CALL_OVER | {Trigger(kind.value) for kind in EnquiryKind if kind is not EnquiryKind.CALL}
_ORDER = list(Trigger)


def unit_of(enquiry: str, trigger: Trigger) -> str:
    """Return what a delivery is of: an enquiry, or what happens beside it."""
    return enquiry if trigger in _MAIN else f"{enquiry}:{trigger}"


def _asked(
    rules: "Rules", enquiry: Enquiry, trigger: Trigger, recording: Callable[[], str | None] | None
) -> Plan | None:
    asked = rules.plan(enquiry, trigger)
    if asked is None or recording is None or trigger in (Trigger.RINGING, Trigger.ANSWERED):
        return asked
    return rules.plan(replace(enquiry, recording_url=recording()), trigger)


def _planned(tenant_id: int, installed: Installed, unit: str, enquiry_id: int, asked: Plan, vault: Vault) -> Planned:
    enquiry = asked.enquiry
    known_by = enquiry.caller or enquiry.email
    order_key = vault.fingerprint(known_by, tenant_id) if known_by else enquiry.id
    # What happens to one call is told in its order.
    position = enquiry.started_at + timedelta(microseconds=_ORDER.index(asked.trigger))
    return Planned(installed.id, unit, enquiry_id, order_key, position, asked)


def is_wanted(tx: Tx, tenant_id: int, trigger: Trigger) -> bool:
    """Say whether a scenario that runs has rules for what may happen; one that fits no account has none."""
    found = (live_rules(tx, tenant_id, one.id) for one in crm.installations(tx, tenant_id))
    return any(rules is not None and rules.asks_of(trigger) for rules in found)


def one_of_each(tx: Tx, tenant_id: int) -> list[Installed]:
    """Return an account of each connected CRM: its names are those a scenario is read with."""
    there = crm.installations(tx, tenant_id)
    return list({one.connector: one for one in reversed(there) if one.status != crm.REMOVED}.values())


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of an account as they are now, and their version."""

    scenario: Scenario
    version: int

    def asks_of(self, trigger: Trigger) -> bool:
        """Say whether there are rules for what may happen."""
        rules = self.scenario.rules
        is_late = trigger is Trigger.MISSED and rules.get(Trigger.MISSED_AFTER_HOURS)
        return bool(rules.get(trigger) or is_late)

    def plan(self, enquiry: Enquiry, trigger: Trigger | None = None) -> Plan | None:
        """Return what they ask for an enquiry and what has happened to it; None when they ask for nothing."""
        if trigger is not None and not self.asks_of(trigger):
            return None
        in_words = replace(enquiry, reason=in_language(self.scenario.language, enquiry.reason))
        return scenarios.plan(self.scenario, self.version, in_words, trigger)


def misfit(saved: SavedScenario, installed_facts: Mapping[str, Any]) -> str:
    """Return why rules do not fit an account as it is now; empty where they do."""
    read = _read_rules(saved.text, saved.version, _json(installed_facts))
    return "; ".join(read.problems) if isinstance(read, ScenarioError) else ""


def live_rules(tx: Tx, tenant_id: int, installation_id: int) -> Rules | None:
    """Return the rules of an account; None where there are none, or they do not fit it."""
    installed = crm.installation(tx, tenant_id, installation_id)
    return fitting(scenario_versions.live(tx, tenant_id, installed.connector), installed)


def fitting(saved: SavedScenario | None, installed: Installed) -> Rules | None:
    """Return saved rules as they are for an account; None where there are none, or they do not fit it."""
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
    """Return the rules with the names of this account resolved, read once per version.

    Where they fit it no longer they are as they were when they last did, without what is gone: names that were changed
    since mean what they meant. Raises ``ScenarioError`` where they never fitted.
    """
    facts = _json(installed.facts)
    read = _read_rules(saved.text, saved.version, facts)
    if isinstance(read, ScenarioError) and runs_on(saved, installed.fitted):
        read = _left_of(saved.text, saved.version, _json(installed.fitted["facts"]), facts)
    if isinstance(read, ScenarioError):
        raise ScenarioError(read.problems)
    return read


def runs_on(saved: SavedScenario, fitted: Mapping[str, Any]) -> bool:
    """Say whether rules fitted the account once, by the facts that are kept of then."""
    return fitted.get("version") == saved.version


def learn(tx: Tx, tenant_id: int, installation_id: int, facts: Facts, now: datetime) -> None:
    """Keep what an account offers now; where its rules do not fit that, they run on by what it offered before."""
    before = crm.installation(tx, tenant_id, installation_id)
    crm.save_facts(tx, tenant_id, installation_id, facts, now)
    saved = scenario_versions.live(tx, tenant_id, before.connector)
    if saved is None or not before.facts or misfit(saved, before.facts):
        return
    if misfit(saved, crm.installation(tx, tenant_id, installation_id).facts):
        crm.keep_fitted(tx, before, saved.version)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True)


@lru_cache(maxsize=64)
def _read_rules(text: str, version: int, facts: str) -> Scenario | ScenarioError:
    try:
        return scenarios.read_scenario(text, f"scenario version {version}", crm.facts_of(json.loads(facts)))
    except ScenarioError as error:
        return error


@lru_cache(maxsize=64)
def _left_of(text: str, version: int, then: str, now: str) -> Scenario | ScenarioError:
    """Return what is left of rules that fitted an account as it was then."""
    read, facts = _read_rules(text, version, then), crm.facts_of(json.loads(now))
    return read if isinstance(read, ScenarioError) or facts is None else without_gone(read, facts)
