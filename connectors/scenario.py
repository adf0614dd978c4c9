"""Scenario + enquiry -> Plan: what the customer asks of the CRM, as closed data without an expression
language.

A scenario file is YAML::

    name: Calls to deals
    pipeline: Sales               # optional: name or id; without it the account's first pipeline
    answered:                     # or: missed, form, callback, chat, mail, manual
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

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, TypeAdapter

from connectors.scenario_nodes import ScenarioError as ScenarioError
from connectors.wording import fill, values_of
from tracking_core.enquiry import EnquiryKind

if TYPE_CHECKING:
    from connectors.protocol import Facts

LATELY_DAYS = 90  # how long ago a deal may have been lost to be so lately, where a scenario does not say
NAME_CAP = 250  # characters of the name of a deal or a company


class Trigger(StrEnum):
    """What happened to the enquiry: how a call ended, or how a person wrote."""

    ANSWERED = "answered"
    MISSED = "missed"
    FORM = "form"
    CALLBACK = "callback"
    CHAT = "chat"
    MAIL = "mail"
    MANUAL = "manual"


class CallerState(StrEnum):
    """What the CRM knows of the caller, looked up fresh at delivery; the more exact stand before the more general."""

    BLACKLISTED = "blacklisted"  # on the customer's own list, whatever the CRM knows
    STAFF = "staff"  # one of our customer's own people
    UNKNOWN = "unknown"  # no contact with this phone
    SEVERAL_CONTACTS = "several_contacts"  # more than one contact has it
    OPEN_LEAD = "open_lead"  # a lead is open, and no deal
    OPEN_ELSEWHERE = "open_elsewhere"  # a deal is open, but none in the scenario's pipeline
    OPEN_DEAL = "open_deal"  # a contact with at least one open deal
    LOST_LATELY = "lost_lately"  # as lost, and the last one not long ago
    LOST = "lost"  # deals, all of them lost
    WON = "won"  # none is open, and one was won
    NO_DEALS = "no_deals"  # a contact without a deal
    NO_OPEN_DEAL = "no_open_deal"  # a contact, none of its deals is open


# The states in which there is a deal to write on, and those in which the list of the customer decides, not the CRM.
WITH_OPEN_DEAL = frozenset({CallerState.OPEN_LEAD, CallerState.OPEN_ELSEWHERE, CallerState.OPEN_DEAL})
LISTED = frozenset({CallerState.BLACKLISTED, CallerState.STAFF})


class Result(StrEnum):
    """What came of a call, for those who need to tell; the more exact stand before the more general."""

    SHORT = "short"  # a talk of less than the scenario's ``short_s``
    BY_RESPONSIBLE = "by_responsible"  # who is responsible for the deal, else for the contact, has talked
    BY_OTHER = "by_other"  # another of the account's users has
    BY_UNLINKED = "by_unlinked"  # somebody whom the scenario names no user for, or nobody knows who
    OTHERWISE = "otherwise"


class Telephony(StrEnum):
    """How a call stands beside the telephony of the CRM itself."""

    NOTE = "note"  # it is written on its card
    REGISTER = "register"  # it is one of the CRM's own calls, too: with who answered, and its recording
    OBSERVE = "observe"  # the CRM's own telephony made the card: it is given the source, and nothing is created


@dataclass(frozen=True, slots=True)
class CreateDeal:
    """Create a deal with source fields on the caller's contact, and the contact if there is none."""

    name: str
    pipeline: str | None = None  # vendor id; None is the account's first pipeline
    stage: str | None = None
    responsible: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # code or id of a field -> text; the escape hatch
    company: str = ""  # its name: found, or created, and linked to the deal and its contact
    incoming: bool = False  # among what a person first accepts or declines, where the CRM has such a place
    kind: Literal["deal"] = "deal"


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write the call with its source and confidence on the deal."""

    text: str
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class AddTask:
    """Ask a person to act on the deal, ``due_minutes`` after the enquiry began."""

    text: str
    due_minutes: int
    responsible: str | None = None
    kind: Literal["task"] = "task"


@dataclass(frozen=True, slots=True)
class MoveDeal:
    """Move the caller's open deal to a stage of its pipeline, if it stands at one of ``from_stages`` there.

    Whatever stands elsewhere stays: in another pipeline, further on, or closed. Ids are the vendor's.
    """

    pipeline: str | None  # None is only possible where the account was never read
    stage: str
    from_stages: tuple[str, ...]
    kind: Literal["move"] = "move"


Action = CreateDeal | AddNote | AddTask | MoveDeal


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done for one state of the caller and one result; ``number`` is its place in the file, from 1."""

    number: int
    state: CallerState
    result: Result
    actions: tuple[Annotated[Action, Field(discriminator="kind")], ...]


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
    text: str = ""  # what he wrote


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario asks of the CRM for one enquiry, by what the CRM will know of the caller."""

    enquiry: Enquiry
    scenario_version: int
    trigger: Trigger
    rules: tuple[Rule, ...]  # of this trigger, texts filled
    telephony: Telephony = Telephony.NOTE
    answered_by: str | None = None  # the user of the account who talked, where the scenario names him
    analytics: bool = False  # the visit of a new card is told to the account's own analytics
    pipeline: str | None = None  # the scenario's own: a deal that is open in another one is open elsewhere
    caller_is: CallerState | None = None  # one of ``LISTED``
    is_short: bool = False  # the talk was shorter than the scenario takes for one
    lately_days: int = LATELY_DAYS


@dataclass(frozen=True, slots=True)
class Scenario:
    """A customer's rules: for each trigger and caller state the actions, with texts still to be filled."""

    name: str
    rules: Mapping[Trigger, tuple[Rule, ...]]
    language: str = "ru"  # of the words that fill placeholders: ru, en
    timezone: str = "UTC"  # IANA name
    # Who has the caller's card shown to him while he talks: what telephony calls a person -> user of the account.
    popup: Mapping[str, str] = field(default_factory=dict)
    telephony: Telephony = Telephony.NOTE
    analytics: bool = False
    pipeline: str | None = None
    staff: frozenset[str] = frozenset()  # phones, E.164
    blacklist: frozenset[str] = frozenset()
    short_s: int = 0  # seconds of talk; a shorter one is short
    lately_days: int = LATELY_DAYS


def read_scenario(text: str, filename: str, facts: "Facts | None") -> Scenario:
    """Return the scenario a YAML text describes, names resolved to ids of the account.

    Without ``facts`` names are kept as written and only the form is checked. Raises ``ScenarioError`` with
    all problems of the file, each with its line and what is allowed.
    """
    from connectors.scenario_reader import read  # the reader builds the classes of this file

    return read(text, filename, facts)


def plan(scenario: Scenario, version: int, enquiry: Enquiry) -> Plan | None:
    """Return what the scenario asks for this enquiry, texts filled; None when it asks for nothing."""
    trigger = trigger_of(enquiry)
    rules = scenario.rules.get(trigger, ())
    listed = _listed(scenario, enquiry)
    if not any(rule.actions for rule in rules if listed in (None, rule.state)):
        return None
    enquiry = _writable(enquiry)
    values = values_of(enquiry, scenario.language, scenario.timezone)
    is_call = enquiry.kind is EnquiryKind.CALL
    return Plan(
        enquiry=enquiry,
        scenario_version=version,
        trigger=trigger,
        rules=tuple(_with_texts(rule, values) for rule in rules),
        telephony=scenario.telephony if is_call else Telephony.NOTE,
        answered_by=scenario.popup.get(enquiry.operator or "") if is_call else None,
        analytics=scenario.analytics,
        pipeline=scenario.pipeline,
        caller_is=listed,
        is_short=is_call and enquiry.answered and enquiry.talk_s < scenario.short_s,
        lately_days=scenario.lately_days,
    )


def _listed(scenario: Scenario, enquiry: Enquiry) -> CallerState | None:
    if enquiry.caller in scenario.blacklist:
        return CallerState.BLACKLISTED
    return CallerState.STAFF if enquiry.caller in scenario.staff else None


def trigger_of(enquiry: Enquiry) -> Trigger:
    """Return what happened to an enquiry."""
    if enquiry.kind is not EnquiryKind.CALL:
        return Trigger(enquiry.kind.value)
    return Trigger.ANSWERED if enquiry.answered else Trigger.MISSED


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


def _with_texts(rule: Rule, values: Mapping[str, str]) -> Rule:
    return replace(rule, actions=tuple(_filled(action, values) for action in rule.actions))


def _filled(action: Action, values: Mapping[str, str]) -> Action:
    if isinstance(action, MoveDeal):
        return action
    if isinstance(action, CreateDeal):
        tags = tuple(tag for tag in (fill(tag, values) for tag in action.tags) if tag)
        name = " ".join(fill(action.name, values).split())[:NAME_CAP] or values["caller"]
        fields = {key: fill(text, values) for key, text in action.fields.items()}
        company = " ".join(fill(action.company, values).split())[:NAME_CAP]
        kept = {key: text for key, text in fields.items() if text}
        return replace(action, name=name, tags=tags, fields=kept, company=company)
    text = fill(action.text, values)
    return replace(action, text=text or values["caller"])


@dataclass(frozen=True, slots=True)
class FactsNeeded:
    """Ids of the account a scenario speaks of: when one disappears, the scenario must be looked at again."""

    pipelines: frozenset[str]
    stages: frozenset[str]
    users: frozenset[str]
    fields: frozenset[str]


def facts_needed(scenario: Scenario) -> FactsNeeded:
    """Return every pipeline, stage, user and field the scenario names."""
    actions = [action for rules in scenario.rules.values() for rule in rules for action in rule.actions]
    deals = [action for action in actions if isinstance(action, CreateDeal)]
    moves = [action for action in actions if isinstance(action, MoveDeal)]
    users = [action.responsible for action in actions if isinstance(action, CreateDeal | AddTask)]
    places: list[CreateDeal | MoveDeal] = [*deals, *moves]
    stages = [place.stage for place in places] + [stage for move in moves for stage in move.from_stages]
    return FactsNeeded(
        pipelines=frozenset(place.pipeline for place in places if place.pipeline),
        stages=frozenset(stage for stage in stages if stage),
        users=frozenset(user for user in (*users, *scenario.popup.values()) if user),
        fields=frozenset(name for deal in deals for name in deal.fields),
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
