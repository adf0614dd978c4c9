"""Offline events: one line per object with its latest event, read by the app when it likes (sheet section 6.5)."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.filters import chosen, ordered
from sandbox.bitrix24.php import as_int, as_list, is_yes
from sandbox.bitrix24.turn import PAGE, Listing, Method, Methods, Turn, paged
from sandbox.brackets import scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterable

VERB = re.compile(r"(ADD|UPDATE|DELETE)(_\d+)?$")


@dataclass(slots=True)
class OfflineEvent:
    """One line of the queue; `process_id` is set while somebody holds it."""

    id: int
    moment: float
    event: str
    told: dict[str, Any]
    message_id: str
    connector: str = ""
    process_id: str = ""
    is_error: bool = False

    def row(self, turn: Turn) -> dict[str, Any]:
        """Returns the line as `event.offline.*` shows it."""
        return {
            "ID": str(self.id),
            "TIMESTAMP_X": turn.clock_text(self.moment),
            "EVENT_NAME": self.event,
            "EVENT_DATA": self.told,
            "EVENT_ADDITIONAL": False,
            "MESSAGE_ID": self.message_id,
        }


class OfflineQueue:
    """The lines nobody has taken yet, and those that are held."""

    def __init__(self) -> None:
        self.events: list[OfflineEvent] = []

    def note(self, event: str, told: dict[str, Any], turn: Turn, connector: str) -> None:
        """Notes the latest event of an object in place of an earlier one that nobody holds."""
        about = (VERB.sub("", event), str(texts(told)))
        self.events = [
            one
            for one in self.events
            if one.process_id or one.is_error or (VERB.sub("", one.event), str(one.told)) != about
        ]
        ids = turn.portal.ids
        self.events.append(OfflineEvent(ids.next("offline"), turn.now, event, texts(told), ids.hex(32), connector))

    def drop(self, gone: "Iterable[OfflineEvent]") -> None:
        """Forgets lines."""
        ids = {one.id for one in gone}
        self.events = [one for one in self.events if one.id not in ids]


def texts(told: Any) -> Any:
    """Returns a tree with every leaf as text, as an event's form has it."""
    if isinstance(told, dict):
        return {key: texts(inner) for key, inner in told.items()}
    return scalar_text(told)


def take(turn: Turn) -> Any:
    """event.offline.get: the oldest lines, deleted at once or held under a process id."""
    _guard(turn)
    queue = turn.portal.offline
    clears = turn.get("clear") is None or is_yes(turn.get("clear"))
    if not clears and not turn.portal.dial["offline_extended"]:
        raise Refusal(403, "ACCESS_DENIED", "Access denied! Feature rest_offline_extended is not available")
    process = turn.text("process_id")
    wants_errors = is_yes(turn.get("error", "0"))
    if process:
        found = [one for one in queue.events if one.process_id == process and one.is_error == wants_errors]
    else:
        free = [one for one in queue.events if not one.process_id and one.is_error == wants_errors]
        rows = chosen(free, turn.map("filter"), lambda one, name: one.row(turn).get(name))
        rows = ordered(rows, turn.map("order"), lambda one, name: one.row(turn).get(name))
        limit = turn.number("limit") or PAGE
        found = rows[: max(1, limit)]
    if clears:
        queue.drop(found)
    elif not process:
        process = turn.portal.ids.hex(32)
        for one in found:
            one.process_id = process
    if found:
        turn.portal.changes += 1
    return {"process_id": process or None, "events": [one.row(turn) for one in found]}


def show(turn: Turn) -> Listing:
    """event.offline.list: looks without taking."""
    _guard(turn)

    def row(one: OfflineEvent) -> dict[str, Any]:
        return {**one.row(turn), "PROCESS_ID": one.process_id, "ERROR": int(one.is_error)}

    rows = chosen(turn.portal.offline.events, turn.map("filter"), lambda one, name: row(one).get(name))
    return paged(turn, [row(one) for one in rows])


def clear(turn: Turn) -> bool:
    """event.offline.clear: what a process has done with, all of it or the named lines."""
    turn.portal.offline.drop(_held(turn))
    turn.portal.changes += 1
    return True


def fail(turn: Turn) -> bool:
    """event.offline.error: lines a process could not handle."""
    for one in _held(turn):
        one.is_error, one.process_id = True, ""
    turn.portal.changes += 1
    return True


def _held(turn: Turn) -> list[OfflineEvent]:
    _guard(turn)
    process = str(turn.needed("process_id"))
    ids = {as_int(one) for one in as_list(turn.get("id"))}
    messages = {str(one) for one in as_list(turn.get("message_id"))}
    held = [one for one in turn.portal.offline.events if one.process_id == process]
    return [one for one in held if not (ids or messages) or one.id in ids or one.message_id in messages]


def _guard(turn: Turn) -> None:
    turn.admins_only("Access denied! Offline events require administrator access rights")


METHODS: Methods = {
    "event.offline.get": Method(take, (), app_only=True),
    "event.offline.list": Method(show, (), app_only=True),
    "event.offline.clear": Method(clear, (), app_only=True),
    "event.offline.error": Method(fail, (), app_only=True),
}
