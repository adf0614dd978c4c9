"""One request to a vendor and what it answered, as a log may hold it: masked, and cut."""

from dataclasses import dataclass, field
from datetime import timedelta

from connectors.errors import ConnectorError, NotSent, Sent
from connectors.masking import masked

CAP = 4 * 1024  # bytes of a body
GIVEN_UP = "given up"  # nobody waited for the answer any more
_TOKEN = 256  # bytes: what stood at the cut may be half a phone, and nothing tells it from a number any more
_ENDS = b',"&{}[]<>\n'
# A success that is none: an error in its place, or commands of a batch that were not done.
_FAULTS = (b'{"error"', b'"result_error":{"')


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it leaves."""

    method: str
    address: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A request and its answer; texts are masked, ``asked`` and ``answered`` are bodies cut to ``CAP``, sizes in bytes.

    Without an answer ``status`` is None, ``lost`` says what is known of the request, ``detail`` why.
    """

    method: str
    address: str
    status: int | None
    lost: Sent | None
    detail: str
    took: timedelta
    asked: str = field(repr=False)
    asked_size: int
    answered: str = field(repr=False)
    answered_size: int
    failed: bool


def answered(of: Outgoing, took: timedelta, status: int, body: bytes) -> RoundTrip:
    """Return the round trip of a request that was answered."""
    failed = not 200 <= status < 300 or any(one in body for one in _FAULTS)
    return _told(of, took, status, None, "", body, failed=failed)


def unanswered(of: Outgoing, took: timedelta, error: BaseException) -> RoundTrip:
    """Return the round trip of a request that brought no answer, or whose answer nobody waited for."""
    lost = Sent.NOT if isinstance(error, NotSent) else Sent.PERHAPS
    detail = error.detail if isinstance(error, ConnectorError) else GIVEN_UP
    return _told(of, took, None, lost, masked(detail), b"", failed=True)


def _told(
    of: Outgoing, took: timedelta, status: int | None, lost: Sent | None, detail: str, body: bytes, *, failed: bool
) -> RoundTrip:
    address = masked(_cut(of.address.encode()))
    asked, found = masked(_cut(of.body)), masked(_cut(body))
    return RoundTrip(of.method, address, status, lost, detail, took, asked, len(of.body), found, len(body), failed)


def _cut(body: bytes) -> str:
    """Return the beginning of a body, up to the last thing that is whole."""
    if len(body) <= CAP:
        return body.decode("utf-8", "replace")
    end = max(body.rfind(one, CAP - _TOKEN, CAP) for one in _SINGLE)
    return body[: end + 1 if end >= 0 else CAP - _TOKEN].decode("utf-8", "ignore")


_SINGLE = tuple(_ENDS[at : at + 1] for at in range(len(_ENDS)))
