"""What is wrong with a cell that was typed, each thing at its field and in the reader's words where there are any."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from connectors.protocol import Facts
from connectors.scenario import CallerState, ScenarioError, Trigger, read_scenario
from connectors.scenario_lines import Says, says_of
from connectors.scenario_text import Cell, Line
from hub.web.console.cell_choices import Choices
from hub.web.console.cell_form import Sheet, Step, said_by
from hub.web.words import Words

_FILE = "cell"
_PROBLEM = re.compile(rf"{_FILE}:(\d+): (.*?)(?:; did you mean (.*?)\?)?(?:; allowed: (.*))?", re.DOTALL)
_ODD = re.compile(
    r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)  # what YAML takes for a break, or not at all
_FIELDS = {"pipeline": "place", "stage": "place", "from": "stages"}  # key of an action -> field of the form
_ALONE = {"note": "text", "tag": "tags"}  # actions that are given one value, and the field it has
# What the reader of scenarios says -> our words, and the values they take.
_WORDS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"(?:name|note|text|company|a tag|field .*) is a text", "empty"),
        (r"due_minutes is a whole number from (?P<least>\d+) to (?P<most>\d+)", "minutes"),
        (r"unknown placeholder (?P<word>\{.*\}) in .*", "placeholder"),
        (r"a lone (?P<word>[{}]): write .* for a brace in .*", "brace"),
        (r"(?:not readable: .*|.* is not allowed in braces|the filter .*) in .*", "braces"),
        (r"longer than (?P<most>\d+) characters in .*", "long"),
        (r"`.*` creates a second deal; one is allowed", "second_deal"),
        (r"`.*` moves the deal twice; once is allowed", "second_move"),
        (r"`.*` has no deal yet for this .*", "no_deal"),
        (r"`(?:move|fields|tag|close_tasks)` is for a deal that is open already; .*", "no_open_deal"),
        (r"`reopen` stands once, without a new deal, in .*", "reopen"),
        (r"no deal is closed by a scenario, and '(?P<word>.*)' is closed", "closed_stage"),
        (r"no open stage comes before this one: .*", "first_stage"),
        (r"stage is a text", "no_stage"),
        (r"unknown (?:stage|pipeline|user|field) '(?P<word>.*)'", "gone"),
        (r"several are called \w+ '(?P<word>.*)': use the id", "several"),
        (r"no text is called '(?P<word>.*)' in `texts`", "gone"),
        (r"`fields` has \d+ lines; at most (?P<most>\d+) are allowed", "many_fields"),
        (r"`tags` has \d+ lines; at most (?P<most>\d+) are allowed", "many_tags"),
        (r"`.*` has \d+ lines; at most (?P<most>\d+) are allowed", "many_actions"),
        (r"nobody has talked in `.*`: `.*` never happens", "nobody_talked"),
        (r"with `telephony: observe`, `.*` has `open_deal` alone", "observed_state"),
        (r"`telephony: observe` creates nothing: .*", "observed_action"),
        (r"`telephony: observe` tells of calls that are over: .*", "observed_trigger"),
        (r"the scenario says nothing to do", "no_rule"),
        (r"the file is larger than (?P<most>\d+) bytes", "large"),
    )
)
Place = tuple[int, str]  # number of an action in the form (-1: the cell as a whole), its field (empty: all of it)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong, and where."""

    at: Place
    sentence: str


def read_sheet(sheet: Sheet, old: Cell, choices: Choices, t: Words) -> tuple[Cell, list[Wrong]]:
    """Return the cell a form asks for, and what cannot even be read of it, which is left as it was."""
    cell: dict[str, list[Line]] = {result: [] for result in sheet}
    wrong: list[Wrong] = []
    for n, (result, step) in enumerate(numbered(sheet)):
        there, place = old.get((step.was or ("", 0))[0], ()), (step.was or ("", 0))[1]
        was = there[place] if place < len(there) else None
        wrong += _own(n, step, t)
        try:
            said = said_by(step, was, choices)
        except ScenarioError as error:
            wrong.append(Wrong((n, "rest"), t("cell.wrong.yaml", say=error.problems[0].partition(": ")[2])))
            said = was.says if was else None
        cell[result].append(Line(said, step.was))
    return cell, wrong


def numbered(sheet: Sheet) -> Iterator[tuple[str, Step]]:
    """Yield each action of a form with its result, in the order of their numbers."""
    return ((result, step) for result, steps in sheet.items() for step in steps)


def _own(n: int, step: Step, t: Words) -> Iterator[Wrong]:
    if step.kind == "fields" and not step.fields and not step.rest:
        yield Wrong((n, "fields"), t("cell.wrong.no_field"))
    if step.kind == "tag" and not step.typed.get("tags", "").strip():
        yield Wrong((n, "tags"), t("cell.wrong.empty"))
    codes = [code for code, _, _ in step.fields]
    for place, code in enumerate(codes):
        if not code:
            yield Wrong((n, f"fields{place}"), t("cell.wrong.no_field"))
        elif code in codes[:place]:
            yield Wrong((n, f"fields{place}"), t("cell.wrong.twice", word=code))


def problems_of(
    text: str, trigger: Trigger, state: CallerState, cell: Cell, facts: Facts | None, t: Words
) -> list[Wrong]:
    """Return what the reader of scenarios refuses in a text with this cell, by the field it is about."""
    lines, places = _laid_out(text, trigger, state, cell)
    try:
        read_scenario("\n".join(lines), _FILE, facts)
    except ScenarioError as error:
        return [_wrong(problem, places, t) for problem in error.problems]
    return []


def told(problem: str, t: Words) -> str:
    """Return what the reader of scenarios says of a text in the words of the page, or its own."""
    found = _PROBLEM.fullmatch(problem)
    say, near = (found[2], found[3]) if found else (problem, None)
    for pattern, name in _WORDS:
        if fits := pattern.fullmatch(say):
            sentence = t(f"cell.wrong.{name}", **fits.groupdict())
            return sentence + (t("cell.wrong.near", word=near) if near else "")
    return say


def _wrong(problem: str, places: Mapping[int, Place], t: Words) -> Wrong:
    found = _PROBLEM.fullmatch(problem)
    return Wrong(places.get(int(found[1]), (-1, "")) if found else (-1, ""), told(problem, t))


def _laid_out(text: str, trigger: Trigger, state: CallerState, cell: Cell) -> tuple[Sequence[str], Mapping[int, Place]]:
    """Return a text that says the same with each field of the cell on a line of its own, and which line is whose."""
    root = says_of(yaml.compose(text, Loader=yaml.SafeLoader))
    rules = root if isinstance(root, dict) else {}
    there = rules.get(trigger)
    others = there if isinstance(there, dict) else {}
    lines = [f"{_quoted(key)}: {_quoted(value)}" for key, value in rules.items() if key != trigger]
    if not cell and not others.keys() - {state}:
        return lines or ["{}"], {}
    lines.append(f"{_quoted(trigger.value)}:")
    lines += [f" {_quoted(key)}: {_quoted(value)}" for key, value in others.items() if key != state]
    places: dict[int, Place] = {}
    if cell:
        lines.append(f" {_quoted(state.value)}:")
        _lay_out_cell(cell, lines, places)
    return lines, places


def _lay_out_cell(cell: Cell, lines: list[str], places: dict[int, Place]) -> None:
    n = 0
    for result, actions in cell.items():
        lines.append(f"  {_quoted(result)}:{'' if actions else ' []'}")
        for action in actions:
            for field, line in _lines_of(action.says):
                lines.append(line)
                places[len(lines)] = (n, field)
            n += 1


def _lines_of(says: Says) -> Iterator[tuple[str, str]]:
    """Yield the lines of an action, each with the field it is of."""
    if not isinstance(says, dict) or len(says) != 1:
        yield "", f"  - {_quoted(says)}"
        return
    [(kind, keys)] = says.items()
    if not isinstance(keys, dict) or not keys:
        yield _ALONE.get(kind, ""), f"  - {_quoted(kind)}: {_quoted(keys)}"
        return
    yield "", "  -"
    yield "", f"   {_quoted(kind)}:"
    if kind == "fields":
        yield from ((f"fields{n}", f"    {_quoted(k)}: {_quoted(v)}") for n, (k, v) in enumerate(keys.items()))
        return
    for key, value in keys.items():
        if key == "fields" and isinstance(value, dict) and value:
            yield "fields", f"    {_quoted(key)}:"
            yield from ((f"fields{n}", f"     {_quoted(k)}: {_quoted(v)}") for n, (k, v) in enumerate(value.items()))
        else:
            yield _FIELDS.get(key, key), f"    {_quoted(key)}: {_quoted(value)}"


def _quoted(says: Says) -> str:
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(says, ensure_ascii=False))
