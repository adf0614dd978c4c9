"""The company of a form: found or made once, of the deal and of the contact."""

import json
from typing import Any

import pytest

from connectors.amocrm.api import Api
from tests.hub import world as worlds
from tests.hub.test_contact_index import as_person
from tests.hub.test_moving import dial
from tests.hub.world import World

SCENARIO = """
  amocrm: |
    form:
      unknown: [deal: {name: "Заявка: {person}", company: "{company}"}]
      no_open_deal: [deal: {name: "Заявка: {person}", company: "{company}"}]
"""
LOST = {"rates": {"504_after_commit": 1}, "only": {"method": "POST", "path": "leads/complex"}}
NEVER = {"rates": {"504_after_commit": 0}}


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def form(world: World, number: int, **more: Any) -> None:
    told = {"kind": "form", "id": f"f{number}", "phone": f"+7916000000{number}", "name": "Анна", **more}
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    answer = await world.web.post("/api/v1/enquiries", content=json.dumps(told), headers=headers)
    assert answer.status_code == 200, answer.text


def links(card: dict[str, Any], kind: str) -> list[int]:
    return [one["id"] for one in card["links"].get(kind, [])]


async def test_people_of_one_company_share_it(connected: World) -> None:
    await form(connected, 1, company="ООО Ромашка")
    await form(connected, 2, company="ООО «Ромашка»")
    await form(connected, 3, company="ооо  ромашка")
    await form(connected, 4)
    await connected.delivered(4)
    state = await connected.state()
    (company,) = state["companies"]
    assert sum(company["id"] in links(deal, "companies") for deal in state["leads"]) == 3
    assert sum(company["id"] in links(contact, "companies") for contact in state["contacts"]) == 3
    assert sum(not links(deal, "companies") for deal in state["leads"]) == 1


async def test_a_contact_that_is_there_comes_to_the_company_that_is_there(connected: World) -> None:
    made = await as_person(connected, "POST", "companies", [{"name": "ООО Ромашка"}])
    field = {"field_code": "PHONE", "values": [{"value": "8 (916) 000-00-01", "enum_code": "WORK"}]}
    await as_person(connected, "POST", "contacts", [{"name": "Анна", "custom_fields_values": [field]}])
    await form(connected, 1, company="ООО Ромашка")
    await connected.delivered(1)
    state = await connected.state()
    assert len(state["companies"]) == len(state["contacts"]) == 1
    assert links(state["contacts"][0], "companies") == [made["_embedded"]["companies"][0]["id"]]


async def lose_answer(world: World) -> dict[str, Any]:
    """Lose the answer to the request that makes deal, contact and company; return what is there in the end."""
    await dial(world, **LOST)
    await form(world, 1, company="ООО Ромашка")
    await world.until(lambda status: status["deliveries"].get("ready", 0) == 1 and not status["inbox"])
    await world.until_held("leads")
    await dial(world, **NEVER)
    await world.delivered(1)
    return await world.state()


async def test_after_a_lost_answer_nothing_is_made_twice(connected: World) -> None:
    state = await lose_answer(connected)
    assert (len(state["companies"]), len(state["contacts"]), len(state["leads"])) == (1, 1, 1)


async def test_without_the_list_of_the_newest_a_lagging_search_would_make_it_twice(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_api: Api) -> tuple[list[Any], bool]:
        return [], True

    monkeypatch.setattr(Api, "newest_companies", nothing)
    await dial(connected, search_lag=600)
    for number in (1, 2):
        await form(connected, number, company="ООО Ромашка")
        await connected.delivered(number)
    assert len((await connected.state())["companies"]) == 2


async def test_a_lagging_search_makes_it_once(connected: World) -> None:
    await dial(connected, search_lag=600)
    for number in (1, 2):
        await form(connected, number, company="ООО Ромашка")
        await connected.delivered(number)
    assert len((await connected.state())["companies"]) == 1
