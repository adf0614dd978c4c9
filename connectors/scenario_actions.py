"""The actions of a scenario file: which may stand in a rule, and what each is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import yaml

from connectors.assigning import Assignee, Person
from connectors.scenario import (
    WITH_LOST_DEAL,
    WITH_OPEN_DEAL,
    Action,
    AddNote,
    AddTags,
    AddTask,
    CallerState,
    CloseTasks,
    CreateDeal,
    Mode,
    MoveDeal,
    ReopenDeal,
    Write,
    WriteFields,
)
from connectors.scenario_names import Names
from connectors.scenario_nodes import Children, Problems, is_blank, keys_of, list_of, number_of, text_of
from connectors.scenario_people import People
from connectors.templates import faults
from connectors.wording import PLACEHOLDERS

PLACE = ("pipeline", "stage", "responsible")
_DEAL = ("name", *PLACE, "tags", "fields", "company")
_INCOMING = tuple(word for word in _DEAL if word != "stage")  # where it goes is said by whoever accepts it
_NOTE = ("text", "use")
_MOVE = ("stage", "from", "pipeline")
_ACTIONS = ("deal", "incoming", "note", "task", "move", "reopen", "fields", "tag", "close_tasks")
_OF_NEW = {"fields": "has its `fields` in `deal`", "tag": "has its `tags` in `deal`", "close_tasks": "has no tasks yet"}
MOST_ACTIONS, MOST_TAGS, MOST_FIELDS, MOST_STAGES, MOST_TEXTS = 10, 10, 20, 100, 50
LATEST_DUE = 30 * 24 * 60  # minutes


class Actions:
    """Reads the actions of rules; a `deal` line starts from ``deal``, a note may use one of ``texts`` by its name."""

    def __init__(
        self, problems: Problems, names: Names, people: People, deal: CreateDeal, texts: Mapping[str, str]
    ) -> None:
        self._problems = problems
        self._names = names
        self._people = people
        self._deal = deal
        self._texts = texts

    def of(self, top: Children) -> "Actions":
        """Return a reader that starts from what the top of a scenario says: texts, pipeline, stage, people, tags."""
        texts = self._named_texts(top["texts"][1]) if "texts" in top else self._texts
        return Actions(self._problems, self._names, self._people, self._place(top, self._deal), texts)

    @property
    def pipeline(self) -> str | None:
        """The pipeline that deals go to where an action names none."""
        return self._deal.pipeline

    def read(self, node: yaml.Node, state: CallerState) -> tuple[Action, ...]:
        """Return the actions of a rule for ``state``."""
        actions: list[Action] = []
        if is_blank(node):
            return ()
        for line in list_of(node, self._problems, f"`{state}`", MOST_ACTIONS):
            action = self._action(line)
            has_deal = state in WITH_OPEN_DEAL or any(isinstance(done, CreateDeal | ReopenDeal) for done in actions)
            if isinstance(action, CreateDeal | MoveDeal | ReopenDeal | WriteFields | AddTags | CloseTasks):
                self._check_deals(line, state, [*actions, action])
            if isinstance(action, AddNote | AddTask) and not has_deal:
                self._problems.add(line, f"`{state}` has no deal yet for this {action.kind}: put `- deal` before it")
            if action is not None:
                actions.append(action)
        return tuple(actions)

    def _action(self, node: yaml.Node) -> Action | None:
        if isinstance(node, yaml.ScalarNode) and node.value in ("deal", "incoming"):
            return self._deal if node.value == "deal" else _incoming(self._deal)
        if isinstance(node, yaml.ScalarNode) and node.value == "close_tasks":
            return CloseTasks()
        found = keys_of(node, _ACTIONS, self._problems, "an action")
        if len(found) != 1:
            if found:
                self._problems.add(node, "an action is one of these; put each on its own `-` line", _ACTIONS)
            return None
        [(word, (_, value))] = found.items()
        if word == "deal":
            return self._deal if is_blank(value) else self._create_deal(value, _DEAL)
        if word == "incoming":
            return _incoming(self._deal if is_blank(value) else self._create_deal(value, _INCOMING))
        if word == "move":
            return self._move(value)
        if word == "reopen":
            return self._reopen(value)
        if word == "fields":
            return WriteFields(self._fields(value))
        if word == "close_tasks":
            self._problems.add(node, "`close_tasks` stands alone: write `- close_tasks`")
            return None
        if word == "tag":
            one = isinstance(value, yaml.ScalarNode)
            return AddTags((self._template(value, "a tag"),) if one else self._tags(value, "`tag`"))
        return self._note(value) if word == "note" else self._task(value)

    def _check_deals(self, line: yaml.Node, state: CallerState, so_far: Sequence[Action]) -> None:
        made, moved, reopened = (
            sum(isinstance(one, kind) for one in so_far) for kind in (CreateDeal, MoveDeal, ReopenDeal)
        )
        if reopened and (state not in WITH_LOST_DEAL or made or reopened > 1):
            told = f"`reopen` stands once, without a new deal, in {' or '.join(sorted(WITH_LOST_DEAL))}"
            self._problems.add(line, told)
        if made > 1:
            self._problems.add(line, f"`{state}` creates a second deal; one is allowed")
        if moved > 1:
            self._problems.add(line, f"`{state}` moves the deal twice; once is allowed")
        if moved and (made or state not in WITH_OPEN_DEAL):
            self._problems.add(line, "`move` is for a deal that is open already; a new one has its `stage` in `deal`")
        changed = {one.kind for one in so_far if isinstance(one, WriteFields | AddTags | CloseTasks)}
        has_deal = state in WITH_OPEN_DEAL or reopened
        for kind in sorted(changed) if made or not has_deal else ():
            self._problems.add(line, f"`{kind}` is for a deal that is open already; a new one {_OF_NEW[kind]}")

    def _create_deal(self, node: yaml.Node, allowed: Sequence[str]) -> CreateDeal:
        keys = keys_of(node, allowed, self._problems, "`deal`" if allowed is _DEAL else "`incoming`")
        deal = self._place(keys, self._deal)
        name = self._template(keys["name"][1], "name") if "name" in keys else deal.name
        fields = self._fields(keys["fields"][1]) if "fields" in keys else deal.fields
        company = self._template(keys["company"][1], "company") if "company" in keys else deal.company
        return replace(deal, name=name, fields=fields, company=company)

    def _note(self, node: yaml.Node) -> AddNote:
        if isinstance(node, yaml.MappingNode):
            keys = keys_of(node, _NOTE, self._problems, "`note`")
            if "use" in keys and "text" not in keys:
                return AddNote(self._used(keys["use"][1]))
            if len(keys) != 1:
                self._problems.add(node, "`note` has either its `text`, or the name of one to `use`")
            node = keys["text"][1] if "text" in keys else node
        return AddNote(self._template(node, "note"))

    def _used(self, node: yaml.Node) -> str:
        word = text_of(node, self._problems, "use")
        if word and word not in self._texts:
            self._problems.add(node, f"no text is called {word!r} in `texts`", self._texts, word)
        return self._texts.get(word, "")

    def _named_texts(self, node: yaml.Node) -> Mapping[str, str]:
        if not isinstance(node, yaml.MappingNode) or len(node.value) > MOST_TEXTS:
            self._problems.add(node, f"`texts` is a set of at most {MOST_TEXTS} `name: text` lines")
            return {}
        found: dict[str, str] = {}
        for key, value in node.value:
            name = text_of(key, self._problems, "the name of a text")
            if name in found:
                self._problems.add(key, f"{name!r} is written twice in `texts`")
            found[name] = self._template(value, f"text {name}")
        return found

    def _task(self, node: yaml.Node) -> AddTask:
        keys = keys_of(node, ("text", "due_minutes", "responsible"), self._problems, "`task`")
        for missing in {"text", "due_minutes"} - keys.keys():
            self._problems.add(node, f"`task` needs `{missing}`")
        text = self._template(keys["text"][1], "text") if "text" in keys else ""
        due = keys["due_minutes"][1] if "due_minutes" in keys else None
        minutes = number_of(due, self._problems, "due_minutes", 1, LATEST_DUE) if due else 1
        return AddTask(text, minutes, *self._responsible(keys, self._deal))

    def _move(self, node: yaml.Node) -> MoveDeal:
        keys = keys_of(node, _MOVE, self._problems, "`move`")
        if "stage" not in keys:
            self._problems.add(node, "`move` needs `stage`")
            return MoveDeal(None, "", ())
        place = self._names.pipeline(keys["pipeline"][1]) if "pipeline" in keys else self._deal.pipeline
        pipeline, stage = self._open_stage(keys["stage"][1], place)
        if "from" not in keys:
            return MoveDeal(pipeline, stage, self._before(keys["stage"][1], pipeline, stage))
        named = list_of(keys["from"][1], self._problems, "`from`", MOST_STAGES)
        return MoveDeal(pipeline, stage, tuple(self._open_stage(line, pipeline)[1] for line in named))

    def _reopen(self, node: yaml.Node) -> ReopenDeal:
        keys = keys_of(node, ("stage", "pipeline"), self._problems, "`reopen`")
        if "stage" not in keys:
            self._problems.add(node, "`reopen` needs `stage`")
            return ReopenDeal(None, "")
        place = self._names.pipeline(keys["pipeline"][1]) if "pipeline" in keys else self._deal.pipeline
        return ReopenDeal(*self._open_stage(keys["stage"][1], place))

    def _open_stage(self, node: yaml.Node, pipeline: str | None) -> tuple[str | None, str]:
        """A deal that is closed is nobody's open deal any more, so none is moved from there, nor closed by a move."""
        place, stage = self._names.stage(node, pipeline)
        closed = [one.name for one in self._names.stages(place) if one.id == stage and one.outcome != "open"]
        if closed:
            self._problems.add(node, f"no deal is closed by a scenario, and {closed[0]!r} is closed")
        return place, stage

    def _before(self, node: yaml.Node, pipeline: str | None, stage: str) -> tuple[str, ...]:
        """Return the open stages a deal passes on its way to ``stage``: forward is from any of these."""
        ids = [one.id for one in self._names.stages(pipeline) if one.outcome == "open"]
        before = tuple(ids[: ids.index(stage)]) if stage in ids else ()
        if not before and stage in ids:
            self._problems.add(node, "no open stage comes before this one: name in `from` where deals are moved from")
        return before

    def _template(self, node: yaml.Node, what: str) -> str:
        text = text_of(node, self._problems, what)
        for fault, word in faults(text, PLACEHOLDERS):
            self._problems.add(node, f"{fault} in {what}", PLACEHOLDERS if word else (), word)
        return text

    def _fields(self, node: yaml.Node) -> Mapping[str, Write]:
        if not isinstance(node, yaml.MappingNode):
            self._problems.add(node, "`fields` is a set of `code: text` lines")
            return {}
        if len(node.value) > MOST_FIELDS:
            self._problems.add(node, f"`fields` has {len(node.value)} lines; at most {MOST_FIELDS} are allowed")
        found: dict[str, Write] = {}
        for key, value in node.value:
            code = self._names.field(key)
            if code in found:
                self._problems.add(key, f"{code!r} is written twice in `fields`")
            found[code] = self._write(value, code)
        return found

    def _write(self, node: yaml.Node, code: str) -> Write:
        """Return what a field is given: a text, or a text by how it is written."""
        if not isinstance(node, yaml.MappingNode):
            return Write(self._template(node, f"field {code}"))
        keys = keys_of(node, list(Mode), self._problems, f"field {code}")
        if len(keys) != 1:
            self._problems.add(node, f"field {code} is written in one of these ways", list(Mode))
            return Write("")
        [(word, (_, value))] = keys.items()
        return Write(self._template(value, f"field {code}"), Mode(word))

    def _tags(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        lines = list_of(node, self._problems, what, MOST_TAGS)
        return tuple(self._template(line, "a tag") for line in lines)

    def _place(self, keys: Children, deal: CreateDeal) -> CreateDeal:
        """Return ``deal`` with the pipeline, stage, responsible user and tags that ``keys`` name."""
        pipeline, stage = deal.pipeline, deal.stage
        if "pipeline" in keys:
            pipeline, stage = self._names.pipeline(keys["pipeline"][1]), None
        if "stage" in keys:
            pipeline, stage = self._names.stage(keys["stage"][1], pipeline)
        responsible, who = self._responsible(keys, deal)
        tags = deal.tags
        if "tags" in keys:
            tags = self._tags(keys["tags"][1], "`tags`")
        return replace(deal, pipeline=pipeline, stage=stage, responsible=responsible, who=who, tags=tags)

    def _responsible(self, keys: Children, deal: CreateDeal) -> tuple[str | None, tuple[Assignee, ...]]:
        """Return who gets it: a user, or whom to choose from; whoever ``deal`` says where ``keys`` name nobody."""
        if "responsible" not in keys:
            return deal.responsible, deal.who
        named = self._people.responsible(keys["responsible"][1])
        if len(named) == 1 and isinstance(named[0], Person):
            return named[0].user, ()
        return None, named


def _incoming(deal: CreateDeal) -> CreateDeal:
    return replace(deal, stage=None, incoming=True)
