"""The sandbox amoCRM as the demo sees it: the account's whole state, its ledger, and people's own tokens."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo.door import Door

WON, LOST = 142, 143
_MARKER = re.compile(r"hub:([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal: our marker if it carries one, the phones of its contacts, its price in whole roubles."""

    id: int
    markers: tuple[str, ...]
    phones: tuple[str, ...]
    price: int
    status: int
    created_at: float
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class CrmState:
    """What the account holds; `traces` are the objects that carry each marker, as (kind, id)."""

    deals: Sequence[Deal]
    traces: Mapping[str, frozenset[tuple[str, int]]]
    phones: Sequence[str]  # of all contacts, one for each contact and phone
    contacts: int
    tasks: int

    @property
    def won(self) -> Sequence[Deal]:
        """The won deals that carry our marker."""
        return [deal for deal in self.deals if deal.status == WON and deal.markers]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the account was asked: all requests, and how many were answered with 429, another 4xx, or 5xx."""

    requests: int
    throttled: int
    refused: int
    failed: int


def read_state(state: Mapping[str, Any]) -> CrmState:
    """Returns the state of `GET /_sandbox/state` in the demo's terms; deleted cards do not count."""
    contacts = {one["id"]: _phones(one) for one in state["contacts"] if not one["is_deleted"]}
    leads = [one for one in state["leads"] if not one["is_deleted"]]
    traces: dict[str, set[tuple[str, int]]] = {}
    for kind, held in (("deal", leads), ("note", state["notes"]), ("task", state["tasks"])):
        for one in held:
            for marker in _markers(one):
                traces.setdefault(marker, set()).add((kind, one["id"]))
    return CrmState(
        deals=[_deal(one, contacts) for one in leads],
        traces={marker: frozenset(found) for marker, found in traces.items()},
        phones=[phone for phones in contacts.values() for phone in phones],
        contacts=len(contacts),
        tasks=len(state["tasks"]),
    )


def _deal(lead: Mapping[str, Any], contacts: Mapping[int, tuple[str, ...]]) -> Deal:
    linked = [one["id"] for one in lead["links"].get("contacts", ())]
    return Deal(
        id=lead["id"],
        markers=_markers(lead),
        phones=tuple(phone for contact in linked for phone in contacts.get(contact, ())),
        price=lead["price"],
        status=lead["status_id"],
        created_at=lead["created_at"],
        closed_at=lead["closed_at"],
    )


def _markers(one: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MARKER.findall(json.dumps(one))))


def _phones(card: Mapping[str, Any]) -> tuple[str, ...]:
    """The phones of a contact card, digits only, each once."""
    fields = card.get("custom_fields_values") or ()
    values = [value["value"] for one in fields if one.get("field_code") == "PHONE" for value in one["values"]]
    return tuple(dict.fromkeys(digits(str(value)) for value in values))


def digits(phone: str) -> str:
    """Returns the last ten digits of a phone: what makes two spellings one number."""
    return re.sub(r"\D", "", phone)[-10:]


def traffic(ledger: Mapping[str, Any]) -> Traffic:
    """Returns the totals of `GET /_sandbox/ledger`."""
    by_status = {int(status): count for status, count in ledger["totals"].items()}
    return Traffic(
        requests=sum(by_status.values()),
        throttled=by_status.get(429, 0),
        refused=sum(count for status, count in by_status.items() if 400 <= status < 500 and status != 429),
        failed=sum(count for status, count in by_status.items() if status >= 500 or status == 0),
    )


class Crm:
    """The doors of a running sandbox amoCRM that need no vendor's grant."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def state(self) -> CrmState:
        """Returns what the account holds now."""
        return read_state(self.door.get("/_sandbox/state").expect(200).told())

    def traffic(self) -> Traffic:
        """Returns what the account was asked so far, without the rows."""
        return traffic(self.door.get("/_sandbox/ledger", {"since": 10**12}).expect(200).told())

    def people(self) -> Sequence[int]:
        """Returns the ids of the account's sales people, without its admin."""
        users = self.door.get("/_sandbox/state").expect(200).told()["users"]
        return [user["id"] for user in users if not user["is_admin"]]

    def token(self, user_id: int) -> str:
        """Returns an access token of a person, who is not bound by the integration's rate."""
        minted = self.door.post_json("/_sandbox/token", {"user_id": user_id}).expect(200).told()
        return str(minted["access_token"])
