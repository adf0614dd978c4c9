"""What a reconciliation counts, and what it calls a gap: pure judgements over pages of hub.store.reconcile."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from connectors.protocol import Ref
from hub.delivery.retry import State
from hub.store import crm
from hub.store.inbox import CALL
from hub.store.ledger import Kind
from hub.store.reconcile import Asking, Connected, Enquiries, Events, Note, Sent, Waits

LISTED = 200  # gaps told one by one; all are counted
_SOON = timedelta(minutes=5)  # an enquiry is looked at
_LONG = timedelta(hours=1)  # a delivery waits without being a gap
_ENDLESS = timedelta(hours=6)  # a call lasts
_ASKED_FOR = ("deal", "contact")  # kinds of objects a CRM is asked for
_OBJECTS = (*_ASKED_FOR, "note", "task")


class Gap(StrEnum):
    """What can be wrong between telephony and the CRM; docs/reconciliation.md says what to do."""

    NOT_LOOKED_AT = auto()  # told to us for minutes, and no look has taken it in
    NOT_PLANNED = auto()  # over, or endless, and of an account neither planned nor said that nothing is asked
    WAITING_LONG = auto()  # planned, and not sent for an hour
    PARKED = auto()  # needs a person
    WITHOUT_OBJECT = auto()  # delivered, and nothing in the CRM is named
    GONE = auto()  # what was delivered is not in the CRM any more: deleted or merged
    UNTOLD = auto()  # delivered, and the ledger does not say so
    LEDGER_BROKEN = auto()  # the ledger was changed after it was sealed


@dataclass(frozen=True, slots=True)
class Found:
    """One gap; ``detail`` is what is known beside its kind."""

    gap: Gap
    at: datetime
    enquiry: int | None = None
    installation: int | None = None
    delivery: str | None = None
    detail: str = ""


@dataclass(slots=True)
class Received:
    """What came in."""

    events: int = 0  # of telephony
    unseen: int = 0  # of them, not taken in by a look yet
    calls: int = 0  # incoming ones that are over
    going_on: int = 0  # incoming ones that are not
    ours: int = 0  # outgoing and internal ones, which no CRM is told of
    letters: int = 0  # whatever was written
    looked_at: int = 0  # of calls and letters


@dataclass(slots=True)
class Account:
    """What became of it at one account; ``not_checked`` says why its CRM was not asked for all that was delivered."""

    installation: int
    connector: str
    name: str
    planned: int = 0
    not_asked: int = 0
    delivered: int = 0
    ready: int = 0
    sending: int = 0
    accepted: int = 0
    parked: int = 0
    dropped: int = 0
    present: int = 0
    gone: int = 0
    not_checked: str = ""
    detail: str = ""


@dataclass(slots=True)
class Tally:
    """A reconciliation on its way. ``trouble`` says what an account waits with, by installation."""

    now: datetime
    since: datetime
    connected: Sequence[Connected]
    trouble: Mapping[int, str]
    received: Received = field(default_factory=Received)
    accounts: dict[int, Account] = field(init=False)
    gaps: list[Found] = field(default_factory=list)
    counted: Counter[Gap] = field(default_factory=Counter)
    unfinished_since: datetime | None = None
    _unseen: set[str] = field(default_factory=set)  # calls told of already

    def __post_init__(self) -> None:
        self.accounts = {one.id: Account(one.id, one.connector, one.name) for one in self.connected}

    def find(self, gap: Gap, at: datetime, **more: Any) -> None:
        """Count a gap, and list it while there is room."""
        self.counted[gap] += 1
        if len(self.gaps) < LISTED:
            self.gaps.append(Found(gap, at, **more))

    def unfinished(self, at: datetime) -> None:
        """Note that what began at a moment is to be looked at again the next time."""
        self.unfinished_since = min(at, self.unfinished_since or at)

    # -- events

    def take_events(self, page: Events) -> None:
        """Count a page of events; what no look has taken in for minutes is a gap, one for each call."""
        self.received.events += len(page.rows)
        self.received.unseen += len(page.unseen)
        for one in page.unseen:
            self.unfinished(one.received_at)
            if one.received_at <= self.now - _SOON and one.key not in self._unseen:
                self._unseen.add(one.key)
                detail = _trouble(page.waits.get((CALL, one.key)))
                self.find(Gap.NOT_LOOKED_AT, one.received_at, enquiry=one.enquiry_id, detail=detail)

    # -- enquiries

    def take_enquiries(self, page: Enquiries) -> list[Sent]:
        """Count a page of enquiries and name their gaps; return the deliveries whose CRM is to be asked."""
        sent, notes = _by_enquiry(page.sent), _by_enquiry(page.notes)
        there: list[Sent] = []
        for one in page.rows:
            waits = page.waits.get((one.kind, one.key))
            its_notes = notes.get(one.id, [])
            if self._came(one, its_notes, waits):
                self._planned(one, sent.get(one.id, []), its_notes, waits)
            for delivery in sent.get(one.id, []):
                there += self._sent(one, delivery, its_notes)
        return there

    def _came(self, one: Asking, notes: Sequence[Note], waits: Waits | None) -> bool:
        """Count an enquiry; say whether it was looked at, and is over or should be, and is for the CRM."""
        received = self.received
        if one.is_ours:
            received.ours += 1
            return False
        is_seen = one.kind == CALL or any(note.kind == Kind.JUDGED for note in notes)
        received.looked_at += is_seen
        if one.kind != CALL:
            received.letters += 1
        elif one.is_over:
            received.calls += 1
        else:
            received.going_on += 1
        if is_seen and (one.is_over or one.at <= self.now - _ENDLESS):
            return True
        self.unfinished(one.at)
        if not is_seen or waits is not None:  # nobody looks at a call again whose end is telephony's to tell
            self._unlooked(one, notes, waits)
        return False

    def _unlooked(self, one: Asking, notes: Sequence[Note], waits: Waits | None) -> None:
        """Name a letter, or a call that goes on, whose moment to be looked at is over, or that nobody will look at."""
        taken_at = next((note.at for note in notes if note.kind == Kind.ENQUIRY_TAKEN), one.at)
        is_left = waits is None or waits.trouble or waits.due_at <= self.now - _SOON
        if is_left and taken_at <= self.now - _SOON and one.key not in self._unseen:
            self.find(Gap.NOT_LOOKED_AT, one.at, enquiry=one.id, detail=_trouble(waits))

    def _planned(self, one: Asking, sent: Sequence[Sent], notes: Sequence[Note], waits: Waits | None) -> None:
        for account in self.connected:
            told = {note.kind for note in notes if note.installation_id == account.id}
            if any(delivery.installation_id == account.id for delivery in sent):
                continue
            if Kind.NOT_ASKED in told and Kind.PLANNED not in told:
                self.accounts[account.id].not_asked += 1
            elif Kind.PLANNED in told or (one.at >= account.since and account.status != crm.REMOVED):
                if waits is not None:  # its rules may be mended by the next night
                    self.unfinished(one.at)
                detail = LOST if Kind.PLANNED in told else _trouble(waits) if one.is_over else ENDLESS
                self.find(Gap.NOT_PLANNED, one.at, enquiry=one.id, installation=account.id, detail=detail)

    # -- deliveries

    def _sent(self, one: Asking, delivery: Sent, notes: Sequence[Note]) -> list[Sent]:
        account = self.accounts.get(delivery.installation_id)
        if account is None:  # connected since we began: the next time
            self.unfinished(one.at)
            return []
        account.planned += 1
        setattr(account, delivery.state, getattr(account, delivery.state) + 1)  # its counts are named as the states
        of = {"enquiry": one.id, "installation": delivery.installation_id, "delivery": delivery.id}
        if delivery.state == State.PARKED:
            self.find(Gap.PARKED, one.at, **of, detail=delivery.sentence or delivery.why)
        elif delivery.state == State.DELIVERED:
            return self._delivered(one, delivery, notes, of)
        elif delivery.state != State.DROPPED:
            self.unfinished(one.at)
            if delivery.state != State.ACCEPTED and delivery.created_at <= self.now - _LONG:
                why = self.trouble.get(delivery.installation_id) or delivery.sentence or delivery.why
                self.find(Gap.WAITING_LONG, one.at, **of, detail=why)
        return []

    def _delivered(self, one: Asking, delivery: Sent, notes: Sequence[Note], of: Mapping[str, Any]) -> list[Sent]:
        if not any(note.kind == Kind.DELIVERED and note.delivery_id == delivery.id for note in notes):
            self.find(Gap.UNTOLD, one.at, **of)
        if not any(ref["kind"] in _OBJECTS for ref in delivery.refs) and not self._is_erased(one, delivery):
            self.find(Gap.WITHOUT_OBJECT, one.at, **of)
        return [delivery] if refs_of(delivery) else []

    def _is_erased(self, one: Asking, delivery: Sent) -> bool:
        """Say whether on which cards a delivery is may have been deleted with what was read from its account."""
        (account,) = [account for account in self.connected if account.id == delivery.installation_id]
        is_before = account.erased_at is not None and one.at <= account.erased_at
        return is_before or account.status == crm.REMOVED

    def take_presence(self, at: Mapping[int, datetime], asked: Sequence[Sent], gone: frozenset[Ref]) -> None:
        """Count what the CRM still has of deliveries it was asked for; ``at`` are the moments of their enquiries."""
        for delivery in asked:
            account = self.accounts[delivery.installation_id]
            missing = [f"{ref.kind} {ref.id}" for ref in refs_of(delivery) if ref in gone]
            account.present += not missing
            account.gone += bool(missing)
            if missing:
                of = {"enquiry": delivery.enquiry_id, "installation": account.installation, "delivery": delivery.id}
                self.find(Gap.GONE, at[delivery.enquiry_id], **of, detail=", ".join(missing))


ENDLESS = "Telephony never told that the call ended."
LOST = "The ledger says that it was planned, and its delivery is missing from the database."


def refs_of(delivery: Sent) -> list[Ref]:
    """Return the objects of a delivery that its CRM can be asked for."""
    return [Ref(ref["kind"], ref["id"]) for ref in delivery.refs if ref["kind"] in _ASKED_FOR]


def _trouble(waits: Waits | None) -> str:
    return waits.trouble if waits else ""


def _by_enquiry(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.enquiry_id, []).append(row)
    return found
