"""The sandbox Bitrix24 as the demo sees it: everything the portal holds, and what its people do at the screen."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.demo.crm import CrmState, Deal, Traffic, digits, read_ledger
from sandbox.demo.door import Door

_SLOWED = (429, 503)
_DEAL = 2  # entity type
_MARKER = re.compile(r"\b([0-9a-f]{32})\b")
_TODO = "CRM_TODO"
_LOOKED_OVER = 100  # deals of one read-back, whether they changed or not


class Bitrix24:
    """The doors of a running sandbox Bitrix24 that need no vendor's grant."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def stored(self) -> dict[str, Any]:
        """Returns everything stored, in the sandbox's own terms."""
        return self.door.get("/_sandbox/state").expect(200).told()

    def state(self) -> CrmState:
        """Returns what the portal holds now."""
        return read_state(self.stored())

    def traffic(self) -> Traffic:
        """Returns what the portal was asked so far; a full bucket is a 503 here."""
        return read_ledger(self.door, _SLOWED)

    def readings(self) -> int:
        """Returns how many read-backs may pass until the hub knows all that was paid: a payment changes no deal."""
        return 1 + len(self.stored()["deal"]) // _LOOKED_OVER

    def do(self, deed: str, user_id: int, **told: object) -> dict[str, Any]:
        """Has an employee do something at his screen."""
        return self.door.post_json(f"/_sandbox/{deed}", {"user_id": user_id, **told}).expect(200).told()


def read_state(state: Mapping[str, Any]) -> CrmState:
    """Returns the state of `GET /_sandbox/state` in the demo's terms; money is in minor units there as well."""
    contacts = {one["id"]: phones_of(one) for one in state["contact"]}
    paid: dict[int, int] = {}
    for payment in state["payments"]:
        kind, of = payment["owner"]
        if kind == _DEAL and payment["paid"]:
            paid[of] = paid.get(of, 0) + payment["sum"]
    traces: dict[str, set[tuple[str, int]]] = {}
    for marker, what, id_ in _marks(state):
        traces.setdefault(marker, set()).add((what, id_))
    return CrmState(
        deals=[_deal(one, contacts, paid.get(one["id"], 0)) for one in state["deal"]],
        traces={marker: frozenset(found) for marker, found in traces.items()},
        phones=[phone for phones in contacts.values() for phone in phones],
        contacts=len(contacts),
        tasks=sum(one["values"].get("PROVIDER_ID") == _TODO for one in state["activities"]),
    )


def _marks(state: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The marker, kind and id of whatever carries one of ours: a deal, a comment, a call or something to do."""
    for deal in state["deal"]:
        yield from ((marker, "deal", deal["id"]) for marker in _markers(deal))
    for comment in state["comments"]:
        yield from ((marker, "note", comment["id"]) for marker in _MARKER.findall(comment["text"]))
    for activity in state["activities"]:
        values = activity["values"]
        said = f"{values.get('ORIGIN_ID') or ''} {values.get('DESCRIPTION') or ''}"
        what = "task" if values.get("PROVIDER_ID") == _TODO else "call"
        yield from ((marker, what, activity["id"]) for marker in _MARKER.findall(said))


def _deal(deal: Mapping[str, Any], contacts: Mapping[int, tuple[str, ...]], paid: int) -> Deal:
    return Deal(
        id=deal["id"],
        markers=_markers(deal),
        phones=tuple(phone for contact in deal["contactIds"] for phone in contacts.get(contact, ())),
        price=int(deal.get("opportunity") or 0),
        is_won=deal["stageSemanticId"] == "S",
        created_at=deal["createdTime"],
        # What stands in `closedate` of an open deal is a plan: it was closed when it came to its last stage.
        closed_at=deal["movedTime"] if deal["stageSemanticId"] in ("S", "F") else None,
        paid=paid,
    )


def _markers(deal: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_MARKER.findall(str(deal.get("originId") or "")))


def phones_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the phones of a contact card, digits only, each once."""
    return tuple(dict.fromkeys(digits(str(one["value"])) for one in card["fm"] if one["type"] == "PHONE"))


def employees(state: Mapping[str, Any]) -> Sequence[int]:
    """Returns the ids of the portal's sales people, without its admin."""
    return [user["id"] for user in state["users"] if not user["is_admin"]]
