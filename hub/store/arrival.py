"""A page view on its way into the store, and how a source lies in the columns of a visit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracking_core.source import Channel, Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page view that asks which number to show; ``pool_id`` None (a bot, a flood) gets the overflow number."""

    tenant_id: int
    site_id: int
    pool_id: int | None
    token: str
    source: Source
    now: datetime
    hold: timedelta
    is_new: bool = False  # the token was made for this request: nobody can be known by it


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor sees: the pool number he holds until ``held_until``, or nothing (then the overflow number)."""

    visit_id: int
    number: str | None


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
    """Return the source as the columns of a visit from ``channel`` to ``click_ids`` say it."""
    channel, source, medium, campaign, content, term, click_ids = columns
    return source_of(
        {
            "channel": channel,
            "source": source,
            "medium": medium,
            "campaign": campaign,
            "content": content,
            "term": term,
            "click_ids": click_ids,
        }
    )


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
