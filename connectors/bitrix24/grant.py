"""Consent, code, tokens: how an installation is granted and stays so (sheet sections 1.5-1.7).

"Cannot reach the token endpoint" is never "connect again": ``GrantRevoked`` is raised only for an answer in which the
vendor itself refuses the code or the refresh token. An installation inside a portal brings tokens instead of a code;
they are believed once an authorisation server has renewed them for us, which it does for nobody without our secret.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from connectors.bitrix24.api import Api, Denied, Json, envelope, token
from connectors.bitrix24.encoding import command
from connectors.bitrix24.manifest import manifest
from connectors.bitrix24.mappings import EAST, EAST_PORTALS, PORTALS, WEST
from connectors.bitrix24.trouble import trouble
from connectors.errors import ConnectorError, NotSent, Refused, Unreadable, verdict
from connectors.http import Http
from connectors.protocol import AnswerLost, App, Grant, GrantRevoked, InstallationError, Installed, Status, Why
from connectors.telling import NotTaken, Said

TOKENS = "refresh_token:"  # before what an installation inside a portal brings in place of a code
# With these the authorisation server speaks of the code or token; with others, of our registration or the portal [1.6].
_REFUSALS = frozenset({"invalid_grant", "bad_verification_code", "invalid_request"})
_OF_APP = frozenset({"invalid_client", "wrong_client", "unauthorized_client"})
_GONE = frozenset({"not_installed", "application_not_found"})
_LONGEST_ACCESS = timedelta(days=1)
_ID_CAP = 64
_SHOWN = 60  # characters of what was typed
_NAME = re.compile(r"[a-z0-9.-]{1,253}(?::\d{1,5})?")


def authorize_url(app: App, state: str, account: str = "") -> str:
    """Return where the browser goes for consent; the redirect goes where the application's settings say [1.6].

    Raises ``NotTaken`` for an account that is no portal's address.
    """
    typed = account.strip().lower()
    try:
        host = account_host(app, urlsplit(typed if "://" in typed else f"//{typed}").netloc)
    except ValueError:
        host = None
    if host is None and not app.base_url:
        raise NotTaken(Said("no_portal", {"host": typed[:_SHOWN]}))
    asked = urlencode({"client_id": app.client_id, "state": state})
    return f"{address(app, host or '')}/oauth/authorize/?{asked}"


def account_host(app: App, named: str) -> str | None:
    """Return the portal's host that a request names, or None for one that we must not send anything to.

    Allowed are the vendor's portals, and those on servers of their own that the operator named [1.10]: a request names
    none. Where requests go to a sandbox, they go there whatever a portal is called.
    """
    host = named.strip().lower()
    is_known = is_name(host) if app.base_url else is_portal(host) or host in app.hosts
    return host if is_known else None


def is_portal(host: str) -> bool:
    """Say whether a host is one of the vendor's portals in its cloud."""
    name = next((host.removesuffix(f".{zone}") for zone in PORTALS if host.endswith(f".{zone}")), "")
    return bool(name) and name.isascii() and name.replace("-", "").isalnum()


def is_name(text: str) -> bool:
    """Say whether a text reads like a host."""
    return _NAME.fullmatch(text.strip().lower()) is not None


def address(app: App, host: str) -> str:
    """Return the base address of a portal's requests, without a slash at the end."""
    return app.base_url.rstrip("/") if app.base_url else f"https://{host}"


def is_account(text: str) -> bool:
    """Say whether a text can be a portal's ``member_id``."""
    return text.isascii() and text.isalnum() and 0 < len(text) <= _ID_CAP


async def exchange(http: Http, app: App, installed: Installed, now: datetime) -> Grant:
    """Exchange a code, or renew the tokens an installation brought; raises ``GrantRevoked``, ``InstallationError``."""
    if account_host(app, installed.host) is None:
        raise GrantRevoked(Said("consent_elsewhere"))
    is_token = installed.code.startswith(TOKENS)
    asked = {"refresh_token": installed.code.removeprefix(TOKENS)} if is_token else {"code": installed.code}
    asked["grant_type"] = "refresh_token" if is_token else "authorization_code"
    try:
        found = await _asked(http, app, installed.host, asked)
        grant = _granted(found, app, "", "", now)
    except ConnectorError as error:
        raise trouble(error, asks_token=True) from None
    if not grant.account or not grant.host:
        raise GrantRevoked(Said("consent_elsewhere"))
    if is_token:
        await _check_admin(http, app, grant)
    return grant


async def _check_admin(http: Http, app: App, grant: Grant) -> None:
    """Refuse tokens of who is no administrator: every user of a portal has some, and could tell of an installation."""
    try:
        told = await Api(http, address(app, grant.host), grant.access_token).ask({"profile": command("profile", {})})
    except ConnectorError as error:
        raise trouble(error) from None
    if told.object("profile").get("ADMIN") is not True:
        raise GrantRevoked(Said("frame_no_admin"))


async def refresh(http: Http, app: App, grant: Grant, now: datetime) -> Grant:
    """Exchange the refresh token for a new pair, with the portal's present host if it was renamed.

    Raises ``GrantRevoked`` when the vendor refuses the token, ``InstallationError`` when it cannot answer now, and of
    these ``AnswerLost`` when it may have spent the token.
    """
    if not grant.refresh_token:
        raise GrantRevoked(Said("no_renewal"))
    asked = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    try:
        found = await _asked(http, app, grant.host, asked)
        fresh = _granted(found, app, grant.account, grant.host, now)
    except ConnectorError as error:
        why = trouble(error, asks_token=True)
        if _may_be_spent(error):
            raise AnswerLost(why.why, why.said, hold=why.hold) from None
        raise why from None
    if fresh.account != grant.account:
        raise GrantRevoked(Said("other_account", {"found": fresh.account, "account": grant.account}))
    return fresh


def servers(app: App, host: str, named: str = "") -> Sequence[str]:
    """Return the addresses of the authorisation servers to ask, the one of the portal's region first [0].

    A portal on a server of its own has none in its name: there is one of the vendor's that its page ``named`` [1.3].
    """
    if app.base_url:
        return (app.base_url.rstrip("/"),)
    is_east = host.endswith(EAST_PORTALS) or (not is_portal(host) and named.startswith(f"https://{EAST}/"))
    own = (EAST, WEST) if is_east else (WEST, EAST)
    return tuple(f"https://{one}" for one in own)


async def _asked(http: Http, app: App, host: str, asked: dict[str, str]) -> Json:
    """Return the answer of the server that knows our application; raises ``ConnectorError``, ``GrantRevoked``."""
    whole = {"client_id": app.client_id, "client_secret": app.client_secret, **asked}
    *first, last = servers(app, host)
    for server in first:
        answer = await token(http, server, whole)
        try:
            return envelope(answer)
        except Denied as error:
            if error.code != "wrong_client":  # with another, this server knows us, and the token is its own
                raise _refusal(error) from None
    answer = await token(http, last, whole)
    try:
        return envelope(answer)
    except Denied as error:
        raise _refusal(error) from None


def _refusal(error: Denied) -> Exception:
    if error.code in _REFUSALS:
        return GrantRevoked(Said("grant_refused"))
    if error.code in _GONE:
        return GrantRevoked(Said("app_gone"))
    if error.code in _OF_APP:
        return InstallationError(Why.FORBIDDEN, Said("app_unknown"))
    return error


def _may_be_spent(error: ConnectorError) -> bool:
    if isinstance(error, Denied):
        return error.status >= 500
    if isinstance(error, Refused):
        return verdict(error.status).status is Status.UNKNOWN
    return not isinstance(error, NotSent)


def _granted(found: Json, app: App, account: str, host: str, now: datetime) -> Grant:
    access, fresh = found.get("access_token"), found.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise Unreadable("the authorisation server answered without an access token")
    member = str(found.get("member_id") or account)
    if not is_account(member):
        raise Unreadable("the authorisation server answered without a portal")
    kept = fresh if isinstance(fresh, str) and fresh else None
    where = _host(app, found) or host
    return Grant(member, where, access, kept, now + lifetime(found.get("expires_in")))


def _host(app: App, found: Json) -> str | None:
    """Return the portal's host: ``domain`` beside it is the authorisation server's [1.6]."""
    endpoint = str(found.get("client_endpoint") or "")
    try:
        return account_host(app, urlsplit(endpoint).netloc)
    except ValueError:
        return None


def lifetime(seconds: object) -> timedelta:
    """Return how long an access token lives by what is told of it, and the documented hour otherwise [1.6]."""
    told = int(seconds) if isinstance(seconds, str) and seconds.isdigit() and len(seconds) < 8 else seconds
    if isinstance(told, int) and 0 < told <= _LONGEST_ACCESS.total_seconds():
        return timedelta(seconds=told)
    return manifest.oauth.access_lifetime
