"""Any spelling of a phone number -> E.164, and back to what a person reads.

Facts: telephony sheet, section 12 (what ``phonenumbers`` does and where it must be helped).
"""

import re
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

LONGEST_SPELLING = 120  # characters; longer text is not a phone number
_REMEMBERED = 16_384
_FEWEST_AFTER_AREA = 6  # with fewer digits left, showing the area would show most of the number

_ANONYMOUS = frozenset(
    {
        "",
        "-1",
        "0",
        "<unknown>",
        "anonymous",
        "private",
        "restricted",
        "unavailable",
        "unknown",
        "withheld",
        "скрыт",
    }
)
_SIP_USER = re.compile(r"sips?:([^@;>]*)", re.IGNORECASE)
_EXTENSION_WORDS = re.compile(r"[\s,;(]*(?:добавочный|внутр|вн)[\s.:№#]*\d{1,7}\W*$", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"\D")
# 8-800-555-35-35 with a plus put before it: the trunk 8 was taken for a country code.
_TRUNK_AS_COUNTRY = re.compile(r"\+8([3489]\d{9})")


def to_e164(raw: str | None, region: str = "RU") -> str | None:
    """Returns the E.164 form of a number spelt in any way, or None for what is not a valid number.

    ``region`` (ISO 3166) reads numbers without a country code. Extensions are dropped; ``tel:`` and ``sip:``
    forms are understood; short internal numbers, anonymous tokens and two numbers in one text give None.
    Never raises.
    """
    if raw is None or len(raw) > LONGEST_SPELLING:
        return None
    return _to_e164(raw, region)


def is_anonymous(raw: str | None) -> bool:
    """Says whether telephony hid the caller: nothing at all, or one of the tokens of sheet section 12."""
    if raw is None:
        return True
    user = _SIP_USER.search(raw) if len(raw) <= LONGEST_SPELLING else None
    return (user.group(1) if user else raw).strip().lower() in _ANONYMOUS


def national(e164: str) -> str:
    """Returns the form a person reads: ``+7 495 123-45-67``, ``8 800 555-35-35`` for Russian toll-free."""
    return _readable(e164) if len(e164) <= LONGEST_SPELLING else e164


def masked(e164: str) -> str:
    """Returns the readable form with all but the country, the area and the last two digits hidden.

    ``+74951234567`` -> ``+7 495 ***-**-67``.
    """
    readable = national(e164)
    country, *rest = re.split(r"(?<=\d)(?=\D)", readable, maxsplit=2)
    if len(rest) == 2 and _digits(rest[1]) >= _FEWEST_AFTER_AREA:
        return country + rest[0] + _starred(rest[1])
    return country + _starred("".join(rest)) if rest else _starred(readable)


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


def _starred(text: str) -> str:
    return re.sub(r"\d(?=\D*\d\D*\d)", "*", text)


@lru_cache(maxsize=_REMEMBERED)
def _to_e164(raw: str, region: str) -> str | None:
    if is_anonymous(raw):
        return None
    number = _parsed(_without_wrapping(raw), region)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else None


def _without_wrapping(raw: str) -> str:
    sip = _SIP_USER.search(raw)
    text = unquote(sip.group(1)) if sip else raw
    text = _EXTENSION_WORDS.sub("", text.strip())
    digits = _NOT_DIGITS.sub("", text)
    if text.isascii() and text.isdigit() and len(digits) == 11 and digits.startswith("7"):
        return f"+{digits}"
    return text


def _parsed(text: str, region: str) -> PhoneNumber | None:
    number = _valid(text, region)
    if number is not None:
        return number
    repaired = _TRUNK_AS_COUNTRY.fullmatch("+" + _NOT_DIGITS.sub("", text)) if "+" in text else None
    return _valid(f"+7{repaired.group(1)}", region) if repaired else None


def _valid(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    # "Possible" is not enough: 74951234567890 is possible and nobody's number.
    return number if phonenumbers.is_valid_number(number) else None


@lru_cache(maxsize=_REMEMBERED)
def _readable(e164: str) -> str:
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    if number.country_code == 7 and phonenumbers.number_type(number) == PhoneNumberType.TOLL_FREE:
        significant = phonenumbers.national_significant_number(number)
        return f"8 {significant[:3]} {significant[3:6]}-{significant[6:8]}-{significant[8:]}"
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
