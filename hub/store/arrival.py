"""A page view on its way into the store, and how a source lies in the columns of a visit."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracking_core.habits import Habits
from tracking_core.source import Channel, Source

OF_PAGE = "p"  # begins the token of who did not consent: known while his page lives, and never taken for a visitor's
PoolsFor = Callable[[Source, str | None], Sequence[int]]  # by source and region


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page view that asks which numbers to show.

    ``pools`` says which pools a visit with a given source and region gets a number of: the visit's own, which may be
    older than this page's. It is asked while the transaction is open, so it must be pure; none for a robot, a flood,
    the office. ``habits`` are the site's where regions are known and count in the choice of a number.
    """

    tenant_id: int
    site_id: int
    pools: PoolsFor
    token: str
    source: Source
    now: datetime
    hold: timedelta
    is_new: bool = False  # the token was made for this request: nobody can be known by it
    region: str | None = None  # of the address; a visit keeps the one it began with
    habits: Habits | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor sees: his visit, its source and region, and the number he holds of each pool that had one free."""

    visit_id: int
    source: Source
    region: str | None
    numbers: Mapping[int, str]


def source_columns(source: Source) -> dict[str, str]:
    return {
        "channel": source.channel.value,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign,
        "content": source.content,
        "term": source.term,
        "click_ids": json.dumps(source.click_ids, ensure_ascii=False),
        "referrer_host": source.referrer_host,
        "landing": source.landing,
    }


def last_source(columns: Sequence[Any]) -> Source:
    """Return the source as the columns of a visit from ``channel`` to ``landing`` say it."""
    channel, source, medium, campaign, content, term, click_ids, referrer_host, landing = columns
    return source_of(
        {
            "channel": channel,
            "source": source,
            "medium": medium,
            "campaign": campaign,
            "content": content,
            "term": term,
            "click_ids": click_ids,
            "referrer_host": referrer_host,
            "landing": landing,
        }
    )


def source_of_placement(source: str, campaign: str) -> Source:
    """Return the source of whoever dialled the number of a placement."""
    return Source(channel=Channel.OFFLINE, source=source, medium="offline", campaign=campaign)


def source_of(row: Mapping[str, Any]) -> Source:
    """Return the source a visit row carries."""
    return Source(
        channel=Channel(row["channel"]),
        source=row["source"],
        medium=row["medium"],
        campaign=row["campaign"],
        content=row["content"],
        term=row["term"],
        click_ids=tuple((name, given) for name, given in json.loads(row["click_ids"])),
        referrer_host=row.get("referrer_host", ""),
        landing=row.get("landing", ""),
    )
