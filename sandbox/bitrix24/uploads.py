"""The address a recording may be uploaded to in a second request (sheet section 5.3)."""

from typing import TYPE_CHECKING

from sandbox.bitrix24.errors import JSON, Refusal
from sandbox.bitrix24.php import multipart
from sandbox.bitrix24.records import keep_record
from sandbox.brackets import parse_brackets
from sandbox.wire import Answer, Ask, json_answer

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

UPLOAD_PATH, FIELD = "/rest/upload.json", "file"


def take_upload(portal: "Portal", ask: Ask) -> Answer:
    """POST /rest/upload.json: the file of an `attachRecord` that was asked for without one."""
    query = parse_brackets(ask.query)
    portal.tokens.check(str(query.get("auth", "")))
    token = str(query.get("token", ""))
    promised = portal.store.uploads.get(token)
    if promised is None:
        raise Refusal(400, "ERROR_CORE", "Upload token is not valid")
    content = next((content for name, _, content in multipart(ask) if name == FIELD), None)
    if content is None:
        raise Refusal(400, "ERROR_CORE", "File is not found in the request")
    call_id, name = portal.store.uploads.pop(token)
    id_ = keep_record(portal, portal.store.calls[call_id], name, content)
    return json_answer(200, {"result": {"FILE_ID": id_}}, JSON)
