"""Finding by phone or mail, and merging (sheet section 4.7)."""

from typing import Any

from sandbox.bitrix24.changes import merge
from sandbox.bitrix24.errors import Refusal, not_found
from sandbox.bitrix24.model import CODES, COMPANY, CONTACT, LEAD, Item
from sandbox.bitrix24.php import as_int, as_list
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import MATCHED_DIGITS, digits
from sandbox.bitrix24.turn import Method, Methods, Turn

MOST_VALUES = MOST_HITS = 20
SEARCHED = (LEAD, CONTACT, COMPANY)


def find_by_comm(turn: Turn) -> dict[str, list[int]]:
    """crm.duplicate.findbycomm: ids by type; a type with 20 hits hides those that follow it."""
    type_ = turn.text("type").upper()
    if type_ not in ("PHONE", "EMAIL"):
        raise not_found("Communication type is not defined.")
    values = [str(one) for one in as_list(turn.get("values"))][:MOST_VALUES]
    if not values:
        raise not_found("Communication values is not defined.")
    wanted = turn.text("entity_type").upper()
    kinds = [kind for kind in SEARCHED if wanted in ("", CODES[kind])]
    if not kinds:
        raise not_found("Entity type is not supported.")
    found: dict[str, list[int]] = {}
    for kind in kinds:
        ids = _hits(turn, kind, type_, values)
        if ids:
            found[CODES[kind]] = ids
        if len(ids) == MOST_HITS:
            break
    return found


def _hits(turn: Turn, kind: int, type_: str, values: list[str]) -> list[int]:
    lag = float(turn.portal.dial["search_lag"])
    found = [
        item
        for value in values
        for item in matching(turn, type_, value)
        if item.kind == kind and may_read(turn, item) and (not lag or item.born <= turn.now - lag)
    ]
    ids = sorted({item.id for item in found}, reverse=turn.portal.dial["findbycomm_order"] == "newest")
    return ids[:MOST_HITS]


def matching(turn: Turn, type_: str, value: str) -> list[Item]:
    """Returns the objects with this phone or mail; how phones are compared is a switch."""
    store = turn.portal.store
    if type_ == "EMAIL":
        return store.with_mail(value)
    wanted = _comparable(turn, value)
    return [
        item
        for item in store.with_phone(value)
        if any(_comparable(turn, one.value) == wanted for one in item.fm if one.type == "PHONE")
    ]


def _comparable(turn: Turn, phone: str) -> str:
    how = turn.portal.dial["phone_match"]
    if how == "exact":
        return phone.strip()
    return digits(phone)[-MATCHED_DIGITS:] if how == "last10" else digits(phone)


def merge_batch(turn: Turn) -> dict[str, Any]:
    """crm.entity.mergeBatch: merges objects of one kind; all ids but one vanish."""
    params = turn.map("params") or turn.params
    kind = as_int(params.get("entityTypeId"))
    ids = [id_ for one in as_list(params.get("entityIds")) if (id_ := as_int(one)) is not None]
    if kind not in SEARCHED and kind != 2:
        raise Refusal(400, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported")
    items = [turn.portal.store.find((kind, id_)) for id_ in ids]
    found = [item for item in items if item is not None and may_read(turn, item)]
    if len(ids) < 2 or len(found) < len(ids):
        return {"STATUS": "ERROR", "ENTITY_IDS": ids}
    if turn.portal.dial["merge_conflicts"]:
        return {"STATUS": "CONFLICT", "ENTITY_IDS": ids}
    winner = found[-1 if turn.portal.dial["merge_survivor"] == "last" else 0]
    for item in found:
        if item is not winner:
            merge(turn, winner, item)
    return {"STATUS": "SUCCESS", "ENTITY_IDS": [winner.id]}


METHODS: Methods = {
    "crm.duplicate.findbycomm": Method(find_by_comm),
    "crm.entity.mergebatch": Method(merge_batch),
}
