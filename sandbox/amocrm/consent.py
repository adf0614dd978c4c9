"""The consent page, and what the vendor sends at install and uninstall (sheet sections 1.2, 1.3, 1.8)."""

import asyncio
import hashlib
import hmac
import html
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpx

from sandbox.amocrm.errors import gateway_page
from sandbox.amocrm.jwt import sign_jwt
from sandbox.amocrm.model import Visit
from sandbox.brackets import Tree, parse_brackets
from sandbox.wire import Answer, Ask

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

INSTALL_SECONDS = 3.0
SERVICE_AGENT = "amoService-oAuth-Code-Sender/1.0"
FRAME_SECONDS = 1800
CONSENT_PATH = "/oauth"
_PAGE = """<!doctype html><html lang="ru"><head><meta charset="utf-8">
<title>{title}</title></head><body>
<h1>{title}</h1>
<p>Интеграция <code>{client}</code> просит доступ к аккаунту <b>{account}</b>.</p>
<form method="post" action="/oauth">{hidden}
<label>Пользователь <select name="user_id">{users}</select></label>
<button name="decision" value="allow">Разрешить</button>
<button name="decision" value="refuse">Отказать</button></form></body></html>"""


def show_consent(account: "Account", ask: Ask) -> Answer:
    """GET /oauth: a small page with Allow and Refuse."""
    told = parse_brackets(ask.query)
    if told.get("client_id") != account.tokens.client_id:
        return gateway_page(404, "Integration not found")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(str(told[name]))}">'
        for name in ("client_id", "state", "mode")
        if name in told
    )
    users = "".join(f'<option value="{user.id}">{html.escape(user.name)}</option>' for user in account.users.values())
    page = _PAGE.format(
        title="Песочница amoCRM",
        client=html.escape(account.tokens.client_id),
        account=html.escape(account.subdomain),
        hidden=hidden,
        users=users,
    )
    return Answer(200, page.encode(), "text/html; charset=UTF-8")


def decide_consent(account: "Account", ask: Ask) -> Answer:
    """POST /oauth: redirects back with a code, or with access_denied."""
    told = parse_brackets(ask.body.decode("utf-8", "replace"))
    if told.get("client_id") != account.tokens.client_id:
        return gateway_page(404, "Integration not found")
    state = {"state": str(told["state"])} if "state" in told else {}
    if told.get("decision") != "allow":
        refusal = {"error": "access_denied", "client_id": account.tokens.client_id, **state}
        return _redirect(account, refusal)
    user_id = _granting_user(account, told)
    if user_id is None:
        return gateway_page(403, "Only an admin may grant access first")
    code = account.tokens.new_code(user_id)
    account.store.changes += 1
    return _redirect(account, {**_code_query(account, code, ask.host), **state})


def _granting_user(account: "Account", told: Tree) -> int | None:
    said = str(told.get("user_id", account.admin.id))
    user = account.users.get(int(said)) if said.isdecimal() else None
    granted_before = any(not grant.revoked for grant in account.tokens.refresh.values())
    return user.id if user and (user.is_admin or granted_before) else None


def _redirect(account: "Account", query: dict[str, str]) -> Answer:
    return Answer(302, headers={"Location": _with_query(account.options.redirect_uri, query)})


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _code_query(account: "Account", code: str, host: str) -> dict[str, str]:
    return {"code": code, "referer": host, "client_id": account.tokens.client_id, "platform": "1"}


async def install(account: "Account", sent: dict[str, Any], base: str) -> dict[str, object]:
    """Plays the marketplace's Install button: one server-side GET, 3 s, no retry, the answer not checked."""
    code = account.tokens.new_code(sent.get("user_id", account.admin.id))
    query = _code_query(account, code, urlsplit(base).netloc)
    query["from_widget"] = account.dial["from_widget"]
    url = _with_query(account.options.redirect_uri, query)
    return {"code": code, "status": await _visit(account, "install", url)}


async def uninstall(account: "Account", sent: dict[str, Any]) -> dict[str, object]:
    """Disables the integration: tokens die, then the disable hook is called once."""
    account.tokens.revoke()
    account.tokens.installed = False
    hook = str(sent.get("disable_hook", account.options.disable_hook))
    query = {
        "client_uuid": account.tokens.client_id,
        "account_id": str(account.id),
        "signature": disable_signature(account),
    }
    return {"status": await _visit(account, "disable", _with_query(hook, query) if hook else "")}


def disable_signature(account: "Account") -> str:
    """Returns hex(HMAC_SHA256(client_secret, "client_id|account_id"))."""
    message = f"{account.tokens.client_id}|{account.id}"
    return hmac.new(account.tokens.client_secret.encode(), message.encode(), hashlib.sha256).hexdigest()


async def _visit(account: "Account", kind: str, url: str) -> int | None:
    """Makes one call and notes it; None: nobody answered in time, or there was no address."""
    visit = Visit(kind, url, account.now())
    account.visits.append(visit)
    if url:
        agent = {"User-Agent": SERVICE_AGENT}
        with suppress(httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError):
            async with asyncio.timeout(INSTALL_SECONDS):
                visit.status = (await account.sender.client.get(url, headers=agent, timeout=None)).status_code
    return visit.status


def frame_token(account: "Account", sent: dict[str, Any], base: str) -> dict[str, object]:
    """Mints the one-time X-Auth-Token a widget sends to its backend (sheet section 1.9)."""
    user = account.users[sent.get("user_id", account.admin.id)]
    redirect, now = urlsplit(account.options.redirect_uri), int(account.now())
    claims = {
        "iss": base,
        "aud": f"{redirect.scheme}://{redirect.netloc}",
        "jti": account.ids.uuid(),
        "iat": now,
        "nbf": now,
        "exp": now + FRAME_SECONDS,
        "account_id": account.id,
        "subdomain": account.subdomain,
        "user_id": user.id,
        "is_admin": user.is_admin,
        "client_uuid": account.tokens.client_id,
    }
    return {"token": sign_jwt(claims, account.tokens.client_secret), "claims": claims}
