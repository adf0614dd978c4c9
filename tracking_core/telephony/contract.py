"""What every source of call events offers: bytes in, call events out, and one refusal tree.

Refused                  one clear sentence for the sender, never a secret
├── BadSignature   401   the request is not proven to come from the account
├── Stale          401   proven, but its time is too far from ours
├── Unreadable     400   proven or not, it is not in the documented form
└── TooLarge       413   more than ``BODY_LIMIT`` bytes
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar

from tracking_core.call_event import CallEvent
from tracking_core.telephony.recordings import Fetch, Recording, by_link

BODY_LIMIT = 65_536  # bytes
FARTHEST_FUTURE = timedelta(hours=24)  # sheet section 10: a later time is refused


class Refused(Exception):
    """Tells a sender in one sentence why its request is refused; ``status`` is the HTTP answer."""

    status: ClassVar[int] = 400

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BadSignature(Refused):
    """The request is not proven to come from the connected account."""

    status: ClassVar[int] = 401


class Stale(Refused):
    """The request names a time too far from ours."""

    status: ClassVar[int] = 401


class Unreadable(Refused):
    """The request is not in the documented form; the sentence names the field and what is allowed."""

    status: ClassVar[int] = 400


class TooLarge(Refused):
    """The request's body is longer than ``BODY_LIMIT``."""

    status: ClassVar[int] = 413


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One HTTP request of a call source; ``path`` is what follows the connection's own address.

    ``url`` is the whole address as the sender wrote it, with scheme and query: some sources sign it.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    url: str = ""

    def header(self, name: str) -> str:
        """Returns a header by its name in any case, stripped; empty when absent."""
        wanted = name.lower()
        return next((told.strip() for key, told in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """The 2xx a source insists on: its exact bytes and their Content-Type."""

    body: bytes
    media_type: str


def no_answer(request: CallRequest) -> Answer | None:
    """Returns None: the source takes any 2xx, so the door's own words will do."""
    return None


@dataclass(frozen=True, slots=True)
class Routing:
    """What a source that asks where a call goes calls its fields, and what it wants to read.

    ``dialled`` and ``caller`` are the fields' names, the first that is there counts. ``answer(destination, events)``
    is the answer for a destination as ``tracking_core.destination`` spells it, None where nothing says where the call
    goes; ``events`` is the account's address for call events.
    """

    dialled: tuple[str, ...]
    caller: tuple[str, ...]
    answer: Callable[[str | None, str], Answer]


@dataclass(frozen=True, slots=True)
class Adapter:
    """One source of call events.

    ``parse(request, secrets, now, zone)`` returns the events of one request, an empty tuple for a request
    that is in order and tells nothing of a call; it raises ``Refused`` and nothing else. ``zone`` reads times
    that carry no zone. ``secrets_needed`` are the keys ``secrets`` must hold; where there are none, the
    unguessable address of the connection is the secret. ``example(secrets, now)`` is a request ``parse``
    takes, for a trial from the console and for documentation; None where only the vendor can sign one.
    ``methods`` are the HTTP methods the source uses. ``answer(request)`` is what a request that ``parse`` took
    must be answered with, once its events are committed; None leaves the words to the door.
    ``recording(recording, secrets)`` is the request that brings a recording, None where there is no way to it;
    ``recording_hosts`` are the hosts, with their subdomains, it may lead to, and ``secrets_optional`` what only
    that request needs. ``routing`` is there for a source that asks where a call goes in words of its own.
    """

    name: str
    parse: Callable[[CallRequest, Mapping[str, str], datetime, tzinfo], tuple[CallEvent, ...]]
    secrets_needed: tuple[str, ...]
    example: Callable[[Mapping[str, str], datetime], CallRequest] | None
    methods: tuple[str, ...] = ("POST",)
    answer: Callable[[CallRequest], Answer | None] = no_answer
    recording: Callable[[Recording, Mapping[str, str]], Fetch | None] = by_link
    recording_hosts: tuple[str, ...] = ()
    secrets_optional: tuple[str, ...] = ()
    routing: Routing | None = None


def refuse_oversized(request: CallRequest) -> None:
    """Raises ``TooLarge`` for a body above ``BODY_LIMIT``."""
    if len(request.body) > BODY_LIMIT:
        raise TooLarge(f"The body is {len(request.body)} bytes long; at most {BODY_LIMIT} are accepted.")


def refuse_future(at: datetime, now: datetime, name: str) -> None:
    """Raises ``Stale`` for a time more than a day ahead of ours (sheet section 10)."""
    if at - now > FARTHEST_FUTURE:
        raise Stale(f"The time in {name} is more than 24 hours in the future.")


def secret(secrets: Mapping[str, str], name: str) -> str:
    """Returns a secret of the connection; without it nothing can be verified, so the request is refused."""
    told = secrets.get(name, "")
    if not told:
        raise BadSignature(f"This connection has no {name} yet, so no request to it can be verified.")
    return told
