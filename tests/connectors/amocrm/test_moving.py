import json
from dataclasses import replace

import httpx
import pytest

from connectors.amocrm.changing import STAGE_GONE
from connectors.contract import delivery, enquiry
from connectors.contract_inputs import rules
from connectors.protocol import InstallationError, Known, KnownDeal, Ref, Status, Why
from connectors.scenario import AddNote, CallerState, MoveDeal
from connectors.telling import Said
from tests.connectors.amocrm.conftest import OPEN, standing

LEADS, NOTES, CONTACTS, EVENTS = "api/v4/leads", "api/v4/leads/notes", "api/v4/contacts", "api/v4/events"
ON = MoveDeal("5100001", "45100003", ("45100002",))


def moving(*actions, **changed):
    plan = replace(delivery().what, rules=rules({CallerState.OPEN_DEAL: (AddNote("Ещё звонок"), *(actions or (ON,)))}))
    known = Known("61000001", (KnownDeal(OPEN, "open", "7100001"),))
    return delivery(what=plan, **{"people": (known,), **changed})


def moved(vendor):
    """Return what was asked to move, a list for each request."""
    calls = [call.request for call in vendor.router.calls if call.request.method == "PATCH"]
    return [json.loads(asked.content) for asked in calls]


def asked(vendor):
    return [f"{call.request.method} {call.request.url.path}" for call in vendor.router.calls]


async def deliver(session, of=None):
    return (await session.deliver([of or moving()]))["d-1"]


async def test_an_open_deal_is_moved_to_the_stage_of_the_scenario(session, account):
    outcome = await deliver(session)
    assert outcome.status is Status.DELIVERED
    assert moved(account) == [
        [{"id": 21000001, "pipeline_id": 5100001, "status_id": 45100003, "request_id": "d-1:change"}]
    ]


async def test_it_costs_one_request_to_look_and_one_to_move(session, account):
    await deliver(session)
    assert asked(account) == ["GET /api/v4/leads/21000001", "PATCH /api/v4/leads", "POST /api/v4/leads/notes"]


async def test_a_deal_that_was_just_read_is_not_read_again(session, account, load):
    account.on("GET", CONTACTS, "contacts__one_with_open_deal")
    account.on("GET", LEADS, "leads__open_and_lost")
    await deliver(session, moving(people=None))
    assert len(moved(account)) == 1
    assert "GET /api/v4/leads/21000001" not in asked(account)


@pytest.mark.parametrize(
    "stands",
    [{"status_id": 45100003}, {"status_id": 45100009}, {"status_id": 142}, {"status_id": 143}, {"pipeline_id": 7}],
    ids=["there already", "further on", "won", "lost", "in another pipeline"],
)
async def test_a_deal_that_stands_elsewhere_stays_and_gets_its_note(session, account, load, stands):
    account.on("GET", f"{LEADS}/{OPEN}", standing(**stands))
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, ())
    assert not moved(account)
    assert account.sent("/leads/notes")


async def test_an_answer_need_not_repeat_what_we_called_the_request(session, account, load):
    told = load("leads__moved")
    del told["_embedded"]["leads"][0]["request_id"]
    account.on("PATCH", LEADS, httpx.Response(200, json=told))
    assert (await deliver(session)).status is Status.DELIVERED


async def test_an_answer_that_names_another_deal_is_doubt(session, account, load):
    told = load("leads__moved")
    told["_embedded"]["leads"][0] |= {"id": 999, "request_id": "d-9:change"}
    account.on("PATCH", LEADS, httpx.Response(200, json=told))
    assert (await deliver(session)).status is Status.UNKNOWN


async def test_a_stage_that_was_deleted_leaves_the_deal_and_the_rest_is_done(session, account):
    account.on("PATCH", LEADS, "error__400_move_stage_gone", status=400)
    outcome = await deliver(session)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (STAGE_GONE,))
    assert account.sent("/leads/notes")
    assert len(moved(account)) == 1


async def test_a_refusal_nobody_foresaw_is_told_to_a_person_and_the_rest_is_done(session, account):
    account.on("PATCH", LEADS, "error__400_unnamed", status=400)
    outcome = await deliver(session)
    assert outcome.status is Status.REJECTED
    assert outcome.said[0] == Said("change_refused")
    assert account.sent("/leads/notes")


async def test_a_deal_that_has_just_gone_is_looked_for_again(session, account):
    account.on("GET", f"{LEADS}/{OPEN}", None)
    outcome = await deliver(session)
    assert (outcome.status, outcome.why) == (Status.RETRY, Why.TOO_EARLY)
    assert "deal" not in [ref.kind for ref in outcome.refs]
    assert not moved(account)
    assert not account.sent("/leads/notes")


async def test_one_deal_is_moved_once_in_a_batch(session, account):
    other = moving(id="d-2", marker="hub:2")
    plan = replace(other.what, enquiry=enquiry(caller="+79035550011"), rules=rules({CallerState.OPEN_DEAL: (ON,)}))
    outcomes = await session.deliver([moving(), replace(other, what=plan)])
    assert [len(sent) for sent in moved(account)] == [1]
    assert (outcomes["d-2"].status, outcomes["d-2"].why) == (Status.RETRY, Why.TOO_EARLY)


# -- doubt


@pytest.fixture
def doubtful():
    return moving(attempt=2, in_doubt=True, people=None, known=(Ref("deal", OPEN),))


@pytest.fixture
def noted(account):
    account.on("GET", f"{LEADS}/{OPEN}/notes", "notes__ours")
    return account


@pytest.mark.parametrize("lost", [httpx.ReadError("reset"), httpx.Response(504, text="gateway")], ids=["cut", "504"])
async def test_a_lost_answer_is_the_deliverys_doubt_and_its_note_is_written(session, account, lost):
    account.on("PATCH", LEADS, lost)
    outcome = await deliver(session)
    assert outcome.status is Status.UNKNOWN
    assert account.sent("/leads/notes")


async def test_what_history_says_was_moved_is_not_moved_again(session, noted, doubtful):
    """It stands where it stood before: a person has moved it back since."""
    noted.on("GET", EVENTS, "events__came_to_stage")
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not moved(noted)
    [query] = noted.asked("/events")
    assert (query["filter[entity_id][]"], query["filter[type]"]) == (OPEN, "lead_status_changed")
    assert query["filter[value_after][leads_statuses][0][status_id]"] == "45100003"


@pytest.mark.parametrize("other", [{"id": 45100009, "pipeline_id": 5100001}, {"id": 45100003, "pipeline_id": 7}])
async def test_what_history_does_not_say_is_moved_now(session, noted, doubtful, load, other):
    """A filter that is ignored brings other events: none of them says that the deal was there."""
    told = load("events__came_to_stage")
    told["_embedded"]["events"][0]["value_after"] = [{"lead_status": other}]
    noted.on("GET", EVENTS, httpx.Response(200, json=told))
    await deliver(session, doubtful)
    assert len(moved(noted)) == 1


async def test_without_any_history_it_is_moved_now(session, noted, doubtful):
    noted.on("GET", EVENTS, None)
    await deliver(session, doubtful)
    assert len(moved(noted)) == 1


async def test_what_stands_at_the_stage_needs_no_history(session, noted, doubtful, load):
    noted.on("GET", f"{LEADS}/{OPEN}", standing(status_id=45100003))
    outcome = await deliver(session, doubtful)
    assert outcome.status is Status.DELIVERED
    assert not noted.asked("/events")


async def test_a_deal_moved_before_the_batch_was_stopped_is_not_forgotten(session, account):
    account.on("POST", NOTES, "error__429", status=429)
    with pytest.raises(InstallationError) as caught:
        await deliver(session)
    outcome = caught.value.outcomes["d-1"]
    assert outcome.status is Status.RETRY
    assert ("deal", OPEN) in [(ref.kind, ref.id) for ref in outcome.refs]
