"""Robots and floods: who gets no number of his own, and whom a door asks to wait."""

import time
from collections import Counter
from functools import lru_cache

from crawlerdetect import CrawlerDetect


class Rates:
    """Counts the views of each address within a minute; a dictionary, since this is asked at every view."""

    def __init__(self, most: int) -> None:
        self._most, self._minute = most, 0
        self._views: Counter[str] = Counter()

    def hit(self, address: str) -> bool:
        """Count one more view; False when the address has had its share of this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._views = minute, Counter()
        self._views[address] += 1
        return self._views[address] <= self._most


@lru_cache(maxsize=4_096)
def is_bot(agent: str) -> bool:
    """Say whether a User-Agent is a robot's; an empty one is (dni sheet, section 12)."""
    return not agent or bool(CrawlerDetect(user_agent=agent).isCrawler(agent))
