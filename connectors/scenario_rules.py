"""The vocabulary of a scenario: what happens, whom the CRM knows, what came of it, and what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from connectors.assigning import Assignee


class Trigger(StrEnum):
    """What happened, in the order in which it does; a call has several, and each is told when it is known."""

    RINGING = "ringing"  # a call comes in
    ANSWERED = "answered"  # a person of ours has picked it up
    ENDED = "ended"  # a talk is over
    MISSED = "missed"  # a call is over, and no person of ours talked
    MISSED_AFTER_HOURS = "missed_after_hours"  # the same outside the scenario's working hours
    CALLBACK_DONE = "callback_done"  # who called in vain, or ordered a call, was called back and answered
    RECORDING_READY = "recording_ready"  # the recording of a call can be heard
    QUALIFIED = "qualified"  # the customer's rules accept the enquiry as a target one
    FORM = "form"
    CALLBACK = "callback"
    CHAT = "chat"
    MAIL = "mail"
    MANUAL = "manual"


# A call is over: it is told to the CRM as such, once. In the others somebody of ours has talked, or may have.
CALL_OVER = frozenset({Trigger.ENDED, Trigger.MISSED, Trigger.MISSED_AFTER_HOURS})
TALKED = frozenset({Trigger.ANSWERED, Trigger.ENDED, Trigger.RECORDING_READY, Trigger.QUALIFIED})


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
WITH_LOST_DEAL = frozenset({CallerState.LOST_LATELY, CallerState.LOST})


class Result(StrEnum):
    """What came of a call, for those who need to tell; the more exact stand before the more general."""

    SHORT = "short"  # a talk of less than the scenario's ``short_s``
    BY_RESPONSIBLE = "by_responsible"  # who is responsible for the deal, else for the contact, has talked
    BY_OTHER = "by_other"  # another of the account's users has
    BY_UNLINKED = "by_unlinked"  # somebody whom the scenario names no user for, or nobody knows who
    OTHERWISE = "otherwise"


class OfSeveral(StrEnum):
    """Which of several open deals is the one that is written on."""

    NEWEST = "newest"
    OLDEST = "oldest"
    ANSWERERS = "answerers"  # whose responsible has talked; the newest where that is none of them


class Telephony(StrEnum):
    """How a call stands beside the telephony of the CRM itself."""

    NOTE = "note"  # it is written on its card
    REGISTER = "register"  # it is one of the CRM's own calls, too: with who answered, and its recording
    OBSERVE = "observe"  # the CRM's own telephony made the card: it is given the source, and nothing is created


class Mode(StrEnum):
    """How a field is written that may say something already."""

    ALWAYS = "always"  # whatever it says
    IF_EMPTY = "if_empty"
    APPEND = "append"  # behind what it says
    FIRST = "first"  # of a person's first enquiry alone, and where it says nothing


@dataclass(frozen=True, slots=True)
class Write:
    """The text of a field, and how it is written."""

    text: str
    mode: Mode = Mode.ALWAYS


@dataclass(frozen=True, slots=True)
class CreateDeal:
    """Create a deal with source fields on the caller's contact, and the contact if there is none."""

    name: str
    pipeline: str | None = None  # vendor id; None is the account's first pipeline
    stage: str | None = None
    responsible: str | None = None
    who: tuple[Assignee, ...] = ()  # whom that is chosen from; none: it is said already, or nobody is
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Write] = field(default_factory=dict)  # by the code or id of a field; the escape hatch
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
    who: tuple[Assignee, ...] = ()
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


@dataclass(frozen=True, slots=True)
class WriteFields:
    """Write fields of the caller's open deal, by their codes or ids; what a person cleared is empty."""

    fields: Mapping[str, Write]
    kind: Literal["fields"] = "fields"


@dataclass(frozen=True, slots=True)
class AddTags:
    """Put tags on the caller's open deal, beside those it has."""

    tags: tuple[str, ...]
    kind: Literal["tag"] = "tag"


@dataclass(frozen=True, slots=True)
class CloseTasks:
    """Complete the tasks that the hub has set on the caller's open deal."""

    kind: Literal["close_tasks"] = "close_tasks"


@dataclass(frozen=True, slots=True)
class ReopenDeal:
    """Open the caller's deal again that was lost last in a pipeline, at one of its stages."""

    pipeline: str | None  # None is only possible where the account was never read
    stage: str
    kind: Literal["reopen"] = "reopen"


Action = CreateDeal | AddNote | AddTask | MoveDeal | ReopenDeal | WriteFields | AddTags | CloseTasks


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done for one state of the caller and one result; ``number`` is its place in the file, from 1."""

    number: int
    state: CallerState
    result: Result
    actions: tuple[Annotated[Action, Field(discriminator="kind")], ...]
