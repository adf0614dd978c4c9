"""Custom field definitions of one kind of card, found by id or code (sheet section 3.10)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.amocrm.ids import IdWell

TRACKING_CODES = (
    *(
        "UTM_CONTENT",
        "UTM_MEDIUM",
        "UTM_CAMPAIGN",
        "UTM_SOURCE",
        "UTM_TERM",
        "UTM_REFERRER",
    ),
    *(
        "ROISTAT",
        "REFERRER",
        "OPENSTAT_SERVICE",
        "OPENSTAT_CAMPAIGN",
        "OPENSTAT_AD",
        "OPENSTAT_SOURCE",
    ),
    *(
        "FROM",
        "GCLIENTID",
        "_YM_UID",
        "_YM_COUNTER",
        "GCLID",
        "YCLID",
    ),
    *("FBCLID",),
)
PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
EMAIL_KINDS = ("WORK", "PRIV", "OTHER")
TYPES = (
    *(
        "text",
        "numeric",
        "checkbox",
        "select",
        "multiselect",
        "date",
    ),
    *(
        "url",
        "textarea",
        "radiobutton",
        "streetaddress",
        "smart_address",
        "birthday",
    ),
    *(
        "legal_entity",
        "date_time",
        "price",
        "category",
        "items",
        "tracking_data",
    ),
    *(
        "linked_entity",
        "chained_list",
        "monetary",
        "file",
        "payer",
        "supplier",
    ),
    *("multitext",),
)
WITH_ENUMS = ("select", "multiselect", "radiobutton", "category", "multitext")


@dataclass(slots=True)
class Field:
    """One custom field; enums are `{id, value, sort, code}`."""

    id: int
    kind: str
    name: str
    type: str
    sort: int
    code: str | None = None
    group_id: str | None = None
    is_predefined: bool = False
    is_api_only: bool = False
    enums: list[dict[str, Any]] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    required: list[tuple[int, int]] = field(default_factory=list)  # (pipeline, stage) where it must be filled


class FieldSet:
    """The fields and groups of one kind of card."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.by_id: dict[int, Field] = {}
        self.groups: list[dict[str, Any]] = [
            {
                "id": "default",
                "name": "Основное",
                "is_predefined": True,
                "type": "custom_field_group",
                "sort": 1,
            },
        ]
        if kind == "leads":
            self.groups.append(
                {
                    "id": "statistic",
                    "name": "Статистика",
                    "is_predefined": True,
                    "type": "linked_group",
                    "sort": 2,
                }
            )

    def by_code(self, code: object) -> Field | None:
        """Returns the first field with this code."""
        return next((one for one in self.by_id.values() if code is not None and one.code == code), None)

    def find(self, sent: dict[str, Any]) -> Field | None:
        """Returns the field named by `field_id`, else by `field_code`."""
        if sent.get("field_id") is not None:
            id_ = sent["field_id"]
            return self.by_id.get(id_) if isinstance(id_, int) else None
        return self.by_code(sent.get("field_code"))

    def ordered(self) -> Sequence[Field]:
        """Returns the fields in their order on the card."""
        return sorted(self.by_id.values(), key=lambda one: (one.sort, one.id))

    def add(self, one: Field) -> Field:
        """Stores a definition and returns it."""
        self.by_id[one.id] = one
        return one


def make_enums(ids: "IdWell", named: Sequence[tuple[str, str | None]]) -> list[dict[str, Any]]:
    """Returns enum values with fresh ids from pairs of text and code."""
    return [
        {"id": ids.next("enum"), "value": value, "sort": index, "code": code}
        for index, (value, code) in enumerate(named)
    ]


def predefined(kind: str, ids: "IdWell") -> FieldSet:
    """Returns the fields a new account has: tracking codes on leads, PHONE and EMAIL on people."""
    fields = FieldSet(kind)
    if kind == "leads":
        for index, code in enumerate(TRACKING_CODES):
            fields.add(
                Field(
                    ids.next("field"),
                    kind,
                    code.lower(),
                    "tracking_data",
                    503 + index,
                    code,
                    "statistic",
                    True,
                )
            )
        return fields
    if kind == "contacts":
        fields.add(Field(ids.next("field"), kind, "Должность", "text", 2, "POSITION", None, True))
    for sort, (name, code, kinds) in enumerate(
        (("Телефон", "PHONE", PHONE_KINDS), ("Email", "EMAIL", EMAIL_KINDS)), start=4
    ):
        enums = make_enums(ids, [(one, one) for one in kinds])
        fields.add(Field(ids.next("field"), kind, name, "multitext", sort, code, None, True, False, enums))
    if kind == "companies":
        fields.add(Field(ids.next("field"), kind, "Web", "url", 6, "WEB", None, True))
        fields.add(Field(ids.next("field"), kind, "Адрес", "textarea", 8, "ADDRESS", None, True))
    return fields
