"""The digital pipeline's action as it comes: a form with brackets on the wire, JSON in the documentation."""

import json
from urllib.parse import urlencode

import httpx
import pytest

from connectors.amocrm import connector
from connectors.amocrm.package import pipeline_secret
from connectors.protocol import App, GoalAsked, HookRequest, InstallationError, Rejected, Why

APP = App("client-1", "client-s3cret", "https://hub.example/cb")
FORM = "application/x-www-form-urlencoded"
ACTION = {
    "event[type]": "14",
    "event[type_code]": "lead_status_changed",
    "event[data][id]": "21000001",
    "event[data][element_type]": "2",
    "event[data][status_id]": "45100003",
    "action[settings][widget][settings][goal]": "qualified",
    "subdomain": "romashka",
    "account_id": "31000001",
}
AS_JSON = {
    "event": {"type": 14, "data": {"id": 21000001, "element_type": 2, "status_id": 45100003}, "time": 1767230000},
    "action": {"settings": {"widget": {"settings": {"goal": "qualified"}}}},
    "subdomain": "romashka",
    "account_id": 31000001,
}
ASKED = GoalAsked("31000001", "21000001", "qualified")


def asked(body, kind=FORM, secret=None):
    request = HookRequest("POST", "/x", {}, {"Content-Type": kind} if kind else {}, body)
    return connector.goal_asked(request, APP, pipeline_secret(APP) if secret is None else secret)


def changed(**other):
    return urlencode({**ACTION, **other}).encode()


def test_a_form_names_account_deal_and_goal():
    assert asked(urlencode(ACTION).encode()) == ASKED


def test_the_documented_json_says_the_same():
    assert asked(json.dumps(AS_JSON).encode(), "application/json; charset=utf-8") == ASKED


def test_without_a_content_type_it_is_a_form():
    assert asked(urlencode(ACTION).encode(), None) == ASKED


def test_a_goal_is_named_as_people_spell_it():
    body = changed(**{"action[settings][widget][settings][goal]": "  Замер   Назначен "})
    assert asked(body).goal == "замер назначен"


@pytest.mark.parametrize(
    "secret", ["", "x", pipeline_secret(APP)[:-1], pipeline_secret(APP).upper(), "секрет", "\ud800"]
)
def test_another_secret_is_nobody(secret):
    assert asked(urlencode(ACTION).encode(), secret=secret) is None


@pytest.mark.parametrize(
    ("body", "kind", "begins"),
    [
        (changed(account_id=""), FORM, "The action names no account"),
        (changed(account_id="1" * 16), FORM, "The action names no account"),
        (changed(**{"event[data][id]": "21 or 1=1"}), FORM, "The action names no deal"),
        (changed(**{"event[data][element_type]": "12"}), FORM, "The action speaks of a card that is no deal"),
        (changed(**{"action[settings][widget][settings][goal]": "   "}), FORM, "The action names no goal"),
        (changed(**{"action[settings][widget][settings][goal]": "x" * 61}), FORM, "The action names no goal"),
        (changed(**{"action[settings][widget][settings][goal]": "a\x00b"}), FORM, "The action names no goal"),
        (b"", FORM, "The action names no account"),
        (b"\xff\xfe&=&;%zz", FORM, "The action names no account"),
        (b"a=1&" * 2_000, FORM, "The action cannot be read"),
        (b"a" * 70_000, FORM, "The action is larger"),
        (b"{", "application/json", "The action cannot be read"),
        (b"[]", "application/json", "The action names no account"),
        (b"[" * 60_000, "application/json", "The action cannot be read"),
        (b"\xff", "application/json", "The action cannot be read"),
        (json.dumps({**AS_JSON, "account_id": True}).encode(), "application/json", "The action names no account"),
        (urlencode(ACTION).encode(), "text/plain", "An action is a form or JSON"),
    ],
)
def test_what_cannot_be_read_says_why(body, kind, begins):
    told = asked(body, kind)
    assert isinstance(told, Rejected)
    assert told.sentence.startswith(begins)
    assert told.sentence.endswith(".")


# -- the deals are looked at


async def test_one_deal_is_read_by_itself(session, vendor):
    vendor.on("GET", "api/v4/leads/21000001", "lead__open")
    (deal,) = await session.deals(["21000001"])
    assert (deal.id, deal.outcome, deal.deleted) == ("21000001", "open", False)


async def test_several_deals_are_one_request_where_the_filter_is_paid_for(session, vendor):
    vendor.on("GET", "api/v4/leads", "leads__open_and_lost")
    told = await session.deals(["21000001", "21000002"])
    assert {deal.id: deal.outcome for deal in told} == {"21000001": "open", "21000002": "lost"}
    assert len(vendor.router.calls) == 1


async def test_a_deal_that_is_not_there_is_not_told(session, vendor):
    vendor.on("GET", "api/v4/leads/21000009", None)
    assert await session.deals(["21000009"]) == []


async def test_an_account_that_cannot_answer_is_in_trouble(session, vendor):
    vendor.on("GET", "api/v4/leads/21000001", httpx.ConnectError("refused"))
    with pytest.raises(InstallationError) as caught:
        await session.deals(["21000001"])
    assert caught.value.why is Why.UNAVAILABLE
