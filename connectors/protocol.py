"""The contract between the hub and every connector.

A connector translates: it neither stores, schedules, retries nor decides policy. The hub owns people, time
and failure.

Five rules of ``deliver``:

1. The result names exactly the ids of the batch; the hub reads a missing id as ``UNKNOWN``, never as success.
2. A delivery's own problem is a value (``Outcome``); an installation's problem is the one exception
   ``InstallationError``.
3. If ``in_doubt``, look for the marker before creating.
4. A step that succeeded returns its ``Ref`` even when a later step failed.
5. No sleeping, no retrying, no storing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from connectors.scenario import Plan

if TYPE_CHECKING:
    from connectors.http import Http  # it imports the error tables, which speak this vocabulary


class Can(StrEnum):
    """What a connector may be able to do; a capability absent from the manifest cannot be asked for."""

    CONTACT = "contact"
    DEAL = "deal"
    NOTE = "note"
    TASK = "task"
    READ_BACK = "read_back"
    DOORBELL = "doorbell"


class Idempotency(StrEnum):
    """How one effect stays one at this vendor."""

    KEY = "key"  # the vendor honours a key we send
    MARKER = "marker"  # we write a mark into the remote object and look for it
    RECEIPT = "receipt"  # the vendor gives a receipt that can be asked about later
    NONE = "none"  # at most once or at least once, chosen openly


@dataclass(frozen=True, slots=True)
class Limits:
    """A vendor's documented limits, kept by the hub's lane.

    ``per_second`` and ``burst`` are the token bucket of one installation; where the vendor counts requests in a sliding
    second instead, ``window`` is how many it may hold. ``batch`` is the most deliveries one ``deliver`` takes,
    ``timeout`` is for creating requests, ``search_lag`` is how long a search may miss what was just written.
    """

    batch: int
    per_second: float
    burst: int
    timeout: timedelta
    search_lag: timedelta
    window: int | None = None


@dataclass(frozen=True, slots=True)
class OAuth:
    """How an installation is granted: consent address, scopes, and what happens to the refresh token."""

    authorize_url: str
    scopes: tuple[str, ...]
    pkce: bool
    access_lifetime: timedelta
    refresh_lifetime: timedelta
    refresh_rotates: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a connector is and can do; ``name`` equals its folder and never changes."""

    name: str
    title: str
    kind: Literal["crm", "ads"]
    can: Mapping[Can, str]  # "" or one honest sentence of caveat; absent means no
    idempotency: Idempotency
    limits: Limits
    hosts: tuple[str, ...]  # suffixes; the only hosts egress opens for it
    oauth: OAuth
    settings: type
    standing: Literal["live-tested", "sandbox-tested"]


@dataclass(frozen=True, slots=True)
class App:
    """Our registration at a vendor; ``base_url`` points every request of this connector at a sandbox."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens of one installation; ``account`` is the vendor's stable id, ``host`` where it answers now."""

    account: str
    host: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ref:
    """A remote object: its kind in our words, the vendor's id, and the address a person can open."""

    kind: Literal["account", "contact", "company", "deal", "note", "task"]
    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One intended effect at one installation; it never changes once planned."""

    id: str
    marker: str  # the same on every attempt, visible in the remote object
    what: Plan
    attempt: int
    in_doubt: bool  # an earlier attempt may have taken effect: look first
    known: tuple[Ref, ...] = ()  # what earlier attempts already created
    # Contact and deals of this caller's recent deliveries: a search may not show them yet (Limits.search_lag).
    nearby: tuple[Ref, ...] = ()


class Status(StrEnum):
    """What is known after an attempt."""

    DELIVERED = "delivered"  # it is there; refs say where
    ACCEPTED = "accepted"  # taken, confirmed later; receipt says how to ask
    RETRY = "retry"  # certainly did not happen
    UNKNOWN = "unknown"  # may have happened
    REJECTED = "rejected"  # will never happen like this; a person must act


class Why(StrEnum):
    """The kind of an error, named by who must act."""

    INVALID = "invalid"  # the delivery
    UNSUPPORTED = "unsupported"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    THROTTLED = "throttled"  # the installation: it is held, no attempt is consumed
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"
    UNREADABLE = "unreadable"  # ours


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one delivery in one attempt.

    ``sentence`` is for the CRM admin, ``detail`` for us (already redacted). ``requests`` is how many
    requests were spent on this delivery's share of the batch; ``not_before`` is set when the vendor named a
    time.
    """

    status: Status
    refs: tuple[Ref, ...] = ()
    receipt: str | None = None
    why: Why | None = None
    sentence: str = ""
    detail: str = ""
    not_before: datetime | None = None


class InstallationError(Exception):
    """The installation cannot be served now; a delivery not in ``outcomes`` was certainly not sent."""

    def __init__(
        self,
        why: Why,
        sentence: str,
        *,
        hold: timedelta | None = None,
        outcomes: Mapping[str, Outcome] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.why = why
        self.sentence = sentence
        self.hold = hold  # how long the vendor asked us to stay away; None lets the hub decide
        self.outcomes: Mapping[str, Outcome] = outcomes or {}


class AnswerLost(InstallationError):
    """A refresh brought no answer to be read: the vendor may have spent the refresh token all the same."""


class GrantRevoked(Exception):
    """The vendor refused our refresh token or code: a person must connect the account again."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A pipeline stage of the account; won and lost are the vendor's own meaning."""

    id: str
    name: str
    outcome: Literal["open", "won", "lost"]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of the account with its stages in order."""

    id: str
    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the account offers to a scenario: pipelines, users and the fields it may write."""

    account: str
    name: str
    currency: str
    pipelines: tuple[Pipeline, ...]
    users: Mapping[str, str]  # id -> name
    fields: Mapping[str, str]  # code -> id
    warnings: tuple[str, ...] = ()  # what is missing, in words an admin understands
    traits: tuple[str, ...] = ()  # how the account behaves, in the connector's own words; its sessions are told


@dataclass(frozen=True, slots=True)
class DealChange:
    """A deal as the CRM has it now; money in minor units of ``currency``; times aware UTC."""

    id: str
    url: str | None
    pipeline: str
    stage: str
    outcome: Literal["open", "won", "lost"]
    amount_minor: int
    currency: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    marker: str | None
    deleted: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A payment of a deal as the CRM has it now; ``amount_minor`` zero withdraws it."""

    id: str
    deal: str
    amount_minor: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Changes since a cursor; ``more`` asks the hub to come back at once with the next cursor."""

    deals: tuple[DealChange, ...]
    payments: tuple[PaymentChange, ...]
    cursor: str
    more: bool


class CrmSession(Protocol):
    """One CRM account opened with a live access token; stateless between calls."""

    async def check(self) -> Ref: ...
    async def facts(self) -> Facts: ...
    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]: ...
    async def changes(self, cursor: str | None) -> Page: ...
    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]: ...  # of deals and contacts; others are not asked


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A vendor's request to us, as bytes: the hooks of a connector know no web framework."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Installed:
    """A code arrived: exchange it at ``host``; ``state`` is None for a marketplace install."""

    code: str = field(repr=False)
    host: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """The account removed us: stop its jobs, keep its history."""

    account: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A doorbell: something changed at ``account``; read-back runs sooner."""

    account: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request is not genuine or not readable; ``sentence`` says why."""

    sentence: str


class Hooks(Protocol):
    """Install, uninstall and doorbell requests; pure functions on bytes."""

    def parse(
        self, request: HookRequest, app: App, secrets: Mapping[str, str]
    ) -> Installed | Uninstalled | Changed | Rejected: ...


@dataclass(frozen=True, slots=True)
class Connector:
    """What a connector folder exports; functions, so that there is no class to inherit from."""

    manifest: Manifest
    hooks: Hooks
    authorize_url: Callable[[App, str], str]  # (app, state) -> where the browser goes
    exchange: Callable[["Http", App, Installed, datetime], Awaitable[Grant]]
    refresh: Callable[["Http", App, Grant, datetime], Awaitable[Grant]]
    open: Callable[
        ["Http", App, Grant, Mapping[str, object]], CrmSession
    ]  # settings as the manifest's model dumps them
