"""The budget of a sliding second beside a vendor who counts what arrives, however uneven the way there is."""

import heapq
import random
from datetime import datetime, timedelta

from connectors.protocol import Limits
from hub.delivery import budget
from tests.hub.seed import NOW

WINDOW = Limits(50, 7, 7, timedelta(seconds=30), timedelta(seconds=30), window=7)
BACK = timedelta(milliseconds=5)  # an answer needs no longer


def arrivals(slowest_s: float, *, at_once: int, is_counted: bool = True) -> list[datetime]:
    """When 300 requests arrived at the vendor, of which so many are under way at once.

    Without being counted one that is under way is forgotten until it is answered, and then counts from its leaving.
    """
    chance, spent, now, arrived = random.Random(1), list[int](), NOW, list[datetime]()
    under_way = list[tuple[datetime, datetime]]()  # (answered, left)
    while len(arrived) < 300:
        come_back_at, spent = budget.spend(spent, WINDOW, now, len(under_way) if is_counted else 0)
        if come_back_at is None and len(under_way) < at_once:
            arrived.append(now + timedelta(seconds=chance.uniform(0, slowest_s)))
            heapq.heappush(under_way, (arrived[-1] + BACK, now))
        elif under_way and (come_back_at is None or under_way[0][0] <= come_back_at):
            now, left = heapq.heappop(under_way)
            spent = budget.answered(spent, WINDOW, now if is_counted else left)
        elif come_back_at is not None:
            now = come_back_at
    return sorted(arrived)


def busiest_second(arrived: list[datetime]) -> int:
    return max(sum(at <= other < at + timedelta(seconds=1) for other in arrived) for at in arrived)


def test_no_way_there_brings_more_into_a_second_than_the_window_holds() -> None:
    assert busiest_second(arrivals(slowest_s=0.4, at_once=1)) <= 7


def test_nor_do_several_side_by_side() -> None:
    assert busiest_second(arrivals(slowest_s=0.4, at_once=4)) <= 7


def test_without_counting_what_is_under_way_they_would() -> None:
    assert busiest_second(arrivals(slowest_s=0.4, at_once=4, is_counted=False)) > 7


def test_a_vendor_nearby_is_asked_as_often_as_he_allows() -> None:
    arrived = arrivals(slowest_s=0.005, at_once=1)
    assert 300 / (arrived[-1] - arrived[0]).total_seconds() > 6.9


def test_one_far_away_is_asked_oftener_side_by_side() -> None:
    alone, together = (arrivals(slowest_s=0.4, at_once=number)[-1] for number in (1, 4))
    assert together - NOW < 0.9 * (alone - NOW)


def test_with_everything_under_way_one_looks_again_soon() -> None:
    come_back_at, _ = budget.spend([], WINDOW, NOW, under_way=7)
    assert come_back_at is not None
    assert come_back_at - NOW < timedelta(milliseconds=100)


def test_the_next_holder_counts_what_was_under_way_as_arriving_now() -> None:
    kept = budget.stored([], WINDOW, NOW, under_way=7)
    later = NOW + timedelta(seconds=5)
    assert budget.spend(budget.read(kept, WINDOW, later), WINDOW, later)[0] is not None
