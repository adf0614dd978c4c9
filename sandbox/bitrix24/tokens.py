"""Access and refresh tokens as linear chains, authorization codes (sheet section 1.6)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.bitrix24.errors import Refusal

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

GRACE_S = 60.0
LENGTH = 70


@dataclass(slots=True)
class Grant:
    """What one token allows: as whom, until when, in which chain; `partner` is the access token of a refresh token."""

    user_id: int
    chain: str
    expires: float
    partner: str = ""
    is_spent: bool = False
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """An access and a refresh token; `expires` in epoch seconds."""

    access: str
    refresh: str
    expires: float
    user_id: int


class Tokens:
    """Every token of the app on this portal."""

    def __init__(self, portal: "Portal") -> None:
        self._portal = portal
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}
        self._chains: dict[int, list[str]] = {}

    def new_code(self, user_id: int) -> str:
        """Returns a fresh authorization code."""
        code = self._portal.ids.hex(LENGTH)
        self.codes[code] = Grant(user_id, "", self._portal.now() + self._portal.dial["code_ttl"])
        return code

    def new_pair(self, user_id: int, chain: str = "") -> Pair:
        """Returns a fresh pair, the first of a new chain unless `chain` is given."""
        portal = self._portal
        chain = chain or self._new_chain(user_id)
        now = portal.now()
        expires = now + portal.dial["access_ttl"]
        access, refresh = self._token(expires), self._token(now + portal.dial["refresh_ttl"])
        self.access[access] = Grant(user_id, chain, expires)
        self.refresh[refresh] = Grant(user_id, chain, now + portal.dial["refresh_ttl"], access)
        return Pair(access, refresh, expires, user_id)

    def _new_chain(self, user_id: int) -> str:
        chain = self._portal.ids.hex(8)
        chains = self._chains.setdefault(user_id, [])
        chains.append(chain)
        most = int(self._portal.dial["most_chains"])
        if most and len(chains) > most:
            oldest = chains.pop(0)
            self._end(lambda grant: grant.chain == oldest)
        return chain

    def _token(self, expires: float) -> str:
        return int(expires).to_bytes(4, "little").hex() + self._portal.ids.hex(LENGTH - 8)

    def rotate(self, refresh: str) -> Pair | None:
        """Returns the next pair of a chain and retires the old one; None where the refresh token is dead."""
        old = self.refresh.get(refresh)
        now = self._portal.now()
        if old is None or old.is_spent or old.is_ended or old.expires <= now:
            return None
        access = self.access.get(old.partner)
        if self._portal.dial["refresh_chain"] == "strict":
            old.is_spent = True
            if access is not None:
                access.is_spent = True
        else:
            for grant in (old, access):
                if grant is not None:
                    grant.expires = min(grant.expires, now + GRACE_S)
        return self.new_pair(old.user_id, old.chain)

    def spend_code(self, code: str) -> Pair | None:
        """Returns the first pair of a chain for a code, once and in time."""
        grant = self.codes.pop(code, None)
        if grant is None or grant.expires <= self._portal.now():
            return None
        return self.new_pair(grant.user_id)

    def check(self, access: str) -> Grant:
        """Returns the grant of a live access token, or raises the 401 of sheet 3.6."""
        grant = self.access.get(access)
        if grant is None:
            raise Refusal(401, "invalid_token", "Unable to get application by token")
        if grant.is_ended or self._portal.installation is None:
            raise Refusal(401, "ERROR_OAUTH", "Application not installed")
        if grant.is_spent and self._portal.dial["replaced_token_error"] == "invalid_token":
            raise Refusal(401, "invalid_token", "Unable to get application by token")
        if grant.is_spent or grant.expires <= self._portal.now():
            raise Refusal(401, "expired_token", "The access token provided has expired.")
        return grant

    def end_all(self) -> None:
        """Kills every token, as an uninstallation does."""
        self._end(lambda grant: True)

    def expire_access(self) -> None:
        """Lets every access token run out now; refresh tokens stay."""
        for grant in self.access.values():
            grant.expires = min(grant.expires, self._portal.now())

    def _end(self, chosen: "Chosen") -> None:
        for held in (self.codes, self.access, self.refresh):
            for grant in held.values():
                if chosen(grant):
                    grant.is_ended = True


if TYPE_CHECKING:
    from collections.abc import Callable

    Chosen = Callable[[Grant], bool]
