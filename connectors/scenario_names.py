"""The names a scenario file uses -> the ids of the account it is for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from connectors.scenario_nodes import Problems, text_of

if TYPE_CHECKING:
    from connectors.protocol import Facts, Pipeline, Stage


class Names:
    """Resolves names of pipelines, stages, users and fields, in any letter case, or ids as they are.

    Without facts of an account what is written is kept as it is.
    """

    def __init__(self, problems: Problems, facts: "Facts | None") -> None:
        self._problems = problems
        self._facts = facts

    @property
    def main_pipeline(self) -> str | None:
        """The account's first pipeline, where the account is known."""
        return next((one.id for one in self._pipelines()), None)

    def pipeline(self, node: yaml.Node) -> str:
        """Return the id of a pipeline."""
        word = text_of(node, self._problems, "pipeline")
        return self._named(node, "pipeline", word, {p.id: p.name for p in self._pipelines()})

    def stage(self, node: yaml.Node, pipeline: str | None) -> tuple[str | None, str]:
        """Return the id of a stage and of its pipeline, the first one where none is given."""
        word = text_of(node, self._problems, "stage")
        places = [p for p in self._pipelines() if pipeline in (None, p.id)][:1]
        stages = {stage.id: stage.name for p in places for stage in p.stages}
        found = self._named(node, "stage", word, stages) if places else word
        return (places[0].id if places else pipeline), found

    def user(self, node: yaml.Node) -> str:
        """Return the id of a user."""
        word = text_of(node, self._problems, "responsible")
        return self._named(node, "user", word, self._facts.users if self._facts else {})

    @property
    def users(self) -> tuple[str, ...]:
        """Every user of the account; none where the account is not known."""
        return tuple(self._facts.users) if self._facts else ()

    def field(self, node: yaml.Node) -> str:
        """Return the code of a field."""
        word = text_of(node, self._problems, "a field")
        if self._facts is None or not word or word in self._facts.fields:
            return word
        by_id = {id_: code for code, id_ in self._facts.fields.items()}
        if word not in by_id:
            self._problems.add(node, f"unknown field {word!r}", self._facts.fields, word)
        return by_id.get(word, word)

    def stages(self, pipeline: str | None) -> "tuple[Stage, ...]":
        """Return the stages of a pipeline in order; none where the account or the pipeline is not known."""
        return next((one.stages for one in self._pipelines() if one.id == pipeline), ())

    def _pipelines(self) -> "tuple[Pipeline, ...]":
        return self._facts.pipelines if self._facts else ()

    def _named(self, node: yaml.Node, what: str, word: str, names: Mapping[str, str]) -> str:
        """Return the id of what is called ``word`` (a name in any letter case, or the id itself)."""
        if self._facts is None or not word or word in names:
            return word
        found = [id_ for id_, name in names.items() if name.casefold() == word.strip().casefold()]
        if len(found) > 1:
            self._problems.add(node, f"several are called {what} {word!r}: use the id", found)
        elif not found:
            self._problems.add(node, f"unknown {what} {word!r}", names.values(), word)
        return found[0] if found else word
