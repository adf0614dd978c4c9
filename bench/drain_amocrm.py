"""``drain`` for amoCRM: 5,000 calls, the least time its limits allow for them, and what was measured.

The limits are 7 requests in any second and, as the vendor recommends, 50 deals with their contacts, notes or tasks in a
request; a list shows 250. Nine of ten callers are new, every tenth has called earlier in the backlog; every fifth call
was missed, and asks for a task. The account is connected and read, and in use: it holds 50 deals of others with their
contacts. Before each batch of 500 the hub reads what changed; its own new cards stand at the head of each list, and who
was deleted or merged stands in none. So the least for these deliveries is, in requests:

    4,500 new contacts and 4,500 new deals, passed once in lists of what changed, 250 at once                  36
    events of who was deleted or merged, before each batch                                                     10
    4,500 deals with their contacts, 50 at once                                                                90
    10,000 notes, a call and its source for each, 50 at once                                                  200
    1,000 tasks, 50 at once                                                                                    20

which is 356 or 50.9 s; a search for each call would be 5,000 more. ``requests`` is what the hub sent instead.

Then an independent client from PyPI (bench/one_by_one.py) delivers 200 calls of the same kind, of other callers, to the
same account with the same limits, call by call. What it does costs the same for each, however many there are, so both
are told for each call: the hub's time and requests by its 5,000, the client's by its 200.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

import httpx

from bench import one_by_one
from bench.backlog import Counts
from connectors.registry import CONNECTORS
from connectors.scenario import Enquiry
from tests.proofs.street import Crm

CALLS = 5_000
ONE_BY_ONE = 200  # of the other client
PER_SECOND, AT_ONCE, LISTED = 7, 50, 250  # most in any second; in one request; in a list
OLD = 50  # deals from before, each with its contact


def least(calls: int) -> int:
    """Return the least requests that so many calls need."""
    of = Counts(calls)
    batches = ceil(calls / CONNECTORS["amocrm"].manifest.limits.batch)
    written = sum(ceil(number / AT_ONCE) for number in (of.new, 2 * calls, of.missed))
    return batches + 2 * ceil(of.new / LISTED) + written


class Account(Crm):
    """One account, with the figures that are told of it."""

    forgets_s = one_by_one.FORGOTTEN_S

    def fill(self) -> None:
        """Let the account hold deals from before, with their contacts."""
        phones = ([{"value": f"+7495{number:07}"}] for number in range(OLD))
        contacts = ({"custom_fields_values": [{"field_code": "PHONE", "values": values}]} for values in phones)
        deals = [{"name": "Заказ", "_embedded": {"contacts": [contact]}} for contact in contacts]
        bearer = {"authorization": f"Bearer {self.grant().access_token}"}
        httpx.post(f"{self.base_url}/api/v4/leads/complex", json=deals, headers=bearer).raise_for_status()
        self.turn()

    def last(self) -> int:
        """Return the number of the last request."""
        return int(self.ledger()[-1]["number"])

    def figures(self, before: int, ended: datetime, seconds: float) -> dict[str, Any]:
        """Return what the hub's deliveries took."""
        state, of = self.state(), Counts(CALLS)
        made = {kind: len(state[kind]) for kind in ("contacts", "leads", "notes", "tasks")}
        assert made == {"contacts": OLD + of.new, "leads": OLD + of.new, "notes": 2 * CALLS, "tasks": of.missed}, made
        rows = [row for row in self.ledger() if row["number"] > before and row["arrived"] <= ended.timestamp()]
        return {
            "amocrm_ratio": seconds / (least(CALLS) / PER_SECOND),
            "throttled": sum(row["status"] == 429 for row in rows),
            "blind_s": _blind(rows),
            "seconds": seconds,
            "least_seconds": least(CALLS) / PER_SECOND,
            "requests": len(rows),
            "least_requests": least(CALLS),
            "requests_ratio": len(rows) / least(CALLS),
            "requests_per_call": len(rows) / CALLS,
            "calls": CALLS,
            **_by_kind(rows),
        }

    def beside(self, hub: dict[str, Any], calls: Sequence[Enquiry]) -> dict[str, Any]:
        """Measure the other client on calls of its own, and compare it with the hub for each call."""
        before, held = self.last(), {kind: len(self.state()[kind]) for kind in ("contacts", "leads")}
        as_documented = {"retry_after_header": False}
        httpx.post(f"{self.base_url}/_sandbox/dial", json=as_documented).raise_for_status()
        seconds = one_by_one.deliver(self.base_url, self.grant().access_token, calls)
        new = len({call.caller for call in calls})
        made = {kind: len(self.state()[kind]) - number for kind, number in held.items()}
        assert made == {"contacts": new, "leads": new}, made
        rows = [row for row in self.ledger() if row["number"] > before]
        return {
            "client_requests_ratio": len(rows) / len(calls) / hub["requests_per_call"],
            "client_time_ratio": seconds / len(calls) / (hub["seconds"] / CALLS),
            "client_calls": len(calls),
            "client_requests": len(rows),
            "client_requests_per_call": len(rows) / len(calls),
            "client_seconds": seconds,
            "client_seconds_per_call": seconds / len(calls),
            "client_throttled": sum(row["status"] == 429 for row in rows),
            "seconds_per_call": hub["seconds"] / CALLS,
        }


def _blind(rows: list[dict[str, Any]]) -> float:
    """Return the longest time from a look at what changed to a deal made by it: whom others make then is missed."""
    longest, looked_at = 0.0, 0.0
    for row in rows:
        if row["path"] == "/api/v4/contacts" and "page=1&" in f"{row['query']}&":
            looked_at = row["arrived"]
        if row["path"] == "/api/v4/leads/complex":
            longest = max(longest, row["arrived"] - looked_at)
    return longest


def _by_kind(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count the requests by what they asked for."""
    return dict(Counter(f"{row['method']} {row['path'].removeprefix('/api/v4/').rstrip('0123456789')}" for row in rows))
