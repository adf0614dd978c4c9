"""Plays the day of all companies at once: each happening at its moment, the clock in between, and what is left."""

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from sandbox.demo.calls import CallPlan
from sandbox.demo.cast import LAST_SHIFT_S, Cast, Played
from sandbox.demo.company import wall_time
from sandbox.demo.plan import Day, Kill
from sandbox.demo.stage import Stage
from sandbox.demo.walls import seen_of_others

_WAITS_FOR_WORK_S = 0.12

Progress = Callable[[float, str], None]  # part of the day that is over, and what the clock shows


@dataclass(frozen=True, slots=True)
class Run:
    """The day of all companies, in their order, and what the one hub went through."""

    played: Sequence[Played]
    kills: int
    repeats: int
    seconds: float


@dataclass(slots=True)
class Player:
    """One player of one day of several companies on one stage."""

    days: Sequence[Day]
    stage: Stage
    progress: Progress
    casts: Sequence[Cast] = field(init=False)
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)
    _kills: dict[tuple[str, int], Kill] = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.days, self.stage.tenants, strict=True)
        self.casts = [Cast(day, tenant, self.stage, self._at, self._ended) for day, tenant in pairs]
        self._kills = {(day.company.key, kill.call): kill for day in self.days for kill in day.kills}

    def play(self) -> Run:
        """Plays the whole day and returns what it left behind."""
        began = time.monotonic()
        for cast in self.casts:
            cast.plan()
        shown = 0.0
        while self._agenda:
            at, _, happen = heapq.heappop(self._agenda)
            has_work = any(cast.has_work for cast in self.casts)
            self.stage.clock.walk(at, self._is_busy) if has_work else self.stage.clock.jump(at)
            happen()
            if time.monotonic() - shown > 0.1:
                shown = time.monotonic()
                self.progress(self._part(at), wall_time(at))
        self._wait_for_deaths()
        self.progress(1.0, wall_time(self.stage.clock.now()))
        for cast in self.casts:
            cast.tenant.spend(cast.day)
        self.stage.settle()
        return self._gather(began)

    def _part(self, at: float) -> float:
        opens, ends = self.days[0].opens, self.days[0].closes + LAST_SHIFT_S
        return min((at - opens) / (ends - opens), 1.0)

    def _at(self, moment: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), happen))

    def _ended(self, cast: Cast, call: CallPlan | None) -> None:
        """The hub has work for a company now; at some calls' ends it is killed."""
        cast.has_work = True
        self.stage.clock.start_work(_WAITS_FOR_WORK_S)
        # The end may be told twice; the hub dies once for it.
        if call and (kill := self._kills.pop((cast.day.company.key, call.number), None)):
            self.stage.hub.kill_in(kill.after_s)

    def _is_busy(self) -> bool:
        """Whether the hub is still at work on what was told to it."""
        self.stage.hub.revive()
        return self.stage.hub.awaits_death or any(cast.still_works() for cast in self.casts)

    def _wait_for_deaths(self) -> None:
        while self.stage.hub.awaits_death:
            self.stage.clock.pass_time(0.01)
        self.stage.hub.revive()

    def _gather(self, began: float) -> Run:
        stage = self.stage
        seen = seen_of_others(stage.tenants, stage.hub.url)
        parts = zip(self.casts, stage.connections, seen, strict=True)
        played = [cast.left_behind(connection, others) for cast, connection, others in parts]
        repeats = stage.hub.door.repeats + sum(one.repeats for one in played)
        return Run(played, stage.hub.kills, repeats, time.monotonic() - began)
