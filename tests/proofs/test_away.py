"""Bad input, a database that goes away (docs/reliability.md): for 30 seconds nobody reaches PostgreSQL, then it is back.

Every connection is cut in the middle of what it does, and new ones are refused. Nobody starts anything anew. Quick: two
such times and 20 calls; with --full: 20 and 600.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.store.db import Db
from tests import proxy
from tests.proofs.crm_holds import call_notes, deals, doubled
from tests.proofs.results import Tell
from tests.proofs.stage import Stage
from tests.proofs.telling import Exchange
from tests.proxy import Proxy

AWAY_S = 30
pytestmark = pytest.mark.postgresql


@pytest.fixture
def stage(request: pytest.FixtureRequest, pg_url: str, tmp_path: Path) -> Iterator[tuple[Stage, Proxy]]:
    """A hub whose way to its database can be cut; the proof looks at it past that."""
    careless = request.node.get_closest_marker("careless") is not None
    with proxy.before(pg_url) as (way, url), ExitStack() as stack:
        made = Stage(tmp_path, url, module="tests.proofs.trusting" if careless else "hub")
        made.db = Db(pg_url)
        made.open(stack)
        yield made, way


def until_healthy(stage: Stage) -> None:
    """Wait until the hub says that it is well."""
    for _ in range(1_000):
        if stage.web.get("/health").status_code == 200:
            return
    raise AssertionError("it never was well again")


def test_a_database_that_is_away_for_a_while_costs_no_call_and_doubles_none(
    stage: tuple[Stage, Proxy], full: bool, tell: Tell
) -> None:
    hub, way = stage
    times, before, meanwhile = (20, 20, 10) if full else (2, 6, 4)
    exchange = Exchange(hub)
    for _ in range(times):
        for _ in range(before):
            exchange.call()
        exchange.until_sending()
        way.shut()
        refused = len(exchange.refusals)
        for _ in range(meanwhile):
            exchange.call()
            hub.forward(AWAY_S / meanwhile)
        assert len(exchange.refusals) - refused == meanwhile
        health = hub.web.get("/health")
        assert (health.status_code, health.json()["error"][:28]) == (503, "The database does not answer")
        way.open()
        until_healthy(hub)
        exchange.tell_again()
    hub.drain(exchange.calls)
    state, log = hub.state(), (hub.folder / "log").read_text()
    made, noted = deals(state), call_notes(state)
    extra = doubled(made) + doubled(noted)
    figures = {"refused": len(exchange.refusals), "deals": len(made), "doubled": extra}
    tell("away", calls=exchange.calls, times=times, **figures)
    assert {answer.status_code for answer in exchange.refusals} == {503}
    assert all(answer.headers["retry-after"] and answer.json()["error"] for answer in exchange.refusals)
    assert (len(made), doubled(made)) == (exchange.calls, 0)
    assert (len(noted), doubled(noted)) == (exchange.calls, 0)
    assert all(f'"event": "{said}"' in log for said in ("web.database_away", "loop.database_away"))
    assert '"event": "loop.database_back"' in log


@pytest.mark.careless
@pytest.mark.control
def test_who_says_200_whatever_his_database_said_loses_calls(stage: tuple[Stage, Proxy], tell: Tell) -> None:
    hub, way = stage
    exchange = Exchange(hub)
    exchange.call()
    way.shut()
    exchange.call()
    way.open()
    until_healthy(hub)
    exchange.tell_again()
    hub.drain(1)
    made = deals(hub.state())
    tell("away (control)", calls=exchange.calls, deals=len(made))
    assert len(made) < exchange.calls
