"""The disposable token that amoCRM signs for our widget's requests: who looks at the page (sheet section 1.9).

The algorithm is ours to choose, never the token's. Whether a token was used before is the hub's to know.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from connectors import signed
from connectors.amocrm.grant import account_host
from connectors.protocol import App, HookRequest, Opened, Rejected

_LONGEST = timedelta(minutes=30)  # a token's life by the sheet; a longer one was not made by amoCRM
_ID_CAP = 100


def opened(request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
    """Return who the token speaks of, or ``Rejected`` with the reason."""
    token = signed.read(request, app.client_secret, now)
    return token if isinstance(token, Rejected) else _told(token, app)


def _told(token: signed.Signed, app: App) -> Opened | Rejected:
    claims = token.claims
    if token.ends - token.begins > _LONGEST:
        return Rejected("The token is good for longer than amoCRM makes one.")
    if claims.get("aud") != _origin(app.redirect_uri):
        return Rejected("The token is for another address than this hub's.")
    if claims.get("client_uuid") != app.client_id:
        return Rejected("The token is for another integration.")
    host = _host(claims, app)
    if host is None:
        return Rejected("The token is not of an amoCRM account.")
    account, user, token_id = (_id(claims.get(name)) for name in ("account_id", "user_id", "jti"))
    if not account.isdecimal() or not user or not token_id:
        return Rejected("The token names no account, no user or no id.")
    return Opened(account, host, user, claims.get("is_admin") is True, token_id, token.until)


def _host(claims: Mapping[str, object], app: App) -> str | None:
    """Return the account's host when the issuer is the origin of the account that the token names."""
    issuer, subdomain = claims.get("iss"), claims.get("subdomain")
    if not isinstance(issuer, str) or not isinstance(subdomain, str) or not may_embed(app, issuer):
        return None
    netloc = urlsplit(issuer).netloc.lower()
    if not _is_sandbox(app, issuer) and netloc.partition(".")[0] != subdomain.lower():
        return None
    return account_host(app, netloc)


def may_embed(app: App, origin: str) -> bool:
    """Say whether an origin is an account's: https and a host of amoCRM's, or the sandbox's."""
    if _is_sandbox(app, origin):
        return True
    try:
        parts = urlsplit(origin)
        is_bare = parts.scheme == "https" and origin.lower() == f"https://{parts.netloc.lower()}"
    except ValueError:
        return False
    return is_bare and app.base_url is None and account_host(app, parts.netloc) is not None


def _is_sandbox(app: App, origin: str) -> bool:
    return bool(app.base_url) and origin.lower() == _origin(app.base_url or "").lower()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _id(claim: object) -> str:
    if isinstance(claim, bool) or not isinstance(claim, int | str):
        return ""
    text = str(claim)
    return text if text.isascii() and text.isprintable() and len(text) <= _ID_CAP else ""
