"""The actions of a cell as the fields of a form: what is typed, what is said by it, and what no field is made for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.scenario import Mode
from connectors.scenario_lines import Says, in_block, says_of
from connectors.scenario_nodes import Problems, ScenarioError, compose
from connectors.scenario_text import Cell, Line
from hub.web.console.cell_choices import AS_WRITTEN, Choices

MOST_STEPS = 100  # of a form; the reader of scenarios takes fewer in each rule
_DEAL = ("name", "place", "responsible", "tags", "company")
FIELDS: Mapping[str, Sequence[str]] = {
    "deal": _DEAL,
    "incoming": _DEAL,
    "note": ("use", "text"),
    "task": ("text", "due_minutes", "responsible"),
    "move": ("place",),
    "reopen": ("place",),
    "fields": (),
    "tag": ("tags",),
    "close_tasks": (),
}
_BARE = ("deal", "incoming", "close_tasks")  # kinds that may stand without a key
# Kinds that change a deal which is open already, or one that was lost.
OF_OPEN_DEAL, OF_LOST_DEAL = ("move", "fields", "tag", "close_tasks"), ("reopen", "fields", "tag", "close_tasks")
_WITH_FIELDS = ("deal", "incoming", "fields")
_TEXTS = ("name", "company", "text", "due_minutes", "use")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Step:
    """An action in a form; ``was`` is its place in the text (result, place from 0).

    ``rest`` is YAML: the keys no field is made for, or the whole action where its kind has no form.
    """

    kind: str
    was: tuple[str, int] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[tuple[str, str, str], ...] = ()  # code of a field of the deal, its text, how it is written
    stages: tuple[str, ...] = ()  # a move is from these
    rest: str = ""


Sheet = Mapping[str, Sequence[Step]]  # result -> its actions


# -- from the text


def steps_of(cell: Cell, choices: Choices) -> Sheet:
    """Return the form of a cell as its text has it."""
    return {result: [step_of(line, choices) for line in lines] for result, lines in cell.items()}


def step_of(line: Line, choices: Choices) -> Step:
    """Return the form of an action."""
    kind, keys = _parts(line.says)
    if kind not in FIELDS:
        rest = in_block(line.says) if isinstance(line.says, dict) else str(line.says or "")
        return Step("other", line.was, rest=rest)
    typed = {
        name: _shown(keys.pop(name)) for name in _TEXTS if name in FIELDS[kind] and isinstance(keys.get(name), str)
    }
    fields: tuple[tuple[str, str, str], ...] = ()
    stages: tuple[str, ...] = ()
    if "responsible" in FIELDS[kind] and "responsible" in keys:
        user = choices.user(keys["responsible"])
        typed["responsible"] = user or AS_WRITTEN
        _drop(keys, "responsible" if user else "")
    if "place" in FIELDS[kind]:
        typed["place"] = _taken_place(keys, choices)
    if "tags" in FIELDS[kind]:
        typed["tags"] = _taken_tags(keys)
    if kind in _WITH_FIELDS:
        fields = _taken_fields(keys, choices)
    if kind == "move":
        stages = _taken_stages(keys, typed["place"], choices)
    return Step(kind, line.was, typed, fields, stages, in_block(keys))


def _parts(says: Says) -> tuple[str, dict[str, Says]]:
    """Return the kind of an action and its keys; a note that is only a text has it as its ``text``."""
    if isinstance(says, str):
        return (says, {}) if says in _BARE else ("", {})
    if not isinstance(says, dict) or len(says) != 1:
        return "", {}
    [(kind, keys)] = says.items()
    if kind == "note" and isinstance(keys, str):
        return kind, {"text": keys}
    if keys is None and kind in ("deal", "incoming"):
        return kind, {}
    if kind in ("fields", "tag"):  # what they are given has no key of its own
        own = kind if kind == "fields" else "tags"
        return (kind, {own: [keys] if kind == "tag" and isinstance(keys, str) else keys}) if keys else ("", {})
    return (kind, dict(keys)) if isinstance(keys, dict) else ("", {})


def _shown(said: Says) -> str:
    return str(said).removesuffix("\n")


def _drop(keys: dict[str, Says], *names: str) -> None:
    for name in names:
        keys.pop(name, None)


def _taken_place(keys: dict[str, Says], choices: Choices) -> str:
    """Return the pipeline, or the stage of one, that an action names; what is not there stays among its keys."""
    if "pipeline" not in keys and "stage" not in keys:
        return ""
    pipeline = choices.pipeline(keys["pipeline"]) if "pipeline" in keys else choices.own_pipeline
    stage = choices.stage(pipeline, keys["stage"]) if "stage" in keys else ""
    if not pipeline or ("stage" in keys and not stage):
        return AS_WRITTEN
    _drop(keys, "pipeline", "stage")
    return f"{pipeline}|{stage}" if stage else pipeline


def _taken_tags(keys: dict[str, Says]) -> str:
    tags = keys.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) and "," not in tag for tag in tags):
        return ""
    _drop(keys, "tags")
    return ", ".join(str(tag) for tag in tags) or ("-" if tags == [] else "")


def _taken_fields(keys: dict[str, Says], choices: Choices) -> tuple[tuple[str, str, str], ...]:
    named = keys.get("fields")
    written = {code: _way(says) for code, says in named.items()} if isinstance(named, dict) else {"": None}
    if not all(choices.field(code) and way for code, way in written.items()):
        return ()
    _drop(keys, "fields")
    return tuple((choices.field(code), *way) for code, way in written.items() if way)


def _way(says: Says) -> tuple[str, str] | None:
    """Return the text of a field and how it is written; None for what is neither."""
    if isinstance(says, dict) and len(says) == 1:
        [(mode, text)] = says.items()
        return (_shown(text), mode) if isinstance(text, str) and mode in list(Mode) else None
    return (_shown(says), Mode.ALWAYS.value) if isinstance(says, str) else None


def _taken_stages(keys: dict[str, Says], place: str, choices: Choices) -> tuple[str, ...]:
    named, pipeline = keys.get("from"), place.partition("|")[0]
    if not isinstance(named, list) or not all(choices.stage(pipeline, one) for one in named):
        return ()
    _drop(keys, "from")
    return tuple(f"{pipeline}|{choices.stage(pipeline, one)}" for one in named)


# -- from what was typed


def sheet_of(items: Iterable[tuple[str, str]]) -> Sheet:
    """Return the form that was sent: fields ``a0.kind``, ``a0.name``... and a ``result`` for each rule."""
    told: dict[str, list[str]] = {}
    for name, text in items:
        told.setdefault(name, []).append(_UNWRITABLE.sub("", text.replace("\r\n", "\n")))
    sheet: dict[str, list[Step]] = {result: [] for result in told.get("result", ())}
    for n in range(MOST_STEPS):
        at = told.get(f"a{n}.at", [""])[0]
        if at in sheet:
            own = {name.partition(".")[2]: texts for name, texts in told.items() if name.startswith(f"a{n}.")}
            sheet[at].append(_sent(own))
    return sheet


def _sent(own: Mapping[str, Sequence[str]]) -> Step:
    kind = own.get("kind", ["other"])[0]
    result, _, place = own.get("was", [""])[0].rpartition(".")
    rows = zip(own.get("code", ()), own.get("value", ()), own.get("mode", ()), strict=False)
    return Step(
        kind if kind in FIELDS else "other",
        (result, int(place)) if place.isascii() and place.isdigit() and len(place) < 4 else None,
        {name: own[name][0] for name in FIELDS.get(kind, ()) if own.get(name)},
        tuple((code, text, mode) for code, text, mode in rows if code or text),
        tuple(own.get("stages", ())),
        own.get("rest", [""])[0],
    )


# -- to the text


def cell_of(sheet: Sheet, old: Cell, choices: Choices) -> Cell:
    """Return the cell a form asks for; raises ``ScenarioError`` where a text field is no YAML."""
    return {
        result: [Line(said_by(step, _old(step, old), choices), step.was) for step in steps]
        for result, steps in sheet.items()
    }


def _old(step: Step, old: Cell) -> Line | None:
    result, place = step.was or ("", 0)
    lines = old.get(result, ())
    return lines[place] if place < len(lines) else None


def said_by(step: Step, old: Line | None, choices: Choices) -> Says:
    """Return what an action says: of what was not touched in the form just what it said before."""
    if step.kind == "other":
        return says_of(compose(step.rest, Problems("field")))
    before = step_of(old, choices) if old else Step(step.kind)
    if old is None or before.kind != step.kind:
        before, keys = Step(step.kind), dict[str, Says]()
    else:
        if _like(before) == _like(step):
            return old.says
        keys = _parts(old.says)[1]
    for name in FIELDS[step.kind]:
        if step.typed.get(name, "") != before.typed.get(name, ""):
            _say(keys, name, step, choices)
    _say_lists(keys, step, before, choices)
    keys |= _said_in(step, before, keys)
    return _action(step, keys, old)


def _like(step: Step) -> Step:
    """Return a form without what only differs in how a browser sends it."""
    typed = {name: text for name, text in step.typed.items() if text}
    return replace(step, was=None, typed=typed, rest=step.rest.strip())


def _say(keys: dict[str, Says], name: str, step: Step, choices: Choices) -> None:
    """Put one field into the keys of an action, or take it out."""
    typed = step.typed.get(name, "").strip()
    if typed == AS_WRITTEN:
        return
    if name == "place":
        _say_place(keys, step, typed, choices)
    elif not typed:
        _drop(keys, name)
    elif name == "tags":
        keys["tags"] = [tag for tag in (one.strip() for one in typed.split(",")) if tag not in ("", "-")]
    elif name == "responsible":
        keys["responsible"] = choices.said_user(typed)
    else:
        old = keys.get(name)
        has_end = (isinstance(old, str) and old.endswith("\n")) or "\n" in typed
        keys[name] = f"{typed}\n" if has_end else typed


def _say_place(keys: dict[str, Says], step: Step, typed: str, choices: Choices) -> None:
    was_named = "pipeline" in keys or "stage" not in keys
    _drop(keys, "pipeline", "stage")
    if typed:
        said = choices.said_place(typed)
        if not was_named and typed.partition("|")[0] == choices.own_pipeline and "stage" in said:
            _drop(said, "pipeline")
        keys |= said


def _say_lists(keys: dict[str, Says], step: Step, before: Step, choices: Choices) -> None:
    if step.fields != before.fields:
        keys["fields"] = {code: text if mode == Mode.ALWAYS else {mode: text} for code, text, mode in step.fields}
        _drop(keys, "" if step.fields else "fields")
    if step.kind == "move" and step.stages != before.stages:
        pipeline = step.typed.get("place", "").partition("|")[0]
        keys["from"] = [choices.said_stage(one) for one in step.stages if one.partition("|")[0] == pipeline]
        _drop(keys, "" if keys["from"] else "from")


def _said_in(step: Step, before: Step, keys: dict[str, Says]) -> Mapping[str, Says]:
    """Return the keys of the text field, those that were taken out of it dropped."""
    if step.rest.strip() == before.rest.strip():
        return {}
    told, was = _keys_in(step.rest), _keys_in(before.rest)
    _drop(keys, *(was.keys() - told.keys()))
    return told


def _keys_in(rest: str) -> dict[str, Says]:
    said = says_of(compose(rest, Problems("field"))) if rest.strip() else {}
    if not isinstance(said, dict):
        raise ScenarioError(["field:1: not `key: value` lines"])
    return said


def _action(step: Step, keys: dict[str, Says], old: Line | None) -> Says:
    """Return an action in the shortest form it may have, or in that of the old one."""
    if step.kind == "note":
        if keys.get("use") and step.typed.get("use"):
            return {"note": {"use": keys["use"]}}
        was = old.says if old else None
        has_key = isinstance(was, dict) and isinstance(was.get("note"), dict) and "text" in (was["note"] or {})
        text: Says = keys.get("text", "")
        return {"note": {"text": text}} if has_key else {"note": text}
    if step.kind in ("fields", "tag"):
        return {step.kind: keys.get("fields", {}) if step.kind == "fields" else keys.get("tags", [])}
    if step.kind in ("task", "move", "reopen"):
        needed = ("text", "due_minutes") if step.kind == "task" else ("stage",)
        return {step.kind: {name: keys.get(name, "") for name in needed} | keys}
    return {step.kind: keys} if keys else step.kind
