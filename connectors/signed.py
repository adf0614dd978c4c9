"""The signed token of a page's own requests: read alike, whoever signed it - the vendor, or we where nothing does.

The algorithm is ours to choose, never the token's. Whether a token was used before is the hub's to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from connectors.protocol import HookRequest, Rejected

HEADER = "x-auth-token"
ALGORITHM = "HS256"
LEEWAY = timedelta(seconds=60)
_CAP = 4_096  # characters


@dataclass(frozen=True, slots=True)
class Signed:
    """What a token says, and from when until when it is good: ``until`` with the leeway of clocks."""

    claims: Mapping[str, object]
    begins: datetime
    ends: datetime

    @property
    def until(self) -> datetime:
        """The last moment at which it is taken."""
        return self.ends + LEEWAY


def read(request: HookRequest, secret: str, now: datetime) -> Signed | Rejected:
    """Return what the token of a request says, or ``Rejected`` with the reason; never raises."""
    text = header(request, HEADER)
    if not text or len(text) > _CAP:
        return Rejected("The request carries no token: reload the page.")
    try:
        claims = jwt.decode(text, OctKey.import_key(secret), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return Rejected("The token is not signed for this application.")
    begins, ends = _moment(claims.get("nbf")), _moment(claims.get("exp"))
    if begins is None or ends is None:
        return Rejected("The token does not say how long it is good.")
    if not begins - LEEWAY <= now < ends + LEEWAY:
        return Rejected("The token is not good at this moment: reload the page.")
    return Signed(claims, begins, ends)


def header(request: HookRequest, name: str) -> str:
    """Return a header of a request, whatever the case of its letters; empty where there is none."""
    return next((value for key, value in request.headers.items() if key.lower() == name), "")


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 1 << 33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
