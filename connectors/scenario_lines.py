"""Lines of a scenario's text for one action: the old ones with what has changed in them, or new ones.

Comments, the order of keys and the way of quoting stay (ruamel.yaml works on nodes here, so no value is read as a
number, a date or a yes, and written back otherwise).
"""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Says = None | str | list["Says"] | dict[str, "Says"]  # what a part of a text says, every scalar as it is written

_TAG = "tag:yaml.org,2002:"
_PLAIN = re.compile(r"[\w+][\w +./-]*(?<! )")
_NOTHING = {"", "~", "null", "Null", "NULL"}
_SHORT = 90  # characters of an action on one line


def says_of(node: Any) -> Says:
    """Return what a node of either library says, None where there is none; of a mapping the last of equal keys."""
    if node is None or node.tag == f"{_TAG}null":
        return None
    if node.id == "mapping":
        return {str(key.value): says_of(value) for key, value in node.value}
    return [says_of(line) for line in node.value] if node.id == "sequence" else str(node.value)


def new_lines(says: Says) -> str:
    """Return an action that is new as ``- ...`` lines."""
    action = _in_block(says) if isinstance(says, dict) else _fresh(says, is_flow=None)
    return _written(SequenceNode(f"{_TAG}seq", [action], flow_style=False))


def changed_lines(lines: str, after: str, says: Says) -> str:
    """Return the ``- ...`` lines of one action with what it says now.

    The lines begin in the first column; ``after`` is what follows on the last one, perhaps a comment.
    """
    made = _changed_lines(lines, says)
    is_one_line = "\n" not in lines and made.count("\n") == 1
    return made.removesuffix("\n") + after if is_one_line else _changed_lines(lines + after, says)


def _changed_lines(lines: str, says: Says) -> str:
    listed = YAML().compose(lines)
    if not isinstance(listed, SequenceNode) or len(listed.value) != 1:
        return new_lines(says)
    listed.value = [_changed(listed.value[0], says)]
    return _written(listed)


def on_one_line(says: Says) -> str:
    """Return a value as it is written inside brackets."""
    return _written(_fresh(says, is_flow=True)).strip()


def in_block(says: Mapping[str, Says]) -> str:
    """Return ``key: value`` lines."""
    return _written(_in_block(says)) if says else ""


def rewritten(text: str, says: Says) -> str:
    """Return a whole text that says something else now, its comments where they stood."""
    root = YAML().compose(text)
    return _written(_changed(root, says) if root is not None else _fresh(says, is_flow=None))


def _written(node: Node) -> str:
    writer, out = YAML(), io.StringIO()
    writer.width = 1_000_000
    writer.serialize(node, out)
    return out.getvalue().removesuffix("...\n")


def _changed(old: Node, says: Says) -> Node:
    """Return a node that says something else, with as much as possible of the old one."""
    if says_of(old) == says:
        return old
    if isinstance(old, MappingNode) and isinstance(says, dict):
        old.value = list(_pairs(old, says))
        old.flow_style = old.flow_style and not _has_lines(says)
        return old
    made = _fresh(says, is_flow=getattr(old, "flow_style", None), style=getattr(old, "style", None))
    made.comment = old.comment
    return made


def _pairs(old: MappingNode, says: dict[str, Says]) -> Iterator[tuple[Node, Node]]:
    there = {str(key.value) for key, _ in old.value}
    for key, value in old.value:
        if key.value in says:
            yield key, _changed(value, says[key.value])
    yield from ((_scalar(key), _fresh(value, is_flow=None)) for key, value in says.items() if key not in there)


def _fresh(says: Says, *, is_flow: bool | None, style: str | None = None) -> Node:
    """Return a new node; where ``is_flow`` is not given what is short stands on one line."""
    if says is None:
        return ScalarNode(f"{_TAG}null", "~")
    if isinstance(says, str):
        return _scalar(says, style)
    flow = is_flow if is_flow is not None else _is_short(says)
    if isinstance(says, list):
        return SequenceNode(f"{_TAG}seq", [_fresh(line, is_flow=flow or None) for line in says], flow_style=flow)
    pairs = [(_scalar(key), _fresh(value, is_flow=flow or None)) for key, value in says.items()]
    return MappingNode(f"{_TAG}map", pairs, flow_style=flow)


def _in_block(says: Mapping[str, Says]) -> Node:
    pairs = [(_scalar(key), _fresh(value, is_flow=None)) for key, value in says.items()]
    return MappingNode(f"{_TAG}map", pairs, flow_style=False)


def _is_short(says: Says) -> bool:
    return not _has_lines(says) and len(str(says)) <= _SHORT


def _has_lines(says: Says) -> bool:
    if isinstance(says, dict):
        return any(_has_lines(value) for value in says.values())
    if isinstance(says, list):
        return any(_has_lines(value) for value in says)
    return says is not None and "\n" in says


def _scalar(text: str, style: str | None = None) -> Node:
    """Return a scalar, quoted as the old one was where that fits, else only where it must be."""
    if "\n" in text:
        return ScalarNode(f"{_TAG}str", text, style="|")
    if style not in ("'", '"'):
        style = None if _PLAIN.fullmatch(text) and text not in _NOTHING else '"'
    resolved = f"{_TAG}int" if style is None and text.isascii() and text.isdigit() else f"{_TAG}str"
    return ScalarNode(resolved, text, style=style)
