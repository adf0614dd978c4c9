"""One CRM account whose tokens end again and again, and the processes that want them."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from connectors.protocol import Grant
from hub.store import crm, grants
from hub.store.db import Db
from hub.store.grants import Kept
from hub.store.tables import Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault, ring_in
from tests.hub.world import HandClock, sandbox
from tests.processes import Process, running

ACCESS_TTL_S = 7_200
_REDIRECT = "http://hub.test/oauth/amocrm/callback"
_TICK_S, _TICKS_PER_LOOK = 0.01, 5
_VIRTUAL_PER_TICK_S = 0.4
_PATIENCE_S = 60.0


class Account:
    """A connected account, its sandbox, and the hub's database that holds its tokens."""

    def __init__(self, folder: Path, database_url: str, clock: HandClock, printed: dict[str, Any]) -> None:
        self.folder, self.clock, self.printed = folder, clock, printed
        self.web = httpx.Client(base_url=printed["base_url"], timeout=30)
        app = {name: printed[name] for name in ("client_id", "client_secret", "base_url")}
        self.environment = {
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_DATABASE_URL": database_url,
            "HUB_PUBLIC_URL": "http://hub.test",
            "HUB_APPS": json.dumps({"amocrm": app}),
            "HUB_CLOCK_FILE": str(clock.path),
        }
        (folder / "data").mkdir()
        self.vault: Vault = ring_in(folder / "data")
        self.db = Db(database_url)
        self.db.start()
        self.refusals: Counter[str] = Counter()  # reasons for which a person was asked to connect again
        self.turn(limiter=False, keep_bodies=True, access_ttl=ACCESS_TTL_S, only={"path": "^/oauth2/access_token"})
        self.db.write_now(_tenant, clock.now())
        self._install(printed["access_token"], printed["refresh_token"])
        self.of = self.db.read_now(crm.installations, 1)[0]

    def _install(self, access: str, refresh: str) -> None:
        host = str(self.web.base_url.netloc.decode())
        ends = datetime.fromtimestamp(self.clock.now().timestamp() + ACCESS_TTL_S, UTC)
        grant = Grant(str(self.printed["account_id"]), host, access, refresh, ends)
        self.db.write_now(crm.install, 1, "amocrm", grant, self.clock.now(), self.vault)

    def turn(self, **dial: object) -> None:
        """Turn the sandbox's dial."""
        assert self.web.post("/_sandbox/dial", json=dial).status_code == 200

    def kept(self) -> Kept:
        """Return the tokens as the hub holds them now."""
        return self.db.read_now(grants.load, self.of, self.vault)

    def reconnect(self) -> None:
        """Connect again as a person would, while nothing goes wrong; note why he had to."""
        rates = self.web.get("/_sandbox/dial").json()["rates"]
        self.turn(rates=dict.fromkeys(rates, 0))
        asked = {"grant_type": "authorization_code", "code": self.web.post("/_sandbox/code", json={}).json()["code"]}
        asked |= {"client_id": self.printed["client_id"], "client_secret": self.printed["client_secret"]}
        given = self.web.post("/oauth2/access_token", json={**asked, "redirect_uri": _REDIRECT}).json()
        self._install(given["access_token"], given["refresh_token"])
        self.turn(rates=rates)

    def refreshes(self) -> list[dict[str, Any]]:
        """Return every refresh request the vendor has seen and is done with, in its order."""
        rows = self.web.get("/_sandbox/ledger").json()["rows"]
        asked = [row for row in rows if row["path"] == "/oauth2/access_token" and "refresh_token" in row["body"]]
        return [row for row in asked if row["status"] is not None]

    def open_requests(self) -> int:
        """Return how many refresh requests the vendor has not answered yet."""
        rows = self.web.get("/_sandbox/ledger").json()["rows"]
        return sum(row["status"] is None for row in rows)

    @contextmanager
    def asking(self, name: str, tasks: int, *, without: str = "-", dies: str = "-") -> Iterator["Asking"]:
        """Run one process of so many tasks for as long as the block lasts."""
        file = self.folder / f"{name}.jsonl"
        told = (str(file), str(tasks), without, dies)
        log = self.folder / f"{name}.log"
        with running("tests.proofs.refresh_asker", *told, environment=self.environment, log=log) as process:
            yield Asking(process, file)

    def until(self, holds: Any, *, heals: bool = True) -> None:
        """Let time go on until ``holds()``; a person connects again whenever he is asked to, if he ``heals``."""
        ticks, ends = 0, time.monotonic() + _PATIENCE_S
        while not holds():
            assert time.monotonic() < ends, f"it did not come to that: {self.kept()}, {self.refreshes()[-3:]}"
            time.sleep(_TICK_S)
            self.clock.forward(_VIRTUAL_PER_TICK_S)
            ticks += 1
            if heals and ticks % _TICKS_PER_LOOK == 0 and (reason := self.kept().refused):
                self.refusals[reason] += 1
                self.reconnect()

    def close(self) -> None:
        """Give the database and the connection back."""
        self.web.close()
        self.db.stop()


class Asking:
    """A process that asks, and what it told so far."""

    def __init__(self, process: Process, file: Path) -> None:
        self.process, self.file = process, file

    def told(self) -> dict[str, Any]:
        """Return the last whole line it told; empty before the first."""
        lines = self.file.read_text(encoding="utf-8").split("\n")[:-1] if self.file.exists() else []
        return json.loads(lines[-1]) if lines else {}

    def has(self, kept: Kept) -> bool:
        """Say whether all its tasks have exactly this token, as far as its end tells."""
        return bool(self.told().get("ends") == kept.grant.expires_at.timestamp())


def _tenant(tx: Tx, now: datetime) -> None:
    tx.execute(insert(table_of(Tenant)).values(name="Окна", created_at=now))


@contextmanager
def account(folder: Path, database_url: str, **dial: object) -> Iterator[Account]:
    """Connect an account to a hub's database, its sandbox turned as asked."""
    clock = HandClock(folder / "clock")
    with sandbox(clock.path, _REDIRECT) as printed:
        made = Account(folder, database_url, clock, printed)
        made.turn(**dial)
        try:
            yield made
        finally:
            made.close()
