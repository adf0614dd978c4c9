"""Our pages inside a portal: who looks at them (sheet sections 1.3, 1.5 and 7.3).

The form that opens a page can be forged by anyone. ``vouch`` asks the authorisation server whose token it carries and
the portal who that is, and gives a ticket of our own; ``opened`` reads that ticket from every request of the page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from connectors.bitrix24.api import Api, Json, envelope, whose
from connectors.bitrix24.encoding import command
from connectors.bitrix24.grant import account_host, address, is_account, servers
from connectors.bitrix24.trouble import trouble
from connectors.errors import ConnectorError, Refused
from connectors.http import Http
from connectors.protocol import App, HookRequest, Opened, Rejected

HEADER = "x-auth-token"
LIFE = timedelta(minutes=30)
_ALGORITHM = "HS256"
_LEEWAY = timedelta(seconds=60)
_CAP = 4_096  # characters


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who opened a page of ours, on which card if on any, and the ticket for the page's own requests."""

    opened: Opened
    ticket: str = field(repr=False)
    placement: str
    card: str | None


async def vouch(
    http: Http, app: App, query: Mapping[str, str], fields: Mapping[str, str], now: datetime
) -> Vouched | Rejected:
    """Return who opened a page, by what the vendor says of the token in its form; raises ``InstallationError``.

    ``query`` and ``fields`` are those of the request that opens it [1.3].
    """
    access, claimed = fields.get("AUTH_ID", ""), fields.get("member_id", "")
    host = account_host(app, query.get("DOMAIN", ""))
    if not access or len(access) > _CAP or host is None or not is_account(claimed):
        return Rejected("The page was not opened by Bitrix24: open it inside your portal.")
    try:
        found = envelope(await whose(http, servers(app, host)[0], access)).get("result")
        if not _is_of(found, app, claimed, host):
            return Rejected("The token of the page is of another application or portal.")
        profile = (await Api(http, address(app, host), access).ask({"profile": command("profile", {})})).object(
            "profile"
        )
    except Refused as error:
        if error.status in (400, 401, 403):
            return Rejected("The token of the page is not good: reload the page.")
        raise trouble(error) from None
    except ConnectorError as error:
        raise trouble(error) from None
    user = str(profile.get("ID") or "")
    if not user:
        return Rejected("The portal does not say who opened the page.")
    opened_by = Opened(claimed, host, user, profile.get("ADMIN") is True, _token_id(access, now), now + LIFE)
    placement = fields.get("PLACEMENT", "DEFAULT")
    return Vouched(opened_by, _ticket(opened_by, app, now), placement, _card(fields.get("PLACEMENT_OPTIONS", "")))


def _is_of(found: object, app: App, account: str, host: str) -> bool:
    told = found if isinstance(found, dict) else {}
    install = told.get("install")
    if not isinstance(install, dict) or told.get("client_id") != app.client_id:
        return False
    return install.get("member_id") == account and account_host(app, str(install.get("domain") or "")) == host


def _token_id(access: str, now: datetime) -> str:
    return sha256(f"{access}|{now.timestamp()}".encode()).hexdigest()[:32]


def _ticket(of: Opened, app: App, now: datetime) -> str:
    claims: Json = {
        "iss": "bitrix24",
        "account": of.account,
        "host": of.host,
        "user": of.user,
        "admin": of.is_admin,
        "jti": of.token_id,
        "nbf": int(now.timestamp()),
        "exp": int(of.ends_at.timestamp()),
    }
    return jwt.encode({"alg": _ALGORITHM}, claims, _key(app))


def _key(app: App) -> OctKey:
    """Return the key of tickets: made of our secret, and good for nothing else."""
    return OctKey.import_key(sha256(f"{HEADER}|{app.client_secret}".encode()).hexdigest())


def _card(options: str) -> str | None:
    """Return the id of the card a page was opened on; its options are JSON in a text, or nothing [1.3]."""
    try:
        found = json.loads(options)
    except (ValueError, RecursionError):
        return None
    id_ = str(found.get("ID") or "") if isinstance(found, dict) else ""
    return id_ if id_.isascii() and id_.isdigit() else None


def opened(request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
    """Return who a ticket of ours speaks of, or ``Rejected`` with the reason."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    text = headers.get(HEADER, "")
    if not text or len(text) > _CAP:
        return Rejected("The request carries no ticket of ours: reload the page.")
    try:
        claims = jwt.decode(text, _key(app), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return Rejected("The ticket is not ours.")
    begins, ends = _moment(claims.get("nbf")), _moment(claims.get("exp"))
    if claims.get("iss") != "bitrix24" or begins is None or ends is None:
        return Rejected("The ticket is not of a page in Bitrix24.")
    if not begins - _LEEWAY <= now < ends + _LEEWAY:
        return Rejected("The ticket is not good at this moment: reload the page.")
    account, host, user, jti = (str(claims.get(name) or "") for name in ("account", "host", "user", "jti"))
    return Opened(account, host, user, claims.get("admin") is True, jti, ends + _LEEWAY)


def may_embed(app: App, origin: str) -> bool:
    """Say whether an origin is a portal's: https and a host of Bitrix24's, or the sandbox's."""
    try:
        parts = urlsplit(origin)
        host = parts.netloc.lower()
        if app.base_url:
            sandbox = urlsplit(app.base_url)
            return origin.lower() == f"{sandbox.scheme}://{sandbox.netloc}".lower()
    except ValueError:
        return False
    return origin.lower() == f"https://{host}" and account_host(app, host) is not None


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 1 << 33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
