"""Request limits and blocks (sheet section 2), measured on the sandbox's clock."""

from collections import deque

from sandbox.amocrm.errors import block_page, gateway_page, problem
from sandbox.dial import Dial
from sandbox.wire import Answer

WINDOW = 1.0


class Limits:
    """Sliding windows per integration and per account; repeated 429s block the account."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._by_client: dict[str, deque[float]] = {}
        self._whole: deque[float] = deque()
        self._refused: deque[float] = deque()
        self.blocked_at: float | None = None

    def refusal(self, client: str | None, now: float) -> Answer | None:
        """Returns 403 of a block or 429 of a full window, or None and counts the request; None = the UI."""
        if self._blocked(now):
            return block_page()
        if client is None or not self._dial["limiter"]:
            return None
        window = self._by_client.setdefault(client, deque())
        for times in (window, self._whole):
            while times and not 0 <= now - times[0] < WINDOW:
                times.popleft()
        if len(window) < self._dial["client_rps"] and len(self._whole) < self._dial["account_rps"]:
            window.append(now)
            self._whole.append(now)
            return None
        self._count_refusal(now)
        return too_many(self._dial)

    def unblock(self) -> None:
        """Lifts a block, as amoCRM's support does."""
        self.blocked_at = None
        self._refused.clear()

    def _count_refusal(self, now: float) -> None:
        self._refused.append(now)
        while self._refused and now - self._refused[0] >= self._dial["block_window"]:
            self._refused.popleft()
        if self._dial["block_after"] and len(self._refused) >= self._dial["block_after"]:
            self.blocked_at = now

    def _blocked(self, now: float) -> bool:
        if self._dial["mode"] == "blocked":
            return True
        if self.blocked_at is None:
            return False
        lasts = self._dial["block_seconds"]
        if lasts and now - self.blocked_at >= lasts:
            self.unblock()
            return False
        return True


def too_many(dial: Dial) -> Answer:
    """Returns the 429 of sheet section 5.4."""
    wait = dial["retry_after"]
    headers = {"Retry-After": str(int(wait))} if dial["retry_after_header"] and wait else {}
    if dial["body_429"] == "html":
        page = gateway_page(429, "Too Many Requests")
        return Answer(429, page.body, page.content_type, headers)
    more = {"retry_after": wait} if wait else {}
    told = problem(429, "The number of requests per second has been exceeded", **more)
    return Answer(429, told.body, told.content_type, headers)
