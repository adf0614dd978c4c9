"""What enquiries brought, divided between the sources that led to them: rows for the report of ``roi``.

Nothing is lost in dividing. Money is divided in minor units and each enquiry or deal in billionths, both by the largest
remainder, so that every column sums to the same in every model.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tracking_core.attribution import MODELS, Journey, Model, Name, TouchRules, shares, split_money
from tracking_core.attribution_data import Chain, Step, in_equal_parts, path_of, steps_of
from tracking_core.roi import DealSum, EnquiryCount, Key

BY_RULE: Mapping[str, Model] = {**MODELS, "shapley": in_equal_parts}  # models that one journey is enough for
MOST_NAMES = 200  # in a Markov chain: its arithmetic grows with their cube, and this many take about a second
_BILLION = 10**9
_COUNTED = ("enquiries", "calls", "qualified", "deals", "won")
_PARTS = {**dict.fromkeys(_COUNTED, _BILLION), "revenue_minor": 1}  # of one


@dataclass(frozen=True, slots=True)
class Brought:
    """What one enquiry brought, and the journey that led to it; its touches are named by keys of the report."""

    journey: Journey
    enquiries: int = 0
    calls: int = 0
    qualified: int = 0
    deals: int = 0
    won: int = 0
    revenue_minor: int = 0


@dataclass(frozen=True, slots=True)
class Credited:
    """The rows a model makes; how many journeys it learned from, and how many keys it put together: none for a rule."""

    enquiries: Sequence[EnquiryCount]
    deals: Sequence[DealSum]
    learned_from: int = 0
    put_together: int = 0


_Sums = dict[str, dict[Name, int]]  # figure -> name -> how many parts


def by_rule(brought: Iterable[Brought], model: Model, rules: TouchRules) -> Credited:
    """Returns what each key has by a model that looks at one journey after another."""
    sums: _Sums = {figure: {} for figure in _PARTS}
    for one in brought:
        told = shares(one.journey, model, rules)
        for figure, parts in _PARTS.items():
            _add(sums[figure], getattr(one, figure) * parts, told)
    return _credited(sums)


def by_markov(brought: Sequence[Brought], lost: Iterable[Step], rules: TouchRules, rest: Name) -> Credited:
    """Returns what each key has by removal effects, those of each figure by what is lost of that very figure.

    ``lost`` are the steps of the journeys that came to no enquiry. Enquiries without a touch are no part of the chain
    and stay under ``rules.none``. Beyond ``MOST_NAMES`` keys the least visited are one, ``rest``.
    """
    paths = [path_of(one.journey, rules) for one in brought]
    steps = [*(step for path in paths for step in steps_of(path)), *lost]
    seen_as = _together(steps, rest)
    chain = Chain(Step(seen_as.get(step.before), seen_as.get(step.after), step.times) for step in steps)
    sums: _Sums = {figure: {} for figure in _PARTS}
    for figure, parts in _PARTS.items():
        endings: Counter[Name] = Counter()
        for one, path in zip(brought, paths, strict=True):
            if path:
                endings[seen_as[path[-1]]] += getattr(one, figure) * parts
            else:
                _add(sums[figure], getattr(one, figure) * parts, {rules.none: 1})
        _add(sums[figure], endings.total(), _effects(endings, chain))
    return _credited(sums, chain.journeys, sum(name == rest for name in seen_as.values()))


def _together(steps: Iterable[Step], rest: Name) -> dict[Name | None, Name]:
    """Under which name the chain sees each: its own, or that of the rest."""
    visits: Counter[Name] = Counter()
    for step in steps:
        if step.after is not None:
            visits[step.after] += step.times
    by_visits = sorted(visits, key=lambda name: (-visits[name], name))
    return {name: name if place < MOST_NAMES else rest for place, name in enumerate(by_visits)}


def _effects(endings: Mapping[Name, int], chain: Chain) -> Mapping[Name, float]:
    # What was paid back is no loss to learn from: where nothing else came in, it stays with the last touch.
    effects = chain.removal_effects({name: max(0, amount) for name, amount in endings.items()})
    return effects if any(effects.values()) else {name: abs(amount) for name, amount in endings.items()}


def _add(sums: dict[Name, int], amount: int, weights: Mapping[Name, Fraction | float]) -> None:
    if amount:
        # Most journeys are of one touch, and need no arithmetic.
        parts = split_money(amount, weights) if len(weights) > 1 else dict.fromkeys(weights, amount)
        for name, part in parts.items():
            if part:
                sums[name] = sums.get(name, 0) + part


def _credited(sums: _Sums, learned_from: int = 0, put_together: int = 0) -> Credited:
    names = sorted({name for of_figure in sums.values() for name in of_figure})

    def count(figure: str, name: Name) -> Fraction:
        return Fraction(sums[figure].get(name, 0), _PARTS[figure])

    return Credited(
        [EnquiryCount(_key(name), *(count(figure, name) for figure in _COUNTED[:3])) for name in names],
        [
            DealSum(_key(name), count("deals", name), count("won", name), sums["revenue_minor"].get(name, 0))
            for name in names
        ],
        learned_from,
        put_together,
    )


def _key(name: Name) -> Key:
    return (name,) if isinstance(name, str) else name
