"""A long-lived token that a person pastes: it has an end, and nothing renews it [1.7]."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.amocrm.api import Api
from connectors.amocrm.grant import account_host, address, claims
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError, Refused, Unreadable
from connectors.http import Http
from connectors.protocol import App, Grant
from connectors.telling import Given, NotTaken, Said

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{20,8000}")
_SHOWN = 60  # characters of what was typed
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


async def by_hand(http: Http, app: App, given: Given, now: datetime) -> Grant:
    """Return the grant of a long-lived token, once the account has answered to it.

    Raises ``NotTaken`` for what a person can mend, ``InstallationError`` when the vendor cannot answer now.
    """
    host = account_host(app, _host(given.host))
    if host is None:
        raise NotTaken(Said("token_host", {"host": given.host.strip()[:_SHOWN]}))
    token = given.token.strip().removeprefix("Bearer ").strip()
    if not _TOKEN.fullmatch(token):
        raise NotTaken(Said("token_unlike"))
    ends_at = _end(token) or given.ends_at
    if ends_at is None:
        raise NotTaken(Said("token_no_end"))
    if ends_at <= now:
        raise NotTaken(Said("token_over"))
    return Grant(await _account(Api(http, address(app, host), token), host), host, token, None, ends_at)


def _host(typed: str) -> str:
    """Return the host of what a person typed: an address of a page, a host, or the first word of one."""
    typed = typed.strip().lower()
    host = urlsplit(typed if "://" in typed else f"//{typed}").netloc if typed.isascii() else ""
    return f"{host}.amocrm.ru" if re.fullmatch(r"[a-z0-9-]+", host) and host != "localhost" else host


def _end(token: str) -> datetime | None:
    """Return until when a token says that it is good [1.5]."""
    told = claims(token).get("exp")
    if not isinstance(told, int | float) or not 0 < told < _LATEST.timestamp():
        return None
    return datetime.fromtimestamp(told, UTC)


async def _account(api: Api, host: str) -> str:
    try:
        found = await api.account()
        if found.get("id") is None:
            raise Unreadable("the account has no id")
    except Refused as error:
        if error.status == 401:
            raise NotTaken(Said("token_refused")) from None
        if error.status == 404 or 300 <= error.status < 400:
            raise NotTaken(Said("token_nowhere", {"host": host})) from None
        raise trouble(error) from None
    except ConnectorError as error:
        raise trouble(error) from None
    return str(found["id"])
