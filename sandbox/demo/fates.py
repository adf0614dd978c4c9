"""What the sales people will make of each caller's deal, known before the day begins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from sandbox.demo.calls import CallPlan, Kind


class Outcome(StrEnum):
    """How a deal stands at the end of what is known."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


SHARES = {Outcome.WON: 0.34, Outcome.LOST: 0.36, Outcome.OPEN: 0.30}
OWED = 0.4  # of the customers who paid an advance still owe the rest
_ADVANCES = (30, 40, 50)  # of the price, in hundredths


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a caller's first deal; seconds count from its appearance, prices are whole roubles.

    A deal may be taken up again after it was closed: at `again_s` it becomes `again`, at `again_price`. An advance of
    `advance_minor` kopecks is paid half way to its end; the rest is paid with the end or, where it `is_owed`, not yet.
    """

    outcome: Outcome
    price: int
    decided_s: float
    again_s: float | None = None
    again: Outcome = Outcome.OPEN
    again_price: int = 0
    advance_minor: int = 0
    is_owed: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deal should stand: how far an open one is on its way (0 to 1), the price of a won one in whole roubles."""

    outcome: Outcome
    part: float = 1.0
    price: int | None = None

    def of(self, stages: Sequence[str] | Sequence[int]) -> str | int:
        """Returns the one of an open deal's stages, first to last, that it should be in."""
        return stages[min(int(self.part * len(stages)), len(stages) - 1)]


def standing(fate: Fate, age: float) -> Standing:
    """Returns how a deal stands so many seconds after it appeared."""
    if fate.again_s is not None and age >= fate.again_s:
        return Standing(fate.again, price=fate.again_price if fate.again is Outcome.WON else None)
    if age >= fate.decided_s and fate.outcome is not Outcome.OPEN:
        return Standing(fate.outcome, price=fate.price if fate.outcome is Outcome.WON else None)
    return Standing(Outcome.OPEN, age / fate.decided_s)


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


def plan_writers_fates(random: Random, phones: Iterable[str]) -> Mapping[str, Fate]:
    """Returns a fate for each of those who write, by his number."""
    return {phone: _fate(random) for phone in phones}


def with_advances(random: Random, share: float, fates: Mapping[str, Fate]) -> Mapping[str, Fate]:
    """Returns the fates where that share of who buys at once pays an advance, and some of them still owe the rest."""
    return {phone: _advanced(random, fate) if random.random() < share else fate for phone, fate in fates.items()}


def _advanced(random: Random, fate: Fate) -> Fate:
    if fate.outcome is not Outcome.WON or fate.again_s is not None:
        return fate
    return replace(fate, advance_minor=fate.price * random.choice(_ADVANCES), is_owed=random.random() < OWED)


_TURNS = (
    Fate(Outcome.WON, 86_400, 3_000, again_s=6_000, again=Outcome.WON, again_price=91_300),
    Fate(Outcome.WON, 54_000, 2_700, again_s=7_200, again=Outcome.OPEN),
    Fate(Outcome.LOST, 0, 2_400, again_s=6_600, again=Outcome.WON, again_price=38_750),
)


def _fate(random: Random) -> Fate:
    outcome = random.choices(list(SHARES), list(SHARES.values()))[0]
    price = random.randrange(180, 2_400) * 100 + random.choice((0, 0, 0, 50, 90))
    return Fate(outcome, price if outcome is Outcome.WON else 0, random.uniform(1_800, 4 * 3_600))
