"""Who calls again: the source of each call, or of his first one, as the site is set up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import world as worlds
from tests.hub.test_accuracy import MINUTE, call
from tests.hub.test_flow import AD
from tests.hub.world import World


@pytest.fixture(params=["each", "first"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def customer(database_url: str, tmp_path: Path, policy: str) -> Iterator[World]:
    setup = worlds.SETUP.replace("    pools:", f"    repeat_calls: {policy}\n    pools:")
    with worlds.still(database_url, tmp_path, setup) as made:
        yield made


async def test_a_second_call_from_another_visit(customer: World, policy: str) -> None:
    first = await customer.visit(AD)
    await call(customer, first["number"])
    customer.clock.forward(600 * MINUTE)
    second = await customer.visit("https://okna.example/?utm_source=vk&utm_medium=cpc")
    await call(customer, second["number"])
    newest = max((await customer.api("calls"))["calls"], key=lambda one: one["id"])
    assert newest["match"]["visit"] == {"each": second, "first": first}[policy]["visit"]
