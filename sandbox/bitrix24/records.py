"""Keeping the recording of a call."""

from typing import TYPE_CHECKING

from sandbox.bitrix24.errors import core
from sandbox.bitrix24.store import Call

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

SOUNDS = (".mp3", ".wav")


def check_name(name: str) -> str:
    """Returns the file name of a recording, or refuses whatever is no wav or mp3."""
    if not name.lower().endswith(SOUNDS):
        raise core("Wrong file extension. Only wav and mp3 are allowed")
    return name


def keep_record(portal: "Portal", call: Call, name: str, content: bytes) -> int:
    """Stores a recording in place of an earlier one and returns its file id."""
    portal.store.files.pop(call.record_id, None)
    call.record_id = portal.ids.next("file")
    portal.store.files[call.record_id] = (name, content)
    portal.changes += 1
    return call.record_id
