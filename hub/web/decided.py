"""Why a plan came to what it came to, in the reader's words: the rule that was followed, and the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.assigning import Assignee, InTurn, Owner, Person
from connectors.deciding import Decision, KnownDeal, actions_of
from connectors.filling import filled_rules
from connectors.scenario import (
    Action,
    AddNote,
    AddTags,
    AddTask,
    CallerState,
    CreateDeal,
    Enquiry,
    MoveDeal,
    Plan,
    ReopenDeal,
    Result,
    Rule,
    Trigger,
    WriteFields,
)
from hub.rehearsal import Rehearsed
from hub.web.words import Words
from tracking_core.phone import masked, national


@dataclass(frozen=True, slots=True)
class ToldRule:
    """A rule of a plan; ``why`` says why it was not followed, and is empty for the one that was, or while none was."""

    number: int
    when: str
    actions: Sequence[Action]
    is_followed: bool
    why: str


def sentence(decision: Decision, facts: Mapping[str, Any], t: Words) -> str:
    """Return which rule was followed and what was seen, such as "Rule 3: there is an open deal 771 in Sales, ..."."""
    seen = [t.of("decided.state", decision.state)]
    if decision.contacts > 1:
        seen.append(t.count("decided.contacts", decision.contacts))
    if decision.deal:
        seen.append(_deal(decision.deal, facts, t))
    if decision.open_deals > 1:
        seen.append(t.count("decided.open_deals", decision.open_deals))
    if decision.won or decision.lost:
        seen.append(t("decided.closed", won=decision.won, lost=decision.lost))
    if decision.result is not Result.OTHERWISE:
        seen.append(t.of("decided.result", decision.result))
    told = "; ".join(seen)
    return t("decided.rule", n=decision.rule, seen=told) if decision.rule else t("decided.none", seen=told)


def rules(plan: Plan, decision: Decision | None, t: Words) -> list[ToldRule]:
    """Return each rule of a plan that asks for something, or was followed."""
    why = {one.rule: t.of("decided.passed", one.why) for one in decision.passed} if decision else {}
    followed = decision.rule if decision else None
    return [
        ToldRule(
            rule.number,
            when(rule, t),
            _actions(plan, rule, decision),
            rule.number == followed,
            why.get(rule.number, ""),
        )
        for rule in filled_rules(plan)
        if rule.actions or rule.number == followed
    ]


def _actions(plan: Plan, rule: Rule, decision: Decision | None) -> Sequence[Action]:
    """Return what a rule asks for; of the one that was followed, with who got it."""
    return actions_of(plan, decision) if decision and decision.rule == rule.number else rule.actions


def when(rule: Rule, t: Words) -> str:
    """Return for whom a rule is."""
    state = t.of("caller_state", rule.state)
    return state if rule.result is Result.OTHERWISE else f"{state}, {t.of('caller_result', rule.result)}"


def cell(trigger: Trigger, state: CallerState, t: Words) -> str:
    """Return what a cell of a scenario's table is for, such as "The call was missed: if there is an open deal"."""
    happens, knows = t.of("trigger", trigger), t.of("caller_state", state)
    return t("cell.head", trigger=happens[:1].upper() + happens[1:], state=knows[:1].lower() + knows[1:])


def act(action: Action, enquiry: Enquiry, facts: Mapping[str, Any], t: Words) -> str:
    """Return what an action does, in words, with the person's number masked: only the CRM gets it whole."""
    return _said(action, facts, t, "plan", partial(_covered, enquiry=enquiry))


def done(of_one: Rehearsed, enquiry: Enquiry, facts: Mapping[str, Any], t: Words) -> str:
    """Return what rules do with an enquiry, whatever happens to it, in one line."""
    actions = (action for did in of_one.values() for action in did.actions)
    return "; ".join(act(one, enquiry, facts, t) for one in actions) or t("dry_run.does_nothing")


def short(action: Action, facts: Mapping[str, Any], t: Words) -> str:
    """Return what an action does in few words, with the placeholders of its texts as they are written."""
    return _said(action, facts, t, "act", str)


def _said(action: Action, facts: Mapping[str, Any], t: Words, form: str, text: Callable[[str], str]) -> str:
    """Return what an action does; ``form`` says how, ``text`` what becomes of what stands in it."""
    if isinstance(action, CreateDeal):
        kind = "incoming" if action.incoming else "deal"
        return _owned(t(f"{form}.{kind}", name=text(action.name)), action, facts, t)
    if isinstance(action, AddTask):
        return _owned(t(f"{form}.task", text=text(action.text), minutes=action.due_minutes), action, facts, t)
    if isinstance(action, WriteFields):
        written = (f"{code} = {text(one.text)}" for code, one in action.fields.items())
        return t(f"{form}.fields", fields=", ".join(written))
    if isinstance(action, MoveDeal):
        return t(f"{form}.move", stage=_stage_name(facts, action.stage))
    if isinstance(action, ReopenDeal):
        return t("act.reopen", stage=_stage_name(facts, action.stage))
    if isinstance(action, AddTags):
        return t("act.tag", tags=", ".join(map(text, action.tags)))
    return t(f"{form}.note") if isinstance(action, AddNote) else t("act.close_tasks")


def _owned(told: str, action: CreateDeal | AddTask, facts: Mapping[str, Any], t: Words) -> str:
    """Return what is made, and for whom where that is said."""
    named = [_called(one, facts, t) for one in action.who]
    if action.responsible:
        named.append(_user(action.responsible, facts))
    return t("act.for", what=told, who=t("act.or").join(named)) if named else told


def _called(one: Assignee, facts: Mapping[str, Any], t: Words) -> str:
    if isinstance(one, Person):
        return _user(one.user, facts)
    if isinstance(one, InTurn):
        return t("act.who.turns", who=", ".join(_user(user, facts) for user in one.people))
    return t.of("act.who", f"{one.of}_owner" if isinstance(one, Owner) else one.kind)


def _user(id_: str, facts: Mapping[str, Any]) -> str:
    return str(facts.get("users", {}).get(id_, id_))


def _covered(text: str, enquiry: Enquiry) -> str:
    caller = enquiry.caller
    if not caller:
        return text
    for spelling in (national(caller), caller, caller.removeprefix("+")):
        text = text.replace(spelling, masked(caller))
    return text


def _stage_name(facts: Mapping[str, Any], stage: str) -> str:
    """Return what an account calls a stage, by what was last read of it."""
    stages = (one for pipeline in facts.get("pipelines", ()) for one in pipeline["stages"])
    return next((str(one["name"]) for one in stages if one["id"] == stage), stage)


def _deal(deal: KnownDeal, facts: Mapping[str, Any], t: Words) -> str:
    places = [one for one in facts.get("pipelines", ()) if one["id"] == deal.pipeline]
    told = t("decided.deal_in" if places else "decided.deal", id=deal.id, place=places[0]["name"] if places else "")
    owner = facts.get("users", {}).get(deal.responsible or "")
    return t("decided.owned", deal=told, owner=owner) if owner else told
