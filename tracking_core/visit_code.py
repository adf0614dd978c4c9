"""A visit's short code: what an e-mail address or a messenger's link carries, and nobody can make up.

Crockford's base32 in lower case, read in any case with look-alikes forgiven: the id of the visit in at least 4 digits,
then 6 digits of a keyed check (30 bits). 10 characters up to a million visits, 14 up to 10 ** 12. There is no table.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_READ = {**{digit: value for value, digit in enumerate(_DIGITS)}, "o": 0, "i": 1, "l": 1}
_SHORTEST_ID, _CHECK = 4, 6  # digits of 5 bits
_LONGEST = 14
_LIKE_A_CODE = re.compile(rf"(?<![0-9a-z])[0-9a-tv-z]{{{_SHORTEST_ID + _CHECK},{_LONGEST}}}(?![0-9a-z])")
_MOST_READ = 20_000  # characters of a text that is searched


def code_of(visit_id: int, key: bytes) -> str:
    """Return the code of a visit; ``key`` is the customer's own."""
    digits = ""
    rest = visit_id
    while rest or len(digits) < _SHORTEST_ID:
        digits = _DIGITS[rest & 31] + digits
        rest >>= 5
    return digits + _check(visit_id, key)


def visit_of(code: str, key: bytes) -> int | None:
    """Return the visit a code names; None for one that is not of our making."""
    code = code.lower()
    if not _LIKE_A_CODE.fullmatch(code):
        return None
    visit_id = 0
    for digit in code[:-_CHECK]:
        visit_id = visit_id * 32 + _READ[digit]
    tidy = "".join(_DIGITS[_READ[digit]] for digit in code)
    # One visit has one code: leading zeros beyond the shortest are nobody's.
    return visit_id if visit_id and hmac.compare_digest(code_of(visit_id, key), tidy) else None


def codes_in(text: str) -> Iterator[str]:
    """Yield whatever in a text may be a code, in its order; only ``visit_of`` says whether it is one."""
    for found in _LIKE_A_CODE.finditer(text[:_MOST_READ].lower()):
        yield found[0]


def _check(visit_id: int, key: bytes) -> str:
    number = int.from_bytes(hmac.digest(key, b"visit:%d" % visit_id, hashlib.sha256)[:8], "big")
    return "".join(_DIGITS[number >> 5 * place & 31] for place in range(_CHECK))
