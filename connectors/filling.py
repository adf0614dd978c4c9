"""The texts of a plan's rules, filled with what is known of the enquiry."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.scenario import NAME_CAP, Action, CreateDeal, MoveDeal, Plan, Rule
from connectors.templates import fill
from connectors.wording import values_of


def filled_rules(plan: Plan) -> tuple[Rule, ...]:
    """Return the rules of a plan with their texts filled."""
    return tuple(replace(rule, actions=filled(plan, rule)) for rule in plan.rules)


def filled(plan: Plan, rule: Rule) -> tuple[Action, ...]:
    """Return the actions of a rule of the plan, texts filled."""
    if plan.language is None:
        return rule.actions
    values = values_of(plan.enquiry, plan.language, plan.timezone)
    return tuple(_filled(action, values) for action in rule.actions)


def company_of(plan: Plan, action: CreateDeal) -> str:
    """Return the name of the company that a deal is of; empty where there is none, or it is not known."""
    if plan.language is None or not action.company:
        return action.company
    return _name(action.company, values_of(plan.enquiry, plan.language, plan.timezone))


def _filled(action: Action, values: Mapping[str, str]) -> Action:
    if isinstance(action, MoveDeal):
        return action
    if isinstance(action, CreateDeal):
        fields = {key: fill(text, values) for key, text in action.fields.items()}
        return replace(
            action,
            name=_name(action.name, values) or values["caller"],
            tags=tuple(tag for tag in (fill(tag, values) for tag in action.tags) if tag),
            fields={key: text for key, text in fields.items() if text},
            company=_name(action.company, values),
        )
    return replace(action, text=fill(action.text, values) or values["caller"])


def _name(text: str, values: Mapping[str, str]) -> str:
    return " ".join(fill(text, values).split())[:NAME_CAP]
