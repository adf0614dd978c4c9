"""People who take turns with what a plan makes; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from connectors.assigning import InTurn, Person, dealt
from connectors.deciding import Decision, given
from connectors.scenario import Action, Plan, assigns


def takes_turns(plan: Plan) -> bool:
    """Say whether people take turns with what a plan may make."""
    chosen = (one.who for rule in plan.rules for one in rule.actions if assigns(one))
    return any(isinstance(one, InTurn) for who in chosen for one in who)


def with_turns(plan: Plan, last: Mapping[str, str]) -> Plan:
    """Return a plan with the people whose turn it is, by who of each list had the last."""
    if not takes_turns(plan):
        return plan
    rules = (replace(rule, actions=tuple(_dealt(one, last) for one in rule.actions)) for rule in plan.rules)
    return replace(plan, rules=tuple(rules))


def _dealt(action: Action, last: Mapping[str, str]) -> Action:
    return replace(action, who=dealt(action.who, last)) if assigns(action) else action


def turns_in(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each list that turns of a plan are of, and who has it."""
    for rule in plan.rules:
        for action in rule.actions:
            people = (who for who in (action.who if assigns(action) else ()) if isinstance(who, Person))
            yield from ((who.turn, who.user) for who in people if who.turn)


def turns_taken(plan: Plan, decision: Decision) -> dict[str, str]:
    """Return who had the turn of which list with what a decision asks for."""
    if not any(turns_in(plan)):
        return {}
    return {person.turn: person.user for _, person in given(plan, decision) if person is not None and person.turn}
