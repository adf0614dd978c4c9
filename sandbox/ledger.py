"""The request journal: what was asked, what was answered, and whether it took effect."""

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from sandbox.wire import Ask

MARKER = (
    r"hub:([0-9A-Za-z][0-9A-Za-z._-]{2,63})"
    r"|\b([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\b"
    r"|\b([0-9a-f]{32})\b"
)
KEPT_ROWS = 200_000


@dataclass(slots=True)
class LedgerRow:
    """One request; `status` 0 means the connection was closed without an answer, None that it is open."""

    number: int
    arrived: float
    method: str
    path: str
    query: str
    marker: str | None
    markers: tuple[str, ...]
    answered: float | None = None
    status: int | None = None
    committed: bool = False
    bytes: int = 0
    fault: str | None = None
    body: str | None = None


class Ledger:
    """Keeps the newest rows in memory and counts answers by status."""

    def __init__(self) -> None:
        self.rows: deque[LedgerRow] = deque(maxlen=KEPT_ROWS)
        self.totals: Counter[int] = Counter()
        self._last = 0

    def next_number(self) -> int:
        """Returns a request number that is never given twice, not even after a clear."""
        self._last += 1
        return self._last

    def open(self, ask: Ask, pattern: re.Pattern[str], keep_body: bool) -> LedgerRow:
        """Writes down a request before anything happens to it."""
        text = f"{unquote_plus(ask.query)}\n{ask.body.decode('utf-8', 'replace')}"
        markers = find_markers(pattern, text)
        row = LedgerRow(
            number=ask.number,
            arrived=ask.arrived,
            method=ask.method,
            path=ask.path,
            query=ask.query,
            marker=markers[0] if markers else None,
            markers=markers,
            body=ask.body.decode("utf-8", "replace") if keep_body else None,
        )
        self.rows.append(row)
        return row

    def close(self, row: LedgerRow, status: int, size: int, answered: float) -> None:
        """Writes down the answer; status 0 is a connection closed without one."""
        row.status, row.bytes, row.answered = status, size, answered
        self.totals[status] += 1

    def since(self, number: int) -> Sequence[LedgerRow]:
        """Returns the rows with a larger request number than `number`, oldest first."""
        return [row for row in self.rows if row.number > number]

    def clear(self) -> None:
        """Forgets rows and totals; numbers go on."""
        self.rows.clear()
        self.totals.clear()


def find_markers(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    """Returns each distinct marker in `text` in order: the first group that took part, or the match."""
    found: dict[str, None] = {}
    for match in pattern.finditer(text):
        marker = next((group for group in match.groups() if group), match.group(0))
        found[marker] = None
    return tuple(found)
