"""The sandbox amoCRM as the demo sees it: the account's whole state, and people's own tokens."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.demo.crm import CrmState, Deal, Traffic, digits, read_ledger
from sandbox.demo.door import Door

WON, LOST = 142, 143
_SLOWED = (429,)
_MARKER = re.compile(r"hub:([0-9a-f]{32})")


class AmoCrm:
    """The doors of a running sandbox amoCRM that need no vendor's grant."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def state(self) -> CrmState:
        """Returns what the account holds now."""
        return read_state(self.door.get("/_sandbox/state").expect(200).told())

    def traffic(self) -> Traffic:
        """Returns what the account was asked so far."""
        return read_ledger(self.door, _SLOWED)

    def readings(self) -> int:
        """Returns how many read-backs may pass until the hub knows all that was paid: deals tell it themselves."""
        return 1

    def people(self) -> Sequence[int]:
        """Returns the ids of the account's sales people, without its admin."""
        users = self.door.get("/_sandbox/state").expect(200).told()["users"]
        return [user["id"] for user in users if not user["is_admin"]]

    def token(self, user_id: int) -> str:
        """Returns an access token of a person, who is not bound by the integration's rate."""
        minted = self.door.post_json("/_sandbox/token", {"user_id": user_id}).expect(200).told()
        return str(minted["access_token"])


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
        price=lead["price"] * 100,  # whole roubles here
        is_won=lead["status_id"] == WON,
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
