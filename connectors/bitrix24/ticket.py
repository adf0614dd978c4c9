"""The ticket of a page of ours in a portal: what its own requests are believed by, since a portal signs none.

It is signed with a key made of our secret, ends after half an hour, and names the one card it was opened on.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from connectors.bitrix24.api import Json
from connectors.protocol import App, HookRequest, Opened, Rejected

HEADER, ONCE = "x-auth-token", "x-once"  # the ticket; a word that the page never says twice
LIFE = timedelta(minutes=30)
_ALGORITHM = "HS256"
_LEEWAY = timedelta(seconds=60)
_CAP, _ONCE_CAP = 4_096, 64  # characters


def written(of: Opened, app: App, now: datetime) -> str:
    """Return the ticket of who opened a page."""
    claims: Json = {
        "iss": "bitrix24",
        "account": of.account,
        "host": of.host,
        "user": of.user,
        "admin": of.is_admin,
        "card": list(of.card) if of.card else None,
        "jti": of.token_id,
        "nbf": int(now.timestamp()),
        "exp": int(of.ends_at.timestamp()),
    }
    return jwt.encode({"alg": _ALGORITHM}, claims, key(app))


def key(app: App) -> OctKey:
    """Return the key of tickets: made of our secret, and good for nothing else."""
    return OctKey.import_key(sha256(f"{HEADER}|{app.client_secret}".encode()).hexdigest())


def opened(request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
    """Return who a ticket speaks of, or ``Rejected`` with the reason; a request with a new ``ONCE`` is a new one."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    text = headers.get(HEADER, "")
    if not text or len(text) > _CAP:
        return Rejected("The request carries no ticket of ours: reload the page.")
    try:
        claims = jwt.decode(text, key(app), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return Rejected("The ticket is not ours.")
    begins, ends = _moment(claims.get("nbf")), _moment(claims.get("exp"))
    if claims.get("iss") != "bitrix24" or begins is None or ends is None:
        return Rejected("The ticket is not of a page in Bitrix24.")
    if not begins - _LEEWAY <= now < ends + _LEEWAY:
        return Rejected("The ticket is not good at this moment: reload the page.")
    account, host, user, jti = (str(claims.get(name) or "") for name in ("account", "host", "user", "jti"))
    token_id = f"{jti}:{headers.get(ONCE, '')[:_ONCE_CAP]}"
    card = claims.get("card")
    its = (str(card[0]), str(card[1])) if isinstance(card, list) and len(card) == 2 else None
    return Opened(account, host, user, claims.get("admin") is True, token_id, ends + _LEEWAY, its)


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 1 << 33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
