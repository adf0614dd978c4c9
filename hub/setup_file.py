"""The set-up file: what it may say, and how a mistake in it is told with file, line and what is allowed."""

from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from connectors import scenario as scenarios
from connectors.registry import CONNECTORS
from hub.errors import SetupInvalid
from hub.setup_pages import CallbackPart, MailPart, MessengersPart, messengers_asked
from hub.setup_regions import region
from hub.setup_rules import GoalPart, Zone
from hub.setup_values import Destination, Money, Origin
from tracking_core.phone import to_e164
from tracking_core.telephony import ADAPTERS


def _phone(text: str) -> str:
    e164 = to_e164(text)
    if e164 is None:
        raise ValueError("is not a phone number like +7 495 123-45-67")
    return e164


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("is not a network like 203.0.113.0/24") from error


Condition = Literal["channel", "source", "medium", "campaign", "landing", "device", "region"]
Network = Annotated[str, AfterValidator(_network)]
Phone = Annotated[str, AfterValidator(_phone)]
Name = Annotated[str, Field(min_length=1, max_length=120)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class TelephonyPart(_Part):
    """A telephony account whose events we take."""

    name: Name
    adapter: str
    zone: Zone = "Europe/Moscow"
    secrets: dict[str, str] = {}
    recordings_from: list[Origin] = []

    @model_validator(mode="after")
    def _known(self) -> "TelephonyPart":
        if self.adapter not in ADAPTERS:
            raise ValueError(f"adapter {self.adapter!r} is not known; allowed: {', '.join(sorted(ADAPTERS))}")
        needed, more = set(ADAPTERS[self.adapter].secrets_needed), set(ADAPTERS[self.adapter].secrets_optional)
        if not needed <= set(self.secrets) <= needed | more:
            besides = f", and if you like {', '.join(sorted(more))}" if more else ""
            raise ValueError(f"secrets of {self.adapter} are exactly: {', '.join(sorted(needed)) or 'none'}{besides}")
        return self


class OwnerPart(_Part):
    """The person who logs in to the console first; without a password one is made and printed once."""

    email: str = Field(pattern=r"^\S+@\S+$")
    password: str | None = Field(default=None, min_length=12)


class SetupFile(_Part):
    """The whole set-up file."""

    tenant: Name
    owner: OwnerPart
    sites: list[SitePart] = Field(min_length=1)
    telephony: list[TelephonyPart] = []
    goals: list[GoalPart] = []  # the first one says what a target enquiry is
    staff: list[Phone] = []
    spam: list[Phone] = []
    scenarios: dict[str, str] = {}  # connector -> scenario file beside this one, or its text

    @model_validator(mode="after")
    def _each_once(self) -> "SetupFile":
        """A number has one place, and what is written by its name has a name of its own."""
        given = [number for site in self.sites for pool in site.pools for number in pool.numbers]
        given += [placement.number for site in self.sites for placement in site.placements]
        shared = {site.overflow_number for site in self.sites}  # several sites may fall back to one
        _once([*given, *shared], "the number {} has two places")
        _once([site.name for site in self.sites], "two sites are called {}")
        _once([told.name for told in self.telephony], "two telephony accounts are called {}")
        _once([goal.name for goal in self.goals], "two goals are called {}")
        for site in self.sites:
            _once([pool.name for pool in site.pools], f"two pools of {site.name} are called {{}}")
            _once([one.name for one in site.placements], f"two placements of {site.name} are called {{}}")
            _once([one.number for one in site.targets], f"the number {{}} is a target of {site.name} twice")
        return self


def _there(rule: str, kind: str, name: str | None, names: set[str]) -> None:
    if name is not None and name not in names:
        allowed = ", ".join(sorted(names)) or f"none: the site has no {kind}s"
        raise ValueError(f"the rule {rule} shows the {kind} {name!r}, which is not there; allowed: {allowed}")


def _once(names: list[str], sentence: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(sentence.format(twice))


def read_setup(path: Path) -> tuple[SetupFile, dict[str, str]]:
    """Read a set-up file and the scenarios it names; raises ``SetupInvalid`` with file, line and what is allowed."""
    node = None
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        read = SetupFile.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupInvalid(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise SetupInvalid(f"{path}:{_marked(error)}: {_problem(error)}") from error
    except ValidationError as error:
        raise SetupInvalid("\n".join(_told(path, node, problem) for problem in error.errors())) from error
    except (ValueError, RecursionError) as error:  # a date that is none, nesting without end
        raise SetupInvalid(f"{path}: is not YAML the hub can read: {error}") from error
    return read, {name: _scenario(path, node, name, given) for name, given in read.scenarios.items()}


def _marked(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or str(error).splitlines()[0])


def _told(path: Path, node: yaml.Node | None, problem: Any) -> str:
    loc = problem["loc"]
    where = ".".join(str(step) for step in loc) or "the file"
    said = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        said = f"there is no such key; allowed: {', '.join(_allowed(loc))}"
    return f"{path}:{_line(node, loc)}: {where}: {said}"


def _allowed(loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that may stand where an unknown one stood."""
    part: type[BaseModel] = SetupFile
    for step in loc[:-1]:
        if isinstance(step, str):
            kind = part.model_fields[step].annotation
            part = next(of for of in (*get_args(kind), kind) if isinstance(of, type) and issubclass(of, BaseModel))
    return list(part.model_fields)


def _line(node: yaml.Node | None, steps: tuple[int | str, ...]) -> int:
    """Return the line of what a validation error points at, or of the nearest thing around it."""
    line = node.start_mark.line + 1 if node else 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == step), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _scenario(path: Path, node: yaml.Node | None, connector: str, given: str) -> str:
    line = _line(node, ("scenarios", connector))
    if connector not in CONNECTORS:
        raise SetupInvalid(f"{path}:{line}: {connector!r} is not a connector; allowed: {', '.join(sorted(CONNECTORS))}")
    if "\n" in given:
        text, name = given, f"{path}:{line}"
    else:
        file = path.parent / given
        name = str(file)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupInvalid(f"{path}:{line}: the scenario {given} cannot be read: {error}") from error
    try:
        scenarios.read_scenario(text, name, None)
    except scenarios.ScenarioError as error:
        raise SetupInvalid(str(error)) from error
    return text
