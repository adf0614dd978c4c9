"""The event queue: form posts, once each, in order unless the dial shuffles them (sheet sections 1.4, 6).

change -> tell -> Post per handler -> pump when due; an answer other than 2xx, or none in time: the event is lost
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.bitrix24.model import Handler
from sandbox.bitrix24.php import form

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal
    from sandbox.bitrix24.turn import Turn

TIMED_OUT, NO_CONNECTION = 499, 0
FORM = "application/x-www-form-urlencoded"
KEPT = 20_000
IDLE_S = 0.05


@dataclass(slots=True)
class Post:
    """One event on its way to one handler; `told` is the form's tree without `ts`."""

    destination: str
    told: dict[str, Any]
    due: float


class Sender:
    """Tells handlers what changed; nothing is repeated."""

    def __init__(self, portal: "Portal", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._portal = portal
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._random = random.Random(f"events {portal.options.seed}")
        self._held: list[Post] = []
        self._busy: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._slow: set[str] = set()
        self.handlers: list[Handler] = []
        self.queue: list[Post] = []
        self.log: deque[dict[str, object]] = deque(maxlen=KEPT)

    @property
    def client(self) -> httpx.AsyncClient:
        """The client of everything the portal or a browser at it sends; it follows no redirects."""
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, follow_redirects=False, trust_env=False)
        return self._client

    def tell(self, event: str, told: dict[str, Any], turn: "Turn", suffix: str = "") -> None:
        """Tells every handler of `event` (and of `event_suffix`); silent until the installation is finished."""
        installation = self._portal.installation
        if installation is None or not installation.finished:
            return
        names = {event, f"{event}_{suffix}"} if suffix else {event}
        for handler in [one for one in self.handlers if one.event in names]:
            if handler.is_offline:
                self._tell_offline(handler, told, turn)
            else:
                self._enqueue(self._post(handler, told, turn))

    def _tell_offline(self, handler: Handler, told: dict[str, Any], turn: "Turn") -> None:
        connector = turn.text("auth_connector") if self._portal.dial["auth_connector"] else ""
        if connector and connector == handler.connector:
            return
        self._portal.offline.note(handler.event, told, turn, connector)
        for bell in [one for one in self.handlers if one.event == "ONOFFLINEEVENT"]:
            self._enqueue(self._post(bell, {}, turn))

    def _post(self, handler: Handler, told: dict[str, Any], turn: "Turn") -> Post:
        acting = handler.auth_type or (0 if turn.is_robot else turn.user_id)
        body = {
            "event": handler.event,
            "event_handler_id": handler.id,
            "data": told,
            "auth": self.auth(turn.base, acting),
        }
        wait = float(self._portal.dial["event_delay"])
        if handler.handler in self._slow:
            wait += float(self._portal.dial["slow_handler_penalty"])
        return Post(handler.handler, body, self._portal.clock() + wait)

    def auth(self, base: str, user_id: int, with_refresh: bool = False) -> dict[str, Any]:
        """Returns the `auth` of an event: with tokens of a user, or without any for user 0."""
        portal = self._portal
        installed = portal.installed
        told: dict[str, Any] = {}
        if user_id:
            pair = portal.tokens.new_pair(user_id)
            told = {"access_token": pair.access, "expires_in": int(portal.dial["access_ttl"])}
            if portal.dial["event_user_keys"]:
                told |= {"expires": int(pair.expires), "user_id": user_id}
            if with_refresh or portal.dial["event_refresh_token"]:
                told["refresh_token"] = pair.refresh
        return told | {
            "scope": (" " if portal.dial["event_scope_space"] else ",").join(installed.scopes),
            "status": installed.status,
            **self.whereabouts(base),
        }

    def whereabouts(self, base: str) -> dict[str, Any]:
        """Returns the part of `auth` that every event has, even after the tokens are gone."""
        portal = self._portal
        return {
            "domain": portal.domain(base),
            "server_endpoint": portal.server_endpoint(base),
            "client_endpoint": portal.client_endpoint(base),
            "member_id": portal.member_id,
            "application_token": portal.installed.application_token,
        }

    def send(self, destination: str, told: dict[str, Any], delay: float = 0) -> None:
        """Sends an application event to an address of the app, whether or not anything was bound."""
        self.queue.append(Post(destination, told, self._portal.clock() + delay))

    def _enqueue(self, post: Post) -> None:
        dial = self._portal.dial
        if self._random.random() < dial["lost_event"]:
            return
        if self._random.random() < dial["shuffled_event"]:
            self._held.append(post)
            return
        self.queue += [post, post] if self._random.random() < dial["duplicate_event"] else [post]
        self.queue += self._held
        self._held = []

    async def run(self) -> None:
        """Sends what is due for as long as the server lives: to one address in order, to several at once."""
        while True:
            self._start()
            await asyncio.sleep(IDLE_S)

    async def pump(self) -> int:
        """Sends everything that is due now; returns how many posts that were, once all under way are answered."""
        number = 0
        while (started := self._start()) or self._sending:
            number += started
            await asyncio.gather(*self._sending)
        return number

    def _start(self) -> int:
        lanes = self._take_due()
        for destination, posts in lanes.items():
            task = asyncio.create_task(self._deliver(destination, posts))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return sum(len(posts) for posts in lanes.values())

    def _take_due(self) -> dict[str, list[Post]]:
        lanes: dict[str, list[Post]] = {}
        if not self.queue:
            return lanes
        now = self._portal.clock()
        due = [one for one in self.queue if one.due <= now and one.destination not in self._busy]
        taken = {id(one) for one in due}
        self.queue = [one for one in self.queue if id(one) not in taken]
        for one in due:
            lanes.setdefault(one.destination, []).append(one)
        self._busy |= lanes.keys()
        return lanes

    async def _deliver(self, destination: str, posts: list[Post]) -> None:
        try:
            for post in posts:
                await self._try(post)
        finally:
            self._busy.discard(destination)

    async def _try(self, post: Post) -> None:
        body = form({**post.told, "ts": int(self._portal.now())})
        code = await self.submit(post.destination, body)
        (self._slow.add if code == TIMED_OUT else self._slow.discard)(post.destination)
        row = {"destination": post.destination, "event": post.told.get("event"), "code": code, "body": body}
        self.log.append({**row, "at": self._portal.now()})

    async def submit(self, destination: str, body: str) -> int:
        """Posts a form and returns the status: 499 for no answer in time, 0 for no connection."""
        headers = {"Content-Type": FORM, "User-Agent": "Bitrix24 Webhook Engine"}
        try:
            answer = await self.client.post(
                destination, content=body, headers=headers, timeout=float(self._portal.dial["event_timeout"])
            )
        except httpx.TimeoutException:
            return TIMED_OUT
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            return NO_CONNECTION
        return answer.status_code

    async def close(self) -> None:
        """Closes the connections to handlers."""
        if self._client is not None:
            await self._client.aclose()
