"""Reads a YAML text into nodes that remember their lines, and collects every problem instead of the first."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import yaml

FILE_CAP = 64 * 1024  # bytes
DEPTH_CAP = 20
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
_SHOWN = 20  # allowed words listed in one problem


class ScenarioError(ValueError):
    """A scenario file is wrong; each problem reads ``FILE:LINE: what is wrong; allowed: a, b, c``."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Problems:
    """The problems of one file, in the order of its lines."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._found: list[tuple[int, str]] = []

    def add(self, at: "yaml.Node | int", what: str, allowed: Iterable[str] = (), word: str = "") -> None:
        """Note what is wrong at a node or a line; ``word`` is what was written, for a near miss."""
        line = at if isinstance(at, int) else at.start_mark.line + 1
        options = list(allowed)
        near = get_close_matches(word, options, n=1) if word else []
        text = f"{self._filename}:{line}: {what}"
        text += f"; did you mean {near[0]}?" if near else ""
        if options:
            more = f" and {len(options) - _SHOWN} more" if len(options) > _SHOWN else ""
            text += f"; allowed: {', '.join(options[:_SHOWN])}{more}"
        if (line, text) not in self._found:
            self._found.append((line, text))

    def raise_any(self) -> None:
        """Raise ``ScenarioError`` when there are problems."""
        if self._found:
            raise ScenarioError([text for _, text in sorted(self._found, key=lambda found: found[0])])


def compose(text: str, problems: Problems) -> yaml.Node:
    """Return the root node; raises ``ScenarioError`` for a text that is not one small plain YAML document."""
    if len(text.encode("utf-8", "replace")) > FILE_CAP:
        problems.add(1, f"the file is larger than {FILE_CAP} bytes")
        problems.raise_any()
    root = None
    try:
        _check_tokens(text, problems)
        problems.raise_any()
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.add(line, f"not readable as YAML: {error.problem or error.context}")
    except (yaml.YAMLError, RecursionError):
        problems.add(1, "not readable as YAML: a character or a nesting that does not belong in such a file")
    if root is None:
        problems.add(1, "the file is empty")
        problems.raise_any()
        raise AssertionError("a file without a root has a problem")
    problems.raise_any()
    return root


def _check_tokens(text: str, problems: Problems) -> None:
    """Note what a scenario has no use for; stops at a deep nesting, which is slow to read and never meant."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        line = token.start_mark.line + 1
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
            problems.add(line, "anchors, aliases and tags are not used here: write the text out")
        if depth > DEPTH_CAP:
            problems.add(line, f"nested deeper than {DEPTH_CAP} levels")
            return


Children = dict[str, tuple[yaml.ScalarNode, yaml.Node]]  # key -> (node of the key, node of the value)


def keys_of(node: yaml.Node, allowed: Sequence[str], problems: Problems, what: str) -> Children:
    """Return the children of a mapping by key; unknown and repeated keys are problems."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, f"{what} is a set of `key: value` lines", allowed)
        return {}
    found: Children = {}
    for key, value in node.value:
        word = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not isinstance(key, yaml.ScalarNode) or word not in allowed:
            problems.add(key, f"unknown key {word!r} in {what}", allowed, word)
        elif word in found:
            problems.add(key, f"{word!r} is written twice in {what}")
        else:
            found[word] = (key, value)
    return found


def list_of(node: yaml.Node, problems: Problems, what: str, most: int) -> list[yaml.Node]:
    """Return the items of a list of at most ``most`` items."""
    if not isinstance(node, yaml.SequenceNode):
        problems.add(node, f"{what} is a list of `- ...` lines")
        return []
    if len(node.value) > most:
        problems.add(node, f"{what} has {len(node.value)} lines; at most {most} are allowed")
    return list(node.value[:most])


def text_of(node: yaml.Node, problems: Problems, what: str) -> str:
    """Return the text of a scalar; an empty or structured value is a problem."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip() or node.tag.endswith(":null"):
        problems.add(node, f"{what} is a text")
        return ""
    return str(node.value)


def number_of(node: yaml.Node, problems: Problems, what: str, least: int, most: int) -> int:
    """Return the whole number of a scalar between ``least`` and ``most``."""
    word = node.value if isinstance(node, yaml.ScalarNode) else ""
    if not (word.isascii() and word.isdigit() and len(word) < 10 and least <= int(word) <= most):
        problems.add(node, f"{what} is a whole number from {least} to {most}")
        return least
    return int(word)


def is_blank(node: yaml.Node) -> bool:
    """Says whether a value was left out after its colon."""
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")
