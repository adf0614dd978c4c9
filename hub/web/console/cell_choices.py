"""What the form of a cell offers to choose from: pipelines, stages, people and fields as the account names them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.protocol import Facts, Pipeline
from connectors.scenario_lines import Says

PEOPLE = ("answerer", "deal_owner", "contact_owner")  # whom a scenario names without a name
AS_WRITTEN = "*"  # what a form can only show as text


@dataclass(frozen=True, slots=True)
class Group:
    """A pipeline with what may be chosen of it: (value, name)."""

    name: str
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choices:
    """The names of an account, and what stands at the top of a scenario."""

    facts: Facts | None
    top: Mapping[str, Says] = field(default_factory=dict)

    @property
    def pipelines(self) -> Sequence[Pipeline]:
        """The pipelines of the account, in its order."""
        return self.facts.pipelines if self.facts else ()

    @property
    def users(self) -> Sequence[tuple[str, str]]:
        """The users of the account by name: (value, name)."""
        known = self.facts.users if self.facts else {}
        return sorted(known.items(), key=lambda one: one[1].casefold())

    @property
    def fields(self) -> Sequence[str]:
        """The codes of the fields that may be filled."""
        return sorted(self.facts.fields) if self.facts else ()

    @property
    def texts(self) -> Mapping[str, str]:
        """The texts that several notes share, by name."""
        named = self.top.get("texts")
        return {name: str(text) for name, text in named.items()} if isinstance(named, dict) else {}

    def places(self, *, of_open: bool = False) -> Iterator[Group]:
        """Yield each pipeline with its stages; ``of_open`` are only those where a deal is open."""
        for one in self.pipelines:
            there = [stage for stage in one.stages if stage.outcome == "open" or not of_open]
            yield Group(one.name, [(f"{one.id}|{stage.id}", stage.name) for stage in there])

    # -- names of a text -> values of a form

    @property
    def own_pipeline(self) -> str:
        """The id of the pipeline that deals go to where an action names none."""
        named = self.top.get("pipeline")
        return self.pipeline(named) if named else next((one.id for one in self.pipelines), "")

    def pipeline(self, named: Says) -> str:
        """Return the id of a pipeline; empty for one that is not there."""
        return _id_of(named, {one.id: one.name for one in self.pipelines})

    def stage(self, pipeline: str, named: Says) -> str:
        """Return the id of a stage of a pipeline; empty for one that is not there."""
        return _id_of(named, self._stages(pipeline))

    def user(self, named: Says) -> str:
        """Return the id of a user, or a word for somebody; empty for nobody, or for what is no name."""
        if isinstance(named, str) and named in PEOPLE:
            return named
        return _id_of(named, self.facts.users if self.facts else {})

    def field(self, named: str) -> str:
        """Return the code of a field; empty for one that is not there."""
        known = self.facts.fields if self.facts else {}
        return named if named in known else next((code for code, id_ in known.items() if id_ == named), "")

    # -- values of a form -> names of a text

    def said_place(self, value: str) -> dict[str, Says]:
        """Return the keys that name a pipeline, or a stage of it."""
        pipeline, _, stage = value.partition("|")
        said: dict[str, Says] = {"pipeline": _name_of(pipeline, {one.id: one.name for one in self.pipelines})}
        return said | ({"stage": self.said_stage(value)} if stage else {})

    def said_stage(self, value: str) -> str:
        """Return how a text names a stage."""
        pipeline, _, stage = value.partition("|")
        return _name_of(stage, self._stages(pipeline))

    def said_user(self, value: str) -> str:
        """Return how a text names a user."""
        return value if value in PEOPLE else _name_of(value, self.facts.users if self.facts else {})

    def _stages(self, pipeline: str) -> Mapping[str, str]:
        found = next((one.stages for one in self.pipelines if one.id == pipeline), ())
        return {stage.id: stage.name for stage in found}


def _id_of(named: Says, names: Mapping[str, str]) -> str:
    """Return the id of what is called so, in any letter case, as a scenario is read; empty where that is not clear."""
    if not isinstance(named, str):
        return ""
    found = [id_ for id_, name in names.items() if name.casefold() == named.strip().casefold()]
    return named if named in names else found[0] if len(found) == 1 else ""


def _name_of(id_: str, names: Mapping[str, str]) -> str:
    """Return the name of what has an id, or the id where the name is not clear."""
    name = names.get(id_, id_)
    return name if name not in PEOPLE and _id_of(name, names) == id_ else id_
