"""Moments as the portal writes and reads them: epoch seconds inside, ISO-8601 with its own offset outside."""

from datetime import UTC, date, datetime, timedelta, timezone


def moment_text(moment: float, offset: int) -> str:
    """Returns `2026-05-28T20:26:40+03:00`; `offset` is the server's, in minutes."""
    zone = timezone(timedelta(minutes=offset))
    return datetime.fromtimestamp(int(moment), zone).isoformat(timespec="seconds")


def date_text(day: str, offset: int) -> str:
    """Returns a date as a moment: midnight of UTC told in the server's offset, as the portal does."""
    return moment_text(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp(), offset)


def day_of(moment: float, offset: int, later: int = 0) -> str:
    """Returns the date of a moment in the server's offset, `later` days on."""
    zone = timezone(timedelta(minutes=offset))
    return (datetime.fromtimestamp(moment, zone) + timedelta(days=later)).date().isoformat()


def read_moment(text: object, offset: int) -> int | None:
    """Returns epoch seconds of an ISO-8601 text (without an offset: the server's), or None."""
    try:
        found = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    zone = timezone(timedelta(minutes=offset))
    return int((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())


def read_day(text: object) -> str | None:
    """Returns the date part of an ISO-8601 text, or None."""
    try:
        return datetime.fromisoformat(str(text).strip()).date().isoformat()
    except ValueError:
        return None
