"""``cthub deliveries`` as a person meets it: what is parked goes out again when he says so, and only then."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.protocol import Outcome, Status, Why
from connectors.telling import Said
from hub.store.db import Db
from hub.store.tables import Delivery, table_of
from hub.store.vault import ring_in
from tests.hub.seed import Lane
from tests.hub.world import Cthub

_delivery = table_of(Delivery)


@pytest.fixture
def cthub(cthub_next_day: Cthub) -> Cthub:
    return partial(cthub_next_day, "deliveries")


@pytest.fixture
def parked(bare_db: Db, tmp_path: Path) -> Lane:
    """Two deliveries that the CRM refused."""
    lane = Lane(bare_db, ring_in(tmp_path))
    for enquiry, caller in (("1", "k1"), ("2", "k2")):
        lane.enqueue(enquiry, caller)
    claim = lane.claimed()
    taken = lane.take(claim)
    refused = {one.id: Outcome(Status.REJECTED, why=Why.INVALID, said=(Said("No such stage."),)) for one in taken}
    lane.settle(claim, taken, refused)
    assert states(lane) == ["parked", "parked"]
    return lane


def states(lane: Lane) -> list[str]:
    return lane.db.read_now(lambda tx: list(tx.execute(select(_delivery.c.state).order_by(_delivery.c.id)).scalars()))


def test_all_that_is_parked_goes_out_again(cthub: Cthub, parked: Lane) -> None:
    done = cthub("replay", "--all-parked")
    assert (done.exit_code, done.stdout) == (0, "2 deliveries go out again.\n")
    assert states(parked) == ["ready", "ready"]


def test_those_of_another_installation_stay_parked(cthub: Cthub, parked: Lane) -> None:
    done = cthub("replay", "--all-parked", "--installation", str(parked.installation_id + 1))
    assert (done.exit_code, done.stdout) == (0, "0 deliveries go out again.\n")
    assert states(parked) == ["parked", "parked"]


def test_who_does_not_say_which_is_told_how(cthub: Cthub, parked: Lane) -> None:
    done = cthub("replay")
    assert done.exit_code != 0
    assert "--all-parked" in str(done.exception or done.output)
    assert states(parked) == ["parked", "parked"]
