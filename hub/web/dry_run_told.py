"""A dry-run as machines read it: the command line prints it as one JSON line, the programming interface answers it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from connectors.scenario import every_rule, read_scenario
from hub.dry_run import Difference, DryRun, dry_run
from hub.hub import Hub
from hub.planning import Rules, live_rules
from hub.rehearsal import Did
from hub.store import crm
from hub.store.crm import Installed
from hub.store.tx import Tx
from hub.web import decided
from hub.web.words import Words

MOST_DAYS = 366


def tried(
    tx: Tx, hub: Hub, of: Installed, text: str | None, name: str, days: int, since: datetime | None = None
) -> tuple[Rules, DryRun] | None:
    """Try a scenario's text on an account's last days, or since a moment; without one, the scenario that runs.

    None where none runs that fits the account. Raises ``ScenarioError`` for a text that is wrong; ``name`` is what its
    problems call it.
    """
    live = live_rules(tx, of.tenant_id, of.id)
    rules = Rules(read_scenario(text, name, crm.facts_of(of.facts)), 0) if text is not None else live
    if rules is None:
        return None
    connector = hub.connectors[of.connector]
    now = hub.clock.now()
    return rules, dry_run(tx, of, connector, rules, live, now, hub.vault, days, hub.numbering, since)


def plainly(made: DryRun, rules: Rules) -> dict[str, Any]:
    """Return what JSON takes: what is made, how often each rule was followed, and each difference."""
    t = Words("en")
    return {
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
        "enquiries": made.enquiries,
        "unsure": made.unsure,
        "tried": asdict(made.tried),
        "live": asdict(made.live) if made.live else None,
        "rules": [
            {"rule": number, "when": when(rules, number, t), "times": times} for number, times in made.rules.items()
        ],
        "differences": [_difference(one) for one in made.differences],
        "checked": asdict(made.checked),
    }


def when(rules: Rules, number: int, t: Words) -> str:
    """Return for what and whom a rule is, in words; 0 is no rule."""
    found = next(((trigger, rule) for trigger, rule in every_rule(rules.scenario) if rule.number == number), None)
    if found is None:
        return t("dry_run.no_rule")
    trigger, rule = found
    return f"{t.of('trigger', trigger)}: {decided.when(rule, t)}"


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "enquiry": one.enquiry.id,
        "kind": one.enquiry.enquiry.kind,
        "at": one.enquiry.enquiry.started_at.isoformat(),
        "live": [_did(trigger, did) for trigger, did in one.live.items()],
        "tried": [_did(trigger, did) for trigger, did in one.tried.items()],
    }


def _did(trigger: str, did: Did) -> dict[str, Any]:
    told = did.decision
    gist = {"trigger": trigger, "rule": told.rule, "state": told.state, "result": told.result}
    return gist | {"actions": [action.kind for action in did.actions]}
