"""The CRMs that proofs are run with: how each misbehaves, how its owner agrees, and how to count what it holds."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from tests.proofs import crm_holds, portal_holds, truth
from tests.proofs.portal_room import PortalRoom
from tests.proofs.salesroom import Salesroom
from tests.proofs.truth import Books

State = Mapping[str, Any]
Dial = Mapping[str, object]
_BELLS = ["add_lead", "update_lead", "status_lead", "delete_lead", "restore_lead", "add_catalog", "update_catalog"]


class Room(Protocol):
    """A department at work in a CRM."""

    dice: random.Random
    changes: int

    @property
    def merged(self) -> frozenset[str]:
        """The deals that a merger took away without the CRM telling anybody."""

    def open(self, deals: int) -> None:
        """Begin with so many deals."""

    def work(self, changes: int) -> None:
        """Make at least so many changes."""

    def move(self) -> int:
        """Move several deals."""

    def close(self) -> None:
        """Let everybody go home."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One CRM as the proofs know it; ``lease_s`` is four timeouts of its manifest."""

    name: str
    lease_s: int
    consent: Callable[[str, httpx.URL], httpx.Response]  # (its address, the page our hub sends its owner to)
    faults: Dial  # when it misbehaves
    asks: str  # where it is asked to make deals; its journal names the markers of those
    cards: tuple[str, ...]  # what one call makes one of, by its names
    deals: Callable[[State], Counter[str]]
    calls: Callable[[State], Counter[str]]
    account: Dial  # before it is connected
    bells: Dial
    bind: Callable[[str], tuple[str, object]] | None  # how a program binds its events; None where our hub does
    room: Callable[[str, int], Room]
    theirs: Callable[[State], Books]
    markers: Callable[[State], Iterable[tuple[str, str]]]
    looked_over: int  # deals at which each reading looks for payments, where no change tells of one; 0: a change does

    def paid_within(self, deals: int) -> int:
        """Return within how many polling periods the hub holds what was paid for so many deals."""
        return 2 + (deals // self.looked_over + 1 if self.looked_over else 0)


def _agree(address: str, page: httpx.URL) -> httpx.Response:
    return httpx.post(f"{address}/oauth", data={**dict(page.params), "decision": "allow"})


def _is_asked_nothing(_address: str, page: httpx.URL) -> httpx.Response:
    return httpx.get(page)


def _webhook(door: str) -> tuple[str, object]:
    return "/api/v4/webhooks", {"destination": door, "settings": _BELLS}


_PATIENT = {"retry_after": 5, "block_after": 10_000}
AMOCRM = Vendor(
    name="amocrm",
    lease_s=120,
    consent=_agree,
    faults={
        "rates": {"429": 0.03, "500": 0.05, "drop_before": 0.03, "drop_after": 0.10, "502_after_commit": 0.03},
        **_PATIENT,
    },
    asks="/api/v4/leads/complex",
    cards=("leads", "contacts"),
    deals=crm_holds.deals,
    calls=crm_holds.call_notes,
    account={"invoices": True, **_PATIENT},
    bells={"lost_webhook": 0.3, "duplicate_webhook": 0.2, "upsert_enables_hook": True},
    bind=_webhook,
    room=Salesroom,
    theirs=truth.theirs,
    markers=truth.markers,
    looked_over=0,
)
BITRIX24 = Vendor(
    name="bitrix24",
    lease_s=280,
    consent=_is_asked_nothing,
    faults={
        "rates": {
            "503": 0.03, "500": 0.05, "drop_before": 0.03, "drop_after": 0.10, "502_after_commit": 0.03,
            "504_after_commit": 0.03, "hang": 0.02,
        },
        "hang_by": "clock",
        "hang_seconds": 20,
        # Its journal shall name the deals that are asked for, not those that are looked for.
        "marker_pattern": r'crm\.item\.add\?entityTypeId=2&[^"]*?fields\[originId\]=hub:([0-9A-Za-z._-]+)',
    },
    asks="/rest/batch",
    cards=("deal", "contact"),
    deals=portal_holds.deals,
    calls=portal_holds.calls,
    account={},
    bells={"lost_event": 0.3, "duplicate_event": 0.2},
    bind=None,
    room=PortalRoom,
    theirs=portal_holds.theirs,
    markers=portal_holds.markers,
    looked_over=100,
)  # fmt: skip
VENDORS = (AMOCRM, BITRIX24)
