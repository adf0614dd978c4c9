"""Rules of publication about the application itself: permissions, pace, what it exchanges (sheet section 8.1)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from connectors.bitrix24.grant import account_host
from connectors.bitrix24.publication_words import BY_HAND
from connectors.errors import ConnectorError
from connectors.http import Answer
from connectors.protocol import App, Can, Connector, Limits, Manifest
from connectors.publication import Ask, Finding, Ruling

# Each permission we need: a method that takes it, and why there is no doing without [1.9]. None is for the future: a
# test holds the methods against our code.
NEEDED: Mapping[str, tuple[str, str]] = {
    "crm": ("crm.item.add", "contacts, leads and deals are made and read back"),
    "telephony": ("telephony.externalCall.register", "who answers a call is shown the caller's card"),
    "user_basic": ("user.get", "a scenario names the employees whom deals are given to"),
    "placement": ("placement.bind", "a card shows where its call came from"),
}

LOG = Ask("GET", "/connections/1/requests")  # of any account: who is not logged in is told of none

_BURST, _PER_SECOND = 50, 2.0  # hits at once, hits a second [2.1]
_EXCHANGE = (Can.CONTACT, Can.DEAL, Can.READ_BACK)
_BOX = "bitrix.example.com"
_BOXES = (
    "hosts that you name in HUB_APPS are portals, too, by https with a certificate that verifies; their tokens come"
    " from the vendor's servers; what one lacks is off, and the start check says so. Tried in the sandbox alone"
)
# An incoming webhook is neither a login nor a password, and it is not OAuth either: the moderators decide, not we.
_HOOKS = (
    "the application itself asks for nothing but consent; the hub's own console, outside of the portal, takes an"
    " incoming webhook from who installs no application: no login or password, and not OAuth"
)
_TELL_OF_HOOKS = (
    "Tell the moderators of the webhook, and leave it out of the card's texts: the application does without."
)
_LOGIN = re.compile(r"login|passw|webhook", re.IGNORECASE)


def app_findings(connector: Connector, log: Answer | ConnectorError) -> tuple[Finding, ...]:
    """Return what is found of the rules about the application itself, in the order of their numbers.

    ``log`` is what the hub answers to ``LOG``.
    """
    manifest = connector.manifest
    found = (
        _oauth_alone(connector),
        _scopes(manifest.oauth.scopes),
        _own_servers(),
        _pace(manifest.limits),
        _log(log),
        _exchange(manifest),
        *BY_HAND,
    )
    return tuple(sorted(found, key=lambda one: int(one.rule.removeprefix("T"))))


def _oauth_alone(connector: Connector) -> Finding:
    about, manifest = "OAuth alone; no login or password is asked for", connector.manifest
    asked = sorted(name for name in getattr(manifest.settings, "model_fields", {}) if _LOGIN.search(name))
    if asked:
        to_do = "Take it out of the connector."
        return Finding("T3", about, Ruling.BROKEN, f"asked for: {', '.join(asked)}", "consent by OAuth", to_do)
    if connector.by_hand:
        return Finding("T3", about, Ruling.LOOK, _HOOKS, "consent by OAuth", _TELL_OF_HOOKS)
    return Finding("T3", about, Ruling.KEPT, "consent at the portal's own address, and nothing else")


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


def _own_servers() -> Finding:
    """Judge whether a portal on a server of its own is one once the operator named it, and none that he did not."""
    about = "Works in a Bitrix24 on the customer's own server"
    plain = App("", "", "")
    named = replace(plain, hosts=(_BOX,))
    is_one, is_nobody = account_host(named, _BOX) == _BOX, account_host(plain, _BOX) is None
    opens = f"https://{_BOX}" in named.origins
    if is_one and is_nobody and opens:
        return Finding("T5", about, Ruling.KEPT, _BOXES)
    said = "a host that the operator names is no portal" if is_nobody else "a portal may name its own host"
    to_do = "Let account_host and egress take the hosts of the registration, and no others."
    return Finding("T5", about, Ruling.BROKEN, said, "cloud and own servers", to_do)


def _pace(limits: Limits) -> Finding:
    about = "REST is not overloaded"
    said = f"{limits.burst} hits at once and {limits.per_second:g} a second at most, each a batch"
    if limits.burst <= _BURST and limits.per_second <= _PER_SECOND:
        return Finding("T6", about, Ruling.KEPT, said)
    allowed = f"{_BURST} hits at once, {_PER_SECOND:g} a second"
    return Finding("T6", about, Ruling.BROKEN, said, allowed, "Lower the limits in the connector's manifest.")


def _log(answer: Answer | ConnectorError) -> Finding:
    """Judge the log by its page, which is there for who logs in: a hub that keeps none has no such page [8.1]."""
    about, allowed = "REST requests and answers are logged", "a log of the last 3 days at least"
    if isinstance(answer, ConnectorError):
        to_do = "Compare --base-url with where the hub answers, and mend T2 first."
        return Finding("T7", about, Ruling.BROKEN, f"no answer: {answer.detail}", allowed, to_do)
    where = answer.headers.get("location", "")
    if answer.status == 303 and where.startswith("/login"):
        said = (
            "the hub keeps each request with its answer for HUB_REQUEST_LOG_DAYS, 3 days at least, without tokens and"
            " phones; each portal's log is read, taken along and deleted in the console: Connections"
        )
        return Finding("T7", about, Ruling.KEPT, said)
    found = f"{LOG.path} answers {answer.status} and does not lead to the login: this hub shows no log"
    return Finding("T7", about, Ruling.BROKEN, found, allowed, "Update the hub, and let the proxy pass its console.")


def _exchange(manifest: Manifest) -> Finding:
    about = "Data is exchanged by itself; it is not a mere page in a frame"
    missing = [can for can in _EXCHANGE if can not in manifest.can]
    if not missing:
        said = "enquiries become contacts and deals, and the deals' stages and money are read back"
        return Finding("T13", about, Ruling.KEPT, said)
    said = f"the connector cannot: {', '.join(missing)}"
    return Finding("T13", about, Ruling.BROKEN, said, ", ".join(_EXCHANGE), "Teach the connector what it lacks.")
