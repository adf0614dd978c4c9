"""A hub of real processes that reads back while a sales department works, and whose reader is killed meanwhile."""

import json
import signal
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from hub.store.tables import Delivery, Enquiry, Installation, table_of
from hub.store.tx import Tx
from tests.proofs.look import tenant
from tests.proofs.stage import PATIENCE_S, Stage
from tests.proofs.truth import Books, ours, recount
from tests.proofs.vendors import Room, Vendor

_delivery, _enquiry, _installation = (table_of(model) for model in (Delivery, Enquiry, Installation))
PERIOD_S = 60
BILLBOARD, NOBODYS = "+74952220001", "+74951110003"
AD = "https://okna.example/?utm_source={}&utm_medium=cpc&utm_campaign=okna"
_LOOKS = 1_000


class Reading(Stage):
    """A stage whose CRM is worked in; ``skew_s`` is by how much its clock is ahead."""

    def __init__(
        self, folder: Path, database_url: str, vendor: Vendor, *, skew_s: int = 0, forgetful: bool = False
    ) -> None:
        more = {"CRASH_FILE": str(folder / "crash.json"), **({"CRASH_FORGETFUL": "1"} if forgetful else {})}
        super().__init__(folder, database_url, vendor=vendor, module="tests.proofs.fragile", more=more)
        self.kills = 0
        self._skew_s = skew_s
        self._sources: dict[str, str] = {}  # of calls, by the numbers dialled

    def open(self, stack: ExitStack) -> None:
        """Set up, start everything and connect the CRM, whose clock is wrong."""
        super().open(stack)
        self.turn(clock_skew=self._skew_s)

    def connect(self) -> None:
        """Give the hub access to an account that keeps invoices."""
        self.turn(**self.vendor.account)
        super().connect()

    def turn(self, **dial: object) -> None:
        """Turn the CRM's dial."""
        self._crm("POST", "/_sandbox/dial", dial)

    def state(self) -> dict[str, Any]:
        """Return everything the CRM holds."""
        return self._crm("GET", "/_sandbox/state")

    def _crm(self, method: str, path: str, told: object = None, token: str = "") -> dict[str, Any]:
        bearer = {"authorization": f"Bearer {token}"} if token else {}
        url = f"{self.crm['base_url']}{path}"
        answer = httpx.request(method, url, json=told, headers=bearer, timeout=PATIENCE_S)
        assert answer.is_success, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def calls(self, number: int) -> None:
        """Let calls come from ads, a billboard and nowhere, and become deals."""
        dialled = {BILLBOARD: "billboard", NOBODYS: "(unknown)"}
        dialled |= {self._shown(source): source for source in ("yandex", "google")}
        self.forward(90)
        for place in range(number):
            to = sorted(dialled)[place % len(dialled)]
            told = {"call_id": f"c{place}", "event": "ended", "at": self.now().isoformat(), "status": "answered"}
            told |= {"dialled": to, "caller": f"+7916{place:07}", "talk_s": 60, "wait_s": 4}
            assert self._post(told, f"m{place}").status_code == 200
            self._sources[f"+7916{place:07}"] = dialled[to]
        self.drain(number)

    def _shown(self, source: str) -> str:
        told = {"site": self.applied["sites"][0]["key"], "url": AD.format(source), "referrer": "", "visitor": None}
        shown = self.web.post("/dni/v1/visit", content=json.dumps(told)).json()["numbers"]["main"]["number"]
        return str(shown).replace(" ", "").replace("-", "")

    def listen(self) -> None:
        """Let the CRM ring at each change, again where it gave up; three of ten rings are lost, two of ten come twice."""
        self.turn(**self.vendor.bells)
        if self.vendor.bind is not None:
            token = self._crm("POST", "/_sandbox/token", {})["access_token"]
            door = f"{self.url}/hooks/{self.vendor.name}/{self.db.read_now(_hook_token)}"
            self._crm("POST", *self.vendor.bind(door), token)
            return
        for _ in range(_LOOKS):  # the hub binds them, as soon as it comes to that
            if self._crm("POST", "/_sandbox/call-method", {"method": "event.get"})["result"]:
                return
            self.read_for(1)
        raise AssertionError("the hub bound no events")

    # -- time goes on

    def read_for(self, seconds: float) -> None:
        """Let the hub read for so long: slowly while it does."""
        until = self.now() + timedelta(seconds=seconds)
        while self.now() < until:
            seen, now = self.look(), self.now()
            rest_s, idle_s = (until - now).total_seconds(), (seen.due() - now).total_seconds()
            is_busy = seen.busy(now) or idle_s <= 0
            if is_busy:
                self.mortal.ends(within_s=0.005)  # a moment of the processor
            self.forward(min(rest_s, 0.1 if is_busy else idle_s))

    def rest(self) -> None:
        """Let the hub read until it has nothing to do at the moment."""
        while self.look().busy(self.now()) or self.look().due() <= self.now():
            self.read_for(0.1)

    def work(self, room: Room, changes: int) -> None:
        """Let the department make changes while the hub reads."""
        until = room.changes + changes
        while room.changes < until:
            room.work(4)
            self.read_for(0.2 if self.look().busy(self.now()) else room.dice.choice((0, 1, 20)))

    # -- deaths

    def doom(self, point: str) -> None:
        """Let whoever comes by a moment die there."""
        Path(self.environment["CRASH_FILE"]).write_text(json.dumps({point: 1}), encoding="utf-8")
        self.mortal.send(signal.SIGUSR1)

    def bury(self, room: Room) -> None:
        """Work on until the doomed one is dead, go on without it for a while, and start it again."""
        for look in range(5_000):
            if self.mortal.ends(within_s=0.002):
                break
            self.read_for(0.2)
            room.work(look % 20 == 0)
        else:
            raise AssertionError("it never came to the moment it was to die at")
        self.kill(room)

    def kill(self, room: Room) -> None:
        """End whoever reads, whatever it is doing."""
        self.mortal.kill()
        self.kills += 1
        room.work(2)
        self.forward(self.vendor.lease_s if self.apart else room.dice.choice((0, 1, 90)))
        self.mortal.start()
        self.listen()

    # -- what is there

    def books(self, but: Collection[str] = ()) -> tuple[Books, Books]:
        """Return the CRM's books and the hub's, both without some deals."""
        there, here = self.vendor.theirs(self.state()), self.db.read_now(ours)
        return there.without(but), here.without(but)

    def report(self) -> dict[str, Any]:
        """Return the lines of the report by their source."""
        day = self.now().date().isoformat()
        bearer = {"authorization": f"Bearer {self.applied['api_token']}"}
        days = {"from": "2026-11-01", "to": day}
        told = self.web.get("/api/v1/report/roi", params=days, headers=bearer).json()
        return {row["source"]: row for row in told["rows"]}

    def recounted(self) -> dict[str, Any]:
        """Recount the report from the CRM and from who dialled what."""
        rows: Sequence[Any] = self.db.read_now(_callers)
        source_of = {marker: self._sources[f"+7916{key[1:]:0>7}"] for marker, key in rows}
        state = self.state()
        return recount(self.vendor.theirs(state), self.vendor.markers(state), source_of)


def _hook_token(tx: Tx) -> str:
    here = _installation.c.tenant_id == tenant(tx)
    return str(tx.execute(select(_installation.c.hook_token).where(here)).scalar_one())


def _callers(tx: Tx) -> list[tuple[str, str]]:
    """Return the marker of each delivery, and how telephony called its call."""
    its = (_enquiry.c.id == _delivery.c.enquiry_id) & (_enquiry.c.tenant_id == _delivery.c.tenant_id)
    rows = tx.execute(
        select(_delivery.c.marker, _enquiry.c.key)
        .select_from(_delivery.join(_enquiry, its))
        .where(_delivery.c.tenant_id == tenant(tx))
    )
    return [(row.marker, row.key.rpartition(":")[2]) for row in rows]
