"""The published schema of scenario files takes what the reader takes, and misses what it misses.

``cthub scenario schema > docs/scenario.schema.json`` writes it anew.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from connectors import scenario_actions
from connectors.ready_made import ready_made
from connectors.scenario import CallerState, OfSeveral, Result, ScenarioError, Telephony, Trigger, read_scenario
from connectors.scenario_rules import Mode
from connectors.scenario_schema import schema, schema_text
from connectors.scenario_schema_words import ACTIONS, MODES, OF_SEVERAL, RESULTS, STATES, TELEPHONY, TRIGGERS, WAYS, WHO
from tests.house.source import ROOT
from tests.house.test_docs import SCENARIO_PAGES, page, rows

FILE = ROOT / "docs" / "scenario.schema.json"
READY_MADE = {f"{language} {name}": text for language in ("en", "ru") for name, text in ready_made(language).items()}
DEMO = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "sandbox" / "demo").glob("*.yaml"))}
EXAMPLES = {
    f"{name} {place}": text
    for name in SCENARIO_PAGES
    for place, text in enumerate(re.findall(r"```yaml[^\n]*\n(.*?)```", page(name), re.DOTALL))
}
WHOLE = {**READY_MADE, **DEMO, **EXAMPLES}
checks = jsonschema.Draft7Validator(schema())


class Plain(yaml.SafeLoader):
    """Reads YAML as editors do: a day is a text."""


Plain.yaml_implicit_resolvers = {
    letter: [(tag, found) for tag, found in several if not tag.endswith(":timestamp")]
    for letter, several in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def fits(text: str) -> bool:
    return checks.is_valid(yaml.load(text, Plain))


def is_read(text: str) -> bool:
    try:
        read_scenario(text, "it", None)
    except ScenarioError:
        return False
    return True


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


def test_the_published_file_is_what_the_code_says() -> None:
    assert FILE.read_text("utf-8") == schema_text(), "run: cthub scenario schema > docs/scenario.schema.json"


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_shown_and_shipped_fits(name: str) -> None:
    assert [error.message for error in checks.iter_errors(yaml.load(WHOLE[name], Plain))] == []
    assert is_read(WHOLE[name])


def rule(actions: str, state: str = "unknown", trigger: str = "ended") -> str:
    return f"{trigger}: {{{state}: {actions}}}"


RIGHT = {
    "a bare deal": rule("[deal, note: x]", "no_deals"),
    "a deal with nothing behind it": rule("[deal: ]"),
    "nothing is to be done": rule("[]"),
    "nothing is written": rule(""),
    "by result": "ended: {unknown: {short: [], otherwise: [deal]}}",
    "a note by its name": "texts: {a: x}\n" + rule("[deal, note: {use: a}]"),
    "an id in place of a name": "pipeline: 7\nresponsible: 31\n" + rule("[deal: {stage: 142}]"),
    "a phone without quotes": "staff: [+74951230001]\n" + rule("[deal]"),
    "hours of who takes turns": "responsible: {turns: {Ivan: {mon-fri: '09:00-18:00'}, Maria: }}\n" + rule("[deal]"),
    "everybody in turn": "responsible: {turns: all}\n" + rule("[deal]"),
    "a list of whom": "responsible: [answerer, Ivan, turns: [1, 2]]\n" + rule("[deal]"),
    "a deal that was lost": rule("[reopen: {stage: In work}, note: x, close_tasks]", "lost"),
    "fields in some ways": rule("[fields: {A: x, B: {if_empty: y}}, tag: a, close_tasks]", "open_deal"),
    "tags": rule("[tag: [a, b]]", "open_elsewhere"),
    "fields of a new deal": rule("[deal: {fields: {A: {append: x}}}]"),
    "of several deals": "of_several: oldest\n" + rule("[deal]"),
    "a move of a lead": rule("[move: {stage: In work}]", "open_lead"),
}
WRONG = {
    "a word on top": "nme: x\n" + rule("[deal]"),
    "a trigger": "endd: {unknown: [deal]}",
    "a state": rule("[deal]", "unknwn"),
    "a result": "ended: {unknown: {shrt: [deal]}}",
    "a result where nobody talked": "missed: {unknown: {short: [deal]}}",
    "an action": rule("[dael]"),
    "an action with keys": rule("[dael: {name: x}]"),
    "a key of a deal": rule("[deal: {nmae: x}]"),
    "a stage of what is first accepted": rule("[incoming: {stage: x}]"),
    "a key of a task": rule("[deal, task: {text: x, due_minuts: 5}]"),
    "a task without its time": rule("[deal, task: {text: x}]"),
    "a task in a year": rule("[deal, task: {text: x, due_minutes: 525600}]"),
    "a note of two kinds": "texts: {a: x}\n" + rule("[deal, note: {use: a, text: b}]"),
    "a note without a text": rule("[deal, note: ]"),
    "two actions in one line": rule("[{deal: {name: x}, note: y}]"),
    "a move of nobody's deal": rule("[move: {stage: x}]"),
    "a move without a stage": rule("[move: {from: [x]}]", "open_deal"),
    "actions that are no list": rule("deal"),
    "eleven actions": rule("[deal" + ", note: x" * 10 + "]"),
    "nothing to do": "name: x",
    "a language": "language: de\n" + rule("[deal]"),
    "a telephony": "telephony: ntoe\n" + rule("[deal]"),
    "a switch": "popup: perhaps\npeople: {1: x}\n" + rule("[deal]"),
    "too many seconds": "short_s: 601\n" + rule("[deal]"),
    "a day of the week": "working_hours: {mno: '09:00-18:00'}\n" + rule("[deal]"),
    "hours": "working_hours: {mon: nine}\n" + rule("[deal]"),
    "a holiday": "working_hours: {mon: '09:00-18:00'}\nholidays: [new year]\n" + rule("[deal]"),
    "a way to choose": "responsible: {truns: [1, 2]}\n" + rule("[deal]"),
    "two ways in one line": "responsible: {turns: [1], by_number: {'+74951230001': 1}}\n" + rule("[deal]"),
    "tasks of nobody's deal": rule("[close_tasks]"),
    "tasks with something": rule("[close_tasks: {a: b}]", "open_deal"),
    "a way to write": rule("[fields: {A: {if_emty: x}}]", "open_deal"),
    "two ways to write": rule("[fields: {A: {if_empty: x, append: y}}]", "open_deal"),
    "what was won": rule("[reopen: {stage: In work}]", "won"),
    "which of several": "of_several: oldst\n" + rule("[deal]"),
    "too many tags": "tags: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n" + rule("[deal]"),
}


@pytest.mark.parametrize("what", RIGHT)
def test_what_the_reader_takes_fits(what: str) -> None:
    assert is_read(RIGHT[what])
    assert fits(RIGHT[what])


@pytest.mark.parametrize("what", WRONG)
def test_what_the_reader_refuses_does_not_fit(what: str) -> None:
    assert not is_read(WRONG[what])
    assert not fits(WRONG[what])


def described(told: Any) -> list[str]:
    """Return the keys of properties that say nothing."""
    if isinstance(told, list):
        return [one for inner in told for one in described(inner)]
    if not isinstance(told, dict):
        return []
    silent = [key for key, value in told.get("properties", {}).items() if not value.get("description")]
    return silent + [one for inner in told.values() for one in described(inner)]


def test_every_word_says_what_it_is() -> None:
    assert described(schema()) == []


def test_every_word_of_the_reader_is_told_of_and_no_other() -> None:
    assert (set(TRIGGERS), set(STATES), set(RESULTS)) == (set(Trigger), set(CallerState), set(Result))
    assert (set(ACTIONS), set(TELEPHONY)) == (set(scenario_actions._ACTIONS), set(Telephony))
    assert (set(OF_SEVERAL), set(MODES)) == (set(OfSeveral), set(Mode))


@pytest.mark.parametrize("told", [TRIGGERS, STATES, RESULTS, WHO, WAYS])
def test_what_a_word_says_begins_as_the_page_does(told: dict[str, str]) -> None:
    """Of words that the page tells of in a table of two or three columns, each with a row of its own."""
    shown = {
        name: re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cells[0]) for name, cells in rows(page("scenarios.md")).items()
    }
    alone = {word: said for word, said in told.items() if word in shown and word not in {*SHARED}}
    assert [word for word, said in alone.items() if not shown[word].startswith(said)] == []
    assert set(told) - alone.keys() <= {*SHARED}


SHARED = ("staff", "blacklisted", "chat", "mail", "manual", "note")  # one row tells of several words


def test_the_page_says_where_the_schema_is() -> None:
    for name in SCENARIO_PAGES:
        written = re.findall(r"yaml-language-server: \$schema=(\S+)", page(name))
        assert [Path(one).name for one in written] == [FILE.name]


def test_the_file_is_json_that_anybody_reads() -> None:
    assert json.loads(FILE.read_text("utf-8"))["$schema"] == "http://json-schema.org/draft-07/schema#"
