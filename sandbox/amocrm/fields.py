"""The methods of custom fields and their groups (sheet section 3.10)."""

from typing import Any

from sandbox.amocrm.errors import Flaws, Refusal, refuse, validation_answer
from sandbox.amocrm.fieldset import PHONE_KINDS, TYPES, WITH_ENUMS, Field, make_enums
from sandbox.amocrm.hal import NO_CONTENT, Json, counted, hal, self_link, wrapped
from sandbox.amocrm.people import need_admin
from sandbox.amocrm.store import LEADS
from sandbox.amocrm.turn import Sent, Turn, is_id, write_batch
from sandbox.brackets import below
from sandbox.wire import Answer


def list_fields(turn: Turn, kind: str) -> Answer:
    """GET /{kind}/custom_fields."""
    types = set(turn.filter_list("type"))
    found = [one for one in turn.account.fields[kind].ordered() if not types or one.type in types]
    if below(turn.params, "order").get("sort") == "desc":
        found.reverse()
    return counted(turn, "custom_fields", found, lambda one: field_model(turn, one))


def one_field(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /{kind}/custom_fields/{id}."""
    return hal(field_model(turn, _found(turn, kind, id)))


def add_fields(turn: Turn, kind: str) -> Answer:
    """POST /{kind}/custom_fields: 201 with full models."""
    need_admin(turn)
    sent = turn.sent_list()
    codes: set[str] = set()

    def check(one: Sent, flaws: Flaws) -> None:
        _check_new(turn, kind, one, codes, flaws)

    def apply(one: Sent) -> Json:
        return field_model(turn, _create(turn, kind, one)) | {"request_id": one["request_id"]}

    return wrapped(turn, "custom_fields", write_batch(turn, sent, check, apply), 201, total=True)


def _check_new(turn: Turn, kind: str, one: Sent, codes: set[str], flaws: Flaws) -> None:
    missing = turn.account.dial["missing_key_code"]
    for key in ("name", "type"):
        if one.get(key) is None:
            flaws.missing(missing, key)
        elif not isinstance(one[key], str):
            flaws.type(key, "string")
    if isinstance(one.get("type"), str) and one["type"] not in TYPES:
        flaws.choice("type")
    if one.get("type") == "tracking_data" and kind != LEADS:
        flaws.choice("type")
    if one.get("type") in WITH_ENUMS and not _are_enums(one.get("enums")):
        flaws.missing(missing, "enums")
    if one.get("sort") is not None and not is_id(one["sort"]):
        flaws.type("sort", "int")
    _check_code(turn, kind, one.get("code"), codes, flaws)
    groups = {group["id"] for group in turn.account.fields[kind].groups}
    if one.get("group_id") is not None and str(one["group_id"]) not in groups:
        flaws.choice("group_id")


def _are_enums(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _check_code(turn: Turn, kind: str, code: object, codes: set[str], flaws: Flaws) -> None:
    if code is None:
        return
    if not isinstance(code, str):
        flaws.type("code", "string")
        return
    known = code in codes or turn.account.fields[kind].by_code(code) is not None
    if known and turn.account.dial["field_code_unique"]:
        flaws.other("NotUnique", "code", "This code is already used.")
    if kind == "contacts" and turn.account.dial["contact_field_code_fails"]:
        flaws.choice("code")
    codes.add(code)


def _create(turn: Turn, kind: str, one: Sent) -> Field:
    account = turn.account
    enums = None
    if one["type"] in WITH_ENUMS:
        named = [(str(raw.get("value")), raw.get("code")) for raw in one["enums"]]
        enums = make_enums(account.ids, named or [(code, code) for code in PHONE_KINDS])
    account.store.changes += 1
    return account.fields[kind].add(
        Field(
            account.ids.next("field"),
            kind,
            one["name"],
            one["type"],
            int(one.get("sort") or 510),
            one.get("code"),
            one.get("group_id"),
            False,
            bool(one.get("is_api_only")),
            enums,
            {key: one[key] for key in ("tracking_callback", "currency", "remind") if key in one},
        )
    )


def patch_fields(turn: Turn, kind: str) -> Answer:
    """PATCH /{kind}/custom_fields with an array."""
    need_admin(turn)
    sent = turn.sent_list()

    def check(one: Sent, flaws: Flaws) -> None:
        if not is_id(one.get("id")) or one["id"] not in turn.account.fields[kind].by_id:
            flaws.choice("id")
        _check_change(one, flaws)

    def apply(one: Sent) -> Json:
        return field_model(turn, _change(turn, turn.account.fields[kind].by_id[one["id"]], one))

    return wrapped(turn, "custom_fields", write_batch(turn, sent, check, apply), total=True)


def patch_field(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """PATCH /{kind}/custom_fields/{id}."""
    need_admin(turn)
    field, sent, flaws = _found(turn, kind, id), turn.sent_object(), Flaws()
    _check_change(sent, flaws)
    if flaws.found:
        raise Refusal(validation_answer([("0", flaws.found)]))
    return hal(field_model(turn, _change(turn, field, sent)))


def _check_change(one: Sent, flaws: Flaws) -> None:
    for key in ("name", "code", "group_id"):
        if one.get(key) is not None and not isinstance(one[key], str):
            flaws.type(key, "string")
    if one.get("sort") is not None and not is_id(one["sort"]):
        flaws.type("sort", "int")


def _change(turn: Turn, field: Field, one: Sent) -> Field:
    turn.account.store.changes += 1
    for key in ("name", "code", "sort", "group_id", "is_api_only"):
        if key in one:
            setattr(field, key, one[key])
    if _are_enums(one.get("enums")):
        field.enums = [_enum(turn, field, raw) for raw in one["enums"]]
    return field


def _enum(turn: Turn, field: Field, raw: dict[str, Any]) -> dict[str, Any]:
    known = next((enum for enum in field.enums or () if enum["id"] == raw.get("id")), None)
    if known is not None:
        return known | {key: raw[key] for key in ("value", "sort", "code") if key in raw}
    return make_enums(turn.account.ids, [(str(raw.get("value")), raw.get("code"))])[0]


def delete_field(turn: Turn, kind: str, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """DELETE /{kind}/custom_fields/{id}: 204, and values of the field are gone from the cards."""
    need_admin(turn)
    field = _found(turn, kind, id)
    if field.is_predefined and field.type != "tracking_data":
        raise refuse(400, "A predefined field cannot be deleted")
    turn.account.store.changes += 1
    del turn.account.fields[kind].by_id[field.id]
    return NO_CONTENT


def _found(turn: Turn, kind: str, id_: str) -> Field:
    field = turn.account.fields[kind].by_id.get(int(id_))
    if field is None:
        raise refuse(404, "Custom field not found")
    return field


def field_model(turn: Turn, field: Field) -> Json:
    """Returns a field's definition as GET shows it."""
    return {
        "id": field.id,
        "name": field.name,
        "code": field.code,
        "sort": field.sort,
        "type": field.type,
        "account_id": turn.account.id,
        "entity_type": field.kind,
        "is_predefined": field.is_predefined,
        "is_deletable": not field.is_predefined or field.type == "tracking_data",
        "is_computed": False,
        "is_api_only": field.is_api_only,
        "group_id": field.group_id,
        "required_statuses": [{"pipeline_id": pipeline, "status_id": status} for pipeline, status in field.required],
        "hidden_statuses": [],
        "enums": field.enums,
        "currency": field.more.get("currency"),
        "remind": field.more.get("remind"),
        "tracking_callback": field.more.get("tracking_callback"),
        "triggers": [],
        "chained_lists": None,
        "_links": self_link(f"{turn.api}/{field.kind}/custom_fields/{field.id}"),
    }


def list_groups(turn: Turn, kind: str) -> Answer:
    """GET /{kind}/custom_fields/groups."""
    groups = turn.account.fields[kind].groups
    return wrapped(turn, "custom_field_groups", [_group(turn, kind, one) for one in groups], total=True)


def add_groups(turn: Turn, kind: str) -> Answer:
    """POST /{kind}/custom_fields/groups: 201."""
    need_admin(turn)
    sent = turn.sent_list()

    def check(one: Sent, flaws: Flaws) -> None:
        if not isinstance(one.get("name"), str):
            flaws.missing(turn.account.dial["missing_key_code"], "name")
        if one.get("sort") is not None and not is_id(one["sort"]):
            flaws.type("sort", "int")

    def apply(one: Sent) -> Json:
        turn.account.store.changes += 1
        group = {
            "id": f"{kind}_{turn.account.ids.next('group')}",
            "name": one["name"],
            "is_predefined": False,
            "type": "custom_field_group",
            "sort": int(one.get("sort") or 4),
        }
        turn.account.fields[kind].groups.append(group)
        return _group(turn, kind, group)

    return wrapped(turn, "custom_field_groups", write_batch(turn, sent, check, apply), 201, total=True)


def one_group(turn: Turn, kind: str, group: str) -> Answer:
    """GET /{kind}/custom_fields/groups/{group}."""
    return hal(_group(turn, kind, _found_group(turn, kind, group)))


def patch_group(turn: Turn, kind: str, group: str) -> Answer:
    """PATCH /{kind}/custom_fields/groups/{group}."""
    need_admin(turn)
    found = _found_group(turn, kind, group)
    found |= {key: value for key, value in turn.sent_object().items() if key in ("name", "sort")}
    turn.account.store.changes += 1
    return hal(_group(turn, kind, found))


def delete_group(turn: Turn, kind: str, group: str) -> Answer:
    """DELETE /{kind}/custom_fields/groups/{group}."""
    need_admin(turn)
    turn.account.fields[kind].groups.remove(_found_group(turn, kind, group))
    turn.account.store.changes += 1
    return NO_CONTENT


def _found_group(turn: Turn, kind: str, id_: str) -> dict[str, Any]:
    found = next((one for one in turn.account.fields[kind].groups if one["id"] == id_), None)
    if found is None:
        raise refuse(404, "Group not found")
    return found


def _group(turn: Turn, kind: str, group: dict[str, Any]) -> Json:
    links = self_link(f"{turn.api}/{kind}/custom_fields/groups/{group['id']}")
    return {**group, "entity_type": kind, "_links": links}
