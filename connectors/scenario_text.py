"""One cell of a scenario's text, read and written: what is done for a state of the caller when something happens.

Writing a cell changes the lines of that cell and no other letter of the text; within the cell an action that says what
it said before keeps its lines, and a changed one its comments, order and quoting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from connectors.scenario_lines import Says, changed_lines, new_lines, on_one_line, rewritten, says_of
from connectors.scenario_rules import CallerState, Result, Trigger


class OtherForm(ValueError):
    """A cell is written in a form that has no list of actions for each result."""


@dataclass(frozen=True, slots=True)
class Line:
    """An action of a cell; ``was`` is where it stood in it (result, place from 0), None for a new one."""

    says: Says
    was: tuple[str, int] | None = None


Cell = Mapping[str, Sequence[Line]]  # result -> its actions, in order


def cell_in(text: str, trigger: Trigger, state: CallerState) -> Cell | None:
    """Return a cell of a text that can be read; None where it has no rule, ``OtherForm`` for what is no list."""
    rules = says_of(yaml.compose(text, Loader=yaml.SafeLoader))
    there = rules.get(trigger) if isinstance(rules, dict) else None
    if not isinstance(there, dict) or state not in there:
        return None
    by_result = there[state] if isinstance(there[state], dict) else {Result.OTHERWISE.value: there[state]}
    assert isinstance(by_result, dict)
    if not all(isinstance(lines, list | None) for lines in by_result.values()):
        raise OtherForm
    return {
        result: [Line(says, (result, place)) for place, says in enumerate(lines or [])]
        for result, lines in by_result.items()
        if isinstance(lines, list | None)
    }


def with_cell(text: str, trigger: Trigger, state: CallerState, cell: Cell | None) -> str:
    """Return the text with another cell, or without it; ``text`` is one that can be read, or empty."""
    wanted = _with(says_of(yaml.compose(text, Loader=yaml.SafeLoader)), trigger, state, cell)
    try:
        made = _Writer(text).write(trigger, state, cell)
        if says_of(yaml.compose(made, Loader=yaml.SafeLoader)) == wanted:
            return made
    except (yaml.YAMLError, _OnOneLine):
        pass
    return rewritten(text, wanted) if wanted else ""


def _with(rules: Says, trigger: Trigger, state: CallerState, cell: Cell | None) -> dict[str, Says]:
    """Return what a text says once its cell is another one."""
    made: dict[str, Says] = dict(rules) if isinstance(rules, dict) else {}
    there = made.get(trigger)
    states: dict[str, Says] = dict(there) if isinstance(there, dict) else {}
    if cell is None:
        states.pop(state, None)
    else:
        states[state.value] = _said(cell, isinstance(states.get(state), dict))
    if states:
        made[trigger.value] = states
    else:
        made.pop(trigger, None)
    return made


def _said(cell: Cell, is_split: bool) -> Says:
    by_result: dict[str, Says] = {result: [line.says for line in lines] for result, lines in cell.items()}
    return by_result if is_split or list(cell) != [Result.OTHERWISE] else by_result[Result.OTHERWISE]


class _OnOneLine(Exception):
    """What is to change stands inside brackets."""


class _Writer:
    """Puts a cell into the lines of a text."""

    def __init__(self, text: str) -> None:
        self._text = text if text.endswith("\n") or not text else text + "\n"
        self._root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
        tokens = yaml.scan(text, Loader=yaml.SafeLoader)
        self._dashes = [one.start_mark.index for one in tokens if isinstance(one, yaml.BlockEntryToken)]

    def write(self, trigger: Trigger, state: CallerState, cell: Cell | None) -> str:
        """Return the text with the cell; raises ``_OnOneLine``."""
        if self._root is None:
            return self._text + self._entry(trigger, self._entry(state, self._value(cell or {}, 2), 2), 0)
        happened = _child(self._root, trigger)
        known = _child(happened[1], state) if happened else None
        if cell is None:
            return self._without(happened, known)
        if happened is None:
            column = self._column_in(self._root)
            value = self._value(cell, column + 2)
            return self._after(self._root, "\n" + self._entry(trigger, self._entry(state, value, column + 2), column))
        if known is None:
            column = self._column_in(happened[1])
            return self._after(happened[1], self._entry(state, self._value(cell, column), column))
        if happened[1].flow_style:
            start, end = known[1].start_mark.index, known[1].end_mark.index
            said = on_one_line(_said(cell, isinstance(known[1], yaml.MappingNode)))
            return f"{self._text[:start].rstrip(' ')} {said}{self._text[end:]}"
        return self._replaced(known, cell)

    def _without(self, happened: "_Pair | None", known: "_Pair | None") -> str:
        if happened is None or known is None:
            return self._text
        gone, among = (known, happened[1]) if len(happened[1].value) > 1 else (happened, self._root)
        if among.flow_style:
            raise _OnOneLine
        start, end = self._line(gone[0].start_mark.index), self._next(self._end(gone[1]))
        return self._text[:start] + self._text[end:]

    def _after(self, mapping: yaml.Node, lines: str) -> str:
        at = self._next(self._end(mapping))
        return self._text[:at] + lines + self._text[at:]

    def _replaced(self, known: "_Pair", cell: Cell) -> str:
        key, value = known
        lines = self._value(cell, key.start_mark.column, value)
        return self._text[: key.end_mark.index] + self._rest(known, lines) + self._text[self._next(self._end(value)) :]

    # -- lines

    def _value(self, cell: Cell, column: int, old: yaml.Node | None = None) -> str:
        """Return the lines below the key of a state that stands in ``column``; nothing where nothing is to be done."""
        was = _by_result(old)
        if not isinstance(old, yaml.MappingNode) and list(cell) == [Result.OTHERWISE]:
            return self._list(cell[Result.OTHERWISE], was, self._dash_in(old, column + 2))
        if not isinstance(old, yaml.MappingNode) or old.flow_style:
            made = ((result, self._list(lines, was, column + 4)) for result, lines in cell.items())
            return "".join(self._entry(result, lines, column + 2) for result, lines in made)
        inner = int(old.start_mark.column)
        return "".join(self._result(_child(old, result), result, lines, was, inner) for result, lines in cell.items())

    def _result(
        self, there: "_Pair | None", result: str, lines: Sequence[Line], was: Mapping[str, yaml.Node], column: int
    ) -> str:
        """Return the lines of a result below its state, with the comments of the old one."""
        value = self._list(lines, was, self._dash_in(there[1] if there else None, column + 2))
        if there is None:
            return self._entry(result, value, column)
        line = self._line(there[0].start_mark.index)
        return self._text[self._comments_above(line) : there[0].end_mark.index] + self._rest(there, value)

    def _rest(self, pair: "_Pair", lines: str) -> str:
        """Return what follows a key: a colon, perhaps a comment, and the lines of its value."""
        key, value = pair
        rest = self._text[key.end_mark.index : self._next(key.end_mark.index)]
        if value.start_mark.line == key.end_mark.line:  # the value stood on the line of its key
            rest = ":" + self._text[self._end(value) : self._next(self._end(value))]
        return rest + lines if lines else ": []" + rest.removeprefix(":")

    def _entry(self, key: str, value: str, column: int) -> str:
        return f"{' ' * column}{key}:{chr(10) if value else f' []{chr(10)}'}{value}"

    def _list(self, lines: Sequence[Line], was: Mapping[str, yaml.Node], column: int) -> str:
        return "".join(self._action(line, was, column) for line in lines)

    def _action(self, line: Line, was: Mapping[str, yaml.Node], column: int) -> str:
        """Return the lines of an action whose dash stands in ``column``."""
        result, place = line.was or ("", 0)
        there = was.get(result)
        if not isinstance(there, yaml.SequenceNode) or place >= len(there.value):
            return _indented(new_lines(line.says), column)
        before, action, after = self._lines_of(there, place)
        if says_of(there.value[place]) != line.says:
            action, after = changed_lines(action, after, line.says), ""
        return _indented(before + action + after, column)

    def _lines_of(self, among: yaml.SequenceNode, place: int) -> tuple[str, str, str]:
        """Return the comments above an action, its lines, dash first, and the rest of its last."""
        action = among.value[place]
        if among.flow_style:
            said = self._text[action.start_mark.index : action.end_mark.index]
            return ("", f"- {said}", "\n") if "\n" not in said else ("", new_lines(says_of(action)), "")
        dash = max(at for at in self._dashes if at <= action.start_mark.index)
        line = self._line(dash)
        above = self._next(self._end(among.value[place - 1])) if place else self._comments_above(line)
        column = dash - line
        end = self._end(action)
        after = self._text[end : self._next(end)]
        own = _dedented(self._text[line:end], column).removesuffix("\n")
        return _dedented(self._text[above:line], column), own, after if after.endswith("\n") else after + "\n"

    def _comments_above(self, line: int) -> int:
        """Return where the lines of comments right above a line begin."""
        while line:
            above = self._line(line - 1)
            if not self._text[above:line].lstrip().startswith("#"):
                break
            line = above
        return line

    # -- places

    def _column_in(self, mapping: yaml.Node) -> int:
        if not isinstance(mapping, yaml.MappingNode) or mapping.flow_style:
            raise _OnOneLine
        return int(mapping.start_mark.column)

    def _dash_in(self, listed: yaml.Node | None, otherwise: int) -> int:
        """Return in which column the dashes of a list stand."""
        if not isinstance(listed, yaml.SequenceNode) or listed.flow_style or not listed.value:
            return otherwise
        return int(listed.start_mark.column)

    def _line(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _next(self, at: int) -> int:
        """Return where the line after a place begins."""
        return self._text.find("\n", at) + 1 or len(self._text)

    def _end(self, node: Any) -> int:
        """Return where what a node says ends: without the comments and blank lines after it."""
        if isinstance(node, yaml.ScalarNode):
            end = int(node.end_mark.index)
            is_block = node.style in ("|", ">")
            return len(self._text[:end].rstrip()) if is_block else end
        if node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self._end(last[1] if isinstance(node, yaml.MappingNode) else last)


_Pair = tuple[Any, Any]  # the nodes of a key and of its value


def _child(node: yaml.Node, word: str) -> "_Pair | None":
    """Return the key and the value of a word in a mapping."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((key, value) for key, value in pairs if key.value == word), None)


def _by_result(old: yaml.Node | None) -> Mapping[str, yaml.Node]:
    if isinstance(old, yaml.MappingNode):
        return {key.value: value for key, value in old.value}
    return {Result.OTHERWISE.value: old} if old is not None else {}


def _dedented(lines: str, column: int) -> str:
    cut = (line[column:] if not line[:column].strip() else line.lstrip() for line in lines.splitlines(keepends=True))
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in cut)


def _indented(lines: str, column: int) -> str:
    return "".join(" " * column + line if line.strip() else line for line in lines.splitlines(keepends=True))
