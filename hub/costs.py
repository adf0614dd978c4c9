"""What advertising cost: read from a CSV of day, source, campaign, cost and clicks; amounts in minor units."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

COLUMNS = ("day", "source", "campaign", "cost", "clicks")
_MINOR = 100  # of the currencies we meet
_MOST_ROWS = 100_000
_MOST_MINOR, _MOST_CLICKS = 10**15, 2**31 - 1  # what the columns hold


class SpendInvalid(Exception):
    """A spend file says something that is not allowed; the text names the line, the value and what is."""


def read_csv(body: bytes, *, currency: str) -> Sequence[dict[str, Any]]:
    """Read spend rows; cost in major units with a decimal point or comma. ``SpendInvalid`` says what is wrong."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpendInvalid(f"The file is not UTF-8 (byte {error.start}).") from error
    if "\x00" in text:
        raise SpendInvalid(f"Line {text[: text.index(chr(0))].count(chr(10)) + 1}: a NUL character is not allowed.")
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise SpendInvalid(f"Line 1: the column {missing[0]} is missing; the columns are {', '.join(COLUMNS)}.")
    rows = []
    try:
        for row in reader:
            if reader.line_num > _MOST_ROWS:
                raise SpendInvalid(f"More than {_MOST_ROWS} lines: send the file in parts.")
            rows.append(_row(reader.line_num, row, currency))
    except csv.Error as error:
        raise SpendInvalid(f"Line {reader.line_num + 1}: {error}.") from None
    return rows


def _row(line: int, row: dict[str, str], currency: str) -> dict[str, Any]:
    return {
        "day": _day(line, row["day"]),
        "source": (row["source"] or "").strip(),
        "campaign": (row["campaign"] or "").strip(),
        "cost_minor": _cost(line, row["cost"]),
        "clicks": _clicks(line, row["clicks"]),
        "currency": currency,
    }


def _day(line: int, text: str | None) -> date:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise SpendInvalid(f"Line {line}: {text!r} is not a day like 2026-11-20.") from None


def to_minor(amount: Decimal) -> int:
    """Return an amount in minor units; raises ArithmeticError for a negative one, one too large or a part of a unit."""
    if not (amount.is_finite() and 0 <= amount <= _MOST_MINOR):
        raise InvalidOperation
    minor = amount * _MINOR
    if minor != minor.to_integral_value() or minor > _MOST_MINOR:
        raise InvalidOperation
    return int(minor)


def _cost(line: int, text: str | None) -> int:
    try:
        return to_minor(Decimal((text or "").replace("\u00a0", "").replace(" ", "").replace(",", ".")))
    except ArithmeticError:
        raise SpendInvalid(f"Line {line}: {text!r} is not a cost like 1234.50.") from None


def _clicks(line: int, text: str | None) -> int:
    cleaned = (text or "").strip() or "0"
    if not cleaned.isdecimal() or len(cleaned) > 15 or int(cleaned) > _MOST_CLICKS:
        raise SpendInvalid(f"Line {line}: {text!r} is not a whole number of clicks.")
    return int(cleaned)
