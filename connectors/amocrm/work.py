"""What is known so far of one delivery of a batch: its deal, its finished steps, its troubles."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from connectors.amocrm import parts
from connectors.amocrm.api import Json
from connectors.amocrm.mappings import NOTE_CAP
from connectors.amocrm.own_fields import names_of
from connectors.deciding import actions_of
from connectors.protocol import Decision, Delivery, Outcome, Ref, Status, Why
from connectors.scenario import (
    Action,
    AddNote,
    AddTags,
    AddTask,
    CloseTasks,
    CreateDeal,
    MoveDeal,
    ReopenDeal,
    WriteFields,
)
from connectors.telling import Said

# The worst trouble decides: what may have happened has to be looked up before anything else is said.
_WORST_FIRST = (Status.UNKNOWN, Status.RETRY, Status.REJECTED)
CALL_STEP, CHANGE_STEP, LINK_STEP, CLOSE_STEP = "call", "change", "link", "close"
Kind = Literal["contact", "company", "deal", "note", "task"]


def text_step(index: int) -> str:
    """Return the name of the step that writes the ``index``-th note's text."""
    return f"text:{index}"


def task_step(index: int) -> str:
    """Return the name of the step that creates the ``index``-th task."""
    return f"task:{index}"


@dataclass(slots=True)
class Work:
    """One delivery on its way; ``deal`` is the id of the deal its notes and tasks go to."""

    delivery: Delivery
    address: str
    actions: tuple[Action, ...] | None = None  # None until the caller was looked at
    decision: Decision | None = None
    contact: str | None = None
    new_contact: str | None = None  # made in this attempt, together with the deal
    company: str | None = None
    are_new: bool = False  # contact and company: amoCRM links two new ones itself
    deal: str | None = None
    responsible: str | None = None
    as_read: Json | None = None  # the deal, where this attempt has read it
    done: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)  # fields the account did not accept
    remarks: list[Said] = field(default_factory=list)  # what was not done although everything else was
    troubles: list[Outcome] = field(default_factory=list)
    created: bool = False  # something was created in this attempt
    is_refused_waiting: bool = False  # unsorted turned out to be switched off
    is_merged: bool = False  # amoCRM has put what was to be a new deal into one that was there
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
    def notes(self) -> list[AddNote]:
        """The notes this delivery asks for."""
        return [action for action in self.actions or () if isinstance(action, AddNote)]

    @property
    def tasks(self) -> list[AddTask]:
        """The tasks this delivery asks for."""
        return [action for action in self.actions or () if isinstance(action, AddTask)]

    @property
    def changes(self) -> list[MoveDeal | ReopenDeal | WriteFields | AddTags]:
        """What is still to be changed of an open deal."""
        kinds = MoveDeal | ReopenDeal | WriteFields | AddTags
        asked = [action for action in self.actions or () if isinstance(action, kinds)]
        return asked if CHANGE_STEP not in self.done else []

    @property
    def closes_tasks(self) -> bool:
        """Says whether our tasks on the deal are still to be completed."""
        return CLOSE_STEP not in self.done and any(isinstance(one, CloseTasks) for one in self.actions or ())

    @property
    def company_name(self) -> str:
        """The company its deal is of; empty where the scenario asks for none, or none is known."""
        return next((action.company for action in self.actions or () if isinstance(action, CreateDeal)), "")

    def steps(self) -> set[str]:
        """Return the names of the steps that follow the deal."""
        notes = {text_step(index) for index in range(len(self.notes))}
        calls = {CALL_STEP} if self.notes and parts.is_told(self.delivery.what) else set()
        others = {CHANGE_STEP} if self.changes else set()
        others |= {CLOSE_STEP} if self.closes_tasks else set()
        others |= {LINK_STEP} if self.company_name and self.company and self.contact and not self.are_new else set()
        return calls | notes | others | {task_step(index) for index in range(len(self.tasks))}

    @property
    def is_complete(self) -> bool:
        """Says whether everything asked for is there."""
        return self.actions is not None and self.create_deal is None and self.steps() <= self.done

    def found_deal(self, deal: Json) -> None:
        """Note an existing deal as the one of this delivery."""
        self.deal = str(deal["id"])
        self.as_read = deal if "status_id" in deal else None
        self.responsible = str(deal["responsible_user_id"]) if deal.get("responsible_user_id") else None
        self.refer("deal", self.deal)

    def hold(self, kind: Literal["contact", "company"], id_: str) -> None:
        """Note whose deal it is."""
        if kind == "contact":
            self.contact = id_
        else:
            self.company = id_
        self.refer(kind, id_)

    def refer(self, kind: Kind, id_: str) -> None:
        """Remember a remote object once, in the order contact, deal, note, task."""
        ref = reference(self.address, kind, id_)
        if all((known.kind, known.id) != (ref.kind, ref.id) for known in self._refs):
            self._refs.append(ref)
            self._refs.sort(key=lambda known: _ORDER.index(known.kind))

    def lose_deal(self) -> None:
        """Forget the open deal that was found: it has gone since."""
        self._refs = [ref for ref in self._refs if (ref.kind, ref.id) != ("deal", self.deal)]
        self.deal = self.as_read = None

    def finish(self, step: str, kind: Kind, id_: str) -> None:
        """Note a finished step and the object it made."""
        self.done.add(step)
        self.refer(kind, id_)

    def trouble(self, status: Status, why: Why, *said: Said, detail: str = "") -> None:
        """Note that a step did not go well."""
        self.troubles.append(Outcome(status, why=why, said=said, detail=detail))

    def result(self) -> Outcome:
        """Return the outcome with every object known, whatever went wrong."""
        refs = tuple(self._refs)
        if self.troubles:
            worst = min(self.troubles, key=lambda one: _WORST_FIRST.index(one.status))
            return replace(worst, refs=refs, decision=self.decision)
        return Outcome(Status.DELIVERED, refs, said=self._unlike_asked(), decision=self.decision)

    def _unlike_asked(self) -> tuple[Said, ...]:
        """Return what is there in another form than the plan asks for."""
        left_out = names_of(sorted(self.left_out), self.address)
        texts = [*(one.text for one in self.notes), *(one.text for one in self.tasks)]
        told = [Said("left_out", {"fields": left_out})] if left_out else []
        told += [Said("text_cut", {"most": str(NOTE_CAP)})] if any(len(text) > NOTE_CAP for text in texts) else []
        return (*told, *self.remarks)

    def interrupted(self, why: Why, said: Said) -> Outcome | None:
        """Return the outcome when the batch was stopped; None when nothing of this delivery was sent."""
        if self.troubles or self.is_complete:
            return self.result()
        if not self.created:
            return None
        return Outcome(Status.RETRY, tuple(self._refs), why=why, said=(said,), decision=self.decision)


_ORDER = ("account", "company", "contact", "deal", "note", "task")
_PAGES = {"contact": "contacts/detail", "company": "companies/detail", "deal": "leads/detail"}


def reference(address: str, kind: Kind, id_: str) -> Ref:
    """Return the reference of a remote object with the page a person opens, where there is one."""
    page = f"{address}/{_PAGES[kind]}/{id_}" if kind in _PAGES else None
    return Ref(kind, id_, page)


def first(items: Iterable[Json]) -> Json | None:
    """Return the main one of linked objects, or the first."""
    found = list(items)
    return next((one for one in found if one.get("is_main")), found[0] if found else None)
