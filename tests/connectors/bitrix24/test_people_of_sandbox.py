"""Many callers at once, delivered over HTTP into the sandbox: who is known there is found, whoever he was asked for with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from connectors.bitrix24 import connector
from connectors.contract import delivery, enquiry
from connectors.http import Http
from connectors.protocol import App, Grant, Status
from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.portal import Options
from tests.sandbox.loopback import served

MANY = 60
CALLBACK = "https://hub.example/oauth/bitrix24/callback"


def phone(place):
    return f"+7916123{place:04}"


def calls():
    return [delivery(enquiry(caller=phone(place)), id=f"d-{place}", marker=f"hub:{place}") for place in range(MANY)]


@dataclass
class Office:
    """A portal of the sandbox with people in it, and our session there."""

    sandbox: Sandbox
    base_url: str

    def __post_init__(self):
        self.keys = self.sandbox.greeting(self.base_url)
        self.web = httpx.Client(base_url=self.base_url, trust_env=False, verify=False)
        self.http = Http(allowed=(), origins=(self.base_url,))

    def does(self, deed, **told):
        answer = self.web.post(f"/_sandbox/{deed}", json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add(self, entity, **fields):
        told = self.does("call-method", method="crm.item.add", params={"entityTypeId": entity, "fields": fields})
        return told["result"]["item"]["id"]

    def knows(self, *phones):
        """Add a contact with these phones and an open deal; return the contact's id."""
        ways = [{"typeId": "PHONE", "valueType": "WORK", "value": one} for one in phones]
        contact = self.add(3, name="Иван", fm=ways)
        self.add(2, title="Заказ", contactId=contact)
        return contact

    def session(self):
        app = App(self.keys["client_id"], self.keys["client_secret"], CALLBACK, self.base_url)
        host, never = httpx.URL(self.base_url).netloc.decode(), datetime(2036, 1, 1, tzinfo=UTC)
        grant = Grant(self.keys["member_id"], host, self.keys["access_token"], self.keys["refresh_token"], never)
        return connector.open(self.http, app, grant, {"traits": ("simple",)})

    def hits(self):
        return sum(row.path.endswith("/batch") for row in self.sandbox.ledger.rows)

    def contacts(self):
        return self.web.get("/_sandbox/totals").json()["contacts"]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    sandbox = Sandbox(Options(redirect_uri=CALLBACK), lambda: 1_767_225_600.0, {"limiter": False, "crm_mode": 2})
    with served(sandbox.app, lifespan="off") as base_url:
        one = Office(sandbox, base_url)
        yield one
        one.web.close()
        await one.http.aclose()


def contacts(outcomes):
    assert {outcome.status for outcome in outcomes.values()} == {Status.DELIVERED}
    return {
        id_: next(int(ref.id) for ref in outcome.refs if ref.kind == "contact") for id_, outcome in outcomes.items()
    }


@pytest.mark.parametrize("how", ["digits", "last10"])
async def test_some_are_known_however_they_are_stored(office, how):
    office.sandbox.dial.turn({"phone_match": how})
    known = {
        "d-3": office.knows("8 (916) 123-00-03"),
        "d-4": office.knows("+7 495 100-20-30", phone(4)),
        "d-31": office.knows(phone(31)),
    }
    found = contacts(await office.session().deliver(calls()))
    assert {id_: found[id_] for id_ in known} == known
    assert office.contacts() == MANY


@pytest.mark.parametrize("how", ["digits", "last10", "exact"])
async def test_all_are_known_and_nobody_is_made_anew(office, how):
    office.sandbox.dial.turn({"phone_match": how})
    known = {f"d-{place}": office.knows(phone(place)) for place in range(MANY)}
    assert contacts(await office.session().deliver(calls())) == known
    assert office.contacts() == MANY


async def test_a_number_shared_by_twenty_hides_nobody(office):
    crowd = [office.knows(phone(5)) for _ in range(20)]
    known = office.knows(phone(7))
    found = contacts(await office.session().deliver(calls()))
    assert (found["d-5"] in crowd, found["d-7"]) == (True, known)


async def test_a_prefix_that_only_the_portal_passes_over_is_asked_about(office):
    office.sandbox.dial.turn({"phone_match": "last10"})
    known = {f"d-{place}": office.knows(f"007{phone(place)[2:]}") for place in range(MANY)}
    assert contacts(await office.session().deliver(calls())) == known


async def test_a_call_again_of_each_of_many_is_written_on_the_deals_that_are_there(office):
    first = contacts(await office.session().deliver(calls()))
    deals = office.web.get("/_sandbox/totals").json()["deals"]
    again = [delivery(one.what.enquiry, id=one.id, marker=f"{one.marker}:again") for one in calls()]
    before = office.hits()
    assert contacts(await office.session().deliver(again)) == first
    assert office.web.get("/_sandbox/totals").json()["deals"] == deals
    # By fives; whose the cards are, with their deals; and three things on each deal.
    assert office.hits() - before == 1 + 1 + -(-3 * MANY // 50)
