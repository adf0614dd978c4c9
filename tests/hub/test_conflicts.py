"""Another integration that makes a deal at each call is said, with the evidence; a person who makes one is not."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from connectors.changes import ROBOT
from hub import conflicts
from hub.__main__ import cli
from hub.conflict_rule import Judged, Since, Verdict
from hub.conflicts import Conflicts
from hub.store.crm import Installed
from hub.store.people import tenants
from hub.store.tables import ContactKey, Deal, table_of
from hub.web.console.conflicts_told import conflict_lines, verdict
from hub.web.console.formats import Formats
from hub.web.words import LANGUAGES, Words
from tests.house.test_docs import example, missing, page, shape
from tests.hub.test_contact_index import as_person, contact, known
from tests.hub.test_moving import dial
from tests.hub.world import OPENING, World
from tracking_core.enquiry import EnquiryKind

NUMBER = "+74951110001"
_deal, _key = table_of(Deal), table_of(ContactKey)
PHONES = [f"+791600000{number:02}" for number in range(20)]
WINDOW_S = 16 * 60
Beside = Callable[[World, int, dict[str, Any]], Awaitable[Any]]
Lead = dict[str, Any]


async def deal(world: World, contact_id: int, made_at: float, **more: Any) -> int:
    """Make a deal of a contact at a moment, as anybody but the hub does."""
    world.clock.forward(max(0.0, made_at - world.clock.now().timestamp()))
    asked = {"name": "Звонок", "created_at": int(made_at), "_embedded": {"contacts": [{"id": contact_id}]}}
    made = await as_person(world, "POST", "leads", [asked | more])
    return int(made["_embedded"]["leads"][0]["id"])


async def call(world: World, number: int, beside: Beside | None = None) -> None:
    """Let a person call, and somebody do something in the CRM once the hub has made its deal."""
    before = {one["id"] for one in (await world.state())["leads"]}
    await world.mango_call(f"c{number}", PHONES[number], NUMBER, talk_s=20 + 7 * number)
    await world.delivered(number + 1)
    if beside is not None:
        (ours,) = [one for one in (await world.state())["leads"] if one["id"] not in before]
        await beside(world, number, ours)


async def calls(world: World, number: int, beside: Beside) -> None:
    for one in range(number):
        await call(world, one, beside)


async def while_it_rings(world: World, number: int) -> None:
    """Let a person call; another program makes a deal of a contact it knows him by, three seconds after it rings."""
    rings_at = world.clock.now().timestamp() + 5
    contacts = {"contacts": [{"id": await contact(world, PHONES[number])}]}
    theirs = {"name": "Звонок", "created_at": int(rings_at) + 3, "_embedded": contacts}
    await as_person(world, "POST", "leads", [theirs])
    await call(world, number)


async def found(world: World) -> Conflicts:
    """Let the time pass in which a deal is one of a call, and everything be read; return what is found."""
    await is_read(world)
    (tenant_id,) = await world.hub.db.read(tenants)
    (one,) = await world.hub.db.read(conflicts.of_tenant, tenant_id, world.clock.now())
    return one


async def is_read(world: World, seconds: float = WINDOW_S) -> None:
    """Let time pass, and go on until the hub has read each deal that is there and none that is not."""
    world.clock.forward(seconds)
    asked = select(_deal.c.external_id).where(_deal.c.deleted.is_(False))

    async def unread() -> set[str]:
        state = await world.state()
        cards = [*state.get("leads", ()), *state.get("deal", ())]
        leads = {f"L{one['id']}" for one in state.get("lead", ())}  # as the hub calls those of Bitrix24
        there = leads | {str(one["id"]) for one in cards if not one.get("is_deleted")}
        return there ^ set(await world.hub.db.read(lambda tx: tx.execute(asked).scalars().all()))

    await world.comes_to(unread, lambda ids: not ids, 2)


async def are_contacts_read(world: World) -> None:
    """Let an hour pass, after which contacts are read also where few people call, and go on until they are."""
    world.clock.forward(3_700)
    asked = select(_key.c.contact).where(_key.c.contact != "")

    async def unread() -> set[str]:
        contacts = (await world.state())["contacts"]
        there = {str(one["id"]) for one in contacts if one["custom_fields_values"]}
        return there ^ set(await world.hub.db.read(lambda tx: tx.execute(asked).scalars().all()))

    await world.comes_to(unread, lambda ids: not ids, 2)


def whose(lead: Lead) -> int:
    return int(lead["links"]["contacts"][0]["id"])


async def at_once(world: World, number: int, ours: Lead) -> None:
    """A program: four or five seconds after the hub's deal is there."""
    await deal(world, whose(ours), ours["created_at"] + 4 + number % 2)


async def at_leisure(world: World, number: int, ours: Lead) -> None:
    """A person: at each call, when he comes to it."""
    await deal(world, whose(ours), ours["created_at"] + (35, 80, 140, 260, 410, 620)[number])


async def now_and_then(world: World, number: int, ours: Lead) -> None:
    """A person who is quick, at one call of six."""
    if number == 3:
        await at_once(world, number, ours)


async def robot(world: World, number: int, ours: Lead) -> None:
    """A robot, some minutes later: it asks from time to time whether there was a call."""
    await deal(world, whose(ours), ours["created_at"] + (35, 140, 410)[number], created_by=0)


async def contact_alone(world: World, number: int, _ours: Lead) -> None:
    """A program that knows the caller in another spelling, and makes a contact of its own."""
    await contact(world, PHONES[number])


async def of_another(world: World, number: int, ours: Lead) -> None:
    """A deal of somebody else, at the moment of the call."""
    other = await contact(world, f"+7495000000{number}")
    await deal(world, other, ours["created_at"] + 4)


async def merged(world: World, number: int, ours: Lead) -> None:
    """A program whose deal the CRM merges into the hub's."""
    theirs = await deal(world, whose(ours), ours["created_at"] + 4)
    asked = {"kind": "leads", "keep": ours["id"], "lose": theirs}
    (await world.crm_web.post("/_sandbox/merge", json=asked)).raise_for_status()


@pytest.fixture
async def conflict(connected: World) -> World:
    """An account where a program makes a deal of each call, too, read back long after."""
    await calls(connected, 6, at_once)
    await is_read(connected)
    return connected


# -- what is a conflict


async def test_an_integration_that_makes_a_deal_at_each_call_is_said(connected: World) -> None:
    await calls(connected, 6, at_once)
    judged = (await found(connected)).said[EnquiryKind.CALL]
    assert (judged.enquiries, judged.doubled, judged.later) == (6, 6, 0)
    assert (judged.steady, judged.since) == (6, Since.OURS)


async def test_a_robot_is_said_whenever_it_comes(connected: World) -> None:
    await calls(connected, 3, robot)
    judged = (await found(connected)).said[EnquiryKind.CALL]
    assert (judged.doubled, judged.robots, judged.author) == (3, 3, ROBOT)


async def test_a_second_contact_of_each_caller_is_said(connected: World) -> None:
    await calls(connected, 7, contact_alone)
    await are_contacts_read(connected)
    made = await found(connected)
    assert {one.card.kind for one in made.doubles} == {"contact"}
    assert made.said[EnquiryKind.CALL].doubled >= 6  # the hub joins what it reads in the turn in which it made its own


async def test_the_evidence_names_the_call_both_deals_and_who_made_the_other(connected: World) -> None:
    await call(connected, 0, at_once)
    (one,) = (await found(connected)).doubles
    ours, theirs = sorted((await connected.state())["leads"], key=lambda lead: lead["id"])
    assert (one.told.ours[0].id, one.card.id) == (str(ours["id"]), str(theirs["id"]))
    assert str(one.card.url).endswith(f"/leads/detail/{theirs['id']}")
    assert (one.card.author, one.card.responsible) == (str(theirs["created_by"]), str(theirs["responsible_user_id"]))
    assert one.gap(Since.OURS) == 4
    (told,) = (await connected.api("calls"))["calls"]
    assert one.told.sent.enquiry_id == told["deliveries"][0]["enquiry_id"]


# -- what is none


@pytest.mark.parametrize("beside", [now_and_then, at_leisure])
async def test_people_who_make_deals_by_hand_are_not_said(connected: World, beside: Beside) -> None:
    await calls(connected, 6, beside)
    judged = (await found(connected)).judged[EnquiryKind.CALL]
    assert judged.doubled > 0
    assert judged.verdict is Verdict.BY_HAND


@pytest.mark.parametrize("beside", [of_another, merged])
async def test_deals_of_others_and_those_that_were_merged_are_no_evidence(connected: World, beside: Beside) -> None:
    await calls(connected, 6, beside)
    made = await found(connected)
    assert made.judged[EnquiryKind.CALL].enquiries == 6
    assert made.doubles == ()


async def test_an_older_open_deal_is_no_evidence(connected: World) -> None:
    for number in range(6):
        await deal(connected, await contact(connected, PHONES[number]), connected.clock.now().timestamp() - 60)
        await call(connected, number)
    made = await found(connected)
    assert made.judged[EnquiryKind.CALL].enquiries == 6
    assert made.doubles == ()


async def test_a_deal_on_which_the_hub_wrote_is_no_evidence(connected: World) -> None:
    """The other program was there first, while the phone rang, and the hub found its deal."""
    for number in range(6):
        await while_it_rings(connected, number)
    made = await found(connected)
    assert made.judged[EnquiryKind.CALL].enquiries == 6
    assert made.doubles == ()


@pytest.mark.parametrize(("control", "said"), [(True, False), (False, True)])
async def test_a_deal_that_duplicate_control_put_ours_into_is_none_and_that_of_a_contact_with_the_same_phone_is(
    connected: World, control: bool, said: bool
) -> None:
    """The hub does not find the contact of the other program in the CRM; the CRM itself does, where it looks."""
    await dial(connected, query_digits=False, duplicate_control=control)
    await known(connected)
    for number in range(6):
        await while_it_rings(connected, number)
    await are_contacts_read(connected)
    made = await found(connected)
    assert made.judged[EnquiryKind.CALL].enquiries == 6
    assert bool(made.said) == bool(made.doubles) == said


async def test_a_deal_that_is_written_on_at_the_next_call_stays_evidence_of_the_one_before(connected: World) -> None:
    await call(connected, 0, at_once)
    connected.clock.forward(60)
    await connected.mango_call("again", PHONES[0], NUMBER, talk_s=40)
    await connected.delivered(2)
    made = await found(connected)
    assert [one.told.sent.kind for one in made.doubles] == ["call"]
    assert made.doubles[0].told.sent.at == min(one.told.sent.at for one in made.doubles)


async def test_calls_of_which_people_were_just_told_are_waited_for(connected: World) -> None:
    await call(connected, 0, at_once)
    await is_read(connected, 0)
    (tenant_id,) = await connected.hub.db.read(tenants)
    (made,) = await connected.hub.db.read(conflicts.of_tenant, tenant_id, connected.clock.now())
    assert made.judged == {}


# -- where it is said


async def test_the_page_of_connections_says_it_in_words(conflict: World) -> None:
    text = await shown(conflict, "/connections")
    assert "вторая карточка есть у 6 звонков из 6. Как правило, через 4 с после нашей." in text
    assert "Выключите в другой интеграции" in text


async def test_the_page_of_evidence_leads_to_each_call_and_each_deal(conflict: World) -> None:
    await conflict.log_in()
    text = (await conflict.web.get("/connections/1/conflicts", headers={"accept": "text/html"})).text
    leads = (await conflict.state())["leads"]
    assert [one["id"] for one in leads if f"/leads/detail/{one['id']}" not in text] == []
    assert len(set(re.findall(r"/enquiries/(\d+)", text))) == 6


async def test_the_account_of_another_customer_is_not_here(conflict: World) -> None:
    await conflict.log_in()
    assert (await conflict.web.get("/connections/7/conflicts")).status_code == 404


async def test_the_interface_tells_the_evidence(conflict: World) -> None:
    (told,) = (await conflict.api("conflicts", days=7))["conflicts"]
    assert (told["conflict"], len(told["evidence"])) == (True, 6)
    assert [(one["kind"], one["verdict"]) for one in told["kinds"]] == [("call", "conflict")]


async def test_the_interface_tells_it_as_documented(conflict: World) -> None:
    told = await conflict.api("conflicts")
    documented = json.loads(example("api.md", "conflicts-answer"))
    assert shape(told) == shape(documented)
    (shown,), (account,) = documented["conflicts"], told["conflicts"]
    assert list(account["evidence"][0]) == list(shown["evidence"][0])
    assert list(account["kinds"][0]) == list(shown["kinds"][0])


def test_every_verdict_and_every_moment_is_explained() -> None:
    assert missing([*Verdict, *Since], page("api.md")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_and_every_moment_has_its_sentence(language: str) -> None:
    """A conflict of forms, made by a robot before ours: whatever is found can be said."""
    f = Formats(Words(language), "UTC", "RUB")
    told: dict[str, Any] = {"facts": {"users": {"7": "Анна"}}}
    of = Installed(**dict.fromkeys(Installed.__slots__) | told)
    for kind in EnquiryKind:
        for since in Since:
            for author, median_s in ((ROBOT, -4), ("7", 65), ("8", 0)):
                robots = 7 if author == ROBOT else 0
                judged = Judged(9, 7, 0, robots, 7, since, median_s, OPENING, OPENING, author, Verdict.CONFLICT)
                (line,) = conflict_lines(f, Conflicts(of, OPENING, OPENING, {kind: judged}, ()))
                assert len(line) > 100
    for said in (Verdict.NOTHING, Verdict.BY_HAND, Verdict.OVER):
        assert verdict(f, replace(judged, verdict=said))


@pytest.mark.parametrize("days", ["0", "91", "-1", "x"])
async def test_days_that_are_none_are_refused(connected: World, days: str) -> None:
    token = {"authorization": f"Bearer {connected.applied.api_token}"}
    answer = await connected.web.get("/api/v1/conflicts", params={"days": days}, headers=token)
    assert answer.status_code == 400


async def test_the_command_says_it_and_ends_with_1(conflict: World) -> None:
    done = await cthub(conflict, "conflicts")
    assert done.exit_code == 1
    assert "6 calls of 6 have a second one. As a rule it is made 4\u00a0s after ours." in done.stdout


async def test_the_command_prints_one_json_line(conflict: World) -> None:
    done = await cthub(conflict, "conflicts", "--days", "7", "--json")
    (told,) = json.loads(done.stdout)["conflicts"]
    assert (told["conflict"], len(told["evidence"])) == (True, 6)


async def test_without_a_conflict_the_command_ends_with_0(connected: World) -> None:
    done = await cthub(connected, "conflicts")
    assert done.exit_code == 0
    assert "What is compared are enquiries" in done.stdout


async def shown(world: World, path: str) -> str:
    """Return what a person reads on a page."""
    await world.log_in()
    answer = await world.web.get(path, headers={"accept-language": "ru"})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def cthub(world: World, *arguments: str) -> Result:
    """Run a verb beside the hub that runs."""
    settings = world.hub.settings
    environment = {
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_CLOCK_FILE": str(settings.clock_file),
    }
    return await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environment)
