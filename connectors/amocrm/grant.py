"""Consent, code, tokens: how an installation is granted and stays so (sheet sections 1.2-1.6).

"Cannot reach the token endpoint" is never "connect again": ``GrantRevoked`` is raised only for an answer in
which the vendor itself refuses the code or the refresh token.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from connectors.amocrm.api import Api, current_domain, token
from connectors.amocrm.manifest import manifest
from connectors.amocrm.mappings import ACCOUNT_HOST, MOVED_SUFFIXES
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError, Refused, Unreadable, may_have_happened
from connectors.http import Answer, Http
from connectors.protocol import AnswerLost, App, Grant, GrantRevoked, Installed
from connectors.telling import Said

_REFUSALS = frozenset({400, 401})  # statuses in which the token endpoint speaks of the code or token [1.4]
# Statuses after which the SDK asks for a new address, and redirects, which we do not follow [1.6, 11].
_LOST_ACCOUNT = frozenset({401, 404, 301, 302, 303, 307, 308})
_LONGEST_ACCESS = timedelta(days=1825)


def authorize_url(app: App, state: str, _account: str = "") -> str:
    """Return where the browser goes for consent; the redirect happens in the window that was opened [1.2]."""
    start = f"{app.base_url.rstrip('/')}/oauth" if app.base_url else manifest.oauth.authorize_url
    return f"{start}?{urlencode({'client_id': app.client_id, 'state': state, 'mode': 'post_message'})}"


def account_host(app: App, referer: str) -> str | None:
    """Return the account host a consent names, or None for one we must not send our secret to.

    Allowed are the vendor's account hosts, and the host of ``base_url`` when requests go to a sandbox.
    """
    host = referer.strip().lower()
    if app.base_url:
        sandbox = urlsplit(app.base_url)
        if host in (sandbox.netloc.lower(), (sandbox.hostname or "").lower()) and host:
            return host
    if not ACCOUNT_HOST.fullmatch(host):
        return None
    for old, new in MOVED_SUFFIXES.items():
        host = host.removesuffix(old) + new if host.endswith(old) else host
    return host


def address(app: App, host: str) -> str:
    """Return the base address of an account's requests, without a slash at the end."""
    return app.base_url.rstrip("/") if app.base_url else f"https://{host}"


async def exchange(http: Http, app: App, installed: Installed, now: datetime) -> Grant:
    """Exchange a code for tokens and learn the account's id.

    Raises ``GrantRevoked`` when the code is refused or its host is not an account's, ``InstallationError``
    when the vendor cannot answer now.
    """
    host = account_host(app, installed.host)
    if host is None:
        raise GrantRevoked(Said("consent_elsewhere"))
    asked = {"grant_type": "authorization_code", "code": installed.code, **_ours(app)}
    try:
        answer = await token(http, address(app, host), asked)
        grant = _granted(answer, host, "", now)
        return replace(grant, account=await _account_id(http, app, grant))
    except ConnectorError as error:
        raise trouble(error, asks_token=True) from None


async def refresh(http: Http, app: App, grant: Grant, now: datetime) -> Grant:
    """Exchange the refresh token for a new pair, at the account's new address if it was renamed.

    Raises ``GrantRevoked`` when the vendor refuses the token, ``InstallationError`` when it cannot answer
    now, and of these ``AnswerLost`` when it may have spent the token.
    """
    if not grant.refresh_token:
        raise GrantRevoked(Said("no_renewal"))
    asked = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, **_ours(app)}
    host = grant.host
    try:
        answer = await token(http, address(app, host), asked)
        if answer.status in _LOST_ACCOUNT:
            host = await _new_host(http, app, grant) or host
            answer = await token(http, address(app, host), asked) if host != grant.host else answer
        return _granted(answer, host, grant.account, now)
    except ConnectorError as error:
        found = trouble(error, asks_token=True)
        if may_have_happened(error):
            raise AnswerLost(found.why, found.said, hold=found.hold) from None
        raise found from None


def _ours(app: App) -> dict[str, str]:
    return {"client_id": app.client_id, "client_secret": app.client_secret, "redirect_uri": app.redirect_uri}


def _granted(answer: Answer, host: str, account: str, now: datetime) -> Grant:
    told = answer.json()
    if answer.status in _REFUSALS and isinstance(told, dict):
        raise GrantRevoked(Said("grant_refused"))
    found = answer.read()
    access = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(access, str) or not access:
        raise Unreadable("the token endpoint answered without an access token")
    fresh = found.get("refresh_token")
    kept = fresh if isinstance(fresh, str) and fresh else None
    return Grant(account, host, access, kept, now + _lifetime(found.get("expires_in")))


def _lifetime(seconds: object) -> timedelta:
    if isinstance(seconds, int) and 0 < seconds <= _LONGEST_ACCESS.total_seconds():
        return timedelta(seconds=seconds)
    return manifest.oauth.access_lifetime


async def _account_id(http: Http, app: App, grant: Grant) -> str:
    try:
        found = await Api(http, address(app, grant.host), grant.access_token).account()
        if found.get("id") is not None:
            return str(found["id"])
        raise Unreadable("the account has no id")
    except ConnectorError as error:
        # The code is spent: an unverified claim of the fresh token is better than losing the tokens.
        claimed = claims(grant.access_token).get("account_id")
        if _is_refusal(error) or not isinstance(claimed, int):
            raise
        return str(claimed)


def _is_refusal(error: ConnectorError) -> bool:
    """Say whether the account turned us away for good: one that is busy or ill did not."""
    return isinstance(error, Refused) and error.status != HTTPStatus.TOO_MANY_REQUESTS and error.status < 500


async def _new_host(http: Http, app: App, grant: Grant) -> str | None:
    """Return the account's current host when it differs from the known one [1.6]."""
    claimed = str(claims(grant.access_token).get("api_domain", ""))
    where = account_host(app, claimed) if claimed else None
    if where is None:
        return None
    answer = await current_domain(http, address(app, where), grant.refresh_token or "")
    told = answer.json()
    if not answer.ok or not isinstance(told, dict) or str(told.get("id")) != grant.account:
        return None
    return account_host(app, str(told.get("domain", "")))


def claims(access_token: str) -> Mapping[str, object]:
    """Return the claims of a JWT without trusting them; empty for anything that is not one [1.5]."""
    try:
        part = access_token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
