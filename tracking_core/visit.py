"""When a page view continues a visit, and when it begins a new one (DNI sheet, section 8)."""

from datetime import datetime, timedelta

from tracking_core.source import Source

IDLE = timedelta(minutes=30)


def continues(last_seen: datetime, last: Source, now: datetime, new: Source, idle: timedelta = IDLE) -> bool:
    """Says whether a page view at ``now`` with source ``new`` belongs to the visit seen at ``last_seen``.

    More than ``idle`` of silence or a new campaign in the address begins a new visit. A referrer alone does
    not, nor does a direct or internal view, nor a reload of the landing page.
    """
    if now - last_seen > idle:
        return False
    return not new.is_tagged or new.is_same_campaign(last)
