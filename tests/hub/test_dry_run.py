"""A scenario is tried on what has been: it foresees what the rules that run did, and says where others differ."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.scenario import CallerState, Trigger, read_scenario
from hub.dry_run import DryRun, dry_run
from hub.planning import Rules, rules_of
from hub.store import crm, past_people, scenario_versions, story
from hub.store.tables import ContactKey, Deal, Enquiry, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.test_contact_index import as_person, contact, known
from tests.hub.world import World

IVAN, ANNA, OLGA = "+79161234567", "+79037654321", "+79260000001"
NUMBER = "+74951110001"
LIVE = """
ended:
  unknown: [deal: {name: "Новый {caller}"}, note: "Источник: {source}"]
  no_open_deal: [deal: {name: "Снова {caller}"}]
  open_deal: [note: "Ещё звонок"]
missed:
  unknown: [deal, task: {text: "Перезвонить {caller}", due_minutes: 15}]
  open_deal: [task: {text: "Перезвонить {caller}", due_minutes: 15}]
"""
TRIED = """
ended:
  lost_lately: [deal: {name: "Вернулся {caller}"}]
  unknown: [deal: {name: "Новый {caller}"}, note: "Источник: {source}"]
  no_open_deal: [deal: {name: "Снова {caller}"}]
  open_deal: [note: "Ещё звонок"]
"""
LOST = 143
_deal, _enquiry, _key = table_of(Deal), table_of(Enquiry), table_of(ContactKey)


@pytest.fixture
def set_up() -> str:
    return worlds.ruled_by("\n  amocrm: |\n" + "".join(f"    {line}\n" for line in LIVE.strip().splitlines()))


@pytest.fixture
async def lived(connected: World) -> World:
    """A customer after a day: new ones, one who calls again, one who is lost and comes back, one the CRM knew before."""
    await contact(connected, ANNA)
    await known(connected)
    await connected.mango_call("c1", IVAN, NUMBER, talk_s=60)
    await connected.delivered(1)
    await connected.mango_call("c2", IVAN, NUMBER, talk_s=20)
    await connected.delivered(2)
    await close(connected, LOST)
    await connected.mango_call("c3", IVAN, NUMBER, talk_s=40)
    await connected.delivered(3)
    await connected.mango_call("c4", ANNA, NUMBER, talk_s=50)
    await connected.mango_call("c5", OLGA, NUMBER, talk_s=0)
    await connected.delivered(5)
    await read_back(connected, 4, 3)
    return connected


async def close(world: World, stage: int) -> None:
    """Close the only deal as a person does, and let the hub learn of it."""
    (deal,) = (await world.state())["leads"]
    await as_person(world, "PATCH", "leads", [{"id": deal["id"], "status_id": stage}])
    await world.goes_on(400)


async def read_back(world: World, deals: int, contacts: int) -> None:
    """Wait until the hub has read what enquiries made: the deals, and who the contacts are."""
    made = select(func.count()).select_from(_deal).where(_deal.c.enquiry_id.is_not(None))
    known_by = select(func.count(_key.c.contact.distinct()))
    await world.goes_on(3_700)  # an account with few calls has its contacts read by the hour
    for asked, number in ((made, deals), (known_by, contacts)):
        await world.until(
            lambda _, a=asked, n=number: world.hub.db.read_now(lambda tx: tx.execute(a).scalar_one()) == n
        )


def tried(world: World, text: str | None, days: int = 1, since: datetime | None = None, **changed: Any) -> DryRun:
    """Try rules on the day; None tries those that run."""

    def of(tx: Tx) -> DryRun:
        (account,) = crm.installations(tx, 1)
        saved = scenario_versions.live(tx, 1, account.connector)
        assert saved is not None
        live = Rules(rules_of(saved, account), saved.version)
        rules = live if text is None else Rules(read_scenario(text, "tried.yaml", crm.facts_of(account.facts)), 0)
        rules = replace(rules, **changed)
        connector = world.hub.connectors[account.connector]
        return dry_run(tx, account, connector, rules, live, world.hub.clock.now(), world.hub.vault, days, since=since)

    return world.hub.db.read_now(of)


async def test_it_foresees_what_the_rules_that_run_did(lived: World) -> None:
    made = tried(lived, None)
    assert (made.checked.known, made.checked.same) == (5, 5)
    state = await lived.state()
    assert made.tried.deals == len(state["leads"]) == 4
    assert made.tried.contacts == len(state["contacts"]) - 1 == 2
    assert made.differences == ()


async def test_without_taking_out_what_the_rules_made_nothing_of_that_is_foreseen(
    lived: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: held against the CRM as it is now, everybody whom the rules made a contact is known already."""

    def as_it_is_now(*asked: Any) -> Any:
        return replace(past_people.past_of(*asked), span=frozenset(), fresh=frozenset())

    monkeypatch.setattr("hub.dry_run.past_of", as_it_is_now)
    checked = tried(lived, None).checked
    assert checked.same < checked.known


async def test_other_rules_differ_where_they_say_something_else(lived: World) -> None:
    made = tried(lived, TRIED)
    told = {one.enquiry.enquiry.caller: one.tried for one in made.differences}
    assert told.keys() == {IVAN, OLGA}
    assert told[IVAN][Trigger.ENDED].decision.state is CallerState.LOST_LATELY
    assert told[OLGA] == {}
    assert (made.tried.deals, made.tried.tasks, made.tried.nothing) == (3, 0, 1)


async def test_what_other_rules_make_is_there_for_the_next_call(lived: World) -> None:
    made = tried(lived, "ended: {unknown: [deal], open_deal: [note: x], lost: []}")
    assert (made.tried.contacts, made.tried.deals, made.tried.touched, made.tried.nothing) == (1, 1, 0, 3)


async def test_rules_that_make_nothing_leave_everybody_unknown(lived: World) -> None:
    made = tried(lived, "ended: {no_open_deal: [deal: {name: 'Снова {caller}'}]}")
    assert made.tried.deals == 1  # of the one whom the CRM knew before
    assert [one.enquiry.enquiry.caller for one in made.differences] == [IVAN, IVAN, IVAN, OLGA]


async def test_who_hides_his_number_is_a_deal_without_a_contact(lived: World) -> None:
    before = tried(lived, None).tried
    await lived.mango_call("c6", "", NUMBER, talk_s=30)
    await lived.delivered(6)
    made = tried(lived, None).tried
    assert (made.deals, made.contacts) == (before.deals + 1, before.contacts)


async def test_nothing_is_written_by_it(lived: World) -> None:
    before = await lived.state()
    tried(lived, TRIED)
    assert await lived.state() == before


async def test_the_story_of_an_enquiry_says_which_rule_was_followed(lived: World) -> None:
    def decisions(tx: Tx) -> list[tuple[str, int | None]]:
        ids = tx.execute(select(_enquiry.c.id).order_by(_enquiry.c.at)).scalars()
        told = [story.story(tx, 1, enquiry_id, lived.hub.vault) for enquiry_id in ids]
        found = [one.sent[0].decision for one in told if one]
        return [(one.state.value, one.rule) for one in found if one]

    assert lived.hub.db.read_now(decisions) == [
        ("unknown", 1),
        ("open_deal", 3),
        ("lost_lately", 2),
        ("no_deals", 2),
        ("unknown", 4),
    ]


async def test_what_happens_beside_is_foreseen_too(lived: World) -> None:
    rules = (
        "ringing: {unknown: [deal]}\nended: {unknown: [deal], open_deal: [note: x]}\nqualified: {open_deal: [note: y]}"
    )
    made = tried(lived, rules)
    assert made.tried.deals == 2  # of Ivan and Olga, while it still rang
    assert made.tried.notes == 3  # two talks, one of them long enough; before Ivan's third his deal was lost
