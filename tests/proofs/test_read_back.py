"""Proof 12, Read-back (docs/reliability.md): what the hub holds of the CRM's deals is what the CRM holds.

A sales department works while the hub reads: deals are made, moved, priced, deleted, restored, merged, closed and
reopened, invoices written, paid, handed over and torn up, several in one second and between any two pages; with Bitrix24
leads become deals and orders are paid, too. Three of ten doorbells are lost, two come twice, the CRM's clock is five
minutes wrong, and the reader is ended by SIGKILL where it has read a page, where it has saved one, and anywhere. With each
CRM. Quick: 200 changes and 2 kills, with Bitrix24 80; with --full: 20,000 and 50.

Two things Bitrix24 tells nobody. That a payment came: the hub looks at a hundred deals with each reading. That a merger
took a deal away: it asks about five hundred with each reading. When all had their turn nothing may differ; before that, what
a merger took away is not looked at.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.proofs.reading import PERIOD_S, Reading
from tests.proofs.results import Tell
from tests.proofs.vendors import Vendor

QUICK = {"amocrm": (200, 2, 12, 260, 1), "bitrix24": (80, 2, 4, 110, 1)}  # changes, kills, calls, deals, seed
SKEW_S = 300


@pytest.fixture
def stage(request: pytest.FixtureRequest, vendor: Vendor, database_url: str, tmp_path: Path) -> Iterator[Reading]:
    with ExitStack() as stack:
        skew_s = SKEW_S if database_url.startswith("sqlite") else -SKEW_S
        forgetful = request.node.get_closest_marker("careless") is not None
        made = Reading(tmp_path, database_url, vendor, skew_s=skew_s, forgetful=forgetful)
        made.open(stack)
        yield made


def test_within_two_polling_periods_the_hub_holds_what_the_crm_holds(stage: Reading, full: bool, tell: Tell) -> None:
    changes, kills, calls, deals, seed = (20_000, 50, 200, 3_000, 12) if full else QUICK[stage.vendor.name]
    stage.calls(calls)
    room = stage.vendor.room(stage.crm["base_url"], seed)
    room.open(deals)
    stage.listen()
    stage.read_for(PERIOD_S)  # so that the hub holds what is merged away
    for turn in range(kills):
        stage.work(room, changes // (kills + 1))
        if turn % 3 < 2:
            stage.doom("page.saved" if turn % 3 else "page.read")
            stage.bury(room)
        else:
            stage.kill(room)
        stage.read_for(PERIOD_S)
    stage.read_for(stage.vendor.lease_s)
    stage.work(room, max(changes - room.changes, 20))
    stage.read_for(2 * PERIOD_S)
    room.close()
    theirs, ours = stage.books(but=room.merged)
    late, paid_within = theirs.moved(ours), stage.vendor.paid_within(len(theirs.deals))
    stage.read_for((paid_within - 2) * PERIOD_S)
    theirs, ours = stage.books()
    differ, told, counted = theirs.differs(ours), stage.report(), stage.recounted()
    paid = sum(1 for amount in theirs.paid.values() if amount)
    figures = {"changes": room.changes, "kills": stage.kills, "deals": len(theirs.deals), "paid": paid}
    figures |= {"seed": seed, "late": late, "paid_within": paid_within}
    figures |= {"merged_untold": len(room.merged), "merged_unseen": len(room.merged & ours.deals.keys())}
    tell("read-back", **figures, differ=differ, revenue_minor=dict(ours.revenue))
    assert late == 0
    assert figures["merged_unseen"] == 0
    assert differ == 0
    assert ours.revenue == theirs.revenue
    lines = {name: (row["calls"], row["deals"], row["won"], row["revenue_minor"]) for name, row in told.items()}
    assert lines == {name: (one.calls, one.deals, one.won, one.revenue_minor) for name, one in counted.items()}


@pytest.mark.careless
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cursor_saved_before_its_rows_loses_what_it_passed(stage: Reading, tell: Tell) -> None:
    room = stage.vendor.room(stage.crm["base_url"], 1)
    room.open(20)
    stage.read_for(PERIOD_S)
    stage.rest()
    stage.doom("page.read")
    stage.mortal.send(signal.SIGSTOP)
    room.work(20)
    stage.forward(6 * PERIOD_S)  # longer than a reading goes back
    room.move()
    stage.mortal.send(signal.SIGCONT)
    stage.bury(room)
    stage.read_for(2 * PERIOD_S)
    room.close()
    theirs, ours = stage.books(but=room.merged)
    differ = theirs.differs(ours)
    tell("read-back (control)", changes=room.changes, kills=stage.kills, deals=len(theirs.deals), differ=differ)
    assert differ > 0
