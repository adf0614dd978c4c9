"""Sales Intelligence traces: `crm.tracking.trace.*` (sheet section 4.9)."""

from typing import Any

import orjson

from sandbox.bitrix24.errors import core
from sandbox.bitrix24.model import CODES, COMPANY, CONTACT, DEAL, LEAD
from sandbox.bitrix24.php import as_int, as_list, as_map
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import Owner, Trace
from sandbox.bitrix24.turn import Method, Methods, Turn

TRACED = {CODES[kind]: kind for kind in (COMPANY, CONTACT, DEAL, LEAD)}


def add(turn: Turn) -> int:
    """crm.tracking.trace.add: one more trace of the named objects, each time it is called."""
    text = turn.text("TRACE")
    if not text:
        raise core("Parameter `TRACE` required.")
    owners = [_owner(turn, as_map(one)) for one in as_list(turn.get("ENTITIES"))]
    return keep_trace(turn, text, owners)


def keep_trace(turn: Turn, text: str, owners: list[Owner]) -> int:
    """Stores a trace and returns its id; any JSON object is one."""
    try:
        trace = orjson.loads(text)
    except ValueError:
        trace = None
    if not isinstance(trace, dict):
        raise core("Can not parse JSON in parameter `TRACE`.")
    id_ = turn.portal.ids.next("trace")
    turn.portal.store.traces[id_] = Trace(id_, trace, owners)
    turn.portal.changes += 1
    return id_


def _owner(turn: Turn, told: dict[str, Any]) -> Owner:
    named = {str(key).upper(): value for key, value in told.items()}
    kind, id_ = TRACED.get(str(named.get("TYPE", "")).upper()), as_int(named.get("ID"))
    if kind is None:
        raise core("Wrong TYPE in parameter `ENTITIES`.")
    if id_ is None or id_ <= 0:
        raise core("Wrong ID in parameter `ENTITIES`.")
    item = turn.portal.store.find((kind, id_))
    if item is None or not may_read(turn, item):
        raise core(f"You have no access to entity {CODES[kind]} {id_}.")
    return kind, id_


def delete(turn: Turn) -> None:
    """crm.tracking.trace.delete: takes a trace away, whether or not it is there."""
    gone = turn.portal.store.traces.pop(turn.needed_number("id"), None)
    turn.portal.changes += gone is not None


METHODS: Methods = {
    "crm.tracking.trace.add": Method(add),
    "crm.tracking.trace.delete": Method(delete),
}
