"""Which enquiries and deals reach a goal, as the set-up file says it, and as the rules of the core."""

import json
from collections.abc import Iterable
from datetime import time
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from hub.costs import to_minor
from hub.setup_values import STRICT
from tracking_core.deal_goals import WON, DealRules, plain
from tracking_core.qualify import Hours, Rules


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not a time zone like Europe/Moscow") from error
    return text


def _value(given: object) -> object:
    """Read what a goal is worth: ``deal``, or an amount in the site's currency, as text."""
    if given is None or given == _DEAL:
        return given
    try:
        to_minor(Decimal(str(given)))
    except ArithmeticError as error:
        raise ValueError("is an amount like 500 or 1499.90, or the word deal") from error
    return str(given)


def _text(given: object) -> object:
    """Take an id of the CRM that was written without quotes."""
    return str(given) if type(given) is int else given


_DEAL = "deal"
Zone = Annotated[str, AfterValidator(_zone)]
Value = Annotated[str | None, BeforeValidator(_value)]
Named = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=120)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["call", "form", "callback", "chat", "mail", "manual"]


class HoursPart(BaseModel):
    """Working hours, in a time zone."""

    model_config = STRICT

    days: list[Day] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    opens: time = time(9)
    closes: time = time(18)
    zone: Zone = "Europe/Moscow"

    @model_validator(mode="after")
    def _open(self) -> Self:
        if self.opens == self.closes:
            raise ValueError("opens and closes are the same: nothing would ever count")
        return self


class DealPart(BaseModel):
    """What a deal must have reached; stages and pipelines by name or id."""

    model_config = STRICT

    stage: list[Named] = []
    pipeline: list[Named] = []
    tag: list[Named] = []
    outcome: Literal["won"] | None = None
    unless_lost: bool = False

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.stage or self.pipeline or self.tag or self.outcome):
            raise ValueError("names at least one of stage, pipeline, tag and outcome")
        return self


class GoalPart(BaseModel):
    """A goal by name, and which enquiries count for it, or which deals."""

    model_config = STRICT

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    kinds: list[Kind] = []
    min_talk_s: int = Field(default=30, ge=0, le=3_600)
    answered_within_s: int | None = Field(default=None, ge=1, le=3_600)
    called_back_within_s: int | None = Field(default=None, ge=1, le=604_800)
    first_time_only: bool = False
    hours: HoursPart | None = None
    deal: DealPart | None = None
    value: Value = None

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        told = [name for name in _OF_ENQUIRIES if getattr(self, name) != type(self).model_fields[name].default]
        if self.deal is not None and told:
            raise ValueError(f"a goal by its deal looks at the deal alone: leave out {', '.join(told)}")
        return self

    @model_validator(mode="after")
    def _can_be_called_back(self) -> Self:
        if self.called_back_within_s is not None and self.kinds and not {"call", "callback"} & set(self.kinds):
            raise ValueError("called_back_within_s is for calls and orders to call back: kinds names neither")
        return self


_OF_ENQUIRIES = ("kinds", "min_talk_s", "answered_within_s", "called_back_within_s", "first_time_only", "hours")


@lru_cache(maxsize=256)
def read_rules(text: str) -> tuple[Rules, ...]:
    """Return the rules for enquiries of the JSON text that is kept; the first says what a target enquiry is."""
    kept = json.loads(text)
    staff, spam = frozenset(kept.get("staff", ())), frozenset(kept.get("spam", ()))
    goals = tuple(_rules(goal, staff, spam) for goal in _goals(text) if goal.deal is None)
    return goals or (Rules(staff=staff, spam=spam),)


@lru_cache(maxsize=256)
def read_deal_rules(text: str) -> tuple[DealRules, ...]:
    """Return the rules for deals of the JSON text that is kept; without any, a won deal reaches ``deal_won``."""
    return tuple(_deal_rules(goal, goal.deal) for goal in _goals(text) if goal.deal is not None) or (WON,)


_USUAL = tuple(GoalPart(name=f"{kind}_qualified", kinds=[kind]) for kind in get_args(Kind))
_USUAL_DEAL = GoalPart(name=WON.name, deal=DealPart(outcome="won"))


def goal_parts(text: str) -> list[GoalPart]:
    """Return the goals of the JSON text that is kept, with the usual ones where it names none of their sort."""
    listed = list(_goals(text))
    told = listed if any(goal.deal is None for goal in listed) else [*_USUAL, *listed]
    return told if any(goal.deal is not None for goal in listed) else [*told, _USUAL_DEAL]


def is_usual(goal: GoalPart) -> bool:
    """Says whether a goal is one that the set-up file does not name."""
    return goal in _USUAL or goal is _USUAL_DEAL


def _goals(text: str) -> Iterable[GoalPart]:
    return (GoalPart.model_validate(goal) for goal in json.loads(text).get("goals", ()))


def _deal_rules(goal: GoalPart, deal: DealPart) -> DealRules:
    return DealRules(
        name=goal.name,
        stages=plain(deal.stage),
        pipelines=plain(deal.pipeline),
        tags=plain(deal.tag),
        outcome=deal.outcome or "",
        unless_lost=deal.unless_lost,
        value_minor=_minor(goal.value or _DEAL),
    )


def _minor(value: str) -> int | None:
    return None if value == _DEAL else to_minor(Decimal(value))


def _rules(goal: GoalPart, staff: frozenset[str], spam: frozenset[str]) -> Rules:
    hours = goal.hours
    return Rules(
        name=goal.name,
        kinds=frozenset(goal.kinds),
        min_talk_s=goal.min_talk_s,
        answered_within_s=goal.answered_within_s,
        hours=Hours(frozenset(hours.days), hours.opens, hours.closes, hours.zone) if hours else None,
        staff=staff,
        spam=spam,
        first_time_only=goal.first_time_only,
        called_back_within_s=goal.called_back_within_s,
        value_minor=_minor(goal.value or "0"),
    )
