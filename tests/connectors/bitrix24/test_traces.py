"""A visit in the portal's own analytics: told once, with the card it brought, and never again."""

import json
from dataclasses import replace

import httpx
import pytest

from connectors.contract import MARKER, delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import Status
from connectors.scenario import AddNote, CallerState, CreateDeal
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault, ours

AD = {"utm_source": "yandex", "utm_campaign": "okna-msk", "channel": "paid_search"}
TRACE = "crm.tracking.trace.add"


def traced(*actions, source=AD, caller="+79161234567", **more):
    """A delivery whose visit the portal's analytics are to be told of."""
    what = replace(
        delivery(enquiry(source=source, caller=caller)).what,
        rules=rules(dict.fromkeys(CallerState, actions or (CreateDeal("Звонок"), AddNote("Источник: yandex")))),
        analytics=True,
    )
    return delivery(what=what, **more)


@pytest.fixture
def analytics(portal):
    """A portal that takes traces."""
    portal.on(TRACE, 1581)
    return portal


async def deliver(session, of):
    return (await session.deliver([of]))["d-1"]


async def test_it_stands_behind_everything_else_of_the_request_that_makes_the_card(session, analytics):
    await deliver(session, traced())
    assert [one.key for one in analytics.batches[-1]] == ["contact0", "deal0", "call0", "text0x0", "trace0"]


async def test_it_is_of_the_deal_and_of_its_contact(session, analytics):
    await deliver(session, traced())
    [asked] = analytics.of(TRACE)
    assert {name: asked[name] for name in asked.params if name != "TRACE"} == {
        "ENTITIES[0][TYPE]": "DEAL",
        "ENTITIES[0][ID]": "$result[deal0][item][id]",
        "ENTITIES[1][TYPE]": "CONTACT",
        "ENTITIES[1][ID]": "$result[contact0][item][id]",
    }


async def test_its_tags_are_the_marks_of_the_visit_alone(session, analytics):
    await deliver(session, traced())
    [asked] = analytics.of(TRACE)
    assert json.loads(asked["TRACE"]) == {"tags": {"list": {"utm_source": "yandex", "utm_campaign": "okna-msk"}}}


async def test_its_id_is_kept_so_that_it_can_be_taken_away(session, analytics):
    outcome = await deliver(session, traced())
    assert [ref.id for ref in outcome.refs if ref.kind == "trace"] == ["1581"]


async def test_a_visit_without_marks_is_not_told(session, analytics):
    await deliver(session, traced(source={"channel": "organic_search", "referrer": "https://ya.ru/"}))
    assert not analytics.of(TRACE)


async def test_nothing_is_told_that_the_scenario_does_not_ask_for(session, analytics):
    await deliver(session, delivery(enquiry(source=AD)))
    assert not analytics.of(TRACE)


async def test_a_call_on_an_open_deal_tells_nothing(session, analytics, known):
    await deliver(session, traced(AddNote("Ещё звонок")))
    assert not analytics.of(TRACE)


async def test_what_an_earlier_attempt_made_is_not_told_again(session, analytics):
    analytics.on("crm.item.list", {"items": [ours(501)]})
    outcome = await deliver(session, traced(attempt=2, in_doubt=True))
    assert outcome.status is Status.DELIVERED
    assert not analytics.of(TRACE)


async def test_a_lost_answer_is_no_second_one(session, analytics):
    analytics.instead(1, httpx.ReadTimeout("slow"))  # of the request that makes the cards
    assert (await deliver(session, traced())).status is Status.UNKNOWN
    analytics.on("crm.item.list", {"items": [ours(501)]})
    await deliver(session, traced(attempt=2, in_doubt=True))
    assert len(analytics.of(TRACE)) == 1


async def test_one_that_is_refused_spoils_nothing_and_is_told(session, analytics):
    analytics.on(TRACE, Fault("ERROR_CORE", "You have no access to entity DEAL 501."))
    outcome = await deliver(session, traced())
    assert outcome.status is Status.DELIVERED
    assert outcome.said == (Said("no_trace", {"words": "You have no access to entity DEAL 501."}),)


async def test_cards_and_notes_of_others_do_not_wait_for_one_that_is_refused(session, analytics):
    analytics.on(TRACE, Fault("ERROR_CORE", "no"))
    batch = [traced(id=f"d-{place}", caller=f"+7916123{place:04}", marker=f"{MARKER}{place}") for place in range(3)]
    outcomes = await session.deliver(batch)
    assert {one.status for one in outcomes.values()} == {Status.DELIVERED}
    assert [one.method for one in analytics.batches[-1]] == [TRACE] * 3
    assert len(analytics.of("crm.timeline.comment.add")) == 3


async def test_as_many_cards_go_together_as_leave_room_for_it(session, analytics):
    batch = [traced(id=f"d-{place}", caller=f"+7916123{place:04}", marker=f"{MARKER}{place}") for place in range(40)]
    await session.deliver(batch)
    assert max(len(commands) for commands in analytics.batches) <= 50
    assert len(analytics.of(TRACE)) == 40
