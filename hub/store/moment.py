"""Column types both engines share: a moment as integer microseconds, and identifiers of 64 bits."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Identifier = BigInteger().with_variant(Integer, "sqlite")


def to_micros(moment: datetime) -> int:
    """Return an aware moment as microseconds since the epoch; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {moment!r}")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return microseconds since the epoch as an aware UTC moment."""
    return _EPOCH + micros * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment, stored as a 64-bit integer so that both engines compare and add it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)
