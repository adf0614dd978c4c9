"""Plays the day: each happening at its moment, the clock in between, and what is left at the end."""

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sandbox.demo.browser import Browsers
from sandbox.demo.calls import CallPlan, Kind
from sandbox.demo.company import wall_time
from sandbox.demo.crm import CrmState, Traffic
from sandbox.demo.market import Connection
from sandbox.demo.plan import Day, Kill
from sandbox.demo.sales import SalesDepartment
from sandbox.demo.stage import HubStatus, Stage
from sandbox.demo.telephony import Mango, Message, SmallProvider, generic_messages, mango_messages

SHIFT_S, LAST_SHIFT_S = 900.0, 5_400.0
SMALL_PROVIDER_EVERY = 7  # each seventh number of the pool is at the small provider
FORGED_EVERY = 20  # after so many calls somebody tries to post a call of his own
_WAITS_FOR_WORK_S = 0.12

Progress = Callable[[float, str], None]  # part of the day that is over, and what the clock shows


@dataclass(frozen=True, slots=True)
class Played:
    """What the day left behind, on both sides."""

    connection: Connection
    browsers: Browsers
    hub_calls: Sequence[dict[str, object]]
    hub_status: HubStatus
    report: dict[str, object]
    accuracy: dict[str, Any]
    crm: CrmState
    traffic: Traffic
    forged: int
    forged_refused: int
    kills: int
    repeats: int
    moves: int
    seconds: float


@dataclass(slots=True)
class Player:
    """One player of one day on one stage."""

    day: Day
    stage: Stage
    progress: Progress
    browsers: Browsers = field(init=False)
    mango: Mango = field(init=False)
    small: SmallProvider = field(init=False)
    sales: SalesDepartment = field(init=False)
    forged: int = 0
    forged_refused: int = 0
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)
    _has_work: bool = False
    _kills: dict[int, Kill] = field(init=False)

    def __post_init__(self) -> None:
        hub = self.stage.hub
        self._kills = {kill.call: kill for kill in self.day.kills}
        self.browsers = Browsers.open(hub.door, hub.keys.site, self.day.people, self.stage.clock.now)
        self.mango = Mango(hub.door, hub.keys.mango_path)
        self.small = SmallProvider(hub.door, hub.keys.small_path, self.stage.clock.now)
        self.sales = SalesDepartment.hire(self.stage.crm, self.day.fates)

    def play(self) -> Played:
        """Plays the whole day and returns what it left behind."""
        began = time.monotonic()
        self._plan_agenda()
        shown = 0.0
        while self._agenda:
            at, _, happen = heapq.heappop(self._agenda)
            self.stage.clock.walk(at, self._is_busy) if self._has_work else self.stage.clock.jump(at)
            happen()
            if time.monotonic() - shown > 0.1:
                shown = time.monotonic()
                self.progress(self._part(at), wall_time(at))
        self._wait_for_deaths()
        self.progress(1.0, wall_time(self.stage.clock.now()))
        self.stage.hub.spend(self.day)
        self.stage.settle()
        return self._gather(began)

    def _part(self, at: float) -> float:
        return min((at - self.day.opens) / (self.day.closes + LAST_SHIFT_S - self.day.opens), 1.0)

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), happen))

    def _plan_agenda(self) -> None:
        for visit in (*self.day.visits, *self.day.strangers):
            self._at(visit.at, lambda visit=visit: self.browsers.arrive(visit))  # type: ignore[misc]
            for view in visit.views:
                self._at(view.at, lambda visit=visit, view=view: self.browsers.look(visit, view))  # type: ignore[misc]
        for gesture in self.day.gestures:
            visit = self.day.visits[gesture.visit]
            self._at(gesture.at, lambda visit=visit, gesture=gesture: self.browsers.gesture(visit, gesture))  # type: ignore[misc]
        for call in self.day.calls:
            self._at(call.at, lambda call=call: self._ring(call))  # type: ignore[misc]
        shift, last = self.day.opens + SHIFT_S, self.day.closes + LAST_SHIFT_S
        while shift <= last:
            self._at(shift, lambda: self.sales.work(self.stage.clock.now()))
            shift += SHIFT_S
        self._at((self.day.opens + self.day.closes) / 2, self.sales.walk_in)

    def _ring(self, call: CallPlan) -> None:
        """Somebody dials: the number he sees, noted or knows; from now on telephony tells of it."""
        dialled = call.dialled or (self.browsers.dialled[call.visit] if call.visit is not None else "")
        is_small = dialled in self.day.pool and self.day.pool.index(dialled) % SMALL_PROVIDER_EVERY == 0
        messages = generic_messages(call, dialled) if is_small else mango_messages(call, dialled)
        post = self.small.post if is_small else self.mango.post
        for message in messages:
            self._at(message.at, lambda message=message: self._tell(call, post, message))  # type: ignore[misc]
        if call.number % FORGED_EVERY == FORGED_EVERY - 1:
            self._forge(replace(call, number=call.number + 9_000, kind=Kind.FRESH), dialled)

    def _tell(self, call: CallPlan, post: Callable[[Message], None], message: Message) -> None:
        post(message)
        self.stage.hub.revive()
        if message.ends_call:
            self._has_work = True
            self.stage.clock.start_work(_WAITS_FOR_WORK_S)
            # The end may be told twice; the hub dies once for it.
            if kill := self._kills.pop(call.number, None):
                self.stage.hub.kill_in(kill.after_s)

    def _forge(self, call: CallPlan, dialled: str) -> None:
        self.forged += 1
        self.forged_refused += self.mango.forge(mango_messages(call, dialled)[-1])

    def _is_busy(self) -> bool:
        """Whether the hub is still at work on a call that ended."""
        self.stage.hub.revive()
        self._has_work = self.stage.hub.awaits_death or self.stage.hub.status().is_busy
        return self._has_work

    def _wait_for_deaths(self) -> None:
        while self.stage.hub.awaits_death:
            self.stage.clock.pass_time(0.01)
        self.stage.hub.revive()

    def _gather(self, began: float) -> Played:
        stage = self.stage
        return Played(
            connection=stage.connection,
            browsers=self.browsers,
            hub_calls=stage.hub.calls(),
            hub_status=stage.hub.status(),
            report=stage.hub.report(),
            accuracy=stage.hub.accuracy(),
            crm=stage.crm.state(),
            traffic=stage.crm.traffic(),
            forged=self.forged,
            forged_refused=self.forged_refused,
            kills=stage.hub.kills,
            repeats=stage.hub.door.repeats + stage.hub.api.repeats,
            moves=self.sales.moves,
            seconds=time.monotonic() - began,
        )
