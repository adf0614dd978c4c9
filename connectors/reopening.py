"""Which lost deal a rule opens again; pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from connectors.known import Known, KnownDeal, age_of
from connectors.scenario import ReopenDeal, Rule

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def reopens(rule: Rule) -> ReopenDeal | None:
    """Return what a rule asks to open again, if it does."""
    return next((one for one in rule.actions if isinstance(one, ReopenDeal)), None)


def lost_deal(asked: ReopenDeal, people: Iterable[Known]) -> tuple[Known, KnownDeal] | None:
    """Return the deal of its pipeline that was lost last, and whose it is; None where there is none."""
    lost = [(known, deal) for known in people for deal in known.deals if deal.outcome == "lost"]
    here = [one for one in lost if one[1].pipeline == asked.pipeline and not one[1].is_lead]
    return max(here, key=lambda one: (one[1].closed_at or _LONG_AGO, age_of(one[1].id)), default=None)
