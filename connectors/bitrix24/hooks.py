"""What Bitrix24 sends us: the consent's redirect, an installation, a removal, events (sheet sections 1.2-1.6, 6).

Pure functions on bytes. An event is known by the secret in its path, which the hub checks, and by the application's
token where the hub keeps it; nothing in it is believed but that something changed in the portal it names.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime

from connectors.bitrix24 import ticket
from connectors.bitrix24.grant import TOKENS, account_host, is_account
from connectors.bitrix24.mappings import CALL_ENDED
from connectors.bitrix24.posted import form
from connectors.protocol import App, CallEnded, Changed, HookRequest, Installed, Opened, Rejected, Told, Uninstalled

_CODE_CAP = 4_096
_INSTALLED, _REMOVED = "ONAPPINSTALL", "ONAPPUNINSTALL"
_CLEAN = "1"  # who removed the application ticked "delete data" [1.4]


class Bitrix24Hooks:
    """Reads requests of Bitrix24."""

    def parse(self, request: HookRequest, app: App, secrets: Mapping[str, str]) -> Told:
        """Return what a request means, or ``Rejected`` with one sentence; never raises.

        ``secrets`` are the application's tokens by account, as far as they are known.
        """
        if request.method == "GET":
            return _redirected(request.query, app)
        if request.method != "POST":
            return Rejected(f"{request.method[:10]} is not a request Bitrix24 makes; allowed: GET, POST.")
        fields = form(request)
        if isinstance(fields, Rejected):
            return fields
        return _told(fields, app, secrets)

    def opened(self, request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
        """Return who looks at a page of ours, or ``Rejected`` with one sentence; never raises."""
        return ticket.opened(request, app, now)

    def may_embed(self, app: App, origin: str) -> bool:
        """Say no: our pages in a portal are served by the hub itself, and ask nobody else's."""
        return False


def _redirected(query: Mapping[str, str], app: App) -> Installed | Rejected:
    if query.get("error"):
        return Rejected("The administrator declined the connection in Bitrix24.")
    code, host = query.get("code", ""), account_host(app, query.get("domain", ""))
    if not code or len(code) > _CODE_CAP or code.startswith(TOKENS):
        return Rejected("The redirect carries no authorization code.")
    if host is None:
        return Rejected("The redirect names a host that is not a Bitrix24 portal.")
    state = query.get("state")
    if not state:
        return Rejected("The redirect carries no state: the connection was not started here.")
    return Installed(code=code, host=host, state=state)


def _with_tokens(refresh_token: str, host: str | None, account: str) -> Installed | Rejected:
    """Return an installation that brings tokens: whose they are the authorisation server will say."""
    if not refresh_token or len(refresh_token) > _CODE_CAP:
        return Rejected("The request brings no tokens of Bitrix24.")
    if host is None:
        return Rejected("The request names a host that is not a Bitrix24 portal.")
    if not is_account(account):
        return Rejected("The request names no portal.")
    return Installed(code=f"{TOKENS}{refresh_token}", host=host, state=None)


def _told(fields: Mapping[str, str], app: App, secrets: Mapping[str, str]) -> Told:
    """Return what an event says; one that nobody vouches for only rings, and what is so will be asked."""
    name, account = fields.get("event", "").upper(), fields.get("auth[member_id]", "")
    if name == _INSTALLED:
        host = account_host(app, fields.get("auth[domain]", ""))
        return _with_tokens(fields.get("auth[refresh_token]", ""), host, account)
    if not name.startswith("ON"):
        return Rejected("The request names no event.")
    if not is_account(account):
        return Rejected("The event names no portal.")
    known, given = secrets.get(account, ""), fields.get("auth[application_token]", "")
    is_vouched = bool(known) and hmac.compare_digest(known.encode(), given.encode("utf-8", "replace"))
    if known and not is_vouched:
        return Rejected("The event does not carry the token of our application.")
    if name == CALL_ENDED:
        return CallEnded(account)
    if name == _REMOVED and is_vouched:
        return Uninstalled(account, asks_erasure=fields.get("data[CLEAN]") == _CLEAN)
    return Changed(account)


hooks = Bitrix24Hooks()
