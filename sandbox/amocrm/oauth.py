"""The token endpoint and the account look-ups that need no access token (sheet sections 1.4, 1.6)."""

from typing import TYPE_CHECKING, Any

from sandbox.amocrm.errors import Refusal, gateway_page, oauth_problem
from sandbox.amocrm.tokens import Grant, Pair
from sandbox.wire import Answer, Ask, json_answer

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

REVOKED = "Token has been revoked"
TOKEN_PATH = "/oauth2/access_token"


def give_token(account: "Account", ask: Ask) -> Answer:
    """POST /oauth2/access_token: a code or a refresh token becomes a new pair."""
    sent = _sent(account, ask)
    tokens = account.tokens
    if sent.get("client_id") != tokens.client_id or sent.get("client_secret") != tokens.client_secret:
        raise _refusal(account, 401, "Client authentication failed")
    if sent.get("redirect_uri") != account.options.redirect_uri:
        raise _refusal(account, 400, "Redirect URI is invalid")
    if sent.get("grant_type") == "authorization_code":
        pair = _from_code(account, str(sent.get("code")), ask.base)
    elif sent.get("grant_type") == "refresh_token":
        pair = _from_refresh(account, str(sent.get("refresh_token")), ask.base)
    else:
        raise _refusal(account, 400, "Check the `grant_type` parameter")
    account.store.changes += 1
    body = {
        "token_type": "Bearer",
        "expires_in": int(account.dial["access_ttl"]),
        "server_time": int(account.now()),
        "access_token": pair.access,
        "refresh_token": pair.refresh,
    }
    return json_answer(200, body)


def _sent(account: "Account", ask: Ask) -> dict[str, Any]:
    try:
        sent = ask.json()
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise _refusal(account, 400, "Check the request parameters")
    return sent


def _from_code(account: "Account", code: str, base: str) -> Pair:
    grant = account.tokens.codes.get(code)
    if grant is None or grant.replaced or grant.revoked:
        raise _refusal(account, 400, "Authorization code has been revoked")
    if _over(account, grant):
        raise _refusal(account, 400, "Authorization code has expired")
    grant.replaced = True
    return account.tokens.new_pair(grant.user_id, base, grant.family)


def _from_refresh(account: "Account", refresh: str, base: str) -> Pair:
    grant = account.tokens.refresh.get(refresh)
    if grant is not None and grant.replaced and account.dial["refresh_reuse"] == "revoke":
        account.tokens.revoke_family(grant.family)
    if grant is None or grant.replaced or grant.revoked or _over(account, grant):
        raise _refusal(account, 401, REVOKED)
    account.tokens.retire_replaced(refresh)
    return account.tokens.rotate(refresh, base)


def _over(account: "Account", grant: Grant) -> bool:
    return grant.expires <= account.now()


def _refusal(account: "Account", status: int, hint: str) -> Refusal:
    if account.dial["token_error_body"] == "html":
        return Refusal(gateway_page(status, hint))
    return Refusal(oauth_problem(status, hint))


def current_subdomain(account: "Account", ask: Ask) -> Answer:
    """GET /oauth2/account/current/subdomain: where the account lives now; the refresh token is not spent."""
    grant = account.tokens.refresh.get(ask.headers.get("x-refresh-token", ""))
    if grant is None or grant.replaced or grant.revoked or _over(account, grant):
        raise Refusal(oauth_problem(401, REVOKED))
    return _whereabouts(account, ask)


def old_subdomain(account: "Account", ask: Ask) -> Answer:
    """GET /oauth2/account/subdomain: the deprecated look-up with an access token."""
    grant = account.tokens.use_access(ask.headers.get("authorization", "").removeprefix("Bearer "))
    if grant is None:
        raise Refusal(oauth_problem(401, REVOKED))
    return _whereabouts(account, ask)


def _whereabouts(account: "Account", ask: Ask) -> Answer:
    first, dot, rest = ask.host.partition(".")
    is_elsewhere = first in account.moved_from or ask.host == account.dial["api_domain"]
    host = f"{account.subdomain}{dot}{rest}" if is_elsewhere else ask.host
    body = {"id": account.id, "subdomain": account.subdomain, "domain": host, "top_level_domain": "ru"}
    return json_answer(200, body)
