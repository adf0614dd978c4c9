"""The sales people in Bitrix24: they move deals, take advances and payments, win some and lose others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.crm import digits
from sandbox.demo.crm_bitrix24 import Bitrix24, employees, phones_of
from sandbox.demo.fates import Fate, Outcome, standing

WON, LOST = "WON", "LOSE"
_MAIN = "DEAL_STAGE"  # the dictionary of the main pipeline's stages
_CLOSED = {Outcome.WON: WON, Outcome.LOST: LOST}
_DEAL = 2  # entity type
WALK_IN = {"title": "Заказ со стенда", "stageId": WON, "opportunity": 148_000, "isManualOpportunity": "Y"}


@dataclass(slots=True)
class PortalSales:
    """Two or more managers; `fates` say by a caller's digits what becomes of whose deal."""

    crm: Bitrix24
    fates: Mapping[str, Fate]
    managers: Sequence[int]
    stages: Sequence[str]  # those people work in, first to last
    moves: int = 0
    _first_deal: dict[str, int] = field(default_factory=dict)  # digits -> deal
    _shift: int = 0

    @classmethod
    def hire(cls, crm: Bitrix24, fates: Mapping[str, Fate]) -> "PortalSales":
        """Returns the people of a portal."""
        state = crm.stored()
        line = sorted((one for one in state["statuses"] if one["entity_id"] == _MAIN), key=lambda one: one["sort"])
        stages = [one["status_id"] for one in line if not one["semantics"]]
        return cls(crm, {digits(phone): fate for phone, fate in fates.items()}, employees(state), stages)

    def work(self, now: float) -> None:
        """One look at all deals; every deal that is due moves. The people take turns."""
        self._shift += 1
        state = self.crm.stored()
        phones = {one["id"]: phones_of(one) for one in state["contact"]}
        for deal in sorted(state["deal"], key=lambda one: one["id"]):
            fate = self._fate(deal, phones)
            if fate:
                payments = [one for one in state["payments"] if one["owner"] == [_DEAL, deal["id"]]]
                self._attend(deal, fate, now - deal["createdTime"], payments)

    def walk_in(self) -> None:
        """Somebody buys at the stand: a won deal that no enquiry brought."""
        told = {"entityTypeId": _DEAL, "fields": WALK_IN}
        self._do("call-method", method="crm.item.add", params=told)

    def _fate(self, deal: Mapping[str, Any], phones: Mapping[int, Sequence[str]]) -> Fate | None:
        phone = next((phone for contact in deal["contactIds"] for phone in phones.get(contact, ())), "")
        if self._first_deal.setdefault(phone, deal["id"]) != deal["id"]:
            return None  # a later deal of the same person stays where it is
        return self.fates.get(phone)

    def _attend(self, deal: Mapping[str, Any], fate: Fate, age: float, payments: Sequence[object]) -> None:
        """Do to one deal what is due: type its amount, take what is paid, move it."""
        stands = standing(fate, age)
        is_won = stands.outcome is Outcome.WON
        if stands.price is not None and deal.get("opportunity") != stands.price * 100:
            self._do("amount", id=deal["id"], minor=stands.price * 100)
        if fate.advance_minor and not payments and (is_won or stands.part >= 0.5):
            self._do("payment", id=deal["id"], minor=fate.advance_minor, paid=True)
        if fate.advance_minor and is_won and len(payments) < 2:
            self._do("payment", id=deal["id"], minor=fate.price * 100 - fate.advance_minor, paid=not fate.is_owed)
        stage = _CLOSED.get(stands.outcome) or str(stands.of(self.stages))
        if deal["stageId"] != stage:
            self._do("move", kind="deal", id=deal["id"], stage=stage)
            self.moves += 1

    def _do(self, deed: str, **told: object) -> None:
        self.crm.do(deed, self.managers[self._shift % len(self.managers)], **told)
