"""The set-up file: what it may say, and how a mistake in it is told with file, line and what is allowed."""

from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from connectors import scenario as scenarios
from connectors.registry import CONNECTORS
from hub.errors import SetupInvalid
from hub.setup_rules import GoalPart, Zone
from hub.setup_site import SitePart
from hub.setup_values import STRICT, Name, Origin, Phone
from tracking_core.telephony import ADAPTERS


class _Part(BaseModel):
    model_config = STRICT


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
