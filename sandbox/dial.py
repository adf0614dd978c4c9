"""The dial: every fault rate and every named switch of a simulator, checked before it is turned."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.ledger import MARKER

FAULTS = (
    "429",
    "500",
    "503",
    "500_after_commit",
    "502_after_commit",
    "504_after_commit",
    "drop_before",
    "drop_after",
    "hang",
    "slow_body",
    "half_json",
    "page_after_commit",
    "missing_id",
    "foreign_id",
    "wrong_content_type",
    "html_error",
    "token_expired",
)

Check = Callable[[object], Any]


class DialRefused(Exception):
    """A change of the dial that is not allowed; the text says what is."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing that can be turned: its name, its default and one sentence for the README."""

    name: str
    default: Any
    check: Check
    says: str


def boolean(value: object) -> bool:
    """Accepts true and false."""
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def number(low: float, high: float = 10**9) -> Check:
    """Accepts a number from `low` to `high`."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return check


def choice(*allowed: object) -> Check:
    """Accepts one of the named values."""

    def check(value: object) -> object:
        if value in allowed and type(value) in {type(one) for one in allowed}:
            return value
        raise ValueError("one of " + ", ".join(map(str, allowed)))

    return check


def text(value: object) -> str:
    """Accepts any text."""
    if isinstance(value, str):
        return value
    raise ValueError("a text")


def pattern(value: object) -> str:
    """Accepts a regular expression."""
    try:
        re.compile(text(value))
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    return text(value)


def _rates(value: object) -> dict[str, float]:
    if not isinstance(value, Mapping) or set(value) - set(FAULTS):
        raise ValueError("an object with rates from 0 to 1 for " + ", ".join(FAULTS))
    rate = number(0, 1)
    return {name: rate(share) for name, share in value.items()}


def _only(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or set(value) - {"method", "path"}:
        raise ValueError("an object with the regular expressions method and path")
    return {key: pattern(one) for key, one in value.items()}


def _prescription(value: object) -> dict[str, list[dict[str, Any]]]:
    if not isinstance(value, Mapping) or not all(isinstance(turns, list) for turns in value.values()):
        raise ValueError("an object of lists: marker -> answers used in turn")
    return {str(marker): [_dose(turn) for turn in turns] for marker, turns in value.items()}


def _dose(turn: object) -> dict[str, Any]:
    dose = dict(turn) if isinstance(turn, Mapping) else {"fault": turn}
    if dose.get("fault") not in (*FAULTS, "ok") or set(dose) - {"fault", "seconds", "method", "path"}:
        raise ValueError(
            'answers like "ok", "500" or {"fault": "hang", "seconds": 2, "method": "POST", "path": "leads"}; '
            "faults are " + ", ".join(FAULTS)
        )
    for key in ("method", "path"):
        pattern(dose.get(key, ""))
    number(0)(dose.get("seconds", 0))
    return dose


def _span(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) != 2 or value[0] > value[1]:
        raise ValueError("a list of two numbers, least and most milliseconds")
    return [number(0, 600_000)(one) for one in value]


MODE = choice("open", "blocked", "unpaid", "unpaid_writes")
COMMON_KNOBS = (
    Knob("rates", {}, _rates, "Share of requests (0 to 1) that meet each fault; a rate of 0 removes it."),
    Knob("only", {"path": "^/(api|rest)/"}, _only, "Regular expressions `method` and `path` the rates keep to."),
    Knob("prescription", {}, _prescription, "Answers used in turn by requests that contain the marker."),
    Knob("seed", 1, number(0), "Seed of the fault random; setting it starts the sequence anew."),
    Knob("hang_seconds", 30, number(0, 3600), "How long a `hang` waits before it answers."),
    Knob(
        "hang_by",
        "real",
        choice("real", "clock"),
        "Whose seconds a `hang` lasts: `real` ones, or those of the sandbox's `clock`.",
    ),
    Knob("slow_body_seconds", 5, number(0, 3600), "How long a `slow_body` takes to arrive (real seconds)."),
    Knob("latency_ms", [0, 0], _span, "Least and most real milliseconds every answer is delayed by."),
    Knob("search_lag", 0, number(0), "Seconds of the clock a new object is hidden from `query` and filters."),
    Knob("clock_skew", 0, number(-(10**8)), "Seconds the vendor's clock is ahead of the sandbox's clock."),
    Knob("limiter", True, boolean, "Whether the vendor's request limits are enforced."),
    Knob("mode", "open", MODE, "`blocked`: 403 to all; `unpaid`: 402 to all; `unpaid_writes`: 402 to writes."),
    Knob("marker_pattern", MARKER, pattern, "What the ledger takes for a marker (first group of the match)."),
    Knob("keep_bodies", False, boolean, "Whether ledger rows keep the request body."),
)

_MERGED = ("rates", "only", "prescription")


class Dial:
    """Holds the settings of the common knobs and a vendor's own ones."""

    def __init__(self, knobs: Sequence[Knob] = ()) -> None:
        self.knobs = {knob.name: knob for knob in (*COMMON_KNOBS, *knobs)}
        self.changes = 0
        self.reset()

    def reset(self) -> None:
        """Puts every knob back to its default."""
        self._set = {name: _copy(knob.default) for name, knob in self.knobs.items()}
        self.changes += 1

    def turn(self, changes: Mapping[str, object]) -> None:
        """Merges `changes`; all are checked before any is taken, DialRefused says what is allowed."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            self._set[name] = self._set[name] | value if name in _MERGED else value
        self._set["rates"] = {name: rate for name, rate in self._set["rates"].items() if rate}
        if "seed" in checked:
            self.changes += 1

    def _checked(self, name: str, value: object) -> Any:
        knob = self.knobs.get(name)
        if knob is None:
            raise DialRefused(f"Unknown dial key {name!r}. Allowed: {', '.join(sorted(self.knobs))}.")
        try:
            return knob.check(value)
        except (ValueError, TypeError) as error:
            raise DialRefused(f"The dial key {name!r} takes {error}.") from error

    def __getitem__(self, name: str) -> Any:
        return self._set[name]

    def settings(self) -> dict[str, Any]:
        """Returns every knob with its present setting."""
        return {name: _copy(value) for name, value in self._set.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, list) else value
