"""Which visits get the credit for a conversion, by a rule (DNI sheet, section 13); docs/attribution.md compares them.

A journey's touches are first read by ``TouchRules`` and then weighed by a model. Shares are exact and sum to 1;
money is integer minor units and is split without losing one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor, fsum
from typing import TypeVar

from tracking_core.roi import Key

Name = str | Key  # what gets the credit: a channel, or a key of the report such as (source, campaign)
N = TypeVar("N", bound=Name)

NONE = "(none)"  # gets the credit of conversions that no touch came before
LOOK_BACK = timedelta(days=90)
HALF_LIFE = timedelta(days=7)


def _check_aware(moment: datetime, what: str) -> None:
    if moment.utcoffset() is None:
        raise ValueError(f"{what} needs a moment with a time zone; got {moment.isoformat()}")


def _check_positive(span: timedelta, what: str) -> None:
    if span <= timedelta(0):
        raise ValueError(f"{what} must be longer than 0; got {span}")


@dataclass(frozen=True, slots=True)
class Touch:
    """One meeting with a channel, aware moment; ``is_call`` for a call, any other touch is a visit.

    ``is_direct`` says that nothing led there: no advertisement, no link.
    """

    channel: Name
    at: datetime
    is_call: bool = False
    is_direct: bool = False

    def __post_init__(self) -> None:
        _check_aware(self.at, f"the touch of {self.channel!r}")


@dataclass(frozen=True, slots=True)
class Journey:
    """What one person touched until ``ended_at``: the conversion, or the end of the period if there was none."""

    touches: tuple[Touch, ...]
    ended_at: datetime
    converted: bool = True
    value_minor: int = 0

    def __post_init__(self) -> None:
        _check_aware(self.ended_at, "the end of a journey")


@dataclass(frozen=True, slots=True)
class TouchRules:
    """Which touches count, and under which name.

    ``groups`` is channel -> group, and a channel without a group stands for itself; models see groups only.
    ``collapse`` makes touches of one group in a row into one, the latest. ``count_calls`` takes calls as touches.
    ``none`` is the name that conversions without a touch are credited to.
    """

    look_back: timedelta = LOOK_BACK
    groups: Mapping[Name, Name] = field(default_factory=dict)
    collapse: bool = False
    count_calls: bool = False
    none: Name = NONE

    def __post_init__(self) -> None:
        _check_positive(self.look_back, "the look-back window")


DEFAULT_RULES = TouchRules()


def touches_that_count(journey: Journey, rules: TouchRules = DEFAULT_RULES) -> tuple[Touch, ...]:
    """Returns the touches the models see, by time; touches of the same moment stay in the order given.

    A touch exactly as old as the look-back window counts, a touch after the end does not.
    """
    seen = [
        replace(touch, channel=rules.groups.get(touch.channel, touch.channel))
        for touch in sorted(journey.touches, key=lambda touch: touch.at)
        if timedelta(0) <= journey.ended_at - touch.at <= rules.look_back and (rules.count_calls or not touch.is_call)
    ]
    if rules.collapse:
        seen = [touch for place, touch in enumerate(seen) if _ends_a_row(seen, place)]
    return tuple(seen)


def _ends_a_row(touches: Sequence[Touch], place: int) -> bool:
    return place + 1 == len(touches) or touches[place + 1].channel != touches[place].channel


# -- the models: touches in order of time, at least one -> a weight for each; only the proportions matter

Model = Callable[[Sequence[Touch]], Sequence[Fraction | int]]


def first(touches: Sequence[Touch]) -> Sequence[int]:
    """Gives everything to the first touch."""
    return [1, *[0] * (len(touches) - 1)]


def last(touches: Sequence[Touch]) -> Sequence[int]:
    """Gives everything to the last touch."""
    return [*[0] * (len(touches) - 1), 1]


def last_non_direct(touches: Sequence[Touch]) -> Sequence[int]:
    """Gives everything to the last touch that is not direct; a journey of direct touches only stays direct."""
    told = [place for place, touch in enumerate(touches) if not touch.is_direct]
    credited = told[-1] if told else len(touches) - 1
    return [int(place == credited) for place in range(len(touches))]


def linear(touches: Sequence[Touch]) -> Sequence[int]:
    """Gives every touch the same."""
    return [1] * len(touches)


def time_decay(half_life: timedelta = HALF_LIFE) -> Model:
    """Returns the model where a touch older by ``half_life`` weighs half. Raises ValueError unless positive."""
    _check_positive(half_life, "the half-life")

    def decayed(touches: Sequence[Touch]) -> Sequence[Fraction]:
        # Ages count from the last touch: the proportions are the same, and old journeys do not all decay to 0.
        return [Fraction(2.0 ** -((touches[-1].at - touch.at) / half_life)) for touch in touches]

    return decayed


def position(first_percent: int, middle_percent: int, last_percent: int) -> Model:
    """Returns the model with fixed shares for the first and the last touch; those between share the middle.

    Of two touches each gets its own share, renormalised; a single touch gets everything. Raises ValueError unless
    the percentages are not negative and sum to 100.
    """
    percents = (first_percent, middle_percent, last_percent)
    if min(percents) < 0 or sum(percents) != 100:
        raise ValueError(f"position shares must be 0 to 100 percent and sum to 100; got {percents}")

    def placed(touches: Sequence[Touch]) -> Sequence[Fraction | int]:
        between = len(touches) - 2
        if between > 0:
            return [first_percent, *[Fraction(middle_percent, between)] * between, last_percent]
        # With 0/100/0 nobody has a share of a short journey, so everybody has the same.
        return [first_percent, last_percent] if between == 0 and middle_percent < 100 else linear(touches)

    return placed


MODELS: Mapping[str, Model] = {
    "first": first,
    "last": last,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "time_decay": time_decay(),
    "position_40_20_40": position(40, 20, 40),
    "position_20_60_20": position(20, 60, 20),
    "position_10_50_40": position(10, 50, 40),
}


# -- credit


@dataclass(frozen=True, slots=True)
class Credit:
    """What a model gives one channel: conversions, parts of them included, and money in minor units."""

    channel: Name
    conversions: float
    value_minor: int


def shares(journey: Journey, model: Model, rules: TouchRules = DEFAULT_RULES) -> dict[Name, Fraction]:
    """Returns channel -> share of one conversion, the sum exactly 1; without touches ``rules.none`` has it all."""
    touches = touches_that_count(journey, rules)
    if not touches:
        return {rules.none: Fraction(1)}
    weights = model(touches)
    whole = Fraction(sum(weights))
    found: dict[Name, Fraction] = {}
    for touch, weight in zip(touches, weights, strict=True):
        found[touch.channel] = found.get(touch.channel, Fraction(0)) + weight / whole
    return found


def attribute(journeys: Iterable[Journey], model: Model, rules: TouchRules = DEFAULT_RULES) -> tuple[Credit, ...]:
    """Returns the credit of every channel touched before a conversion, the most conversions first."""
    parts: dict[Name, list[float]] = {}
    money: Counter[Name] = Counter()
    for journey in journeys:
        if journey.converted:
            told = shares(journey, model, rules)
            money.update(split_money(journey.value_minor, told))
            for channel, share in told.items():
                parts.setdefault(channel, []).append(float(share))
    # fsum rounds once at the end, so that the order of journeys does not show.
    found = [Credit(channel, fsum(some), money[channel]) for channel, some in parts.items()]
    return tuple(sorted(found, key=lambda credit: (-credit.conversions, credit.channel)))


def split_money(value_minor: int, weights: Mapping[N, Fraction | float]) -> dict[N, int]:
    """Returns channel -> minor units in proportion to the weights, the sum exactly ``value_minor``.

    What rounding down leaves goes one unit each to the largest remainders, of equal ones to the name that sorts
    first. A negative value, a refund, is split likewise. Raises ValueError unless the weights are not negative and
    one is positive.
    """
    if min(weights.values(), default=0) < 0 or not any(weights.values()):
        raise ValueError(f"weights must not be negative and one must be positive; got {dict(weights)}")
    whole = sum(Fraction(weight) for weight in weights.values())
    wanted = {channel: value_minor * Fraction(weight) / whole for channel, weight in weights.items()}
    given = {channel: floor(part) for channel, part in wanted.items()}
    by_remainder = sorted(wanted, key=lambda channel: (given[channel] - wanted[channel], channel))
    for channel in by_remainder[: value_minor - sum(given.values())]:
        given[channel] += 1
    return given


# -- assists


@dataclass(frozen=True, slots=True)
class Assists:
    """Conversions one channel took part in: as the last touch, as an earlier one, and each counted once."""

    channel: Name
    last: int
    assisted: int
    total: int


def assists(journeys: Iterable[Journey], rules: TouchRules = DEFAULT_RULES) -> tuple[Assists, ...]:
    """Returns a row for each channel, the highest total first.

    A channel that is both last and earlier counts in ``last`` and ``assisted``, and once in ``total``.
    """
    ended: Counter[Name] = Counter()
    helped: Counter[Name] = Counter()
    touched: Counter[Name] = Counter()
    for journey in journeys:
        if journey.converted:
            path = [touch.channel for touch in touches_that_count(journey, rules)] or [rules.none]
            ended.update(path[-1:])
            helped.update(set(path[:-1]))
            touched.update(set(path))
    rows = [Assists(channel, ended[channel], helped[channel], touched[channel]) for channel in touched]
    return tuple(sorted(rows, key=lambda row: (-row.total, row.channel)))
