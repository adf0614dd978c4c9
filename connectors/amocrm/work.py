"""What is known so far of one delivery of a batch: its deal, its finished steps, its troubles."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from connectors.amocrm import parts
from connectors.amocrm.api import Json
from connectors.protocol import Delivery, Outcome, Ref, Status, Why
from connectors.scenario import Action, AddNote, AddTask, CreateDeal

# The worst trouble decides: what may have happened has to be looked up before anything else is said.
_WORST_FIRST = (Status.UNKNOWN, Status.RETRY, Status.REJECTED)
CALL_STEP = "call"
Kind = Literal["contact", "deal", "note", "task"]


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
    actions: tuple[Action, ...] | None = None  # None until the caller's state is known
    contact: str | None = None
    deal: str | None = None
    responsible: str | None = None
    done: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)  # fields the account did not accept
    troubles: list[Outcome] = field(default_factory=list)
    created: bool = False  # something was created in this attempt
    _refs: list[Ref] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._refs = list(self.delivery.known)

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

    def steps(self) -> set[str]:
        """Return the names of the steps that follow the deal."""
        notes = {text_step(index) for index in range(len(self.notes))}
        calls = {CALL_STEP} if self.notes and parts.is_told(self.delivery.what.enquiry) else set()
        return calls | notes | {task_step(index) for index in range(len(self.tasks))}

    @property
    def is_complete(self) -> bool:
        """Says whether everything asked for is there."""
        return self.actions is not None and self.create_deal is None and self.steps() <= self.done

    def found_deal(self, deal: Json) -> None:
        """Note an existing deal as the one of this delivery."""
        self.deal = str(deal["id"])
        self.responsible = str(deal["responsible_user_id"]) if deal.get("responsible_user_id") else None
        self.refer("deal", self.deal)

    def refer(self, kind: Kind, id_: str) -> None:
        """Remember a remote object once, in the order contact, deal, note, task."""
        ref = reference(self.address, kind, id_)
        if all((known.kind, known.id) != (ref.kind, ref.id) for known in self._refs):
            self._refs.append(ref)
            self._refs.sort(key=lambda known: _ORDER.index(known.kind))

    def finish(self, step: str, kind: Kind, id_: str) -> None:
        """Note a finished step and the object it made."""
        self.done.add(step)
        self.refer(kind, id_)

    def trouble(self, status: Status, why: Why, sentence: str, detail: str = "") -> None:
        """Note that a step did not go well."""
        self.troubles.append(Outcome(status, why=why, sentence=sentence, detail=detail))

    def result(self) -> Outcome:
        """Return the outcome with every object known, whatever went wrong."""
        refs = tuple(self._refs)
        if self.troubles:
            worst = min(self.troubles, key=lambda one: _WORST_FIRST.index(one.status))
            return Outcome(worst.status, refs, why=worst.why, sentence=worst.sentence, detail=worst.detail)
        sentence = ""
        if self.left_out:
            sentence = f"Delivered without fields the account no longer has: {', '.join(sorted(self.left_out))}."
        return Outcome(Status.DELIVERED, refs, sentence=sentence)

    def interrupted(self, why: Why, sentence: str) -> Outcome | None:
        """Return the outcome when the batch was stopped; None when nothing of this delivery was sent."""
        if self.troubles or self.is_complete:
            return self.result()
        return Outcome(Status.RETRY, tuple(self._refs), why=why, sentence=sentence) if self.created else None


_ORDER = ("account", "company", "contact", "deal", "note", "task")
_PAGES = {"contact": "contacts/detail", "deal": "leads/detail"}


def reference(address: str, kind: Kind, id_: str) -> Ref:
    """Return the reference of a remote object with the page a person opens, where there is one."""
    page = f"{address}/{_PAGES[kind]}/{id_}" if kind in _PAGES else None
    return Ref(kind, id_, page)


def first(items: Iterable[Json]) -> Json | None:
    """Return the main one of linked objects, or the first."""
    found = list(items)
    return next((one for one in found if one.get("is_main")), found[0] if found else None)
