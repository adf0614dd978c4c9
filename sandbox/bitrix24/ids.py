"""Identifiers as a portal gives them: small growing numbers per kind, hex keys, all decided by the seed."""

import random


class IdWell:
    """Gives growing ids per kind of thing; the same seed gives the same ids."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"bitrix24 {seed}")
        self._last: dict[str, int] = {}

    def start(self, kind: str, near: int) -> None:
        """Makes the ids of `kind` begin a little above `near`, differently in each portal."""
        self._last[kind] = near + self._random.randrange(90)

    def next(self, kind: str) -> int:
        """Returns the next id of `kind`."""
        self._last[kind] = self._last.get(kind, 0) + self._random.randint(1, 2)
        return self._last[kind]

    def hex(self, length: int) -> str:
        """Returns a hex string of `length` characters."""
        return f"{self._random.getrandbits(length * 4):0{length}x}"

    def digits(self, length: int) -> str:
        """Returns `length` digits as text."""
        return str(self._random.randrange(10 ** (length - 1), 10**length))
