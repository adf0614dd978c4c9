"""The calls that ``drain`` delivers: one in ten is of who called before, one in five is missed."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from connectors.contract_inputs import rules
from connectors.scenario import Action, AddNote, AddTask, CallerState, CreateDeal, Enquiry, Plan, Trigger
from hub.delivery.queue import Planned

REPEATED_IN, MISSED_IN = 10, 5
SOURCE = {"utm_source": "yandex", "utm_medium": "cpc", "utm_campaign": "okna", "utm_term": "пластиковые окна"}
NOTE = AddNote("Входящий звонок на номер +74951110001\nИсточник: yandex\nКампания: okna")
TASK = AddTask("Перезвонить: пропущенный звонок", due_minutes=15)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many calls of which kind a backlog has."""

    calls: int

    @property
    def repeated(self) -> int:
        """Those of who called earlier in the backlog: his contact and his open deal are there by then."""
        return self.calls // REPEATED_IN

    @property
    def new(self) -> int:
        """Those of new callers."""
        return self.calls - self.repeated

    @property
    def missed(self) -> int:
        """Those that ask for a task."""
        return ceil(self.calls / MISSED_IN)


def backlog(now: datetime, calls: int, prefix: str) -> list[Planned]:
    """Return the calls of the hours before; a caller who calls again does so at any time after his first call."""
    chance, callers, made = random.Random(7), list[str](), list[Planned]()
    for number in range(calls):
        if number % REPEATED_IN == REPEATED_IN - 1:
            caller = callers.pop(chance.randrange(len(callers)))
        else:
            caller = f"{prefix}{number:07}"
            callers.append(caller)
        at = now - timedelta(seconds=calls - number)
        made.append(Planned(1, f"call:{number}", None, caller, at, _plan(number, caller, at)))
    return made


def _plan(number: int, caller: str, at: datetime) -> Plan:
    is_missed = number % MISSED_IN == 0
    enquiry = Enquiry(
        id=f"call:{number}", caller=caller, dialled="+74951110001", started_at=at, talk_s=0 if is_missed else 60,
        wait_s=5, answered=not is_missed, recording_url=None, operator=None, source=SOURCE, confidence=0.9, reason="",
    )  # fmt: skip
    told: tuple[Action, ...] = (NOTE, TASK) if is_missed else (NOTE,)
    new: tuple[Action, ...] = (CreateDeal(f"Звонок {caller}", tags=("Коллтрекинг",)), *told)
    cases = {CallerState.UNKNOWN: new, CallerState.NO_OPEN_DEAL: new, CallerState.OPEN_DEAL: told}
    return Plan(enquiry, 1, Trigger.MISSED if is_missed else Trigger.ENDED, rules(cases))
