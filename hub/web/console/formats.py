"""Numbers, money, shares, moments and phones as a person of one language reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.web.words import Words
from tracking_core.phone import national

NOTHING = "—"
_SPACE = "\u00a0"
_MINUS = "\u2212"
_SIGNS: Mapping[str, str] = {
    "RUB": "₽",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "KZT": "₸",
    "UAH": "₴",
    "TRY": "₺",
}


@dataclass(frozen=True, slots=True)
class Formats:
    """How values look in one language, time zone and currency."""

    words: Words
    zone: str
    currency: str

    @property
    def _russian(self) -> bool:
        return self.words.language == "ru"

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return ``1 234 567`` or ``1,234,567``; a dash for nothing."""
        if value is None:
            return NOTHING
        text = f"{abs(value):,.{digits}f}"
        if self._russian:
            text = text.replace(",", _SPACE).replace(".", ",")
        negative = value < 0 and any(digit in text for digit in "123456789")
        return f"{_MINUS}{text}" if negative else text

    def money(self, minor: int | None) -> str:
        """Return minor units as ``1 234 567,00 ₽`` or ``₽1,234,567.00``."""
        return self._money(minor, 2)

    def money_in(self, minor: int, currency: str) -> str:
        """Return minor units of any currency; a dash where none is named."""
        return replace(self, currency=currency).money(minor) if currency else NOTHING

    def round_money(self, minor: int | None) -> str:
        """Return minor units without their fraction, for charts."""
        return self._money(minor, 0)

    def _money(self, minor: int | None, digits: int) -> str:
        if minor is None:
            return NOTHING
        text = self.number(minor / 100, digits)
        sign = _SIGNS.get(self.currency, self.currency)
        if self._russian:
            return f"{text}{_SPACE}{sign}"
        glue = _SPACE if sign.isalpha() else ""
        return f"{_MINUS}{sign}{glue}{text[1:]}" if text.startswith(_MINUS) else f"{sign}{glue}{text}"

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Return a share as ``12 %`` or ``12%``."""
        if share is None:
            return NOTHING
        return self.number(share * 100, digits) + (f"{_SPACE}%" if self._russian else "%")

    def signed_percent(self, share: float | None) -> str:
        """Return a share with its sign, for a return that may be a loss."""
        text = self.percent(share)
        return f"+{text}" if share is not None and round(share * 100) > 0 else text

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the zone of the site."""
        return moment.astimezone(ZoneInfo(self.zone))

    def day(self, value: date) -> str:
        """Return ``22.11.2026`` or ``22 Nov 2026``."""
        if self._russian:
            return f"{value:%d.%m.%Y}"
        return f"{value.day} {self.words(f'month.{value.month}')} {value.year}"

    def clock(self, moment: datetime, *, seconds: bool = False) -> str:
        """Return the time of day in the zone of the site."""
        return f"{self.local(moment):%H:%M:%S}" if seconds else f"{self.local(moment):%H:%M}"

    def moment(self, moment: datetime | None) -> str:
        """Return day and time in the zone of the site."""
        if moment is None:
            return NOTHING
        return f"{self.day(self.local(moment).date())}, {self.clock(moment)}"

    def beside(self, moment: datetime, other: datetime, *, seconds: bool = False) -> str:
        """Return the time of day, with its day when ``other`` was on another one."""
        clock = self.clock(moment, seconds=seconds)
        day = self.local(moment).date()
        return clock if day == self.local(other).date() else f"{self.day(day)}, {clock}"

    def when(self, moment: datetime, now: datetime) -> str:
        """Return a moment beside now: ``at 14:05`` today, else with its day."""
        if self.local(moment).date() == self.local(now).date():
            return self.words("time.today", clock=self.clock(moment))
        return self.moment(moment)

    def duration(self, seconds: int | None) -> str:
        """Return ``2 мин 05 с``."""
        if seconds is None:
            return NOTHING
        minutes, rest = divmod(max(0, seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return self.words("time.hours", h=hours, m=minutes)
        if minutes:
            return self.words("time.minutes", m=minutes, s=rest)
        return self.words("time.seconds", s=rest)

    def phone(self, e164: str | None) -> str:
        """Return a phone number as a person reads it."""
        return national(e164).replace(" ", _SPACE) if e164 else NOTHING

    def destination(self, told: str | None) -> str:
        """Return where a number rings: a phone as a person reads it, an address or an extension as it is."""
        return told if told and not told.startswith("+") else self.phone(told)
