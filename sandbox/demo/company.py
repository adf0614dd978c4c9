"""A company of the demo as data: its people, its numbers, its site, its ads, and the day they all share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from urllib.parse import urlsplit

from sandbox.demo.sources import Placement, WebSource

ZONE, CURRENCY = "Europe/Moscow", "RUB"
MOSCOW = timezone(timedelta(hours=3))
DAY = date(2026, 11, 20)
OPENS_H, CLOSES_H = 9, 20

VISITORS_PER_NUMBER = 30
VISITORS_PER_FREE_NUMBER = 200  # few pages show it
FEWEST_NUMBERS = 8


class Vendor(StrEnum):
    """Whose CRM a company has, in the connectors' words."""

    AMOCRM = "amocrm"
    BITRIX24 = "bitrix24"

    @property
    def called(self) -> str:
        """What people call it."""
        return {Vendor.AMOCRM: "amoCRM", Vendor.BITRIX24: "Bitrix24"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The phone numbers of a company, E.164; a pool is told by how its numbers begin."""

    office: str  # its own, which its pages show where nothing replaces it
    free: str  # its own toll-free number
    overflow: str
    free_overflow: str
    pool: str
    free_pool: str
    spare: Sequence[str]  # of a site nobody visits today
    spare_overflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company; `stream` keeps its chances apart from the others', `size` is its part of the day that is asked for.

    `forms` is the share of visits that end with a form, `advances` that of won deals with an advance paid before.
    `addresses` begin those of its visitors, and `secret` is what its own telephony signs with.
    """

    key: str
    stream: str
    size: float
    name: str
    owner: str
    crm: Vendor
    site: str
    host: str
    pages: Sequence[str]
    free_pages: Sequence[str]
    spare_site: str
    spare_host: str
    staff: Sequence[str]
    staff_mobiles: Sequence[str]
    office_network: str
    office_address: str
    addresses: str
    numbers: Numbers
    web: Sequence[WebSource]
    placements: Sequence[Placement]
    scenario: str
    mango: tuple[str, str]  # key and salt
    secret: bytes
    forms: float = 0.0
    advances: float = 0.0

    @property
    def origin(self) -> str:
        """Where its pages are."""
        return f"https://{self.host}"

    def numbers_on(self, url: str) -> Sequence[str]:
        """Returns the company's own numbers in the text of a page, the foremost first."""
        both = (self.numbers.free, self.numbers.office)
        return both if urlsplit(url).path in self.free_pages else both[1:]

    def source_named(self, key: str) -> WebSource:
        """Returns the source with this key."""
        return next(source for source in self.web if source.key == key)

    def pool_for(self, visits: int) -> Sequence[str]:
        """Returns the numbers of the pool a day of so many visits needs, with now and then none left."""
        return _pool(self.numbers.pool, visits / VISITORS_PER_NUMBER)

    def free_pool_for(self, visits: int) -> Sequence[str]:
        """Returns the toll-free numbers such a day needs."""
        return _pool(self.numbers.free_pool, visits / VISITORS_PER_FREE_NUMBER)


def _pool(begin: str, wanted: float) -> Sequence[str]:
    size = max(FEWEST_NUMBERS, math.ceil(wanted))
    return tuple(f"{begin}{place:04d}" for place in range(1_000, 1_000 + size))


def opening_hours() -> tuple[float, float]:
    """Returns when the day opens and closes, in epoch seconds."""
    opens = datetime(DAY.year, DAY.month, DAY.day, OPENS_H, tzinfo=MOSCOW).astimezone(UTC).timestamp()
    return opens, opens + (CLOSES_H - OPENS_H) * 3_600


def wall_time(moment: float) -> str:
    """Returns what the clock on the office wall shows, like 14:35."""
    return f"{datetime.fromtimestamp(moment, MOSCOW):%H:%M}"
