"""A hub of real processes that dies at named moments, and what its database holds meanwhile."""

import json
import signal
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select, text

from hub.delivery.retry import State
from hub.failpoints import Point
from hub.store.crm import REAUTHORISE
from hub.store.tables import Attempt, Delivery, Inbox, Installation, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.processes import Process
from tests.proofs.stage import Stage

LEASE_S = 120  # four times the connector's timeout
A_DAY_S = 86_400  # how long an access token lives
_attempt, _delivery, _inbox, _installation = map(table_of, (Attempt, Delivery, Inbox, Installation))
_LOOKS = 3_000


def states(tx: Tx) -> dict[str, int]:
    """Return how many deliveries are in each state, and how many enquiries wait for a look."""
    found = tx.execute(select(_delivery.c.state, func.count().label("number")).group_by(_delivery.c.state)).all()
    waiting = tx.execute(select(func.count()).select_from(_inbox)).scalar_one()
    return {**{row.state: row.number for row in found}, "inbox": waiting}


def is_left(tx: Tx, since: datetime) -> bool:
    """Say whether a delivery stands in ``sending`` that did so at a moment."""
    is_open = _attempt.c.ended_at.is_(None) & (_attempt.c.started_at <= since)
    return tx.execute(select(_attempt.c.number).where(is_open).limit(1)).first() is not None


def asks_for_access(tx: Tx) -> bool:
    """Say whether the one installation waits for a person to give access again."""
    return tx.execute(select(_installation.c.status)).scalar_one() == REAUTHORISE


def is_whole(tx: Tx) -> bool:
    """Say whether SQLite finds its file in order; PostgreSQL has nothing of the kind."""
    return not tx.is_sqlite or tx.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"


class Crashing(Stage):
    """A stage whose hub ends itself by SIGKILL at moments it is given."""

    def __init__(self, folder: Path, database_url: str, *, hasty: bool = False) -> None:
        more = {"CRASH_FILE": str(folder / "crash.json"), **({"CRASH_HASTY": "1"} if hasty else {})}
        super().__init__(folder, database_url, module="tests.proofs.fragile", more=more)
        self.calls = self.deaths = 0
        self.longest_sending = timedelta()  # from a death on
        self._untaken: list[tuple[dict[str, Any], str]] = []

    def open(self, stack: ExitStack) -> None:
        """Set up, start everything and connect the CRM, whose search lags."""
        super().open(stack)
        lag = httpx.post(f"{self.crm['base_url']}/_sandbox/dial", json={"search_lag": 3})
        assert lag.status_code == 200

    def end_at(self, point: Point, turn: int = 1) -> None:
        """Let calls come until what comes by a moment dies there the ``turn``-th time, and start it again."""
        mortal = self.front if point.startswith("event.") else self.mortal
        assert mortal is not None
        Path(self.environment["CRASH_FILE"]).write_text(json.dumps({point: turn}), encoding="utf-8")
        mortal.send(signal.SIGUSR1)
        if point.startswith("grant."):
            self.forward(A_DAY_S)
        for look in range(_LOOKS):
            if look % 100 == 0:
                self.call()
            if mortal.ends(within_s=0.005):
                break
            self._go_on()
        else:
            raise AssertionError(f"it never came to {point}: {self.db.read_now(states)}")
        self.deaths += 1
        self._rise(mortal)

    def _rise(self, mortal: Process) -> None:
        """Start what died; nothing may stay in ``sending`` for longer than a lease and a minute."""
        died_at = self.now()
        if mortal is not self.front:  # nobody but the clock tells PostgreSQL that the holder of a lane is dead
            self.forward(LEASE_S)
        mortal.kill()
        mortal.start()
        self._post_untaken()
        for look in range(1, _LOOKS):
            if not self.db.read_now(is_left, died_at):
                break
            self._breathe()
            self.forward(look % 50 == 0)
        self.longest_sending = max(self.longest_sending, self.now() - died_at)

    def connect_again(self) -> None:
        """Let the hub notice that its tokens are worth nothing, and give it access as its owner does."""
        for _ in range(_LOOKS):
            if self.db.read_now(asks_for_access):
                break
            self._breathe()
            self.forward(1)
        self.forward(2)  # what the hub asked for just now counts against its owner's requests, too
        self.connect()

    def _breathe(self) -> None:
        """Give what delivers a moment of the processor, in which it must not die."""
        assert not self.mortal.ends(within_s=0.005), "it died unasked"

    def call(self) -> None:
        """Let a call end; its event is posted again, later, when it is not taken."""
        self.calls += 1
        told = {"call_id": f"call-{self.calls}", "event": "ended", "at": self.now().isoformat(), "status": "answered"}
        told |= {"dialled": "+74952220001", "caller": f"+7916{self.calls:07}", "talk_s": 60, "wait_s": 4}
        self._untaken.append((told, f"m{self.calls}"))
        self._post_untaken()

    def _post_untaken(self) -> None:
        for told, message_id in list(self._untaken):
            headers, body = worlds.signed(told, message_id, self.now())
            try:
                taken = self.web.post(self.applied["telephony"][1]["path"], content=body, headers=headers)
            except httpx.TransportError:
                return
            if taken.status_code == 200:
                self._untaken.remove((told, message_id))

    def _go_on(self) -> dict[str, int]:
        """Let time go on: slowly while something is being sent, so that no lease runs out by the test's haste."""
        found = self.db.read_now(states)
        self.forward(0.2 if State.SENDING in found else 10)
        return found

    def settle_down(self) -> None:
        """Let time go on until every call is delivered as far as the hub knows."""
        for look in range(_LOOKS):
            if look % 100 == 0:
                self._post_untaken()
            if self._go_on() == {State.DELIVERED: self.calls, "inbox": 0}:
                return
            self._breathe()
        raise AssertionError(f"it did not drain: {self.db.read_now(states)}")
