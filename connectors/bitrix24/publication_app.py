"""Rules of publication about the application itself: permissions, pace, what it exchanges (sheet section 8.1)."""

import re
from collections.abc import Collection, Iterable, Mapping

from connectors.bitrix24.publication_words import BY_HAND, OPEN
from connectors.protocol import Can, Connector, Limits, Manifest
from connectors.publication import Finding, Ruling

# Each permission we need: a method that takes it, and why there is no doing without [1.9]. None is for the future: a
# test holds the methods against our code.
NEEDED: Mapping[str, tuple[str, str]] = {
    "crm": ("crm.item.add", "contacts, leads and deals are made and read back"),
    "telephony": ("telephony.externalCall.register", "who answers a call is shown the caller's card"),
    "user_basic": ("user.get", "a scenario names the employees whom deals are given to"),
    "placement": ("placement.bind", "a card shows where its call came from"),
}

_BURST, _PER_SECOND = 50, 2.0  # hits at once, hits a second [2.1]
_EXCHANGE = (Can.CONTACT, Can.DEAL, Can.READ_BACK)
_LOGIN = re.compile(r"login|passw|webhook", re.IGNORECASE)


def app_findings(connector: Connector) -> tuple[Finding, ...]:
    """Return what is found of the rules about the application itself, in the order of their numbers."""
    manifest = connector.manifest
    found = (
        _oauth_alone(connector),
        _scopes(manifest.oauth.scopes),
        _pace(manifest.limits),
        _exchange(manifest),
        *OPEN,
        *BY_HAND,
    )
    return tuple(sorted(found, key=lambda one: int(one.rule.removeprefix("T"))))


def _oauth_alone(connector: Connector) -> Finding:
    about, manifest = "OAuth alone; no login or password is asked for", connector.manifest
    asked = sorted(name for name in getattr(manifest.settings, "model_fields", {}) if _LOGIN.search(name))
    if connector.by_hand:
        asked.append("a token by hand")
    if not asked:
        return Finding("T3", about, Ruling.KEPT, "consent at the portal's own address, and nothing else")
    to_do = "Take it out of the connector."
    return Finding("T3", about, Ruling.BROKEN, f"asked for: {', '.join(asked)}", "consent by OAuth", to_do)


def _scopes(asked: Collection[str]) -> Finding:
    about = "No permission that is not needed"
    beyond = [f"{scope} is not needed for anything" for scope in asked if scope not in NEEDED]
    if not beyond:
        return Finding("T4", about, Ruling.KEPT, _reasons(asked))
    to_do = "Take it out of the version's permissions and of the connector's manifest."
    return Finding("T4", about, Ruling.BROKEN, "; ".join(beyond), _reasons(NEEDED), to_do)


def _reasons(scopes: Iterable[str]) -> str:
    told = ((scope, *NEEDED[scope]) for scope in scopes)
    return "; ".join(f"{scope}: {why} ({method})" for scope, method, why in told)


def _pace(limits: Limits) -> Finding:
    about = "REST is not overloaded"
    said = f"{limits.burst} hits at once and {limits.per_second:g} a second at most, each a batch"
    if limits.burst <= _BURST and limits.per_second <= _PER_SECOND:
        return Finding("T6", about, Ruling.KEPT, said)
    allowed = f"{_BURST} hits at once, {_PER_SECOND:g} a second"
    return Finding("T6", about, Ruling.BROKEN, said, allowed, "Lower the limits in the connector's manifest.")


def _exchange(manifest: Manifest) -> Finding:
    about = "Data is exchanged by itself; it is not a mere page in a frame"
    missing = [can for can in _EXCHANGE if can not in manifest.can]
    if not missing:
        said = "enquiries become contacts and deals, and the deals' stages and money are read back"
        return Finding("T13", about, Ruling.KEPT, said)
    said = f"the connector cannot: {', '.join(missing)}"
    return Finding("T13", about, Ruling.BROKEN, said, ", ".join(_EXCHANGE), "Teach the connector what it lacks.")
