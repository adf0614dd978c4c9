"""Filter prefixes, groups and orders over rows of any kind (sheet section 3.4)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sandbox.bitrix24.php import as_list, as_map

Row = TypeVar("Row")
Look = Callable[[Row, str], Any]
PREFIX = re.compile(r"^(!><|><|>=|<=|!=%|!%=|=%|%=|!@|!%|!=|!|@|>|<|%|=|\?)?(.*)$", re.DOTALL)


@lru_cache(maxsize=4096)
def split_key(key: str) -> tuple[str, str]:
    """Returns the prefix and the field name of a filter key."""
    match = PREFIX.match(key)
    assert match is not None
    return match.group(1) or "=", match.group(2)


def is_group(key: str, value: object) -> bool:
    """Whether a filter entry is a group of conditions of its own."""
    return (key.isdecimal() or key == "logic") and (key == "logic" or isinstance(value, (dict, list)))


def chosen(rows: Iterable[Row], filter_: Mapping[str, Any], look: Look[Row]) -> list[Row]:
    """Returns the rows that pass a filter."""
    return [row for row in rows if passes(row, filter_, look)] if filter_ else list(rows)


def narrowed(rows: Iterable[Row], filter_: Mapping[str, Any], quick: Mapping[str, Callable[[Row], Any]]) -> list[Row]:
    """Returns the rows that the cheap part of a filter leaves, so that the others need not be written out."""
    cheap = {key: wanted for key, wanted in filter_.items() if split_key(key)[1] in quick}
    return chosen(rows, cheap, lambda row, name: quick[name](row))


def passes(row: Row, filter_: Mapping[str, Any], look: Look[Row]) -> bool:
    """Whether a row meets the conditions, all of them or (logic OR) one."""
    results = (
        passes(row, as_map(wanted), look) if is_group(key, wanted) else _meets(row, key, wanted, look)
        for key, wanted in filter_.items()
        if key != "logic"
    )
    return any(results) if str(filter_.get("logic", "AND")).upper() == "OR" else all(results)


def _meets(row: Row, key: str, wanted: Any, look: Look[Row]) -> bool:
    prefix, name = split_key(key)
    return compare(look(row, name), prefix, wanted)


def compare(found: Any, prefix: str, wanted: Any) -> bool:
    """Compares a value (or any of several) with what a filter wants."""
    if prefix.startswith("!"):
        return not compare(found, prefix[1:] or "=", wanted)
    if isinstance(found, (list, tuple)):
        return any(compare(one, prefix, wanted) for one in found) or (not found and _is_empty(wanted))
    if prefix == "><":
        low, high = (*as_list(wanted), "", "")[:2]
        return compare(found, ">=", low) and compare(found, "<=", high)
    if isinstance(wanted, (dict, list)):
        return any(compare(found, "=" if prefix == "@" else prefix, one) for one in as_list(wanted))
    return _scalar(found, prefix, wanted)


def _scalar(found: Any, prefix: str, wanted: Any) -> bool:
    if prefix in {"%", "?"}:
        return str(wanted).lower() in _text(found).lower()
    if prefix in {"=%", "%="}:
        pattern = ".*".join(re.escape(part) for part in str(wanted).lower().split("%"))
        return re.fullmatch(pattern, _text(found).lower(), re.DOTALL) is not None
    if prefix in {"=", "@", ""}:
        return (_is_empty(found) and _is_empty(wanted)) or _order(found, wanted) == 0
    if _is_empty(found):
        return False
    sign = _order(found, wanted)
    return {">": sign > 0, ">=": sign >= 0, "<": sign < 0, "<=": sign <= 0}[prefix]


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _order(found: Any, wanted: Any) -> int:
    one, other = _number(found), _number(wanted)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    left, right = _text(found).lower(), _text(wanted).lower()
    return (left > right) - (left < right)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def ordered(rows: Sequence[Row], order: Mapping[str, Any], look: Look[Row]) -> list[Row]:
    """Returns the rows sorted by the named fields, the first of them most important."""
    found = list(rows)
    for name, direction in reversed(list(order.items())):
        found.sort(key=lambda row, name=name: _rank(look(row, name)), reverse=str(direction).upper() == "DESC")  # type: ignore[misc]
    return found


def _rank(value: Any) -> tuple[int, float, str]:
    number = _number(value)
    if number is not None:
        return 1, number, ""
    return (0, 0.0, "") if _is_empty(value) else (2, 0.0, str(value).lower())
