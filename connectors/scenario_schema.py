"""The JSON Schema of a scenario file, for editors that complete and check; made of the words of the reader; pure.

It says which words may stand where and what each is. What hangs on other lines (a note needs a deal before it) and the
names of an account are the reader's alone. A new word is one line in one of the tables here: a test misses it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors import scenario_actions as actions
from connectors import scenario_people as people
from connectors import scenario_reader as reader
from connectors.scenario import TALKED, WITH_LOST_DEAL, WITH_OPEN_DEAL, CallerState, Result, Trigger
from connectors.scenario_hours import _SPAN
from connectors.scenario_schema_words import (
    ACTIONS,
    MODES,
    NOTED,
    OF_SEVERAL,
    RESULTS,
    STATES,
    TELEPHONY,
    TRIGGERS,
    WAYS,
    WHO,
    WORDS,
)
from connectors.wording import LANGUAGES
from tracking_core.qualify import DAYS

Schema = dict[str, Any]

# -- what a value is

_TEXT: Schema = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
_PHONE: Schema = {"type": ["string", "integer"], "pattern": r"\d"}
_FLAG: Schema = {"type": "boolean", "default": False}
_DAY = f"({'|'.join(DAYS)})"


def _list_of(one: Schema, most: int) -> Schema:
    return {"type": "array", "items": one, "maxItems": most}


def _named(value: Schema, most: int) -> Schema:
    return {"type": "object", "additionalProperties": value, "maxProperties": most}


def _one_of(words: Iterable[str], told: Mapping[str, str] | None = None, **more: str) -> Schema:
    allowed = [str(word) for word in words]
    return {"enum": allowed, **({"enumDescriptions": [told[word] for word in allowed]} if told else {}), **more}


def _number(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


_HOURS: Schema = {
    "type": "object",
    "patternProperties": {f"^{_DAY}(-{_DAY})?$": {"type": "string", "pattern": f"^{_SPAN.pattern}$"}},
    "additionalProperties": False,
}
_IN_A_WAY: Schema = {
    "type": "object",
    "properties": {mode: {"description": told, **_TEXT} for mode, told in MODES.items()},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_FIELDS = _named({"anyOf": [_TEXT, _IN_A_WAY]}, actions.MOST_FIELDS)
# By word, or by the place and the word where a word is something else there.
_SHAPES: Mapping[str, Schema] = {
    "analytics": _FLAG,
    "blacklist": _list_of(_PHONE, reader.MOST_PHONES),
    "company": _TEXT,
    "due_minutes": _number(1, actions.LATEST_DUE),
    "fields": _FIELDS,
    "from": _list_of(_TEXT, actions.MOST_STAGES),
    "holidays": _list_of({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}, reader.MOST_HOLIDAYS),
    "language": _one_of(LANGUAGES, default="ru"),
    "name": _TEXT,
    "of_several": _one_of(OF_SEVERAL, OF_SEVERAL, default="newest"),
    "people": _named(_TEXT, people.MOST_PEOPLE),
    "pipeline": _TEXT,
    "popup": _FLAG,
    "responsible": _ref("responsible"),
    "staff": _list_of(_PHONE, reader.MOST_PHONES),
    "stage": _TEXT,
    "tags": _list_of(_TEXT, actions.MOST_TAGS),
    "telephony": _one_of(TELEPHONY, TELEPHONY, default="note"),
    "text": _TEXT,
    "texts": _named(_TEXT, actions.MOST_TEXTS),
    "timezone": {"type": "string", "default": "UTC", "examples": ["Europe/Moscow", "Asia/Yekaterinburg"]},
    "use": _TEXT,
    "working_hours": _HOURS,
    **{word: {**_number(least, most), "default": default} for word, (least, most, default) in reader._NUMBERS.items()},
}

# The keys of each action, and what else there is to say of its shape.
_KEYS: Mapping[str, tuple[Sequence[str], Schema]] = {
    "deal": (actions._DEAL, {"type": ["object", "null"]}),
    "incoming": (actions._INCOMING, {"type": ["object", "null"]}),
    "note": (actions._NOTE, {"minProperties": 1, "maxProperties": 1}),
    "task": (("text", "due_minutes", "responsible"), {"required": ["text", "due_minutes"]}),
    "move": (actions._MOVE, {"required": ["stage"]}),
    "reopen": (("stage", "pipeline"), {"required": ["stage"]}),
}
# Actions that are no set of keys, or not only.
_WHOLE: Mapping[str, Schema] = {
    "note": _TEXT,
    "fields": _FIELDS,
    "tag": {"anyOf": [_TEXT, _list_of(_TEXT, actions.MOST_TAGS)]},
}
_BARE = ("deal", "incoming", "close_tasks")  # actions without anything behind them
_ALONE = ("close_tasks",)  # those of them that never have anything
_PLACES = ("", "open", "lost")  # what there is: no deal to write on, an open one, one that can be opened again
# Where an action may stand that may not stand everywhere.
_ONLY: Mapping[str, Sequence[str]] = {
    "move": ("open",),
    "reopen": ("lost",),
    **dict.fromkeys(("fields", "tag", "close_tasks"), ("open", "lost")),
}
_BOTH = (False, True)


def schema() -> Schema:
    """Return the schema, JSON Schema draft 7: what editors understand best."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Scenario of CallTracking Hub",
        "description": "What a call, a form or another enquiry becomes in the CRM.",
        "type": "object",
        "properties": {str(word): _top(word) for word in reader._TOP},
        "additionalProperties": False,
        "anyOf": [{"required": [trigger.value]} for trigger in Trigger],
        "definitions": {
            **{_name("rules", talk): _rules(talk) for talk in _BOTH},
            **{_name("done", talk, place): _done(talk, place) for talk in _BOTH for place in _PLACES},
            **{_name("action", False, place): _action(place) for place in _PLACES},
            **{word: _of_action(word) for word in actions._ACTIONS if word not in _ALONE},
            "responsible": _responsible(),
        },
    }


def schema_text() -> str:
    """Return the schema as the file docs/scenario.schema.json has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def _word(place: str, word: str) -> Schema:
    """Return what stands behind a key, with what it says there."""
    told = WORDS.get(f"{place}.{word}") or WORDS[word]
    shape = _SHAPES.get(f"{place}.{word}") or _SHAPES[word]
    # Draft 7 reads nothing beside a reference.
    return {"description": told, **({"allOf": [shape]} if "$ref" in shape else shape)}


def _top(word: str) -> Schema:
    if word not in frozenset(Trigger):
        return _word("top", word)
    return {"description": TRIGGERS[word], "allOf": [_ref(_name("rules", word in TALKED))]}


# -- rules


def _rules(has_talked: bool) -> Schema:
    states = {
        state.value: {"description": STATES[state], "allOf": [_ref(_name("done", has_talked, _place(state)))]}
        for state in CallerState
    }
    return {"type": "object", "properties": states, "additionalProperties": False}


def _place(state: CallerState) -> str:
    return "open" if state in WITH_OPEN_DEAL else "lost" if state in WITH_LOST_DEAL else ""


def _done(has_talked: bool, place: str) -> Schema:
    """Return what is done for a state: actions, or actions by what came of the call."""
    nothing: Schema = {"type": "null"}
    asked = {"anyOf": [_list_of(_ref(_name("action", False, place)), actions.MOST_ACTIONS), nothing]}
    results = list(Result) if has_talked else [Result.OTHERWISE]
    of_results = {result.value: {"description": RESULTS[result], **asked} for result in results}
    by_result = {"type": "object", "properties": of_results, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [*asked["anyOf"], by_result]}


def _name(what: str, has_talked: bool, place: str = "") -> str:
    return what + "_of_a_talk" * has_talked + (f"_on_{place}" if place else "")


# -- actions


def _action(place: str) -> Schema:
    words = [word for word in actions._ACTIONS if place in _ONLY.get(word, _PLACES)]
    one = {word: {"description": ACTIONS[word], "allOf": [_ref(word)]} for word in words if word not in _ALONE}
    apart = {"type": "object", "properties": one, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    bare = [word for word in _BARE if word in words]
    return {"anyOf": [_one_of(bare, ACTIONS), apart]}


def _of_action(word: str) -> Schema:
    if word not in _KEYS:
        return _WHOLE[word]
    keys, more = _KEYS[word]
    shape = {
        "type": "object",
        "properties": {key: _word(word, key) for key in keys},
        "additionalProperties": False,
        **more,
    }
    return {"anyOf": [_WHOLE[word], shape]} if word in _WHOLE else shape


# -- people


def _responsible() -> Schema:
    """Return who gets it: a user, a word or a way to choose one, or a list of these."""
    hours = {"anyOf": [_HOURS, {"type": "null"}]}
    shapes: Mapping[str, Schema] = {
        "turns": {
            "anyOf": [
                _one_of([people.EVERYBODY]),
                _list_of(_TEXT, people.MOST_PEOPLE),
                _named(hours, people.MOST_PEOPLE),
            ]
        },
        "by_number": _named(_TEXT, people.MOST_PLACES),
        "by_region": _named(_TEXT, people.MOST_PLACES),
    }
    ways = {word: {"description": WAYS[word], **shapes[word]} for word in people._WAYS}
    way = {"type": "object", "properties": ways, "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    one: Schema = {"anyOf": [_one_of(people._WORDS, WHO), {**_TEXT, "description": NOTED["user"]}, way]}
    return {"anyOf": [*one["anyOf"], _list_of(one, people.MOST_NAMED)]}
