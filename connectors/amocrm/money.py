"""Their amounts -> ours: whole minor units, whatever was told."""

from decimal import Decimal, InvalidOperation

_NOTHING = Decimal(0)


def number(value: object) -> Decimal:
    """Return a number as it was told; 0 for nothing, for text, and for what no price can be."""
    try:
        told = Decimal(str(value or 0))
    except InvalidOperation:
        return _NOTHING
    return told if told.is_finite() and abs(told) < 10**15 else _NOTHING


def minor(units: Decimal) -> int:
    """Return an amount in hundredths of the currency."""
    return round(units * 100)
