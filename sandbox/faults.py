"""Chooses the misfortune of one request: a prescription first, then the seeded random."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from sandbox.dial import Dial
from sandbox.wire import Ask


@dataclass(frozen=True, slots=True)
class Fault:
    """One misfortune; `seconds` overrides the dial's duration of a hang or a slow body."""

    name: str
    seconds: float | None = None


class FaultDeck:
    """Deals at most one fault to a request, repeatable for a given seed and order of requests."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._seen = -1
        self._random = random.Random()
        self._reseed()

    def _reseed(self) -> None:
        if self._seen != self._dial.changes:
            self._seen = self._dial.changes
            self._random = random.Random(self._dial["seed"])

    def deal(self, ask: Ask) -> Fault | None:
        """Returns the fault of this request, or None for an honest answer."""
        self._reseed()
        prescribed = self._prescribed(ask)
        if prescribed is not None:
            return None if prescribed["fault"] == "ok" else Fault(prescribed["fault"], prescribed.get("seconds"))
        rates: Mapping[str, float] = self._dial["rates"]
        if not rates or not _fits(self._dial["only"], ask):
            return None
        drawn = self._random.random()
        for name, rate in rates.items():
            drawn -= rate
            if drawn < 0:
                return Fault(name)
        return None

    def latency(self) -> float:
        """Returns this request's delay in real seconds."""
        least, most = self._dial["latency_ms"]
        return self._random.uniform(least, most) / 1000 if most else 0.0

    def _prescribed(self, ask: Ask) -> dict[str, Any] | None:
        prescription: dict[str, list[dict[str, Any]]] = self._dial["prescription"]
        if not prescription:
            return None
        said = f"{unquote_plus(ask.query)}\n{ask.body.decode('utf-8', 'replace')}"
        for marker, doses in prescription.items():
            if doses and marker in said and _fits(doses[0], ask):
                return doses.pop(0)
        return None


def _fits(only: Mapping[str, Any], ask: Ask) -> bool:
    return all(
        re.search(only[key], said) is not None
        for key, said in (("method", ask.method), ("path", ask.path))
        if only.get(key)
    )
