"""Which deals reach a goal: by the stages they ever stood in, their tags and their outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DealRules:
    """What our customer accepts as a deal that reached a goal; names are compared without case.

    ``stages`` and ``pipelines`` are names or ids: a deal that ever stood there has been there, wherever it is now.
    ``tags`` and ``outcome`` are as they are now. ``unless_lost`` takes the goal back from a deal that is lost.
    ``value_minor`` is what reaching it is worth, None what the deal is.
    """

    name: str = "deal_won"
    stages: frozenset[str] = frozenset()
    pipelines: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    outcome: str = ""
    unless_lost: bool = False
    value_minor: int | None = None


WON = DealRules(outcome="won")


@dataclass(frozen=True, slots=True)
class Stood:
    """A stage the deal was seen in: by what names it and its pipeline are known, and since when."""

    pipeline: frozenset[str]
    stage: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class DealSeen:
    """A deal as the CRM has it now, with the stages it was ever seen in."""

    outcome: str
    tags: Sequence[str]
    changed_at: datetime
    closed_at: datetime | None
    deleted: bool
    stood: Sequence[Stood]


def plain(names: Iterable[str]) -> frozenset[str]:
    """Returns names as they are compared: without case, spaces around them or empty ones."""
    return frozenset(name.strip().casefold() for name in names if name.strip())


def reached(deal: DealSeen, rules: DealRules, since: datetime | None) -> datetime | None:
    """Returns when a deal reached the goal, None when it has not, or not any more.

    ``since`` is when it had reached it as far as we knew before: a tag does not tell since when it is there.
    """
    if deal.deleted or (rules.outcome and deal.outcome != rules.outcome):
        return None
    if (rules.unless_lost and deal.outcome == "lost") or (rules.tags and not rules.tags & plain(deal.tags)):
        return None
    moments = [since or deal.changed_at] if rules.tags else []
    if rules.outcome:
        moments.append(deal.closed_at or deal.changed_at)
    if rules.stages or rules.pipelines:
        stood = [one.at for one in deal.stood if _fits(one, rules)]
        if not stood:
            return None
        moments.append(min(stood))
    return max(moments, default=None)


def _fits(stood: Stood, rules: DealRules) -> bool:
    return _any(rules.pipelines, stood.pipeline) and _any(rules.stages, stood.stage)


def _any(asked: frozenset[str], known: frozenset[str]) -> bool:
    return not asked or bool(asked & known)


def worth(outcome: str, deleted: bool, amount_minor: int) -> int:
    """Returns what a deal is worth: its amount, nothing when it is lost or deleted; minor units."""
    return 0 if deleted or outcome == "lost" else amount_minor
