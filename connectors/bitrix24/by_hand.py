"""An incoming webhook that an administrator pastes: its address is a secret, and all the access there is [1.1].

The vendor tells nobody through it which portal it is: the account is known by its host alone. Events, tabs, pop-ups
and whatever else asks for an application are refused to it.
"""

import re
from datetime import datetime
from urllib.parse import urlsplit

from connectors.bitrix24.api import HOOK, Api, Denied
from connectors.bitrix24.encoding import command
from connectors.bitrix24.grant import account_host, address
from connectors.bitrix24.mappings import DEAL, NO_METHOD
from connectors.bitrix24.trouble import is_denied, trouble
from connectors.errors import ConnectorError, Refused, Unreadable
from connectors.http import Http
from connectors.protocol import App, Grant
from connectors.telling import NO_END, Given, NotTaken, Said, known_by_host

_PATH = re.compile(r"/rest/(\d{1,20})/([A-Za-z0-9_-]{4,200})(?:/.*)?")
_CAP = 1_000  # characters of an address
_SHOWN = 60  # characters of its host
_REFUSED = frozenset({"invalid_credentials", "expired_token", "no_auth_found", "invalid_token", "authorization_error"})
_NO_CRM = frozenset({"insufficient_scope", NO_METHOD})


async def by_hand(http: Http, app: App, given: Given, now: datetime) -> Grant:
    """Return the grant of an incoming webhook, once the portal has answered to it.

    Raises ``NotTaken`` for what a person can mend, ``InstallationError`` when the vendor cannot answer now. Nothing of
    that holds the secret.
    """
    host, secret = _read(app, given.token)
    ends_at = given.ends_at or NO_END
    if ends_at <= now:
        raise NotTaken(Said("hook_over"))
    await _check(Api(http, address(app, host), f"{HOOK}{secret}"), host)
    return Grant(known_by_host(host), host, f"{HOOK}{secret}", None, ends_at)


def _read(app: App, typed: str) -> tuple[str, str]:
    """Return the portal's host, and user and code of its webhook, from an address as Bitrix24 shows it."""
    try:
        parts = urlsplit(typed.strip()[:_CAP])
    except ValueError:
        raise NotTaken(Said("hook_unlike")) from None
    found = _PATH.fullmatch(parts.path)
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc or not found or "@" in parts.netloc:
        raise NotTaken(Said("hook_unlike"))
    host = account_host(app, parts.netloc)
    if host is None:
        raise NotTaken(Said("no_portal", {"host": parts.netloc.lower()[:_SHOWN]}))
    return host, f"{found[1]}/{found[2]}"


async def _check(api: Api, host: str) -> None:
    """Ask whose webhook it is and for something of the CRM; raises what ``by_hand`` does."""
    asked = {"profile": command("profile", {}), "crm": command("crm.item.fields", {"entityTypeId": DEAL})}
    try:
        told = await api.ask(asked)
    except Refused as error:
        if isinstance(error, Denied) and error.code in _REFUSED:
            raise NotTaken(Said("hook_refused")) from None
        if error.status in (301, 302, 303, 307, 308) or (error.status == 404 and not error.readable):
            raise NotTaken(Said("hook_nowhere", {"host": host[:_SHOWN]})) from None
        raise trouble(error) from None
    except ConnectorError as error:
        raise trouble(error) from None
    fault = told.faults.get("crm")
    if fault and (fault.code in _NO_CRM or is_denied(fault)):
        raise NotTaken(Said("hook_no_crm"))
    if fault and fault.code in _REFUSED:
        raise NotTaken(Said("hook_refused"))
    if "crm" not in told.results:
        raise trouble(Unreadable("the portal does not answer to the webhook"))
