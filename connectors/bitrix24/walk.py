"""Walks over cards by their ids, as far as they were changed since a moment [3.3, 4.11].

Pages of one request refer to one another: each begins after the last card of the one before. Where that one was not
full, there is nothing to refer to: what the next brings is not looked at. A card that changes during the walk, below
where it stands, is met by the next, which begins a little before this one began. Times are the vendor's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from connectors.bitrix24.api import PAGE, Json, Replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.encoding import Link, command, result
from connectors.bitrix24.parts import ORIGINAL_NAMES

OVERLAP_S = 300  # writes become visible a little late [6.5]


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands: it reads what changed since ``since``, has passed ``after``, and began at ``began``.

    Times are Unix seconds; ``began`` is 0 between two walks.
    """

    since: int = 0
    after: int = 0
    began: int = 0

    @classmethod
    def load(cls, kept: Mapping[str, object]) -> "Walk":
        """Return the walk of its parts; raises what a part that is none raises."""
        return cls(*(_natural(kept[name]) for name in ("since", "after", "began")))

    def kept(self) -> dict[str, int]:
        """Return its parts."""
        return asdict(self)

    @property
    def is_first(self) -> bool:
        """Says whether no walk has reached the end yet."""
        return self.since == 0

    def pages(self, name: str, entity: int, select: Sequence[str], most: int) -> dict[str, str]:
        """Return the commands that ask for its next pages, each after the one before."""
        asked: dict[str, str] = {}
        after: int | Link = self.after
        for place in range(most):
            key = f"{name}{'x' if name[-1].isdigit() else ''}{place}"
            asked[key] = _page(entity, select, self.since, after)
            after = result(key, "items", str(PAGE - 1), "id")
        return asked

    def on(self, rows: Sequence[Json], *, is_over: bool, clock: float) -> "Walk":
        """Return where it stands after these rows."""
        began = self.began or int(clock) or _newest(rows)
        if is_over:
            return Walk(since=max(began - OVERLAP_S, 1) if began else self.since)
        return replace(self, after=whole(rows[-1].get("id")) if rows else self.after, began=began)


def _page(entity: int, select: Sequence[str], since: int, after: int | Link) -> str:
    chosen: dict[str, object] = {">id": after}
    if since:
        chosen[">=updatedTime"] = datetime.fromtimestamp(since, UTC).isoformat()
    asked = {
        "entityTypeId": entity,
        "filter": chosen,
        "select": list(select),
        "order": {"id": "ASC"},
        "start": -1,
        **ORIGINAL_NAMES,
    }
    return command("crm.item.list", asked)


def in_turn(
    told: Replies, keys: Sequence[str], after: int, id_of: str = "id", *, falls: bool = False
) -> tuple[list[Json], bool]:
    """Return the rows of pages that follow one another, and whether they end there; ids grow, or fall."""
    rows: list[Json] = []
    for key in keys:
        if key not in told.results:
            return rows, False
        page = [one for one in told.rows(key) if whole(one.get(id_of)) != after]
        page = [one for one in page if (whole(one.get(id_of)) < after) is falls]
        rows += page
        if len(told.rows(key)) < PAGE or not page:
            return rows, True
        after = whole(page[-1].get(id_of))
    return rows, False


def _newest(rows: Sequence[Json]) -> int:
    return max((seconds(row.get("updatedTime")) for row in rows), default=0)


def seconds(told: object) -> int:
    """Return a time of the vendor in Unix seconds; 0 for what is none."""
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return 0
    return max(int(at.timestamp()), 0) if at.tzinfo else 0


def _natural(found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or found < 0 or found >= 1 << 60:
        raise ValueError("not a natural number")
    return found
