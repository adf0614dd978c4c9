"""The comparison: what really happened against what the hub says and what the CRM holds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo.calls import CallPlan
from sandbox.demo.crm import CrmState, Deal, digits
from sandbox.demo.forms import FormPlan
from sandbox.demo.telephony import call_id

NOBODY = ""


@dataclass(frozen=True, slots=True)
class HubCall:
    """One call as the hub tells it; `markers` are its deliveries', `delivered` says that one arrived."""

    provider_call_id: str
    visitor: str | None
    placement: str | None
    reason: str
    markers: tuple[str, ...]
    delivered: bool
    refs: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HubForm:
    """One form as the hub tells it; `markers` are its deliveries', `delivered` says that one arrived."""

    visitor: str | None
    markers: tuple[str, ...]
    delivered: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A call or form that should be in the CRM and is not, with what each side knows of it."""

    provider_call_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Matching:
    """How many calls from outside were matched, rightly or wrongly; `by_reason` has both for each reason."""

    right: int
    wrong: int
    unmatched: int
    unmatched_rightly: int
    by_reason: Mapping[str, Mapping[str, int]]

    @property
    def named_rightly(self) -> int:
        """The calls to shared numbers that were given to a visitor for sure, and to the right one."""
        unsure = {"static_number", "probable", "nobody"}
        return sum(told.get("right", 0) for reason, told in self.by_reason.items() if reason not in unsure)


def read_call(told: Mapping[str, Any]) -> HubCall:
    """Returns a call of `GET /api/v1/calls`."""
    match, deliveries = told["match"], told["deliveries"]
    refs = [ref for one in deliveries for ref in one["refs"]]
    return HubCall(
        provider_call_id=told["provider_call_id"],
        visitor=match["visitor"],
        placement=match["placement"],
        reason=match["reason"],
        markers=tuple(one["id"] for one in deliveries),
        delivered=any(one["state"] == "delivered" for one in deliveries),
        refs=frozenset((ref["kind"], str(ref["id"])) for ref in refs),
    )


def read_forms(told: Iterable[Mapping[str, Any]]) -> Sequence[HubForm]:
    """Returns the forms of `GET /api/v1/enquiries`."""
    return [
        HubForm(
            visitor=one["match"]["visitor"],
            markers=tuple(delivery["id"] for delivery in one["deliveries"]),
            delivered=any(delivery["state"] == "delivered" for delivery in one["deliveries"]),
        )
        for one in told
        if one["kind"] == "form"
    ]


def judge_matches(planned: Iterable[CallPlan], tokens: Mapping[int, str], told: Mapping[str, HubCall]) -> Matching:
    """Compares each call from outside with its truth: the visitor, the placement, or nobody."""
    verdicts: Counter[tuple[str, str]] = Counter()
    for call in planned:
        found = told.get(call_id(call))
        if call.reaches_crm and found:
            verdicts[found.reason or "none", _verdict(call, tokens, found)] += 1
    total: Counter[str] = Counter()
    by_reason: dict[str, dict[str, int]] = {}
    for (reason, verdict), number in sorted(verdicts.items()):
        total[verdict] += number
        by_reason.setdefault(reason, {})[verdict] = number
    unmatched = total["unmatched"] + total["rightly unmatched"]
    return Matching(total["right"], total["wrong"], unmatched, total["rightly unmatched"], by_reason)


def _verdict(call: CallPlan, tokens: Mapping[int, str], found: HubCall) -> str:
    visitor = tokens.get(call.person, NOBODY) if call.person is not None else NOBODY
    truth = call.placement or visitor
    said = found.visitor or found.placement or NOBODY
    if said == NOBODY:
        return "rightly unmatched" if truth == NOBODY else "unmatched"
    return "right" if said == truth else "wrong"


def lost_calls(planned: Iterable[CallPlan], told: Mapping[str, HubCall], crm: CrmState) -> Sequence[Lost]:
    """Returns the calls that should be in the CRM and are not.

    A call is there only if both sides say so: the hub has a delivered delivery, and the CRM holds a deal,
    note or task with the marker of that call.
    """
    lost = []
    for call in planned:
        if not call.reaches_crm:
            continue
        found = told.get(call_id(call))
        if found is None:
            lost.append(Lost(call_id(call), "the hub does not know the call"))
        elif not any(crm.traces.get(marker) for marker in found.markers):
            lost.append(Lost(call_id(call), "nothing in the CRM carries its marker"))
        elif not found.delivered:
            lost.append(Lost(call_id(call), "the CRM has it, but the hub does not count it as delivered"))
    return lost


def lost_forms(planned: Iterable[FormPlan], told: Sequence[HubForm], crm: CrmState) -> Sequence[Lost]:
    """Returns the forms that should be in the CRM and are not: each has a deal with its phone and its marker."""
    made = {marker for form in told if form.delivered for marker in form.markers}
    by_phone = {phone: deal for deal in crm.deals if made.intersection(deal.markers) for phone in deal.phones}
    why = "no deal in the CRM carries its phone and the marker of a form"
    return [Lost(f"form-{form.number:04d}", why) for form in planned if digits(form.phone) not in by_phone]


def forms_of_their_visitors(
    planned: Iterable[FormPlan], tokens: Mapping[int, str], told: Sequence[HubForm], crm: CrmState
) -> int:
    """Returns how many forms the hub gave to the visitor who wrote them."""
    visitors = {marker: form.visitor for form in told for marker in form.markers}
    by_phone = {phone: deal.markers for deal in crm.deals for phone in deal.phones}
    right = 0
    for form in planned:
        said = {visitors.get(marker) for marker in by_phone.get(digits(form.phone), ())}
        right += said == {tokens.get(form.person, NOBODY)}
    return right


def unproven(planned: Iterable[CallPlan], forms: Sequence[FormPlan], crm: CrmState) -> int:
    """Returns how many enquiries are missing by the CRM alone: calls and forms expected less distinct markers."""
    expected = sum(call.reaches_crm for call in planned) + len(forms)
    return max(0, expected - len(crm.traces))


def doubled_deals(crm: CrmState) -> Sequence[Deal]:
    """Returns the deals beyond one for a marker, and beyond one open deal for a caller."""
    doubled: dict[int, Deal] = {}
    by_marker: dict[str, list[Deal]] = {}
    by_phone: dict[str, list[Deal]] = {}
    for deal in sorted(crm.deals, key=lambda one: (one.created_at, one.id)):
        for marker in deal.markers:
            by_marker.setdefault(marker, []).append(deal)
        for phone in set(deal.phones):
            by_phone.setdefault(phone, []).append(deal)
    for same in by_marker.values():
        doubled |= {deal.id: deal for deal in same[1:]}
    for same in by_phone.values():
        doubled |= {deal.id: deal for place, deal in enumerate(same) if _met_open(same[:place], deal)}
    return list(doubled.values())


def _met_open(earlier: Sequence[Deal], deal: Deal) -> bool:
    """Whether some earlier deal of the same caller was still open when this one was made."""
    return any(one.closed_at is None or one.closed_at > deal.created_at for one in earlier)


def doubled_contacts(crm: CrmState) -> int:
    """Returns how many contacts there are beyond one for each phone."""
    return sum(times - 1 for times in Counter(map(digits, crm.phones)).values())


def crm_revenue_minor(crm: CrmState) -> int:
    """Returns what the deals that carry our marker brought, in kopecks: payments, or the price of a won one."""
    return sum(deal.revenue for deal in crm.ours)
