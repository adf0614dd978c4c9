"""A site of the set-up file: its numbers, where they ring, and which visits see what."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from hub.setup_pages import CallbackPart, MailPart, MessengersPart, messengers_asked
from hub.setup_regions import region
from hub.setup_rules import Zone
from hub.setup_values import STRICT, Destination, Money, Name, Network, Phone

Condition = Literal["channel", "source", "medium", "campaign", "landing", "device", "region"]


class _Part(BaseModel):
    model_config = STRICT


class TargetPart(_Part):
    """A number of the site's own that its pages show."""

    number: Phone
    group: Name = "main"
    selectors: list[str] = []
    mask: str = Field(default="", pattern=r"^(|[^#]*(#[^#]*){5,15})$")


class PoolPart(_Part):
    """Tracking numbers shared between the visits of a site."""

    name: Name
    group: Name = "main"
    overflow_number: Phone | None = None
    numbers: list[Phone] = Field(min_length=1)
    destination: Destination | None = None


class PlacementPart(_Part):
    """One offline or static medium with its own number."""

    name: Name
    source: Name
    campaign: str = ""
    number: Phone
    starts_on: date | None = None
    ends_on: date | None = None
    cost: Money | None = None
    destination: Destination | None = None

    @model_validator(mode="after")
    def _days(self) -> "PlacementPart":
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(f"ends_on is {self.ends_on}, before starts_on, {self.starts_on}")
        if self.cost is not None and not (self.starts_on and self.ends_on):
            raise ValueError("cost needs starts_on and ends_on: it is spread over these days")
        return self

    @property
    def cost_minor(self) -> int | None:
        """The cost in minor units."""
        return None if self.cost is None else int(self.cost * 100)


class ShowPart(_Part):
    """What a group shows: a number of a pool, or a placement's."""

    pool: Name | None = None
    placement: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> "ShowPart":
        if (self.pool is None) == (self.placement is None):
            raise ValueError("is either pool: NAME or placement: NAME")
        return self


class RulePart(_Part):
    """One rule of selective replacement."""

    name: Name
    when: dict[Condition, Annotated[list[str], Field(min_length=1)]] = {}
    show: dict[Name, Literal["own"] | ShowPart] = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _regions(cls, when: dict[Condition, list[str]]) -> dict[Condition, list[str]]:
        return {name: [region(one) for one in told] if name == "region" else told for name, told in when.items()}


class SitePart(_Part):
    """A web site with the tracking script."""

    name: Name
    hosts: list[str] = Field(min_length=1)
    zone: Zone = "Europe/Moscow"
    currency: str = Field(default="RUB", pattern="^[A-Z]{3}$")
    overflow_number: Phone
    destination: Destination | None = None
    destinations: dict[Phone, Destination] = {}
    hold_minutes: int = Field(default=10, ge=1, le=1_440)
    repeat_calls: Literal["each", "first"] = "each"
    mode: Literal["load", "intent"] = "load"
    consent: Literal["full", "anonymous", "off"] = "full"
    forms: bool = True
    callback: CallbackPart | None = None
    mail: MailPart | None = None
    messengers: Annotated[MessengersPart | None, BeforeValidator(messengers_asked)] = None
    office: list[Network] = []
    targets: list[TargetPart] = []
    pools: list[PoolPart] = []
    placements: list[PlacementPart] = []
    rules: list[RulePart] = []

    @model_validator(mode="after")
    def _rules_name_what_is_there(self) -> "SitePart":
        pools, placements = {pool.name for pool in self.pools}, {one.name for one in self.placements}
        for rule in self.rules:
            for show in rule.show.values():
                _there(rule.name, "pool", getattr(show, "pool", None), pools)
                _there(rule.name, "placement", getattr(show, "placement", None), placements)
        return self

    @property
    def numbers(self) -> set[str]:
        """Every number of the site's that the hub may be asked about."""
        shown = [number for pool in self.pools for number in pool.numbers]
        overflow = [pool.overflow_number for pool in self.pools if pool.overflow_number]
        return {self.overflow_number, *shown, *overflow, *(one.number for one in self.placements)}

    @model_validator(mode="after")
    def _calls_arrive(self) -> "SitePart":
        stranger = next((number for number in self.destinations if number not in self.numbers), None)
        if stranger:
            raise ValueError(f"destinations names {stranger}, which is no tracking number of the site")
        ring_at = [self.destination, *self.destinations.values()]
        ring_at += [*(pool.destination for pool in self.pools), *(one.destination for one in self.placements)]
        again = next((one for one in ring_at if one in self.numbers), None)
        if again:
            raise ValueError(f"the destination {again} is a tracking number itself: the call would come back")
        return self


def _there(rule: str, kind: str, name: str | None, names: set[str]) -> None:
    if name is not None and name not in names:
        allowed = ", ".join(sorted(names)) or f"none: the site has no {kind}s"
        raise ValueError(f"the rule {rule} shows the {kind} {name!r}, which is not there; allowed: {allowed}")
