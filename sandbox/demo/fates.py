"""What the sales people will make of each caller's deal, known before the day begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sandbox.demo.calls import CallPlan, Kind


class Outcome(StrEnum):
    """How a deal stands at the end of what is known."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


SHARES = {Outcome.WON: 0.34, Outcome.LOST: 0.36, Outcome.OPEN: 0.30}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a caller's first deal; seconds count from its appearance, prices are whole roubles.

    A deal may be taken up again after it was closed: at `again_s` it becomes `again`, at `again_price`.
    """

    outcome: Outcome
    price: int
    decided_s: float
    again_s: float | None = None
    again: Outcome = Outcome.OPEN
    again_price: int = 0


def plan_fates(random: Random, calls: Sequence[CallPlan]) -> Mapping[str, Fate]:
    """Returns a fate for each caller with a number of his own, by that number.

    Among them are, where the day has enough calls: a price corrected after winning, a won deal taken back,
    and a lost deal won after all. These are deals of people who call once, so that a later call never meets
    a reopened deal.
    """
    first: dict[str, CallPlan] = {}
    times: dict[str, int] = {}
    for call in calls:
        if call.reaches_crm and call.caller and call.kind is not Kind.OFFICE:
            first.setdefault(call.caller, call)
            times[call.caller] = times.get(call.caller, 0) + 1
    fates = {caller: _fate(random) for caller in first}
    once = [caller for caller in first if times[caller] == 1 and first[caller].is_answered]
    for caller, turn in zip(once, _TURNS, strict=False):
        fates[caller] = turn
    return fates


_TURNS = (
    Fate(Outcome.WON, 86_400, 3_000, again_s=6_000, again=Outcome.WON, again_price=91_300),
    Fate(Outcome.WON, 54_000, 2_700, again_s=7_200, again=Outcome.OPEN),
    Fate(Outcome.LOST, 0, 2_400, again_s=6_600, again=Outcome.WON, again_price=38_750),
)


def _fate(random: Random) -> Fate:
    outcome = random.choices(list(SHARES), list(SHARES.values()))[0]
    price = random.randrange(180, 2_400) * 100 + random.choice((0, 0, 0, 50, 90))
    return Fate(outcome, price if outcome is Outcome.WON else 0, random.uniform(1_800, 4 * 3_600))
