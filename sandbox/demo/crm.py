"""A company's CRM as the demo sees it, whoever's it is: what it holds, what it was asked, and what it earned."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.demo.door import Door


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal: our markers if it carries one, the phones of its contacts; `price` and what was `paid` in kopecks."""

    id: int
    markers: tuple[str, ...]
    phones: tuple[str, ...]
    price: int
    is_won: bool
    created_at: float
    closed_at: float | None
    paid: int = 0

    @property
    def revenue(self) -> int:
        """What it brought: what was paid for it, or without payments the price of a won one."""
        return self.paid or (self.price if self.is_won else 0)


@dataclass(frozen=True, slots=True)
class CrmState:
    """What the account holds; `traces` are the objects that carry each marker, as (kind, id)."""

    deals: Sequence[Deal]
    traces: Mapping[str, frozenset[tuple[str, int]]]
    phones: Sequence[str]  # of all contacts, one for each contact and phone
    contacts: int
    tasks: int

    @property
    def ours(self) -> Sequence[Deal]:
        """The deals that carry our marker."""
        return [deal for deal in self.deals if deal.markers]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the account was asked: all requests, how many it slowed down, and those answered with another 4xx or 5xx."""

    requests: int
    throttled: int
    refused: int
    failed: int


class Crm(Protocol):
    """The doors of a running sandbox CRM that need no vendor's grant."""

    @property
    def door(self) -> Door:
        """The way to it."""
        ...

    def state(self) -> CrmState:
        """Returns what the account holds now."""
        ...

    def traffic(self) -> Traffic:
        """Returns what the account was asked so far, without the rows."""
        ...

    def readings(self) -> int:
        """Returns how many read-backs may pass until the hub knows of all that was paid."""
        ...


class Sales(Protocol):
    """The people who work in a CRM; `moves` counts what they did to deals."""

    moves: int

    def work(self, now: float) -> None:
        """One look at all deals; every deal that is due moves."""
        ...

    def walk_in(self) -> None:
        """Somebody buys who never called: a won deal that no enquiry brought."""
        ...


def digits(phone: str) -> str:
    """Returns the last ten digits of a phone: what makes two spellings one number."""
    return re.sub(r"\D", "", phone)[-10:]


def traffic(ledger: Mapping[str, Any], slowed: Sequence[int]) -> Traffic:
    """Returns the totals of `GET /_sandbox/ledger`; `slowed` are the statuses that ask to come later."""
    by_status = {int(status): count for status, count in ledger["totals"].items()}
    other = {status: count for status, count in by_status.items() if status not in slowed}
    return Traffic(
        requests=sum(by_status.values()),
        throttled=sum(by_status.values()) - sum(other.values()),
        refused=sum(count for status, count in other.items() if 400 <= status < 500),
        failed=sum(count for status, count in other.items() if status >= 500 or status == 0),
    )


def read_ledger(door: Door, slowed: Sequence[int]) -> Traffic:
    """Returns what a sandbox was asked so far, without the rows."""
    return traffic(door.get("/_sandbox/ledger", {"since": 10**12}).expect(200).told(), slowed)
