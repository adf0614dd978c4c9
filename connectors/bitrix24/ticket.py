"""The ticket of a page of ours in a portal: what its own requests are believed by, since a portal signs none.

It is signed with a key made of our secret, ends after half an hour, and names the one card it was opened on.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from joserfc import jwt
from joserfc.jwk import OctKey

from connectors import signed
from connectors.bitrix24.api import Json
from connectors.protocol import App, HookRequest, Opened, Rejected

ONCE = "x-once"  # a word that the page never says twice
LIFE = timedelta(minutes=30)
_ONCE_CAP = 64  # characters


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
    return jwt.encode({"alg": signed.ALGORITHM}, claims, OctKey.import_key(secret(app)))


def secret(app: App) -> str:
    """Return what tickets are signed with: made of our secret, and good for nothing else."""
    return sha256(f"{signed.HEADER}|{app.client_secret}".encode()).hexdigest()


def opened(request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
    """Return who a ticket speaks of, or ``Rejected`` with the reason; a request with a new ``ONCE`` is a new one."""
    token = signed.read(request, secret(app), now)
    if isinstance(token, Rejected):
        return token
    claims = token.claims
    if claims.get("iss") != "bitrix24":
        return Rejected("The ticket is not of a page in Bitrix24.")
    account, host, user, jti = (str(claims.get(name) or "") for name in ("account", "host", "user", "jti"))
    token_id = f"{jti}:{signed.header(request, ONCE)[:_ONCE_CAP]}"
    card = claims.get("card")
    its = (str(card[0]), str(card[1])) if isinstance(card, list) and len(card) == 2 else None
    return Opened(account, host, user, claims.get("admin") is True, token_id, token.until, its)
