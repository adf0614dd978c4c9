"""Proof 11, Poison and partial truth (docs/reliability.md): in every batch a few are invalid, and some answers are not true.

Some leave out a name, some name what nobody sent, some are half or another page; what was asked has been done. The
connector tells the hub just what the CRM named. Quick: a batch of 50; with --full: 20.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from connectors.amocrm import connector
from connectors.http import Http
from connectors.protocol import Connector, Delivery, Outcome, Status, Why
from hub.delivery import serving
from hub.store.db import Db
from hub.store.tables import Attempt, table_of
from hub.store.vault import Vault
from hub.web.telling import plainly
from sandbox.misnaming import FOREIGN
from tests.proofs.results import Tell
from tests.proofs.street import Street, StreetClock, crms, plan

BATCH, SEED, NOBODY = 50, 1, "999999999"
UNTRUE = {"missing_id": 0.15, "foreign_id": 0.15, "half_json": 0.1, "page_after_commit": 0.1}
_attempt = table_of(Attempt)


class Literal:
    """A session that tells just what the CRM named: what it left out is left out, what it made up is told."""

    def __init__(self, session: Any, http: Http) -> None:
        self._session, self._foreign = session, False
        honest = http._exchange

        async def exchange(request: Any) -> Any:
            answer = await honest(request)
            self._foreign |= FOREIGN.encode() in answer.body
            return answer

        http._exchange = exchange  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def deliver(self, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        told = dict(await self._session.deliver(batch))
        named = {id_: one for id_, one in told.items() if one.why is not Why.UNREADABLE}
        made_up = {FOREIGN: Outcome(Status.DELIVERED)} if self._foreign else {}
        self._foreign = False
        return named | made_up


def literal(connector: Connector) -> Connector:
    """Wrap the sessions of a connector."""
    return replace(connector, open=lambda http, *asked: Literal(connector.open(http, *asked), http))


@pytest.fixture
def street(database_url: str, tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as stack:
        hand, (crm,) = stack.enter_context(crms(tmp_path, 1))
        crm.turn(rates=UNTRUE, only={"method": "POST", "path": "(complex|notes)$"}, seed=SEED, search_lag=3)
        db = Db(database_url)
        db.start()
        stack.callback(db.stop)
        yield Street(db, Vault({"k1": b"1" * 32}), StreetClock(hand), [crm], literal)


async def play(street: Street, batches: int) -> dict[str, Any]:
    """Deliver batches with one to ten invalid ones each; count what became of them."""
    chance, invalid, everything = random.Random(SEED), set(), []
    for first in range(0, batches * BATCH, BATCH):
        bad = set(chance.sample(range(first, first + BATCH), chance.randint(1, 10)))
        now, numbers = street.clock.now(), range(first, first + BATCH)
        everything += [plan(number, now, NOBODY if number in bad else None) for number in numbers]
        invalid |= {f"call:{number}" for number in bad}
    planned_at = street.clock.now()
    street.enqueue("crm-0", everything)
    with capture_logs() as logged:
        await street.live(lambda: not street.waits_for(["crm-0"], planned_at))
    return figures(street, invalid) | {"alarms": sum(line["event"] == "worker.foreign_outcomes" for line in logged)}


def figures(street: Street, invalid: set[str]) -> dict[str, Any]:
    """Compare what the hub says with what the CRM holds."""
    state, rows = street.crms[0].state(), street.rows("crm-0")
    fields = [told for deal in state["leads"] for told in deal["custom_fields_values"] or []]
    deals = Counter(told["values"][0]["value"] for told in fields if told["field_code"] == "HUB_CALL_ID")
    notes = Counter(note["params"]["uniq"] for note in state["notes"] if note["note_type"] == "call_in")
    good = [row.marker for row in rows if row.enquiry not in invalid]
    unknown = street.db.read_now(lambda tx: tx.execute(select(_attempt).where(_attempt.c.status == "unknown")).all())
    looked_at = [row for row in street.crms[0].ledger() if row["method"] == "GET"]
    looked_up = {marker for row in looked_at for marker in row["markers"]} | read_again(state["leads"], looked_at)
    return {
        "deliveries": len(rows),
        "invalid": len(invalid),
        "lost": sum(not deals[marker] or not notes[marker] for marker in good),
        "doubled": deals.total() - len(deals) + notes.total() - len(notes),
        "made_of_invalid": len(deals.keys() - set(good)),
        "parked": sum(row.state == "parked" for row in rows),
        "unknown": len({attempt.delivery_id for attempt in unknown}),
        "not_looked_up": len({attempt.delivery_id for attempt in unknown} - looked_up),
        "sentences": sorted({plainly(connector, row.sentence) for row in rows if row.state == "parked"}),
    }


def read_again(deals: Sequence[Mapping[str, Any]], looked_at: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return of which deliveries, whose deals the hub knows, it read what stands on them."""
    read = {row["path"] for row in looked_at}
    marked = [(deal["id"], told) for deal in deals for told in deal["custom_fields_values"] or []]
    return {
        told["values"][0]["value"].removeprefix("hub:")
        for id_, told in marked
        if told["field_code"] == "HUB_CALL_ID" and f"/api/v4/leads/{id_}/notes" in read
    }


def size(full: bool) -> int:
    """Return how many batches there are."""
    return 20 if full else 1


async def test_good_ones_arrive_once_and_bad_ones_wait_for_a_person(street: Street, full: bool, tell: Tell) -> None:
    told = await play(street, size(full))
    tell("poison", **told)
    assert (told["lost"], told["doubled"], told["made_of_invalid"]) == (0, 0, 0)
    assert told["parked"] == told["invalid"]
    assert all(sentence.startswith("amoCRM refused the deal. ") for sentence in told["sentences"])
    assert any("The responsible user whom the scenario names" in sentence for sentence in told["sentences"])
    assert told["unknown"] > told["not_looked_up"] == 0
    assert told["alarms"] > 0


@pytest.mark.control
async def test_taking_a_missing_id_for_a_success_loses_something(
    street: Street, full: bool, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_unknown", lambda _detail: Outcome(Status.DELIVERED))
    told = await play(street, size(full))
    tell("poison (control)", **told)
    assert told["lost"] > 0
