"""Which goals an enquiry and its deal have reached, and what each is worth (T7)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.protocol import DealChange, StagePassed
from hub.setup_rules import read_deal_rules, read_rules
from hub.store import deals, goals, ledger, reports
from hub.store.crm import Installed, KeptDeal
from hub.store.ledger import Entry, Kind
from hub.store.tx import Tx
from tracking_core import deal_goals
from tracking_core.deal_goals import DealRules, DealSeen, Stood, plain
from tracking_core.enquiry import EnquiryKind
from tracking_core.qualify import Rules, Verdict

Worth = tuple[int, str]  # minor units and their currency
_NOTHING: Worth = (0, "")


def of_enquiry(
    tx: Tx,
    tenant_id: int,
    kind: str,
    told: Mapping[str, Any],
    judged: Iterable[tuple[Rules, Verdict]],
    now: datetime,
) -> None:
    """Write a goal for each rule that accepts an enquiry; one that no longer does takes its goal back.

    ``told`` is its ``enquiry_id``, ``visit_id`` and ``occurred_at``.
    """
    enquiry_id, subject = told["enquiry_id"], f"{kind}:{told['enquiry_id']}"
    named = [(rules.name.format(kind=kind), rules, verdict.qualified) for rules, verdict in judged]
    known = goals.reached_by(tx, tenant_id, [name for name, _, _ in named], subject)
    for name, rules, is_reached in named:
        if is_reached:
            value, currency = _worth_of_enquiry(tx, tenant_id, enquiry_id, rules.value_minor)
            of = {"tenant_id": tenant_id, "name": name, "subject": subject}
            goals.save_goal(tx, {**of, **told, "value_minor": value, "currency": currency})
        elif name in known:
            goals.withdraw_goal(tx, tenant_id, name, subject, now)
        if is_reached != (name in known):
            _note(tx, tenant_id, enquiry_id, name, is_reached, now)


def _note(tx: Tx, tenant_id: int, enquiry_id: int, name: str, is_reached: bool, now: datetime) -> None:
    kind = Kind.GOAL_REACHED if is_reached else Kind.GOAL_TAKEN_BACK
    ledger.write(tx, tenant_id, Entry(kind, now, enquiry_id, facts={"goal": name}))


def _worth_of_enquiry(tx: Tx, tenant_id: int, enquiry_id: int, value_minor: int | None) -> Worth:
    if value_minor is None:
        return deals.worth_of_enquiry(tx, tenant_id, enquiry_id)
    return (value_minor, goals.currency_of(tx, tenant_id, enquiry_id)) if value_minor else _NOTHING


def of_deal(
    tx: Tx,
    of: Installed,
    change: DealChange,
    kept: KeptDeal,
    rules: str,
    now: datetime,
    passed: Sequence[StagePassed] = (),
) -> None:
    """Write the goals that a deal of an enquiry has reached, take back those it has not any more.

    ``rules`` are the customer's, as they are kept; ``passed`` are stages the deal stood in besides the one it is in. A
    deal of no enquiry of ours reaches no goal.
    """
    sent = goals.sent_for(tx, of.tenant_id, _subject(kept.id))
    for name in sent:
        _follow(tx, of, change, kept.id, name, rules, now)
    if kept.enquiry_id is None:
        return
    _save_stages(tx, of, kept.id, passed)
    asked = [one for one in read_deal_rules(rules) if one.name not in sent]
    _by_deal(tx, of, change, kept, kept.enquiry_id, asked, now)
    of_worth(tx, of.tenant_id, (kept.enquiry_id,), rules)


def of_worth(tx: Tx, tenant_id: int, enquiry_ids: Iterable[int], rules: str) -> None:
    """Let the goals of enquiries be worth what their deals are now, where the rules name no value."""
    follow = [one.name for one in read_rules(rules) if one.value_minor is None]
    for enquiry_id in enquiry_ids if follow else ():
        worth = deals.worth_of_enquiry(tx, tenant_id, enquiry_id)
        subjects = [f"{kind}:{enquiry_id}" for kind in EnquiryKind]
        goals.revalue(tx, tenant_id, follow, subjects, worth)


def send(
    tx: Tx,
    of: Installed,
    change: DealChange,
    ours: tuple[int, int],
    name: str,
    at: datetime,
    rules: str,
    now: datetime,
) -> None:
    """Write the goal that the CRM's own automation asked for at ``at``; ``ours`` are our ids of deal and enquiry.

    The rules do not take it back: somebody of the customer's has said that this deal counts.
    """
    deal_id, enquiry_id = ours
    tenant_id, subject = of.tenant_id, _subject(deal_id)
    is_news = name not in goals.reached_by(tx, tenant_id, [name], subject)
    goals.send_goal(
        tx,
        {
            "tenant_id": tenant_id,
            "name": name,
            "subject": subject,
            "enquiry_id": enquiry_id,
            "visit_id": reports.visit_of_enquiry(tx, tenant_id, enquiry_id),
            "occurred_at": at,
            **_worth_of_deal(tx, tenant_id, change, enquiry_id, _fixed(rules, name)),
        },
    )
    if is_news:
        told = {"goal": name, "by": goals.CRM}
        ledger.write(tx, tenant_id, Entry(Kind.GOAL_REACHED, now, enquiry_id, facts=told))


def _follow(tx: Tx, of: Installed, change: DealChange, deal_id: int, name: str, rules: str, now: datetime) -> None:
    """Let a goal that was sent be worth what its deal is now; one whose deal was deleted is taken back."""
    subject = _subject(deal_id)
    if change.deleted:
        goals.withdraw_goal(tx, of.tenant_id, name, subject, now)
        return
    goals.bring_back(tx, of.tenant_id, name, subject)
    if _fixed(rules, name) is None:
        worth = deal_goals.worth(change.outcome, change.deleted, change.amount_minor)
        goals.revalue(tx, of.tenant_id, [name], [subject], (worth, change.currency))


def _fixed(rules: str, name: str) -> int | None:
    """Return what the set-up file says a goal of this name is worth; None where it is what the deal is."""
    of_deals = [one.value_minor for one in read_deal_rules(rules) if one.name == name]
    of_enquiries = [one.value_minor for one in read_rules(rules) if one.name == name]
    return next(filter(None, (*of_deals, *of_enquiries)), None)


def _subject(deal_id: int) -> str:
    return f"deal:{deal_id}"


def of_stages(
    tx: Tx,
    of: Installed,
    passed: Mapping[str, Sequence[StagePassed]],
    read: Sequence[DealChange],
    rules: str,
    now: datetime,
) -> None:
    """Write the goals that deals reached in stages they passed, by the deals' ids in the CRM.

    ``read`` are deals of the same page. A rule that asks for a tag waits for a deal not among them: tags are not kept.
    """
    known, fresh = deals.of_enquiries(tx, of.tenant_id, of.id, passed), {change.id: change for change in read}
    asked = read_deal_rules(rules) if known else []
    for deal in known:
        if _save_stages(tx, of, deal.id, passed[deal.change.id]):
            told = fresh.get(deal.change.id)
            change = told if told and told.updated_at >= deal.change.updated_at else deal.change
            sent = goals.sent_for(tx, of.tenant_id, _subject(deal.id))
            its = [one for one in asked if one.name not in sent and (change is told or not one.tags)]
            _by_deal(tx, of, change, KeptDeal(deal.id, deal.enquiry_id), deal.enquiry_id, its, now)


def _save_stages(tx: Tx, of: Installed, deal_id: int, passed: Sequence[StagePassed]) -> bool:
    """Write stages a deal stood in; True when one of them is news."""
    news = [deals.save_stage(tx, of.tenant_id, deal_id, one.pipeline, one.stage, one.at) for one in passed]
    return any(news)


def _by_deal(
    tx: Tx,
    of: Installed,
    change: DealChange,
    kept: KeptDeal,
    enquiry_id: int,
    rules: Sequence[DealRules],
    now: datetime,
) -> None:
    deal, subject = _seen(tx, of, change, kept.id), _subject(kept.id)
    known = goals.reached_by(tx, of.tenant_id, [one.name for one in rules], subject)
    for one in rules:
        at = deal_goals.reached(deal, one, known.get(one.name))
        if at is not None:
            goals.save_goal(
                tx,
                {
                    "tenant_id": of.tenant_id,
                    "name": one.name,
                    "subject": subject,
                    "enquiry_id": enquiry_id,
                    "visit_id": reports.visit_of_enquiry(tx, of.tenant_id, enquiry_id),
                    "occurred_at": at,
                    **_worth_of_deal(tx, of.tenant_id, change, enquiry_id, one.value_minor),
                },
            )
        elif one.name in known:
            goals.withdraw_goal(tx, of.tenant_id, one.name, subject, now)
        if (at is not None) != (one.name in known):
            _note(tx, of.tenant_id, enquiry_id, one.name, at is not None, now)


def _worth_of_deal(
    tx: Tx, tenant_id: int, change: DealChange, enquiry_id: int, value_minor: int | None
) -> dict[str, Any]:
    if value_minor is not None:
        return {"value_minor": value_minor, "currency": goals.currency_of(tx, tenant_id, enquiry_id)}
    worth = deal_goals.worth(change.outcome, change.deleted, change.amount_minor)
    return {"value_minor": worth, "currency": change.currency}


def _seen(tx: Tx, of: Installed, change: DealChange, deal_id: int) -> DealSeen:
    if not change.deleted:
        deals.save_stage(tx, of.tenant_id, deal_id, change.pipeline, change.stage, change.updated_at)
    names = _names(of.facts)
    stood = [
        Stood(names.get((pipeline, ""), plain([pipeline])), names.get((pipeline, stage), plain([stage])), at)
        for (pipeline, stage), at in deals.stages_of(tx, of.tenant_id, deal_id).items()
    ]
    return DealSeen(change.outcome, change.tags, change.updated_at, change.closed_at, change.deleted, stood)


def _names(facts: Mapping[str, Any]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return how pipelines and stages of an account are called, by their ids."""
    found = {}
    for pipeline in facts.get("pipelines", ()):
        found[pipeline["id"], ""] = plain([pipeline["id"], pipeline["name"]])
        for stage in pipeline["stages"]:
            found[pipeline["id"], stage["id"]] = plain([stage["id"], stage["name"]])
    return found
