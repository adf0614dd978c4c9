"""A site with a pool in a database, the visitors who come to it through the real doors, and their calls."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from hub.store import setup as kept
from hub.store import visits
from hub.store.arrival import Arrival
from hub.store.db import Db
from hub.store.inbox import CALL
from hub.store.pages import save_event
from hub.store.pool_past import PoolPast, Span, pool_past
from hub.store.tables import Call, Enquiry, Match, TelephonyAccount, Tenant, TrackingNumber, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW
from tracking_core.channel import Channel
from tracking_core.source import Source

HOLD = timedelta(minutes=10)
DIRECT = Source(Channel.DIRECT)
VAULT = Vault({"k1": b"1" * 32})


def minutes(count: float) -> datetime:
    """The moment so many minutes after the day begins."""
    return NOW + timedelta(minutes=count)


def write(tx: Tx, model: Any, **values: Any) -> Any:
    table = table_of(model)
    key = next(iter(table.primary_key.columns))
    return tx.execute(insert(table).values(**values).returning(key)).scalar_one()


class Crowd:
    """One site's visitors and callers; minutes count from NOW."""

    def __init__(self, db: Db, numbers: int = 2, tenant_id: int | None = None, **about: Any) -> None:
        self.db = db
        self.tenant_id = tenant_id or db.write_now(write, Tenant, name="Окна", created_at=NOW)
        told = {"hosts": [], "zone": "UTC", "currency": "RUB", "overflow_number": "+74951000000", "hold_s": 600}
        self.site_id, self.key, *_ = db.write_now(kept.save_site, self.tenant_id, "okna", told | about)
        self.account = db.write_now(
            write, TelephonyAccount, tenant_id=self.tenant_id, name="office", adapter="x", token=self.key, zone="UTC", secrets=b""
        )  # fmt: skip
        self.pool_id = self.pool("main", numbers)
        self.told = 0

    def pool(self, name: str, numbers: int, group: str = "main") -> int:
        """Make a pool with numbers of its own."""
        pool_id = self.db.write_now(kept.save_pool, self.tenant_id, self.site_id, name, {"group_name": group})
        for place in range(numbers):
            e164 = f"+7495{self.tenant_id:03d}{pool_id:02d}{place:02d}"
            self.db.write_now(kept.save_number, self.tenant_id, e164, self.site_id, pool_id=pool_id)
        return pool_id

    def comes(
        self, who: int, at: float, stay: float = 4, pools: tuple[int, ...] | None = None, region: str | None = None
    ) -> int:
        """Somebody opens a page and is there for some minutes; return his visit. No pools: he asks for no number."""
        asks = (self.pool_id,) if pools is None else pools
        token = f"{who:032x}"
        where = (self.tenant_id, self.site_id, lambda _source, _region: asks)
        arrival = Arrival(*where, token, DIRECT, minutes(at), HOLD, region=region)
        shown = self.db.write_now(visits.open_visit, arrival)
        self.db.write_now(visits.touch, self.tenant_id, self.site_id, token, minutes(at + stay), HOLD)
        return shown.visit_id

    def does(self, who: int, visit_id: int, kind: str, at: float, number: str = "") -> None:
        """The page script tells what a visitor did with a number."""
        told = (self.tenant_id, self.site_id, f"{who:032x}", visit_id, kind, number, minutes(at))
        assert self.db.write_now(save_event, *told)

    def calls(
        self,
        at: float,
        visit_id: int | None = None,
        confidence: float = 1.0,
        reason: str = "",
        phone: str | None = None,
        **about: Any,
    ) -> None:
        """Somebody calls a number of the pool; nobody is named where there is no visit."""
        self.db.write_now(self._call, at, visit_id, confidence, reason, phone, about)

    def _call(
        self,
        tx: Tx,
        at: float,
        visit_id: int | None,
        confidence: float,
        reason: str,
        phone: str | None,
        about: dict[str, Any],
    ) -> None:
        self.told += 1
        judged = {"first_time": True, "qualified": True, "qualified_why": "", "phone_key": f"phone {self.told}"}
        of, key = {"tenant_id": self.tenant_id}, f"{self.account}:{self.told}"
        sealed = VAULT.seal(phone, self.tenant_id, CALL, key, "phone") if phone else None
        enquiry = write(tx, Enquiry, **of, kind=CALL, key=key, at=minutes(at), phone=sealed, **judged)
        told = {"direction": "inbound", "status": "answered", "talk_s": 60, "wait_s": 5, "durations_differ": False}
        told |= {"dialled": self.numbers()[0], "account_id": self.account, "provider_call_id": str(self.told)}
        write(tx, Call, **of, enquiry_id=enquiry, **told | about)
        found = {"visit_id": visit_id, "confidence": confidence if visit_id else 0.0, "reason": reason, "words": ""}
        write(tx, Match, **of, enquiry_id=enquiry, candidates=[], made_at=minutes(at), **found)

    def numbers(self) -> list[str]:
        """The pool's numbers."""
        number = table_of(TrackingNumber)
        asked = select(number.c.e164).where(number.c.tenant_id == self.tenant_id, number.c.pool_id == self.pool_id)
        return self.db.read_now(lambda tx: list(tx.execute(asked.order_by(number.c.id)).scalars()))

    def past(self, most: int = 1_000, since: float = -60, until: float = 100_000) -> PoolPast:
        """What the store tells of the pool."""
        span = Span(minutes(since), minutes(until), most)
        return self.db.read_now(pool_past, self.tenant_id, self.site_id, "main", span, VAULT)
