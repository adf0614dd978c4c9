"""What a note webhook carries, doubly nested as in captures (sheet section 4.3)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.amocrm.store import LEGACY_TYPE, Note

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account

LEGACY_NOTES = {
    "common": 4,
    "attachment": 5,
    "call_in": 10,
    "call_out": 11,
    "service_message": 25,
    "extended_service_message": 25,
    "sms_in": 102,
    "sms_out": 103,
}
_CALL_KEYS = {"uniq": "UNIQ", "link": "LINK", "phone": "PHONE", "duration": "DURATION", "source": "SRC"}


def note_fields(account: "Account", note: Note) -> dict[str, Any]:
    """Returns the keys of `leads[note][0][note]`."""
    author = {"id": note.created_by, "author_name": _author(account, note), "type": 1}
    moment = spelled_time(note.created_at)
    return {
        "text": _text(account, note),
        "attachement": note.params.get("file_name", ""),
        "date_create": moment,
        "note_type": LEGACY_NOTES.get(note.note_type, 4),
        "element_type": LEGACY_TYPE[note.kind],
        "element_id": note.entity_id,
        "catalog_id": "",
        "group_id": note.group_id,
        "timestamp_x": moment,
        "account_id": account.id,
        "metadata": orjson.dumps({"event_source": author}).decode(),
        "created_by": note.created_by,
        "modified_by": note.updated_by,
        "main_user_id": note.responsible_user_id,
        "id": note.id,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
    }


def _author(account: "Account", note: Note) -> str:
    user = account.users.get(note.created_by)
    return user.name if user else ""


def _text(account: "Account", note: Note) -> str:
    if note.note_type not in ("call_in", "call_out"):
        return str(note.params.get("text", ""))
    upper = account.dial["call_text_keys"] == "upper"
    said = {_CALL_KEYS[key] if upper else key: note.params[key] for key in _CALL_KEYS if key in note.params}
    return orjson.dumps(said).decode()


def spelled_time(moment: int) -> str:
    """Returns a moment as old hooks spell it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
