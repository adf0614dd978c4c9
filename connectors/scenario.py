"""Scenario + enquiry -> Plan: what the customer asks of the CRM, as closed data without an expression language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Trigger(StrEnum):
    """What happened to the enquiry."""

    ANSWERED = "answered"
    MISSED = "missed"


class CallerState(StrEnum):
    """What the CRM knows of the caller, looked up fresh at delivery."""

    UNKNOWN = "unknown"  # no contact with this phone
    NO_OPEN_DEAL = "no_open_deal"  # a contact, none of its deals is open
    OPEN_DEAL = "open_deal"  # a contact with at least one open deal


@dataclass(frozen=True, slots=True)
class CreateDeal:
    """Create a deal with source fields on the caller's contact, and the contact if there is none."""

    name: str
    pipeline: str | None = None  # vendor id; None is the account's first pipeline
    stage: str | None = None
    responsible: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write the call with its source and confidence on the deal."""

    text: str


@dataclass(frozen=True, slots=True)
class AddTask:
    """Ask a person to act on the deal, ``due_minutes`` after the enquiry began."""

    text: str
    due_minutes: int
    responsible: str | None = None


Action = CreateDeal | AddNote | AddTask


@dataclass(frozen=True, slots=True)
class Enquiry:
    """The facts of one enquiry a plan may speak of; times aware UTC, phones E.164, durations in seconds."""

    id: str
    caller: str | None  # None for an anonymous caller
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario asks of the CRM for one enquiry, by what the CRM will know of the caller."""

    enquiry: Enquiry
    scenario_version: int
    trigger: Trigger
    cases: Mapping[CallerState, tuple[Action, ...]]
