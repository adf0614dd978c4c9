"""How many cards one request makes follows from how long the portal took over the last ones."""

import httpx

from connectors.bitrix24.pace import FIRST, Pace
from tests.connectors.bitrix24.test_deliver import several


def after(*answers):
    pace = Pace()
    for cards, seconds in answers:
        pace.took(cards, seconds)
    return pace.cards


def test_it_begins_as_is_advised_for_a_portal_nobody_knows():
    assert Pace().cards == FIRST == 10


def test_a_quick_portal_is_given_twice_as_many_each_time():
    assert after((10, 1.0)) == 20
    assert after((10, 1.0), (20, 2.0)) == 40


def test_as_many_are_made_as_take_a_quarter_of_the_cut_off():
    assert after((10, 12.0)) == 12


def test_a_slow_portal_is_given_fewer():
    assert after((10, 50.0)) == 3


def test_one_card_is_made_however_slow():
    assert after((10, 600.0)) == 1


def test_a_request_with_few_cards_says_nothing_of_one_with_many():
    assert after((2, 0.2)) == 10


def test_a_portal_that_does_not_say_how_long_it_took_stays_at_ten():
    assert after((10, 0.0)) == 10


def test_a_request_that_made_none_says_nothing():
    assert after((0, 5.0)) == 10


def test_after_a_lost_answer_there_are_fewer():
    pace = Pace(40)
    pace.lost()
    assert pace.cards == 5


async def test_a_quick_portal_makes_fifty_callers_with_six_requests(session, portal):
    portal.took = 0.5
    await session.deliver(several(50))
    assert sizes_of(portal) == [10, 20, 20, 20, 20, 10]


async def test_a_slow_portal_is_asked_for_few_cards_at_once(session, portal):
    portal.took = 30.0
    await session.deliver(several(10))
    assert sizes_of(portal) == [10, 4, 2, 2, 2]


async def test_what_was_learnt_holds_for_the_next_batch(session, portal):
    portal.took = 30.0
    await session.deliver(several(5))
    await session.deliver(several(5))
    assert sizes_of(portal) == [10, 4, 2, 2, 2]


async def test_a_lost_answer_makes_the_next_request_smaller(session, portal):
    portal.instead(1, httpx.ReadTimeout("slow"))
    await session.deliver(several(10))
    assert sizes_of(portal)[:2] == [10, 4]


def sizes_of(portal):
    """How many cards each request made that made any."""
    made = [sum(one.method == "crm.item.add" for one in batch) for batch in portal.batches]
    return [number for number in made if number]
