"""Which enquiries count, as the set-up file says it, and as the rules of the core."""

import json
from datetime import time
from functools import lru_cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tracking_core.qualify import Hours, Rules


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not a time zone like Europe/Moscow") from error
    return text


Zone = Annotated[str, AfterValidator(_zone)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["call", "form", "callback", "chat", "mail", "manual"]


class HoursPart(BaseModel):
    """Working hours, in a time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: list[Day] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    opens: time = time(9)
    closes: time = time(18)
    zone: Zone = "Europe/Moscow"

    @model_validator(mode="after")
    def _open(self) -> Self:
        if self.opens == self.closes:
            raise ValueError("opens and closes are the same: nothing would ever count")
        return self


class GoalPart(BaseModel):
    """A goal by name, and which enquiries count for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    kinds: list[Kind] = []
    min_talk_s: int = Field(default=30, ge=0, le=3_600)
    answered_within_s: int | None = Field(default=None, ge=1, le=3_600)
    first_time_only: bool = False
    hours: HoursPart | None = None


@lru_cache(maxsize=256)
def read_rules(text: str) -> tuple[Rules, ...]:
    """Return the rules of the JSON text that is kept; the first decides whether an enquiry is a target one."""
    kept = json.loads(text)
    staff, spam = frozenset(kept.get("staff", ())), frozenset(kept.get("spam", ()))
    goals = tuple(_rules(GoalPart.model_validate(goal), staff, spam) for goal in kept.get("goals", ()))
    return goals or (Rules(staff=staff, spam=spam),)


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
    )
