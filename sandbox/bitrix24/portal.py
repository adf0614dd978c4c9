"""The portal: who is in it, what the app bound, how its CRM looks, and everything it remembers."""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.ids import IdWell
from sandbox.bitrix24.limits import LeakyBuckets, OperatingTime
from sandbox.bitrix24.model import (
    ALL_SCOPES,
    Category,
    FieldType,
    Installation,
    Placement,
    Status,
    User,
    UserField,
    Webhook,
)
from sandbox.bitrix24.offline import OfflineQueue
from sandbox.bitrix24.seed import make_categories, make_statuses, make_users
from sandbox.bitrix24.sender import Sender
from sandbox.bitrix24.store import Store
from sandbox.bitrix24.times import moment_text
from sandbox.bitrix24.tokens import Tokens
from sandbox.bitrix24.turn import Turn
from sandbox.clock import Clock
from sandbox.dial import Dial

log = logging.getLogger("sandbox.bitrix24")


@dataclass(frozen=True, slots=True)
class Options:
    """How a portal is started; an empty `domain` is whichever host is asked, an empty address is not called."""

    domain: str = ""
    redirect_uri: str = "http://127.0.0.1:8000/oauth/bitrix24"
    app_url: str = "http://127.0.0.1:8000/bitrix24/app"
    installer_url: str = ""
    install_event_url: str = ""
    script_only: bool = False
    local: bool = False
    scopes: tuple[str, ...] = ALL_SCOPES
    seed: int = 1
    installed: bool = True


@dataclass(slots=True)
class App:
    """The app as its developer registered it; `id` is its number on this portal."""

    id: int
    client_id: str
    client_secret: str
    code: str
    redirect_uri: str
    app_url: str
    installer_url: str
    install_event_url: str
    has_page: bool
    scopes: tuple[str, ...]
    version: int = 1


class Portal:
    """One Bitrix24 portal with one app, its own auth server beside it."""

    def __init__(
        self, options: Options, clock: Clock, dial: Dial, outgoing: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options, self.clock, self.dial = options, clock, dial
        self.ids = IdWell(options.seed)
        for kind, near in _NUMBERS.items():
            self.ids.start(kind, near)
        self.member_id = self.ids.hex(32)
        self.app = self._registered(options)
        self.told_domain = options.domain
        self.old_domains: set[str] = set()
        self.users: dict[int, User] = make_users()
        self.installation: Installation | None = None
        self.last_token = ""
        self.options_of_app: dict[str, dict[str, object]] = {}
        self.categories: list[Category] = make_categories(self.ids)
        self.statuses: list[Status] = make_statuses(self.ids, self.categories)
        self.user_fields: dict[int, UserField] = {}
        self.placements: list[Placement] = []
        self.field_types: dict[str, FieldType] = {}
        self.webhook = Webhook(1, self.ids.hex(16), frozenset(options.scopes))
        self.store = Store(self.ids)
        self.tokens = Tokens(self)
        self.buckets, self.operating = LeakyBuckets(dial), OperatingTime(dial)
        self.sender = Sender(self, outgoing)
        self.offline = OfflineQueue()
        self.unknown_methods: list[str] = []
        self.changes = 0

    def _registered(self, options: Options) -> App:
        prefix = "local" if options.local else "app"
        return App(
            id=self.ids.next("app"),
            client_id=f"{prefix}.{self.ids.hex(14)}.{self.ids.digits(8)}",
            client_secret=self.ids.hex(50),
            code="sandbox.calltracking",
            redirect_uri=options.redirect_uri,
            app_url=options.app_url,
            installer_url=options.installer_url,
            install_event_url=options.install_event_url,
            has_page=not options.script_only,
            scopes=options.scopes,
        )

    def now(self) -> float:
        """Returns the portal's present moment in epoch seconds."""
        return self.clock() + float(self.dial["clock_skew"])

    @property
    def offset(self) -> int:
        """The server's time zone in minutes ahead of UTC."""
        return int(self.dial["utc_offset"])

    def moment_text(self, moment: float) -> str:
        """Returns a moment as the portal writes it."""
        return moment_text(moment, self.offset)

    @property
    def installed(self) -> Installation:
        """The installation; refuses with 401 where there is none."""
        if self.installation is None:
            raise Refusal(401, "ERROR_OAUTH", "Application not installed")
        return self.installation

    def domain(self, base: str) -> str:
        """Returns the portal's host as tokens and events tell it; `base` is the address that was asked."""
        return self.told_domain or urlsplit(base).netloc

    def auth_domain(self, base: str) -> str:
        """Returns the auth server's host: the one port plays it too."""
        return self.domain(base)

    def client_endpoint(self, base: str) -> str:
        """Returns where the portal's methods are called."""
        return f"{urlsplit(base).scheme}://{self.domain(base)}/rest/"

    def server_endpoint(self, base: str) -> str:
        """Returns where the auth server's methods are called."""
        return f"{urlsplit(base).scheme}://{self.auth_domain(base)}/rest/"

    def person(self, user_id: int, base: str, method: str = "", robot: bool = False) -> Turn:
        """Returns the turn of an employee at the screen (or of a robot): all scopes, no limits."""
        if user_id not in self.users:
            raise KeyError(f"user {user_id}")
        return Turn(self, base, method, {}, user_id, "ui", frozenset(ALL_SCOPES), is_robot=robot)

    def did_not_know(self, method: str) -> None:
        """Notes a method nobody plays here, so that a caller cannot drift onto it unseen."""
        log.warning("unimplemented method %s", method)
        self.unknown_methods.append(method)


_NUMBERS = {
    "app": 2,
    "category": 8,
    "status": 100,
    "1": 400,
    "2": 300,
    "3": 40,
    "4": 3,
    "31": 10,
    "handler": 180,
    "userfield": 5800,
    "choice": 3100,
    "multi": 100,
    "comment": 990,
    "activity": 7900,
    "task": 3700,
    "trace": 1580,
    "history": 30,
    "call": 6,
    "line": 6,
    "payment": 1030,
    "product": 16,
    "order": 5120,
    "file": 9000,
    "offline": 0,
}
