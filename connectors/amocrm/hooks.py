"""What amoCRM sends us: the consent's redirect, the disable hook, webhooks (sheet sections 1.2, 1.3, 1.8,
4.2).

Pure functions on bytes. Webhooks are unsigned: the hub checks the secret in their path, and nothing in them
is believed but that something changed in the account they name.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl

from connectors.amocrm import frame
from connectors.amocrm.grant import account_host
from connectors.protocol import App, Changed, HookRequest, Installed, Opened, Rejected, Told, Uninstalled

BODY_CAP = 1024 * 1024  # bytes
_MOST_FIELDS = 20_000
_FORM = "application/x-www-form-urlencoded"
# A hook names the account twice over; old ones only by address, which is not our key [4.3].
_ACCOUNT_KEYS = ("account[id]", "account_id")
_CODE_CAP = 4_096


class AmocrmHooks:
    """Reads requests of amoCRM."""

    def parse(self, request: HookRequest, app: App, secrets: Mapping[str, str]) -> Told:
        """Return what a request means, or ``Rejected`` with one sentence; never raises."""
        if request.method == "GET" and "signature" in request.query:
            return _disabled(request.query, app)
        if request.method == "GET":
            return _redirected(request.query, app)
        if request.method == "POST":
            return _doorbell(request)
        return Rejected(f"{request.method[:10]} is not a request amoCRM makes; allowed: GET, POST.")

    def opened(self, request: HookRequest, app: App, now: datetime) -> Opened | Rejected:
        """Return who looks at a page of our widget, or ``Rejected`` with one sentence; never raises."""
        return frame.opened(request, app, now)

    def may_embed(self, app: App, origin: str) -> bool:
        """Say whether an origin is an account's, whose pages show our widget."""
        return frame.may_embed(app, origin)


def _redirected(query: Mapping[str, str], app: App) -> Installed | Rejected:
    if query.get("error"):
        return Rejected("The administrator declined the connection in amoCRM.")
    code, host = query.get("code", ""), account_host(app, query.get("referer", ""))
    if not code or len(code) > _CODE_CAP:
        return Rejected("The redirect carries no authorization code.")
    if host is None:
        return Rejected("The redirect names a host that is not an amoCRM account.")
    if query.get("client_id", app.client_id) != app.client_id:
        return Rejected("The redirect is for another integration.")
    state = query.get("state") or None
    if state is None and "from_widget" not in query:
        return Rejected("The redirect carries no state: the connection was not started here.")
    return Installed(code=code, host=host, state=state)


def _disabled(query: Mapping[str, str], app: App) -> Uninstalled | Rejected:
    account = query.get("account_id", "")
    client = query.get("client_uuid") or query.get("client_id", "")  # docs and captures differ [1.8]
    if client != app.client_id:
        return Rejected("The disable hook is for another integration.")
    if not _is_id(account):
        return Rejected("The disable hook names no account.")
    expected = hmac.new(app.client_secret.encode(), f"{client}|{account}".encode(), sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), query["signature"].lower().encode("utf-8", "replace")):
        return Rejected("The signature of the disable hook is wrong.")
    return Uninstalled(account)


def _doorbell(request: HookRequest) -> Changed | Rejected:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if headers.get("content-type", _FORM).split(";")[0].strip().lower() != _FORM:
        return Rejected(f"A webhook is a form; allowed content type: {_FORM}.")
    if len(request.body) > BODY_CAP:
        return Rejected(f"The webhook is larger than {BODY_CAP} bytes.")
    try:
        fields = dict(parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return Rejected(f"The webhook has more than {_MOST_FIELDS} fields.")
    account = next((fields[key] for key in _ACCOUNT_KEYS if key in fields), "")
    if not _is_id(account):
        return Rejected("The webhook names no account.")
    return Changed(account)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


hooks = AmocrmHooks()
