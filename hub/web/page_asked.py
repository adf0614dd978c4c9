"""What the page script's requests say: strangers send them, so nothing in them is trusted."""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from hub.store.arrival import OF_PAGE

_BODY_CAP = 16_384  # bytes
_MOST_GROUPS = 20
_TOKEN_ALPHABET = frozenset("0123456789abcdef")
_TOKEN_LENGTH = 32


class Unacceptable(Exception):
    """A request of the page script that cannot be read; its text is the sentence for the sender."""


def asked_in(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a body; raises ``Unacceptable``."""
    if len(body) > _BODY_CAP:
        raise Unacceptable(f"The body is {len(body)} bytes long; at most {_BODY_CAP} are accepted.")
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unacceptable("The body is not JSON in UTF-8.") from None
    if not isinstance(asked, dict):
        raise Unacceptable('The body is not a JSON object like {"site": "...", "url": "..."}.')
    return asked


def new_token(*, anonymous: bool) -> str:
    """Return the token of a new visitor, or of a page whose visitor did not consent."""
    return (OF_PAGE * anonymous + secrets.token_hex(16))[:_TOKEN_LENGTH]


def is_anonymous(asked: Mapping[str, Any]) -> bool:
    """Say whether a visit is told of whose visitor did not consent: nothing more of it is kept."""
    visitor = asked.get("visitor")
    return (visitor is None or page_token_of(visitor) is not None) and isinstance(asked.get("visit"), int)


def known_token(asked: Mapping[str, Any]) -> str:
    """Return the token of a visitor this site was given; raises ``Unacceptable``."""
    token = token_of(asked.get("visitor"))
    if token is None:
        raise Unacceptable("The field visitor is not a visitor this site was given.")
    return token


def names_in(asked: Mapping[str, Any], name: str) -> list[str]:
    """Return a field that is a list of texts; raises ``Unacceptable``."""
    given = asked.get(name) or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Unacceptable(f"The field {name} is not a list of texts.")
    return given[:_MOST_GROUPS]


def count_of(given: object) -> int:
    """Return a count, 0 for what cannot be one."""
    return given if isinstance(given, int) and 0 <= given < 1_000_000 else 0


def printable(text: str) -> str:
    """Return a text without what cannot be printed."""
    return "".join(char for char in text if char.isprintable())


def token_of(given: object) -> str | None:
    """Return the visitor's token, or None when it is not of our making."""
    if isinstance(given, str) and len(given) == _TOKEN_LENGTH and _TOKEN_ALPHABET.issuperset(given):
        return given
    return None


def page_token_of(given: object) -> str | None:
    """Return the token of a page whose visitor did not consent, or None when it is not of our making."""
    if isinstance(given, str) and given.startswith(OF_PAGE) and token_of(given.replace(OF_PAGE, "0", 1)):
        return given
    return None


def text_in(asked: Mapping[str, Any], name: str) -> str:
    """Return a field that is a text, empty when it is missing; raises ``Unacceptable``."""
    given = asked.get(name, "")
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Unacceptable(f"The field {name} is not a text.")
    return given[:4_000]
