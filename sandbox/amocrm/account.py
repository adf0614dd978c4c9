"""The account: who is in it, how its pipelines look, and everything it remembers."""

from dataclasses import dataclass

import httpx

from sandbox.amocrm.fieldset import FieldSet, predefined
from sandbox.amocrm.history import History
from sandbox.amocrm.ids import IdWell
from sandbox.amocrm.invoices import new_invoices
from sandbox.amocrm.limits import Limits
from sandbox.amocrm.model import Incoming, LeadSource, Pipeline, StageAction, User, Visit, Widget
from sandbox.amocrm.seed import make_pipelines, make_users
from sandbox.amocrm.sender import Sender
from sandbox.amocrm.store import CARD_KINDS, Store
from sandbox.amocrm.tokens import Tokens
from sandbox.clock import Clock
from sandbox.dial import Dial


@dataclass(frozen=True, slots=True)
class Options:
    """How an account is started."""

    subdomain: str = "romashka"
    redirect_uri: str = "http://127.0.0.1:8000/oauth/amocrm"
    disable_hook: str = ""
    seed: int = 1
    installed: bool = True


class Account:
    """One amoCRM account with one integration installed."""

    def __init__(
        self, options: Options, clock: Clock, dial: Dial, outgoing: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options, self.clock, self.dial = options, clock, dial
        self.ids = IdWell(options.seed)
        for kind, near in _NUMBERS.items():
            self.ids.start(kind, near)
        self.id = self.ids.next("account")
        self.name = "Ромашка"
        self.created_at = int(clock()) - 86_400 * 365
        self.subdomain = options.subdomain
        self.store = Store()
        self.users: dict[int, User] = make_users(self.ids)
        self.pipelines: dict[int, Pipeline] = make_pipelines(self.ids)
        self.fields: dict[str, FieldSet] = {kind: predefined(kind, self.ids) for kind in CARD_KINDS}
        self.tags: dict[str, dict[int, str]] = {kind: {} for kind in CARD_KINDS}
        self.loss_reasons = {self.ids.next("loss"): name for name in ("Слишком дорого", "Нет товара", "Спам")}
        self.sources: dict[int, LeadSource] = {}
        self.incoming: dict[str, Incoming] = {}
        self.stage_actions: dict[int, StageAction] = {}
        self.invoices = new_invoices(self.ids)
        self.widgets: dict[str, Widget] = {}
        self.moved_from: set[str] = set()
        self.visits: list[Visit] = []
        self.amojo_id = self.ids.uuid()
        self.history = History()
        self.tokens = Tokens(self)
        self.limits = Limits(dial)
        self.sender = Sender(self, outgoing)

    def now(self) -> float:
        """Returns the vendor's present moment in epoch seconds."""
        return self.clock() + float(self.dial["clock_skew"])

    def searchable(self, born: float) -> bool:
        """Whether the lag already shows a note, task or incoming lead (only when the lag reaches them)."""
        return bool(self.dial["search_lag_scope"] == "cards" or born <= self.now() - self.dial["search_lag"])

    @property
    def admin(self) -> User:
        """The user who installed the integration."""
        return next(user for user in self.users.values() if user.is_admin)

    def takes_user(self, id_: object) -> bool:
        """Whether this user may be responsible for something, or its author."""
        user = self.users.get(id_) if isinstance(id_, int) else None
        return user is not None and (user.is_active or self.dial["dismissed_users"] == "accept")

    @property
    def main_pipeline(self) -> Pipeline:
        """The pipeline new leads go to."""
        return next(pipeline for pipeline in self.pipelines.values() if pipeline.is_main)

    def pipeline_of_status(self, status_id: object) -> Pipeline | None:
        """Returns the first pipeline that has this status, the main one first."""
        ordered = sorted(self.pipelines.values(), key=lambda one: (not one.is_main, one.sort))
        return next((one for one in ordered if one.stage(status_id)), None)

    def tag_id(self, kind: str, name: str) -> int:
        """Returns the id of a tag, making it when it is new."""
        for id_, known in self.tags[kind].items():
            if known == name:
                return id_
        id_ = self.ids.next("tag")
        self.tags[kind][id_] = name
        return id_


_NUMBERS = {
    "account": 31_000_000,
    "user": 7_100_000,
    "pipeline": 5_100_000,
    "status": 45_100_000,
    "field": 610_000,
    "enum": 853_000,
    "leads": 21_000_000,
    "contacts": 61_000_000,
    "companies": 71_000_000,
    "note": 81_000_000,
    "task": 91_000_000,
    "source": 36_000,
    "hook": 1_056_000,
    "tag": 500,
    "group": 2_745_000,
    "loss": 4_200,
    "action": 300,
    "catalog": 9_000,
    "element": 525_000,
    "widget": 742_000,
}
