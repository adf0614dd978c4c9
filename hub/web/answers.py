"""How routes answer machines: one shape of JSON, one shape of error."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, default=str)


def refused(request: Request, status: int, sentence: str) -> Json:
    """Return an error: one clear sentence and the request's id."""
    return Json({"error": sentence, "request_id": request.scope.get("request_id", "")}, status_code=status)
