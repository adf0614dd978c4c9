"""Parameters as the vendor's PHP reads them: a command of a batch is a method and a query with brackets [2.5]."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

_BEGINS = "$result["
_COMMAND = re.compile(r'"[^"]*":"([a-z][a-z.]*)[?"]', re.IGNORECASE)


class Link(str):
    """A reference to the result of an earlier command of the same batch; any other text that looks like one is text."""

    __slots__ = ()


def result(key: str, *path: str) -> Link:
    """Return a reference to what command ``key`` brings, e.g. ``$result[deal0][item][id]``."""
    return Link(_BEGINS + "][".join((key, *path)) + "]")


def command(method: str, params: Mapping[str, object]) -> str:
    """Return a command of a batch."""
    pairs = "&".join(f"{name}={_value(value)}" for name, value in flat(params))
    return f"{method}?{pairs}" if pairs else method


def methods(body: str) -> list[str]:
    """Return the methods that the beginning of a batch's body names, each command's own; none of any other body."""
    return _COMMAND.findall(body.partition('"cmd":{')[2])


def flat(params: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield each value with its name in brackets, the way PHP names what is nested; None is left out."""
    for key, value in params.items():
        name = f"{before}[{_name(key)}]" if before else _name(key)
        if isinstance(value, Mapping):
            yield from flat(value, name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from flat({str(place): one for place, one in enumerate(value)}, name)
        elif value is not None:
            yield name, value


def _name(key: object) -> str:
    # The signs of a filter have a meaning of their own in a query.
    return quote(str(key), safe=":@!", errors="replace")


def _value(value: object) -> str:
    if isinstance(value, Link):
        return value
    # What a visitor brings must not refer to anything.
    return quote(str(value).replace(_BEGINS, "$result ["), safe=":", errors="replace")
