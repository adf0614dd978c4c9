"""The texts of a plan's rules, filled with what is known of the enquiry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.scenario import (
    NAME_CAP,
    Action,
    AddTags,
    CloseTasks,
    CreateDeal,
    Mode,
    MoveDeal,
    Plan,
    ReopenDeal,
    Rule,
    Write,
    WriteFields,
)
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
    return tuple(_filled(action, values, is_first=plan.enquiry.is_first) for action in rule.actions)


def company_of(plan: Plan, action: CreateDeal) -> str:
    """Return the name of the company that a deal is of; empty where there is none, or it is not known."""
    if plan.language is None or not action.company:
        return action.company
    return _name(action.company, values_of(plan.enquiry, plan.language, plan.timezone))


def _filled(action: Action, values: Mapping[str, str], *, is_first: bool) -> Action:
    if isinstance(action, MoveDeal | ReopenDeal | CloseTasks):
        return action
    if isinstance(action, WriteFields):
        return replace(action, fields=_fields(action.fields, values, is_first=is_first))
    if isinstance(action, AddTags):
        return replace(action, tags=_tags(action.tags, values))
    if isinstance(action, CreateDeal):
        return replace(
            action,
            name=_name(action.name, values) or values["caller"],
            tags=_tags(action.tags, values),
            fields=_fields(action.fields, values, is_first=is_first),
            company=_name(action.company, values),
        )
    return replace(action, text=fill(action.text, values) or values["caller"])


def _fields(asked: Mapping[str, Write], values: Mapping[str, str], *, is_first: bool) -> Mapping[str, Write]:
    """Return what is written of fields: of a person's first enquiry more, of what is unknown nothing."""
    wanted = {code: one for code, one in asked.items() if is_first or one.mode is not Mode.FIRST}
    told = {code: replace(one, text=fill(one.text, values)) for code, one in wanted.items()}
    return {code: one for code, one in told.items() if one.text}


def _tags(asked: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(tag for tag in (fill(tag, values) for tag in asked) if tag)


def _name(text: str, values: Mapping[str, str]) -> str:
    return " ".join(fill(text, values).split())[:NAME_CAP]
