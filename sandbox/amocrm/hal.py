"""HAL+JSON envelopes, links with the requested host, and paging (sheet sections 5.1 and 5.2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from sandbox.brackets import flatten
from sandbox.wire import Answer, json_answer

if TYPE_CHECKING:
    from sandbox.amocrm.turn import Turn

HAL = "application/hal+json"
NO_CONTENT = Answer(204)
Json = dict[str, Any]
Thing = TypeVar("Thing")
Shown = Callable[[Thing], Json]
LAST_PAGE = 10**9


def hal(body: object, status: int = 200) -> Answer:
    """Returns a HAL+JSON answer."""
    return json_answer(status, body, HAL)


def self_link(href: str) -> Json:
    """Returns `_links` with self only."""
    return {"self": {"href": href}}


def wrapped(turn: "Turn", plural: str, models: Sequence[Json], status: int = 200, total: bool = False) -> Answer:
    """Returns the envelope of a write or of an unpaged list."""
    body: Json = {"_total_items": len(models)} if total else {}
    body |= {"_links": self_link(f"{turn.ask.base}{turn.ask.path}"), "_embedded": {plural: models}}
    return hal(body, status)


def page_numbers(turn: "Turn", most: int = 250) -> tuple[int, int]:
    """Returns page and limit of a list request; nonsense falls back to 1 and 50."""
    page, limit = turn.params.get("page"), turn.params.get("limit")
    number = int(page) if isinstance(page, str) and page.isdecimal() and int(page) else 1
    size = int(limit) if isinstance(limit, str) and limit.isdecimal() and int(limit) else 50
    return min(number, LAST_PAGE), min(size, most)


def paged(turn: "Turn", plural: str, found: Iterable[Thing], model: Shown[Thing], most: int = 250) -> Answer:
    """Returns one page of `found` (walked lazily) shown by `model`; an empty page is 204 without a body."""
    page, limit = page_numbers(turn, most)
    window = list(islice(found, (page - 1) * limit, page * limit + 1))
    shown = window[:limit]
    if not shown:
        return NO_CONTENT
    more = len(window) > limit or (turn.account.dial["next_on_full_page"] and len(shown) == limit)
    body = {
        "_page": page,
        "_links": page_links(turn, page, limit, more),
        "_embedded": {plural: [model(thing) for thing in shown]},
    }
    return hal(body)


def counted(turn: "Turn", plural: str, found: Sequence[Thing], model: Shown[Thing]) -> Answer:
    """Returns one page of a list that also tells totals (users, fields, tags...); empty is 204."""
    page, limit = page_numbers(turn)
    shown = found[(page - 1) * limit : page * limit]
    if not shown:
        return NO_CONTENT
    pages = -(-len(found) // limit)
    links = page_links(turn, page, limit, page < pages)
    links["last"] = {"href": _href(turn, pages, limit)}
    body = {
        "_total_items": len(found),
        "_page": page,
        "_page_count": pages,
        "_links": links,
        "_embedded": {plural: [model(thing) for thing in shown]},
    }
    return hal(body)


def page_links(turn: "Turn", page: int, limit: int, more: bool) -> Json:
    """Returns self, and next, first, prev where such pages are."""
    links = self_link(_href(turn, page, limit))
    if more:
        links["next"] = {"href": _href(turn, page + 1, limit)}
    if page > 1:
        links["first"] = {"href": _href(turn, 1, limit)}
        links["prev"] = {"href": _href(turn, page - 1, limit)}
    return links


def _href(turn: "Turn", page: int, limit: int) -> str:
    kept: Mapping[str, object] = {k: v for k, v in turn.params.items() if k not in {"page", "limit"}}
    pairs = [*flatten(kept), ("limit", str(limit)), ("page", str(page))]
    return f"{turn.ask.base}{turn.ask.path}?{urlencode(pairs, safe='[]')}"
