"""How the account stands with the hub, as its settings in the CRM show it."""

from collections.abc import Iterable
from typing import Any

from connectors.protocol import Opened
from hub.store import crm
from hub.store.crm import Installed
from hub.store.scenario_versions import SavedScenario
from hub.web.checks import Check
from hub.web.words import Words


def told(
    t: Words,
    of: Installed | None,
    reason: str,
    opened: Opened,
    rules: SavedScenario | None,
    address: str | None,
    checks: Iterable[Check],
    *,
    waits: bool,
) -> dict[str, Any]:
    """Return the state of an account; ``address`` is where an administrator goes to connect it.

    ``checks`` are what was found out about the account, beside its access and its scenario.
    """
    standing = _standing(of, waits=waits)
    wants_person = standing != "connected"
    facts = of.facts if of else {}
    return {
        "standing": standing,
        "sentence": t(f"embed.{standing}", reason=reason),
        "to_do": t(f"embed.{standing}_do") if address or not wants_person else t("embed.ask_admin"),
        "connect_url": address if wants_person else None,
        "account": {"id": opened.account, "name": (facts or {}).get("name") or opened.host},
        "checks": [_shown(one) for one in (*_checks(t, of, rules), *checks)] if of else [],
        "scenarios": [_scenario(t, rules)] if rules else [],
    }


def scenario_id(rules: SavedScenario) -> str:
    """Return how the settings name a scenario."""
    return str(rules.version)


def _scenario(t: Words, rules: SavedScenario) -> dict[str, Any]:
    return {"id": scenario_id(rules), "name": t("embed.scenario", version=rules.version), "chosen": True}


def _standing(of: Installed | None, *, waits: bool) -> str:
    if of is not None:
        return "connected" if of.status == crm.ACTIVE else "reauthorise"
    return "waiting" if waits else "nobody"


def _checks(t: Words, of: Installed, rules: SavedScenario | None) -> list[Check]:
    is_active = of.status == crm.ACTIVE
    return [
        Check(is_active, t("check.access" if is_active else "check.access_gone"), t("embed.reauthorise_do")),
        Check(of.facts_at is not None, t("check.read" if of.facts_at else "check.not_read")),
        Check(rules is not None, t("check.scenario" if rules else "check.no_scenario"), t("check.scenario_do")),
    ]


def _shown(check: Check) -> dict[str, Any]:
    return {"ok": check.ok, "what": check.what, "to_do": "" if check.ok else check.to_do}
