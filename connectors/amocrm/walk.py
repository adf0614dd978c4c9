"""Walks down a list, last changed first, to where the last walk began.

The filter by time is a paid option that is silently ignored where it is off, so a walk itself stops at the first card
older than its end. Pages shift while they are read: a changed card moves to the top (the next walk, which goes further
down, meets it again), a deleted one pulls the rest up - so each page overlaps the one before, and a page without a
common card is read again from further back (sheet 3.5). All times are the vendor's own, so no clock of ours matters.

Within a minute of a whole walk a quick one will do: it stops at the cards that stood at the head of the list then. What
became visible late, below them, the next whole walk finds.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.amocrm.api import PAGE, Api, Json
from connectors.http import Answer

OVERLAP_S = 60  # of the time of change: writes become visible a little late; so long quick walks do in between
SHARED = 10  # cards two neighbouring pages have in common
MOST_BACK = 5  # times one walk goes back to find its place again
SMALL_PAGE = 200  # the smallest page used to make pages overlap
PAGES_PER_CALL = 4
MOST_EVENT_PAGES = 400

PageOf = Callable[[int, int, int], Awaitable[tuple[list[Json], bool, Answer]]]  # (page, limit, since)


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands; times are Unix seconds of the vendor.

    It goes down to ``since``; ``top`` is where the next one will stop, ``end`` how many cards this one has passed,
    ``tail`` the last of them, ``back`` how often it lost its place, ``coming`` what stood first in the list when it
    began, at ``began``. ``head`` is what stood first for the walk before, ``whole_at`` when the last whole one began.
    """

    since: int = 0
    top: int = 0
    end: int = 0
    tail: tuple[str, ...] = ()
    back: int = 0
    head: tuple[str, ...] = ()
    whole_at: int = 0
    coming: tuple[str, ...] = ()
    began: int = 0

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Walk":
        """Return the walk of its parts; raises what a part that is none raises."""
        since, top, end, back, whole_at, began = (
            int(kept[name]) for name in ("since", "top", "end", "back", "whole_at", "began")
        )
        tail, head, coming = (tuple(str(one) for one in kept[name]) for name in ("tail", "head", "coming"))
        return cls(since, top, end, tail, back, head, whole_at, coming, began)

    @property
    def is_first(self) -> bool:
        """Says whether no walk has reached the end of the list yet."""
        return self.since == 0

    def floor(self, clock: int) -> int:
        """Return the time of what stood first, never later than the vendor's clock where it told it."""
        return min(self.top, clock) if clock else self.top

    def again(self) -> "Walk":
        """Return the walk begun anew: it goes down as far as this one."""
        return replace(self, end=0, tail=(), back=0)

    def ended(self, found: "Stretch", newest: int) -> "Walk":
        """Return the next walk; ``newest`` is the time of the newest event."""
        if found.is_quick:
            return replace(self.again(), head=self.coming)
        floor = self.floor(max(found.clock, newest))
        return Walk(since=max(floor - OVERLAP_S, 1), top=floor, head=self.coming, whole_at=self.began)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading stands: the walk down the list, and until when events were read (Unix seconds of the vendor).

    ``followed`` is until when quick walks followed those no list shows; what was told late the next whole one finds.
    ``left`` is since when such events still wait to be followed, 0 for none.
    """

    walk: Walk = field(default_factory=Walk)
    events: int = 0
    followed: int = 0
    left: int = 0

    def dump(self, **more: object) -> str:
        """Return the text the hub keeps, with what else a reader keeps in it."""
        return json.dumps({"v": 2, **asdict(self), **more}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        """Return the cursor of a text; one that is not ours starts again from everything."""
        try:
            kept = json.loads(text or "")
            here = cls(Walk.load(kept["walk"]), int(kept["events"]))
            return replace(here, followed=int(kept.get("followed", 0)), left=int(kept.get("left", 0)))
        except (ValueError, KeyError, TypeError, RecursionError):
            return cls()


@dataclass(slots=True)
class Stretch:
    """What one call has walked: cards by id, the vendor's clock if it told it, and whether the walk is over."""

    cards: dict[str, Json] = field(default_factory=dict)
    clock: int = 0
    is_over: bool = False
    is_quick: bool = False


async def walk(page_of: PageOf, here: Walk) -> tuple[Walk, Stretch]:
    """Read some pages down from where the walk stands; returns where it stands then."""
    found = Stretch()
    for _ in range(PAGES_PER_CALL):
        page, limit = window(here.end)
        listed, has_next, answer = await page_of(page, limit, here.since)
        found.clock = max(found.clock, _clock(answer))
        listed = [card for card in listed if isinstance(card.get("id"), int)]
        ids = [str(card["id"]) for card in listed]
        stands = [f"{card['id']}@{seconds(card, 'updated_at')}" for card in listed]
        if here.end == 0:
            top = max((seconds(card, "updated_at") for card in listed), default=here.top)
            here = replace(here, top=top, coming=tuple(stands[:SHARED]), began=found.clock)
        elif listed and here.tail and not set(ids) & set(here.tail) and here.back < MOST_BACK:
            here = replace(here, end=max(here.end - PAGE, 0), tail=(), back=here.back + 1)
            continue
        found.cards |= {str(card["id"]): card for card in listed if seconds(card, "updated_at") >= here.since}
        is_below = bool(listed) and seconds(listed[-1], "updated_at") < here.since
        found.is_quick = 0 < found.clock < here.whole_at + OVERLAP_S and not set(stands).isdisjoint(here.head)
        found.is_over = is_below or not has_next or not listed or found.is_quick
        here = replace(here, end=page * limit, tail=tuple(ids[-SHARED:]))
        if found.is_over:
            break
    return here, found


async def events_since(api: Api, since: int, types: Sequence[str], entity: str) -> list[Json]:
    """Return the events of these types not older than ``since``, newest first as the vendor lists them [3.17]."""
    since, found = max(since, 0), []
    for page in range(1, MOST_EVENT_PAGES + 1):
        events, has_next = await api.events_page(page, since, types, entity)
        found += [event for event in events if seconds(event, "created_at") >= since]
        if not has_next or not events:
            break
    return found


def window(end: int) -> tuple[int, int]:
    """Return page and limit that continue after ``end`` cards, overlapping by ``SHARED`` or a little more."""
    offset = end - SHARED
    if offset <= 0:
        return 1, PAGE
    # A page can only start at a multiple of its size: take the size whose multiple comes nearest.
    before = min(range(-(-offset // PAGE), offset // SMALL_PAGE + 2), key=lambda pages: offset % pages)
    return before + 1, offset // before


def seconds(found: Json, key: str) -> int:
    """Return a time as the vendor tells it; 0 for anything else."""
    value = found.get(key)
    return value if isinstance(value, int) and 0 <= value < 2**33 else 0


def _clock(answer: Answer) -> int:
    try:
        return int(parsedate_to_datetime(answer.headers.get("date", "")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return 0
