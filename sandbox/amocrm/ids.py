"""Identifiers as amoCRM gives them: growing numbers that differ per account, hex uids and ULIDs."""

import random

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]


class IdWell:
    """Gives growing ids per kind of thing; the same seed gives the same ids."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"ids {seed}")
        self._last: dict[str, int] = {}

    def start(self, kind: str, near: int) -> None:
        """Makes the ids of `kind` begin a little above `near`, differently in each account."""
        self._last[kind] = near + self._random.randrange(90_000)

    def next(self, kind: str) -> int:
        """Returns the next id of `kind`; ids have gaps, as they do between tenants of one database."""
        self._last[kind] = self._last.get(kind, 1_000) + self._random.randint(1, 5)
        return self._last[kind]

    def hex(self, length: int) -> str:
        """Returns a hex string of `length` characters."""
        return f"{self._random.getrandbits(length * 4):0{length}x}"

    def uuid(self) -> str:
        """Returns a UUID-shaped string."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def code(self, length: int) -> str:
        """Returns an opaque OAuth-like string that starts like amoCRM's do."""
        return "def502" + self.hex(length - 6)


def ulid(moment: float, serial: int) -> str:
    """Returns a lower-case ULID: milliseconds, then a serial that keeps ids of one moment in order."""
    number = (int(moment * 1000) << 80) | (0xA5A5 << 64) | serial
    pairs = []
    for _ in range(13):
        number, pair = divmod(number, 1024)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))
