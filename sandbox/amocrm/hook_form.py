"""What a webhook carries of a card, with the irregularities of real captures (sheet sections 4.3, 4.4)."""

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.amocrm.fieldset import Field
from sandbox.amocrm.store import COMPANIES, CONTACTS, LEADS, SINGULAR, Card, Values

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

Form = dict[str, Any]


def card_fields(account: "Account", card: Card, old: Mapping[str, Any] | None = None) -> Form:
    """Returns the keys of one card in `leads[...]` or `contacts[...]`."""
    return _lead(account, card, old or {}) if card.kind == LEADS else _person(account, card, old or {})


def deleted_fields(card: Card) -> Form:
    """Returns the few keys of a deleted card."""
    if card.kind == LEADS:
        return {"id": card.id, "status_id": card.status_id, "pipeline_id": card.pipeline_id}
    return {"id": card.id, "type": SINGULAR[card.kind]}


def _lead(account: "Account", card: Card, old: Mapping[str, Any]) -> Form:
    form: Form = {"id": card.id, "name": card.name, "status_id": card.status_id}
    form |= old
    form |= {
        "price": card.price,
        "responsible_user_id": card.responsible_user_id,
        "last_modified": card.updated_at,
        "modified_user_id": card.updated_by,
        "created_user_id": card.created_by,
        "date_create": card.created_at,
        "pipeline_id": card.pipeline_id,
    }
    if card.tags:
        form["tags"] = [{"id": id_, "name": account.tags[LEADS].get(id_, "")} for id_ in card.tags]
    form["account_id"] = account.id
    form |= _custom(account, card)
    form |= {"created_at": card.created_at, "updated_at": card.updated_at}
    return form


def _person(account: "Account", card: Card, old: Mapping[str, Any]) -> Form:
    form: Form = {"id": card.id, "name": card.name, "responsible_user_id": card.responsible_user_id}
    form |= old
    form |= {
        "date_create": card.created_at,
        "last_modified": card.updated_at,
        "created_user_id": card.created_by,
        "modified_user_id": card.updated_by,
    }
    company = next(iter(card.linked(COMPANIES)), None) if card.kind == CONTACTS else None
    if company is not None:
        named = account.store.card(COMPANIES, company)
        form |= {"company_name": named.name if named else "", "linked_company_id": company}
    form["account_id"] = account.id
    form |= _custom(account, card)
    if card.linked(LEADS):
        form["linked_leads_id"] = {id_: {"ID": id_} for id_ in card.linked(LEADS)}
    form |= {"created_at": card.created_at, "updated_at": card.updated_at, "type": SINGULAR[card.kind]}
    return form


def _custom(account: "Account", card: Card) -> Form:
    fields = account.fields[card.kind]
    shown = []
    for field in fields.ordered():
        if card.fields.get(field.id):
            one: Form = {"id": field.id, "name": field.name}
            one["values"] = _values(field, card.fields[field.id], account.dial["hook_scalar_texts"])
            if field.code:
                one["code"] = field.code
            shown.append(one)
    return {"custom_fields": shown} if shown else {}


def _values(field: Field, values: Values, scalars: bool) -> object:
    if field.type in ("date", "date_time"):
        return [raw["value"] for raw in values]
    if field.type == "birthday":
        return [datetime.fromtimestamp(raw["value"], UTC).strftime("%d.%m.%Y") for raw in values]
    if field.type == "radiobutton":
        return {"value": values[0]["value"], "enum": values[0]["enum_id"]}
    if scalars and field.type in ("text", "checkbox"):
        return [raw["value"] for raw in values]
    return [_one_value(field, raw) for raw in values]


def _one_value(field: Field, raw: Mapping[str, Any]) -> Form:
    value = html.escape(str(raw["value"]), quote=False) if field.type == "url" else raw["value"]
    return {"value": value, "enum": raw["enum_id"]} if raw.get("enum_id") else {"value": value}
