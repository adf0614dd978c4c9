"""New callers are shared out in turn, who is known stays with his manager, and nobody is passed over."""

import pytest

from tests.hub import world as worlds
from tests.hub.test_popups import tell
from tests.hub.world import World

SCENARIO = """
  amocrm: |
    people: {"101": Мария Менеджер, "103": Пётр Продавцов}
    missed:
      unknown:
        - deal: {responsible: [answerer, {turns: [Мария Менеджер, Пётр Продавцов]}]}
      open_deal:
        - task: {text: "Call back", due_minutes: 15, responsible: deal_owner}
    ended:
      unknown:
        - deal: {responsible: [answerer, {turns: [Мария Менеджер, Пётр Продавцов]}]}
"""


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by(SCENARIO)


async def called(world: World, number: int, *, caller: int | None = None, **told: object) -> None:
    """Let somebody call, and wait until the CRM has it."""
    phone = f"+7916123450{caller or number}"
    await tell(world, "ended", f"m{number}", call_id=f"g{number}", caller=phone, **{"status": "missed", **told})
    await world.delivered(number)


async def owners(world: World) -> list[int]:
    """Return whose the deals are, in the order in which they were made."""
    return [lead["responsible_user_id"] for lead in (await world.state())["leads"]]


async def test_new_callers_are_given_to_one_after_the_other(connected: World) -> None:
    for number in (1, 2, 3):
        await called(connected, number)
    maria, pyotr, again = await owners(connected)
    assert maria == again != pyotr


async def test_a_caller_who_is_known_takes_nobodys_turn(connected: World) -> None:
    await called(connected, 1)
    await called(connected, 2, caller=1)
    await called(connected, 3)
    maria, pyotr = await owners(connected)
    assert maria != pyotr


async def test_his_task_is_his_managers(connected: World) -> None:
    await called(connected, 1)
    await called(connected, 2)
    await called(connected, 3, caller=2)
    state = await connected.state()
    assert [task["responsible_user_id"] for task in state["tasks"]] == [state["leads"][1]["responsible_user_id"]]


async def test_who_answered_keeps_the_caller_and_his_turn(connected: World) -> None:
    await called(connected, 1, status="answered", talk_s=40, operator="103")
    await called(connected, 2)
    pyotr, maria = await owners(connected)
    assert pyotr != maria


async def test_turns_go_on_where_they_were_when_the_account_is_connected_again(connected: World) -> None:
    await called(connected, 1)
    assert (await connected.connect()).status_code == 303
    await called(connected, 2)
    maria, pyotr = await owners(connected)
    assert maria != pyotr
