"""``drain`` for Bitrix24: a backlog of calls into one portal, the least time its limits allow, and what was measured.

A portal lets 50 hits in at once and 2 more each second, and a hit is a batch of at most 50 commands of any kind, one
referring to another; an answer shows 50 rows of a list. Nine of ten callers are new, every tenth has called earlier in
the backlog; every fifth call was missed, and asks for a task. The portal works without leads (simple mode) and is in
use: it holds 50 deals of others with their contacts. So the least for 5,000 such deliveries is, in commands:

    who is the caller: a command takes 20 phones, five callers in the four spellings they may be stored in      1,000
    whose the cards are that such an answer names without saying so: 500 of them, in lists of 50                  10
    the deals of 500 who called before, in lists of 50                                                             10
    4,500 contacts and 4,500 deals                                                                              9,000
    a call and its source on each                                                                              10,000
    1,000 tasks                                                                                                 1,000

which is 21,020, or 421 hits: 50 at once and the others in 185.5 s. Two things are not in it, as the vendor gives no
figure for them. Integrators advise ten new cards in a hit to who knows nothing of a portal, because its own automation
runs inside and a hit is cut off after 60 s; that alone would be 900 hits. The hub begins so and makes more where the
portal answers quickly. And each method may work for 480 s in ten minutes: the sandbox counts 0.1 s for each, so that
9,000 cards would take longer than ten minutes whatever the hits are, and a real portal counts what it likes.

So the sandbox lets a method take less time for more than 2,400 calls. Another number than 5,000 is taken from the
environment, ``DRAIN_BITRIX24_CALLS``: above 500, which need no waiting.

Then an independent client from PyPI (bench/in_bulk.py) does the same for as many calls of other callers, in bulk, on
the same portal with the same limits.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench import in_bulk
from bench.backlog import Counts
from connectors.protocol import App, Grant
from connectors.scenario import Enquiry

CALLS = 5_000
BURST, PER_SECOND, COMMANDS, LISTED = 50, 2, 50, 50  # hits at once, then in a second; commands in a hit; rows in a list
TOGETHER = 20 // 4  # callers whom one command looks for: the phones it takes, by the spellings of one
OPERATING_S, METHOD_S = 480, 0.1  # of one method in ten minutes; of one call of it, as the sandbox counts
OLD = 50  # deals from before, each with its contact
REDIRECT = "http://hub.test/oauth/bitrix24/callback"
CONTACT, DEAL = 3, 2


def calls() -> int:
    """Return how many calls are delivered."""
    return int(os.environ.get("DRAIN_BITRIX24_CALLS", CALLS))


def dialled(number: int) -> tuple[str, ...]:
    """Return how the sandbox is started for so many calls: without leads, within the time of a method."""
    allowed_s = 0.9 * OPERATING_S / (2 * Counts(number).new)
    return ("--set", "crm_mode=2", "--set", f"operating_cost={min(METHOD_S, allowed_s)}")


def least_hits(number: int) -> int:
    """Return the least hits that so many calls need."""
    of = Counts(number)
    looks = ceil(of.calls / TOGETHER) + 2 * ceil(of.repeated / LISTED)  # who he is; whose cards, and their deals
    return ceil((looks + 2 * of.new + 2 * of.calls + of.missed) / COMMANDS)


def least_seconds(number: int) -> float:
    """Return the least time that so many calls need: all hits beyond the first ones wait for their turn."""
    return max(0.0, (least_hits(number) - BURST) / PER_SECOND)


class Account:
    """One portal, with the figures that are told of it."""

    forgets_s = BURST / PER_SECOND

    def __init__(self, printed: dict[str, Any], web: httpx.Client) -> None:
        self._printed, self._web = printed, web
        self._token = self._post("token", user_id=1)

    def _post(self, path: str, **told: Any) -> Any:
        answer = self._web.post(f"{self._printed['base_url']}/_sandbox/{path}", json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _hits(self) -> list[dict[str, Any]]:
        rows = self._web.get(f"{self._printed['base_url']}/_sandbox/ledger").json()["rows"]
        return [row for row in rows if row["path"].startswith("/rest/")]

    def _made(self) -> dict[str, int]:
        totals: dict[str, int] = self._web.get(f"{self._printed['base_url']}/_sandbox/totals").json()
        return {kind: totals[kind] for kind in ("contacts", "deals", "activities", "comments")}

    @property
    def app(self) -> App:
        """Our registration there."""
        told = self._printed
        return App(told["client_id"], told["client_secret"], REDIRECT, told["base_url"])

    def grant(self) -> Grant:
        """Return a token of an administrator's; it lives for an hour."""
        host, token = urlsplit(self._printed["base_url"]).netloc, self._token
        expires_at = datetime.fromtimestamp(token["expires"], UTC)
        return Grant(self._printed["member_id"], host, token["access_token"], token["refresh_token"], expires_at)

    def fill(self) -> None:
        """Let the portal hold deals from before, with their contacts."""
        for number in range(OLD):
            phone = [{"typeId": "PHONE", "valueType": "WORK", "value": f"+7495{number:07}"}]
            contact = self._add(CONTACT, {"name": "Иван", "fm": phone})
            self._add(DEAL, {"title": "Заказ", "contactId": contact})

    def _add(self, entity: int, fields: dict[str, Any]) -> int:
        told = self._post("call-method", method="crm.item.add", params={"entityTypeId": entity, "fields": fields})
        return int(told["result"]["item"]["id"])

    def last(self) -> int:
        """Return the number of the last hit."""
        return int(self._hits()[-1]["number"])

    def figures(self, before: int, ended: datetime, seconds: float) -> dict[str, Any]:
        """Return what the hub's deliveries took."""
        number = calls()
        assert self._made() == _expected(number, OLD), self._made()
        rows = [row for row in self._hits() if row["number"] > before and row["arrived"] <= ended.timestamp()]
        least_s = least_seconds(number)
        return {
            "bitrix24_ratio": seconds / least_s,
            "bitrix24_throttled": _throttled(rows),
            "bitrix24_seconds": seconds,
            "bitrix24_least_seconds": least_s,
            "bitrix24_hits": len(rows),
            "bitrix24_least_hits": least_hits(number),
            "bitrix24_hits_ratio": len(rows) / least_hits(number),
            "bitrix24_hits_per_call": len(rows) / number,
            "bitrix24_calls": number,
        }

    def beside(self, hub: dict[str, Any], calls: Sequence[Enquiry]) -> dict[str, Any]:
        """Measure the other client on calls of its own, and compare it with the hub for each call."""
        before, held, number = self.last(), self._made(), len(calls)
        seconds = in_bulk.deliver(self._printed["webhook_url"], calls)
        made = {kind: count - held[kind] for kind, count in self._made().items()}
        assert made == _expected(number), made
        rows = [row for row in self._hits() if row["number"] > before]
        throttled = _throttled(rows)
        done = len(rows) - throttled  # the others it sent again, and they cost the portal nothing
        return {
            "bitrix24_client_hits_ratio": done / number / hub["bitrix24_hits_per_call"],
            "bitrix24_client_time_ratio": seconds / number / (hub["bitrix24_seconds"] / hub["bitrix24_calls"]),
            "bitrix24_client_calls": number,
            "bitrix24_client_hits": done,
            "bitrix24_client_hits_per_call": done / number,
            "bitrix24_client_seconds": seconds,
            "bitrix24_client_seconds_per_call": seconds / number,
            "bitrix24_client_throttled": throttled,
            "bitrix24_seconds_per_call": hub["bitrix24_seconds"] / hub["bitrix24_calls"],
        }


def _expected(number: int, old: int = 0) -> dict[str, int]:
    of = Counts(number)
    activities = of.calls + of.missed  # a task is one, too
    return {"contacts": old + of.new, "deals": old + of.new, "activities": activities, "comments": of.calls}


def _throttled(rows: list[dict[str, Any]]) -> int:
    return sum(row["status"] == 503 for row in rows)
