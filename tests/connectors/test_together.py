"""Requests of one batch side by side: a few at once, and after a trouble no more."""

import asyncio
from functools import partial

import pytest

from connectors.together import AT_ONCE, side_by_side


class Desk:
    """Answers when it is told to; remembers what was asked and what was answered."""

    def __init__(self):
        self.asked, self.answered, self.open = [], [], asyncio.Event()

    async def ask(self, number):
        self.asked.append(number)
        if number == 0:
            await asyncio.sleep(0)
            raise LookupError(number)
        await self.open.wait()
        self.answered.append(number)


@pytest.fixture
async def desk():
    return Desk()


async def test_a_few_are_under_way_at_once(desk):
    asking = asyncio.create_task(side_by_side(partial(desk.ask, number) for number in range(1, 10)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(desk.asked) == AT_ONCE
    desk.open.set()
    await asking
    assert sorted(desk.answered) == list(range(1, 10))


async def test_after_a_trouble_nothing_more_is_asked_and_what_is_under_way_is_answered(desk):
    asking = asyncio.create_task(side_by_side(partial(desk.ask, number) for number in range(10)))
    for _ in range(5):
        await asyncio.sleep(0)
    desk.open.set()
    with pytest.raises(LookupError):
        await asking
    assert desk.asked == list(range(AT_ONCE))
    assert sorted(desk.answered) == list(range(1, AT_ONCE))
