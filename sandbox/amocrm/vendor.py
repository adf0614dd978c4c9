"""What the gate asks of amoCRM: the front (limits, blocks), the honest answer, and the words of a fault."""

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

from sandbox.amocrm.account import Account
from sandbox.amocrm.consent import CONSENT_PATH, decide_consent, show_consent
from sandbox.amocrm.errors import UNAUTHORIZED, Refusal, gateway_page, problem, refuse
from sandbox.amocrm.limits import too_many
from sandbox.amocrm.oauth import TOKEN_PATH, current_subdomain, give_token, old_subdomain
from sandbox.amocrm.routes import answer_turn
from sandbox.amocrm.tokens import UI_CLIENT
from sandbox.amocrm.turn import Turn, make_turn
from sandbox.brackets import parse_brackets
from sandbox.wire import Answer, Ask, json_answer

BEARER = "Bearer "
GATEWAY_WORDS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
WHEREABOUTS = ("/oauth2/account/current/subdomain", "/oauth2/account/subdomain")
OPEN_DOORS: dict[tuple[str, str], Callable[[Account, Ask], Answer]] = {
    ("POST", TOKEN_PATH): give_token,
    ("GET", WHEREABOUTS[0]): current_subdomain,
    ("GET", WHEREABOUTS[1]): old_subdomain,
    ("GET", CONSENT_PATH): show_consent,
    ("POST", CONSENT_PATH): decide_consent,
}


class AmoVendor:
    """The account behind the gate."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def front(self, ask: Ask) -> Answer | None:
        """Returns 403 of a block, 402 of an unpaid account or 429 of a full window."""
        refused = self.account.limits.refusal(self._client(ask), self.account.clock())
        if refused is not None:
            return refused
        if ask.host.split(".")[0] in self.account.moved_from and ask.path not in WHEREABOUTS:
            return gateway_page(404, "Not Found")
        mode = self.account.dial["mode"]
        writes = ask.method != "GET" and not ask.path.startswith("/oauth")
        if mode == "unpaid" or (mode == "unpaid_writes" and writes):
            return problem(402, "Payment required")
        return None

    def _client(self, ask: Ask) -> str | None:
        grant = self.account.tokens.access.get(_bearer(ask))
        if grant is not None:
            return None if grant.client_id == UI_CLIENT else grant.client_id
        return None if ask.path == CONSENT_PATH else self.account.tokens.client_id

    def answer(self, ask: Ask) -> Answer:
        """Returns the honest answer; its effect is stored and its webhooks are queued."""
        account = self.account
        before, ours = account.store.changes, False
        try:
            door = OPEN_DOORS.get((ask.method, ask.path))
            if door is not None:
                given = door(account, ask)
            else:
                turn = self._authorized(ask)
                ours = turn.client_id == account.tokens.client_id
                given = answer_turn(turn)
        except Refusal as refusal:
            given = refusal.answer
        account.sender.flush(ours, ask.base)
        told = {"X-Request-Id": f"sandbox-{ask.number}", "Date": formatdate(account.now(), usegmt=True)}
        given = replace(given, headers={**given.headers, **told})
        return replace(given, committed=account.store.changes != before)

    def _authorized(self, ask: Ask) -> Turn:
        account = self.account
        grant = account.tokens.use_access(_bearer(ask))
        user = account.users.get(grant.user_id) if grant else None
        if grant is None or user is None:
            raise refuse(401, UNAUTHORIZED)
        said = ask.headers.get("x-context-user-id")
        if said is not None:
            other = account.users.get(int(said)) if said.isdecimal() else None
            if not user.is_admin or other is None or other.is_free or not other.is_active:
                raise refuse(401, UNAUTHORIZED)
            user = other
        return make_turn(account, ask, user, grant.client_id, parse_brackets(ask.query))

    def fault(self, name: str, ask: Ask) -> Answer:
        """Returns the body amoCRM or its gateway gives for a dialled fault."""
        if name == "429":
            return too_many(self.account.dial)
        if name == "token_expired":
            return problem(401, UNAUTHORIZED)
        if name == "html_error":
            return gateway_page(502, "Bad Gateway")
        if name.startswith(("502", "503", "504")):
            status = int(name[:3])
            return gateway_page(status, GATEWAY_WORDS[status])
        body = {
            "title": "ErrInternalServer",
            "status": 500,
            "detail": "Internal server error",
            "trace_id": f"{ask.number:032x}",
        }
        return json_answer(500, body)


def _bearer(ask: Ask) -> str:
    return ask.headers.get("authorization", "").removeprefix(BEARER).strip()
