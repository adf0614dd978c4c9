"""Parts of the account that are not cards: users, pipelines, incoming leads, lead sources."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.amocrm.store import CARD_KINDS

ACTIONS = ("view", "edit", "add", "delete", "export")


def full_rights() -> dict[str, dict[str, str]]:
    """Returns rights to everything: letter A."""
    rights = {kind: dict.fromkeys(ACTIONS, "A") for kind in CARD_KINDS}
    return rights | {"tasks": {"edit": "A", "delete": "A"}}


@dataclass(slots=True)
class User:
    """A person of the account; `rights` hold the letters A, G, M or D."""

    id: int
    name: str
    email: str
    phone: str
    is_admin: bool = False
    is_free: bool = False
    is_active: bool = True
    group_id: int = 0
    rights: dict[str, dict[str, str]] = field(default_factory=full_rights)


@dataclass(slots=True)
class Stage:
    """One status of a pipeline; `type` 1 is unsorted."""

    id: int
    name: str
    sort: int
    color: str
    type: int = 0
    is_editable: bool = True


@dataclass(slots=True)
class Pipeline:
    """A pipeline with its statuses in order."""

    id: int
    name: str
    sort: int
    is_main: bool
    stages: list[Stage]
    is_unsorted_on: bool = True

    def stage(self, id_: object) -> Stage | None:
        """Returns the status with this id."""
        return next((stage for stage in self.stages if stage.id == id_), None)

    @property
    def first(self) -> Stage:
        """The first status a person works in."""
        return next(stage for stage in self.stages if stage.type == 0)

    @property
    def unsorted(self) -> Stage:
        """The system's first status."""
        return next(stage for stage in self.stages if stage.type == 1)


@dataclass(slots=True)
class Incoming:
    """One incoming lead waiting in unsorted, accepted or declined."""

    uid: str
    category: str
    source_uid: str | None
    source_name: str | None
    pipeline_id: int
    created_at: int
    born: float
    metadata: dict[str, Any]
    lead_id: int
    contact_ids: list[int]
    company_ids: list[int]
    state: str = "pending"
    sorted_at: int | None = None


@dataclass(slots=True)
class LeadSource:
    """A source of leads made by the integration; `external_id` is its natural key."""

    id: int
    name: str
    external_id: str
    pipeline_id: int
    default: bool = False
    is_deleted: bool = False
    services: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Visit:
    """One call of the vendor to the integration's server: `install` or `disable`; no address, nobody to tell."""

    kind: str
    url: str
    at: float
    status: int | None = None


@dataclass(frozen=True, slots=True)
class StageAction:
    """What a digital pipeline does when a deal comes into a stage: a bare hook, or a widget's with its settings."""

    id: int
    pipeline_id: int
    status_id: int
    url: str
    settings: dict[str, Any] | None = None


@dataclass(slots=True)
class Widget:
    """The integration's uploaded widget archive; `keys` are its settings, `required` those it needs."""

    id: int
    code: str
    version: str = "1.0.0"
    keys: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    is_active: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
