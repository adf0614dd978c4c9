"""Answers that name the wrong thing: the first object of a list loses the name its sender gave it, or gets another."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from sandbox.wire import Answer

NAME = "request_id"  # what a sender calls an object, so that the answer can say which of his it means
FOREIGN = "0" * 32  # a name nobody gave


def with_missing_id(answer: Answer) -> Answer:
    """Returns the answer without the name of its first object."""
    return _changed(answer, lambda row: row.pop(NAME))


def with_foreign_id(answer: Answer) -> Answer:
    """Returns the answer with somebody else's name on its first object."""
    return _changed(answer, _misname)


def _misname(row: dict[str, Any]) -> None:
    _, _, step = str(row[NAME][0] if isinstance(row[NAME], list) else row[NAME]).partition(":")
    foreign = f"{FOREIGN}:{step}" if step else FOREIGN
    row[NAME] = [foreign] if isinstance(row[NAME], list) else foreign


def _changed(answer: Answer, change: Callable[[dict[str, Any]], object]) -> Answer:
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        return answer
    rows = _named_rows(body)
    if not rows:
        return answer
    change(rows[0])
    return replace(answer, body=orjson.dumps(body))


def _named_rows(body: object) -> list[dict[str, Any]]:
    """The first list of objects that carry a name, wherever the answer keeps it."""
    if isinstance(body, list):
        return [row for row in body if isinstance(row, dict) and NAME in row]
    inner = body.get("_embedded") if isinstance(body, dict) else None
    lists = inner.values() if isinstance(inner, dict) else ()
    return next((rows for one in lists if (rows := _named_rows(one) if isinstance(one, list) else [])), [])
