"""The budget of a sliding second beside a vendor who counts what arrives, however uneven the way there is."""

import random
from datetime import datetime, timedelta

from connectors.protocol import Limits
from hub.delivery import budget
from tests.hub.seed import NOW

WINDOW = Limits(50, 7, 7, timedelta(seconds=30), timedelta(seconds=30), window=7)


def arrivals(slowest_s: float, *, counts_from_the_answer: bool = True) -> list[datetime]:
    """When 300 requests, each sent once the one before is answered, arrived at the vendor."""
    chance, spent, now, arrived = random.Random(1), list[int](), NOW, list[datetime]()
    for _ in range(300):
        asked = now if counts_from_the_answer else NOW
        come_back_at, spent = budget.spend(spent, WINDOW, asked, now)
        while come_back_at is not None:
            now = come_back_at
            come_back_at, spent = budget.spend(spent, WINDOW, asked, now)
        way_there = timedelta(seconds=chance.uniform(0, slowest_s))
        arrived.append(now + way_there)
        now += way_there + timedelta(milliseconds=5)
    return arrived


def busiest_second(arrived: list[datetime]) -> int:
    return max(sum(at <= other < at + timedelta(seconds=1) for other in arrived) for at in arrived)


def test_no_way_there_brings_more_into_a_second_than_the_window_holds() -> None:
    assert busiest_second(arrivals(slowest_s=0.4)) <= 7


def test_without_counting_from_the_answer_it_would() -> None:
    assert busiest_second(arrivals(slowest_s=0.4, counts_from_the_answer=False)) > 7


def test_a_vendor_nearby_is_asked_as_often_as_he_allows() -> None:
    arrived = arrivals(slowest_s=0.005)
    assert 300 / (arrived[-1] - arrived[0]).total_seconds() > 6.9
