"""PHP's ways: an empty map is written as `[]`, keys 0..n-1 make a list, forms are trees of strings."""

import email.parser
import email.policy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from sandbox.brackets import flatten, parse_brackets
from sandbox.wire import Ask

Params = dict[str, Any]


class EmptyObject:
    """What a serialised PHP object without public properties looks like: `{}`, never `[]`."""


EMPTY_OBJECT = EmptyObject()


def php(value: Any) -> Any:
    """Returns `value` as PHP would encode it: empty maps as lists, objects as they are."""
    if isinstance(value, dict):
        return {str(key): php(inner) for key, inner in value.items()} if value else []
    if isinstance(value, (list, tuple)):
        return [php(inner) for inner in value]
    return {} if isinstance(value, EmptyObject) else value


def keyed(found: Mapping[str, Any]) -> Any:
    """Returns a map, or a list where its keys are 0..n-1 in that order (the batch reply's quirk)."""
    if [*found] == [str(index) for index in range(len(found))]:
        return list(found.values())
    return dict(found)


def form(tree: object) -> str:
    """Returns nested dicts and lists as a form body with bracket keys."""
    return urlencode(list(flatten(tree)))


def read_params(ask: Ask) -> Params:
    """Returns query and body as one tree; the body of a GET is ignored, what cannot be read is empty."""
    params: Params = dict(parse_brackets(ask.query))
    if ask.method == "GET" or not ask.body:
        return params
    kind = ask.headers.get("content-type", "")
    if "json" in kind:
        return params | _json_object(ask.body)
    if kind.startswith("multipart/form-data"):
        return params | parse_brackets_of({name: text for name, _, text in multipart(ask)})
    return params | parse_brackets(ask.body.decode("utf-8", "replace"))


def parse_brackets_of(fields: Mapping[str, bytes]) -> Params:
    """Returns form fields with bracket keys as a tree."""
    return dict(parse_brackets(urlencode({name: text.decode("utf-8", "replace") for name, text in fields.items()})))


def _json_object(body: bytes) -> Params:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def multipart(ask: Ask) -> list[tuple[str, str, bytes]]:
    """Returns the parts of a multipart form: field name, file name (or empty) and content."""
    head = f"Content-Type: {ask.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + ask.body)
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        found.append((str(name), part.get_filename() or "", content if isinstance(content, bytes) else b""))
    return found


def pick(params: Mapping[str, Any], name: str) -> Any:
    """Returns a parameter in whichever case it was sent, or None."""
    if name in params:
        return params[name]
    wanted = name.lower()
    return next((value for key, value in params.items() if key.lower() == wanted), None)


def as_list(value: Any) -> list[Any]:
    """Returns the values of a list, of a map with index keys, or of one scalar."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else [value]


def as_map(value: Any) -> dict[str, Any]:
    """Returns a map as it is, a list by its indexes, anything else as nothing."""
    if isinstance(value, list):
        return {str(index): one for index, one in enumerate(value)}
    return value if isinstance(value, dict) else {}


def as_int(value: Any) -> int | None:
    """Returns a whole number sent as number or as text, or None."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    text = str(value).strip() if value is not None else ""
    return int(text) if text.removeprefix("-").isdecimal() else None


def is_yes(value: Any) -> bool:
    """Whether a flag is set: Y, 1 and true all mean it."""
    return str(value).strip().lower() in {"y", "1", "true"}
