"""Their amounts -> ours: whole minor units, whatever was told."""

from decimal import Decimal, InvalidOperation


def minor(told: object) -> int:
    """Return an amount in hundredths of its currency; 0 for nothing, for text, and for what no price can be."""
    try:
        units = Decimal(str(told or 0))
    except InvalidOperation:
        return 0
    return round(units * 100) if units.is_finite() and abs(units) < 10**15 else 0
