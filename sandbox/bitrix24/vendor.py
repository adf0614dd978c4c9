"""What the gate asks of Bitrix24: the front (rename, blocks, bucket), the honest answer, the words of a fault."""

import re
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

from sandbox.bitrix24.answering import run
from sandbox.bitrix24.batch import BATCH, run_batch
from sandbox.bitrix24.errors import JSON, Refusal, gateway_page
from sandbox.bitrix24.limits import out_of_time, too_many
from sandbox.bitrix24.oauth import AUTHORIZE_PATH, TOKEN_PATH, authorize, give_token
from sandbox.bitrix24.php import read_params
from sandbox.bitrix24.portal import Portal
from sandbox.bitrix24.turn import Turn
from sandbox.bitrix24.uploads import UPLOAD_PATH, take_upload
from sandbox.wire import Answer, Ask, json_answer

REST = re.compile(r"/rest/(?:(?P<user>\d+)/(?P<code>[0-9A-Za-z]+)/)?(?P<method>[\w.]+?)(?:\.json)?/?")
THIRD = re.compile(r"/rest/api(/.*)?")
GATEWAY_WORDS = {403: "Forbidden", 500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Time-out"}
OPEN_DOORS: dict[tuple[str, str], Callable[[Portal, Ask], Answer]] = {
    ("GET", AUTHORIZE_PATH): authorize,
    ("GET", TOKEN_PATH): give_token,
    ("POST", TOKEN_PATH): give_token,
    ("POST", UPLOAD_PATH): take_upload,
}
NO_ADDRESS = "127.0.0.1"


class B24Vendor:
    """The portal and its auth server behind the gate."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def front(self, ask: Ask) -> Answer | None:
        """Returns what stands before every method: a rename, a deletion, a block, a full bucket."""
        if not ask.path.startswith("/rest/") or ask.path == UPLOAD_PATH:
            return None
        portal, dial = self.portal, self.portal.dial
        match = REST.fullmatch(ask.path)
        is_auth_server = match is not None and match["method"].lower() == "app.info"
        if ask.host in portal.old_domains and not is_auth_server:
            where = f"{ask.scheme}://{portal.domain(ask.base)}{ask.path}"
            page = gateway_page(302, "Found")
            return replace(page, headers={"Location": f"{where}?{ask.query}" if ask.query else where})
        full = None if is_auth_server else portal.buckets.refusal(ask.client or NO_ADDRESS, portal.now())
        if full is not None:
            return self._waiting(full)
        if dial["mode"] == "blocked":
            return Refusal(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload").answer()
        refusal = self._closed()
        return None if refusal is None else refusal.answer()

    def _closed(self) -> Refusal | None:
        dial = self.portal.dial
        if dial["portal_deleted"]:
            return Refusal(dial["deleted_status"], "PORTAL_DELETED", "Portal was deleted")
        if dial["mode"] != "open":
            return Refusal(401, "PAYMENT_REQUIRED", "Subscription has been ended")
        if dial["plan"] == "free":
            return Refusal(403, "ACCESS_DENIED", "REST API is available only on commercial plans")
        return None

    def _waiting(self, refusal: Refusal) -> Answer:
        wait = int(self.portal.dial["retry_after"])
        answer = refusal.answer()
        return replace(answer, headers={"Retry-After": str(wait)}) if wait else answer

    def answer(self, ask: Ask) -> Answer:
        """Returns the honest answer; its effect is stored and its events are queued."""
        portal = self.portal
        before = portal.changes
        try:
            given = self._given(ask)
        except Refusal as refusal:
            slow = refusal.status in (429, 503)
            given = self._waiting(refusal) if slow else refusal.answer()
            portal.buckets.forgive(ask.client or NO_ADDRESS)
        given = replace(given, headers={**given.headers, "Date": formatdate(portal.now(), usegmt=True)})
        return replace(given, committed=portal.changes != before)

    def _given(self, ask: Ask) -> Answer:
        door = OPEN_DOORS.get((ask.method, ask.path.rstrip("/") or "/"))
        if door is not None:
            return door(self.portal, ask)
        if THIRD.fullmatch(ask.path):
            code = "BITRIX_REST_V3_EXCEPTION_METHODNOTFOUNDEXCEPTION"
            return json_answer(404, {"error": {"code": code, "message": "Method not found"}}, JSON)
        match = REST.fullmatch(ask.path)
        if match is None or ask.method not in ("GET", "POST"):
            return gateway_page(404, "Not Found")
        turn = self._turn(ask, match)
        reply = run_batch(turn) if turn.method == BATCH else run(turn)
        return json_answer(200, reply.envelope(), JSON)

    def _turn(self, ask: Ask, match: re.Match[str]) -> Turn:
        portal, method = self.portal, match["method"].lower()
        params = read_params(ask)
        if match["code"] is not None:
            self._check_webhook(ask, match)
            hook = portal.webhook
            return Turn(portal, ask.base, method, params, hook.user_id, hook.code, hook.scopes, is_app=False)
        token = params.pop("auth", None)
        if not isinstance(token, str) or not token:
            raise Refusal(401, "NO_AUTH_FOUND", "Wrong authorization data")
        grant = portal.tokens.check(token)
        user = portal.users[grant.user_id]
        if not user.is_active:
            raise Refusal(401, "authorization_error", "Unable to authorize user")
        if not user.may_use_app:
            raise Refusal(403, "user_access_error", "The user does not have access to the application.")
        scopes = frozenset(portal.installed.scopes)
        return Turn(portal, ask.base, method, params, user.id, portal.app.client_id, scopes, grant=grant)

    def _check_webhook(self, ask: Ask, match: re.Match[str]) -> None:
        portal = self.portal
        if portal.dial["https_required"] and ask.scheme != "https":
            raise Refusal(400, "INVALID_REQUEST", "Https required.")
        hook = portal.webhook
        if (match["user"], match["code"]) != (str(hook.user_id), hook.code) or not portal.users[hook.user_id].is_active:
            raise Refusal(portal.dial["auth_error_status"], "INVALID_CREDENTIALS", "Invalid request credentials")

    def fault(self, name: str, ask: Ask) -> Answer:
        """Returns the body Bitrix24 or its gateway gives for a dialled fault."""
        if name == "429":
            return self._waiting(out_of_time())
        if name == "503":
            return self._waiting(too_many())
        if name == "token_expired":
            return Refusal(401, "expired_token", "The access token provided has expired.").answer()
        if name == "html_error":
            status = int(self.portal.dial["html_error_status"])
            return gateway_page(status, GATEWAY_WORDS[status])
        if name.startswith(("502", "504")):
            status = int(name[:3])
            return gateway_page(status, GATEWAY_WORDS[status])
        return Refusal(500, "INTERNAL_SERVER_ERROR", "Internal server error").answer()
