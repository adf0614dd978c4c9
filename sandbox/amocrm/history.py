"""The account's history: one line per change, under sortable ULIDs (sheet section 3.17)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.amocrm.ids import ulid
from sandbox.amocrm.store import OrderedIndex

Side = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change; `entity_type` is singular, an empty side is an empty list."""

    id: str
    serial: int
    type: str
    entity_type: str
    entity_id: int
    created_by: int
    created_at: int
    after: Side
    before: Side


class History:
    """Keeps lines in the order of their time, and per entity."""

    def __init__(self) -> None:
        self.lines: dict[int, HistoryLine] = {}
        self.by_id: dict[str, HistoryLine] = {}
        self._order = OrderedIndex()

    def add(
        self, moment: float, type_: str, entity: tuple[str, int], by: int, after: Side, before: Side
    ) -> HistoryLine:
        """Writes one line; `entity` is a singular type and an id."""
        serial = len(self.lines) + 1
        line = HistoryLine(ulid(moment, serial), serial, type_, entity[0], entity[1], by, int(moment), after, before)
        self.lines[serial] = line
        self.by_id[line.id] = line
        self._order.add(line.created_at, serial)
        return line

    def walk(self, descending: bool, start: float | None, end: float | None) -> Iterator[HistoryLine]:
        """Yields lines made between two moments."""
        return (self.lines[serial] for serial in self._order.walk(descending, start, end))
