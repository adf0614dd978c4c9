"""An enquiry moves the open deal to the stage of the scenario, once, whatever becomes of the answer."""

from typing import Any

import pytest

from connectors.amocrm.api import Api
from tests.hub import world as worlds
from tests.hub.test_contact_index import as_person
from tests.hub.world import World

IVAN, NUMBER = "+79161234567", "+74951110001"
SCENARIO = """
  amocrm: |
    ended:
      unknown: [deal, note: "Звонок"]
      open_deal:
        - note: "Ещё звонок"
        - move: {stage: Принимают решение}
"""
LOST = {"rates": {"504_after_commit": 1}, "only": {"method": "PATCH", "path": "leads"}}
NEVER = {"rates": {"504_after_commit": 0}}


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


@pytest.fixture
async def has_deal(connected: World) -> World:
    """A customer whose caller has an open deal at the first stage."""
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.delivered(1)
    return connected


async def stages(world: World) -> dict[str, int]:
    """Return the stages of the main pipeline by name."""
    bearer = {
        "authorization": f"Bearer {(await world.crm_web.post('/_sandbox/token', json={})).json()['access_token']}"
    }
    found = (await world.crm_web.get("/api/v4/leads/pipelines", headers=bearer)).json()["_embedded"]["pipelines"][0]
    return {stage["name"]: stage["id"] for stage in found["_embedded"]["statuses"]} | {"pipeline": found["id"]}


async def dial(world: World, **knobs: Any) -> None:
    (await world.crm_web.post("/_sandbox/dial", json=knobs)).raise_for_status()


async def put(world: World, stage: str) -> None:
    """Move the deal as a person does."""
    (deal,) = (await world.state())["leads"]
    await as_person(world, "PATCH", "leads", [{"id": deal["id"], "status_id": (await stages(world))[stage]}])


async def at(world: World) -> str:
    """Return the stage at which the deal stands."""
    (deal,) = (await world.state())["leads"]
    return next(name for name, id_ in (await stages(world)).items() if id_ == deal["status_id"])


async def call_again(world: World) -> dict[str, Any]:
    """Let him call once more; return what his delivery came to."""
    await world.mango_call("c2", IVAN, NUMBER, talk_s=30)
    await world.delivered(2)
    newest = max((await world.api("calls"))["calls"], key=lambda one: one["id"])
    told: dict[str, Any] = newest["deliveries"][0]
    return told


async def moves_asked(world: World) -> int:
    rows = (await world.crm_web.get("/_sandbox/ledger")).json()["rows"]
    return sum(row["method"] == "PATCH" and row["path"].endswith("/leads") for row in rows)


async def notes(world: World) -> int:
    return sum("Ещё звонок" in str(note["params"]) for note in (await world.state())["notes"])


async def test_another_call_moves_the_deal_forward(has_deal: World) -> None:
    await call_again(has_deal)
    assert await at(has_deal) == "Принимают решение"
    assert await notes(has_deal) == 1


async def test_a_deal_that_is_further_on_stays(has_deal: World) -> None:
    await put(has_deal, "Согласование договора")
    before = await moves_asked(has_deal)
    await call_again(has_deal)
    assert await at(has_deal) == "Согласование договора"
    assert await moves_asked(has_deal) == before


async def test_a_deleted_stage_leaves_the_deal_and_says_so(has_deal: World) -> None:
    at_hand = await stages(has_deal)
    dropped = {"id": at_hand["pipeline"], "delete_stage": at_hand["Принимают решение"]}
    (await has_deal.crm_web.post("/_sandbox/pipeline", json=dropped)).raise_for_status()
    told = await call_again(has_deal)
    assert await at(has_deal) == "Первичный контакт"
    assert await notes(has_deal) == 1
    assert told["sentence"].startswith("The deal stays at its stage")


async def moved_back_after_a_lost_answer(world: World) -> None:
    """The deal is moved, the answer is lost, and before the hub looks again somebody moves the deal back."""
    await dial(world, **LOST)
    await world.mango_call("c2", IVAN, NUMBER, talk_s=30)
    for _ in range(200):
        if await at(world) == "Принимают решение":
            break
        await world.until(lambda status: True)
        world.clock.forward(0.2)
    await dial(world, **NEVER)
    await put(world, "Первичный контакт")
    await world.delivered(2)


async def test_after_a_lost_answer_it_is_not_moved_again(has_deal: World) -> None:
    await moved_back_after_a_lost_answer(has_deal)
    assert await at(has_deal) == "Первичный контакт"
    assert await notes(has_deal) == 1


async def test_without_a_look_at_the_history_it_would_be(has_deal: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_asked: object) -> list[Any]:
        return []

    monkeypatch.setattr(Api, "arrivals", nothing)
    await moved_back_after_a_lost_answer(has_deal)
    assert await at(has_deal) == "Принимают решение"
