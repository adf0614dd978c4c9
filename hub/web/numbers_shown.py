"""What a visitor sees, as the page script is told."""

from collections.abc import Mapping
from typing import Any

from hub.store.arrival import Shown
from hub.store.sites import SiteDoor
from hub.web import page_script
from tracking_core.phone import national
from tracking_core.selective import FromPool, Show, Static


def pools(shows: Mapping[str, Show]) -> tuple[int, ...]:
    """Return the pools a number is asked of."""
    return tuple(show.pool_id for show in shows.values() if isinstance(show, FromPool))


def numbers(site: SiteDoor, shows: Mapping[str, Show], shown: Shown) -> dict[str, dict[str, Any]]:
    """Return the number of each group; a group whose own number stays is not named."""
    told = {}
    for group, show in shows.items():
        if isinstance(show, Static):
            told[group] = _told(show.e164, overflow=False)
        elif isinstance(show, FromPool):
            held = shown.numbers.get(show.pool_id)
            told[group] = _told(held or site.pools[show.pool_id].overflow_number, overflow=held is None)
    return told


def _told(e164: str, *, overflow: bool) -> dict[str, Any]:
    return {"number": e164, "display": national(e164), "overflow": overflow}


def answer(site: SiteDoor, token: str, shown: Shown, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole answer to a page view."""
    return {
        "visitor": token,
        "visit": shown.visit_id,
        "numbers": numbers,
        "hold_s": int(site.hold.total_seconds()) if shown.numbers else 0,
        "hb": page_script.HEARTBEAT_S,
    }
