"""The auth server: consent, the token endpoint, its `app.info` (sheet sections 1.5, 1.6)."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.bitrix24.errors import JSON, Refusal, gateway_page
from sandbox.bitrix24.php import Params, read_params
from sandbox.bitrix24.tokens import Grant, Pair
from sandbox.wire import Answer, Ask, json_answer

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

AUTHORIZE_PATH, TOKEN_PATH = "/oauth/authorize", "/oauth/token"


def authorize(portal: "Portal", ask: Ask) -> Answer:
    """GET /oauth/authorize/: sends the signed-in user's browser back with a code, or shows an error page."""
    params = read_params(ask)
    user = portal.users.get(int(portal.dial["signed_in_user"]))
    if params.get("client_id") != portal.app.client_id or portal.installation is None or user is None:
        return gateway_page(400, "The application could not be authorised")
    query = {
        "code": portal.tokens.new_code(user.id),
        "state": str(params.get("state", "")),
        "domain": portal.domain(ask.base),
        "member_id": portal.member_id,
        "scope": ",".join(portal.installation.scopes),
        "server_domain": portal.auth_domain(ask.base),
    }
    glue = "&" if "?" in portal.app.redirect_uri else "?"
    return Answer(302, headers={"Location": f"{portal.app.redirect_uri}{glue}{urlencode(query)}"})


def give_token(portal: "Portal", ask: Ask) -> Answer:
    """GET or POST /oauth/token/: a code or a refresh token becomes a new pair."""
    params = read_params(ask)
    if portal.dial["portal_deleted"]:
        raise Refusal(404, "invalid_request", "Portal not found")
    if params.get("client_id") != portal.app.client_id:
        raise Refusal(200, "wrong_client", "Unknown client")
    if params.get("client_secret") != portal.app.client_secret:
        raise Refusal(400, "invalid_client", "The client credentials are invalid")
    if portal.dial["mode"] in {"unpaid", "unpaid_writes"}:
        raise Refusal(portal.dial["payment_required_status"], "PAYMENT_REQUIRED", "Subscription has been ended")
    if portal.installation is None:
        told = portal.dial["oauth_uninstalled"]
        raise Refusal(401 if told == "NOT_INSTALLED" else 400, told, "Application not installed")
    pair = _pair(portal, params)
    portal.changes += 1
    return json_answer(200, token_reply(portal, pair, ask.base), JSON)


def _pair(portal: "Portal", params: Params) -> Pair:
    kind = params.get("grant_type")
    name = {"authorization_code": "code", "refresh_token": "refresh_token"}.get(str(kind))
    if name is None or not params.get(name):
        raise Refusal(400, "invalid_request", f"The {name or 'grant_type'} parameter is missing or unsupported")
    told = str(params[name])
    pair = portal.tokens.spend_code(told) if name == "code" else portal.tokens.rotate(told)
    if pair is None:
        raise Refusal(400, "invalid_grant", "The provided grant is invalid, expired or was already used")
    return pair


def token_reply(portal: "Portal", pair: Pair, base: str) -> dict[str, Any]:
    """Returns the keys of a token reply; `domain` is the auth server's, as at the vendor's."""
    installed = portal.installed
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "expires": int(pair.expires),
        "expires_in": int(portal.dial["access_ttl"]),
        "user_id": pair.user_id,
        "scope": ",".join(installed.scopes),
        "status": installed.status,
        "member_id": portal.member_id,
        "domain": portal.auth_domain(base),
        "client_endpoint": portal.client_endpoint(base),
        "server_endpoint": portal.server_endpoint(base),
    }


def auth_info(portal: "Portal", grant: Grant, base: str) -> dict[str, Any]:
    """Returns what the auth server's `app.info` tells about a token."""
    installed, is_text = portal.installed, portal.dial["app_info_expires"] == "text"
    scope = ",".join(installed.scopes)
    install = {
        "installed": installed.finished,
        "version": installed.version,
        "status": installed.status,
        "scope": scope,
        "domain": portal.domain(base),
        "uri": "",
        "client_endpoint": portal.client_endpoint(base),
        "member_id": portal.member_id,
        "member_type": "",
    }
    return {
        "client_id": portal.app.client_id,
        "scope": scope,
        "expires": portal.moment_text(grant.expires) if is_text else int(grant.expires),
        "user_id": grant.user_id,
        "install": install,
    }
