"""The company of the demo: its name, its people, its opening hours and its phone numbers."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

TENANT = "Окна Ромашка"
OWNER = "owner@okna-romashka.example"
ZONE, CURRENCY = "Europe/Moscow", "RUB"
MOSCOW = timezone(timedelta(hours=3))
DAY = date(2026, 11, 20)
OPENS_H, CLOSES_H = 9, 20

STAFF = ("101", "102", "103", "104")
STAFF_MOBILES = ("+79035550101", "+79035550102")
OFFICE = "+74951110000"  # the company's own, which its pages show where nothing replaces it
FREE = "+78005550199"  # its own toll-free number
OVERFLOW, FREE_OVERFLOW = "+74951400099", "+78001400099"
OFFICE_NETWORK, OFFICE_ADDRESS = "203.0.113.0/24", "203.0.113.7"
SPARE_SITE, SPARE_HOST = "Дачные окна", "dacha-okna.example"
SPARE_NUMBERS = tuple(f"+749516000{place:02d}" for place in range(1, 5))  # of a site nobody visits today
SPARE_OVERFLOW = "+74951600099"

VISITORS_PER_NUMBER = 30
VISITORS_PER_FREE_NUMBER = 200  # few pages show it
FEWEST_NUMBERS = 8


def pool_for(visits: int) -> Sequence[str]:
    """Returns the numbers of the pool a day of so many visits needs, with now and then none left."""
    size = max(FEWEST_NUMBERS, math.ceil(visits / VISITORS_PER_NUMBER))
    return tuple(f"+7495140{place:04d}" for place in range(1_000, 1_000 + size))


def free_pool_for(visits: int) -> Sequence[str]:
    """Returns the toll-free numbers such a day needs."""
    size = max(FEWEST_NUMBERS, math.ceil(visits / VISITORS_PER_FREE_NUMBER))
    return tuple(f"+7800140{place:04d}" for place in range(1_000, 1_000 + size))


def opening_hours() -> tuple[float, float]:
    """Returns when the day opens and closes, in epoch seconds."""
    opens = datetime(DAY.year, DAY.month, DAY.day, OPENS_H, tzinfo=MOSCOW).astimezone(UTC).timestamp()
    return opens, opens + (CLOSES_H - OPENS_H) * 3_600


def wall_time(moment: float) -> str:
    """Returns what the clock on the office wall shows, like 14:35."""
    return f"{datetime.fromtimestamp(moment, MOSCOW):%H:%M}"
