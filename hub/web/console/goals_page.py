"""The goals: what counts for each, in words, how often it was reached, and which stages it names in vain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from hub.costs import to_minor
from hub.setup_rules import DealPart, GoalPart, HoursPart, goal_parts, is_usual
from hub.store import asked_goals, crm, goals_told, judging
from hub.store.crm import REMOVED, Installed
from hub.store.goals_told import GoalSum
from hub.store.tx import Tx
from hub.store.vault import Vault
from hub.web.console.page import page
from hub.web.console.shell import Desk, render
from tracking_core.deal_goals import plain

_DAYS = timedelta(days=30)
_LAST = 20
_MAIN = ("call_qualified", "form_qualified")  # of the usual goals, those shown before they are reached


@dataclass(frozen=True, slots=True)
class GoalInWords:
    """A goal as a person reads it: what counts, what each is worth, and what came of it in these days."""

    name: str
    rule: str
    each: str
    reached: int
    with_click: int
    withdrawn: int
    value: str
    sent: int  # by the CRM's own pipeline


@page
async def show(desk: Desk) -> Response:
    """Show the goals of the set-up file, those still reached, and the last ones; nothing can be changed here."""
    told = await desk.hub.db.read(_told, desk.tenant_id, desk.now - _DAYS, desk.hub.vault)
    parts, sums, installed, last, asked = told
    return render(
        desk,
        "goals.html",
        goals=list(_in_words(desk, parts, sums)),
        findings=list(_findings(desk, parts, installed)),
        last=last,
        asked=asked,
        is_usual=all(is_usual(one) for one in parts),
    )


def _told(tx: Tx, tenant_id: int, since: datetime, vault: Vault) -> tuple[Any, ...]:
    return (
        goal_parts(judging.rules_of(tx, tenant_id, vault)),
        goals_told.goal_sums(tx, tenant_id, since),
        [one for one in crm.installations(tx, tenant_id) if one.status != REMOVED and one.facts],
        goals_told.last_goals(tx, tenant_id, since, _LAST),
        asked_goals.last_without_goal(tx, tenant_id, _LAST),
    )


def _in_words(desk: Desk, parts: Sequence[GoalPart], sums: Sequence[GoalSum]) -> Iterator[GoalInWords]:
    """Tell each goal with what came of it, those last that no rule names any more."""
    by_name: dict[str, list[GoalSum]] = {}
    for one in sums:
        by_name.setdefault(one.name, []).append(one)
    for goal in parts:
        if goal.name in by_name or not is_usual(goal) or goal.deal or goal.name in _MAIN:
            yield _with_sums(desk, goal.name, _rule(desk, goal), _each(desk, goal), by_name.pop(goal.name, []))
    for name, counted in by_name.items():
        is_sent = any(one.sent for one in counted)
        yield _with_sums(desk, name, desk.words("goals.sent_rule" if is_sent else "goals.gone"), "", counted)


def _with_sums(desk: Desk, name: str, rule: str, each: str, sums: Sequence[GoalSum]) -> GoalInWords:
    values = [desk.f.money_in(one.value_minor, one.currency) for one in sums if one.value_minor]
    counted = [(one.reached, one.with_click, one.withdrawn, one.sent) for one in sums] or [(0, 0, 0, 0)]
    reached, with_click, withdrawn, sent = (sum(column) for column in zip(*counted, strict=True))
    return GoalInWords(name, rule, each, reached, with_click, withdrawn, " + ".join(values), sent)


# -- a rule in words


def _rule(desk: Desk, goal: GoalPart) -> str:
    said = _deal(desk, goal.deal) if goal.deal is not None else _enquiry(desk, goal)
    return "; ".join(said)


def _enquiry(desk: Desk, goal: GoalPart) -> Iterator[str]:
    t, kinds = desk.words, goal.kinds
    yield ", ".join(t.of("enquiry_kind", kind) for kind in kinds).capitalize() if kinds else t("goals.any")
    if not kinds or "call" in kinds:
        talk = "goals.talk" if kinds == ["call"] else "goals.talk_of_calls"
        yield t(talk, time=desk.f.duration(goal.min_talk_s))
        if goal.answered_within_s is not None:
            yield t("goals.answered", time=desk.f.duration(goal.answered_within_s))
    if goal.called_back_within_s is not None:
        yield t("goals.called_back", time=desk.f.duration(goal.called_back_within_s))
    if goal.first_time_only:
        yield t("goals.first")
    if goal.hours is not None:
        yield _hours(desk, goal.hours)


def _hours(desk: Desk, hours: HoursPart) -> str:
    days = ", ".join(desk.words(f"goals.day.{day}") for day in hours.days)
    return desk.words(
        "goals.hours", days=days, opens=f"{hours.opens:%H:%M}", closes=f"{hours.closes:%H:%M}", zone=hours.zone
    )


def _deal(desk: Desk, deal: DealPart) -> Iterator[str]:
    t = desk.words
    yield t("goals.deal")
    if deal.stage:
        yield t("goals.stage", names=_any(desk, deal.stage))
    if deal.pipeline:
        yield t("goals.pipeline", names=_any(desk, deal.pipeline))
    if deal.tag:
        yield t("goals.tag", names=_any(desk, deal.tag))
    if deal.outcome:
        yield t("goals.won")
    if deal.unless_lost:
        yield t("goals.unless_lost")


def _any(desk: Desk, names: Iterable[str]) -> str:
    quoted = (desk.words("sites.quoted", text=name) for name in names)
    return f" {desk.words('sites.or')} ".join(quoted)


def _each(desk: Desk, goal: GoalPart) -> str:
    if goal.value == "deal" or (goal.value is None and goal.deal is not None):
        return desk.words("goals.worth_deal")
    return desk.words("goals.worth", money=desk.f.money(to_minor(Decimal(goal.value)))) if goal.value else ""


# -- what a rule names and no account has


def _findings(desk: Desk, parts: Sequence[GoalPart], installed: Sequence[Installed]) -> Iterator[str]:
    t, deals = desk.words, [(goal.name, goal.deal) for goal in parts if goal.deal is not None]
    if not installed:
        if any(deal.stage or deal.pipeline or deal.tag for _, deal in deals):
            yield t("goals.find.no_crm")
        return
    pipelines = [one for of in installed for one in of.facts.get("pipelines", ())]
    for goal, deal in deals:
        fits = [one for one in pipelines if not deal.pipeline or plain(deal.pipeline) & _called(one)]
        for name in _missing(deal.pipeline, pipelines):
            yield t("goals.find.pipeline", goal=goal, name=name, there=_listed(desk, pipelines))
        stages = [stage for one in fits or pipelines for stage in one["stages"]]
        for name in _missing(deal.stage, stages):
            yield t("goals.find.stage", goal=goal, name=name, there=_listed(desk, stages))


def _missing(asked: Iterable[str], there: Sequence[Mapping[str, Any]]) -> list[str]:
    known = frozenset[str]().union(*(_called(one) for one in there))
    return [name for name in asked if not plain([name]) & known]


def _called(one: Mapping[str, Any]) -> frozenset[str]:
    return plain([one["id"], one["name"]])


def _listed(desk: Desk, there: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(desk.words("sites.quoted", text=one["name"]) for one in there)) or "—"
