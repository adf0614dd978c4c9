"""How many cards one request makes: ten at first, then as many as this portal makes in a quarter of its minute [2.4].

The portal's own automation runs on each new card, so what is safe differs between portals: fifty cards in a request are
reported to meet the cut-off of 60 s on some. Each answer tells how long its request took [2.3]; one that does not, or
that is lost, never makes the next one larger.
"""

from dataclasses import dataclass

FIRST = 10  # cards that everybody is advised to keep to who knows nothing of a portal [2.4, 9]
_ENOUGH_S = 15.0  # of the 60 s after which the outcome is unknown
_GROWTH = 2  # times, from one answer to the next


@dataclass(slots=True)
class Pace:
    """What one opened portal has shown of itself."""

    cards: int = FIRST

    def took(self, cards: int, seconds: float) -> None:
        """Note that a request with so many new cards took so long; 0 s where the portal does not say."""
        if cards and seconds > 0:
            shown = max(self.cards, cards * _GROWTH)  # a request with a few cards says nothing of one with many
            self.cards = max(1, min(int(_ENOUGH_S * cards / seconds), shown))

    def lost(self) -> None:
        """Note that an answer did not come: the portal may be at its cut-off."""
        self.cards = max(1, min(self.cards, FIRST) // _GROWTH)
