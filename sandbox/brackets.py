"""PHP-style bracket keys (`filter[id][]=1`) as trees, and trees as bracket keys."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

Tree = dict[str, "str | Tree"]


def parse_brackets(query: str) -> Tree:
    """Reads a query string or form body into nested dicts; `[]` takes the next free index, as in PHP."""
    tree: Tree = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        _put(tree, _split(key), value)
    return tree


def _split(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    if not bracket or not rest.endswith("]") or not head:
        return [key]
    return [head, *rest[:-1].split("][")]


def _put(tree: Tree, steps: list[str], value: str) -> None:
    here = tree
    for step in steps[:-1]:
        name = step or _next_index(here)
        below = here.get(name)
        if not isinstance(below, dict):
            below = {}
            here[name] = below
        here = below
    here[steps[-1] or _next_index(here)] = value


def _next_index(tree: Mapping[str, object]) -> str:
    taken = [int(key) for key in tree if key.isdecimal()]
    return str(max(taken) + 1) if taken else "0"


def listed(value: str | Tree | None) -> list[str]:
    """Returns the scalars of `x=1`, `x[]=1` and `x=1,2` alike; deeper trees are left out."""
    if value is None:
        return []
    parts = [value] if isinstance(value, str) else [v for v in value.values() if isinstance(v, str)]
    return [piece.strip() for part in parts for piece in part.split(",") if piece.strip()]


def below(tree: Tree, *steps: str) -> Tree:
    """Returns the subtree at `steps`, empty when it is absent or a scalar."""
    here = tree
    for step in steps:
        found = here.get(step)
        if not isinstance(found, dict):
            return {}
        here = found
    return here


def flatten(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields bracket keys and text values of nested dicts and lists, in their order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}[{key}]" if prefix else str(key))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from flatten(inner, f"{prefix}[{index}]")
    else:
        yield prefix, scalar_text(value)


def scalar_text(value: object) -> str:
    """Returns a scalar as PHP prints it in a form: true is 1, false is 0, null is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
