"""The paid filters of leads, contacts and companies: honoured when bought, silently ignored when not."""

from collections.abc import Callable

from sandbox.amocrm.store import LEADS, Card, Shelf
from sandbox.amocrm.turn import Turn
from sandbox.brackets import Tree, below, listed

Test = Callable[[Card], bool]
_NUMBER_LISTS = ("id", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
_SPANS = ("created_at", "updated_at", "closed_at", "closest_task_at", "price")
_LEADS_ONLY = ("pipeline_id", "closed_at", "price", "statuses")


def filter_tests(turn: Turn, kind: str) -> list[Test]:
    """Returns the tests of `filter[...]`, none when the account has not bought filters."""
    told = turn.filter()
    if not told or not turn.account.dial["api_filters"]:
        return []
    newest = turn.born - turn.account.dial["search_lag"]
    tests: list[Test] = [lambda card: card.born <= newest]
    for name, value in told.items():
        if kind != LEADS and name in _LEADS_ONLY:
            continue
        test = _test(name, value)
        if test is not None:
            tests.append(test)
    return tests


def filter_hits(turn: Turn, shelf: Shelf) -> list[int] | None:
    """Returns the few cards that named ids or marker-like field values leave over; None means all."""
    if not turn.account.dial["api_filters"]:
        return None
    ids = turn.filter_list("id")
    if ids:
        return [int(id_) for id_ in ids if id_.isdecimal() and int(id_) in shelf.cards]
    for value in turn.filter("custom_fields_values").values():
        needles = [one.lower() for one in ([value] if isinstance(value, str) else listed(value))]
        if needles and not any(_bound(one) is not None for one in needles) and "to" not in value:
            return [id_ for id_, text in shelf.texts.items() if any(needle in text for needle in needles)]
    return None


def _test(name: str, value: str | Tree) -> Test | None:
    if name in _NUMBER_LISTS:
        return _one_of(name, value)
    if name in _SPANS:
        return _between(name, value)
    if name == "name":
        names = set([value] if isinstance(value, str) else listed(value))
        return lambda card: card.name in names
    if name == "statuses" and isinstance(value, dict):
        pairs = {(one.get("pipeline_id"), one.get("status_id")) for one in value.values() if isinstance(one, dict)}
        return lambda card: (str(card.pipeline_id), str(card.status_id)) in pairs
    if name == "custom_fields_values" and isinstance(value, dict):
        return _by_fields(value)
    return None


def _one_of(name: str, value: str | Tree) -> Test:
    wanted = set(listed(value))
    return lambda card: str(getattr(card, name)) in wanted


def _between(name: str, value: str | Tree) -> Test:
    if isinstance(value, str):
        return lambda card: str(getattr(card, name)) == value
    low, high = (_bound(value.get(key)) for key in ("from", "to"))
    return lambda card: _within(getattr(card, name), low, high)


def _bound(said: object) -> float | None:
    try:
        return float(str(said))
    except (TypeError, ValueError):
        return None


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if value is None:
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _by_fields(told: Tree) -> Test:
    tests = [_by_field(int(id_), told) for id_ in told if id_.isdecimal()]
    return lambda card: all(test(card) for test in tests)


def _by_field(field_id: int, told: Tree) -> Test:
    value = told[str(field_id)]
    span = below(told, str(field_id))
    if "from" in span or "to" in span:
        low, high = _bound(span.get("from")), _bound(span.get("to"))
        return lambda card: any(_within(_bound(raw["value"]), low, high) for raw in card.fields.get(field_id, ()))
    wanted = {value} if isinstance(value, str) else {one for one in value.values() if isinstance(one, str)}
    return lambda card: any(
        str(raw["value"]) in wanted or str(raw.get("enum_id")) in wanted for raw in card.fields.get(field_id, ())
    )
