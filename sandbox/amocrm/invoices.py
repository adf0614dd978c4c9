"""The catalog of invoices: its fields, its elements, and which deals they hang on (sheet section 4.7)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.amocrm.fieldset import Field, FieldSet, make_enums
from sandbox.amocrm.store import Card

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account
    from sandbox.amocrm.ids import IdWell

ELEMENTS = "catalog_elements"
STATUSES = (
    ("Создан", "created"),
    ("Оплачен", "paid"),
    ("Частично оплачен", "partially_paid"),
    ("Предоплата", "paid_in_advance"),
)


@dataclass(slots=True)
class Invoices:
    """The account's one catalog of type `invoices`; elements are cards of their own kind, links go by lead."""

    id: int
    fields: FieldSet
    elements: dict[int, Card] = field(default_factory=dict)
    of_lead: dict[int, list[int]] = field(default_factory=dict)
    name: str = "Счета/покупки"

    def linked(self, lead_id: int) -> list[Card]:
        """Returns the invoices of a deal."""
        return [self.elements[id_] for id_ in self.of_lead.get(lead_id, ())]

    def link(self, lead_id: int, element_id: int) -> bool:
        """Hangs an invoice on a deal, True when that is news; once more changes nothing."""
        held = self.of_lead.setdefault(lead_id, [])
        is_new = element_id not in held
        held += [element_id] if is_new else []
        return is_new

    def unlink(self, lead_id: int, element_id: int) -> bool:
        """Takes an invoice off a deal, True when it was on it."""
        held = self.of_lead.get(lead_id, [])
        was_there = element_id in held
        self.of_lead[lead_id] = [id_ for id_ in held if id_ != element_id]
        return was_there

    def delete(self, element_id: int) -> None:
        """Takes an invoice out of the catalog and off all deals."""
        del self.elements[element_id]
        for lead_id in list(self.of_lead):
            self.unlink(lead_id, element_id)


def new_invoices(ids: "IdWell") -> Invoices:
    """Returns an empty catalog with the fields an invoice has."""
    fields = FieldSet(ELEMENTS)
    known = (
        ("Статус", "select", "BILL_STATUS"),
        ("Сумма", "numeric", "BILL_PRICE"),
        ("Дата оплаты", "date_time", "BILL_PAYMENT_DATE"),
        ("Плательщик", "text", "PAYER"),
    )
    for sort, (name, type_, code) in enumerate(known, start=1):
        enums = make_enums(ids, STATUSES) if type_ == "select" else None
        fields.add(Field(ids.next("field"), ELEMENTS, name, type_, sort, code, None, True, False, enums))
    return Invoices(ids.next("catalog"), fields)


def told_of_element(account: "Account", action: str, element: Card) -> None:
    """Queues `catalogs[add|update]`; whether it can be subscribed to is a switch."""
    fields = [
        {
            "id": one.id,
            "name": one.name,
            "code": one.code,
            "values": [
                {"value": raw["value"]} | ({"enum": raw["enum_id"]} if raw.get("enum_id") else {})
                for raw in element.fields[one.id]
            ],
        }
        for one in account.invoices.fields.ordered()
        if element.fields.get(one.id)
    ]
    form: dict[str, Any] = {"id": element.id, "catalog_id": account.invoices.id, "name": element.name, "deleted": 0}
    form |= {"custom_fields": fields, "type": "catalog"}
    account.sender.tell_other(f"{action}_catalog", "catalogs", action, form)
