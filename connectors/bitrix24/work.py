"""What is known so far of one delivery of a batch: its card, its finished steps, its troubles."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import named, parted, reference, whole
from connectors.bitrix24.mappings import COMPANY, CONTACT, DEAL, NOTE_CAP, UTM
from connectors.deciding import actions_of
from connectors.filling import company_of
from connectors.protocol import Decision, Delivery, Outcome, Ref, Status, Why
from connectors.scenario import (
    CALL_OVER,
    Action,
    AddNote,
    AddTags,
    AddTask,
    CloseTasks,
    CreateDeal,
    MoveDeal,
    ReopenDeal,
    Telephony,
    WriteFields,
)
from connectors.telling import Said

# The worst trouble decides: what may have happened has to be looked up before anything else is said.
_WORST_FIRST = (Status.UNKNOWN, Status.RETRY, Status.REJECTED)
_ORDER = ("account", "company", "contact", "deal", "note", "task", "trace")
CALL_STEP, MOVE_STEP = "call", "move"
LINK_STEP, RECORD_STEP = "link", "record"  # of a call that is registered: it is put on the deal, it has its recording
ENRICH_STEP, TRACE_STEP, FIELDS_STEP, CLOSE_STEP = "enrich", "trace", "fields", "close"
Kind = Literal["contact", "company", "deal", "note", "task", "trace", "move", "close"]


def text_step(index: int) -> str:
    """Return the name of the step that writes the ``index``-th note's text."""
    return f"text{index}"


def task_step(index: int) -> str:
    """Return the name of the step that creates the ``index``-th task."""
    return f"task{index}"


def mark(delivery: Delivery, step: int) -> str:
    """Return the mark of the ``step``-th text of a delivery: the marker, then ``marker#2`` and so on."""
    return delivery.marker if step == 0 else f"{delivery.marker}#{step + 1}"


@dataclass(slots=True)
class Work:
    """One delivery on its way; ``deal`` is the deal or lead its notes and tasks go to, ``entity`` which of the two."""

    delivery: Delivery
    address: str
    place: int  # in the batch: the keys of its commands end with it
    actions: tuple[Action, ...] | None = None  # None until the caller was looked at
    decision: Decision | None = None
    contact: int | None = None
    company: int | None = None
    entity: int = DEAL
    deal: int | None = None
    responsible: int | None = None
    as_read: Json | None = None  # the deal or lead, where this attempt has read it
    done: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)  # fields the account did not accept
    remarks: list[Said] = field(default_factory=list)  # what was not done although everything else was
    troubles: list[Outcome] = field(default_factory=list)
    created: bool = False  # something was created in this attempt
    has_made_deal: bool = False  # the deal is of this delivery, now or before
    is_new: bool = False  # this attempt made it
    call: str = ""  # the portal's own id of the call, where it is registered
    activity: int = 0  # and of what it left among activities
    unsaid: Json = field(default_factory=dict)  # what a card that the portal made does not say of its source yet
    _refs: list[Ref] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._refs = list(self.delivery.known)

    def follow(self, decision: Decision) -> None:
        """Take the actions of the rule that was decided on."""
        self.decision, self.actions = decision, actions_of(self.delivery.what, decision)

    @property
    def looks_first(self) -> bool:
        """Says whether an earlier attempt may have left something."""
        return self.delivery.in_doubt or bool(self.delivery.known)

    @property
    def known_deal(self) -> tuple[int, int] | None:
        """Kind and number of the deal that earlier attempts wrote to."""
        found = next((ref.id for ref in self.delivery.known if ref.kind == "deal"), None)
        return parted(found) if found else None

    @property
    def is_live(self) -> bool:
        """Says whether nothing has gone wrong with this delivery yet."""
        return not self.troubles

    @property
    def create_deal(self) -> CreateDeal | None:
        """The deal still to be created."""
        if self.deal or not self.actions:
            return None
        return next((action for action in self.actions if isinstance(action, CreateDeal)), None)

    @property
    def company_names(self) -> Sequence[str]:
        """The companies it may have to find, by whatever state its caller turns out to have."""
        plan = self.delivery.what
        deals = [one for rule in plan.rules for one in rule.actions if isinstance(one, CreateDeal)]
        return [name for one in deals if (name := company_of(plan, one))]

    @property
    def notes(self) -> list[AddNote]:
        """The notes this delivery asks for."""
        return [action for action in self.actions or () if isinstance(action, AddNote)]

    @property
    def tasks(self) -> list[AddTask]:
        """The tasks this delivery asks for."""
        return [action for action in self.actions or () if isinstance(action, AddTask)]

    @property
    def move(self) -> MoveDeal | ReopenDeal | None:
        """The move that is still to be made."""
        moves = (action for action in self.actions or () if isinstance(action, MoveDeal | ReopenDeal))
        return next(moves, None) if MOVE_STEP not in self.done else None

    @property
    def writes(self) -> list[WriteFields | AddTags]:
        """What is still to be written of the fields and tags of an open deal."""
        asked = [action for action in self.actions or () if isinstance(action, WriteFields | AddTags)]
        return asked if FIELDS_STEP not in self.done else []

    @property
    def closes_tasks(self) -> bool:
        """Says whether our to-dos on the card are still to be completed."""
        return CLOSE_STEP not in self.done and any(isinstance(one, CloseTasks) for one in self.actions or ())

    @property
    def telephony(self) -> Telephony:
        """How its call stands beside the portal's own."""
        return self.delivery.what.telephony

    @property
    def tells_call(self) -> bool:
        """Says whether the deal gets a call as such, as an activity of ours: there was one, and its caller is known."""
        return self.telephony is Telephony.NOTE and self._has_call and bool(self.notes)

    @property
    def registers(self) -> bool:
        """Says whether its call becomes one of the portal's own."""
        return self.telephony is Telephony.REGISTER and self._has_call and bool(self.actions)

    @property
    def tags(self) -> dict[str, str]:
        """What the portal's analytics are told of its card's visit: its UTM tags, where the scenario wants that."""
        asked = self.delivery.what
        told = asked.enquiry.source if asked.analytics else {}
        return {key: told[key] for key in UTM if told.get(key)}

    @property
    def _has_call(self) -> bool:
        plan = self.delivery.what
        return plan.trigger in CALL_OVER and plan.enquiry.caller is not None

    def steps(self) -> set[str]:
        """Return the names of the steps that follow the deal."""
        notes = {text_step(index) for index in range(len(self.notes))}
        tasks = {task_step(index) for index in range(len(self.tasks))}
        others = {
            CALL_STEP: self.tells_call or self.registers,
            MOVE_STEP: bool(self.move),
            FIELDS_STEP: bool(self.writes),
            CLOSE_STEP: self.closes_tasks,
            ENRICH_STEP: bool(self.unsaid),
            TRACE_STEP: self.is_new and bool(self.tags),
        }
        return notes | tasks | {step for step, is_asked in others.items() if is_asked} | self._of_registered()

    def _of_registered(self) -> set[str]:
        if not self.registers:
            return set()
        has_record = bool(self.delivery.what.enquiry.recording_url)
        return ({LINK_STEP} if self.entity == DEAL else set()) | ({RECORD_STEP} if has_record else set())

    @property
    def is_complete(self) -> bool:
        """Says whether everything asked for is there."""
        return self.actions is not None and self.create_deal is None and self.steps() <= self.done

    def found_deal(self, entity: int, deal: Json) -> None:
        """Note an existing deal or lead as the one of this delivery."""
        self.entity, self.deal = entity, whole(deal.get("id"))
        self.as_read = deal
        self.responsible = whole(deal.get("assignedById")) or None
        self.refer(entity, self.deal)

    def hold(self, contact: int) -> None:
        """Note whose deal it is."""
        self.contact = contact
        self.refer(CONTACT, contact)

    def is_of(self, company: int) -> None:
        """Note which company its deal is of."""
        self.company = company
        self.refer(COMPANY, company)

    def refer(self, entity: int, id_: int) -> None:
        """Remember a card once."""
        self._remember(reference(self.address, entity, id_))

    def lose_deal(self) -> None:
        """Forget the open deal that was found: it has gone since."""
        gone = named(self.entity, self.deal)
        self._refs = [ref for ref in self._refs if (ref.kind, ref.id) != ("deal", gone)]
        self.deal = self.as_read = None

    def finish(self, step: str, kind: Literal["note", "task", "trace"], id_: str) -> None:
        """Note a finished step and the object it made."""
        self.done.add(step)
        self._remember(Ref(kind, id_))

    def trouble(
        self, status: Status, why: Why, *said: Said, detail: str = "", not_before: datetime | None = None
    ) -> None:
        """Note that a step did not go well."""
        self.troubles.append(Outcome(status, why=why, said=said, detail=detail, not_before=not_before))

    def result(self) -> Outcome:
        """Return the outcome with every object known, whatever went wrong."""
        refs = tuple(self._refs)
        if self.troubles:
            worst = min(self.troubles, key=lambda one: _WORST_FIRST.index(one.status))
            return replace(worst, refs=refs, decision=self.decision)
        return Outcome(Status.DELIVERED, refs, said=self._unlike_asked(), decision=self.decision)

    def interrupted(self, why: Why, said: Said) -> Outcome | None:
        """Return the outcome when the batch was stopped; None when nothing of this delivery was sent."""
        if self.troubles or self.is_complete:
            return self.result()
        if not self.created:
            return None
        return Outcome(Status.RETRY, tuple(self._refs), why=why, said=(said,), decision=self.decision)

    def _remember(self, ref: Ref) -> None:
        if all((known.kind, known.id) != (ref.kind, ref.id) for known in self._refs):
            self._refs.append(ref)
            self._refs.sort(key=lambda known: _ORDER.index(known.kind))

    def _unlike_asked(self) -> tuple[Said, ...]:
        """Return what is there in another form than the plan asks for."""
        texts = [*(one.text for one in self.notes), *(one.text for one in self.tasks)]
        left_out = ", ".join(sorted(self.left_out))
        told = [Said("left_out", {"fields": left_out})] if left_out else []
        told += [Said("text_cut", {"most": str(NOTE_CAP)})] if any(len(text) > NOTE_CAP for text in texts) else []
        return (*told, *self.remarks)
