"""What the CRM knows of a caller -> the one rule that is followed, and why the others are not; pure.

A connector looks the caller up and hands over what it saw; a dry-run hands over what the hub's index saw. Both get the
same answer for the same ``Plan`` and the same people, so what was tried on history is what then happens.

Which rule it is: the caller has one state or several, from the most exact to the most general (``states``), and so has
what came of the call (``results``). The first state that has a rule for one of the results is followed, the most exact
result first. Where no rule fits nothing is done: that is the stated default.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache

import orjson
from pydantic import TypeAdapter

from connectors.assigning import Person, picked
from connectors.filling import filled
from connectors.known import Known as Known
from connectors.known import KnownDeal as KnownDeal
from connectors.known import age_of as age_of
from connectors.reopening import lost_deal, reopens
from connectors.scenario import TALKED, Action, CallerState, CreateDeal, OfSeveral, Plan, Result, Rule, assigns


class NotFollowed(StrEnum):
    """Why a rule of the same trigger was not followed."""

    OTHER_STATE = "other_state"  # the caller is not as it says
    OTHER_RESULT = "other_result"  # the call did not come to what it says
    LESS_EXACT = "less_exact"  # it fits, and so does one that is more exact


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that was not followed, and why."""

    rule: int
    why: NotFollowed


@dataclass(frozen=True, slots=True)
class Decision:
    """What was seen of the caller, and which rule that led to; ids are the CRM's.

    ``rule`` is None where no rule is written for this: nothing is done. ``contact`` and ``deal`` are those that its
    actions go to. ``contacts``, ``open_deals``, ``won`` and ``lost`` count what was seen.
    """

    state: CallerState
    result: Result
    rule: int | None
    contact: str | None = None
    deal: KnownDeal | None = None
    contact_owner: str | None = None  # who is responsible for the contact
    contacts: int = 0
    open_deals: int = 0
    won: int = 0
    lost: int = 0
    passed: tuple[Passed, ...] = ()


def decide(plan: Plan, people: Sequence[Known]) -> Decision:
    """Return which rule of the plan is followed for a caller whom the CRM knows by ``people``, the oldest first."""
    whose, deal = _open_deal(plan, people)
    seen = [one for known in people for one in known.deals]
    contact = whose if whose and whose.contact else next((known for known in people if known.contact), None)
    responsible = deal.responsible if deal else contact.responsible if contact else None
    states = tuple(_states(plan, people, deal))
    results = tuple(_results(plan, responsible))
    rule = _first([one for one in plan.rules if _can_be(one, people)], states, results)
    if rule and (asked := reopens(rule)) and (lost := lost_deal(asked, people)):
        contact, deal = (lost[0] if lost[0].contact else contact), lost[1]
    return Decision(
        state=states[0],
        result=results[0],
        rule=rule.number if rule else None,
        contact=contact.contact if contact else None,
        deal=deal,
        contact_owner=contact.responsible if contact else None,
        contacts=sum(bool(known.contact) for known in people),
        open_deals=sum(one.is_open for one in seen),
        won=sum(one.outcome == "won" for one in seen),
        lost=sum(one.outcome == "lost" for one in seen),
        passed=tuple(Passed(one.number, _why(one, states, results)) for one in plan.rules if one is not rule),
    )


def decide_on(plan: Plan, deal: KnownDeal, contact: str = "") -> Decision:
    """Return which rule is followed for an enquiry that goes to this deal, whatever else there is of the caller."""
    return decide(plan, (Known(contact, (deal,)),))


def decide_made(plan: Plan, before: Sequence[Known]) -> Decision:
    """Return by which rule an earlier attempt made its deal, by whom the CRM knew before that deal was there."""
    decision = decide(plan, before)
    making = [rule for rule in plan.rules if _makes(rule.actions)]
    if any(rule.number == decision.rule for rule in making) or not making:
        return decision
    rule = making[0]
    return replace(decision, rule=rule.number, state=rule.state, result=rule.result)


def asks_who_was_there(plan: Plan) -> bool:
    """Say whether it makes a difference by which rule an earlier attempt made its deal."""
    making = [rule for rule in plan.rules if _makes(rule.actions)]
    after = [[one for one in rule.actions if not isinstance(one, CreateDeal)] for rule in making]
    return any(one != after[0] for one in after)


def _makes(actions: Iterable[Action]) -> bool:
    return any(isinstance(one, CreateDeal) for one in actions)


def actions_of(plan: Plan, decision: Decision) -> tuple[Action, ...]:
    """Return what a decision asks for, in order and with texts filled; empty where no rule fits."""
    return tuple(action for action, _ in given(plan, decision))


def given(plan: Plan, decision: Decision) -> Iterator[tuple[Action, Person | None]]:
    """Yield what a decision asks for, and who was chosen to get it; a task after a new deal is its owner's."""
    deal_owner = decision.deal.responsible if decision.deal else None
    for action in next((filled(plan, rule) for rule in plan.rules if rule.number == decision.rule), ()):
        person = None
        if assigns(action):
            person = picked(action.who, deal_owner, decision.contact_owner)
            action = replace(action, responsible=person.user if person else None, who=())
        if isinstance(action, CreateDeal):
            deal_owner = action.responsible
        yield action, person


def dump_decision(decision: Decision) -> str:
    """Return a decision as JSON; ``load_decision`` gives an equal one back."""
    return orjson.dumps(decision).decode()


@cache
def _decisions() -> TypeAdapter[Decision]:
    return TypeAdapter(Decision)


def load_decision(text: str) -> Decision:
    """Return the decision of a JSON text made by ``dump_decision``; raises ValueError for anything else."""
    return _decisions().validate_json(text)


def _first(rules: Sequence[Rule], states: Sequence[CallerState], results: Sequence[Result]) -> Rule | None:
    by_place = {(rule.state, rule.result): rule for rule in rules}
    places = ((state, result) for state in states for result in results)
    return next((by_place[place] for place in places if place in by_place), None)


def _can_be(rule: Rule, people: Sequence[Known]) -> bool:
    """Say whether there is what a rule opens again: where there is none, a more general one is followed."""
    asked = reopens(rule)
    return asked is None or lost_deal(asked, people) is not None


def _why(rule: Rule, states: Sequence[CallerState], results: Sequence[Result]) -> NotFollowed:
    if rule.state not in states:
        return NotFollowed.OTHER_STATE
    return NotFollowed.LESS_EXACT if rule.result in results else NotFollowed.OTHER_RESULT


# -- what holds, from the most exact to the most general


def _states(plan: Plan, people: Sequence[Known], deal: KnownDeal | None) -> Iterator[CallerState]:
    if plan.caller_is is not None:
        yield plan.caller_is
        return
    if not people:
        yield CallerState.UNKNOWN
        return
    if sum(bool(known.contact) for known in people) > 1:
        yield CallerState.SEVERAL_CONTACTS
    if deal is not None:
        yield from _of_open(plan, deal)
    else:
        yield from _of_closed(plan, [one for known in people for one in known.deals])


def _of_open(plan: Plan, deal: KnownDeal) -> Iterator[CallerState]:
    if deal.is_lead:
        yield CallerState.OPEN_LEAD
    elif not _is_here(plan, deal):
        yield CallerState.OPEN_ELSEWHERE
    yield CallerState.OPEN_DEAL


def _of_closed(plan: Plan, deals: Sequence[KnownDeal]) -> Iterator[CallerState]:
    if not deals:
        yield CallerState.NO_DEALS
    elif any(deal.outcome == "won" for deal in deals):
        yield CallerState.WON
    else:
        if any(_was_lately(plan, deal) for deal in deals):
            yield CallerState.LOST_LATELY
        yield CallerState.LOST
    yield CallerState.NO_OPEN_DEAL


def _was_lately(plan: Plan, deal: KnownDeal) -> bool:
    """Say whether a deal was closed within the days that the scenario takes for lately."""
    since = plan.enquiry.started_at - timedelta(days=plan.lately_days)
    return deal.closed_at is not None and deal.closed_at >= since


def _results(plan: Plan, responsible: str | None) -> Iterator[Result]:
    if plan.trigger in TALKED and plan.enquiry.answered:
        if plan.is_short:
            yield Result.SHORT
        if plan.answered_by is None:
            yield Result.BY_UNLINKED
        else:
            yield Result.BY_RESPONSIBLE if plan.answered_by == responsible else Result.BY_OTHER
    yield Result.OTHERWISE


# -- which deal


def _open_deal(plan: Plan, people: Iterable[Known]) -> tuple[Known | None, KnownDeal | None]:
    """Return the open deal that is written on, and whose it is: deals before leads, those here before others."""
    found = [(known, deal) for known in people for deal in known.deals if deal.is_open]
    if not found:
        return None, None
    best = max(_rank(plan, deal) for _, deal in found)
    same = sorted((one for one in found if _rank(plan, one[1]) == best), key=lambda one: age_of(one[1].id))
    return same[0 if plan.of_several is OfSeveral.OLDEST else -1]


def _rank(plan: Plan, deal: KnownDeal) -> tuple[bool, bool, bool]:
    """Order deals by what counts more than their age."""
    is_his = plan.answered_by is not None and deal.responsible == plan.answered_by
    return not deal.is_lead, _is_here(plan, deal), is_his and plan.of_several is OfSeveral.ANSWERERS


def _is_here(plan: Plan, deal: KnownDeal) -> bool:
    return plan.pipeline is None or deal.pipeline is None or deal.pipeline == plan.pipeline
