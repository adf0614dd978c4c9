"""The contract between the hub and every connector.

A connector translates: it neither stores, schedules, retries nor decides policy. The hub owns people, time
and failure.

Six rules of ``deliver``:

1. The result names exactly the ids of the batch; the hub reads a missing id as ``UNKNOWN``, never as success.
2. A delivery's own problem is a value (``Outcome``); an installation's problem is the one exception
   ``InstallationError``.
3. If ``in_doubt``, look for the marker before creating.
4. A step that succeeded returns its ``Ref`` even when a later step failed.
5. No sleeping, no retrying, no storing.
6. A request names the deliveries it may take effect for (``Http.send``); who dies leaves no others in doubt.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from connectors.changes import ROBOT as ROBOT
from connectors.changes import ContactChange as ContactChange
from connectors.changes import ContactPage as ContactPage
from connectors.changes import DealChange as DealChange
from connectors.changes import Page as Page
from connectors.changes import PaymentChange as PaymentChange
from connectors.changes import StagePassed as StagePassed
from connectors.deciding import Decision as Decision
from connectors.deciding import Known as Known
from connectors.deciding import KnownDeal as KnownDeal
from connectors.scenario import Enquiry, Plan, Telephony
from connectors.telling import Given, Ringing, Said, Sentence

if TYPE_CHECKING:  # both speak this vocabulary
    from connectors.frames import Frames
    from connectors.http import Http
    from connectors.packaging import Packaging
    from connectors.publication import Publication


class Can(StrEnum):
    """What a connector may be able to do; a capability absent from the manifest cannot be asked for."""

    CONTACT = "contact"
    DEAL = "deal"
    NOTE = "note"
    TASK = "task"
    INCOMING = "incoming"
    MOVE = "move"
    FIELDS = "fields"
    POPUP = "popup"
    REGISTER = "register"
    OBSERVE = "observe"
    ANALYTICS = "analytics"
    READ_BACK = "read_back"
    DOORBELL = "doorbell"
    CONTACT_INDEX = "contact_index"


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
    """How an installation is granted: consent address, scopes, and what happens to the refresh token.

    ``authorize_url`` is empty where consent is asked at the account's own address, which a person types.
    """

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
    can: Mapping[Can, Said | None]  # one honest sentence of caveat, or none; absent means no
    idempotency: Idempotency
    limits: Limits
    hosts: tuple[str, ...]  # suffixes; the only hosts egress opens for it
    oauth: OAuth
    settings: type
    standing: Literal["live-tested", "sandbox-tested"]


@dataclass(frozen=True, slots=True)
class App:
    """Our registration at a vendor; ``base_url`` points every request of this connector at a sandbox.

    ``hosts`` are those of accounts on servers of their own, exactly as the operator of the hub has named them.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    base_url: str | None = None
    hosts: tuple[str, ...] = ()

    @property
    def origins(self) -> tuple[str, ...]:
        """The addresses that egress opens besides the manifest's hosts."""
        own = tuple(f"https://{host}" for host in self.hosts)
        return (self.base_url, *own) if self.base_url else own


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens of one installation; ``account`` is the vendor's stable id, ``host`` where it answers now."""

    account: str
    host: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    hook_secret: str = field(default="", repr=False)  # what the account's own hooks prove themselves by, where told


@dataclass(frozen=True, slots=True)
class Ref:
    """A remote object: its kind in our words, the vendor's id, and the address a person can open."""

    kind: Literal["account", "contact", "company", "deal", "note", "task", "trace"]
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
    # The person's contacts by what the hub read just now, the oldest first; None where only a search can tell.
    people: tuple[Known, ...] | None = None
    decided: Decision | None = None  # by an earlier attempt, where its outcome is known


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

    ``said`` is for the CRM admin, ``detail`` for us (already redacted). ``not_before`` is set when the vendor named
    a time. What a plan came to (``decision``) is always ``deciding.decide``'s.
    """

    status: Status
    refs: tuple[Ref, ...] = ()
    receipt: str | None = None
    why: Why | None = None
    said: tuple[Said, ...] = ()  # what happened, then why
    detail: str = ""
    not_before: datetime | None = None
    decision: Decision | None = None  # which rule of the plan was followed, once the caller was looked at


class InstallationError(Exception):
    """The installation cannot be served now; a delivery not in ``outcomes`` was certainly not sent."""

    def __init__(
        self,
        why: Why,
        said: Said,
        *,
        hold: timedelta | None = None,
        outcomes: Mapping[str, Outcome] | None = None,
    ) -> None:
        super().__init__(str(said))
        self.why = why
        self.said = said
        self.hold = hold  # how long the vendor asked us to stay away; None lets the hub decide
        self.outcomes: Mapping[str, Outcome] = outcomes or {}


class AnswerLost(InstallationError):
    """A refresh brought no answer to be read: the vendor may have spent the refresh token all the same."""


class GrantRevoked(Exception):
    """The vendor refused our refresh token or code: a person must connect the account again."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


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
    warnings: tuple[Said, ...] = ()  # what is missing
    telephony: tuple[Telephony, ...] = (Telephony.NOTE,)  # how a call may stand beside the account's own
    analytics: bool = False  # the account counts visits itself, and may be told of ours
    traits: tuple[str, ...] = ()  # how the account behaves, in the connector's own words; its sessions are told


class CrmSession(Protocol):
    """One CRM account opened with a live access token; what it remembers is of this turn of its lane alone."""

    async def check(self) -> Ref: ...
    async def facts(self) -> Facts: ...
    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]: ...
    async def changes(self, cursor: str | None) -> Page: ...
    # Where ``Connector.keys_of`` is given; joins whom another client and ``deliver`` made at the same moment.
    async def contacts(self, cursor: str | None) -> ContactPage: ...
    # Of deals and contacts (others are not asked): those that are not there; what is hidden from us is not one of them
    # where the vendor tells the two apart.
    async def missing(self, refs: Sequence[Ref]) -> frozenset[Ref]: ...
    async def deals(self, ids: Sequence[str]) -> Sequence[DealChange]: ...  # those of them that are there, as they are
    async def popup(self, users: Sequence[str], caller: str) -> bool: ...  # show a card, once; where Can.POPUP is
    # Have the doorbell ring at ``address``, once, and cards show our ``page`` if there is one; where Can.DOORBELL is.
    async def listen(self, address: str, page: str) -> Ringing: ...
    async def leave(self, address: str) -> None: ...  # take both away: the hub is to forget this account


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
    """The account removed us: stop its jobs, keep its history unless it asks that what was read of it is deleted."""

    account: str
    asks_erasure: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A doorbell: something changed at ``account``; read-back runs sooner."""

    account: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The account's own telephony ended a call: what waits for the account to have it is tried at once."""

    account: str


@dataclass(frozen=True, slots=True)
class GoalAsked:
    """The account's own automation asks that a deal counts as a goal; ``goal`` is its name, in lower case.

    Nobody vouches for it: it is a doorbell, and the deal is looked at with our own access.
    """

    account: str
    deal: str
    goal: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request is not genuine or not readable; ``sentence`` says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A page of ours inside the CRM asks for something: the vendor vouches for who looks at it.

    ``token_id`` names the one-time token until ``ends_at``: a request that changes something has its effect once.
    ``card`` is the only card (kind, id) that he may see and correct; None lets him see any of the account's.
    """

    account: str
    host: str
    user: str
    is_admin: bool
    token_id: str
    ends_at: datetime
    card: tuple[str, str] | None = None


Told: TypeAlias = Installed | Uninstalled | Changed | CallEnded | Rejected  # what a vendor's own servers tell us


class Hooks(Protocol):
    """Install, uninstall, doorbell and embedded requests; pure functions on bytes."""

    def parse(self, request: HookRequest, app: App, secrets: Mapping[str, str]) -> Told: ...
    def opened(self, request: HookRequest, app: App, now: datetime) -> Opened | Rejected: ...
    def may_embed(self, app: App, origin: str) -> bool: ...  # is it the origin of an account's pages?


@dataclass(frozen=True, slots=True)
class Connector:
    """What a connector folder exports; functions, so that there is no class to inherit from."""

    manifest: Manifest
    hooks: Hooks
    authorize_url: Callable[[App, str, str], str]  # (app, state, account as typed) -> where the browser goes; NotTaken
    exchange: Callable[["Http", App, Installed, datetime], Awaitable[Grant]]
    refresh: Callable[["Http", App, Grant, datetime], Awaitable[Grant]]
    open: Callable[
        ["Http", App, Grant, Mapping[str, object]], CrmSession
    ]  # settings as the manifest's model dumps them
    # By which keys of contacts a person is looked for, in turn; None for one that only a search can find.
    keys_of: Callable[[Enquiry], tuple[str, ...] | None] = lambda _enquiry: None
    packaging: "Packaging | None" = None  # absent: the vendor's marketplace takes no package of ours
    publication: "Publication | None" = None  # absent: no checklist of the vendor's marketplace is known
    frames: "Frames | None" = None  # absent: the vendor shows no pages of ours that the hub serves
    # What a request of the account's automation asks for, given the secret of its path; None for another secret.
    # Absent: the vendor has no such automation.
    goal_asked: Callable[[HookRequest, App, str], GoalAsked | Rejected | None] | None = None
    words: Mapping[str, Mapping[str, Sentence]] = field(default_factory=dict)  # language (ru, en) -> code -> sentence
    # A grant of a token given by hand; raises ``NotTaken``, ``InstallationError``; absent: none can be given.
    by_hand: Callable[["Http", App, Given, datetime], Awaitable[Grant]] | None = None
    # What the beginning of a request's body asks for, in the vendor's own words; absent: its address says so.
    asked_in: Callable[[str], Sequence[str]] | None = None
    by_hand_is_address: bool = False  # what is given by hand is an address: secret as a token is, and of one account
