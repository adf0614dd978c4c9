"""Scenario + enquiry -> Plan: what the customer asks of the CRM, as closed data without an expression
language.

A scenario file is YAML::

    name: Calls to deals
    pipeline: Sales               # optional: name or id; without it the account's first pipeline
    ended:                        # or: ringing, answered, missed, form, ...
      unknown:                    # or: no_open_deal, open_deal, ... - what the CRM knows of the caller
        - deal: {name: "Call {caller}", tags: [calltracking]}
        - note: "Source: {source}"
        - task: {text: "Call back {caller}", due_minutes: 15}
      open_deal:
        by_other:                 # optional: what came of the call
          - task: {text: "{operator} talked to your customer", due_minutes: 60}
        otherwise:
          - note: "Source: {source}"

Each list of actions is a rule; which one is followed is ``connectors.deciding``'s.

An anonymous caller is an unknown caller: the plan is the same, and the connector makes the deal without a
contact, since a contact without a phone could never be found again and would be one more each call.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, TypeGuard

from pydantic import TypeAdapter

from connectors.assigning import Seen, narrowed, users_in
from connectors.scenario_nodes import ScenarioError as ScenarioError
from connectors.scenario_rules import CALL_OVER as CALL_OVER
from connectors.scenario_rules import LISTED as LISTED
from connectors.scenario_rules import TALKED as TALKED
from connectors.scenario_rules import WITH_LOST_DEAL as WITH_LOST_DEAL
from connectors.scenario_rules import WITH_OPEN_DEAL as WITH_OPEN_DEAL
from connectors.scenario_rules import Action as Action
from connectors.scenario_rules import AddNote as AddNote
from connectors.scenario_rules import AddTags as AddTags
from connectors.scenario_rules import AddTask as AddTask
from connectors.scenario_rules import CallerState as CallerState
from connectors.scenario_rules import CloseTasks as CloseTasks
from connectors.scenario_rules import CreateDeal as CreateDeal
from connectors.scenario_rules import Mode as Mode
from connectors.scenario_rules import MoveDeal as MoveDeal
from connectors.scenario_rules import OfSeveral as OfSeveral
from connectors.scenario_rules import ReopenDeal as ReopenDeal
from connectors.scenario_rules import Result as Result
from connectors.scenario_rules import Rule as Rule
from connectors.scenario_rules import Telephony as Telephony
from connectors.scenario_rules import Trigger as Trigger
from connectors.scenario_rules import Write as Write
from connectors.scenario_rules import WriteFields as WriteFields
from tracking_core.enquiry import EnquiryKind
from tracking_core.qualify import Hours

if TYPE_CHECKING:
    from connectors.protocol import Facts

LATELY_DAYS = 90  # how long ago a deal may have been lost to be so lately, where a scenario does not say
NAME_CAP = 250  # characters of the name of a deal or a company


@dataclass(frozen=True, slots=True)
class Enquiry:
    """The facts of one enquiry a plan may speak of; times aware UTC, phones E.164, durations in seconds."""

    id: str
    caller: str | None  # None for an anonymous caller, or one who left no phone
    dialled: str | None
    started_at: datetime
    talk_s: int
    wait_s: int
    answered: bool
    recording_url: str | None
    operator: str | None
    source: Mapping[str, str]  # utm_*, gclid, yclid, ..., referrer, landing, channel; only what is known
    confidence: float | None  # of the match, 0..1; None when nobody matched
    reason: str  # of the match, in words
    kind: EnquiryKind = EnquiryKind.CALL
    email: str | None = None
    person: str = ""  # the name he gave
    company: str = ""  # the name of the company he gave
    is_first: bool = False  # of this person
    region: str | None = None  # of his phone, else of his visit; ISO 3166-2 within Russia, else the country
    text: str = ""  # what he wrote


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario asks of the CRM for one enquiry, by what the CRM will know of the caller."""

    enquiry: Enquiry
    scenario_version: int
    trigger: Trigger
    rules: tuple[Rule, ...]  # of this trigger
    language: str | None = None  # of the words that fill their texts; None: the texts are filled already
    timezone: str = "UTC"
    telephony: Telephony = Telephony.NOTE
    answered_by: str | None = None  # the user of the account who talked, where the scenario names him
    analytics: bool = False  # the visit of a new card is told to the account's own analytics
    pipeline: str | None = None  # the scenario's own: a deal that is open in another one is open elsewhere
    caller_is: CallerState | None = None  # one of ``LISTED``
    is_short: bool = False  # the talk was shorter than the scenario takes for one
    lately_days: int = LATELY_DAYS
    of_several: OfSeveral = OfSeveral.NEWEST


@dataclass(frozen=True, slots=True)
class Scenario:
    """A customer's rules: for each trigger and caller state the actions, with texts still to be filled."""

    name: str
    rules: Mapping[Trigger, tuple[Rule, ...]]
    language: str = "ru"  # of the words that fill placeholders: ru, en
    timezone: str = "UTC"  # IANA name
    people: Mapping[str, str] = field(default_factory=dict)  # what telephony calls a person -> user of the account
    popup: bool = False  # the caller's card is shown to whom of them the call rings and who answers
    telephony: Telephony = Telephony.NOTE
    analytics: bool = False
    pipeline: str | None = None
    staff: frozenset[str] = frozenset()  # phones, E.164
    blacklist: frozenset[str] = frozenset()
    short_s: int = 0  # seconds of talk; a shorter one is short
    lately_days: int = LATELY_DAYS
    hours: tuple[Hours, ...] = ()  # when somebody is at work; none: always
    of_several: OfSeveral = OfSeveral.NEWEST


def read_scenario(text: str, filename: str, facts: "Facts | None") -> Scenario:
    """Return the scenario a YAML text describes, names resolved to ids of the account.

    Without ``facts`` names are kept as written and only the form is checked. Raises ``ScenarioError`` with
    all problems of the file, each with its line and what is allowed.
    """
    from connectors.scenario_reader import read  # the reader builds the classes of this file

    return read(text, filename, facts)


def plan(scenario: Scenario, version: int, enquiry: Enquiry, trigger: Trigger | None = None) -> Plan | None:
    """Return what the scenario asks for this enquiry and what has just happened; None when it asks for nothing.

    Without ``trigger`` it is the one that every enquiry has: how the call ended, or how the person wrote.
    """
    trigger = _out_of_hours(scenario, enquiry, trigger or trigger_of(enquiry))
    rules = scenario.rules.get(trigger, ())
    listed = _listed(scenario, enquiry)
    if not any(rule.actions for rule in rules if listed in (None, rule.state)):
        return None
    enquiry = _writable(enquiry)
    is_call = enquiry.kind is EnquiryKind.CALL
    answered_by = scenario.people.get(enquiry.operator or "") if is_call else None
    return Plan(
        enquiry=enquiry,
        scenario_version=version,
        trigger=trigger,
        rules=_assigned(rules, Seen(enquiry.dialled, enquiry.region, answered_by, enquiry.started_at)),
        language=scenario.language,
        timezone=scenario.timezone,
        telephony=scenario.telephony if is_call and trigger in CALL_OVER else Telephony.NOTE,
        answered_by=answered_by,
        analytics=scenario.analytics,
        pipeline=scenario.pipeline,
        caller_is=listed,
        is_short=trigger is not Trigger.ANSWERED and enquiry.answered and enquiry.talk_s < scenario.short_s,
        lately_days=scenario.lately_days,
        of_several=scenario.of_several,
    )


def _assigned(rules: tuple[Rule, ...], seen: Seen) -> tuple[Rule, ...]:
    """Return rules with those left who may get what, by what the enquiry tells."""
    if not any(assigns(action) for rule in rules for action in rule.actions):
        return rules
    return tuple(replace(rule, actions=tuple(_narrowed(one, seen) for one in rule.actions)) for rule in rules)


def _narrowed(action: Action, seen: Seen) -> Action:
    return replace(action, who=narrowed(action.who, seen)) if assigns(action) else action


def assigns(action: Action) -> TypeGuard[CreateDeal | AddTask]:
    """Say whether somebody is chosen who gets what an action makes."""
    return isinstance(action, _GIVEN) and bool(action.who)


_GIVEN = (CreateDeal, AddTask)  # a union would be made anew for each action of each plan


def _listed(scenario: Scenario, enquiry: Enquiry) -> CallerState | None:
    if enquiry.caller in scenario.blacklist:
        return CallerState.BLACKLISTED
    return CallerState.STAFF if enquiry.caller in scenario.staff else None


def trigger_of(enquiry: Enquiry) -> Trigger:
    """Return what happens to every enquiry: how a call ended, or how a person wrote."""
    if enquiry.kind is not EnquiryKind.CALL:
        return Trigger(enquiry.kind.value)
    return Trigger.ENDED if enquiry.answered else Trigger.MISSED


def _out_of_hours(scenario: Scenario, enquiry: Enquiry, trigger: Trigger) -> Trigger:
    """Return the more exact trigger where there are rules for it: without any a missed call is a missed call."""
    is_late = bool(scenario.hours) and not any(hours.hold(enquiry.started_at) for hours in scenario.hours)
    has_rules = bool(scenario.rules.get(Trigger.MISSED_AFTER_HOURS))
    return Trigger.MISSED_AFTER_HOURS if trigger is Trigger.MISSED and is_late and has_rules else trigger


def _writable(enquiry: Enquiry) -> Enquiry:
    """Return the enquiry without lone surrogates, which no encoding of a plan or a request can carry."""
    source = {_plain(key): _plain(text) for key, text in enquiry.source.items()}
    operator = _plain(enquiry.operator) if enquiry.operator else None
    recording = _plain(enquiry.recording_url) if enquiry.recording_url else None
    return replace(
        enquiry,
        source=source,
        operator=operator,
        recording_url=recording,
        reason=_plain(enquiry.reason),
        person=_plain(enquiry.person),
        company=_plain(enquiry.company),
        text=_plain(enquiry.text),
    )


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def every_rule(scenario: Scenario) -> Iterator[tuple[Trigger, Rule]]:
    """Yield each rule of a scenario with what has to happen for it, in the order of the file."""
    return ((trigger, rule) for trigger, rules in scenario.rules.items() for rule in rules)


@dataclass(frozen=True, slots=True)
class FactsNeeded:
    """Ids of the account a scenario speaks of: when one disappears, the scenario must be looked at again."""

    pipelines: frozenset[str]
    stages: frozenset[str]
    users: frozenset[str]
    fields: frozenset[str]


def facts_needed(scenario: Scenario) -> FactsNeeded:
    """Return every pipeline, stage, user and field the scenario names."""
    actions = [action for _, rule in every_rule(scenario) for action in rule.actions]
    deals = [action for action in actions if isinstance(action, CreateDeal)]
    written = [action for action in actions if isinstance(action, CreateDeal | WriteFields)]
    moves = [action for action in actions if isinstance(action, MoveDeal)]
    given = [action for action in actions if isinstance(action, CreateDeal | AddTask)]
    users = {user for one in given for user in (one.responsible, *users_in(one.who)) if user}
    reopened = [action for action in actions if isinstance(action, ReopenDeal)]
    places: list[CreateDeal | MoveDeal | ReopenDeal] = [*deals, *moves, *reopened]
    stages = [place.stage for place in places] + [stage for move in moves for stage in move.from_stages]
    return FactsNeeded(
        pipelines=frozenset(place.pipeline for place in places if place.pipeline),
        stages=frozenset(stage for stage in stages if stage),
        users=frozenset({*users, *scenario.people.values()}),
        fields=frozenset(name for one in written for name in one.fields),
    )


@cache
def _plans() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def dump_plan(plan: Plan) -> bytes:
    """Return the plan as JSON; ``load_plan`` gives an equal plan back."""
    return _plans().dump_json(plan)


def load_plan(text: bytes) -> Plan:
    """Return the plan of a JSON text made by ``dump_plan``; raises ValueError for anything else."""
    return _plans().validate_json(text)
