"""Forms that Bitrix24 and the browsers of its users post to us [1.3, 6.2]."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from connectors.protocol import HookRequest, Rejected

FORM = "application/x-www-form-urlencoded"
_BODY_CAP = 1024 * 1024  # bytes
_MOST_FIELDS = 5_000


def form(request: HookRequest) -> Mapping[str, str] | Rejected:
    """Return the fields of a form, by their names with brackets."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if headers.get("content-type", FORM).split(";")[0].strip().lower() != FORM:
        return Rejected(f"What Bitrix24 sends is a form; allowed content type: {FORM}.")
    if len(request.body) > _BODY_CAP:
        return Rejected(f"The form is larger than {_BODY_CAP} bytes.")
    try:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return Rejected(f"The form has more than {_MOST_FIELDS} fields.")
