"""The webhook sender: batches, attempts on the sandbox's clock, the disable rule (sheet section 4.2).

change -> tell -> flush at the end of the request -> Dispatch per subscription -> pump when due
answer 100-299 in time: done; else attempt 2 after 5 min, 3 after 15 min;
only after 499 or 5xx: attempt 4 after 15 min, 5 after 1 h
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import orjson

from sandbox.amocrm.store import LEADS, SINGULAR, Card
from sandbox.brackets import flatten

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

MINUTE = 60.0
PAUSES = (5 * MINUTE, 15 * MINUTE, 15 * MINUTE, 60 * MINUTE)
FIRST_SERVER_ONLY = 2
TIMED_OUT, NO_CONNECTION = 499, 0
MOST_BAD, BAD_WINDOW = 100, 2 * 3600.0
FORM = "application/x-www-form-urlencoded"
KEPT_TRIES = 20_000
IDLE_SECONDS = 0.05


@dataclass(slots=True)
class Subscription:
    """One webhook of the account; `bad` are the moments of invalid answers."""

    id: int
    destination: str
    settings: list[str]
    sort: int
    created_at: int
    updated_at: int
    created_by: int
    disabled: bool = False
    bad: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class Dispatch:
    """One body on its way to one subscription; `tries` counts the attempts made."""

    subscription_id: int
    destination: str
    body: str
    due: float
    tries: int = 0
    content_type: str = FORM
    only_once: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """One thing a webhook may tell: `leads[update]` and its keys."""

    setting: str
    group: str
    action: str
    form: dict[str, Any]


class Sender:
    """Collects the news of one request and sends them to whoever subscribed."""

    def __init__(self, account: "Account", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._account = account
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._news: list[News] = []
        self._random = random.Random(f"hooks {account.options.seed}")
        self._held: list[Dispatch] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.queue: list[Dispatch] = []
        self.log: deque[dict[str, object]] = deque(maxlen=KEPT_TRIES)

    @property
    def client(self) -> httpx.AsyncClient:
        """The client of everything the vendor itself sends; it follows no redirects."""
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, follow_redirects=False, trust_env=False)
        return self._client

    def tell(self, action: str, card: Card, form: dict[str, Any]) -> None:
        """Notes news about a card; companies arrive under `contacts` too."""
        if not self.subscriptions:
            return
        group = LEADS if card.kind == LEADS else "contacts"
        shown = "update" if action == "responsible" and card.kind != LEADS else action
        self._news.append(News(f"{action}_{SINGULAR[card.kind]}", group, shown, form))

    def tell_other(self, setting: str, group: str, action: str, form: dict[str, Any]) -> None:
        """Notes news about a task or an incoming lead."""
        if self.subscriptions:
            self._news.append(News(setting, group, action, form))

    def flush(self, ours: bool, base: str) -> None:
        """Turns the news of one request into at most one body per subscription."""
        news, self._news = self._news, []
        if ours and not self._account.dial["own_changes_fire_hooks"]:
            return
        for one in self.subscriptions.values():
            wanted = [] if one.disabled else _wanted(news, one.settings)
            if wanted:
                self._enqueue(Dispatch(one.id, one.destination, self._body(wanted, base), self._account.clock()))

    def post(self, destination: str, form: dict[str, Any], as_json: bool, only_once: bool) -> None:
        """Sends one body to an address that nobody subscribed: an action of a digital pipeline."""
        body = orjson.dumps(form).decode() if as_json else urlencode(list(flatten(form)))
        content_type = "application/json" if as_json else FORM
        self.queue.append(Dispatch(0, destination, body, self._account.clock(), 0, content_type, only_once))

    def _body(self, news: list[News], base: str) -> str:
        told: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for one in news:
            told.setdefault(one.group, {}).setdefault(one.action, []).append(one.form)
        form: dict[str, Any] = {**told, "account": self._signature(base)}
        if self._account.dial["webhook_account_first"]:
            form = {"account": form.pop("account"), **form}
        return urlencode(list(flatten(form)))

    def _signature(self, base: str) -> dict[str, Any]:
        subdomain = {"subdomain": self._account.subdomain}
        if self._account.dial["webhook_account_keys"] == "subdomain":
            return subdomain
        return {**subdomain, "id": self._account.id, "_links": {"self": base}}

    def _enqueue(self, dispatch: Dispatch) -> None:
        dial = self._account.dial
        if self._random.random() < dial["lost_webhook"]:
            return
        if self._random.random() < dial["shuffled_webhook"]:
            self._held.append(dispatch)
            return
        twice = self._random.random() < dial["duplicate_webhook"]
        self.queue.append(dispatch)
        if twice:
            self.queue.append(Dispatch(dispatch.subscription_id, dispatch.destination, dispatch.body, dispatch.due))
        self.queue += self._held
        self._held = []

    async def run(self) -> None:
        """Sends what is due for as long as the server lives."""
        sending: set[asyncio.Task[None]] = set()
        while True:
            for dispatch in self._take_due():
                task = asyncio.create_task(self._try(dispatch))
                sending.add(task)
                task.add_done_callback(sending.discard)
            await asyncio.sleep(IDLE_SECONDS)

    async def pump(self) -> int:
        """Sends everything that is due now and returns how many attempts were made."""
        due = self._take_due()
        await asyncio.gather(*(self._try(dispatch) for dispatch in due))
        return len(due)

    def _take_due(self) -> list[Dispatch]:
        if not self.queue:
            return []
        now = self._account.clock()
        due = [one for one in self.queue if one.due <= now]
        self.queue = [one for one in self.queue if one.due > now]
        return due

    async def _try(self, dispatch: Dispatch) -> None:
        code = await self._post(dispatch)
        dispatch.tries += 1
        now = self._account.clock()
        self.log.append(
            {
                "destination": dispatch.destination,
                "attempt": dispatch.tries,
                "code": code,
                "at": now,
                "body": dispatch.body,
            }
        )
        good = 100 <= code < 300
        subscription = self.subscriptions.get(dispatch.subscription_id)
        if subscription is not None:
            _judge(subscription, good, now)
        if not good and not dispatch.only_once and _again(dispatch.tries, code):
            dispatch.due = now + PAUSES[dispatch.tries - 1]
            self.queue.append(dispatch)

    async def _post(self, dispatch: Dispatch) -> int:
        headers = {"Content-Type": dispatch.content_type, "User-Agent": "amoCRM-Webhooks/3.0"}
        try:
            answer = await self.client.post(
                dispatch.destination,
                content=dispatch.body,
                headers=headers,
                timeout=float(self._account.dial["webhook_timeout"]),
            )
        except httpx.TimeoutException:
            return TIMED_OUT
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            return NO_CONNECTION
        return answer.status_code

    async def close(self) -> None:
        """Closes the connections to receivers."""
        if self._client is not None:
            await self._client.aclose()


def _wanted(news: list[News], settings: list[str]) -> list[News]:
    """A contact's change of responsible is told once, as an update, to whoever asked for both."""
    return [
        one
        for one in news
        if one.setting in settings
        and not (
            one.setting.startswith("responsible_")
            and one.action == "update"
            and one.setting.replace("responsible_", "update_") in settings
        )
    ]


def _again(tries: int, code: int) -> bool:
    if tries > len(PAUSES):
        return False
    return tries <= FIRST_SERVER_ONLY or code == TIMED_OUT or code >= 500


def _judge(subscription: Subscription, good: bool, now: float) -> None:
    if good:
        return
    subscription.bad.append(now)
    while subscription.bad and now - subscription.bad[0] > BAD_WINDOW:
        subscription.bad.popleft()
    if len(subscription.bad) > MOST_BAD:
        subscription.disabled = True
