"""The working hours of a scenario file: `mon-fri: 09:00-18:00`."""

import re
from collections.abc import Iterator
from datetime import date, time

import yaml

from connectors.scenario_nodes import Problems, text_of
from tracking_core.qualify import DAYS, Hours

_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


def hours_of(node: yaml.Node, zone: str, holidays: frozenset[date], problems: Problems) -> tuple[Hours, ...]:
    """Return when somebody is at work: each line has its days and its hours."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, "`working_hours` is a set of `mon-fri: 09:00-18:00` lines", DAYS)
        return ()
    found: list[Hours] = []
    for key, value in node.value:
        days = frozenset(_days(key, problems))
        for day in sorted(days & {day for one in found for day in one.days}):
            problems.add(key, f"{day!r} has its hours twice in `working_hours`")
        found.append(Hours(days, *_span(value, problems), zone, holidays))
    return tuple(found)


def _days(node: yaml.Node, problems: Problems) -> Iterator[str]:
    """Yield the days that a line is about: one, or from one to another, over the week's end, too."""
    word = text_of(node, problems, "a day")
    first, _, last = word.lower().replace(" ", "").partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        problems.add(node, f"unknown day {word!r} in `working_hours`: write `mon`, or `mon-fri`", DAYS, word)
        return
    begin, end = DAYS.index(first), DAYS.index(last or first)
    yield from (DAYS[(begin + n) % len(DAYS)] for n in range((end - begin) % len(DAYS) + 1))


def _span(node: yaml.Node, problems: Problems) -> tuple[time, time]:
    word = text_of(node, problems, "hours")
    told = _SPAN.fullmatch(word.strip())
    try:
        opens, opens_m, closes, closes_m = map(int, told.groups()) if told else (99, 0, 0, 0)
        until = time.max if (closes, closes_m) == (24, 0) else time(closes, closes_m)
        return time(opens, opens_m), until
    except ValueError:
        problems.add(node, f"{word!r} are no hours: write them as 09:00-18:00")
        return time(0), time(0)
