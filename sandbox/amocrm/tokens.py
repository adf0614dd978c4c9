"""Codes, access and refresh tokens of the account (sheet sections 1.4, 1.5, 1.7)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.amocrm.jwt import sign_jwt

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

UI_CLIENT = "ui"


@dataclass(slots=True)
class Grant:
    """What a code, an access token or a refresh token stands for; `family` is one authorization."""

    user_id: int
    client_id: str
    expires: float
    family: str
    replaced: bool = False
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token with its refresh token."""

    access: str
    refresh: str


class Tokens:
    """Gives out tokens and knows which of them still work."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self.client_id = account.ids.uuid()
        self.client_secret = account.ids.hex(64)
        self.installed = account.options.installed
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}
        self._replaced_by: dict[str, str] = {}

    def new_code(self, user_id: int) -> str:
        """Returns a fresh authorization code."""
        code = self._account.ids.code(96)
        ttl = self._account.dial["code_ttl"]
        self.codes[code] = self._grant(user_id, self.client_id, ttl, self._account.ids.hex(8))
        self.installed = True
        return code

    def new_pair(self, user_id: int, base: str, family: str | None = None) -> Pair:
        """Returns a fresh access and refresh token of the integration."""
        family = family or self._account.ids.hex(8)
        access = self.new_access(user_id, self.client_id, base, family)
        refresh = self._account.ids.code(720)
        self.refresh[refresh] = self._grant(user_id, self.client_id, self._account.dial["refresh_ttl"], family)
        return Pair(access, refresh)

    def new_access(self, user_id: int, client_id: str, base: str, family: str, seconds: float | None = None) -> str:
        """Returns a fresh access token; `base` is the address it is to be used at."""
        ttl = seconds or self._account.dial["access_ttl"]
        grant = self._grant(user_id, client_id, ttl, family)
        token = sign_jwt(self._claims(grant, base), self.client_secret)
        self.access[token] = grant
        return token

    def new_long_lived(self, user_id: int, base: str, seconds: float) -> str:
        """Returns a token of the integration that has no refresh token beside it (sheet section 1.7)."""
        self.installed = True
        return self.new_access(user_id, self.client_id, base, "long", seconds)

    def _grant(self, user_id: int, client_id: str, ttl: float, family: str) -> Grant:
        return Grant(user_id, client_id, self._account.now() + ttl, family)

    def _claims(self, grant: Grant, base: str) -> dict[str, object]:
        host = base.partition("://")[2]
        claims: dict[str, object] = {
            "jti": self._account.ids.hex(700),
            "api_domain": self._account.dial["api_domain"] or host,
        }
        if self._account.dial["jwt_claims"] == "full":
            now = int(self._account.now())
            claims |= {
                "aud": grant.client_id,
                "iat": now,
                "nbf": now,
                "exp": int(grant.expires),
                "sub": str(grant.user_id),
                "account_id": self._account.id,
                "base_domain": host,
                "scopes": ["crm", "notifications"],
            }
        return claims

    def use_access(self, token: str) -> Grant | None:
        """Returns the grant of a live access token."""
        grant = self.access.get(token)
        if grant is None or grant.revoked or grant.expires <= self._account.now():
            return None
        self._used(grant.family, token)
        return grant

    def rotate(self, old: str, base: str) -> Pair:
        """Gives a new pair for a refresh token and retires the old one, at once or on first use."""
        grant = self.refresh[old]
        pair = self.new_pair(grant.user_id, base, grant.family)
        if self._account.dial["refresh_grace"]:
            self._replaced_by[pair.access] = self._replaced_by[pair.refresh] = old
        else:
            grant.replaced = True
        return pair

    def retire_replaced(self, used: str) -> None:
        """Ends the grace of the refresh token that `used` came from."""
        old = self._replaced_by.pop(used, None)
        if old is not None:
            self.refresh[old].replaced = True

    def _used(self, family: str, token: str) -> None:
        if self._replaced_by:
            self.retire_replaced(token)

    def revoke(self, user_id: int | None = None) -> None:
        """Kills every token of the integration, or only those one user granted."""
        for held in (self.codes, self.access, self.refresh):
            for grant in held.values():
                if grant.client_id == self.client_id and user_id in (None, grant.user_id):
                    grant.revoked = True

    def revoke_family(self, family: str) -> None:
        """Kills every token of one authorization: a spent one came back, so somebody has a copy."""
        for held in (self.access, self.refresh):
            for grant in held.values():
                if grant.family == family:
                    grant.revoked = True
