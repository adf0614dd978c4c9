"""What can go wrong on the way to a vendor, and what is then known.

::

    Exception
    ├── ConnectorError          a request to a vendor did not bring what was asked
    │   ├── NotSent             certainly did not happen: no connection, no free connection
    │   │   └── HostRefused     egress: the address is not one this lane may reach
    │   ├── PerhapsSent         may have happened: the answer was lost, cut or late
    │   ├── Refused             the vendor answered with a status that is not a success
    │   └── Unreadable          the vendor answered with success and a body we cannot read
    ├── InstallationError       (protocol) the installation cannot be served now
    │   └── AnswerLost          (protocol) a refresh that may have taken effect brought no answer
    ├── GrantRevoked            (protocol) the vendor refused our refresh token or code
    └── ScenarioError           (scenario) a scenario file is wrong; it names file, line and what is allowed

The line that matters most is *certainly not* versus *perhaps*: on a creating request it decides between
trying again and looking first. Two tables draw it: ``TRANSPORT`` for exceptions of the HTTP client,
``ANSWERS`` for statuses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from connectors.masking import masked
from connectors.protocol import InstallationError, Status, Why
from connectors.telling import Said

# A pair as the words of an error write it: without quotes, or with those of a program's own texts.
_SECRET_PAIR = re.compile(
    r"""(?ix) ( ["']? \b (?: access_token | refresh_token | client_secret | code | state | signature
        | authorization | x-refresh-token | x-auth-token | password | token )
        ["']? \s* [=:] \s* ["']? (?:bearer\s+)? )
        [^"'&\s,}]+"""
)
DETAIL_CAP = 400  # characters


def redact(text: str) -> str:
    """Return ``text`` without tokens, codes and secrets, phones masked, cut to ``DETAIL_CAP`` characters."""
    text = masked(_SECRET_PAIR.sub(r"\1***", text[: DETAIL_CAP * 4]))
    return text if len(text) <= DETAIL_CAP else text[: DETAIL_CAP - 1] + "…"


class Sent(StrEnum):
    """What is known of a request that brought no answer."""

    NOT = "certainly not"
    PERHAPS = "perhaps"


# Exceptions of the HTTP client by class name, so that this file need not import the client. Abstract classes
# are here too: a class missing from the table is a failing test, and at run time it is read as PERHAPS.
TRANSPORT: Mapping[str, Sent] = {
    "ConnectError": Sent.NOT,
    "ConnectTimeout": Sent.NOT,
    "PoolTimeout": Sent.NOT,
    "ProxyError": Sent.NOT,
    "UnsupportedProtocol": Sent.NOT,
    "InvalidURL": Sent.NOT,
    "CloseError": Sent.PERHAPS,
    "CookieConflict": Sent.PERHAPS,
    "DecodingError": Sent.PERHAPS,
    "HTTPError": Sent.PERHAPS,
    "HTTPStatusError": Sent.PERHAPS,
    "LocalProtocolError": Sent.PERHAPS,
    "NetworkError": Sent.PERHAPS,
    "ProtocolError": Sent.PERHAPS,
    "ReadError": Sent.PERHAPS,
    "ReadTimeout": Sent.PERHAPS,
    "RemoteProtocolError": Sent.PERHAPS,
    "RequestError": Sent.PERHAPS,
    "RequestNotRead": Sent.PERHAPS,
    "ResponseNotRead": Sent.PERHAPS,
    "StreamClosed": Sent.PERHAPS,
    "StreamConsumed": Sent.PERHAPS,
    "StreamError": Sent.PERHAPS,
    "TimeoutException": Sent.PERHAPS,
    "TooManyRedirects": Sent.PERHAPS,
    "TransportError": Sent.PERHAPS,
    "WriteError": Sent.PERHAPS,
    "WriteTimeout": Sent.PERHAPS,
}


class ConnectorError(Exception):
    """A request brought no usable answer; ``detail`` is for us and already redacted."""

    def __init__(self, detail: str) -> None:
        self.detail = redact(detail)
        super().__init__(self.detail)


class NotSent(ConnectorError):
    """The request certainly did not reach the vendor."""


class HostRefused(NotSent):
    """Egress refused the address before connecting."""


class PerhapsSent(ConnectorError):
    """The request may have reached the vendor; its answer did not reach us."""


class Unreadable(ConnectorError):
    """The vendor answered with success, but the body says nothing we can use."""


class Refused(ConnectorError):
    """The vendor answered with ``status``, which is not a success.

    ``readable`` says whether the body was a JSON object, ``retry_after`` is what the vendor asked for.
    """

    def __init__(self, status: int, detail: str, *, readable: bool, retry_after: timedelta | None) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.readable = readable
        self.retry_after = retry_after


def not_answered(error: BaseException) -> ConnectorError:
    """Return our error for an exception of the HTTP client: its class or nearest known parent decides."""
    names = [kind.__name__ for kind in type(error).__mro__]
    sent = next((TRANSPORT[name] for name in names if name in TRANSPORT), Sent.PERHAPS)
    detail = f"{names[0]}: {error}"
    return NotSent(detail) if sent is Sent.NOT else PerhapsSent(detail)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a status says of a creating request; ``said`` is for the CRM admin."""

    status: Status
    why: Why
    said: Said


_BUSY = Said("busy")
_MOVED = Said("moved")

ANSWERS: Mapping[int, Verdict] = {
    300: Verdict(Status.UNKNOWN, Why.UNREADABLE, _MOVED),
    301: Verdict(Status.RETRY, Why.UNAVAILABLE, _MOVED),
    302: Verdict(Status.RETRY, Why.UNAVAILABLE, _MOVED),
    303: Verdict(Status.UNKNOWN, Why.UNREADABLE, _MOVED),
    307: Verdict(Status.RETRY, Why.UNAVAILABLE, _MOVED),
    308: Verdict(Status.RETRY, Why.UNAVAILABLE, _MOVED),
    400: Verdict(Status.REJECTED, Why.INVALID, Said("invalid")),
    401: Verdict(Status.RETRY, Why.UNAUTHORIZED, Said("token_dead")),
    402: Verdict(Status.RETRY, Why.FORBIDDEN, Said("unpaid")),
    403: Verdict(Status.RETRY, Why.FORBIDDEN, Said("forbidden")),
    404: Verdict(Status.REJECTED, Why.INVALID, Said("not_known")),
    405: Verdict(Status.REJECTED, Why.UNSUPPORTED, Said("not_offered")),
    408: Verdict(Status.UNKNOWN, Why.UNAVAILABLE, _BUSY),
    409: Verdict(Status.REJECTED, Why.INVALID, Said("conflict")),
    410: Verdict(Status.REJECTED, Why.INVALID, Said("gone")),
    413: Verdict(Status.REJECTED, Why.INVALID, Said("too_large")),
    415: Verdict(Status.REJECTED, Why.UNSUPPORTED, Said("not_read")),
    422: Verdict(Status.REJECTED, Why.INVALID, Said("refused")),
    423: Verdict(Status.RETRY, Why.UNAVAILABLE, Said("locked")),
    425: Verdict(Status.RETRY, Why.TOO_EARLY, Said("later")),
    429: Verdict(Status.RETRY, Why.THROTTLED, Said("slow_down")),
}
_OTHER_CLIENT_ERROR = Verdict(Status.REJECTED, Why.INVALID, Said("refused"))
_SERVER_ERROR = Verdict(Status.UNKNOWN, Why.UNAVAILABLE, _BUSY)
_STRANGE = Verdict(Status.UNKNOWN, Why.UNREADABLE, Said("strange"))

OF_INSTALLATION = frozenset({Why.THROTTLED, Why.UNAUTHORIZED, Why.FORBIDDEN, Why.UNAVAILABLE})


def verdict(status: int) -> Verdict:
    """Return what an unsuccessful ``status`` says of a creating request; a strange one is UNKNOWN."""
    if status in ANSWERS:
        return ANSWERS[status]
    if 400 <= status < 500:
        return _OTHER_CLIENT_ERROR
    return _SERVER_ERROR if 500 <= status < 600 else _STRANGE


def may_have_happened(error: ConnectorError) -> bool:
    """Say whether a creating request that failed like this may have taken effect."""
    if isinstance(error, Refused):
        return verdict(error.status).status is Status.UNKNOWN
    return not isinstance(error, NotSent)


def installation_error(error: ConnectorError) -> InstallationError:
    """Return what a failed *read* means: nothing was being created, the installation cannot be served."""
    detail = {"detail": error.detail}
    if isinstance(error, Refused):
        read = verdict(error.status)
        why = read.why if read.why in OF_INSTALLATION else Why.UNAVAILABLE
        said = Said("down") if read.said is _BUSY else read.said
        return InstallationError(why, Said(said.code, detail), hold=error.retry_after)
    if isinstance(error, Unreadable):
        return InstallationError(Why.UNREADABLE, Said("unreadable", detail))
    return InstallationError(Why.UNAVAILABLE, Said("unreachable", detail))
