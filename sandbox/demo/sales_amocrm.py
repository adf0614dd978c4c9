"""The sales people in amoCRM: now and then they look at their leads, move them on, win some and lose others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.demo.crm import digits
from sandbox.demo.crm_amocrm import LOST, WON, AmoCrm
from sandbox.demo.door import Door, Query
from sandbox.demo.fates import Fate, Outcome, standing

_CLOSED = {Outcome.WON: WON, Outcome.LOST: LOST}
_PAGE = 250
WALK_IN = {"name": "Заказ с выставки", "price": 64_500}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The main pipeline: its id and the ids of the stages people work in, first to last."""

    id: int
    stages: Sequence[int]


@dataclass(slots=True)
class AmoSales:
    """Two or more sales people with tokens of their own; `fates` say what becomes of whose deal."""

    door: Door
    fates: Mapping[str, Fate]
    tokens: Sequence[str]
    moves: int = 0
    _pipeline: Pipeline | None = None
    _phones: dict[int, str] = field(default_factory=dict)  # contact -> digits
    _first_deal: dict[str, int] = field(default_factory=dict)  # digits -> lead
    _shift: int = 0

    @classmethod
    def hire(cls, crm: AmoCrm, fates: Mapping[str, Fate]) -> "AmoSales":
        """Returns the department of an account, each of its people logged in."""
        by_digits = {digits(phone): fate for phone, fate in fates.items()}
        return cls(crm.door, by_digits, [crm.token(user) for user in crm.people()])

    def work(self, now: float) -> None:
        """One look at all deals; every deal that is due moves. The people take turns."""
        self._shift += 1
        leads = self._all("leads")
        if not leads:
            return
        if any(contact not in self._phones for lead in leads for contact in _contacts(lead)):
            self._learn_phones()
        moves = [move for lead in sorted(leads, key=lambda one: one["id"]) if (move := self._move(lead, now))]
        for start in range(0, len(moves), _PAGE):
            self._write("PATCH", moves[start : start + _PAGE])
        self.moves += len(moves)

    def walk_in(self) -> None:
        """Somebody buys at the exhibition stand: a won deal that no call brought."""
        pipeline = self._main_pipeline()
        self._write("POST", [{**WALK_IN, "status_id": WON, "pipeline_id": pipeline.id}])

    def _move(self, lead: Mapping[str, Any], now: float) -> dict[str, Any] | None:
        fate = self._fate(lead)
        wanted = self._wanted(lead, fate, now - lead["created_at"]) if fate else None
        if not wanted or all(lead.get(name) == told for name, told in wanted.items()):
            return None
        return {"id": lead["id"], "pipeline_id": self._main_pipeline().id, **wanted}

    def _fate(self, lead: Mapping[str, Any]) -> Fate | None:
        phone = next((self._phones[one] for one in _contacts(lead) if one in self._phones), "")
        if self._first_deal.setdefault(phone, lead["id"]) != lead["id"]:
            return None  # a later deal of the same person stays where it is
        return self.fates.get(phone)

    def _wanted(self, lead: Mapping[str, Any], fate: Fate, age: float) -> dict[str, Any]:
        stands = standing(fate, age)
        if stands.outcome is Outcome.OPEN:
            return {"status_id": stands.of(self._main_pipeline().stages)}
        return {"status_id": _CLOSED[stands.outcome]} | ({} if stands.price is None else {"price": stands.price})

    def _main_pipeline(self) -> Pipeline:
        if self._pipeline is None:
            pipelines = self._read("leads/pipelines")["_embedded"]["pipelines"]
            main = next(one for one in pipelines if one["is_main"])
            ordered = sorted(main["_embedded"]["statuses"], key=lambda stage: stage["sort"])
            working = [stage["id"] for stage in ordered if stage["type"] == 0 and stage["id"] not in (WON, LOST)]
            self._pipeline = Pipeline(main["id"], working)
        return self._pipeline

    def _learn_phones(self) -> None:
        for contact in self._all("contacts"):
            fields = contact["custom_fields_values"] or ()
            values = [one["values"][0]["value"] for one in fields if one["field_code"] == "PHONE"]
            self._phones[contact["id"]] = digits(str(values[0])) if values else ""

    def _all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in count(1):
            told = self._read(kind, {"with": "contacts", "limit": _PAGE, "page": page})
            found += told.get("_embedded", {}).get(kind, ())
            if "next" not in told.get("_links", {}):
                break
        return found

    def _read(self, what: str, query: Query | None = None) -> dict[str, Any]:
        answer = self.door.get(f"/api/v4/{what}", query, self._badge()).expect(200, 204)
        return answer.told() if answer.status == 200 else {}

    def _write(self, method: str, leads: list[dict[str, Any]]) -> None:
        self.door.post_json("/api/v4/leads", leads, self._badge(), method).expect(200)

    def _badge(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.tokens[self._shift % len(self.tokens)]}"}


def _contacts(lead: Mapping[str, Any]) -> list[int]:
    return [one["id"] for one in lead.get("_embedded", {}).get("contacts", ())]
