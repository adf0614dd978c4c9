"""Reads the fields of a request however they came: in the query, in a form or in a JSON object."""

from urllib.parse import parse_qsl

from tracking_core.telephony.contract import CallRequest, Unreadable
from tracking_core.telephony.reading import Fields, json_object

FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 200


def text_of(request: CallRequest) -> str:
    """Returns the body as text."""
    try:
        return request.body.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("The body must be UTF-8.") from None


def pairs_of(request: CallRequest) -> list[tuple[str, str]]:
    """Returns the fields of a form in the order they came, repeated ones too."""
    try:
        return parse_qsl(
            text_of(request), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Unreadable(f"The body must be a UTF-8 form of at most {_MOST_FIELDS} fields ({FORM}).") from None


def form_of(request: CallRequest) -> dict[str, str]:
    """Returns the fields of a form; of a repeated one the last."""
    return dict(pairs_of(request))


def fields_of(request: CallRequest) -> Fields:
    """Returns the fields of the query and, above them, of the body: a JSON object or a form, as it looks."""
    text = text_of(request).strip()
    if not text:
        return dict(request.query)
    told = json_object(text, "The body") if text.startswith(("{", "[")) else form_of(request)
    return {**request.query, **told}
