"""One company as a customer of the hub: its keys, what the programming interface says of it, its CRM."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.demo.company import DAY, Company
from sandbox.demo.crm import Crm, Sales
from sandbox.demo.door import Door, Letter
from sandbox.demo.fates import Fate
from sandbox.demo.plan import Day

READ_BACK_S = 600  # of the day; sales people do not work faster
_UNSETTLED = ("ready", "sending", "accepted")
Hire = Callable[[Mapping[str, Fate]], Sales]


@dataclass(frozen=True, slots=True)
class Keys:
    """What `cthub apply` printed: the login, the API token, the site's key and the telephony paths."""

    owner: str
    password: str
    api_token: str
    site: str
    mango_path: str
    small_path: str

    @property
    def login(self) -> Mapping[str, str]:
        """What the owner enters to log in to the console."""
        return {"email": self.owner, "password": self.password}


@dataclass(slots=True)
class HubStatus:
    """What the hub says of a tenant: enquiries to be looked at, deliveries by state, its last read-back."""

    inbox: int
    deliveries: dict[str, int]
    visits: int
    calls: int
    read_back_at: float

    @property
    def is_busy(self) -> bool:
        """Whether an enquiry or a delivery is still under way."""
        return self.inbox > 0 or any(self.deliveries.get(state, 0) for state in _UNSETTLED)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How far a trial of the rules that run says what they did: of `known` deliveries `same` went so."""

    enquiries: int
    known: int
    same: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """One of the hub's tenants; `api` carries his token, `crm_url` is where people work in his CRM."""

    company: Company
    keys: Keys
    api: Door
    crm: Crm
    crm_url: str
    hire: Hire  # gives him his sales people

    def status(self) -> HubStatus:
        """Returns GET /api/v1/status in the demo's terms."""
        told = self.api.get("/api/v1/status").expect(200).told()
        installed = [one for one in told["installations"] if one.get("read_back_at")]
        moments = [datetime.fromisoformat(one["read_back_at"]).timestamp() for one in installed]
        # The hub tells when it will read back next.
        read_back = min(moments) - READ_BACK_S if moments else 0.0
        return HubStatus(told["inbox"], told["deliveries"], told["visits"], told["calls"], read_back)

    def calls(self) -> list[dict[str, Any]]:
        """Returns all calls the hub knows of him, oldest first."""
        return self._all("calls")

    def enquiries(self) -> list[dict[str, Any]]:
        """Returns all enquiries the hub knows of him, calls among them."""
        return self._all("enquiries")

    def _all(self, what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = 0
        while page := self.api.get(f"/api/v1/{what}", {"after": after, "limit": 500}).expect(200).told()[what]:
            found += page
            after = page[-1]["id"]
        return found

    def report(self) -> dict[str, Any]:
        """Returns the ROI report of the day."""
        return self._of_day("report/roi")

    def accuracy(self) -> dict[str, Any]:
        """Returns what the hub says of its own accuracy of the day."""
        return self._of_day("accuracy")

    def foreseen(self, since: float) -> Foreseen:
        """Returns what a trial of the rules that run says of what they did since a moment of the day."""
        moment = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
        path = f"/api/v1/scenarios/{self.company.crm.value}/dry-run?since={moment}"
        told = self.api.send("POST", path, Letter()).expect(200).told()
        return Foreseen(told["enquiries"], **told["checked"])

    def _of_day(self, what: str) -> dict[str, Any]:
        day = DAY.isoformat()
        return self.api.get(f"/api/v1/{what}", {"from": day, "to": day}).expect(200).told()

    def spend(self, day: Day) -> None:
        """Imports what advertising cost, as a person uploads a CSV."""
        head = "day,source,campaign,cost,clicks"
        rows = [f"{DAY},{one.source},{one.campaign},{roubles(one.cost_minor)},{one.clicks}" for one in day.spend]
        body = "\n".join((head, *rows)).encode()
        letter = Letter(body, {"content-type": "text/csv"})
        self.api.send("POST", f"/api/v1/spend?site={self.keys.site}", letter).expect(200)


def roubles(minor: int) -> str:
    """Returns kopecks as a decimal sum of roubles, like 1234.50."""
    return f"{minor // 100}.{minor % 100:02d}"
