"""Another client of the same account, who makes and merges contacts of the very people who call, between our requests.

It does the right thing by itself: it searches, makes a contact (every second time with a deal) where it finds none, and
where it finds one it makes another and merges the two, so that the one we know is gone. Two it leaves alone.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from connectors.http import Http
from connectors.protocol import Connector
from tests.proofs.street import Crm

_PHONE = re.compile(r"\+7916\d{7}")
Row = dict[str, Any]


@dataclass(slots=True)
class Rival:
    """The other client; ``acts`` times before each of our requests it turns to one of these people at random."""

    web: httpx.Client  # by which it asks, as a person whom no limit binds
    phones: Sequence[str]
    acts: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    made: int = 0
    merged: int = 0

    def beside(self, batch: int) -> Callable[[Connector], Connector]:
        """Return what makes a connector of one beside whom this client is at work, with batches of this size."""

        def wrap(connector: Connector) -> Connector:
            def opened(http: Http, *asked: Any) -> Any:
                self._come_before(http)
                return connector.open(http, *asked)

            limits = replace(connector.manifest.limits, batch=batch)
            return replace(connector, open=opened, manifest=replace(connector.manifest, limits=limits))

        return wrap

    def _come_before(self, http: Http) -> None:
        honest = http._exchange

        async def exchange(request: Any) -> Any:
            for _ in range(self.acts):
                self._act(self.chance.choice(self.phones))
            return await honest(request)

        http._exchange = exchange  # type: ignore[method-assign]

    def merge_all(self, phones: Sequence[str]) -> None:
        """Merge the contacts of these people, as who looks through the list of doubles does."""
        for phone in phones:
            found = self.web.get("/api/v4/contacts", params={"query": phone[-10:]}).json()["_embedded"]["contacts"]
            keep, *lose = sorted(one["id"] for one in found)
            for id_ in lose:
                self._post("/_sandbox/merge", {"kind": "contacts", "lose": id_, "keep": keep})

    def _act(self, phone: str) -> None:
        found = self.web.get("/api/v4/contacts", params={"query": phone[-10:]})
        if found.status_code == 204:
            self._make(phone)
            return
        old, *others = [one["id"] for one in found.json()["_embedded"]["contacts"]]
        if others:
            return
        new = self._post("/api/v4/contacts", [_contact(phone)])["_embedded"]["contacts"][0]["id"]
        self._post("/_sandbox/merge", {"kind": "contacts", "lose": old, "keep": new})
        self.merged += 1

    def _make(self, phone: str) -> None:
        self.made += 1
        if self.made % 2:
            self._post("/api/v4/contacts", [_contact(phone)])
        else:
            self._post("/api/v4/leads/complex", [{"name": "Сам", "_embedded": {"contacts": [_contact(phone)]}}])

    def _post(self, path: str, told: object) -> Any:
        answer = self.web.post(path, json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _contact(phone: str) -> dict[str, Any]:
    """A contact as a person types it in."""
    spelt = f"8 ({phone[2:5]}) {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    values = [{"value": spelt, "enum_code": "MOB"}]
    return {"name": f"Клиент {phone}", "custom_fields_values": [{"field_code": "PHONE", "values": values}]}


@dataclass(slots=True)
class Doubled:
    """What stands twice in an account, and whether the other client made it between our last look and our writing."""

    contacts: list[str] = field(default_factory=list)  # phones of two contacts, made so
    deals: list[str] = field(default_factory=list)  # and of two deals
    otherwise: list[str] = field(default_factory=list)  # phones of what stands twice for any other reason
    longest_s: float = 0.0  # from a look to the last writing by it
    found: int = 0  # people the other client had made whom we wrote to, and did not make again
    joined: int = 0  # contacts of ours that gave their phone away
    own_deals: int = 0  # callers with two deals of ours

    def figures(self) -> dict[str, Any]:
        """Return this as figures of a proof."""
        told = {"found": self.found, "joined": self.joined, "own_deals_doubled": self.own_deals}
        told |= {"contacts_doubled": len(self.contacts), "deals_doubled": len(self.deals)}
        return {**told, "otherwise": len(self.otherwise), "between_s": round(self.longest_s, 2)}


def held(crm: Crm) -> tuple[int, int]:
    """Return how many contacts and deals there are."""
    state = crm.state()
    return len([one for one in state["contacts"] if not one["is_deleted"]]), len(state["leads"])


def judge(crm: Crm, phones: Sequence[str]) -> Doubled:
    """Compare what the account holds with the journal of who asked it what, and when."""
    state, rows = crm.state(), crm.ledger()
    people, deals = _held(state)
    looks = [row for row in rows if _is_list(row)]
    ours, theirs = _writings(rows, ours=True), _writings(rows, ours=False)
    searches = _searches(rows)
    told = Doubled(joined=_empty(state), own_deals=_twice(state))
    for phone in phones:
        made = ours.get(phone)
        looked = [row for row in (*looks, *searches.get(phone, ())) if made and row["number"] < made["number"]]
        look = max(looked, key=_number, default=None)
        if made and look:
            told.longest_s = max(told.longest_s, made["arrived"] - look["arrived"])
        came = theirs.get(phone)
        is_between = bool(made and look and came and came["number"] > look["number"])
        for held, doubled in ((people, told.contacts), (deals, told.deals)):
            if len(held.get(phone, ())) > 1:
                (doubled if is_between else told.otherwise).append(phone)
        told.found += bool(made and came and not is_between and came["number"] < made["number"])
    return told


def _held(state: dict[str, Any]) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """Return the contacts and the deals of each phone."""
    people: dict[str, set[int]] = {}
    deals: dict[str, set[int]] = {}
    phone_of: dict[int, str] = {}
    for contact in state["contacts"]:
        if contact["is_deleted"]:
            continue
        values = [one["values"] for one in contact["custom_fields_values"] or () if one["field_code"] == "PHONE"]
        digits = {re.sub(r"\D", "", value["value"])[-10:] for held in values for value in held}
        for ten in digits:
            people.setdefault(f"+7{ten}", set()).add(contact["id"])
            phone_of[contact["id"]] = f"+7{ten}"
    for lead in state["leads"]:
        held = [one["id"] for one in lead["links"].get("contacts", ())]
        assert held, f"a deal of nobody: {lead}"
        assert all(id_ in phone_of for id_ in held), f"a deal of somebody who is gone: {lead}"
        for id_ in held:
            deals.setdefault(phone_of[id_], set()).add(lead["id"])
    return people, deals


def _empty(state: dict[str, Any]) -> int:
    """Return how many contacts have no phone."""
    living = [one for one in state["contacts"] if not one["is_deleted"]]
    return len([one for one in living if not one["custom_fields_values"]])


def _twice(state: dict[str, Any]) -> int:
    """Return how many callers have more than one deal of ours, which are named by them."""
    names = Counter(one["name"] for one in state["leads"] if one["custom_fields_values"])
    return len([name for name, times in names.items() if times > 1])


def _is_list(row: Row) -> bool:
    """Say whether this is where the hub begins to read what changed."""
    return row["path"] == "/api/v4/contacts" and row["method"] == "GET" and "page=1&" in f"{row['query']}&"


def _searches(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the hub's own searches by phone; it asks for the deals, too."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["path"] == "/api/v4/contacts" and (asked := re.match(r"query=(\d{10})&with=leads", row["query"])):
            found.setdefault(f"+7{asked[1]}", []).append(row)
    return found


def _writings(rows: Sequence[Row], *, ours: bool) -> dict[str, Row]:
    """Return the first writing about each phone: the hub's requests for deals carry its marker."""
    found: dict[str, Row] = {}
    for row in rows:
        is_deal = row["path"] == "/api/v4/leads/complex"
        is_contact = row["path"] == "/api/v4/contacts"
        if row["method"] != "POST" or row["status"] != 200 or not (is_deal or is_contact):
            continue
        if bool(row["markers"]) is ours:
            for phone in _PHONE.findall(row["body"]):
                found.setdefault(phone, row)
    return found


def _number(row: Row) -> int:
    return int(row["number"])
