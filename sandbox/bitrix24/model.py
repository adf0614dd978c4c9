"""The things a portal holds beside its CRM objects: people, the app, what it bound, dictionaries, user fields."""

from dataclasses import dataclass, field
from typing import Any

LEAD, DEAL, CONTACT, COMPANY, INVOICE = 1, 2, 3, 4, 31
KINDS = (LEAD, DEAL, CONTACT, COMPANY, INVOICE)
CODES = {LEAD: "LEAD", DEAL: "DEAL", CONTACT: "CONTACT", COMPANY: "COMPANY", INVOICE: "SMART_INVOICE"}
KIND_OF_CODE = {code: kind for kind, code in CODES.items()}
ALL_SCOPES = ("crm", "placement", "sale", "task", "telephony", "user_basic", "userfieldconfig")
SHORT = {"L": LEAD, "D": DEAL, "C": CONTACT, "CO": COMPANY, "SI": INVOICE}
UF_ENTITIES = {f"CRM_{code}": kind for kind, code in CODES.items()}


@dataclass(slots=True)
class User:
    """An employee; `rights` says per kind of CRM object whether he sees all, his own or none."""

    id: int
    name: str
    last_name: str
    email: str
    inner_phone: str
    is_admin: bool = False
    is_active: bool = True
    may_use_app: bool = True
    rights: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An incoming webhook of a user."""

    user_id: int
    code: str
    scopes: frozenset[str]


@dataclass(slots=True)
class Installation:
    """The app on this portal; `finished` opens events and placements (sheet 1.2)."""

    user_id: int
    application_token: str
    scopes: tuple[str, ...]
    version: int
    finished: bool
    status: str = "F"


@dataclass(slots=True)
class Handler:
    """One handler of one event; `auth_type` 0 means whoever made the change."""

    id: int
    event: str
    handler: str
    auth_type: int = 0
    is_offline: bool = False
    connector: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Placement:
    """One handler of one placement."""

    id: int
    placement: str
    handler: str
    title: str
    description: str = ""
    group: str = ""
    lang_all: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    user_id: int = 0


@dataclass(slots=True)
class FieldType:
    """A type of user fields drawn by the app."""

    code: str
    handler: str
    title: str
    description: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Status:
    """One line of a dictionary: a stage, a source, a type; `semantics` is S, F or None."""

    id: int
    entity_id: str
    status_id: str
    name: str
    sort: int
    semantics: str | None = None
    is_system: bool = True
    category_id: int | None = None
    color: str = "#39A8EF"


@dataclass(slots=True)
class Category:
    """One pipeline of deals or invoices."""

    id: int
    kind: int
    name: str
    sort: int
    is_default: bool


@dataclass(slots=True)
class Choice:
    """One value of an enumeration field."""

    id: int
    value: str
    sort: int = 10
    is_default: bool = False
    xml_id: str = ""


@dataclass(slots=True)
class UserField:
    """A user field `UF_CRM_...` of one kind of objects."""

    id: int
    kind: int
    name: str
    type: str
    labels: dict[str, str] = field(default_factory=dict)
    list_labels: dict[str, str] = field(default_factory=dict)
    xml_id: str = ""
    sort: int = 100
    is_multiple: bool = False
    is_mandatory: bool = False
    show_filter: str = "N"
    settings: dict[str, Any] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)


@dataclass(slots=True)
class Multi:
    """One phone, mail or address of a lead, contact or company."""

    id: int
    type: str
    value_type: str
    value: str


@dataclass(slots=True)
class Item:
    """One CRM object; `values` by camel name (user fields by their own), moments in epoch s, money in minor units."""

    kind: int
    id: int
    born: float
    values: dict[str, Any] = field(default_factory=dict)
    fm: list[Multi] = field(default_factory=list)
    links: list[int] = field(default_factory=list)  # contacts of a deal, lead or invoice, the first of them primary
