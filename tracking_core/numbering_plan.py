"""The state numbering plan of Russia: which region a mobile phone was issued in (telephony sheet, section 12).

The customer downloads it as CSV, one line for each range of numbers. The form is known from descriptions only, so it is
read by the names of its columns, in any order and in both usual encodings; what cannot be read is counted.
"""

import csv
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_NATIONAL = 10  # digits behind +7
_MOBILE = "9"  # area codes of fixed phones tell their region themselves


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """Ranges of national numbers in order, ``firsts`` to ``lasts``, each with the place of its region in ``codes``."""

    firsts: "array[int]" = field(default_factory=lambda: array("q"))
    lasts: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("H"))
    codes: Sequence[str] = ()

    def region(self, e164: str) -> str | None:
        """Returns the region a Russian number was issued in; None when the plan does not tell."""
        digits = e164.removeprefix("+7")
        if len(digits) != _NATIONAL or not digits.isdecimal():
            return None
        number = int(digits)
        at = bisect_right(self.firsts, number) - 1
        return self.codes[self.places[at]] if at >= 0 and number <= self.lasts[at] else None


NO_PLAN = NumberingPlan()


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A plan as far as it could be read: lines used, lines that are no ranges, and names of no single region."""

    numbering: NumberingPlan
    ranges: int
    unreadable: int
    unknown: Counter[str]


def read_plan(files: Iterable[bytes], of_name: Callable[[str], str | None]) -> PlanRead:
    """Reads the mobile ranges of a plan's files; ``of_name`` returns the region a name means. Never raises."""
    found: list[tuple[int, int, str]] = []
    unreadable, unknown = 0, Counter[str]()
    for line in (line for file in files for line in _lines(_text(file))):
        if line is None:
            unreadable += 1
            continue
        first, last, name = line
        code = of_name(name)
        if code is None:
            unknown[name] += 1
        else:
            found.append((first, last, code))
    return PlanRead(_numbering(found), len(found), unreadable, unknown)


def _text(file: bytes) -> str:
    try:
        return file.decode("utf-8-sig")
    except UnicodeDecodeError:
        return file.decode("cp1251", "replace")


def _lines(text: str) -> Iterator[tuple[int, int, str] | None]:
    """Yield first and last number and region of each mobile range; None for a line that is no range."""
    columns: tuple[int, ...] | None = None
    for cells in csv.reader(text.replace("\0", "").splitlines(), delimiter=";"):
        if columns is None:
            columns = _columns(cells)
            if columns is None:
                yield None
        elif any(cells):
            line = _line(cells, columns)
            if line is None or str(line[0]).startswith(_MOBILE):
                yield line


def _columns(cells: Sequence[str]) -> tuple[int, ...] | None:
    """The places of code, from, to and region, if this line names them."""
    names = ["".join(cell.upper().split()) for cell in cells]
    code = next((place for place, name in enumerate(names) if name.endswith("DEF")), None)
    if code is None or not {"ОТ", "ДО", "РЕГИОН"} <= set(names):
        return None
    return code, names.index("ОТ"), names.index("ДО"), names.index("РЕГИОН")


def _line(cells: Sequence[str], columns: Sequence[int]) -> tuple[int, int, str] | None:
    if len(cells) <= max(columns):
        return None
    code, first, last, name = (cells[place].strip() for place in columns)
    rest = _NATIONAL - len(code)
    if not (code + first + last).isdecimal() or not 0 < max(len(first), len(last)) <= rest:
        return None
    begin, end = int(code + first.zfill(rest)), int(code + last.zfill(rest))
    return (begin, end, name) if begin <= end else None


def _numbering(found: list[tuple[int, int, str]]) -> NumberingPlan:
    """Neighbours of one region become one range: operators do not matter here."""
    found.sort()
    codes = tuple(sorted({code for _, _, code in found}))
    made, places = NumberingPlan(codes=codes), {code: place for place, code in enumerate(codes)}
    for first, last, code in found:
        _add(made, first, last, places[code])
    return made


def _add(made: NumberingPlan, first: int, last: int, place: int) -> None:
    if made.places and made.places[-1] == place and made.lasts[-1] + 1 >= first:
        made.lasts[-1] = max(last, made.lasts[-1])
        return
    made.firsts.append(first)
    made.lasts.append(last)
    made.places.append(place)
