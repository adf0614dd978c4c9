"""The grammar of a scenario file: which keys may stand where, and what each must be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import yaml

from connectors.scenario import (
    Action,
    AddNote,
    AddTask,
    CallerState,
    Cases,
    CreateDeal,
    MoveDeal,
    Scenario,
    Telephony,
    Trigger,
)
from connectors.scenario_nodes import Problems, compose, is_blank, keys_of, list_of, number_of, text_of
from connectors.wording import LANGUAGES, PLACEHOLDERS, faults

if TYPE_CHECKING:
    from connectors.protocol import Facts, Pipeline, Stage

_PLACE = ("pipeline", "stage", "responsible")
_TOP = ("name", "language", "timezone", *_PLACE, "tags", "popup", "telephony", "analytics", *Trigger)
_DEAL = ("name", *_PLACE, "tags", "fields", "company")
_INCOMING = tuple(word for word in _DEAL if word != "stage")  # where it goes is said by whoever accepts it
_MOVE = ("stage", "from", "pipeline")
_ACTIONS = ("deal", "incoming", "note", "task", "move")
DEFAULT_NAME: Mapping[str, str] = {"ru": "Звонок {caller}", "en": "Call {caller}"}
MOST_ACTIONS, MOST_TAGS, MOST_FIELDS, MOST_STAGES, MOST_PEOPLE = 10, 10, 20, 100, 500
LATEST_DUE = 30 * 24 * 60  # minutes


def read(text: str, filename: str, facts: "Facts | None") -> Scenario:
    """Return the scenario of a YAML text; raises ``ScenarioError`` with every problem found."""
    problems = Problems(filename)
    root = compose(text, problems)
    scenario = _Reader(problems, facts).scenario(root)
    problems.raise_any()
    return scenario


class _Reader:
    """Walks one file; what it returns is only good when no problem was noted."""

    def __init__(self, problems: Problems, facts: "Facts | None") -> None:
        self._problems = problems
        self._facts = facts
        self._deal = CreateDeal(name=DEFAULT_NAME["ru"])  # what a `deal` line starts from

    def scenario(self, root: yaml.Node) -> Scenario:
        top = keys_of(root, _TOP, self._problems, "the scenario")
        language = self._one_of(top, "language", LANGUAGES, "ru")
        timezone = self._one_of(top, "timezone", sorted(available_timezones()), "UTC")
        self._deal = self._place(top, CreateDeal(name=DEFAULT_NAME[language]))
        telephony = self._telephony(top)
        cases = {Trigger(word): self._cases(top[word][1], word) for word in Trigger if word in top}
        if telephony is Telephony.OBSERVE:
            self._check_observing(top, cases)
        if isinstance(root, yaml.MappingNode) and not cases:
            self._problems.add(root, "the scenario says nothing to do", list(Trigger))
        name = text_of(top["name"][1], self._problems, "name") if "name" in top else ""
        popup = self._popup(top["popup"][1]) if "popup" in top else {}
        return Scenario(name, cases, language, timezone, popup, telephony, self._analytics(top))

    def _analytics(self, top: Mapping[str, tuple[yaml.ScalarNode, yaml.Node]]) -> bool:
        wanted = self._one_of(top, "analytics", ("true", "false"), "false") == "true"
        if wanted and self._facts is not None and not self._facts.analytics:
            self._problems.add(
                top["analytics"][1], "this account has no analytics that can be told of visits", ["false"]
            )
        return wanted

    def _telephony(self, top: Mapping[str, tuple[yaml.ScalarNode, yaml.Node]]) -> Telephony:
        ways = self._facts.telephony if self._facts else tuple(Telephony)
        return Telephony(self._one_of(top, "telephony", ways, Telephony.NOTE))

    def _check_observing(
        self, top: Mapping[str, tuple[yaml.ScalarNode, yaml.Node]], cases: Mapping[Trigger, Cases]
    ) -> None:
        """Where the CRM makes the cards of calls, a card is always there, and nothing else is made."""
        if "popup" in top:
            self._problems.add(top["popup"][0], "`telephony: observe` leaves cards to the CRM: take `popup` out")
        for trigger in (Trigger.ANSWERED, Trigger.MISSED):
            for state, actions in cases.get(trigger, {}).items():
                node = top[trigger][0]
                if state is not CallerState.OPEN_DEAL:
                    self._problems.add(node, f"with `telephony: observe`, `{trigger}` has `open_deal` alone")
                elif any(isinstance(one, CreateDeal | AddTask) for one in actions):
                    self._problems.add(node, f"`telephony: observe` creates nothing: `{trigger}` may `note` and `move`")

    def _popup(self, node: yaml.Node) -> Mapping[str, str]:
        if not isinstance(node, yaml.MappingNode) or len(node.value) > MOST_PEOPLE:
            self._problems.add(node, f"`popup` is a set of at most {MOST_PEOPLE} `who answers: user` lines")
            return {}
        found: dict[str, str] = {}
        for key, value in node.value:
            name = text_of(key, self._problems, "who answers")
            if name in found:
                self._problems.add(key, f"{name!r} is written twice in `popup`")
            found[name] = self._user(value)
        return found

    def _one_of(
        self,
        top: Mapping[str, tuple[yaml.ScalarNode, yaml.Node]],
        key: str,
        allowed: Sequence[str],
        default: str,
    ) -> str:
        if key not in top:
            return default
        word = text_of(top[key][1], self._problems, key)
        if word and word not in allowed:
            self._problems.add(top[key][1], f"unknown {key} {word!r}", allowed, word)
        return word if word in allowed else default

    def _cases(self, node: yaml.Node, trigger: str) -> Cases:
        states = keys_of(node, list(CallerState), self._problems, f"`{trigger}`")
        return {CallerState(word): self._actions(value, CallerState(word)) for word, (_, value) in states.items()}

    def _actions(self, node: yaml.Node, state: CallerState) -> tuple[Action, ...]:
        actions: list[Action] = []
        if is_blank(node):
            return ()
        for line in list_of(node, self._problems, f"`{state}`", MOST_ACTIONS):
            action = self._action(line)
            has_deal = state is CallerState.OPEN_DEAL or any(isinstance(done, CreateDeal) for done in actions)
            if isinstance(action, CreateDeal | MoveDeal):
                self._check_deals(line, state, [*actions, action])
            if isinstance(action, AddNote | AddTask) and not has_deal:
                self._problems.add(line, f"`{state}` has no deal yet for this {action.kind}: put `- deal` before it")
            if action is not None:
                actions.append(action)
        return tuple(actions)

    def _action(self, node: yaml.Node) -> Action | None:
        if isinstance(node, yaml.ScalarNode) and node.value in ("deal", "incoming"):
            return self._deal if node.value == "deal" else _incoming(self._deal)
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
        return self._note(value) if word == "note" else self._task(value)

    def _check_deals(self, line: yaml.Node, state: CallerState, so_far: Sequence[Action]) -> None:
        made, moved = (sum(isinstance(one, kind) for one in so_far) for kind in (CreateDeal, MoveDeal))
        if made > 1:
            self._problems.add(line, f"`{state}` creates a second deal; one is allowed")
        if moved > 1:
            self._problems.add(line, f"`{state}` moves the deal twice; once is allowed")
        if moved and (made or state is not CallerState.OPEN_DEAL):
            self._problems.add(line, "`move` is for a deal that is open already; a new one has its `stage` in `deal`")

    def _create_deal(self, node: yaml.Node, allowed: Sequence[str]) -> CreateDeal:
        keys = keys_of(node, allowed, self._problems, "`deal`" if allowed is _DEAL else "`incoming`")
        deal = self._place(keys, self._deal)
        name = self._template(keys["name"][1], "name") if "name" in keys else deal.name
        fields = self._fields(keys["fields"][1]) if "fields" in keys else deal.fields
        company = self._template(keys["company"][1], "company") if "company" in keys else deal.company
        return CreateDeal(name, deal.pipeline, deal.stage, deal.responsible, deal.tags, fields, company)

    def _note(self, node: yaml.Node) -> AddNote:
        if isinstance(node, yaml.MappingNode):
            keys = keys_of(node, ("text",), self._problems, "`note`")
            node = keys["text"][1] if "text" in keys else node
        return AddNote(self._template(node, "note"))

    def _task(self, node: yaml.Node) -> AddTask:
        keys = keys_of(node, ("text", "due_minutes", "responsible"), self._problems, "`task`")
        for missing in {"text", "due_minutes"} - keys.keys():
            self._problems.add(node, f"`task` needs `{missing}`")
        text = self._template(keys["text"][1], "text") if "text" in keys else ""
        due = keys["due_minutes"][1] if "due_minutes" in keys else None
        minutes = number_of(due, self._problems, "due_minutes", 1, LATEST_DUE) if due else 1
        user = self._user(keys["responsible"][1]) if "responsible" in keys else self._deal.responsible
        return AddTask(text, minutes, user)

    def _move(self, node: yaml.Node) -> MoveDeal:
        keys = keys_of(node, _MOVE, self._problems, "`move`")
        if "stage" not in keys:
            self._problems.add(node, "`move` needs `stage`")
            return MoveDeal(None, "", ())
        place = self._pipeline(keys["pipeline"][1]) if "pipeline" in keys else self._deal.pipeline
        pipeline, stage = self._open_stage(keys["stage"][1], place)
        if "from" not in keys:
            return MoveDeal(pipeline, stage, self._before(keys["stage"][1], pipeline, stage))
        named = list_of(keys["from"][1], self._problems, "`from`", MOST_STAGES)
        return MoveDeal(pipeline, stage, tuple(self._open_stage(line, pipeline)[1] for line in named))

    def _open_stage(self, node: yaml.Node, pipeline: str | None) -> tuple[str | None, str]:
        """A deal that is closed is nobody's open deal any more, so none is moved from there, nor closed by a move."""
        place, stage = self._stage(node, pipeline)
        closed = [one.name for one in self._stages(place) if one.id == stage and one.outcome != "open"]
        if closed:
            self._problems.add(node, f"`move` neither closes a deal nor opens one again, and {closed[0]!r} is closed")
        return place, stage

    def _before(self, node: yaml.Node, pipeline: str | None, stage: str) -> tuple[str, ...]:
        """Return the open stages a deal passes on its way to ``stage``: forward is from any of these."""
        ids = [one.id for one in self._stages(pipeline) if one.outcome == "open"]
        before = tuple(ids[: ids.index(stage)]) if stage in ids else ()
        if not before and stage in ids:
            self._problems.add(node, "no open stage comes before this one: name in `from` where deals are moved from")
        return before

    def _template(self, node: yaml.Node, what: str) -> str:
        text = text_of(node, self._problems, what)
        for fault in faults(text):
            word = fault.partition("{")[2].rstrip("}") if fault.startswith("unknown") else ""
            self._problems.add(node, f"{fault} in {what}", PLACEHOLDERS if word else (), word)
        return text

    def _fields(self, node: yaml.Node) -> Mapping[str, str]:
        if not isinstance(node, yaml.MappingNode):
            self._problems.add(node, "`fields` is a set of `code: text` lines")
            return {}
        if len(node.value) > MOST_FIELDS:
            self._problems.add(node, f"`fields` has {len(node.value)} lines; at most {MOST_FIELDS} are allowed")
        found: dict[str, str] = {}
        for key, value in node.value:
            code = self._field(key)
            if code in found:
                self._problems.add(key, f"{code!r} is written twice in `fields`")
            found[code] = self._template(value, f"field {code}")
        return found

    def _field(self, node: yaml.Node) -> str:
        word = text_of(node, self._problems, "a field")
        if self._facts is None or not word or word in self._facts.fields:
            return word
        by_id = {id_: code for code, id_ in self._facts.fields.items()}
        if word not in by_id:
            self._problems.add(node, f"unknown field {word!r}", self._facts.fields, word)
        return by_id.get(word, word)

    def _place(self, keys: Mapping[str, tuple[yaml.ScalarNode, yaml.Node]], deal: CreateDeal) -> CreateDeal:
        """Return ``deal`` with the pipeline, stage, responsible user and tags that ``keys`` name."""
        pipeline, stage = deal.pipeline, deal.stage
        if "pipeline" in keys:
            pipeline, stage = self._pipeline(keys["pipeline"][1]), None
        if "stage" in keys:
            pipeline, stage = self._stage(keys["stage"][1], pipeline)
        user = self._user(keys["responsible"][1]) if "responsible" in keys else deal.responsible
        tags = deal.tags
        if "tags" in keys:
            lines = list_of(keys["tags"][1], self._problems, "`tags`", MOST_TAGS)
            tags = tuple(self._template(line, "a tag") for line in lines)
        return CreateDeal(deal.name, pipeline, stage, user, tags, deal.fields)

    def _pipeline(self, node: yaml.Node) -> str:
        word = text_of(node, self._problems, "pipeline")
        return self._named(node, "pipeline", word, {p.id: p.name for p in self._pipelines()})

    def _stage(self, node: yaml.Node, pipeline: str | None) -> tuple[str | None, str]:
        word = text_of(node, self._problems, "stage")
        places = [p for p in self._pipelines() if pipeline in (None, p.id)][:1]
        stages = {stage.id: stage.name for p in places for stage in p.stages}
        found = self._named(node, "stage", word, stages) if places else word
        return (places[0].id if places else pipeline), found

    def _user(self, node: yaml.Node) -> str:
        word = text_of(node, self._problems, "responsible")
        return self._named(node, "user", word, self._facts.users if self._facts else {})

    def _stages(self, pipeline: str | None) -> "tuple[Stage, ...]":
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


def _incoming(deal: CreateDeal) -> CreateDeal:
    return replace(deal, stage=None, incoming=True)
