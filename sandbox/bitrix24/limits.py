"""The leaky bucket of an address and the operating time of a method (sheet section 2), on the sandbox's clock."""

from collections import deque
from dataclasses import dataclass

from sandbox.bitrix24.errors import Refusal
from sandbox.dial import Dial

LICENSES = {"basic": (50.0, 2.0), "ent250": (250.0, 5.0)}
MINUTE, BUCKETS = 60.0, 10


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class LeakyBuckets:
    """One bucket per source address: two apps behind one address share it."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._buckets: dict[str, _Bucket] = {}

    def refusal(self, address: str, now: float) -> Refusal | None:
        """Returns the 503 of a full bucket, or None and counts the request."""
        if not self._dial["limiter"]:
            return None
        burst, leak = LICENSES[self._dial["license"]]
        burst, leak = self._dial["burst"] or burst, self._dial["leak"] or leak
        bucket = self._buckets.setdefault(address, _Bucket(0.0, now))
        bucket.level = max(0.0, bucket.level - leak * max(0.0, now - bucket.at))
        bucket.at = now
        if bucket.level + 1 > burst:
            return too_many()
        bucket.level += 1
        return None

    def forgive(self, address: str) -> None:
        """Takes a failed request out again, where those do not count."""
        bucket = self._buckets.get(address)
        if bucket is not None and not self._dial["failed_requests_count"]:
            bucket.level = max(0.0, bucket.level - 1)


@dataclass(slots=True)
class _Minute:
    first: float
    seconds: float


class OperatingTime:
    """Seconds per caller and method in ten one-minute buckets; a bucket drops 600 s after its first call."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._spent: dict[tuple[str, str], deque[_Minute]] = {}

    def cost(self, method: str) -> float:
        """Returns the seconds a method is said to take."""
        return float(self._dial["operating_costs"].get(method, self._dial["operating_cost"]))

    def check(self, caller: str, method: str, now: float) -> None:
        """Raises the 429 of a method whose time is spent."""
        limit = self._dial["operating_limits"].get(method, self._dial["operating_limit"])
        if self._dial["limiter"] and self.told(caller, method, now)[0] > limit:
            raise out_of_time()

    def charge(self, caller: str, method: str, seconds: float, now: float) -> None:
        """Adds the time of one call."""
        minutes = self._live(caller, method, now)
        if minutes and now - minutes[-1].first < MINUTE:
            minutes[-1].seconds += seconds
        else:
            minutes.append(_Minute(now, seconds))

    def told(self, caller: str, method: str, now: float) -> tuple[float, int]:
        """Returns `operating` and `operating_reset_at` (epoch seconds, 0 where nothing is counted)."""
        minutes = self._live(caller, method, now)
        reset = int(minutes[0].first + MINUTE * BUCKETS) if minutes else 0
        return round(sum(one.seconds for one in minutes), 6), reset

    def _live(self, caller: str, method: str, now: float) -> deque[_Minute]:
        minutes = self._spent.setdefault((caller, method), deque())
        while minutes and now - minutes[0].first >= MINUTE * BUCKETS:
            minutes.popleft()
        return minutes


def too_many() -> Refusal:
    """Returns the refusal of a full bucket."""
    return Refusal(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")


def out_of_time() -> Refusal:
    """Returns the refusal of a method over its operating time."""
    return Refusal(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
