"""Everybody of one company's day: who comes to its site, calls and writes, its telephony, its sales people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.demo.browser import Browsers
from sandbox.demo.calls import CallPlan, Kind
from sandbox.demo.console import Connection
from sandbox.demo.crm import CrmState, Sales, Traffic
from sandbox.demo.forms import FormPlan
from sandbox.demo.plan import Day
from sandbox.demo.stage import Stage
from sandbox.demo.telephony import Mango, Message, SmallProvider, generic_messages, mango_messages
from sandbox.demo.tenant import Foreseen, HubStatus, Tenant

SHIFT_S, LAST_SHIFT_S = 900.0, 5_400.0
SMALL_PROVIDER_EVERY = 7  # each seventh number of the pool is at the small provider
LATE = 0.75  # of the opening hours are over when the last part of the day begins
FORGED_EVERY = 20  # after so many calls somebody tries to post a call of his own

At = Callable[[float, Callable[[], None]], None]  # puts a happening on the agenda
Ended = Callable[["Cast", CallPlan | None], None]  # somebody called or wrote: the hub has work now


@dataclass(frozen=True, slots=True)
class Played:
    """What the day of one company left behind, on both sides; `seen_of_others` is what its owner sees of the rest."""

    connection: Connection
    browsers: Browsers
    hub_calls: Sequence[dict[str, Any]]
    hub_enquiries: Sequence[dict[str, Any]]
    hub_status: HubStatus
    report: dict[str, Any]
    accuracy: dict[str, Any]
    crm: CrmState
    traffic: Traffic
    forged: int
    forged_refused: int
    repeats: int
    moves: int
    seen_of_others: int
    foreseen: Foreseen
    foreseen_late: Foreseen  # of the day's last part, the rest as it was


@dataclass(slots=True)
class Cast:
    """The people of one company on one stage; `has_work` says that the hub may be at work for it."""

    day: Day
    tenant: Tenant
    stage: Stage
    at: At
    ended: Ended
    browsers: Browsers = field(init=False)
    mango: Mango = field(init=False)
    small: SmallProvider = field(init=False)
    sales: Sales = field(init=False)
    forged: int = 0
    forged_refused: int = 0
    has_work: bool = False

    def __post_init__(self) -> None:
        company, keys, door, now = self.day.company, self.tenant.keys, self.stage.hub.door, self.stage.clock.now
        self.browsers = Browsers.open(door, company, keys.site, self.day.people, now)
        self.mango = Mango(door, keys.mango_path, *company.mango)
        self.small = SmallProvider(door, keys.small_path, company.secret, now)
        self.sales = self.tenant.hire(self.day.fates)

    def plan(self) -> None:
        """Puts the whole day on the agenda; telephony comes to it with each call."""
        for visit in (*self.day.visits, *self.day.strangers):
            self.at(visit.at, lambda visit=visit: self.browsers.arrive(visit))  # type: ignore[misc]
            for view in visit.views:
                self.at(view.at, lambda visit=visit, view=view: self.browsers.look(visit, view))  # type: ignore[misc]
        for gesture in self.day.gestures:
            visit = self.day.visits[gesture.visit]
            self.at(gesture.at, lambda visit=visit, gesture=gesture: self.browsers.gesture(visit, gesture))  # type: ignore[misc]
        for call in self.day.calls:
            self.at(call.at, lambda call=call: self._ring(call))  # type: ignore[misc]
        for form in self.day.forms:
            self.at(form.at, lambda form=form: self._write(form))  # type: ignore[misc]
        shift, last = self.day.opens + SHIFT_S, self.day.closes + LAST_SHIFT_S
        while shift <= last:
            self.at(shift, lambda: self.sales.work(self.stage.clock.now()))
            shift += SHIFT_S
        self.at((self.day.opens + self.day.closes) / 2, self.sales.walk_in)

    def still_works(self) -> bool:
        """Whether the hub is still at work for this company; costs a request while it may be."""
        self.has_work = self.has_work and self.tenant.status().is_busy
        return self.has_work

    def _ring(self, call: CallPlan) -> None:
        """Somebody dials: the number he sees, noted or knows; from now on telephony tells of it."""
        dialled = call.dialled or (self.browsers.dialled[call.visit] if call.visit is not None else "")
        is_small = dialled in self.day.pool and self.day.pool.index(dialled) % SMALL_PROVIDER_EVERY == 0
        messages = generic_messages(call, dialled) if is_small else mango_messages(call, dialled)
        post = self.small.post if is_small else self.mango.post
        for message in messages:
            self.at(message.at, lambda message=message: self._tell(call, post, message))  # type: ignore[misc]
        if call.number % FORGED_EVERY == FORGED_EVERY - 1:
            self._forge(replace(call, number=call.number + 9_000, kind=Kind.FRESH), dialled)

    def _tell(self, call: CallPlan, post: Callable[[Message], None], message: Message) -> None:
        post(message)
        self.stage.hub.revive()
        if message.ends_call:
            self.ended(self, call)

    def _write(self, form: FormPlan) -> None:
        self.browsers.write(self.day.visits[form.visit], form)
        self.ended(self, None)

    def _forge(self, call: CallPlan, dialled: str) -> None:
        self.forged += 1
        self.forged_refused += self.mango.forge(mango_messages(call, dialled)[-1])

    def left_behind(self, connection: Connection, seen_of_others: int) -> Played:
        """Returns what there is of this company at the end of its day."""
        tenant, day = self.tenant, self.day
        return Played(
            connection=connection,
            browsers=self.browsers,
            hub_calls=tenant.calls(),
            hub_enquiries=tenant.enquiries(),
            hub_status=tenant.status(),
            report=tenant.report(),
            accuracy=tenant.accuracy(),
            crm=tenant.crm.state(),
            traffic=tenant.crm.traffic(),
            forged=self.forged,
            forged_refused=self.forged_refused,
            repeats=tenant.api.repeats,
            moves=self.sales.moves,
            seen_of_others=seen_of_others,
            foreseen=tenant.foreseen(day.opens),
            foreseen_late=tenant.foreseen(day.opens + LATE * (day.closes - day.opens)),
        )
