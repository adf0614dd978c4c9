"""The working hours of a scenario file: `mon-fri: 09:00-18:00`."""

import re
from collections.abc import Iterator
from datetime import time

import yaml

from connectors.hours import DAYS
from connectors.scenario_nodes import Problems, text_of

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


def hours_of(node: yaml.Node, problems: Problems) -> dict[str, tuple[time, time]]:
    """Return by day of the week from when until when somebody is at work."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, "`working_hours` is a set of `mon-fri: 09:00-18:00` lines", DAYS)
        return {}
    found: dict[str, tuple[time, time]] = {}
    for key, value in node.value:
        span = _span(value, problems)
        for day in _days(key, problems):
            if day in found:
                problems.add(key, f"{day!r} has its hours twice in `working_hours`")
            found[day] = span
    return found


def _days(node: yaml.Node, problems: Problems) -> Iterator[str]:
    """Yield the days that a line is about: one, or from one to another, over the week's end, too."""
    word = text_of(node, problems, "a day")
    first, _, last = word.lower().replace(" ", "").partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        problems.add(node, f"unknown day {word!r} in `working_hours`: write `mon`, or `mon-fri`", DAYS, word)
        return
    at = DAYS.index(first)
    while True:
        yield DAYS[at]
        if DAYS[at] == (last or first):
            return
        at = (at + 1) % len(DAYS)


def _span(node: yaml.Node, problems: Problems) -> tuple[time, time]:
    word = text_of(node, problems, "hours")
    told = _SPAN.fullmatch(word.strip())
    try:
        opens, opens_m, closes, closes_m = map(int, told.groups()) if told else (99, 0, 0, 0)
        return time(opens, opens_m), time(0 if (closes, closes_m) == (24, 0) else closes, closes_m)
    except ValueError:
        problems.add(node, f"{word!r} are no hours: write them as 09:00-18:00")
        return time(0), time(0)
